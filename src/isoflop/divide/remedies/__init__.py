"""Who does the work that the paper asks to be supported: interpretability, safety, audit."""
