"""Measure machine-learning progress in one unit, compute, and act on it.

Start with the tables that ship, or with your own; any library's data frame or a path will do:

    >>> import isoflop as iso
    >>> growth = iso.divide.growth(iso.load("notable_systems"))
    >>> growth.provenance[0].kind
    'embedded'

Five instruments and what joins them:

- `scaling`: how much better does more buy, how sure is that, and what to train next?
- `progress`: how fast do algorithms make compute go further?
- `divide`: who has the compute, and what do those without it do?
- `routing`: which model for which task, how sure is that, and what does it cost?
- `portability`: what still runs elsewhere, and how slowly?
- `outlook`: what do the five say together?
- `report`: ``iso.report()`` runs all of them and returns one page with its findings.

`load` reads and checks a table; `evidence` holds tables, schemas and readers; `findings` the one form of an
answer; `errors` what may go wrong. ``help(iso.scaling)`` says what to call first. Every result has
``summary()``, ``frame()`` (a Polars data frame; ``.to_pandas()`` turns it), ``to_dict()``, ``cautions`` and
``provenance``, and shows itself in a notebook. Nothing is imported before it is used.
"""

from __future__ import annotations

from isoflop.lazy import offer

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "divide",
    "errors",
    "evidence",
    "findings",
    "load",
    "outlook",
    "portability",
    "progress",
    "report",
    "routing",
    "scaling",
]

offer(
    __name__,
    {"load": "evidence.load"},
    packages=[name for name in __all__ if name not in ("__version__", "load")],
)
