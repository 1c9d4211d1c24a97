"""A fitted router: from scored prompts to a decision for each new one."""
