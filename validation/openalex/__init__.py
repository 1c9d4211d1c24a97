"""Made-up works in OpenAlex's form, with teams that are known because they were planted.

A snapshot made here has the fields, sizes and oddities of the real one: half of the bytes in abstracts
and topics, two in five works without an institution, missing values in every optional field, works
that moved between partitions, ids merged away, keys in another order, records of many megabytes. What
each work is was drawn first and the record written from it, so that counts of an extraction can be
compared with a truth that no parser has touched.
"""

from __future__ import annotations

from validation.openalex.settings import Settings
from validation.openalex.snapshot import Snapshot, make

__all__ = ["Settings", "Snapshot", "make"]
