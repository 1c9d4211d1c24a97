"""`Run`: measured results with what is needed to judge them; what every verb on own measurements takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isoflop.findings import Provenance, json_ready
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """Results of one run, or of several merged ones.

    Parameters
    ----------
    table : Table
        Schema ``portability_results``: one row a task, target and process repeat.
    about : mapping
        Run id to what was run: settings, command, versions, date; empty where a bare table was read.
    certificate : mapping
        Run id to the certificate of the run.
    """

    table: Table
    about: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    certificate: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def frame(self) -> pl.DataFrame:
        """Return the rows in the columns of schema ``portability_results``."""
        return self.table.frame

    def outcomes(self) -> pl.DataFrame:
        """Return what shares are counted over: one row a task, target and repeat.

        Columns: framework, target, target_level, function, task, dtype, status, reason.
        """
        import polars as pl

        return self.table.frame.select(
            "framework", "target", "target_level", "function", pl.col("task_id").alias("task"), "dtype",
            "status", "reason",
        )  # fmt: skip

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the run; a certificate that was refused is one."""
        refused = (
            f"run {name} is not certified: {'; '.join(known['doubts'])}. Run it again on a quiet computer, "
            "with its controls."
            for name, known in self.certificate.items()
            if known.get("doubts")
        )
        return (*self.table.cautions, *refused)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind it."""
        return (self.table.provenance(self.table.frame.height),)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {
            "rows": json_ready(self.table.frame.to_dicts()),
            "about": json_ready(self.about),
            "certificate": json_ready(self.certificate),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        counts = self.table.frame.group_by("target", "status").len().sort("target", "status")
        lines = [f"{target}: {status} {n}" for target, status, n in counts.iter_rows()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
