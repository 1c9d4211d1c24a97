"""Diminishing returns under three labels, kept apart: curvature, cost, target."""
