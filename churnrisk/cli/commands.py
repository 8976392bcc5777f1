"""All commands in their order, and the options before them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .alerts import alerts_preview
from .common import Call
from .customers import explain, influence, spread
from .listing import Commands
from .looking import check, features, schema
from .models import evaluate, fit_ties, models, promote, train
from .nights import backfill, decide, nightly, score
from .recording import record
from .serving import console
from .starting import demo, init, simulate

app = typer.Typer(
    name="churnrisk",
    help="Churn risk from what customers say, what they do and whom they know.",
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("churnrisk"))
        raise typer.Exit


@app.callback()
def common(
    workspace: Annotated[
        Path, typer.Option("-w", "--workspace", metavar="DIR", help="Folder with churnrisk.toml.")
    ] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Log warnings only.")] = False,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Churn risk from what customers say, what they do and whom they know."""
    from ..logs import configure_logs

    Call.workspace, Call.debug, Call.quiet = workspace, debug, quiet
    configure_logs(quiet=quiet)


COMMANDS = (
    *(init, demo, simulate),
    *(check, features),
    *(train, evaluate, models, promote),
    *(score, decide, nightly, backfill),
    *(record, console),
    *(explain, influence, spread),
    schema,
)
"""All commands, in the order in which ``--help`` lists them."""

for command in COMMANDS:
    app.command()(command)

ties_app = typer.Typer(help="Learn how strong ties are from your own data.", cls=Commands)
ties_app.command("fit")(fit_ties)
app.add_typer(ties_app, name="ties")

alerts_app = typer.Typer(help="See what the alerts of bad answers would be under another rule.", cls=Commands)
alerts_app.command("preview")(alerts_preview)
app.add_typer(alerts_app, name="alerts")
