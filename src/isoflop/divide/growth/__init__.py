"""How fast training compute doubles, for all systems and for each team."""
