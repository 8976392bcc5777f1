"""A workspace drawn in a test: settings and small files, loaded, and what came of them as plain rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from churnrisk.config import parsed_config
from churnrisk.errors import ChurnriskError, Fault
from churnrisk.sources import LoadedSources, load
from churnrisk.store import Engine, Workspace

PEOPLE = "customer_id,joined_on\nann,2020-01-01\nbob,2020-01-01\ncid,2020-01-01\n"
HASH_KEY = {"CONTACT_KEY": "a key for tests"}

HEAD = """
[time]
zone = "UTC"
[privacy]
missing_consent = true
hash_key = "env:CONTACT_KEY"
"""


def drawn_workspace(
    root: Path, settings: str, files: Mapping[str, str | bytes], head: str = HEAD
) -> Workspace:
    """Write files and return the workspace of ``head`` and ``settings``; people are ann, bob and cid unless given."""
    root.mkdir(parents=True, exist_ok=True)
    given = dict(files)
    if "[sources.customers]" not in settings and "[[sources.customers]]" not in settings:
        settings += '\n[sources.customers]\npath = "people.csv"\n'
        given.setdefault("people.csv", PEOPLE)
    for name, content in given.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (root / "churnrisk.toml").write_text(head + settings, encoding="utf-8")
    return Workspace(root, parsed_config(head + settings))


def loaded_from(workspace: Workspace, **options: Any) -> LoadedSources:
    """Load a workspace with an engine of its own."""
    with Engine(threads=1) as engine:
        return load(workspace, engine, environment=options.pop("environment", HASH_KEY), **options)


def drawn(root: Path, settings: str, files: Mapping[str, str | bytes], head: str = HEAD) -> LoadedSources:
    """Draw a workspace and load it."""
    return loaded_from(drawn_workspace(root, settings, files, head))


def table(loaded: LoadedSources, name: str) -> pl.DataFrame:
    """Return a validated table."""
    return pl.read_parquet(loaded.tables.paths[name])


def rows(loaded: LoadedSources, name: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of a validated table as rows, times as short ISO text."""
    frame = table(loaded, name).select(columns)
    return [
        tuple(value.isoformat() if hasattr(value, "isoformat") else value for value in row)
        for row in frame.rows()
    ]


def rejected(loaded: LoadedSources, name: str) -> list[tuple[Any, ...]]:
    """Return file-row, column and code of every rejected row of a source."""
    if name not in loaded.quarantine:
        return []
    return pl.read_parquet(loaded.quarantine[name]).select("row", "column", "code").sort("row").rows()


def faults_of(
    root: Path, settings: str, files: Mapping[str, str | bytes], head: str = HEAD
) -> tuple[Fault, ...]:
    """Return the faults with which loading is refused."""
    return refusal(drawn_workspace(root, settings, files, head)).faults


def refusal(workspace: Workspace, **options: Any) -> ChurnriskError:
    """Return the error with which loading is refused."""
    try:
        loaded_from(workspace, **options)
    except ChurnriskError as error:
        return error
    raise AssertionError("loading was not refused")
