"""Which rates of progress do the rows not rule out? The verb; the curve is in `rate_curve`."""

from __future__ import annotations

from isoflop.progress.fit import fit
from isoflop.progress.model import Options, model
from isoflop.progress.result import ProgressFit
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1, Profile, Starts
from isoflop.progress.uncertainty.rate_curve import RateProfile as RateProfile
from isoflop.progress.uncertainty.rate_curve import columns_of, profile_of_fit


def profile_rate(
    evidence: Sample | ProgressFit,
    *,
    law: int = 7,
    penalty: L1 | None = None,
    starts: Starts | None = None,
    options: Options | None = None,
    setting: Profile | None = None,
) -> RateProfile:
    """Return the profile of G over a range of rates.

    Parameters
    ----------
    evidence : Sample or ProgressFit
        A fit is taken as it is, and the settings below must be left alone.
    law : int
        One with a shared rate and a shared size in each of two terms: 1, 7, 19, 20.
    setting : Profile, default Profile()

    Raises
    ------
    NotIdentifiedError
        The law has no such rate, or the rate of the best minimum has no standard error.
    SettingError
        No minimum's rate lies in the range.

    Notes
    -----
    Deviance: n (F − F_min)/(variance × widening), with the residual variance of the best minimum and
    the ratio of the squared clustered to the squared row-wise standard error of G (1 by rows). The
    threshold is the chi-squared quantile with one degree of freedom.
    """
    setting = setting or Profile()
    if isinstance(evidence, ProgressFit):
        fitted = evidence
    else:
        wanted = model(law, benchmarks=evidence.benchmarks, normalisers=evidence.normalisers, options=options)
        columns_of(wanted)  # refuse before fitting
        fitted = fit(evidence, law=law, penalty=penalty, starts=starts, options=options)
    return profile_of_fit(fitted, setting)
