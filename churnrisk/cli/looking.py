"""Commands that look and change nothing that is published: sources, features, tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import AsOfOption, JsonOption, day_of, say, show, workspace_here


def check(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Check the sources: rows, dates, freshness, keys, match rates, and whether there is enough to train."""
    readiness = workspace_here().check(as_of=day_of(as_of))
    show(as_json, readiness.as_dict(), lambda: say(readiness.text()))


def features(
    as_of: AsOfOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the table there (.parquet or .csv).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build the feature table of one date, for looking."""
    from ..places import table_place

    if output is not None:
        table_place(output)
    frame = workspace_here().features(as_of=day_of(as_of))
    if output is not None:
        if output.suffix.lower() == ".csv":
            frame.write_csv(output)
        else:
            frame.write_parquet(output)
    summary = {
        "customers": frame.height,
        "features": frame.width - 2,
        "output": str(output) if output else None,
    }
    show(as_json, summary, lambda: _show_frame(frame, output))


def _show_frame(frame: Any, output: Path | None) -> None:
    import polars as pl

    with pl.Config(tbl_rows=10, tbl_cols=10):
        say(str(frame))
    if output is not None:
        say(f"Written to {output}")


def schema(
    table: Annotated[
        str | None, typer.Argument(help="A source, a published table or a list; without it all are shown.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a table: columns, types, units, what null means, rules."""
    from ..api import described_tables

    description = described_tables(table)
    show(as_json, description.as_dict(), lambda: say(description.text()))
