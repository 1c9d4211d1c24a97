"""How often a team's papers are among the most cited of their venue and year."""
