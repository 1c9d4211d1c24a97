"""The settings nearest to what is known of the paper, and what to say beside numbers made with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from isoflop.divide.model import Filter, TeamRule
from isoflop.errors import SettingError

if TYPE_CHECKING:
    from isoflop.divide.sample import Sample
    from isoflop.evidence.table import Table

Compat = Literal["none", "paper"]

PAPER = (
    "Settings nearest to what is known of the paper: filtered systems, teams by organisation, unknown "
    "dropped, intervals of least squares. Its own code and definitions are not known to us."
)
_RULE = TeamRule(unknown="drop")


def paper_settings(
    where: str, models: Sample | Table | Any, rule: TeamRule | None, filter: Filter | None
) -> tuple[TeamRule | None, Filter | None]:
    """Return the rule and filter to select with under ``compat="paper"``.

    A sample keeps its own selection, which must be the same up to the treatment of unknown teams.

    Raises
    ------
    SettingError
        A rule or filter of another kind was given beside it.
    """
    from isoflop.divide.sample import Sample

    ready = isinstance(models, Sample)
    of, kept = (models.rule, models.filter) if isinstance(models, Sample) else (rule, filter)
    if of not in (None, _RULE, TeamRule()) or kept not in (None, "notable_not_deployed"):
        raise SettingError(
            f"{where}: compat='paper' and a rule or filter of your own, which disagree. Drop one of them."
        )
    return (rule, filter) if ready else (_RULE, None)
