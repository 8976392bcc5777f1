"""Commands about single customers and those around them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import AsOfOption, JsonOption, day_of, say, show, show_table, workspace_here

if TYPE_CHECKING:
    from ..neighbourhood import Spread


def explain(
    customer: Annotated[str, typer.Argument(help="Id of a customer who has not left.")],
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a customer's risk: interval, band, reasons that add up to it, and what moved since the night before."""
    found = workspace_here().explain(customer, as_of=day_of(as_of))
    show(as_json, found.as_dict(), lambda: say(found.text()))


def influence(
    customer: Annotated[str, typer.Argument(help="Id of a customer who has not left.")],
    as_of: AsOfOption = None,
    svg: Annotated[
        Path | None,
        typer.Option(
            "--svg",
            metavar="FILE",
            help="Where to draw the ego network (.svg, into a folder that is there); default: beside the day's report.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who is at risk around a customer if they leave, by how much, and draw their ego network."""
    from ..places import drawing_place

    if svg is not None:
        drawing_place(svg)
    workspace = workspace_here()
    found = workspace.influence(customer, as_of=day_of(as_of))
    place = workspace.drawn(found, svg)
    plain = {**found.as_dict(), "svg": None if place is None else str(place)}
    drawing = "" if place is None else f"\n\nDrawn: {place}"
    show(as_json, plain, lambda: say(found.text() + drawing))


def spread(
    seeds: Annotated[
        Path,
        typer.Option(
            "--seeds",
            metavar="FILE",
            help="CSV or Parquet with customer_id and, if wished, energy (above 0).",
        ),
    ],
    as_of: AsOfOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the table there (.parquet or .csv); default: under restricted/spread.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Spread from a list of customers along the ties: who is near them. It predicts; it is no measured effect."""
    found = workspace_here().spread(seeds, as_of=day_of(as_of), output=output)
    show(as_json, found.as_dict(), lambda: _show_spread(found))


def _show_spread(found: Spread) -> None:
    from ..report.wording import counted

    top = found.frame.head(20)
    rows = [
        [row["position"], row["customer_id"], f"{row['activation']:.4f}", "yes" if row["is_seed"] else ""]
        for row in top.iter_rows(named=True)
    ]
    plain = found.as_dict()
    for words in found.seeds.rejected_words():
        say(f"Warning: {words}; rows in {found.quarantine}")
    title = f"Reached from {counted(found.seeds.frame.height, 'seed')} as of {found.as_of} (predictive, not causal)"
    show_table(title, ["rank", "customer", "activation", "is seed"], rows)
    say(f"{counted(plain['n_reached'], 'customer')} reached beside the seeds. Written to {found.place}")
