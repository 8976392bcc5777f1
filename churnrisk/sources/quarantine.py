"""Rejected rows: one Parquet per source with file, row, column, code and reason, and their counts.

It decides what of a rejected row may be kept (never an id, never free text) and refuses to judge rows.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from ..store import Workspace
from ..tables.contracts import FILE, ROW
from .reports import FaultCount
from .stage import Stage


def write_quarantine(stage: Stage, path: Path) -> None:
    """Write every rejected row of a stage, by file and row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files = pl.Series("file", stage.files, dtype=pl.String)
    (
        stage.bad_rows()
        .select(
            pl.lit(stage.table.name).alias("source"),
            pl.lit(files.implode()).list.get(pl.col(FILE)).alias("file")
            if len(files)
            else pl.lit("").alias("file"),
            pl.col(ROW).alias("row"),
            "column",
            "code",
            "codes",
            "reason",
            "value",
        )
        .sort("file", "row", "code")
        .sink_parquet(path, compression="zstd", row_group_size=122_880)
    )


def fault_counts(stage: Stage) -> tuple[FaultCount, ...]:
    """Count rejected rows by first code and column, most frequent first."""
    found = (
        stage.bad_rows()
        .group_by("code", "column", "reason")
        .agg(pl.len().alias("n"), *(pl.col(name).sort_by(FILE, ROW).first() for name in (FILE, ROW)))
        .sort([pl.col("n") * -1, "code", "column"])
        .collect()
    )
    return tuple(
        FaultCount(
            code=row["code"],
            column=row["column"],
            n_rows=row["n"],
            reason=row["reason"],
            first_file=stage.files[row[FILE]],
            first_row=row[ROW],
        )
        for row in found.iter_rows(named=True)
    )


def publish_quarantine(workspace: Workspace, quarantine: Mapping[str, Path], day: date) -> list[Path]:
    """Copy rejected rows to ``quarantine/<as_of>/``, replacing what is there; return the files."""
    folder = workspace.quarantine(day)
    if folder.is_dir():
        shutil.rmtree(folder)
    written = []
    for name, path in sorted(quarantine.items()):
        folder.mkdir(parents=True, exist_ok=True)
        written.append(folder / f"{name}.parquet")
        shutil.copyfile(path, written[-1])
    return written
