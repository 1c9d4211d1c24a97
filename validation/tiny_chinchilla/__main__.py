"""``python -m validation.tiny_chinchilla``: train what is missing, then write the table."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from isoflop.errors import IsoflopError
from isoflop.findings import write_atomically
from validation.tiny_chinchilla import study
from validation.tiny_chinchilla.design import Plan, plans
from validation.tiny_chinchilla.source import Grammar
from validation.tiny_chinchilla.texts import MadeUp, Text, read_plays

HERE = Path(__file__).parent
RUNS = HERE / "runs"
TABLE = HERE.parents[1] / "src" / "isoflop" / "evidence" / "tables" / "scaling_runs.csv"
QUICK_FLOP = 4e9
"""Budget up to which ``--quick`` runs."""
GRAMMAR = Grammar()
"""The source of the made-up text."""


def main(arguments: list[str] | None = None) -> int:
    """Run the study; 2 where an input is missing."""
    parser = argparse.ArgumentParser(prog="python -m validation.tiny_chinchilla", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the cheapest runs only; about a minute, no table"
    )
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of finished runs and of the wheel")
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write")
    given = parser.parse_args(arguments)
    try:
        _study(given.runs, given.table, quick=given.quick)
    except IsoflopError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _study(folder: Path, table: Path, *, quick: bool) -> None:
    texts: list[Text] = [MadeUp(GRAMMAR), read_plays(folder)]
    todo = [(plan, text) for text in texts for plan in plans(text.name, longest=text.longest)]
    todo.sort(key=lambda pair: pair[0].flop)  # stable: the cheapest of both texts first
    if quick:
        todo = [pair for pair in todo if pair[0].flop <= QUICK_FLOP]
    total, spent, began = sum(plan.flop for plan, _ in todo), 0.0, time.monotonic()
    rows, cpu_s = [], 0.0

    def tick(plan: Plan, share: float) -> None:
        if sys.stderr.isatty():
            done = (spent + share * plan.flop) / total
            print(f"\r{done:7.1%} {plan.run_id:30}", end="", file=sys.stderr, flush=True)

    def done(plan: Plan, run: study.Run) -> None:
        nonlocal spent, cpu_s
        spent += plan.flop
        cpu_s += float(str(run["cpu_s"]))
        text = next(text for text in texts if text.name == plan.text)
        rows.append(study.row(plan, text, run))
        minutes = (time.monotonic() - began) / 60
        print(
            f"\r{spent / total:7.1%} {minutes:6.1f} min  {plan.run_id:30} N {plan.shape.params:>7,} "
            f"D {plan.characters:>10,}  loss {run['loss_nats']:.4f} ± {run['loss_se']:.4f}",
            file=sys.stderr,
            flush=True,
        )

    study.carry_out(todo, GRAMMAR, folder, tick, done)
    print(f"{len(rows)} runs, {cpu_s / 60:.1f} CPU minutes of one thread in all.", file=sys.stderr)
    if not quick:
        write_atomically(table, study.table(rows))
        print(f"Wrote {table.name}.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
