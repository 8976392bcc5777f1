"""The command line: one command per function of the API; it decides wording and exit codes and computes nothing.

Heavy libraries load inside the command that needs them, so ``churnrisk --help`` is quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import ChurnriskError, Fault, UsageError

if TYPE_CHECKING:
    from .api import ChurnWorkspace
    from .neighbourhood import Spread
    from .nightly import Night
    from .registry import ModelVersion

app = typer.Typer(
    name="churnrisk",
    help="Churn risk from what customers say, what they do and whom they know.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="YYYY-MM-DD",
        help="The day whose end is the limit of knowledge; default: yesterday.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON for machines.")]


class _Call:
    """What the options before the command said."""

    workspace = Path()
    as_json = False
    debug = False
    quiet = False


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
    from .logs import configure_logs

    _Call.workspace, _Call.debug, _Call.quiet = workspace, debug, quiet
    configure_logs(quiet=quiet)


@app.command()
def init(directory: Annotated[Path, typer.Argument(help="The new workspace.")] = Path()) -> None:
    """Write a commented churnrisk.toml, ready to edit."""
    from .api import new_workspace

    path = new_workspace(directory)
    typer.echo(f"Wrote {path}. Edit it, then run: churnrisk -w {directory} check")


@app.command()
def demo(
    directory: Annotated[Path, typer.Argument(help="Workspace of the demo; made or renewed.")] = Path("demo"),
    customers: Annotated[int, typer.Option(min=200, help="Customers to simulate.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the simulated world.")] = 1,
) -> None:
    """Simulate a telco, check it, train a model and run one night."""
    from .api import demonstration

    _Call.workspace = directory
    night = demonstration(directory, customers=customers, seed=seed, interactive=_interactive(), tell=_said)
    _print_night(night)


@app.command()
def simulate(
    directory: Annotated[
        Path, typer.Argument(help="Where to write the data; a workspace config is written beside.")
    ],
    customers: Annotated[int, typer.Option(min=50, help="Customers at the start.")] = 5000,
    days: Annotated[int, typer.Option(min=60, help="Days of history.")] = 365,
    seed: Annotated[int, typer.Option(help="Seed; the same settings and seed give the same bytes.")] = 1,
    contagion: Annotated[
        float,
        typer.Option(min=1.0, help="Hazard ratio of leaving per recently departed strong friend; 1 = none."),
    ] = 1.6,
    homophily: Annotated[
        float, typer.Option(min=0.0, max=0.95, help="Correlation of an unobserved trait inside communities.")
    ] = 0.3,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet, for the calls.")] = "parquet",
    as_json: JsonOption = False,
) -> None:
    """Simulate a telco with a known truth, written beside the data."""
    from .api import simulated

    counts = simulated(
        directory,
        customers=customers,
        days=days,
        seed=seed,
        contagion=contagion,
        homophily=homophily,
        file_format=file_format,
    )
    _show(
        as_json, counts, lambda: _table("Simulated", ["what", "count"], [[k, v] for k, v in counts.items()])
    )


@app.command()
def check(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Check the sources: rows, dates, freshness, keys, match rates, and whether there is enough to train."""
    readiness = _workspace().check(as_of=_day(as_of))
    _show(as_json, readiness.as_dict(), lambda: _say(readiness.text()))


@app.command()
def features(
    as_of: AsOfOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the table there (.parquet or .csv).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build the feature table of one date, for looking."""
    from .places import table_place

    if output is not None:
        table_place(output)
    frame = _workspace().features(as_of=_day(as_of))
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
    _show(as_json, summary, lambda: _print_frame(frame, output))


@app.command()
def train(
    as_of: AsOfOption = None,
    tune_minutes: Annotated[
        float | None,
        typer.Option(
            "--tune-minutes", min=0.0, help="Minutes to look for better settings, instead of [training]."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit, calibrate, evaluate out of time, log to MLflow and register a model."""
    learned = _workspace().train(as_of=_day(as_of), tune_minutes=tune_minutes)
    _show(as_json, learned.as_dict(), lambda: _say(learned.text()))
    if not learned.is_fit:
        raise typer.Exit(13)


@app.command()
def evaluate(
    as_of: AsOfOption = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by", metavar="COLUMN", help="Compare treatment by this column too; may be given several times."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the model out of time: lift, calibration, profit, lead time, segments, what each kind of data adds."""
    found = _workspace().evaluate(as_of=_day(as_of), by=tuple(by or ()))
    _show(as_json, found.as_dict(), lambda: _say(found.text()))


@app.command()
def models(as_json: JsonOption = False) -> None:
    """List the registered models and say which one is champion."""
    versions = _workspace().models()
    rows = [_model_row(version) for version in versions]
    _show(
        as_json,
        rows,
        lambda: _table(
            "Models; --json has every figure",
            [*SHOWN_OF_MODELS],
            [[row.get(name, "") for name in SHOWN_OF_MODELS] for row in rows],
        ),
    )


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="Version to make champion.")],
    force: Annotated[
        bool, typer.Option("--force", help="Promote although it is unfit or worse; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Why; kept in MLflow and run_log. Needs --force."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a registered version the champion and copy its bundle into models/; a former champion is a rollback."""
    if force != (reason is not None):
        raise typer.BadParameter("--force and --reason go together.")
    path = _workspace().promote(version, force_reason=reason)
    _show(
        as_json,
        {"champion": version, "bundle": str(path), "forced_by_reason": reason},
        lambda: _say(f"Version {version} is champion: {path}"),
    )


@app.command()
def score(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Compute the risk of every customer and publish scores, reasons and the at-risk list, without a report."""
    _finish_night(_workspace().score(as_of=_day(as_of)), as_json)


@app.command()
def nightly(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Check, score, publish, report: the one command for a scheduler."""
    _finish_night(_workspace().nightly(as_of=_day(as_of)), as_json)


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")],
    every: Annotated[int, typer.Option(min=1, help="Every so many days.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Write scores and tables for past dates; never asks, alerts, exports or writes contacts."""
    nights = _workspace().backfill(
        _required_day(first, "--from"), _required_day(last, "--to"), every_days=every
    )
    plain = [night.as_dict() for night in nights]
    _show(
        as_json,
        plain,
        lambda: _table(
            "Backfilled",
            ["as of", "run", "customers", "warnings"],
            [[str(n.as_of), n.run_id, n.rows.get("scores", 0), len(n.warnings)] for n in nights],
        ),
    )


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="Id of a customer who has not left.")],
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a customer's risk: interval, band, reasons that add up to it, and what moved since the night before."""
    found = _workspace().explain(customer, as_of=_day(as_of))
    _show(as_json, found.as_dict(), lambda: _say(found.text()))


@app.command()
def influence(
    customer: Annotated[str, typer.Argument(help="Id of a customer who has not left.")],
    as_of: AsOfOption = None,
    svg: Annotated[
        Path | None,
        typer.Option(
            "--svg",
            metavar="FILE",
            help="Where to draw the ego network (the folder must be there); default: beside the report of the day.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who is at risk around a customer if they leave, by how much, and draw their ego network."""
    from .places import existing_folder

    if svg is not None:
        existing_folder(svg, "--svg")
    workspace = _workspace()
    found = workspace.influence(customer, as_of=_day(as_of))
    place = workspace.drawn(found, svg)
    plain = {**found.as_dict(), "svg": None if place is None else str(place)}
    drawing = "" if place is None else f"\n\nDrawn: {place}"
    _show(as_json, plain, lambda: _say(found.text() + drawing))


ties_app = typer.Typer(help="Learn how strong ties are from your own data.", no_args_is_help=True)
app.add_typer(ties_app, name="ties")


@ties_app.command("fit")
def fit_ties(
    as_of: AsOfOption = None,
    days: Annotated[
        int, typer.Option(min=1, max=365, help="A tie persists with a contact in the next so many days.")
    ] = 28,
    as_json: JsonOption = False,
) -> None:
    """Learn tie strength from whether ties persist; the next training uses it if it beats the default out of time."""
    found = _workspace().fit_ties(as_of=_day(as_of), days=days)
    _show(as_json, found.as_dict(), lambda: _say(found.text()))


@app.command()
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
    found = _workspace().spread(seeds, as_of=_day(as_of), output=output)
    _show(as_json, found.as_dict(), lambda: _print_spread(found))


@app.command()
def schema(
    table: Annotated[
        str | None, typer.Argument(help="A source, a published table or a list; without it all are shown.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a table: columns, types, units, what null means, rules."""
    from .api import described_tables

    description = described_tables(table)
    _show(as_json, description.as_dict(), lambda: _say(description.text()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with the exit code of what happened."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; user errors become one message, bugs a pointer to ``--debug``."""
    _Call.as_json, _Call.debug = "--json" in arguments, "--debug" in arguments
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        outcome = app(arguments, standalone_mode=False, prog_name="churnrisk")
    except ChurnriskError as error:
        if _Call.debug:
            raise
        return _failed(str(error), error.as_dict(), error.exit_code)
    except OSError as error:
        if _Call.debug:
            raise
        fault = Fault(
            code="file_system",
            where=str(error.filename or "the workspace"),
            expected="a place that can be read and written",
            found=error.strerror or type(error).__name__,
            remedy="Check path, permissions and free space, then run again.",
        )
        return _failed(fault.sentence(), UsageError(fault).as_dict(), UsageError.exit_code)
    except typer.TyperException as error:
        text = error.format_message() if hasattr(error, "format_message") else str(error)
        fault = Fault("usage", "command line", "a command as --help lists it", text, "See churnrisk --help.")
        return _failed(f"{text} See churnrisk --help.", UsageError(fault).as_dict(), UsageError.exit_code)
    except Exception as error:
        if _Call.debug:
            raise
        text = f"A bug in churnrisk ({type(error).__name__}). Run again with --debug before the command and report it."
        return _failed(text, {"error": type(error).__name__, "exit_code": 1, "faults": []}, 1)
    return int(outcome or 0)


def _failed(text: str, plain: dict[str, object], exit_code: int) -> int:
    if _Call.as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"Error: {text}", err=True)
    return exit_code


SHOWN_OF_MODELS = ("version", "as_of", "use", "beside champion", "auc", "top_decile_lift", "log_loss")
"""What a terminal of 80 columns holds of a model."""


def _model_row(version: ModelVersion) -> dict[str, object]:
    figures = {name: round(value, 4) for name, value in version.key_figures.items()}
    alias = "champion" if version.is_champion else ("challenger" if version.is_challenger else "")
    use = alias or ("" if version.is_fit else "unfit")
    return {
        "version": version.version,
        "as_of": version.as_of,
        "use": use,
        "judged": version.judged,
        "beside champion": f"{version.verdict} (version {version.compared_with})" if version.verdict else "",
        **figures,
    }


def _workspace() -> ChurnWorkspace:
    from .api import open_workspace

    return open_workspace(_Call.workspace, interactive=_interactive())


def _interactive() -> bool:
    return sys.stderr.isatty() and not _Call.as_json and not _Call.quiet


def _day(text: str | None) -> date | None:
    return None if text is None else _required_day(text, "--as-of")


def _required_day(text: str, where: str) -> date:
    from .dates import parsed_day

    return parsed_day(text, where)


def _show(as_json: bool, plain: object, draw: Callable[[], None]) -> None:
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
    else:
        draw()


def _say(text: str) -> None:
    typer.echo(text)


def _said(text: str) -> None:
    typer.echo(text, err=True)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
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


def _print_frame(frame: Any, output: Path | None) -> None:
    import polars as pl

    with pl.Config(tbl_rows=10, tbl_cols=10):
        _say(str(frame))
    if output is not None:
        _say(f"Written to {output}")


def _print_spread(found: Spread) -> None:
    from .report.wording import counted

    top = found.frame.head(20)
    rows = [
        [row["position"], row["customer_id"], f"{row['activation']:.4f}", "yes" if row["is_seed"] else ""]
        for row in top.iter_rows(named=True)
    ]
    plain = found.as_dict()
    for words in found.seeds.rejected_words():
        _say(f"Warning: {words}; rows in {found.quarantine}")
    title = f"Reached from {counted(found.seeds.frame.height, 'seed')} as of {found.as_of} (predictive, not causal)"
    _table(title, ["rank", "customer", "activation", "is seed"], rows)
    _say(f"{counted(plain['n_reached'], 'customer')} reached beside the seeds. Written to {found.place}")


def _finish_night(night: Night, as_json: bool) -> None:
    _show(as_json, night.as_dict(), lambda: _print_night(night))


def _print_night(night: Night) -> None:
    rows: Mapping[str, int] = night.rows
    _table(f"Night of {night.as_of} (run {night.run_id})", ["table", "rows"], list(rows.items()))
    for warning in night.warnings:
        _say(f"Warning: {warning}")
    for label, path in night.places.items():
        _say(f"{label}: {path}")
