"""Where rows go: one CSV file that grows, or a folder of Parquet parts; memory holds one batch at a time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from .settings import FileFormat

if TYPE_CHECKING:
    import polars as pl

COMPRESSION_LEVEL = 1
"""zstd: higher levels make parts a tenth smaller at twice the time."""
ROW_GROUP = 262_144


class Sink:
    """Takes the batches of one table in order; `path` is the file, or the glob of the parts."""

    def __init__(self, directory: Path, table: str, file_format: FileFormat) -> None:
        self._folder = directory / table
        self._file = directory / f"{table}.csv"
        self._is_csv = file_format == "csv"
        self._open: IO[bytes] | None = None
        self._closing = ExitStack()
        self.n_rows = 0
        self.n_parts = 0

    @property
    def path(self) -> Path:
        """The file, or the glob that matches all parts."""
        return self._file if self._is_csv else self._folder / "*.parquet"

    def write(self, rows: pl.DataFrame, part: str) -> None:
        """Write one batch; ``part`` names it when parts are separate files, and must sort in order of writing."""
        if self._is_csv:
            self._append(rows)
        elif rows.height or not self.n_parts:
            self._folder.mkdir(parents=True, exist_ok=True)
            rows.write_parquet(
                self._folder / f"{part}.parquet",
                compression="zstd",
                compression_level=COMPRESSION_LEVEL,
                row_group_size=ROW_GROUP,
            )
            self.n_parts += 1
        self.n_rows += rows.height

    def _append(self, rows: pl.DataFrame) -> None:
        is_first = self._open is None
        if self._open is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._open = self._closing.enter_context(self._file.open("wb"))
            self.n_parts = 1
        rows.write_csv(self._open, include_header=is_first, datetime_format="%Y-%m-%d %H:%M:%S")

    def __enter__(self) -> Sink:
        """Give itself; the file opens with the first batch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._closing.close()
