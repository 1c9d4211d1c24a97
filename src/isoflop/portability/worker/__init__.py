"""Child processes: the only place where torch, jax, tensorflow and other frameworks are imported.

A worker needs Python, NumPy and this package's ground floor alone, so that it can run in an environment
of its own in which isoflop is not installed.
"""
