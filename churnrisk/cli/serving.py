"""The command that serves: the console."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from .common import Call, say_aside


def console(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all of the machine's.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any.")] = 8321,
) -> None:
    """Take answers of survey platforms over HTTP, and send what is due once a minute, until stopped."""
    from ..console import serve
    from ..store import Workspace

    serve(Workspace.open(Call.workspace), os.environ, host=host, port=port, tell=_told)


def _told(address: str) -> None:
    say_aside(f"Answers are taken at {address}; stop with Ctrl-C.")
