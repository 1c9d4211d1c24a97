"""How much of a headline is the choice of who counts it? Every defensible choice, at once."""
