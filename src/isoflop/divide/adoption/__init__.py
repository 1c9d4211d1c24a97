"""How many academic papers name or use open models of industry, year by year."""
