"""The result of `scaling.power`: a plan, what it can find, and a check by simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.scaling.power.find import StudyPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """The planned study, run many times on a computer.

    Parameters
    ----------
    draws : int
    mean, standard_deviation : float
        Of the fitted exponents at the exponent to be measured.
    power : float or None
        Share of studies that find the smallest detectable exponent.
    size : float
        Share that find an exponent where there is none.
    """

    draws: int
    mean: float
    standard_deviation: float
    power: float | None
    size: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PowerPlan:
    """What a planned study can find, and what it takes to find less.

    Parameters
    ----------
    plan : StudyPlan
    alpha, target_se, wanted_power, level : float
        What was asked.
    minimum_detectable : float or None
        Smallest exponent found with the wanted power; None where none is.
    standard_error : float
        Of `alpha` under the plan.
    trials_needed, points_needed : int or None
        For `target_se`, the rest of the plan unchanged; None where no number does.
    grid : tuple of dict
        The same over numbers of points and trials.
    simulated : Simulated or None
    seed : int
    """

    plan: StudyPlan
    alpha: float
    target_se: float
    wanted_power: float
    level: float
    minimum_detectable: float | None
    standard_error: float
    trials_needed: int | None
    points_needed: int | None
    grid: tuple[dict[str, Any], ...]
    simulated: Simulated | None
    seed: int

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Nothing: a plan rests on no evidence."""
        return ()

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the plan leaves out, each with what would cure it."""
        said = ["an error floor flattens the curve and lowers the power; the plan has none. A pilot at the "
                "largest amount would show it."]  # fmt: skip
        if self.plan.seed_spread == 0.0:
            said.append(
                "training runs at one amount are taken to differ by their trials alone. Set the spread of ln "
                "error between seeds (--seed-spread), from three runs at one amount."
            )
        checked = self.simulated
        if checked is not None and abs(checked.mean - self.alpha) > 0.1 * abs(self.alpha):
            said.append(
                f"in {checked.draws} simulated studies the exponent averages {formats.number(checked.mean)} "
                f"in place of {formats.number(self.alpha)}: so few trials bias it. More trials a point would "
                "cure it."
            )
        if checked is not None and checked.power is not None and checked.power < self.wanted_power - 0.05:
            said.append(
                f"simulated power is {formats.percent(checked.power)}, below the "
                f"{formats.percent(self.wanted_power)} of the formula: more trials would cure it."
            )
        return tuple(said)

    @property
    def method(self) -> str:
        """One line for findings."""
        plan = self.plan
        return (
            f"Fisher information of binomial errors: {plan.points} points of {plan.trials} trials over a "
            f"range of {formats.multiple(plan.resource_range)}, {formats.percent(plan.base_error)} error at "
            "the smallest"
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the smallest detectable exponent."""
        checked = self.simulated
        return (
            Finding(
                id="scaling.minimum_detectable_exponent",
                instrument="scaling",
                label=f"smallest exponent found with power {formats.percent(self.wanted_power)}",
                estimate=Estimate(value=self.minimum_detectable, unit="1"),
                method=self.method,
                n=None,
                seed=self.seed,
                cautions=self.cautions,
                details={
                    "alpha": self.alpha,
                    "standard_error": self.standard_error,
                    "target_se": self.target_se,
                    "trials_needed": self.trials_needed,
                    "points_needed": self.points_needed,
                    "level": self.level,
                    "simulated": None
                    if checked is None
                    else {name: getattr(checked, name) for name in Simulated.__slots__},
                },
            ),
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per number of points and trials."""
        return [dict(row) for row in self.grid]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {"findings": [f.to_dict() for f in self.findings()], "grid": json_ready(self.rows())}

    def summary(self) -> str:
        """Return the plan in a few lines."""
        least = "none" if self.minimum_detectable is None else formats.number(self.minimum_detectable)
        lines = [
            self.method,
            f"  smallest exponent found with power {formats.percent(self.wanted_power)}: {least}",
            f"  standard error of an exponent of {formats.number(self.alpha)}: "
            f"{formats.number(self.standard_error)}",
            f"  for a standard error of {formats.number(self.target_se)}: "
            f"{needed(self.trials_needed, 'trials a point')}, or {needed(self.points_needed, 'points')}",
        ]
        checked = self.simulated
        if checked is not None:
            power = "–" if checked.power is None else formats.percent(checked.power)
            lines.append(
                f"  {checked.draws} simulated studies: exponent {formats.number(checked.mean)} ± "
                f"{formats.number(checked.standard_deviation)}, power {power}, false alarms "
                f"{formats.percent(checked.size)}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def needed(count: int | None, what: str) -> str:
    """Return a needed number in words.

    Examples
    --------
    >>> needed(25, "points"), needed(None, "points")
    ('25 points', 'no number of points')
    """
    return f"no number of {what}" if count is None else f"{formats.count(count)} {what}"
