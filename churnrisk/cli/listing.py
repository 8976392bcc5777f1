"""How ``--help`` lists commands: with the whole first sentence of each, on as many lines as it takes."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

_WHOLE = 1_000
"""Characters of a sentence that nobody writes; click cuts it off at the width of the terminal."""


class Commands(TyperGroup):
    """A group of commands that lists them with whole sentences, and shows its help when called without a command."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one entry per command; long ones wrap."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, each.get_short_help_str(_WHOLE))
            for name, each in found
            if each is not None and not each.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read options; without any word the help is all there is to say (exit 2)."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(2)
        return super().parse_args(ctx, args)
