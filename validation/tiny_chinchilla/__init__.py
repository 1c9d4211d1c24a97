"""A grid of small language models of our own: held-out loss against size and text, on two texts.

``python -m validation.tiny_chinchilla`` remakes the embedded table `scaling_runs`; README.md says how.
"""
