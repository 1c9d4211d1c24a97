"""The chapter: complete, consistent, every number from a result, on little and on all the evidence."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from isoflop.errors import EvidenceError
from isoflop.evidence import Library, Table, load, locate
from isoflop.findings import Document
from isoflop.present.chapter import Chapter
from isoflop.present.image import specification
from isoflop.scaling import chapter as module
from isoflop.scaling.breaks.null import Null
from isoflop.scaling.chapter import chapter
from isoflop.scaling.simulate import planted_runs

from .made_runs import good_points

pytestmark = [pytest.mark.slow, pytest.mark.ci]

HEADLINES = [
    "scaling.frontier_exponent_a",
    "scaling.optimal_tokens_per_param",
    "scaling.exponent_data_robotics",
    "scaling.halving_factor_data_robotics",
]
CLAIMS = [
    "scaling.laws_apply",
    "scaling.rfm_like_llm",
    "scaling.like_vision_above_language",
    "scaling.familiar_scales_better",
    "scaling.diminishing_returns",
    "scaling.emergence",
]


@dataclass(frozen=True)
class Shelf:
    """A library of given tables."""

    tables: dict[str, Table]

    def available(self) -> tuple[str, ...]:
        return tuple(self.tables)

    def table(self, name: str) -> Table:
        if name not in self.tables:
            raise EvidenceError(f"load: no table {name} on this shelf, needs it. Add it.")
        return self.tables[name]


def shelf(*, runs: bool = True) -> Shelf:
    points = load(pl.DataFrame(good_points()), schema="study_points", name="study_points")
    held = {"study_points": points, "published_exponents": load("published_exponents")}
    return Shelf({**held, "chinchilla_points": planted_runs(noise=0.004, seed=4)} if runs else held)


def few_draws(patch: pytest.MonkeyPatch) -> None:
    """Take few draws everywhere: what the chapter says is tested, not how sure it is."""
    patch.setattr(module, "QUICK_DRAWS", 40)
    for name in ("emergence", "returns"):
        patch.setattr(module, name, partial(getattr(module, name), null=Null(reps=99)))


def made(library: Library | Shelf) -> tuple[Chapter, list[tuple[str, float]]]:
    told: list[tuple[str, float]] = []
    with pytest.MonkeyPatch.context() as patch:
        few_draws(patch)
        built = chapter(
            library, quick=True, seed=0, progress=lambda label, share: told.append((label, share))
        )
    return built, told


@pytest.fixture(scope="module")
def small() -> tuple[Chapter, list[tuple[str, float]]]:
    """Return the chapter on planted runs and made-up studies."""
    return made(shelf())


@pytest.fixture(scope="module")
def embedded() -> tuple[Chapter, list[tuple[str, float]]]:
    """Return the chapter on the evidence that ships."""
    return made(locate("embedded"))


@pytest.fixture(params=["small", pytest.param("embedded", marks=pytest.mark.slow)])
def built(request: pytest.FixtureRequest) -> Chapter:
    """Return each chapter in turn."""
    chapter_, _ = request.getfixturevalue(request.param)
    return chapter_


def words(built: Chapter) -> str:
    shown = [built.question, built.answer, *built.methods]
    for section in built.sections:
        shown += [section.title, *section.prose, *section.cautions]
        for figure in section.figures:
            shown += [figure.title, figure.subtitle, figure.alt, figure.source, figure.interval]
        for table in section.tables:
            shown += [table.title, table.note, *(c.show(row) for row in table.rows for c in table.columns)]
    return "\n".join(shown)


def test_findings_of_the_contract_come_first_and_each_id_once(built: Chapter) -> None:
    ids = [f.id for f in built.findings]
    assert ids[:4] == HEADLINES
    assert len(ids) == len(set(ids))


def test_headlines_carry_the_details_that_others_rely_on(built: Chapter) -> None:
    found = {f.id: f for f in built.findings}
    exponent = found[HEADLINES[0]].to_dict()
    assert {"objective", "parameters", "law", "draws"} <= set(exponent["details"])
    assert all(set(p) >= {"value", "se"} for p in exponent["details"]["parameters"].values())
    assert exponent["details"]["draws"]
    assert "at_flop" in found[HEADLINES[1]].details
    robotics = found[HEADLINES[2]]
    assert {"own_study", "published"} <= set(robotics.details)
    assert robotics.details["published"]["mean"] == -0.276
    assert found[HEADLINES[3]].estimate.unit == "×"


def test_the_six_claims_are_judged_and_name_their_findings(built: Chapter) -> None:
    assert [c.id for c in built.claims] == CLAIMS
    known = {f.id for f in built.findings}
    for claim in built.claims:
        assert claim.verdict != "needs_evidence"
        assert set(claim.finding_ids) <= known
        assert claim.published is not None


def test_the_answer_carries_the_numbers_of_the_findings(built: Chapter) -> None:
    found = {f.id: f for f in built.findings}
    a, data = (found[name].estimate.value for name in (HEADLINES[0], HEADLINES[2]))
    assert a is not None
    assert data is not None
    assert f"{a:.2f}" in built.answer
    assert f"{abs(data):.2f}" in built.answer
    assert f"{found[HEADLINES[0]].n} training runs" in built.answer


def test_nothing_is_missing_or_infinite_in_words(built: Chapter) -> None:
    text = words(built)
    assert not re.search(r"\b(nan|inf|None)\b(?! drawn)", text)
    assert "{" not in re.sub(r"\{(figure|table):[a-z0-9-]+\}", "", text)
    assert '"\n' not in text
    assert "  " not in "".join(line for section in built.sections for line in section.prose)


def test_the_document_is_valid_json_with_the_tables_of_the_report(built: Chapter) -> None:
    text = Document(findings=built.findings, claims=built.claims, tables=built.tables).to_json()
    tables = json.loads(text, parse_constant=pytest.fail)["tables"]
    wanted = {"waterfall", "parameters", "delta_sensitivity", "frontier", "drop_highest", "design"}
    wanted |= {"by_resource", "by_familiarity", "by_class", "leave_one_paper_out"}
    assert set(tables) >= wanted
    assert all(tables[name] for name in wanted)


def test_every_section_says_something_and_places_its_pictures(built: Chapter) -> None:
    assert len({section.id for section in built.sections}) == len(built.sections)
    for section in built.sections:
        assert section.title
        assert section.prose
        blocks = list(section.blocks())
        assert sum(not isinstance(b, str) for b in blocks) == len(section.figures) + len(section.tables)


def test_every_picture_has_a_specification_with_rows(built: Chapter) -> None:
    assert len(built.figures) >= 12
    for figure in built.figures:
        assert specification(figure)["description"] == figure.alt
        assert figure.frame.height


def test_every_use_of_a_table_is_named_once(built: Chapter) -> None:
    used = [(p.name, p.rows_used) for p in built.evidence]
    assert "study_points" in {name for name, _ in used}
    assert len(used) == len(set(used))


def test_the_answer_that_five_points_carry_is_shown(built: Chapter) -> None:
    (section,) = (s for s in built.sections if s.id == "influence")
    assert [row["dropped"] for row in built.tables["drop_highest"]] == [0, 1, 5, 10]
    assert section.figures


def test_progress_is_told_while_it_runs(small: tuple[Chapter, list[tuple[str, float]]]) -> None:
    _, told = small
    assert any("robotics" in label for label, _ in told)
    assert all(0.0 <= share <= 1.0 for _, share in told)


def test_without_runs_the_chapter_says_what_to_give() -> None:
    built, _ = made(shelf(runs=False))
    assert "isoflop scaling fit FILE" in built.sections[0].prose[0]
    ids = {f.id for f in built.findings}
    assert "scaling.exponent_data_robotics" in ids
    assert "scaling.frontier_exponent_a" not in ids
    assert "training runs" not in built.answer


def test_numbers_in_the_prose_of_the_chapter_are_filled_in_and_not_typed() -> None:
    typed = []
    for path in sorted(Path(module.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        owners = (ast.Module, ast.FunctionDef, ast.ClassDef)
        said = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, owners) and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            # a format such as ".2f" has no space; levels and definitions are whole numbers below 100
            if id(node) not in said and " " in text and re.search(r"\d\.\d|\d{3}", text):
                typed.append(f"{path.name}: {text}")
    assert not typed


@pytest.mark.slow
def test_the_embedded_chapter_shows_literature_and_own_studies_apart(
    embedded: tuple[Chapter, list[tuple[str, float]]],
) -> None:
    built, _ = embedded
    found = {f.id: f for f in built.findings}
    assert found["scaling.exponent_data_robotics"].details["own_study"]["value"] is not None
    assert {"scaling.exponent_data_robotics.literature", "scaling.exponent_data_robotics.own_study"} <= set(
        found
    )
    assert "no sample of the field" in " ".join(built.sections[0].prose)
    assert {"own-grid", "own-robotics", "robotics", "emergence", "returns"} <= {s.id for s in built.sections}
    assert "measured by this project" in built.sections[0].prose[0]


@pytest.mark.slow
@pytest.mark.public_data
def test_the_public_points_lead_where_they_are_at_hand(public_data: Path) -> None:
    built, _ = made(locate(public_data))
    found = {f.id: f for f in built.findings}
    ratio = found["scaling.optimal_tokens_per_param"]
    assert ratio.details["at_flop"] == 5.88e23
    assert ratio.estimate.value == pytest.approx(17.9, rel=0.01)
    assert ratio.n == 240
    forecasts = [f for f in found if f.startswith("scaling.forecast_rmsle")]
    assert forecasts
    for figure in built.figures:
        assert specification(figure)["description"] == figure.alt
