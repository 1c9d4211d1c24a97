"""Pages: each answers, a file leads to a command, a form to a job, a job to its result."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
import re

import pytest

from isoflop.findings import Document, Estimate, Finding
from isoflop.serve import Job
from isoflop.serve.at_hand import AtHand
from isoflop.serve.fields import fields
from isoflop.serve.results import csv_text, picture
from isoflop.serve.verbs import verbs

RUNS = b"run,N,D,loss\n" + b"\n".join(
    f"r{n},{10 ** (7 + n % 4)},{10 ** (9 + n // 4)},{3 - n / 10}".encode() for n in range(12)
)
VERBS = list(verbs().values())
UNSAFE = "<b onclick=alert(1)>bold</b>"


def words_of(page: str) -> str:
    """Return what a reader sees of a page, on one line."""
    seen = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(seen))


@pytest.fixture
def started(visitor, monkeypatch):
    """Record what would be run instead of running it."""
    seen = []

    def start(words, *, title, inputs=None):
        seen.append((tuple(words), dict(inputs or {})))
        return made(visitor, words, state="running")

    monkeypatch.setattr(visitor.jobs, "start", start)
    return seen


def made(visitor, words, *, state="done", document=None, title="made up"):
    """Lay a job's folder as a finished command leaves it."""
    now = dt.datetime.now(dt.UTC)
    name = f"20260101-000000-{len(visitor.jobs.all()):08x}"
    folder = visitor.jobs.folder / name
    folder.mkdir()
    job = Job(
        id=name,
        title=title,
        words=tuple(words),
        folder=folder,
        state=state,
        created=now,
        started=now,
        ended=now,
    )
    job.save()
    if document is not None:
        place = folder / ("report/findings.json" if job.verb == ("report",) else "document.json")
        place.parent.mkdir(exist_ok=True)
        document.write(place)
    visitor.jobs._jobs[name] = job
    return job


def finding(name="scaling.frontier_exponent_a", label="exponent", **rest):
    estimate = Estimate(value=0.5, low=0.4, high=0.6, level=0.95, unit="1")
    return Finding(id=name, instrument="scaling", label=label, estimate=estimate, method="m", n=7, **rest)


@pytest.mark.parametrize(
    "path", ["/", "/data", "/jobs", "/report", "/scaling", "/portability", "/static/theme.css"]
)
def test_a_page_answers(visitor, path):
    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.title)
def test_every_command_has_a_form_with_a_label_for_every_field(visitor, verb):
    page = visitor.get(verb.address).text
    ids = re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"', page)
    assert bool(ids) == bool(fields(verb))
    assert len(set(ids)) == len(ids)
    for one in ids:
        assert f'for="{one}"' in page or re.search(rf'<label class="tick"><input [^>]*id="{one}"', page), one


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/jobs/none",
        "/data/none",
        "/data/tables/none",
        "/report/none",
        "/static/app.py",
    ],
)
def test_what_is_not_there_gets_a_page_that_says_what_to_do(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert "no such" in answer.text.lower() or "There is no" in answer.text


def test_a_file_is_named_checked_and_handed_to_a_command(visitor, started):
    name = visitor.send("my runs.csv", RUNS)
    assert "no known table" in words_of(visitor.get(f"/data/{name}").text)
    asked = words_of(visitor.get(f"/data/{name}?schema=scaling_runs").text)
    assert "lacks params, tokens" in asked
    assert visitor.post(
        f"/data/{name}", {"schema": "scaling_runs", "map.params": "N", "map.tokens": "D"}
    ).history
    page = visitor.get(f"/data/{name}").text
    assert "Ready" in page
    address = re.search(r'href="(/scaling/fit\?[^"]+)"', page)[1]
    assert f'value="upload:{name}" checked' in visitor.get(html.unescape(address)).text
    answer = visitor.post(
        "/scaling/fit", {"o.files": f"upload:{name}", "o.bootstrap": "20"}, follow_redirects=False
    )
    assert answer.status_code == 303
    (words, inputs), *_ = started
    assert words == (
        *("scaling", "fit", "--bootstrap", "20", "--map", "params=N", "--map", "tokens=D"),
        *("--json", "--figure", "picture.svg", "my_runs.csv"),
    )
    assert inputs["my_runs.csv"].read_bytes() == RUNS


def test_a_file_that_comes_with_the_form_is_used_and_kept(visitor, started):
    sent = {"u.task": ("prompts.txt", b"What is 2 + 2?\n")}
    answer = visitor.post("/routing/choose", {"o.encoder": "hashed"}, files=sent, follow_redirects=False)
    assert answer.status_code == 303
    (words, inputs), *_ = started
    assert words[:6] == ("routing", "choose", "--task", "prompts.txt", "--encoder", "hashed")
    assert visitor.uploads.all()[0].path == inputs["prompts.txt"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"o.trials": "many"}, "--trials"),
        ({"o.files": "upload:20260101-000000-00000000"}, "not here any more"),
        ({"o.files": "made:x/../../job.json"}, "not here any more"),
        ({"o.files": "/etc/hosts"}, "not here any more"),
    ],
)
def test_a_form_that_cannot_be_run_comes_back_filled_in(visitor, started, fields, said):
    answer = visitor.post("/scaling/pool", {"o.level": "0.8", **fields})
    assert answer.status_code == 400
    assert said in words_of(answer.text)
    assert 'name="o.level" type="number" step="any" value="0.8"' in answer.text
    assert started == []


def test_a_wrong_file_is_shown_with_what_is_wrong(visitor):
    page = words_of(visitor.get(f"/data/{visitor.send('sheet.csv', b'a;b')}").text)
    assert "separator seems to be ';'" in page
    page = words_of(visitor.get(f"/data/{visitor.send('sheet.xlsx', b'PK')}").text)
    assert "What takes such a file" in page


def test_nothing_that_was_sent_is_read_as_markup(visitor):
    name = visitor.send(f"{UNSAFE}.csv", f"{UNSAFE},b\n{UNSAFE},1\n".encode())
    table = Document(findings=(finding(label=UNSAFE, cautions=(UNSAFE,)),), tables={"t": [{UNSAFE: UNSAFE}]})
    job = made(visitor, ("scaling", "fit"), document=table, title=UNSAFE)
    (job.folder / "remarks.txt").write_text(UNSAFE)
    for path in (f"/data/{name}", "/data", f"/jobs/{job.id}", "/jobs", f"/scaling/fit?o.law={UNSAFE}"):
        assert "<b " not in visitor.get(path).text, path


def test_a_result_shows_findings_cautions_tables_and_the_command(visitor):
    rows = [{"n": number, "name": f"row {number}"} for number in range(9)]
    document = Document(findings=(finding(cautions=("mind this",)),), tables={"runs": rows})
    job = made(visitor, ("scaling", "fit", "--json", "my runs.csv"), document=document)
    page = words_of(visitor.get(f"/jobs/{job.id}").text)
    for part in (
        "0.50 (0.40 to 0.60, 95 %)",
        "mind this",
        "5 of 9 rows",
        "isoflop scaling fit --json 'my runs.csv'",
    ):
        assert part in page.replace("\N{NO-BREAK SPACE}", " ")
    got = visitor.get(f"/jobs/{job.id}/tables/runs.csv")
    assert "attachment" in got.headers["content-disposition"]
    assert list(csv.DictReader(io.StringIO(got.text))) == [
        {"n": str(r["n"]), "name": r["name"]} for r in rows
    ]
    assert visitor.get(f"/jobs/{job.id}/tables/runs.json").json() == rows
    for path in ("tables/none.csv", "tables/runs.html", "files/none", "files/..%2fjob.json"):
        assert visitor.get(f"/jobs/{job.id}/{path}").status_code == 404


def test_files_are_given_for_saving_never_for_showing(visitor):
    job = made(visitor, ("scaling", "fit"), document=Document())
    (job.folder / "picture.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    headers = visitor.get(f"/jobs/{job.id}/files/picture.svg").headers
    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("part", ["<script>alert(1)</script>", "<g onload='x'/>", "<foreignObject/>"])
def test_a_picture_that_could_act_is_not_shown(tmp_path, part):
    path = tmp_path / "picture.svg"
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><text>a</text>{part}</svg>')
    assert picture(path).svg == ""
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg"><text>a</text></svg>')
    assert "<text>a</text>" in picture(path).svg


def test_a_table_s_cell_is_no_formula_in_a_spreadsheet():
    rows = [{"a": "=HYPERLINK(1)", "b": "@x", "c": -1.5, "d": "plain"}]
    (row,) = csv.DictReader(io.StringIO(csv_text(rows)))
    assert row == {"a": "'=HYPERLINK(1)", "b": "'@x", "c": "-1.5", "d": "plain"}


def test_a_running_job_s_page_looks_again_with_and_without_a_script(visitor):
    job = made(visitor, ("scaling", "fit"), state="running")
    page = visitor.get(f"/jobs/{job.id}").text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert f'data-poll="/jobs/{job.id}/progress"' in page
    (job.folder / "progress.jsonl").write_text('{"label": "bootstrap", "fraction": 0.25}\n')
    part = visitor.get(f"/jobs/{job.id}/progress")
    assert part.headers["x-job-state"] == "running"
    assert '<progress value="0.25" max="1">' in part.text


def test_settings_of_a_job_come_back_into_its_form(visitor):
    job = made(visitor, ("scaling", "fit"), document=Document())
    (job.folder / "form.json").write_text(json.dumps({"law": ["kaplan"], "params": ["no_embed"]}))
    page = visitor.get(f"/scaling/fit?from={job.id}").text
    assert 'value="kaplan"' in page
    assert '<option value="no_embed" selected>' in page
    assert '<details class="more" open>' in page


def test_the_home_page_shows_the_newest_report_s_answers(visitor):
    assert "No report has been made" in visitor.get("/").text
    job = made(visitor, ("report", "--out", "report"), document=Document(findings=(finding(),)))
    (job.folder / "report" / "index.html").write_text("<h1>the report</h1>")
    assert "0.50 (0.40 to 0.60" in visitor.get("/").text
    answer = visitor.get(f"/report/{job.id}")
    assert answer.text == "<h1>the report</h1>"
    assert answer.headers["content-security-policy"].startswith("sandbox ")
    assert "allow-same-origin" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_a_report_is_asked_for_with_the_application_s_evidence(visitor, started):
    visitor.post("/report", {"only": ["progress", "none"], "quick": "1"})
    assert started[0][0] == (
        "report",
        "--out",
        "report",
        "--evidence",
        "embedded",
        "--only",
        "progress",
        "--quick",
    )


def test_what_a_job_made_can_be_chosen_by_the_next(visitor):
    job = made(visitor, ("routing", "fit"), document=Document())
    (job.folder / "router.npz").write_bytes(b"x")
    here = AtHand(uploads=visitor.uploads, jobs=visitor.jobs, evidence="embedded")
    (choice,) = here.files()
    assert here.find(choice.value).file == job.folder / "router.npz"
    assert choice.value in visitor.get("/routing/explain").text
    assert f"/routing/explain?o.source={choice.value}" in visitor.get(f"/jobs/{job.id}").text


def test_uploads_and_jobs_can_be_deleted(visitor):
    name = visitor.send("a.csv", b"x,y\n1,2\n")
    visitor.post(f"/data/{name}/delete")
    assert visitor.uploads.all() == ()
    job = made(visitor, ("scaling", "fit"), document=Document())
    visitor.post(f"/jobs/{job.id}/delete")
    assert not job.folder.exists()


def with_law(visitor):
    """Lay a report whose law is known: L = E + A N^-a + B D^-b, with draws that are all the same."""
    point = {"E": 1.5, "A": 400.0, "B": 400.0, "alpha": 0.34, "beta": 0.28}
    law = {
        "law": "chinchilla",
        "parameters": {name: {"value": value, "se": 0.0} for name, value in point.items()},
        "parameter_draws": {name: [value] * 40 for name, value in point.items()},
        "data_flop": [1e18, 1e20],
        "loss_unit": "nats",
    }
    job = made(visitor, ("report",), document=Document(findings=(finding(details=law),)))
    (job.folder / "report" / "index.html").write_text("x")


def test_a_plan_needs_a_law_and_says_how_to_get_one(visitor):
    assert "This needs a law" in visitor.get("/plan").text
    made(visitor, ("report",), document=Document(findings=(finding(),)))
    assert "This needs a law" in visitor.get("/plan").text


def test_a_plan_shows_the_command_that_repeats_it(visitor):
    with_law(visitor)
    page = visitor.get("/plan?budget=1e13FLOP&target=loss%3D1.3").text
    assert "isoflop outlook report/findings.json --budget 1e13FLOP --target loss=1.3" in html.unescape(page)


@pytest.mark.parametrize(
    "setting", ["budget=many", "target=fame", "usd_per_flop=x", "budget=5USD", "most_decades=-1"]
)
def test_a_plan_that_cannot_be_made_says_why_and_keeps_the_form(visitor, setting):
    with_law(visitor)
    answer = visitor.get(f"/plan?{setting}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'type="range"' in answer.text
