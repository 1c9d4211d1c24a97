"""The compute-optimal frontier: how parameters and tokens should grow with compute."""
