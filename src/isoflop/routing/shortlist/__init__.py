"""Which models does one try first for a task that is only described? Answers from published scores."""
