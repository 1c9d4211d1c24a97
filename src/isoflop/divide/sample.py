"""Which systems a number rests on: chosen rows of ``models``, with everything left out listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.model import FILTERS, NOTABLE, SINCE, Filter, Team, TeamRule
from isoflop.divide.teams import Typed, UnknownLabels, coding_of, read_labels, team_of
from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.models import listed
from isoflop.evidence.table import Step
from isoflop.present.formats import percent
from isoflop.units import calendar_year

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table
    from isoflop.findings import Provenance

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MANY_UNKNOWN = 0.05
"""Above this share of rows without a team a caution is given."""
CROWDED = 0.15
"""Above this share of rows from one organisation a caution is given."""
NOTABILITY_SAMPLE = (
    "The table is a sample of notable systems, not a random one: a share speaks of what its makers noted."
)
FINAL_RUN = "Compute is that of the final training run; research, failed runs and inference are not in it."
AFFILIATION = "Affiliation is not who paid; attribution by sponsor answers that where a table has it."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Rows of one table with a date (and, by default, compute), and the team of each.

    Rows of unknown team are kept and marked, so that bounds can be given; `known` selects the others.

    Parameters
    ----------
    table : Table
        Evidence of schema ``models``.
    frame : polars.DataFrame
        The rows kept, with columns ``team`` and ``team_reason`` added; sorted as in the table.
    rule : TeamRule
    filter : {"notable_not_deployed", "none"}
    steps : tuple of Step
        Rules applied here, after those of the table.
    cautions : tuple of str
    """

    table: Table
    frame: pl.DataFrame
    rule: TeamRule
    filter: Filter
    steps: tuple[Step, ...]
    cautions: tuple[str, ...] = field(default=())

    @property
    def n(self) -> int:
        """Number of rows, unknown teams included."""
        return int(self.frame.height)

    @property
    def t(self) -> FloatArray:
        """Time in fractional years, shape (n,)."""
        return self.frame["year"].to_numpy().astype(float)

    @property
    def year(self) -> IntArray:
        """Calendar year, shape (n,)."""
        return self.frame["date"].dt.year().to_numpy().astype(np.int64)

    @property
    def log10_flop(self) -> FloatArray:
        """log10 of training compute in FLOP, shape (n,); NaN where compute is not known."""
        return self.frame["log10_flop"].fill_null(float("nan")).to_numpy().astype(float)

    @property
    def team(self) -> NDArray[np.str_]:
        """Team of each row, shape (n,)."""
        return np.asarray(self.frame["team"].to_list(), dtype=str)

    @property
    def known(self) -> BoolArray:
        """Rows whose team is known, shape (n,)."""
        return np.asarray(self.team != "unknown", dtype=bool)

    @property
    def clusters(self) -> IntArray:
        """Code of each row's organisation text, shape (n,).

        A joint team is a cluster of its own; a row without organisation is one by itself.
        """
        names = self.frame["organisations"].to_list()
        codes: dict[str, int] = {}
        keys = [name if name else f"\0{place}" for place, name in enumerate(names)]
        return np.array([codes.setdefault(key, len(codes)) for key in keys], dtype=np.int64)

    def of(self, keep: BoolArray | Sequence[bool]) -> Sample:
        """Return the rows where `keep`, shape (n,), is true; steps and cautions stay."""
        import polars as pl

        mask = pl.Series(np.asarray(keep, dtype=bool))
        return Sample(
            table=self.table,
            frame=self.frame.filter(mask),
            rule=self.rule,
            filter=self.filter,
            steps=self.steps,
            cautions=self.cautions,
        )

    def of_team(self, *teams: Team) -> Sample:
        """Return the rows of some teams."""
        return self.of(np.isin(self.team, teams))

    def provenance(self, rows_used: int | None = None) -> tuple[Provenance, ...]:
        """Return the evidence behind a number that rests on `rows_used` rows (default: those known)."""
        return (self.table.provenance(int(self.known.sum()) if rows_used is None else rows_used),)

    def waterfall(self) -> list[dict[str, Any]]:
        """Return each rule with what it kept and dropped, the table's own rules first."""
        return [
            {"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped}
            for s in (*self.table.steps, *self.steps)
        ]

    @property
    def text(self) -> str:
        """The choice of rows in words."""
        chosen = "notable systems (not for deployment)" if self.filter != "none" else "all systems"
        return f"{chosen}, {self.rule.text}"


def select(
    models: Table | Any,
    *,
    rule: TeamRule | None = None,
    filter: Filter = "notable_not_deployed",
    since: dt.date | None = SINCE,
    until: dt.date | None = None,
    compute: bool = True,
    drop_wrong: bool = False,
    unknown_labels: UnknownLabels = "refuse",
) -> Sample:
    """Choose the systems that a number rests on.

    Parameters
    ----------
    models : Table, path or data frame
        Evidence of schema ``models``.
    rule : TeamRule, optional
        How organisations become a team.
    filter : {"notable_not_deployed", "none"}
        Keep systems noted as state of the art, highly cited or historical; or all.
    since, until : date, optional
        First and last day, both included.
    compute : bool
        Keep only rows with known compute.
    drop_wrong : bool
        Drop rows whose compute the table's makers marked as wrong.
    unknown_labels : {"refuse", "other"}
        What to do with a team label of neither coding.

    Returns
    -------
    Sample

    Raises
    ------
    EvidenceError
        No row is left, a team label is in neither coding, or two codings are mixed.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> sample = select(load("notable_systems"), filter="none")
    >>> sample.text
    'all systems, teams by organisation'
    """
    import polars as pl

    table = _table(models)
    rule = rule or TeamRule()
    if filter not in FILTERS:
        near = closest(filter, FILTERS)
        hint = f"Did you mean {near!r}?" if near else "Choose one."
        raise SettingError(f"select: filter={filter!r}, must be one of {', '.join(FILTERS)}. {hint}")
    frame, doubts = _with_teams(table, rule, unknown_labels)
    steps: list[Step] = []

    def keep(condition: pl.Expr, text: str) -> None:
        nonlocal frame
        kept = condition.fill_null(False)
        gone = frame.filter(~kept)
        frame = frame.filter(kept)
        rows = tuple(f"row {row} ({name})" for row, name in gone.select("record", "model").iter_rows())
        steps.append(Step(rule=text, unit="rows", kept=frame.height, dropped=gone.height, rows=rows))

    keep(pl.col("year").is_not_null(), "date is known")
    if compute:
        keep(pl.col("train_flop").is_not_null(), "training compute is known")
    if since is not None:
        keep(pl.col("year") >= calendar_year(since), f"since {since}")
    if until is not None:
        keep(pl.col("year") <= calendar_year(until), f"until {until}")
    if drop_wrong:
        keep(pl.col("confidence").ne_missing("Wrong"), "compute is not marked as wrong")
    if filter != "none":
        noted = pl.col("notability").fill_null("")
        keep(
            pl.any_horizontal(noted.str.contains(word, literal=True) for word in NOTABLE),
            "notable, and not for deployment or cost alone",
        )
    if frame.height == 0:
        raise EvidenceError(
            f"{table.name}: no row is left after '{next(s.rule for s in steps if not s.kept)}', needs at "
            "least one. Loosen the filter, the dates or the need for compute."
        )
    sample = Sample(table=table, frame=frame, rule=rule, filter=filter, steps=tuple(steps))
    return Sample(
        table=table,
        frame=frame,
        rule=rule,
        filter=filter,
        steps=tuple(steps),
        cautions=(*table.cautions, *doubts, *_cautions(sample)),
    )


def _table(models: Table | Any) -> Table:
    from isoflop.evidence import load
    from isoflop.evidence.table import Table as EvidenceTable

    table = models if isinstance(models, EvidenceTable) else load(models, schema="models")
    if table.schema != "models":
        raise EvidenceError(
            f"{table.name}: a table of {table.schema}, needs models (one row a trained system). Name another."
        )
    return table


def _with_teams(
    table: Table, rule: TeamRule, unknown_labels: UnknownLabels
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the rows with their team and the reason, and what limits the coding."""
    import polars as pl

    frame, doubts = table.frame, []
    if rule.attribution == "sponsor":
        if frame["sponsor_type"].null_count() == frame.height:
            raise EvidenceError(
                f"{table.name}: no row says who paid (column 'sponsor_type'), needs it for attribution by "
                "sponsor. Use attribution by organisation."
            )
        typed = read_labels(frame["sponsor_type"].to_list(), table.name, unknown_labels)
    else:
        labels = [types or label for types, label in frame.select("org_types", "team_label").iter_rows()]
        typed = read_labels(labels, table.name, unknown_labels)
        coding = coding_of(labels)
        if coding == "none" and not rule.resolve_names:
            doubts.append(
                "No row says what kind of organisation made it. Give team_label or org_types, or decide by "
                "name (--resolve-names)."
            )
        if rule.resolve_names:
            typed, decided, missing = _resolved(frame, typed)
            doubts.append(
                f"{decided} of {missing} rows without a label were decided by the names of organisations. "
                "Labels of your own cure errors of names."
            )
    teams = [team_of(one, rule) for one in typed]
    reasons = [one.reason for one in typed]
    if rule.unknown in ("academia", "industry"):
        assumed = sum(team == "unknown" for team in teams)
        teams = [rule.unknown if team == "unknown" else team for team in teams]
        if assumed:
            doubts.append(
                f"{assumed} rows of unknown team are counted as {rule.unknown}. Code them to cure it."
            )
    return frame.with_columns(
        pl.Series("team", teams, dtype=pl.String), pl.Series("team_reason", reasons, dtype=pl.String)
    ), tuple(doubts)


def _resolved(frame: pl.DataFrame, typed: list[Typed]) -> tuple[list[Typed], int, int]:
    """Return the types with missing ones decided by name, how many were decided, and of how many."""
    from isoflop.evidence.affiliations import resolve_organisations

    blank = [place for place, one in enumerate(typed) if not one.types]
    names = frame["organisations"].to_list()
    wanted = sorted({name for place in blank for name in listed(names[place])})
    types = dict(zip(wanted, resolve_organisations(wanted), strict=True))
    decided, out = 0, list(typed)
    for place in blank:
        found = [(name, types[name]) for name in listed(names[place])]
        kinds = frozenset(kind for _, one in found for kind in one.types)
        if kinds:
            decided += 1
            said = ", ".join(f"{name} is {one.type} by {one.rule}" for name, one in found)
            out[place] = Typed(types=kinds, reason=said)
    return out, decided, len(blank)


def _cautions(sample: Sample) -> tuple[str, ...]:
    """Return the doubts that every number on the sample carries."""
    said = [NOTABILITY_SAMPLE, FINAL_RUN]
    if sample.rule.attribution == "organisation":
        said.append(AFFILIATION)
    blank = int((~sample.known).sum())
    if blank > MANY_UNKNOWN * sample.n:
        said.append(
            f"{blank} of {sample.n} rows ({percent(blank / sample.n)}) have no known team. See the bounds, "
            "or code them."
        )
    counts = sample.frame["organisations"].drop_nulls().value_counts(sort=True)
    if counts.height and counts["count"][0] > CROWDED * sample.n:
        said.append(
            f"{counts['organisations'][0]} made {counts['count'][0]} of {sample.n} systems: intervals by "
            "organisation tell what that does."
        )
    return tuple(said)
