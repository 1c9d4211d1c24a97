"""Which law predicts rows it has not seen? Cross-validation of laws and penalties.

Leave-one-out follows the published scheme: a fifth of the rows is set aside and never used for
choosing; on the rest each row is predicted from a fit to the others, with the normalisers of
the rest. Every fold is refitted from every basin of the full training sample and keeps the
lowest certified one, so a fold may switch basin; how many do is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, IsoflopError, NoFitError, SettingError
from isoflop.progress.compat import paper_fit
from isoflop.progress.estimate import MAX_BASINS, find_minima, nearest_basin
from isoflop.progress.fit import Compat, check_sample
from isoflop.progress.halving import halving_months
from isoflop.progress.model import LAWS, PAPER_LAWS, Model, model
from isoflop.progress.rates import rate
from isoflop.progress.robustness.comparison import (
    Candidate,
    Comparison,
    LeaveBenchmarkOut,
    LeaveOneOut,
    LeavePaperOut,
    Scheme,
    TimeOrdered,
)
from isoflop.progress.sample import VOCABULARY, Sample, normalisers_of
from isoflop.progress.settings import L1, PENALTIES, Starts
from isoflop.stats.crossvalidate import (
    leave_group_out,
    leave_one_out,
    r_squared,
    time_ordered,
    training_weights,
)
from isoflop.stats.exp_sum import Array
from isoflop.stats.optimise import fit_exp_sum

HOLDOUT_SEED = 1
"""Legacy seed of the published split into 184 training and 47 validation rows."""


def compare(
    sample: Sample,
    *,
    laws: Sequence[int] = PAPER_LAWS,
    penalties: Sequence[float] = PENALTIES,
    scheme: Scheme | None = None,
    starts: Starts | None = None,
    compat: Compat = "converged",
    progress: Callable[[str, float], None] | None = None,
) -> Comparison:
    """Rank laws and penalties by their error on rows they have not seen.

    Parameters
    ----------
    sample : Sample
    laws : sequence of int
    penalties : sequence of float
        Values of delta.
    scheme : LeaveOneOut, LeavePaperOut, LeaveBenchmarkOut or TimeOrdered
        Default `LeaveOneOut`, the published scheme.
    starts : Starts
    compat : {"converged", "paper"}
        "paper": SLSQP, each fold started at the solution of the fold before; law 18 with the
        published error (its normaliser taken anew from the tested row).

    Raises
    ------
    EvidenceError
        Every law is refused on this sample.

    Notes
    -----
    Vocabulary sizes that law 19 needs are imputed from the benchmark where they are missing.
    """
    scheme, starts = scheme or LeaveOneOut(), starts or Starts()
    for law in laws:
        if law not in LAWS:
            raise SettingError(
                f"compare: law {law}, must be one of 1 to {max(LAWS)}. List them: isoflop progress laws."
            )
    whole = with_vocabulary(sample) if any(LAWS[law].vocabulary for law in laws) else sample
    training, validation = _split(whole, scheme)
    folds = _folds(training, scheme)
    tested = np.concatenate([np.flatnonzero(fold) for fold in folds])
    candidates: list[Candidate] = []
    refused: list[str] = []
    for i, law in enumerate(laws):
        job = _Job(training, validation, folds, scheme, tuple(penalties), starts)
        try:
            candidates += job.paper(law) if compat == "paper" else job.converged(law)
        except (EvidenceError, NoFitError) as error:
            refused.append(f"law {law} was left out: {error}")
        if progress is not None:
            progress("cross-validation", (i + 1) / len(laws))
    if not candidates:
        raise EvidenceError(f"compare: no law can be fitted to {sample.table.name}. {refused[0]}")
    return Comparison(
        sample=training,
        scheme=scheme,
        compat=compat,
        candidates=tuple(candidates),
        tested=tested,
        refused=tuple(refused),
    )


def published_split(n: int, holdout: float = 0.2) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (training, validation) row numbers of the published split.

    A legacy permutation of seed 1: the first fifth, rounded up, is set aside.

    Examples
    --------
    >>> training, validation = published_split(231)
    >>> len(training), len(validation)
    (184, 47)
    """
    order = np.random.RandomState(HOLDOUT_SEED).permutation(n)
    aside = int(np.ceil(holdout * n))
    return order[aside:], order[:aside]


def _split(sample: Sample, scheme: Scheme) -> tuple[Sample, Sample | None]:
    if not isinstance(scheme, LeaveOneOut) or scheme.holdout == 0:
        return sample, None
    training, validation = published_split(sample.n, scheme.holdout)
    kept = sample.rows(training)
    return replace(kept, normalisers=normalisers_of(kept.features)), sample.rows(validation)


def _folds(sample: Sample, scheme: Scheme) -> NDArray[np.bool_]:
    match scheme:
        case LeaveOneOut():
            return leave_one_out(sample.n)
        case LeavePaperOut():
            return leave_group_out(sample.clusters)
        case LeaveBenchmarkOut():
            return leave_group_out(sample.features.benchmark)
        case TimeOrdered(years=years):
            return time_ordered(sample.features.year, np.array(years))


def with_vocabulary(sample: Sample) -> Sample:
    """Return the sample with missing vocabulary sizes taken from the benchmark."""
    own = [VOCABULARY.get(name, np.nan) for name in sample.benchmarks]
    imputed = np.log(np.array(own))[sample.features.benchmark]
    known = sample.features.log_vocabulary
    filled = np.where(np.isnan(known), imputed, known)
    return replace(sample, features=replace(sample.features, log_vocabulary=filled))


@dataclass(frozen=True, slots=True)
class _Job:
    """Cross-validates one law after another on the same folds."""

    training: Sample
    validation: Sample | None
    folds: NDArray[np.bool_]
    scheme: Scheme
    penalties: tuple[float, ...]
    starts: Starts

    def converged(self, law: int) -> list[Candidate]:
        """Return one candidate for each penalty, every fold at its lowest certified minimum."""
        if isinstance(self.scheme, (TimeOrdered, LeaveBenchmarkOut)):
            return self._refitted(law)
        chosen = self._model(law, self.training)
        check_sample(self.training, chosen)
        sample = self.training
        design, y = chosen.design(sample.features), sample.outcome
        basins = []
        for delta in self.penalties:
            minima = find_minima(design, y, chosen, L1(delta=delta), self.starts)
            basins.append(minima[:MAX_BASINS])
        points = np.array([m.theta for minima in basins for m in minima])
        l1 = np.array(
            [
                L1(delta=d).strengths(chosen)
                for d, minima in zip(self.penalties, basins, strict=True)
                for _ in minima
            ]
        )
        count = len(self.folds)
        found = fit_exp_sum(
            design,
            y,
            starts=np.tile(points, (count, 1)),
            weights=training_weights(self.folds),
            l1=np.tile(l1, (count, 1)),
        )
        theta = found.theta.reshape(count, len(points), -1)
        objective = np.where(found.certified, found.objective, np.inf).reshape(count, len(points))
        out, at = [], 0
        for delta, minima in zip(self.penalties, basins, strict=True):
            block = slice(at, at + len(minima))
            at += len(minima)
            best = objective[:, block].argmin(axis=1)
            lowest = objective[:, block][np.arange(count), best]
            ended = np.where(np.isfinite(lowest)[:, None], theta[:, block][np.arange(count), best], np.nan)
            known = np.isfinite(lowest)
            basin = nearest_basin(design, ended[known], np.array([m.theta for m in minima]))
            errors = np.concatenate(
                [
                    design.rows(fold).predict(one) - y[fold]
                    for fold, one in zip(self.folds, ended, strict=True)
                ]
            )
            out.append(
                self._candidate(
                    chosen,
                    delta,
                    minima[0].theta,
                    minima[0].objective,
                    errors,
                    lowest,
                    basins=len(minima),
                    switched=int((basin != 0).sum()),
                )
            )
        return out

    def _refitted(self, law: int) -> list[Candidate]:
        """Few folds that differ much: each is a fit of its own, with its own normalisers."""
        out = []
        whole = self._model(law, self.training)
        check_sample(self.training, whole)
        design = whole.design(self.training.features)
        for delta in self.penalties:
            full = find_minima(design, self.training.outcome, whole, L1(delta=delta), self.starts)
            errors, objectives = [], []
            for fold in self.folds:
                kept = self.training.rows(~fold)
                kept = replace(kept, normalisers=normalisers_of(kept.features))
                inner = self._model(law, kept)
                try:
                    minima = find_minima(
                        inner.design(kept.features), kept.outcome, inner, L1(delta=delta), self.starts
                    )
                    predicted = inner.design(self.training.features.rows(fold)).predict(minima[0].theta)
                    errors.append(predicted - self.training.outcome[fold])
                    objectives.append(minima[0].objective)
                except NoFitError:
                    errors.append(np.full(int(fold.sum()), np.nan))
                    objectives.append(np.inf)
            out.append(
                self._candidate(
                    whole,
                    delta,
                    full[0].theta,
                    full[0].objective,
                    np.concatenate(errors),
                    np.array(objectives),
                    basins=len(full),
                    switched=0,
                )
            )
        return out

    def paper(self, law: int) -> list[Candidate]:
        """Return one candidate for each penalty by the published procedure, warm starts included."""
        if not isinstance(self.scheme, LeaveOneOut):
            raise SettingError("compare: compat='paper' knows leave one out only. Use --scheme loo.")
        sample, chosen = self.training, self._model(law, self.training)
        check_sample(sample, chosen)
        out = []
        for delta in self.penalties:
            theta, errors, objectives = None, [], []
            for fold in self.folds:
                kept = sample.rows(~fold)
                inner = self._paper_model(law, kept)
                stopped = paper_fit(inner.design(kept.features), kept.outcome, delta, start=theta)
                theta = stopped.theta
                tested = sample.rows(fold)
                predicted = self._paper_model(law, tested).design(tested.features).predict(theta)
                errors.append(predicted - tested.outcome)
                objectives.append(stopped.objective)
            full = paper_fit(chosen.design(sample.features), sample.outcome, delta)
            out.append(
                self._candidate(
                    chosen,
                    delta,
                    full.theta,
                    full.objective,
                    np.concatenate(errors),
                    np.array(objectives),
                    basins=1,
                    switched=0,
                )
            )
        return out

    def _model(self, law: int, sample: Sample) -> Model:
        return model(law, benchmarks=sample.benchmarks, normalisers=sample.normalisers)

    def _paper_model(self, law: int, sample: Sample) -> Model:
        """The published normalisers; law 18 takes its compute from whatever rows it is handed."""
        base = self.training.normalisers
        if law == 18:
            base = replace(base, compute=normalisers_of(sample.features).compute)
        return model(law, benchmarks=sample.benchmarks, normalisers=base)

    def _candidate(
        self,
        chosen: Model,
        delta: float,
        theta: Array,
        objective: float,
        errors: Array,
        fold_objectives: Array,
        *,
        basins: int,
        switched: int,
    ) -> Candidate:
        tested = np.concatenate([np.flatnonzero(fold) for fold in self.folds])
        y = self.training.outcome[tested]
        usable = ~np.isnan(errors)
        validation = None
        if self.validation is not None:
            predicted = chosen.design(self.validation.features).predict(theta)
            validation = float(np.mean((predicted - self.validation.outcome) ** 2))
        return Candidate(
            law=chosen.law.number,
            parameters=len(chosen.names),
            delta=delta,
            errors=errors,
            mse=float(np.mean(errors[usable] ** 2)) if usable.any() else float("inf"),
            r2=r_squared(y[usable], (y + errors)[usable]) if usable.sum() > 1 else None,
            objective=objective,
            basins=basins,
            folds_switched=switched,
            folds_failed=int((~np.isfinite(fold_objectives)).sum()),
            halving_time_months=_halving_time(chosen, theta),
            validation_mse=validation,
            theta=theta,
            fold_objectives=fold_objectives,
        )


def _halving_time(chosen: Model, theta: Array) -> float | None:
    try:
        growth = float(rate(chosen, theta))
    except IsoflopError:
        return None
    return halving_months(growth)
