"""Published aggregates as they stand: the paper's means, medians and factors, reproduced from its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.studies.comparators import LEVEL, VERSION
from isoflop.scaling.studies.sartor2024 import BIAS_CAUTION, halving_factor

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

METHOD = "sartor2024: published mean and median of exponents; factor 2^(1/|median|)"
RESOURCES = ("data", "model_size", "compute")
_WORDS = {"data": "data", "model_size": "model size", "compute": "compute"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SummaryPool:
    """Published aggregates with the factors that follow from their medians.

    Parameters
    ----------
    table : Table
        Schema ``study_summaries``.
    means : dict of resource to Estimate
    medians : dict of resource to float
    printed : dict of resource to float
        Factors as printed.
    counts : dict of resource to (studies, papers)
    """

    table: Table
    means: dict[str, Estimate]
    medians: dict[str, float]
    printed: dict[str, float]
    counts: dict[str, tuple[int | None, int | None]]

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the figures."""
        return (BIAS_CAUTION, f"figures of {VERSION}; earlier versions differ.", *self.table.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the figures."""
        return (self.table.provenance(len(self.means) + len(self.medians)),)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a resource."""
        out = []
        for resource in self.medians:
            mean = self.means.get(resource)
            studies, papers = self.counts.get(resource, (None, None))
            out.append(
                {
                    "resource": resource,
                    "n_studies": studies,
                    "n_papers": papers,
                    "mean": mean.value if mean else None,
                    "low": mean.low if mean else None,
                    "high": mean.high if mean else None,
                    "median": self.medians[resource],
                    "halving_factor": halving_factor(self.medians[resource]),
                    "halving_factor_printed": self.printed.get(resource),
                }
            )
        return out

    def frame(self) -> pl.DataFrame:
        """Return one row a resource."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the rows, JSON-ready."""
        return {
            "method": METHOD,
            "resources": [json_ready(row) for row in self.rows()],
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of a few lines."""
        return "\n".join(
            f"{_WORDS.get(row['resource'], row['resource'])}: median {formats.number(row['median'])}, "
            f"{formats.multiple(row['halving_factor'])} to halve the reducible error"
            for row in self.rows()
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return mean exponents and halving factors under the ids of `Pooled`."""
        found = []
        for row in self.rows():
            resource = row["resource"]
            word = _WORDS.get(resource, resource)
            mean = self.means.get(resource)
            details = {"version": VERSION, "n_papers": row["n_papers"], "median": row["median"]}
            if mean is not None:
                found.append(
                    self._finding(
                        f"scaling.exponent_{resource}_robotics",
                        f"exponent of error in {word}, robotics, as published",
                        mean,
                        row["n_studies"],
                        details,
                    )
                )
            found.append(
                self._finding(
                    f"scaling.halving_factor_{resource}_robotics",
                    f"multiple of {word} that halves the reducible error, from the published median",
                    Estimate(value=row["halving_factor"], unit="×"),
                    row["n_studies"],
                    details | {"from": "median", "published": row["halving_factor_printed"]},
                )
            )
        return tuple(found)

    def _finding(
        self, id_: str, label: str, estimate: Estimate, n: int | None, details: dict[str, Any]
    ) -> Finding:
        return Finding(
            id=id_,
            instrument="scaling",
            label=label,
            estimate=estimate,
            method=METHOD,
            n=n,
            evidence=self.provenance,
            cautions=self.cautions,
            details=details,
        )

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def pool_summary(table: Table) -> SummaryPool:
    """Return the published means and the factors that follow from the published medians.

    Parameters
    ----------
    table : Table
        Schema ``study_summaries``: statistics ``mean_exponent``, ``median_exponent`` and
        ``resource_factor_to_halve_error`` of group ``all``.

    Raises
    ------
    EvidenceError
        Another schema, or no median of all studies.
    """
    import polars as pl

    if table.schema != "study_summaries":
        raise EvidenceError(
            f"pool: table '{table.name}' has schema {table.schema}, needs study_summaries. "
            "Use `pool` for points."
        )
    rows = table.frame.filter((pl.col("group") == "all") & pl.col("resource").is_in(RESOURCES)).to_dicts()
    by: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by.setdefault(row["statistic"], {})[row["resource"]] = row
    medians = {r: row["value"] for r, row in by.get("median_exponent", {}).items()}
    if not medians:
        raise EvidenceError(
            f"pool: '{table.name}' holds no median_exponent of group 'all', needs one for a "
            "factor. Add the row."
        )
    means = {
        r: Estimate(
            value=row["value"],
            low=row["low"],
            high=row["high"],
            level=None if row["low"] is None else LEVEL,
            unit="1",
        )
        for r, row in by.get("mean_exponent", {}).items()
    }
    counts = {
        r: (_whole(row["n_studies"]), _whole(row["n_papers"])) for r, row in by["median_exponent"].items()
    }
    printed = {r: row["value"] for r, row in by.get("resource_factor_to_halve_error", {}).items()}
    return SummaryPool(table=table, means=means, medians=medians, printed=printed, counts=counts)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
