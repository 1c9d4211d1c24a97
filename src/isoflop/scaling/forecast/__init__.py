"""Learning-curve forecasts: laws of one resource, stacked, with bands that were checked."""
