"""What commands share: the options before them, days, and how results are told to people and machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..api import ChurnWorkspace


class Call:
    """What the options before the command said."""

    workspace = Path()
    as_json = False
    debug = False
    quiet = False


AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="YYYY-MM-DD",
        help="The day whose end is the limit of knowledge; default: yesterday.",
    ),
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON for machines.")]


def workspace_here() -> ChurnWorkspace:
    """Open the workspace that ``-w`` names."""
    from ..api import open_workspace

    return open_workspace(Call.workspace, interactive=is_interactive())


def is_interactive() -> bool:
    """Whether somebody is watching: progress may be drawn."""
    return sys.stderr.isatty() and not Call.as_json and not Call.quiet


def day_of(text: str | None) -> date | None:
    return None if text is None else required_day(text, "--as-of")


def required_day(text: str, where: str) -> date:
    from ..dates import parsed_day

    return parsed_day(text, where)


def show(as_json: bool, plain: object, draw: Callable[[], None]) -> None:
    """Print a result: as JSON for machines, drawn for people."""
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
    else:
        draw()


def say(text: str) -> None:
    typer.echo(text)


def say_aside(text: str) -> None:
    """Tell people what goes on, beside the result."""
    typer.echo(text, err=True)


def show_table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True)
    console.print(title, highlight=False)
    table = Table()
    for name in head:
        table.add_column(name)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)
