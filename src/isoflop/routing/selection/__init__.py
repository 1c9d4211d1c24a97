"""The default selector: shrinkage to the best on average, intervals, a few labels of the new task."""

from __future__ import annotations

from isoflop.routing.selection.few_labels import Posterior, label_curve, next_prompts, posterior
from isoflop.routing.selection.shrunken import Prediction, Shrunken, ShrunkenFit, fit_shrunken

__all__ = [
    "Posterior",
    "Prediction",
    "Shrunken",
    "ShrunkenFit",
    "fit_shrunken",
    "label_curve",
    "next_prompts",
    "posterior",
]
