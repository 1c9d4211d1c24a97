"""How sure is the rate? Sandwich errors and the profile likelihood."""
