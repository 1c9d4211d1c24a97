"""TensorFlow: recipes and targets, through an interpreter that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.portability.test_jax import ran


@pytest.mark.slow
def test_eager_graph_and_xla_agree(frameworks: Path) -> None:
    found = ran(
        frameworks,
        functions={
            "tensorflow_recipes": [
                "tensorflow.nn.softmax",
                "tensorflow.linalg.svd",
                "tensorflow.sparse.to_dense",
                "tensorflow.random.normal",
            ]
        },
        targets=["tensorflow:eager", "tensorflow:graph"],
        detect=["tensorflow:gpu", "tensorflow:tpu"],
    )
    assert {row["status"] for row in found["rows"]} == {"ok"}
    assert all("visible to tensorflow" in reason for reason in found["absent"].values())


@pytest.mark.slow
def test_what_xla_cannot_compile_is_an_error_there_alone(frameworks: Path) -> None:
    found = ran(
        frameworks,
        functions={"tensorflow_recipes": ["tensorflow.strings.lower", "tensorflow.add"]},
        targets=["tensorflow:graph", "tensorflow:xla"],
    )
    status = {(row["function"], row["target"]): row["status"] for row in found["rows"]}
    assert status.pop(("tensorflow.strings.lower", "tensorflow:xla")) == "error"
    assert set(status.values()) == {"ok"}
