"""Is any one model the best on every task?"""
