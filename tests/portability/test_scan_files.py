"""What is read and what is not: bad input is listed with its reason, never fatal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.portability.scan.find import scan
from isoflop.portability.scan.sources import MAX_BYTES, Source, parse, read_sources

GOOD = "import torch\ntorch.relu(torch.ones(1))\n"


def why(folder: Path) -> dict[str, str]:
    _, unread = read_sources([folder])
    return {one.path: one.why for one in unread}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.py").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.py", b"import torch\n\xff\xfe\n", "UTF-8"),
        ("b.py", b"def f(:\n", "syntax error in line 1"),
        ("c.py", b"print 'hello'\n", "Python 2"),
        ("d.py", b"import torch\x00\n", "cannot be parsed|syntax error"),
        ("e.ipynb", b"{", "no notebook"),
        ("f.ipynb", b"[]", "no notebook"),
        ("g.ipynb", b'{"cells": []}', "without code cells"),
        ("h.ipynb", b'{"cells": [{"cell_type": "markdown", "source": "x"}]}', "without code cells"),
        ("i.ipynb", b'{"cells": null, "worksheets": [{}]}', "without code cells"),
        ("j.py", b"# -*- coding: no-such -*-\n", "encoding"),
        ("k.py", b"x = 1\n" * (MAX_BYTES // 6 + 1), "generated"),
    ],
)
def test_a_file_that_cannot_be_read_is_listed_with_its_reason(
    folder: Path, name: str, content: bytes, told: str
) -> None:
    (folder / name).write_bytes(content)
    reasons = why(folder)
    assert any(part in reasons[name] for part in told.split("|")), reasons[name]
    assert [place.path for place in scan(folder).places] == ["good.py", "good.py"]


def test_deeply_nested_code_is_listed_or_read_and_never_fatal(folder: Path) -> None:
    (folder / "deep.py").write_text("import torch\nx = " + "(" * 150 + "1" + ")" * 150 + "\n")
    (folder / "long.py").write_text("import torch\nx = " + "1 + " * 5000 + "1\n")
    found = scan(folder)
    assert {row["path"] for row in found.file_rows()} == {"good.py", "deep.py", "long.py"}


def test_a_folder_reached_through_a_loop_of_links_is_read_once(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "two.py").write_text(GOOD)
    (inner / "again").symlink_to(folder)
    (folder / "dangling.py").symlink_to(folder / "nowhere.py")
    sources, unread = read_sources([folder])
    assert sorted(source.path for source in sources) == ["good.py", "inner/two.py"]
    assert not unread


def test_folders_of_other_peoples_code_are_left_out(folder: Path) -> None:
    for name in (".venv", "node_modules", "__pycache__"):
        (folder / name).mkdir()
        (folder / name / "x.py").write_text(GOOD)
    assert len(read_sources([folder])[0]) == 1


def test_another_encoding_is_read_where_the_file_declares_it() -> None:
    found = parse("# coding: latin-1\nimport torch\nå = torch.relu(1)\n".encode("latin-1"), "a.py")
    assert isinstance(found, Source)


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"no \.py or \.ipynb file below"):
        scan(tmp_path)
    with pytest.raises(EvidenceError, match="does not exist"):
        scan(tmp_path / "nowhere")


def test_a_place_in_a_notebook_is_its_cell_and_the_line_within(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": "# text"},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import torch"]},
        {"cell_type": "code", "source": "%%bash\nrm -rf x"},
        {"cell_type": "code", "source": "x = 1\n!ls\ntorch.relu(x)"},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    (place,) = scan(tmp_path).places
    assert (place.cell, place.line, place.site.function) == (4, 3, "torch.relu")


def test_files_of_one_scan_know_what_they_import_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("from .ops import act\n")
    (tmp_path / "pkg" / "ops.py").write_text("import torch.nn.functional as F\nact = F.silu\n")
    (tmp_path / "use.py").write_text("from pkg import act\nact(1)\n")
    (tmp_path / "loop_a.py").write_text("import loop_b\nimport torch\n")
    (tmp_path / "loop_b.py").write_text("import loop_a\nloop_a.torch.relu(1)\n")
    found = {(p.path, p.site.function) for p in scan(tmp_path).places}
    assert ("use.py", "torch.nn.functional.silu") in found


@given(text=st.text(alphabet="abtorch.(): \n=,'\"[]#é", max_size=60))
@settings(max_examples=40, deadline=None)
def test_no_text_makes_the_scanner_fail(text: str) -> None:
    from isoflop.portability.scan.calls_of import read_calls

    found = parse(("import torch\n" + text).encode(), "a.py")
    if isinstance(found, Source):
        read_calls([found])
