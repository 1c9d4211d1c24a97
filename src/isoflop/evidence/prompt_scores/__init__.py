"""Scores of many models on many prompts: their schemas, layouts people have, and how the parts join."""
