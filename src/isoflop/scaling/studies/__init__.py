"""One study at a time: its points, the likelihood of its exponent, and the published method beside it."""
