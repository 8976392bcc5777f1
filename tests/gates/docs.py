"""Documentation made from declarations: writes the generated pages, or says which of them are out of date.

``python -m tests.gates.docs`` checks; ``python -m tests.gates.docs --write`` rewrites. A generated page is never
edited by hand: settings come from the config classes, commands from the command line, tables from their contracts,
features from the catalogue.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from churnrisk.config import Config, Settings, SourceSettings
from churnrisk.errors import EXIT_CODES

DOCS = Path(__file__).parents[2] / "churnrisk" / "docs"
NOTICE = "<!-- Made by `make docs` from the declarations in the code; do not edit by hand. -->\n\n"


def settings_page() -> str:
    """Render every key of ``churnrisk.toml``."""
    lines = [
        "# Settings: churnrisk.toml",
        "",
        "Every key, its default and what it does. Unknown keys are errors.",
        "",
    ]
    for name, field in Config.model_fields.items():
        table = field.annotation
        if name == "sources":
            lines += [
                "## [sources.NAME]",
                "",
                "One table per source; write `[[sources.NAME]]` to join several files.",
                "",
            ]
            lines += _keys(SourceSettings)
        elif isinstance(table, type) and issubclass(table, BaseModel):
            lines += [f"## [{name}]", "", (table.__doc__ or "").strip(), ""]
            lines += _keys(table)
    return "\n".join(lines).rstrip() + "\n"


def _keys(table: type[Settings] | type[BaseModel]) -> list[str]:
    lines = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in table.model_fields.items():
        lines.append(
            f"| `{field.alias or name}` | {_cell(_type_words(field))} | {_cell(_default_words(field))} "
            f"| {_cell(field.description or '')} |"
        )
    return [*lines, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _type_words(field: FieldInfo) -> str:
    def words(kind: Any) -> str:
        options = get_args(kind)
        if kind is type(None):
            return ""
        if options and all(isinstance(option, str) for option in options):
            return " or ".join(f"`{option}`" for option in options)
        origin = getattr(kind, "__origin__", None)
        if origin is tuple:
            return "list of " + words(options[0])
        if origin is dict:
            return "table"
        if options:
            return " or ".join(filter(None, (words(option) for option in options)))
        plain = {
            "str": "text",
            "int": "whole number",
            "float": "number",
            "bool": "true/false",
            "date": "day",
            "datetime": "time",
        }
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            plain[kind.__name__] = "table of " + ", ".join(_keys_of(kind))
        return plain.get(getattr(kind, "__name__", str(kind)), str(kind))

    return words(field.annotation)


def _keys_of(table: type[BaseModel]) -> Iterator[str]:
    for name, field in table.model_fields.items():
        yield f"`{field.alias or name}`"


def _default_words(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), {}):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple) and all(isinstance(each, BaseModel) for each in default):
        return f"`{[each.model_dump(by_alias=True, exclude_none=True) for each in default]}`"
    return f"`{list(default) if isinstance(default, tuple) else default}`"


def commands_page() -> str:
    """Render every command with its options, and the exit codes."""
    import typer

    from churnrisk.cli import app

    group = typer.main.get_command(app)
    lines = [
        "# Commands and exit codes",
        "",
        (
            "`churnrisk [-w DIR] [--debug] [-q] COMMAND ...`; without `-w` the workspace is the current folder. "
            "`--json` prints results and errors for machines."
        ),
        "",
    ]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        lines += _command_lines(f"## churnrisk {name}", command)
        for part, below in sorted(getattr(command, "commands", {}).items()):
            lines += _command_lines(f"### churnrisk {name} {part}", below)
    lines += ["## Exit codes", "", "| code | meaning |", "| --- | --- |"]
    lines += [f"| {code} | {_cell(meaning)} |" for code, meaning in sorted(EXIT_CODES.items())]
    return "\n".join([*lines, "", *WITHOUT_CALLS]).rstrip() + "\n"


WITHOUT_CALLS = (
    "Calls that are missing or stale, one rule: `influence`, `spread` and `ties fit` can say nothing without ties and",
    "leave with 12: no calls source (`ties_missing`, told before a missing model), or no contact in the days that make",
    "a tie (`ties_unknown`: calls stopped coming, no number matched a customer, nobody allows their use). `nightly`,",
    "`score`, `backfill`, `train`, `check` and `features` go on, with a warning that names the table, the last",
    "contact, the days and what to do: all about ties is null then, not 0. In Python, `ws.features` and `ws.ties` warn",
    "with `TiesUnknownWarning`; `ws.ties` gives nodes without ties then, and None without a calls source.",
)


def _command_lines(heading: str, command: Any) -> list[str]:
    rows = [_option_row(option) for option in command.params if option.name != "help"]
    table = ["| option | default | meaning |", "| --- | --- | --- |", *rows, ""] if rows else []
    return [heading, "", (command.help or "").strip(), "", *table]


def _option_row(option: Any) -> str:
    names = option.opts if option.param_type_name == "option" else [option.name.upper()]
    default = "" if option.default in (None, False) or option.required else str(option.default)
    help_text = getattr(option, "help", "") or ""
    return f"| {', '.join(f'`{name}`' for name in names)} | {_cell(default)} | {_cell(help_text)} |"


def tables_page() -> str:
    """Render the contracts of sources and published tables."""
    from churnrisk.api import described_tables

    return described_tables(None).markdown()


def features_page() -> str:
    """Render the feature catalogue."""
    from features.catalogue import catalogue_markdown

    return catalogue_markdown()


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "tables.md": tables_page,
    "features.md": features_page,
}


def stale_pages() -> Iterator[Path]:
    """Yield the generated pages whose text is not what the code would write."""
    for name, render in PAGES.items():
        path = DOCS / name
        if not path.is_file() or path.read_text("utf-8") != NOTICE + render():
            yield path


def main() -> int:
    """Check or write; return the exit code."""
    if "--write" in sys.argv[1:]:
        DOCS.mkdir(parents=True, exist_ok=True)
        for name, render in PAGES.items():
            (DOCS / name).write_text(NOTICE + render(), "utf-8")
        return 0
    stale = [path.name for path in stale_pages()]
    if stale:
        sys.stderr.write(f"Out of date: {', '.join(stale)}. Run `make docs` and commit the result.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
