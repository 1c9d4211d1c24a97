"""The 245 points read from figure 4 of Hoffmann et al. (2022), as the replication published them.

Nothing is missing or repeated, so nothing is dropped. Leaving out the highest losses is a choice of
the analysis (`scaling.select`), not cleaning. Tokens are FLOP/(6·parameters) and said to be.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, renamed

if TYPE_CHECKING:
    import polars as pl

_NAMES = {"params": "Model Size", "train_flop": "Training FLOP", "loss_nats": "loss"}


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    frame = renamed(raw, _NAMES).with_columns(
        run_id=pl.format("point {}", pl.int_range(1, pl.len() + 1)),
        source=pl.lit("Hoffmann et al. (2022), figure 4, as read by Besiroglu et al. (2024)"),
        family=pl.lit("chinchilla"),
        dataset=pl.lit("MassiveText"),
        is_final=pl.lit(True),
    )
    return Imported(
        frame=frame,
        rows_read=raw.height,
        cautions=(
            "points were read off a published figure: sizes, FLOP and losses carry reading error. The "
            "original runs, which are not public, would cure it.",
        ),
    )


CHINCHILLA_POINTS = Importer(
    name="chinchilla_points",
    schema="scaling_runs",
    signature=frozenset(_NAMES.values()),
    convert=_convert,
    doc="Points of the Chinchilla figure (Besiroglu et al. 2024): parameters, FLOP and loss of 245 runs.",
)
