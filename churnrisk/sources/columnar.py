"""Typed tables: Parquet files, frames given in Python and the results of database queries.

It decides how a typed table is cut into batches, and refuses to know what its columns mean.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import Fault
from .files import CHUNK, cut_fault
from .raw import BATCH_ROWS, RawBatch, SourceFault


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class ParquetTable:
    """One Parquet file; nested columns are left out."""

    def __init__(self, path: Path, name: str, *, where: str) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self.path, self.name, self._where = path, name, where
        self.warnings: list[str] = []
        try:
            self._file = parquet.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise SourceFault(self._damage()) from error
        self.fingerprint = content_hash(path)
        flat = [field.name for field in self._file.schema_arrow if not pa.types.is_nested(field.type)]
        self._stored = {name.strip(): name for name in flat}
        if len(self._stored) < len(flat):
            raise SourceFault(
                Fault(
                    "header_duplicate", where, "each column name once", "a name twice", "Rename the columns."
                )
            )

    def _damage(self) -> Fault:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            begins = file.read(4) == b"PAR1"
            file.seek(max(size - 4, 0))
            ends = file.read(4) == b"PAR1"
        if begins and not ends:
            return cut_fault(self.name, "a Parquet file without its footer")
        return Fault(
            "file_unreadable", self.name, "a Parquet file", "other bytes", "Export or copy it again."
        )

    def column_names(self) -> Sequence[str]:
        """Return the names of the flat columns."""
        return list(self._stored)

    def first_records(self) -> None:
        """Return nothing: names and values are told apart by the schema."""

    def batches(self, columns: Sequence[str]) -> Iterator[RawBatch]:
        """Yield the rows as typed."""
        import pyarrow as pa

        done = 0
        stored = [self._stored[name] for name in columns]
        wanted = None if any("." in name for name in stored) else stored
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                named = {
                    name: batch.column(batch.schema.get_field_index(self._stored[name])) for name in columns
                }
                rows = pl.int_range(done + 1, done + batch.num_rows + 1, dtype=pl.Int64, eager=True)
                yield RawBatch(pl.DataFrame(pa.table(named)) if named else pl.DataFrame(), rows)
                done += batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise SourceFault(self._damage()) from error

    def rejected_rows(self) -> Sequence[int]:
        """Return nothing: every record of a Parquet file is a row."""
        return ()


def stored_frame(frame: object, path: Path, where: str) -> Path:
    """Write a Polars, Arrow or pandas frame to Parquet, so that it is read like any file."""
    import pyarrow as pa

    try:
        with warnings.catch_warnings():
            # pandas 3 warns when pyarrow reads its columns with zones; that is between the two of them
            warnings.simplefilter("ignore", DeprecationWarning)
            table = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(pa.table(frame))
    except (TypeError, ValueError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise SourceFault(
            Fault(
                "frame_unreadable",
                where,
                "a Polars, Arrow or pandas frame",
                type(frame).__name__,
                "Give each column one type.",
            )
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    nameless = [name for name in table.columns if name.startswith("__index_level_")]
    table.drop(nameless).write_parquet(path, compression="lz4")
    return path


def stored_query(url: str, query: str, path: Path, where: str) -> Path:
    """Run a query in a database and write its result to Parquet, in batches."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        engine = create_engine(url)
        with engine.connect().execution_options(stream_results=True) as connection:
            result = connection.exec_driver_sql(query)
            _write_rows(list(result.keys()), result, path)
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise SourceFault(
            Fault(
                "database_unreadable",
                where,
                "a database that answers the query",
                type(error).__name__,
                "Try the query in the database, check the URL in the environment and that its driver is installed.",
            )
        ) from error
    return path


def _write_rows(names: list[str], result: Any, path: Path) -> None:
    """Write typed columns as they come; a column whose type changes between batches becomes text."""
    frames = []
    while rows := result.fetchmany(BATCH_ROWS):
        columns: Mapping[str, list[Any]] = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        frames.append(pl.DataFrame({name: _typed(name, values) for name, values in columns.items()}))
    if not frames:
        frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
    pl.concat(_alike(frames)).write_parquet(path, compression="lz4")


def _typed(name: str, values: list[Any]) -> pl.Series:
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _alike(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    for name in frames[0].columns:
        kinds = {frame[name].dtype for frame in frames} - {pl.Null}
        if len(kinds) > 1:
            frames = [frame.with_columns(pl.col(name).cast(pl.String)) for frame in frames]
        elif kinds:
            frames = [frame.with_columns(pl.col(name).cast(next(iter(kinds)))) for frame in frames]
    return frames
