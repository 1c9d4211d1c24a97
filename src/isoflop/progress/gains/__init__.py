"""What the rate means: gains at a scale, and shares of compute, data and algorithms."""
