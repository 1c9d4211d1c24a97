"""Which law predicts rows that it has not seen?"""
