"""Writing rows so that writing them twice is writing them once: by key, in bulk, on both databases alike.

It decides how a frame becomes rows, and refuses to know what they mean. Rows travel as one JSON text per batch, which
both databases unfold themselves: no loop over rows in Python, and the database says how many rows it changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, and_, case, column, func, or_, text, update
from sqlalchemy.dialects import postgresql, sqlite

BATCH_ROWS = 50_000
"""Rows in one statement: some 10 MB of JSON. A guess."""

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def add(db: Connection, table: Table, frame: pl.DataFrame) -> int:
    """Insert the rows whose key is not there yet, and return how many; those that are there stay as they are.

    Parameters
    ----------
    db : Connection
        Of a transaction that writes.
    table : Table
        One of `churnrisk.ledger.schema`.
    frame : DataFrame
        Columns of the table; those that are left out become null. Of rows with one key the first counts.
    """
    names = _names(table, frame)
    statement = _insert(db, table, names).on_conflict_do_nothing(index_elements=_key(table))
    return sum(_run(db, statement, part) for part in _parts(table, frame, names))


def put(
    db: Connection, table: Table, frame: pl.DataFrame, columns: Sequence[str], *, filled: Sequence[str] = ()
) -> int:
    """Insert rows, and of those that are there replace ``columns`` by what is not null and differs; return how many.

    Of the columns ``filled`` what is there stays: only a null gets a value. A row that says nothing new is not counted,
    so a file written twice changes 0 rows the second time.
    """
    names = _names(table, frame)
    insert = _insert(db, table, names)
    given = {name: insert.excluded[name] for name in (*columns, *filled) if name in names}
    if not given:
        return add(db, table, frame)
    is_news = {
        name: new.is_not(None)
        & (table.c[name].is_(None) if name in filled else new.is_distinct_from(table.c[name]))
        for name, new in given.items()
    }
    statement = insert.on_conflict_do_update(
        index_elements=_key(table),
        set_={name: case((is_news[name], new), else_=table.c[name]) for name, new in given.items()},
        where=or_(*is_news.values()),
    )
    return sum(_run(db, statement, part) for part in _parts(table, frame, names))


def change(db: Connection, table: Table, frame: pl.DataFrame, columns: Sequence[str]) -> int:
    """Replace ``columns`` in rows that are there by what is not null and differs; return how many rows changed.

    ``frame`` has the key and the columns; rows whose key is not there are passed over.
    """
    key = _key(table)
    names = [*key, *columns]
    rows = _unfolded(db, table, names).subquery("given")
    same_key = and_(*(table.c[name] == rows.c[name] for name in key))
    differs = or_(
        *(rows.c[name].is_not(None) & rows.c[name].is_distinct_from(table.c[name]) for name in columns)
    )
    new = {name: func.coalesce(rows.c[name], table.c[name]) for name in columns}
    statement = update(table).where(same_key, differs).values(new)
    return sum(_run(db, statement, part) for part in _parts(table, frame, names))


def _names(table: Table, frame: pl.DataFrame) -> list[str]:
    return [column.name for column in table.columns if column.name in frame.columns]


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def _parts(table: Table, frame: pl.DataFrame, names: Sequence[str]) -> list[pl.DataFrame]:
    rows = frame.select(names).unique(_key(table), keep="first", maintain_order=True)
    instants = pl.selectors.datetime()
    # PostgreSQL holds no NUL in a text
    plain = rows.with_columns(pl.selectors.string().str.replace_all("\x00", "", literal=True))
    told = plain.with_columns(instants.dt.strftime("%Y-%m-%d %H:%M:%S%.6f"))
    return [told.slice(start, BATCH_ROWS) for start in range(0, told.height, BATCH_ROWS)]


def _insert(db: Connection, table: Table, names: Sequence[str]) -> Any:
    """Return ``insert into table (names) select ... from rows``."""
    return _INSERT[db.dialect.name](table).from_select(list(names), _unfolded(db, table, names))


def _unfolded(db: Connection, table: Table, names: Sequence[str]) -> Any:
    """Return the rows of a JSON text as a select; names are those of the schema."""
    if db.dialect.name == "sqlite":
        columns = ", ".join(f"json_extract(value, '$.{name}') as {name}" for name in names)
        unfolded = f"select {columns} from json_each(:rows) where true"  # noqa: S608 - names of the schema
    else:
        columns = ", ".join(f'"{name}"' for name in names)
        source = f"json_populate_recordset(cast(null as {table.name}), cast(:rows as json))"
        unfolded = f"select {columns} from {source}"  # noqa: S608 - names of the schema
    return text(unfolded).columns(*(column(name, table.c[name].type) for name in names))


def _run(db: Connection, statement: Any, part: pl.DataFrame) -> int:
    counted = statement.execution_options(preserve_rowcount=True)
    return db.execute(counted, {"rows": part.write_json()}).rowcount
