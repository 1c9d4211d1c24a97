"""List prices of models from the genai-prices package: its bundled snapshot, never its online updater."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from isoflop.errors import EvidenceError, MissingExtraError
from isoflop.evidence.prompt_scores.schemas import MODEL_CATALOGUE
from isoflop.evidence.table import Step, Table, fingerprint_of
from isoflop.evidence.validate import canonical

PER = 1000
"""Tokens that are priced: a short call, so that a price by length of the prompt is its lowest step."""


def import_prices(models: Sequence[str], *, on: dt.date | None = None) -> Table:
    """Return list prices of some models, as of one day.

    Parameters
    ----------
    models : sequence of str
        Names as their makers or hosts write them, e.g. ``gpt-4o`` or ``openai/gpt-4o``; a part before the
        first ``/`` that names a host is taken as such.
    on : datetime.date, optional
        Day whose prices apply; default today.

    Returns
    -------
    Table
        Of schema ``model_catalogue``; models without a price are listed in its steps, not guessed.

    Raises
    ------
    MissingExtraError
        The package is not installed.
    EvidenceError
        No model has a price.

    Notes
    -----
    Prices are those of a call of a thousand tokens: cached, batch and long-context rates are left out.
    """
    import polars as pl

    try:
        import genai_prices
    except ImportError as error:
        raise MissingExtraError(
            "import_prices: needs the package genai-prices. Install it: pip install 'isoflop[prices]'"
        ) from error
    from importlib.metadata import version

    release = version("genai-prices")
    day = on or dt.date.today()
    priced = {name: _price(genai_prices, name, day) for name in dict.fromkeys(models)}
    unknown = [name for name, row in priced.items() if row is None]
    rows = [{"model": name} | row for name, row in priced.items() if row is not None]
    if not rows:
        raise EvidenceError(
            f"import_prices: none of {len(priced)} models has a price in genai-prices {release}, e.g. "
            f"{next(iter(priced), 'none')!r}. Name them as their makers do, or enter prices by hand."
        )
    raw = pl.DataFrame(rows).with_columns(
        as_of_date=pl.lit(day.isoformat()),
        source=pl.lit(f"genai-prices {release}"),
        verified=pl.lit("secondary"),
    )
    frame, doubts = canonical(raw, MODEL_CATALOGUE, "genai-prices")
    missing = Step(
        rule="the model has a price",
        unit="records",
        kept=len(rows),
        dropped=len(unknown),
        rows=tuple(unknown),
    )
    return Table(
        name="genai_prices",
        schema=MODEL_CATALOGUE.name,
        frame=frame,
        source=f"genai-prices {release}, prices of {day.isoformat()}",
        kind="published",
        fingerprint=fingerprint_of(MODEL_CATALOGUE.name, frame),
        rows_read=len(priced),
        steps=(missing,) if unknown else (),
        cautions=doubts,
        importer=f"genai-prices {release}, bundled snapshot",
    )


def _price(package: Any, name: str, day: dt.date) -> dict[str, float | None] | None:
    """Return the prices of one model, or None where the snapshot has none."""
    host, _, rest = name.partition("/")
    moment = dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)
    for provider, model in ((host, rest), (None, name)):
        if not model:
            continue
        try:
            found = [
                package.calc_price(
                    package.Usage(**{f"{side}_tokens": PER}),
                    model_ref=model,
                    provider_id=provider,
                    genai_request_timestamp=moment,
                )
                for side in ("input", "output")
            ]
        except LookupError:
            continue
        given, written = (float(one.total_price) * 1e6 / PER for one in found)
        window = found[0].model.context_window
        return {
            "input_usd_per_mtok": given,
            "output_usd_per_mtok": written,
            "context_tokens": float(window) if window else None,
        }
    return None
