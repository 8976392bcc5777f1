"""Where tables, pictures and documents of a judgement lie among the artifacts of its run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl


def write_judgement(
    folder: Path,
    tables: Mapping[str, pl.DataFrame],
    pictures: Mapping[str, bytes],
    documents: Mapping[str, str],
) -> None:
    """Write ``tables/*.csv``, ``pictures/*`` and the documents by their names into ``folder``."""
    for name, table in tables.items():
        place = folder / "tables" / f"{name}.csv"
        place.parent.mkdir(parents=True, exist_ok=True)
        table.write_csv(place)
    for name, content in pictures.items():
        place = folder / "pictures" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    for name, text in documents.items():
        (folder / name).write_text(text, "utf-8")
