"""``isoflop scaling laws``: which laws there are, and what each assumes."""

from __future__ import annotations

from typing import Any

import click

from isoflop.present.options import Verb, json_option


@click.command(cls=Verb, short_help="List the laws, or show one.")
@click.argument("name", metavar="[NAME]", required=False)
@json_option
def laws(name: str | None, as_json: bool) -> None:
    """List the laws with formula, inputs, parameters, source and when to use them.

    With NAME, show one law: each parameter with its unit, range and meaning.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit, table_text
    from isoflop.present.pages import page
    from isoflop.scaling.laws import LAWS, law_named

    chosen = list(LAWS.values()) if name is None else [law_named(name)]
    rows = [
        {
            "law": law.name,
            "formula": law.formula,
            "inputs": ", ".join(law.inputs),
            "parameters": law.p,
            "names": ", ".join(law.names),
            "advice": law.advice,
            "source": law.citation,
        }
        for law in chosen
    ]
    parameters: list[dict[str, Any]] = [
        {
            "law": law.name,
            "parameter": q.name,
            "unit": q.unit,
            "low": q.low,
            "high": q.high,
            "transform": q.transform,
            "meaning": q.doc,
        }
        for law in chosen
        for q in law.parameters
    ]

    def text() -> str:
        if name is None:
            every = (
                Column(name="law", label="law"),
                Column(name="inputs", label="inputs"),
                Column(name="formula", label="formula"),
                Column(name="advice", label="when to use it"),
            )
            return table_text(every, rows)
        [row] = rows
        shown = (
            Column(name="parameter", label="parameter"),
            Column(name="unit", label="unit"),
            Column(name="meaning", label="meaning"),
        )
        lead = f"{row['law']}: {row['formula']}\n{row['advice']}\n{row['source']}\ninputs: {row['inputs']}"
        return page(lead, (), (), ("Parameters", shown, parameters))

    emit(Document(tables={"laws": rows, "parameters": parameters}), as_json=as_json, text=text)
