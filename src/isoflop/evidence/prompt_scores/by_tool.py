"""One function for each tool whose results are read; `read_prompt_scores` recognises them by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from isoflop.evidence.prompt_scores.read import Paths, read_prompt_scores
from isoflop.evidence.table import Table


def import_lm_eval(
    folder: Paths, *, filter: str | None = None, metric: str | None = None
) -> tuple[Table, Table]:
    """Read sample logs of lm-evaluation-harness.

    Parameters
    ----------
    folder : path or sequence of path
        Folders or files ``samples_<task>_<date>.jsonl``; a folder for each model, with ``results_*.json``.
    filter : str, optional
        Reading of the answer; default the first in each task's log.
    metric : str, optional
        Default: one that counts correctness, where a task has several.

    Returns
    -------
    scores, prompts : Table

    Raises
    ------
    EvidenceError
        The files are of another layout or cut off, or the filter or metric is not there.
    """
    return read_prompt_scores(folder, importer="lm_eval", filter=filter, metric=metric)


def import_inspect(path: Paths, *, scorer: str | None = None) -> tuple[Table, Table]:
    """Read logs of Inspect, ``.eval`` or ``.json``; epochs are averaged into ``n_samples``.

    Raises
    ------
    EvidenceError
        A log is of another layout or cut off, or there are several scorers and none is named.
    MissingExtraError
        An archive is compressed with Zstandard and no reader of it is installed.
    """
    return read_prompt_scores(path, importer="inspect", metric=scorer)


def import_helm(run_dir: Paths, *, metric: str) -> tuple[Table, Table]:
    """Read runs of HELM: unperturbed test instances, one named metric.

    Raises
    ------
    EvidenceError
        A file of the run is missing or cut off, or the metric is not in it.
    """
    return read_prompt_scores(run_dir, importer="helm", metric=metric)


def import_routerbench(table: Paths) -> tuple[Table, Table]:
    """Read RouterBench's wide table from csv or Parquet; its pickles are never opened.

    Raises
    ------
    EvidenceError
        The table is of another layout, or a pickle.
    """
    return read_prompt_scores(table, importer="routerbench")


def import_embedllm(table: Paths) -> tuple[Table, Table]:
    """Read EmbedLLM's long table; categories are the datasets.

    Raises
    ------
    EvidenceError
        The table is of another layout.
    """
    return read_prompt_scores(table, importer="embedllm")


def import_llmrouter(path: Paths, *, prompts: str | Path | None = None) -> tuple[Table, Table]:
    """Read LLMRouter's ``train.json`` and ``test.json``.

    Parameters
    ----------
    path : path or sequence of path
        Folder or files.
    prompts : path, optional
        Table with the task of each question, by text; without it each file is one dataset.

    Raises
    ------
    EvidenceError
        The files are of another layout, or no text agrees.
    """
    return read_prompt_scores(path, importer="llmrouter", prompts=prompts)


def import_routellm(path: Paths) -> tuple[Table, Table]:
    """Read RouteLLM's responses: a verdict and a response for each model, a file for each benchmark.

    Raises
    ------
    EvidenceError
        The files are of another layout.
    """
    return read_prompt_scores(path, importer="routellm")


def import_table(
    path: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    models: Sequence[str] = (),
    prompts: str | Path | None = None,
    source: str | None = None,
) -> tuple[Table, Table]:
    """Read a csv, tsv, Parquet or JSON table of scores, long or wide.

    Parameters
    ----------
    path : path or sequence of path
        A table, or a folder with ``scores.*`` and ``prompts.*``.
    columns : mapping of str to str, optional
        Canonical column name to the name in the file.
    models : sequence of str
        Columns of scores of a wide table, one a model.
    prompts : path, optional
        File with the texts, where the table does not hold them.
    source : str, optional
        Name of the collection.

    Raises
    ------
    EvidenceError
        A column is missing, or a cell breaks its rule.
    """
    return read_prompt_scores(
        path, importer="table", columns=columns, models=models, prompts=prompts, source=source
    )
