"""Does the answer hinge on a choice? Sweeps, checks, cross-validation, diagnostics."""
