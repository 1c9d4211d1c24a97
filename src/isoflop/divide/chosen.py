"""What the verbs accept: a sample already chosen, or a table to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.divide.model import Filter, TeamRule
from isoflop.divide.sample import Sample, select
from isoflop.errors import EvidenceError, SettingError

if TYPE_CHECKING:
    from isoflop.evidence.table import Table


def chosen(
    models: Sample | Table | Any,
    *,
    rule: TeamRule | None,
    filter: Filter | None,
    default: Filter = "notable_not_deployed",
    compute: bool = True,
) -> Sample:
    """Return the sample a verb works on.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        A sample stands as it is; from anything else rows are selected.
    rule, filter : optional
        Settings of the selection; refused beside a sample, which has its own.
    default : {"notable_not_deployed", "none"}
        The filter where none is named.
    compute : bool
        Whether the rows selected need known compute.

    Raises
    ------
    SettingError
        A sample and a setting of the selection were given together.
    """
    if not isinstance(models, Sample):
        return select(models, rule=rule, filter=filter or default, compute=compute)
    if rule is not None or filter is not None:
        raise SettingError(
            "models: a sample and a rule or filter, which it already has. Pass the table, or drop them."
        )
    return models


def known_teams(sample: Sample) -> Sample:
    """Return the rows of known team.

    Raises
    ------
    EvidenceError
        There is none.
    """
    known = sample.known
    if not known.any():
        raise EvidenceError(
            f"{sample.table.name}: none of {sample.n} rows has a known team, needs some. Give team_label or "
            "org_types, or decide by name (--resolve-names)."
        )
    return sample.of(known)
