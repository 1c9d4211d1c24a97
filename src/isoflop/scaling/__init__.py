"""How much better does more buy, how sure is that, and what to train next?"""
