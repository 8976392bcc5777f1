"""Commands of models: train, judge, list, promote, and learn how strong ties are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .common import AsOfOption, JsonOption, day_of, say, show, show_table, workspace_here

if TYPE_CHECKING:
    from ..registry import ModelVersion


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
    learned = workspace_here().train(as_of=day_of(as_of), tune_minutes=tune_minutes)
    show(as_json, learned.as_dict(), lambda: say(learned.text()))
    if not learned.is_fit:
        raise typer.Exit(13)


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
    found = workspace_here().evaluate(as_of=day_of(as_of), by=tuple(by or ()))
    show(as_json, found.as_dict(), lambda: say(found.text()))


SHOWN_OF_MODELS = ("version", "as_of", "use", "beside champion", "auc", "log_loss")
"""What a terminal of 80 columns holds of a model."""


def models(as_json: JsonOption = False) -> None:
    """List the registered models and say which one is champion."""
    versions = workspace_here().models()
    rows = [_model_row(version) for version in versions]
    show(
        as_json,
        rows,
        lambda: show_table(
            "Models; --json has every figure",
            [*SHOWN_OF_MODELS],
            [[row.get(name, "") for name in SHOWN_OF_MODELS] for row in rows],
        ),
    )


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
    path = workspace_here().promote(version, force_reason=reason)
    show(
        as_json,
        {"champion": version, "bundle": str(path), "forced_by_reason": reason},
        lambda: say(f"Version {version} is champion: {path}"),
    )


def fit_ties(
    as_of: AsOfOption = None,
    days: Annotated[
        int, typer.Option(min=1, max=365, help="A tie persists with a contact in the next so many days.")
    ] = 28,
    as_json: JsonOption = False,
) -> None:
    """Learn tie strength from whether ties persist; the next training uses it if it beats the default out of time."""
    found = workspace_here().fit_ties(as_of=day_of(as_of), days=days)
    show(as_json, found.as_dict(), lambda: say(found.text()))
