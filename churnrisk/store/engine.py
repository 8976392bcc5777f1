"""The SQL engine: one DuckDB connection that reads Parquet and frames, runs statements, and gives Polars back.

It decides how DuckDB is opened and how results leave it, and refuses to know what the tables mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import polars as pl

from ..errors import ConfigError, Fault
from .statements import Statement

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PARQUET_OPTIONS = "format parquet, compression zstd, compression_level 3, row_group_size 122880"


def quoted(name: str) -> str:
    """Return ``name`` as a SQL identifier, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return ``text`` as a SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


class Engine:
    """An in-memory DuckDB whose tables are views over Parquet files and frames, or temporary tables.

    Parameters
    ----------
    memory_limit : str or None
        Memory DuckDB may use before it spills, e.g. ``"4GB"``; None keeps DuckDB's default (80 % of the machine).
    threads : int or None
        Worker threads; None uses every core.
    spill : Path or None
        Folder for spilled data; made when needed.
    """

    def __init__(
        self, *, memory_limit: str | None = None, threads: int | None = None, spill: Path | None = None
    ) -> None:
        import duckdb

        options: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if memory_limit is not None:
            options["memory_limit"] = memory_limit
        if threads is not None:
            options["threads"] = threads
        if spill is not None:
            options["temp_directory"] = str(spill)
        self.connection: duckdb.DuckDBPyConnection = duckdb.connect(":memory:", config=options)
        self.connection.execute("set TimeZone = 'UTC'")
        # In a notebook without ipywidgets it is off, and may not even be switched off.
        if self.connection.execute("select current_setting('enable_progress_bar')").fetchall() != [(False,)]:
            self.connection.execute("set enable_progress_bar = false")

    def __enter__(self) -> Engine:
        """Return the engine itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection and drop everything in it."""
        self.connection.close()

    def register(self, name: str, source: Path | pl.DataFrame | pa.Table) -> None:
        """Make a Parquet file or a frame readable as the table ``name``, replacing what had the name."""
        self.drop(name)
        if isinstance(source, Path):
            relation = self.connection.read_parquet(str(source))
            relation.create_view(name, replace=True)
        else:
            self.connection.register(name, source.to_arrow() if isinstance(source, pl.DataFrame) else source)

    def drop(self, name: str) -> None:
        """Forget the table or view ``name`` if there is one."""
        import duckdb

        self.connection.unregister(name)
        # Asking the catalogue first costs five times as much as being told that it is the other kind.
        for kind in ("view", "table"):
            with suppress(duckdb.CatalogException):
                self.connection.execute(f"drop {kind} if exists {quoted(name)}")

    def columns(self, name: str) -> dict[str, str]:
        """Return column name -> SQL type of a table, in order."""
        rows = self.connection.execute(f"describe {quoted(name)}").fetchall()
        return {row[0]: row[1] for row in rows}

    def create(self, statement: Statement, parameters: Mapping[str, object]) -> None:
        """Run ``statement`` into a temporary table named after its output; superfluous parameters are left out."""
        self.drop(statement.output)
        with _within_memory(statement.output):
            self.connection.execute(
                f"create temp table {quoted(statement.output)} as {statement.runnable}",
                _needed(statement, parameters),
            )

    def frame(
        self, statement: Statement | str, parameters: Mapping[str, object] | None = None
    ) -> pl.DataFrame:
        """Run a statement, or SQL text with exactly ``parameters``, and return its rows."""
        return pl.DataFrame(self.arrow(statement, parameters))

    def arrow(self, statement: Statement | str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Run like :meth:`frame` and return an Arrow table."""
        given = dict(parameters or {})
        if isinstance(statement, Statement):
            with _within_memory(statement.output):
                return self.connection.sql(
                    statement.runnable, params=_needed(statement, given)
                ).to_arrow_table()
        with _within_memory("a query"):
            return self.connection.sql(statement, params=given).to_arrow_table()

    def batches(
        self, statement: Statement, parameters: Mapping[str, object], n_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a statement in batches, as files hold them; several may be read at once, by threads."""
        with _within_memory(statement.output), self.connection.cursor() as cursor:
            relation = cursor.sql(statement.runnable, params=_needed(statement, parameters))
            yield from relation.to_arrow_reader(n_rows)

    def write(self, query: str, path: Path, parameters: Mapping[str, object] | None = None) -> int:
        """Write the rows of ``query``, in its order, to the Parquet file ``path``; return how many."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with _within_memory(path.stem):
            rows = self.connection.execute(
                f"copy ({query}) to {literal(path)} ({PARQUET_OPTIONS})", dict(parameters or {})
            ).fetchone()
        return int(rows[0]) if rows else 0

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run one command for its effect."""
        with _within_memory("a command"):
            self.connection.execute(sql, dict(parameters or {}))


@contextmanager
def _within_memory(what: str) -> Iterator[None]:
    """Turn the engine's want of memory into an error that says which setting helps."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise ConfigError(
            Fault(
                code="memory_exhausted",
                where=f"the engine, while making {what}",
                expected="enough memory, or room to spill beside the workspace",
                found="neither",
                remedy="Raise [engine] memory_limit, lower [engine] threads, or free disk space.",
            )
        ) from error


def _needed(statement: Statement, parameters: Mapping[str, object]) -> dict[str, object]:
    return {name: parameters[name] for name in statement.all_parameters}
