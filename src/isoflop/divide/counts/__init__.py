"""Shares of teams among the works of a narrow table."""
