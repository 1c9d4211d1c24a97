"""How many points and trials does a scaling study need?"""
