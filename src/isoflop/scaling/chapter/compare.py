"""Which law predicts rows it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.compare.result import FEW_UNITS, LAST_VALUE
from isoflop.scaling.figures import compare as pictures

if TYPE_CHECKING:
    from isoflop.scaling.compare.result import Comparison

SCORE_COLUMNS = (
    Column(name="law", label="law"),
    Column(name="parameters", label="parameters", format="count"),
    Column(name="rmsle", label="RMSLE", format="number"),
    Column(name="mean_abs_log_error", label="mean |ln error|", format="number"),
    Column(name="to_last_value", label="less last value", format="number"),
    Column(name="to_last_value_low", label="from", format="number"),
    Column(name="to_last_value_high", label="to", format="number"),
    Column(name="coverage", label="in 80 % band", format="percent"),
    Column(name="aicc", label="AICc", format="number"),
    Column(name="bic", label="BIC", format="number"),
)


def compare_section(found: Comparison, *, key: str = "compare", where: str = "") -> Section:
    """Return the section on prediction: every law beside the last value, and unit by unit.

    Parameters
    ----------
    key : str
        Prefix of ids, where a chapter compares on several tables.
    where : str
        Added to the title: which runs or curves.
    """
    best, last = found.best, found.scores[0]
    scores = found.value(best, found.score), found.value(last, found.score)
    if best.law == LAST_VALUE:
        verdict = "No law predicts unseen rows better than the last value seen"
    else:
        verdict = (
            f"{best.law} predicts unseen rows best: error {scores[0]:.3g} of ln y, last value {scores[1]:.3g}"
        )
    few = found.clusters < FEW_UNITS
    interval = (
        f"None: {found.clusters} {found.cluster_name} are too few to resample"
        if few
        else f"Paired bootstrap over {found.cluster_name}, {formats.percent(found.level)}"
    )
    prose = [
        f"{len(found.scores) - 1} laws, {found.cv.text}: {len(found.unit)} predictions in {len(found.units)} "
        f"{'case' if len(found.units) == 1 else 'cases'}. A law that does not beat the last value has "
        "learned nothing that reaches beyond its rows.",
        f"{{figure:{key}-differences}}",
    ]
    if found.likelihood is not None:
        prose.append(
            f"AICc and BIC are those of the fits to all rows under a {found.likelihood.capitalize()} "
            "likelihood of ln y"
            + ("; the fit's own loss is close to it." if found.likelihood == "laplace" else ".")
            + " They judge the fit to rows at hand, not the reach beyond them."
        )
    return Section(
        id=key,
        title=f"Which law predicts best{where}",
        prose=tuple(prose),
        figures=(
            Figure(
                id=f"{key}-differences",
                title=verdict,
                subtitle="Error of each law on rows it was not fitted to, less that of the last value",
                frame=pictures.differences_data(found),
                chart=lambda: pictures.differences(found),
                alt=f"A dot for each of {len(found.scores)} laws, best first; {verdict}.",
                source=found.name,
                n=len(found.unit),
                interval=interval,
            ),
            Figure(
                id=f"{key}-units",
                title="The same, one by one: laws differ less than the cases they are tried on"
                if _spread_within(found)
                else "The same, one by one",
                subtitle="Error of ln y in each curve, group or cut (dots) and its mean (bar)",
                frame=pictures.units_data(found),
                chart=lambda: pictures.units(found),
                alt="Grey dots for single cases and a bar for their mean, one row a law.",
                source=found.name,
                n=len(found.unit),
                interval="Single cases; no interval",
            ),
        ),
        tables=(
            Table(
                id=f"{key}-scores",
                title="Scores on unseen rows",
                columns=SCORE_COLUMNS,
                rows=tuple(found.frame().to_dicts()),
                note="RMSLE: root mean squared error of ln y in each case, averaged over cases. The band "
                "carries the residuals of fitted rows to unseen ones: far less than 80 % inside means that "
                "a law is surer than it may be.",
            ),
        ),
        cautions=found.cautions,
    )


def _spread_within(found: Comparison) -> bool:
    """Whether the best law's scores vary more between cases than the mean scores of the laws do."""
    done = [s for s in found.scores if s.complete]
    means = [found.value(s, found.score) for s in done]
    return bool(found.by_unit(found.best, found.score).std() > max(means) - min(means))
