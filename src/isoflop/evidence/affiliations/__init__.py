"""From affiliation strings and e-mail domains to types of organisations, offline and explained."""

from __future__ import annotations

from isoflop.evidence.affiliations.classifier import (
    Classifier,
    TypedStrings,
    default_classifier,
    resolve_organisations,
    types_of,
)
from isoflop.evidence.affiliations.decision import ORG_TYPES, RULES, Decision, OrgType
from isoflop.evidence.affiliations.overrides import Override, read_overrides
from isoflop.evidence.affiliations.ror import Ror, read_ror
from isoflop.evidence.affiliations.split import split_affiliations

__all__ = [
    "ORG_TYPES",
    "RULES",
    "Classifier",
    "Decision",
    "OrgType",
    "Override",
    "Ror",
    "TypedStrings",
    "default_classifier",
    "read_overrides",
    "read_ror",
    "resolve_organisations",
    "split_affiliations",
    "types_of",
]
