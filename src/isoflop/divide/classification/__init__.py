"""Affiliation strings, or systems, to teams, each decision with its reason."""
