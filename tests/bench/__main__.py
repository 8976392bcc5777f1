"""``python -m tests.bench [NAME ...] [--full]``: run the benchmarks named, or all, and print their tables."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

BENCHES: dict[str, str] = {
    "ties": "tests.bench.ties_persistence",
    "pairs": "tests.bench.pairs_scale",
    "labelled": "tests.bench.labelled",
    "versus": "tests.bench.labelled_versus",
    "askubuntu": "tests.bench.askubuntu",
    "contagion": "tests.bench.contagion",
    "profit": "tests.bench.profit",
    "reference": "tests.bench.reference",
    "retention": "tests.bench.retention",
    "ablation": "tests.bench.ablation",
    "reasons": "tests.bench.reasons",
    "night": "tests.bench.night",
    "training": "tests.bench.training",
    "drift": "tests.bench.drift",
    "answers": "tests.bench.answers",
    "ledger": "tests.bench.ledger",
    "graph": "tests.bench.graph_scale",
    "offers": "tests.bench.offers",
    "hillstrom": "tests.bench.hillstrom",
    "trials": "tests.bench.trials",
    "loop": "tests.bench.loop",
    "killed": "tests.bench.killed",
}
"""Benchmark -> module with ``tables(full) -> Iterable[(title, head, rows)]``."""


WIDE = 240
"""Columns of text: tables with seventeen figures lose their digits on less."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], help=", ".join(BENCHES))
    parser.add_argument("--full", action="store_true", help="full size, all seeds")
    options = parser.parse_args()
    console = Console(width=WIDE)
    for name in options.names or BENCHES:
        tables: Callable[[bool], Sequence[tuple[str, Sequence[str], Sequence[Sequence[object]]]]]
        tables = importlib.import_module(BENCHES[name]).tables
        for title, head, rows in tables(options.full):
            console.print(f"\n{title}", highlight=False)
            table = Table()
            for column in head:
                table.add_column(column, justify="left" if column == head[0] else "right")
            for row in rows:
                table.add_row(*(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row))
            console.print(table)


if __name__ == "__main__":
    main()
