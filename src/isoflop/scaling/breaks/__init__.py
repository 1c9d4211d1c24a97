"""Curves of success with and without a threshold or a bend, and the null that a bend is held against."""
