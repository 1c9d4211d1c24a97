"""Counts of calls by resolved imports, beside the count of bare names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isoflop.portability.scan.usage import Usage, usage

LABELLED = Path(__file__).parent / "labelled"


@pytest.fixture
def found(tmp_path: Path) -> Usage:
    (tmp_path / "a.py").write_text(
        "import torch\nx = torch.ones(3)\nitems = []\nitems.append(x)\nx.size()\n"
        "for i in range(3):\n    items.append(torch.relu(x))\n', '.join(str(i) for i in items)\nlen(items)\n"
        "def size():\n    return 1\nsize()\n"
    )
    (tmp_path / "b.py").write_text("from torch import relu\nrelu(1)\n")
    (tmp_path / "c.py").write_text("size()\nrange(3)\nrelu(2)\n")
    return usage(tmp_path)


def test_a_call_counts_where_its_name_leads_to_the_framework(found: Usage) -> None:
    assert found.calls == {"torch.relu": 2, "torch.ones": 1, "torch.Tensor.size": 1}
    assert found.files["torch.relu"] == 2
    assert found.of("torch") == {"torch.relu": 2, "torch.Tensor.size": 1, "torch.ones": 1}
    assert found.frame()["calls"].sum() == 4


def test_bare_names_hit_what_is_no_call_of_the_framework(found: Usage) -> None:
    (finding,) = found.findings()
    # Beside the four calls: range, append (torch.nn.ParameterList has one) and the file's own size().
    assert found.bare["torch"] > 4
    assert finding.estimate.value == pytest.approx(1 - 4 / found.bare["torch"])
    assert "resolved calls of" in found.summary()


def test_counts_of_the_labelled_files_add_up() -> None:
    found = usage([LABELLED / f for f in ("torch_unet.py", "jax_mlp.py", "tf_custom_training.py")])
    assert set(found.frameworks) == {"torch", "jax", "tensorflow", "keras"}
    assert sum(sum(found.of(f).values()) for f in found.frameworks) == sum(found.calls.values())
    assert all(found.bare[f] > 0 for f in ("torch", "jax", "tensorflow", "keras"))
    json.dumps(found.to_dict(), allow_nan=False)
