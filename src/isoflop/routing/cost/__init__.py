"""What does a choice of models cost, and how much would a single model of that quality cost?"""
