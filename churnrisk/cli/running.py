"""One run of the command line: what went wrong as one message, and the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

import typer

from ..errors import ChurnriskError, Fault, UsageError
from .commands import app
from .common import Call


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with the exit code of what happened."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; user errors become one message, bugs a pointer to ``--debug``."""
    Call.as_json, Call.debug = "--json" in arguments, "--debug" in arguments
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        outcome = app(arguments, standalone_mode=False, prog_name="churnrisk")
    except ChurnriskError as error:
        if Call.debug:
            raise
        return _failed(str(error), error.as_dict(), error.exit_code)
    except OSError as error:
        if Call.debug:
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
        if Call.debug:
            raise
        text = f"A bug in churnrisk ({type(error).__name__}). Run again with --debug before the command and report it."
        return _failed(text, {"error": type(error).__name__, "exit_code": 1, "faults": []}, 1)
    return int(outcome or 0)


def _failed(text: str, plain: dict[str, object], exit_code: int) -> int:
    if Call.as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"Error: {text}", err=True)
    return exit_code
