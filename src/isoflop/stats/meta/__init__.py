"""Meta-analysis: pool effects of many studies, say how they differ, and test for bias.

Arrays in, frozen results out. `pool` and `pool_clustered` fit; the rest takes a fit, or effects and
their variances. Numbers are checked against the R packages metafor and clubSandwich.
"""

from isoflop.stats.meta.asymmetry import Asymmetry, Funnel, PetPeese, egger, funnel, pet_peese
from isoflop.stats.meta.component_intervals import ComponentIntervals, component_intervals
from isoflop.stats.meta.effects import Effects, equal_cluster_weights
from isoflop.stats.meta.excess import ExcessShare, excess_share, excess_significance
from isoflop.stats.meta.heterogeneity import ChiSquareTest, HeterogeneityInterval, Tau2Method
from isoflop.stats.meta.pool import pool, pool_clustered, q_profile
from isoflop.stats.meta.result import Contrast, MeanTest, MetaFit, Prediction, PredictionKind, WaldTest
from isoflop.stats.meta.robust import RobustFit, RobustKind, robust
from isoflop.stats.meta.selection import SelectionFit, selection_model
from isoflop.stats.meta.subsets import Refits, cumulative, leave_out
from isoflop.stats.meta.trim_fill import TrimFill, trim_and_fill
from isoflop.stats.meta.wild import WildBootstrap, wild_bootstrap

__all__ = [
    "Asymmetry",
    "ChiSquareTest",
    "ComponentIntervals",
    "Contrast",
    "Effects",
    "ExcessShare",
    "Funnel",
    "HeterogeneityInterval",
    "MeanTest",
    "MetaFit",
    "PetPeese",
    "Prediction",
    "PredictionKind",
    "Refits",
    "RobustFit",
    "RobustKind",
    "SelectionFit",
    "Tau2Method",
    "TrimFill",
    "WaldTest",
    "WildBootstrap",
    "component_intervals",
    "cumulative",
    "egger",
    "equal_cluster_weights",
    "excess_share",
    "excess_significance",
    "funnel",
    "leave_out",
    "pet_peese",
    "pool",
    "pool_clustered",
    "q_profile",
    "robust",
    "selection_model",
    "trim_and_fill",
    "wild_bootstrap",
]
