"""Which prompts of other datasets resemble a prompt: one search that serves every leave-one-out pool."""
