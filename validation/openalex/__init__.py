"""OpenAlex-shaped works with a planted truth: what `extract` and `query` are tested and timed on.

Nothing in them is real. The shape, the order of keys, the size of a record and how well it compresses
follow the published snapshot; the traps are those that a reader must survive.
"""

from validation.openalex.recipe import Recipe
from validation.openalex.snapshot import Snapshot, make

__all__ = ["Recipe", "Snapshot", "make"]
