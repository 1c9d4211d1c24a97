"""Plain tables of scores: what is read, what is refused, and what the message says to do."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import read_catalogue, read_prompt_scores
from isoflop.evidence.prompt_scores.files import json_lines
from isoflop.evidence.prompt_scores.groups import folded, merged, same_text, similar
from isoflop.evidence.prompt_scores.json_stream import array_items
from isoflop.routing import join

from . import made_logs as made


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl", "json"])
def test_one_table_reads_the_same_from_every_format(tmp_path: Path, ending: str) -> None:
    frame, path = made.plain(), tmp_path / f"mine.{ending}"
    if ending in ("csv", "tsv"):
        frame.write_csv(path, separator="," if ending == "csv" else "\t")
    elif ending == "parquet":
        frame.with_columns(pl.col("model", "dataset").cast(pl.Categorical)).write_parquet(path)
    else:
        made.written(path, frame.to_dicts())
    scores, prompts = read_prompt_scores(path)
    joined = join(scores, prompts)
    assert (joined.n, joined.models, joined.datasets) == (8, ("m0", "m1"), ("d0", "d1"))
    assert joined.score[:2].tolist() == [[0.0, 1.0], [1.0, 0.0]]
    (tmp_path / "reference.csv").write_text(frame.write_csv())
    assert scores.fingerprint == read_prompt_scores(tmp_path / "reference.csv")[0].fingerprint


def test_scores_and_prompts_lie_in_a_folder_beside_each_other_or_are_named(tmp_path: Path) -> None:
    frame = made.plain()
    frame.drop("prompt").write_csv(tmp_path / "scores.csv")
    texts = frame.select("dataset", "instance_id", "prompt").unique(maintain_order=True)
    texts.write_parquet(tmp_path / "prompts.parquet")
    texts.write_csv(tmp_path / "texts.csv")
    ways = [
        read_prompt_scores(tmp_path),
        read_prompt_scores(tmp_path / "scores.csv"),
        read_prompt_scores(tmp_path / "scores.csv", prompts=tmp_path / "texts.csv"),
    ]
    assert len({(scores.fingerprint, prompts.fingerprint) for scores, prompts in ways}) == 1
    assert "prompts from texts.csv" in ways[2][0].importer
    (tmp_path / "prompts.parquet").unlink()
    with pytest.raises(
        EvidenceError, match=r"no prompts: scores\.csv has no column 'prompt'.*--prompts FILE"
    ):
        read_prompt_scores(tmp_path / "scores.csv")


def test_other_names_are_mapped_and_wide_tables_named(tmp_path: Path) -> None:
    wide = pl.DataFrame(
        {"bench": ["a", "b"], "qid": ["1", "2"], "text": ["x?", "y?"], "A": [1, 0], "B": [0.5, 1]}
    )
    wide.write_csv(tmp_path / "wide.csv")
    scores, prompts = read_prompt_scores(
        tmp_path / "wide.csv", columns={"dataset": "bench", "instance_id": "qid"}, models=["A", "B"]
    )
    assert join(scores, prompts).score.tolist() == [[1.0, 0.5], [0.0, 1.0]]
    with pytest.raises(EvidenceError, match=r"'C' is not in wide\.csv"):
        read_prompt_scores(tmp_path / "wide.csv", columns={"dataset": "bench"}, models=["A", "C"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda f: f.with_columns(score=pl.col("score") * 100),
            r"100, must lie in \[0, 1\]\. Divide by 100\?",
        ),
        (lambda f: f.rename({"score": "scores"}), "closest is 'scores'"),
        (lambda f: f.with_columns(model=None), "column 'model'.*must not be empty"),
        (lambda f: f.with_columns(score=pl.lit("right")), "'right' is no number"),
        (lambda f: f.head(0), "mine.parquet has no rows"),
        (
            lambda f: pl.concat([f, f.head(1).with_columns(score=pl.lit(1.0))]),
            "another score on this prompt.*Average them and give n_samples",
        ),
        (lambda f: f.drop("prompt"), "no prompts"),
        (lambda f: f.with_columns(score=pl.lit(float("inf"))), "must be finite"),
    ],
)
def test_what_cannot_be_evidence_is_refused_with_what_to_do(tmp_path: Path, change, words: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.parquet"
    change(made.plain()).write_parquet(path)
    with pytest.raises(EvidenceError, match=words):
        join(*read_prompt_scores(path))


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    text = made.plain().write_csv().replace("Prompt", "Frage ü")
    (tmp_path / "latin.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(EvidenceError, match="is not UTF-8"):
        read_prompt_scores(tmp_path / "latin.csv")
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in made.plain().to_dicts()).replace(
        "Prompt", "ü"
    )
    (tmp_path / "latin.jsonl").write_bytes(lines.encode("latin-1"))
    with pytest.raises(EvidenceError, match="is not UTF-8"):
        read_prompt_scores(tmp_path / "latin.jsonl")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "opened",))

    for name in ("routerbench_0shot.pkl", "scores.pickle"):
        (tmp_path / name).write_bytes(pickle.dumps(Harm()))
        for importer in ("table", "routerbench"):
            with pytest.raises(EvidenceError, match=r"is a pickle.*Parquet or CSV"):
                read_prompt_scores(tmp_path / name, importer=importer)
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("tail", ['{"dataset": "a", "inst', '{"dataset": }\n', "[1, 2]\n", "\x00\n"])
def test_a_broken_line_is_refused_by_its_number(tmp_path: Path, tail: str) -> None:
    path = made.written(tmp_path / "mine.jsonl", made.plain().to_dicts())
    path.write_text(path.read_text() + tail)
    with pytest.raises(EvidenceError, match=r"line 17 of mine\.jsonl"):
        list(json_lines(path))


def test_texts_of_every_kind_pass_unchanged(tmp_path: Path) -> None:
    texts = ["שלום עולם", "👩‍🚀 emoji", "a\nb\r\nc", "x" * 1_000_000, 'tab\tand "quotes"', "nul \x00 inside"]
    rows = [
        {"dataset": "d", "instance_id": str(at), "model": m, "score": 1.0, "prompt": text}
        for at, text in enumerate(texts)
        for m in ("a", "b")
    ]
    for path in (made.written(tmp_path / "t.jsonl", rows), tmp_path / "t.parquet"):
        if path.suffix == ".parquet":
            pl.DataFrame(rows).write_parquet(path)
        assert list(join(*read_prompt_scores(path)).prompts) == texts


def test_prompts_with_several_texts_keep_the_first_and_say_so(tmp_path: Path) -> None:
    frame = made.plain().with_columns(
        prompt=pl.when(pl.col("model") == "m1").then(pl.lit("other")).otherwise(pl.col("prompt"))
    )
    frame.write_csv(tmp_path / "mine.csv")
    scores, prompts = read_prompt_scores(tmp_path / "mine.csv")
    assert "8 prompts come with more than one text" in scores.cautions[0]
    assert "other" not in prompts.frame["prompt"].to_list()


# ------------------------------------------------------------------------------- catalogues


def test_sizes_and_prices_are_read_from_json_and_tables(tmp_path: Path) -> None:
    content = {"a": {"size": "7B", "input_price": 0.2, "output_price": 0.3}, "mix": {"size": "8x7B"}}
    table = read_catalogue(made.written(tmp_path / "models.json", content))
    assert table.frame.select("model", "params", "output_usd_per_mtok").rows() == [
        ("a", 7e9, 0.3),
        ("mix", None, None),
    ]
    assert "8x7B" in table.cautions[0]
    (tmp_path / "models.csv").write_text("model,params,input_price\na,7e9,0.2\n")
    assert read_catalogue(tmp_path / "models.csv").frame["input_usd_per_mtok"].to_list() == [0.2]
    (tmp_path / "models.csv").write_text("model,params\na,7e9\na,8e9\n")
    with pytest.raises(EvidenceError, match="occurs more than once"):
        read_catalogue(tmp_path / "models.csv")
    with pytest.raises(EvidenceError, match="has no size, input_price or output_price"):
        read_catalogue(made.written(tmp_path / "models.json", {"a": {"colour": "red"}}))


@pytest.mark.slow
@pytest.mark.ci
def test_list_prices_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime as dt

    genai_prices = pytest.importorskip("genai_prices")
    from isoflop.evidence import import_prices

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the online updater was started")

    monkeypatch.setattr(genai_prices.UpdatePrices, "start", never)
    day = dt.date(2026, 11, 1)
    table = import_prices(["gpt-4o", "openai/gpt-4o-mini", "no-such-model"], on=day)
    own = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=1000, output_tokens=100),
        model_ref="gpt-4o",
        genai_request_timestamp=dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC),
    )
    row = table.frame.row(0, named=True)
    assert 1e-3 * row["input_usd_per_mtok"] + 1e-4 * row["output_usd_per_mtok"] == pytest.approx(
        float(own.total_price)
    )
    assert table.steps[0].rows == ("no-such-model",)
    assert row["as_of_date"] == "2026-11-01"
    with pytest.raises(EvidenceError, match="none of 1 models has a price"):
        import_prices(["no-such-model"])


# ----------------------------------------------------------------------- streaming and groups


@given(
    items=st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=6,
    ),
    chunk=st.integers(1, 40),
    indent=st.sampled_from([None, 1]),
)
def test_a_streamed_array_has_the_items_that_json_reads(
    tmp_path_factory: pytest.TempPathFactory, items: list[object], chunk: int, indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("stream") / "x.json"
    path.write_text(
        json.dumps(items, ensure_ascii=False, indent=indent), encoding="utf-8", errors="surrogatepass"
    )
    assert list(array_items(path, chunk=chunk)) == items
    path.write_text(json.dumps({"a": [1], "b": items, "c": 2}, indent=indent))
    assert list(array_items(path, "b", chunk=chunk)) == items


@given(cut=st.integers(0, 60), chunk=st.integers(1, 16))
def test_a_streamed_array_that_is_cut_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.json"
    whole = json.dumps([{"a": 1.25, "b": "é]"}, [1, 2], "text", 17, True], ensure_ascii=False).encode()
    path.write_bytes(whole[: cut % (len(whole) - 1)])
    with pytest.raises(EvidenceError):
        list(array_items(path, chunk=chunk))


@given(texts=st.lists(st.text(max_size=8), min_size=1, max_size=8))
def test_texts_are_one_group_exactly_if_they_fold_to_the_same(texts: list[str]) -> None:
    group = same_text(texts)
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            assert (group[i] == group[j]) == (folded(one) == folded(other))
    assert (
        same_text([f"  {text.upper()} \n" for text in texts if text.isascii()]).tolist()
        == same_text([text for text in texts if text.isascii()]).tolist()
    )


@given(first=st.lists(st.integers(0, 4), min_size=1, max_size=12), data=st.data())
def test_merged_groups_are_the_connected_parts_of_both(first: list[int], data: st.DataObject) -> None:
    import numpy as np

    second = data.draw(st.lists(st.integers(0, 4), min_size=len(first), max_size=len(first)))
    a, b = np.array(first), np.array(second)
    links = (a[:, None] == a[None, :]) | (b[:, None] == b[None, :])
    for _ in range(4):
        links = links @ links
    found = merged(a, b)
    assert ((found[:, None] == found[None, :]) == links).all()


def test_vectors_that_nearly_agree_are_one_group_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from isoflop.evidence.prompt_scores import groups

    angles = np.array([0.0, 0.05, 0.1, 1.0, 2.0, 1.02, 3.0])
    vectors = np.column_stack((np.cos(angles), np.sin(angles))).astype(np.float32)
    whole = similar(vectors, 0.998)
    assert whole.tolist() == [0, 0, 0, 1, 2, 1, 3]
    monkeypatch.setattr(groups, "_BLOCK_BYTES", 40)
    assert similar(vectors, 0.998).tolist() == whole.tolist()


def test_registered_public_files_are_cited_and_changed_ones_are_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from isoflop.evidence.prompt_scores import read
    from isoflop.evidence.sources import digest_of, sources

    for name in ("train", "test"):
        made.written(tmp_path / f"{name}.json", made.llmrouter())
    known = {
        key: replace(entry, sha256=digest_of(tmp_path / Path(entry.local).name))
        for key, entry in sources().items()
        if entry.importer == "llmrouter"
    }
    assert len(known) == 2
    monkeypatch.setattr(read, "sources", lambda: known)
    scores, _ = read_prompt_scores(tmp_path)
    assert scores.kind == "pulled"
    assert scores.source.count("LLMRouter") >= 2
    made.written(tmp_path / "test.json", made.llmrouter()[:1])
    assert read_prompt_scores(tmp_path)[0].kind == "own"
    assert read_prompt_scores(tmp_path / "train.json")[0].kind == "pulled"
