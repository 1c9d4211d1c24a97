"""On which organisation each headline hangs, and what the lines leave over."""
