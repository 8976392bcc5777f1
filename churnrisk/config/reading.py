"""Reads ``churnrisk.toml`` and says what is wrong with it, all faults at once.

It decides the wording of faults in settings, and refuses to know any one setting.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import ConfigError, Fault, did_you_mean
from .base import CONFIG_NAME
from .sources import SOURCE_NAMES, SourceSettings
from .whole import Config


def parsed_config(text: str, where: str = CONFIG_NAME) -> Config:
    """Read the text of a ``churnrisk.toml``; raise ConfigError with every fault found."""
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            Fault("config_unreadable", where, "valid TOML", str(error), "Mend the line named.")
        ) from error
    try:
        return Config.model_validate(plain)
    except ValidationError as error:
        raise ConfigError(list(_faults(error, plain, where))) from error


def load_config(root: Path) -> Config:
    """Read ``churnrisk.toml`` in ``root``; raise ConfigError when it is missing or wrong."""
    path = root / CONFIG_NAME
    if not path.is_file():
        raise ConfigError(
            Fault(
                code="config_missing",
                where=str(path),
                expected="a workspace with a churnrisk.toml",
                found="no such file",
                remedy="Run `churnrisk init DIR` to make one, or name the workspace with -w DIR.",
            )
        )
    return parsed_config(path.read_text(encoding="utf-8-sig"), where=str(path))


def _faults(error: ValidationError, plain: Mapping[str, Any], where: str) -> Iterator[Fault]:
    for item in error.errors():
        location, member = _member([part for part in _told_location(item["loc"], plain) if part != "[key]"])
        table, key = ".".join(location[:-1]), location[-1] if location else ""
        if len(location) == 2 and not member and isinstance(item["loc"][-1], int):  # noqa: PLR2004 - a whole table of [sources]
            table, key = ".".join(location), ""
        place = f"{where} [{table}] {key}".rstrip() if table else f"{where} {key}"
        place += member
        if item["type"] == "extra_forbidden" or (
            location[:1] == ["sources"] and item["loc"][-1] == "[key]" and len(location) == 2  # noqa: PLR2004
        ):
            known = _known_keys(location[:-1])
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else "Remove it."
            yield Fault("setting_unknown", place, "a known setting", repr(key), hint, tuple(sorted(known)))
        else:
            if isinstance(item["input"], dict) and len(location) == 1:
                place = f"{where} [{location[0]}]"
            expected = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            expected = expected.replace("a valid tuple", 'a list, as ["one", "two"]')
            yield Fault("setting_invalid", place, expected, _found(item, expected, key), _correction(item))


def _member(location: list[str | int]) -> tuple[list[str], str]:
    """Part a location from the place in a list at its end, which is told from 1: ``refuse_on``, ``, item 1``."""
    if len(location) > 2 and isinstance(location[-1], int):  # noqa: PLR2004 - two name the table of a source
        return [str(part) for part in location[:-1]], f", item {location[-1] + 1}"
    return [str(part) for part in location], ""


def _correction(item: ErrorDetails) -> str:
    """Return the remedy: of words to choose from the nearest, where one is near."""
    words = re.findall(r"'([^']*)'", item.get("ctx", {}).get("expected", ""))
    return did_you_mean(str(item["input"]), words) or "Correct the value."


def _found(item: ErrorDetails, expected: str, key: str) -> str:
    """Tell what stands there; of a table the keys that are spoken of, without what could be a secret of a source."""
    given = item["input"]
    if not isinstance(given, dict):
        return type(given).__name__ if key == "database" else repr(given)
    words = re.findall(r"\w+", expected)
    spoken = [name for name in given if name in words]
    if item["loc"][:1] != ("sources",):
        spoken = [f"{name} = {given[name]!r}" for name in spoken]
    return ", ".join(spoken) if spoken else "a table"


def _told_location(location: tuple[str | int, ...], plain: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Name the table of a source by its position from 1, when it is not the only one."""
    if location[:1] != ("sources",) or len(location) < 3 or not isinstance(location[2], int):  # noqa: PLR2004
        return location
    tables = plain["sources"][location[1]]
    number = f" {location[2] + 1}" if isinstance(tables, list) and len(tables) > 1 else ""
    return ("sources", f"{location[1]}{number}", *location[3:])


def _known_keys(location: list[str]) -> list[str]:
    if not location:
        return list(Config.model_fields)
    if location[0] == "sources":
        if len(location) == 1:
            return list(SOURCE_NAMES)
        return [field.alias or name for name, field in SourceSettings.model_fields.items()]
    field = Config.model_fields.get(location[0])
    table = field.annotation if field is not None else None
    for part in location[1:]:
        table = _below(table, part)
    if not (isinstance(table, type) and issubclass(table, BaseModel)):
        return []
    return [field.alias or name for name, field in table.model_fields.items()]


def _below(table: Any, part: str) -> Any:
    """Return what a key holds, or what the places of a list hold."""
    if part.isdigit():
        return next(iter(get_args(table)), None)
    fields = table.model_fields if isinstance(table, type) and issubclass(table, BaseModel) else {}
    return fields[part].annotation if part in fields else None
