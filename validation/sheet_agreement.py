"""Where the shipped language facts and the public sheet disagree.

Both tables name systems in their own words, so rows are paired inside one paper and benchmark,
each row once: first rows of equal perplexity, then what is left by similar names whose digits do
not contradict each other. A pair disagrees in a column where both give a number and the two
differ by more than `TOLERANCE`, or in date.

``python -m validation.sheet_agreement SHEET`` writes the list to the golden file, keeping the
reasons that are there; an entry without a reason fails the tests.
"""

from __future__ import annotations

import argparse
import datetime as dt
import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoflop.evidence import Table, load

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "sheet_disagreements.json"
TOLERANCE = 0.005
"""Relative: a perplexity printed with three digits may differ by this much from itself."""
ALIKE = 0.6
NUMBERS = ("perplexity", "parameters", "train_tokens", "epochs", "vocabulary_size", "zero_shot")


Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One column in which a shipped row and its row of the sheet differ."""

    system: str
    benchmark: str
    column: str
    ours: Any
    sheet: Any
    sheet_system: str

    @property
    def key(self) -> str:
        """System, benchmark and column."""
        return f"{self.system} | {self.benchmark} | {self.column}"


def disagreements(ours: Table, sheet: Table) -> list[Disagreement]:
    """Return every disagreement, in the order of our rows."""
    groups: dict[tuple[str, str], tuple[list[Row], list[Row]]] = {}
    for side, table in enumerate((ours, sheet)):
        for row in table.frame.drop_nulls("benchmark").iter_rows(named=True):
            groups.setdefault((fold(row["paper"]), row["benchmark"]), ([], []))[side].append(row)
    pairs = [pair for mine, theirs in groups.values() for pair in matched(mine, theirs)]
    pairs.sort(key=lambda pair: pair[0]["record"])
    return [found for row, other in pairs for found in compare(row, other)]


def matched(ours: list[Row], theirs: list[Row]) -> list[tuple[Row, Row]]:
    """Return pairs of one paper and benchmark, each row in at most one pair."""
    left, right, pairs = list(ours), list(theirs), []
    for allowed in (same_perplexity, same_name):
        ranked = sorted(
            (
                (alike(one["system"], two["system"]), i, j)
                for i, one in enumerate(left)
                for j, two in enumerate(right)
                if allowed(one, two)
            ),
            key=lambda rank: (-rank[0], rank[1], rank[2]),
        )
        used: tuple[set[int], set[int]] = (set(), set())
        for _, i, j in ranked:
            if i not in used[0] and j not in used[1]:
                pairs.append((left[i], right[j]))
                used[0].add(i)
                used[1].add(j)
        left = [row for i, row in enumerate(left) if i not in used[0]]
        right = [row for j, row in enumerate(right) if j not in used[1]]
    return pairs


def same_perplexity(one: Row, two: Row) -> bool:
    """Say whether both rows print the same perplexity, under names that do not contradict."""
    return not differ(one["perplexity"], two["perplexity"]) and digits_agree(one, two)


def same_name(one: Row, two: Row) -> bool:
    """Say whether two names mean one system: similar, no contradicting digits, both tuned or neither."""
    tuned = [any(word in fold(row["system"]) for word in ("finetune", "finetuned")) for row in (one, two)]
    return alike(one["system"], two["system"]) >= ALIKE and tuned[0] == tuned[1] and digits_agree(one, two)


def digits_agree(one: Row, two: Row) -> bool:
    """Say whether the digits in one name all occur in the other."""
    first, second = (set(re.findall(r"\d+", row["system"])) for row in (one, two))
    return first <= second or second <= first


def compare(row: Row, other: Row) -> list[Disagreement]:
    """Return the columns in which two rows differ."""
    columns = [c for c in NUMBERS if differ(row[c], other[c])]
    if None not in (row["publication_date"], other["publication_date"]):
        columns += ["publication_date"] * (row["publication_date"] != other["publication_date"])
    return [
        Disagreement(
            system=row["system"],
            benchmark=row["benchmark"],
            column=column,
            ours=row[column],
            sheet=other[column],
            sheet_system=other["system"],
        )
        for column in columns
    ]


def differ(one: float | None, other: float | None) -> bool:
    """Say whether two given numbers are further apart than rounding explains."""
    if one is None or other is None:
        return False
    return abs(one - other) > TOLERANCE * max(abs(one), abs(other))


def alike(one: str, other: str) -> float:
    """Return how similar two names are, 0 to 1."""
    return difflib.SequenceMatcher(None, fold(one), fold(other)).ratio()


def fold(text: str) -> str:
    """Return letters and digits only, in lower case."""
    return "".join(ch for ch in text.lower() if ch.isalnum())


def main(arguments: list[str] | None = None) -> int:
    """Write the golden list."""
    parser = argparse.ArgumentParser(description="List where shipped facts and the public sheet differ.")
    parser.add_argument("sheet", type=Path, help="the public sheet, lm_evaluations.csv")
    sheet = load(parser.parse_args(arguments).sheet, importer="lm_evaluations")
    old = json.loads(GOLDEN.read_text(encoding="utf-8"))["entries"] if GOLDEN.is_file() else {}
    entries = {
        found.key: {
            "ours": str(found.ours),
            "sheet": str(found.sheet),
            "reason": old.get(found.key, {}).get("reason", ""),
        }
        for found in disagreements(load("language_evaluations"), sheet)
    }
    head = {
        "tool": "python -m validation.sheet_agreement SHEET",
        "sheet": sheet.source,
        "date": dt.date.today().isoformat(),
    }
    GOLDEN.write_text(json.dumps({**head, "entries": entries}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
