"""The command that takes what came back: answers, outcomes, treatments, contacts."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from .common import JsonOption, say, show, workspace_here


def record(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="answers, outcomes, treatments, contacts, consents, suppressions or liftings.",
        ),
    ],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or Parquet; columns: schema recorded_KIND.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Record what came back: answers, outcomes, treatments and more; the same file twice changes nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they stand in what is shown
        found = workspace_here().record(kind, file)
    if found.is_refused:  # a scheduler must notice
        raise found.refusal
    show(as_json, found.as_dict(), lambda: say(found.text()))
