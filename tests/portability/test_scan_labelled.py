"""The scanner against labels that were made by running the files, not by reading them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from isoflop.portability.names import RESOLVED, canonical
from isoflop.portability.scan.calls_of import read_calls
from isoflop.portability.scan.sources import read_sources

LABELLED = Path(__file__).parent / "labelled"
Key = tuple[str, int, int]


@pytest.fixture(scope="module")
def labels() -> dict[Key, str]:
    with (LABELLED / "labels.csv").open(newline="") as file:
        return {
            (row["file"], int(row["line"]), int(row["column"])): row["names"] for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def predicted() -> dict[Key, set[tuple[str, str]]]:
    sources, unread = read_sources([LABELLED])
    assert not unread
    found: dict[Key, set[tuple[str, str]]] = {}
    for one in read_calls(sources):
        for site in one.sites:
            found.setdefault((one.source.path, site.line, site.column), set()).add(
                (site.function, site.confidence)
            )
    return found


def meant(label: str) -> set[str]:
    """Return the canonical names of a label; none for a call of no framework."""
    names = {name for one in label.split("&") for name in one.split("|") if name != "-"}
    return {canonical(name) for name in names if name.partition(".")[0] in RESOLVED}


def counted(sites: set[tuple[str, str]]) -> set[str]:
    return {function for function, confidence in sites if confidence != "possible"}


def test_the_labelled_set_has_the_size_that_was_promised(labels: dict[Key, str]) -> None:
    frameworks = Counter(meant(label).pop().partition(".")[0] for label in labels.values() if meant(label))
    files = {key[0] for key in labels}
    assert len(files) >= 40
    assert sum(frameworks.values()) >= 1500
    assert {"torch", "jax", "tensorflow", "keras"} <= set(frameworks)
    assert sum(label == "?" for label in labels.values()) < 0.05 * len(labels)


def test_nineteen_of_twenty_attributed_calls_are_right_and_four_of_five_calls_are_found(
    labels: dict[Key, str], predicted: dict[Key, set[tuple[str, str]]]
) -> None:
    ran = {key: label for key, label in labels.items() if label != "?"}
    said = {key: counted(sites) for key, sites in predicted.items() if counted(sites) and key in ran}
    right = {key for key, functions in said.items() if functions & meant(ran[key])}
    true = {key for key, label in ran.items() if meant(label)}
    assert len(right) / len(said) >= 0.95
    assert len(right & true) / len(true) >= 0.80


def test_calls_resolved_by_name_alone_are_nearly_never_wrong(
    labels: dict[Key, str], predicted: dict[Key, set[tuple[str, str]]]
) -> None:
    exact = {
        key: {function for function, confidence in sites if confidence == "exact"}
        for key, sites in predicted.items()
        if any(confidence == "exact" for _, confidence in sites) and labels.get(key, "?") != "?"
    }
    wrong = [key for key, functions in exact.items() if not functions & meant(labels[key])]
    assert len(exact) > 500
    assert len(wrong) <= 0.01 * len(exact)


def test_every_attributed_call_stands_where_the_text_has_a_call(
    labels: dict[Key, str], predicted: dict[Key, set[tuple[str, str]]]
) -> None:
    assert set(predicted) <= set(labels)
