"""What a budget, or a national machine, could have trained."""
