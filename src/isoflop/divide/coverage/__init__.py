"""For how many systems compute is known, and how far the unknown ones could move a conclusion."""
