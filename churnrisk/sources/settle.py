"""Turns staged rows into a validated table: keys for ids, a total order, each fact once, immutable Parquet.

It decides which of several rows with one key is kept (the earliest known, then the smallest), and refuses to know
files. Sorting is done by the engine, which spills; the sorted rows then pass once, a batch at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ..store import Engine
from ..store.engine import quoted
from ..tables.contracts import FILE, ROW
from ..tables.faults import CONTROL, sentence_of
from ..tables.marks import MARKS_NAME, joined_marks, marks_of
from .stage import Stage

if TYPE_CHECKING:
    from pyarrow import parquet

ROW_GROUP = 122_880
"""Rows per Parquet row group: DuckDB's own, so that its threads share a file well."""

STREAM_ROWS = 500_000

HASHED = "-1 - cast('0x' || substr(sha256($hash_key || sha256($hash_key || c.customer_id)), 1, 15) as bigint)"
"""A contact outside the base: 60 bits of a nested keyed SHA-256, negative, so that no customer has it. Reckoned once
for each of them, not once for each call: hashing took a third of the joining."""

RESOLVED: dict[str, str] = {
    "customers": """
        select r.customer_key, coalesce(s.valid_from, s.known_at) as begins, s.joined_on as joined_at,
            s.left_on as left_at,
            min(s.left_known_at) over (partition by r.customer_key, s.left_on) as left_known_first,
            s.* exclude (left_known_at)
        from staged as s left join roster as r on r.customer_id = s.customer_id
    """,
    "calls": """
        with contacts as (
            select caller_id as customer_id from staged union select callee_id from staged
        ),
        people as materialized (
            select customer_id, customer_key from roster
            union all
            select c.customer_id, HASHED as customer_key
            from contacts as c anti join roster as r on r.customer_id = c.customer_id
        )
        select a.customer_key as caller_key, b.customer_key as callee_key, s.* exclude (caller_id, callee_id)
        from staged as s
        inner join people as a on a.customer_id = s.caller_id
        inner join people as b on b.customer_id = s.callee_id
    """.replace("HASHED", HASHED),
    "surveys": """
        select r.customer_key, coalesce(s.invited_at, s.answered_at) as asked_at,
            coalesce(s.invitation_known_at, s.answer_known_at) as invitation_known,
            s.answered_at is null as is_silent, s.*
        from staged as s left join roster as r on r.customer_id = s.customer_id
    """,
    "offers": "select * from staged",
    "labelled": "select *, churned as is_leaver from staged",
    **dict.fromkeys(
        ("interactions", "usage", "events", "treatments"),
        "select r.customer_key, s.* from staged as s left join roster as r on r.customer_id = s.customer_id",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A validated table: its columns (name -> column of the resolved rows), its key, what dates a fact."""

    columns: Mapping[str, str]
    key: tuple[str, ...]
    happened: str | None
    known: tuple[str, ...] = ("known_at",)
    """Dates of knowledge: they order rows of one key, and rows that differ in them only say the same."""
    order: tuple[str, ...] = ()
    """What orders rows of one key before the dates of knowledge."""
    counter: str = ""
    id_column: str = ""
    """An optional id: rows without it are the same only when they are equal."""
    prefixes: tuple[str, ...] = ()

    def filled(self, stage: Stage) -> Shape:
        """Add the columns that depend on the user's files."""
        names = {f"metric_{name}": f"metric_{name}" for name in stage.metrics}
        names |= {f"attribute_{name}": f"attribute_{name}" for name in stage.attributes}
        return Shape(
            {**self.columns, **names},
            self.key,
            self.happened,
            self.known,
            self.order,
            self.counter,
            self.id_column,
        )


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


CUSTOMER_COLUMNS = {
    "customer_key": "customer_key", "valid_from": "valid_from", "known_at": "known_at", "joined_at": "joined_at",
    "left_at": "left_at", "left_known_at": "left_known_first",
    **_same("left_reason", "monthly_value", "language"),
    **_same("may_survey", "may_contact", "may_use_calls", "may_use_answers"),
}  # fmt: skip

SHAPES: dict[str, Shape] = {
    "customers": Shape(CUSTOMER_COLUMNS, ("customer_key", "begins"), "joined_at", counter="version"),
    "calls": Shape(
        _same("caller_key", "callee_key", "started_at", "duration_s", "is_missed", "kind", "known_at"),
        # Time first: calls come nearly in its order, which the sort is quick at, and windows can skip row groups.
        ("started_at", "caller_key", "callee_key", "kind"),
        "started_at",
    ),
    "surveys": Shape(
        {
            **_same("invitation_id", "customer_key", "metric", "occasion"),
            "invited_at": "asked_at",
            "known_at": "invitation_known",
            **_same("answered_at", "answer_known_at", "score", "comment", "channel", "language", "sender", "incentive"),
        },
        ("invitation_id", "metric"),
        "invited_at",
        known=("answer_known_at", "invitation_known"),
        order=("is_silent",),
    ),
    "interactions": Shape(
        _same(
            "interaction_id", "customer_key", "at", "known_at", "channel", "topic", "wait_s", "transfers", "repeated",
            "resolved", "abandoned",
        ),
        ("interaction_id",),
        "at",
        id_column="interaction_id",
    ),
    "usage": Shape(
        _same("customer_key", "period_start", "known_at"), ("customer_key", "period_start", "_metrics"), "period_start"
    ),
    "events": Shape(
        _same("customer_key", "at", "known_at", "event", "value"), ("customer_key", "at", "event", "value"), "at"
    ),
    "treatments": Shape(
        _same(
            "treatment_id", "customer_key", "offer_id", "at", "known_at", "propensity", "accepted", "root_cause",
            "instead_of", "left_alone",
        ),
        ("treatment_id",),
        "at",
    ),
    "offers": Shape(
        _same(
            "offer_id", "name", "kind", "contact_cost", "incentive_cost", "capacity", "eligible", "channel", "suits"
        ),
        ("offer_id",),
        None,
        known=(),
    ),
    "labelled": Shape(
        _same("customer_id", "churned", "weight", "observed_at"),
        ("customer_id", "observed_at"),
        "observed_at",
        known=(),
        counter="row",
        id_column="customer_id",
    ),
}  # fmt: skip


@dataclass
class Settled:
    """What passed while a table was written."""

    path: Path
    n_kept: int = 0
    first: datetime | None = None
    last: datetime | None = None
    last_known: datetime | None = None
    nulls: dict[str, int] = field(default_factory=dict)

    def add(self, kept: pl.DataFrame, shape: Shape) -> None:
        """Count the rows of a batch."""
        self.n_kept += kept.height
        for name in kept.columns:
            self.nulls[name] = self.nulls.get(name, 0) + kept[name].null_count()
        known = "answer_known_at" if "answer_known_at" in kept.columns else "known_at"
        if shape.happened is not None:
            self.first = _least(self.first, kept[shape.happened].min())
            self.last = _most(self.last, kept[shape.happened].max())
        if known in kept.columns:
            self.last_known = _most(self.last_known, kept[known].max())


def _least(one: datetime | None, other: object) -> datetime | None:
    found = [item for item in (one, other) if isinstance(item, datetime)]
    return min(found) if found else None


def _most(one: datetime | None, other: object) -> datetime | None:
    found = [item for item in (one, other) if isinstance(item, datetime)]
    return max(found) if found else None


class RowGroups:
    """Writes frames to one Parquet file in row groups whose bounds depend on the rows alone."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer: parquet.ParquetWriter | None = None
        self._held: list[pl.DataFrame] = []
        self._n_held = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows."""
        self._held.append(frame)
        self._n_held += frame.height
        if self._n_held < ROW_GROUP:
            return
        whole = pl.concat(self._held)
        full = whole.height - whole.height % ROW_GROUP
        for start in range(0, full, ROW_GROUP):
            self._write(whole.slice(start, ROW_GROUP))
        self._held, self._n_held = [whole.slice(full)], whole.height - full

    def close(self) -> None:
        """Write what is left and the footer."""
        if self._n_held or self._writer is None:
            self._write(pl.concat(self._held))
        if self._writer is not None:
            self._writer.close()

    def _write(self, frame: pl.DataFrame) -> None:
        from pyarrow import parquet

        table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._writer is None:
            # Dictionaries only for words: tried on keys and instants they double the time and make larger files.
            words = [name for name, kind in frame.schema.items() if kind == pl.String]
            self._writer = parquet.ParquetWriter(
                self._path, table.schema, compression="zstd", compression_level=1, use_dictionary=words
            )
        self._writer.write_table(table, row_group_size=ROW_GROUP)


def settled(
    engine: Engine,
    stage: Stage,
    path: Path,
    parameters: Mapping[str, object],
    *,
    offers: Sequence[str] | None = None,
) -> Settled:
    """Write the validated table of a stage; what repeats, contradicts or names nobody goes to quarantine."""
    shape = SHAPES[stage.table.name].filled(stage)
    engine.register("staged", stage.good)
    seen = Settled(path)
    writer = RowGroups(path)
    passing = _Passing(stage, shape, offers)
    marks: list[pl.DataFrame] = []
    for batch in _sorted_batches(engine, stage.table.name, shape, parameters):
        kept = passing.kept(batch)
        if shape.counter:
            first = seen.n_kept + (shape.counter == "row")
            numbers = pl.int_range(first, first + kept.height, dtype=pl.Int64, eager=True)
            kept = kept.select(numbers.alias(shape.counter), *kept.columns)
            if shape.counter == "row" and not stage.has_ids:
                kept = kept.with_columns(pl.col("row").cast(pl.String).alias("customer_id"))
        writer.add(kept)
        seen.add(kept, shape)
        if stage.table.name == "calls":
            marks.append(marks_of(kept.lazy()))
    writer.close()
    if marks:
        joined_marks(marks).write_parquet(path.with_name(MARKS_NAME), compression="zstd")
    engine.drop("staged")
    return seen


def _sorted_batches(
    engine: Engine, name: str, shape: Shape, parameters: Mapping[str, object]
) -> Iterator[pl.DataFrame]:
    columns = list(dict.fromkeys([*shape.columns.values(), *shape.key, *shape.order]))
    order = [
        *shape.key,
        *shape.order,
        *shape.known,
        *(column for column in columns if column not in shape.key),
    ]
    selected = ", ".join(quoted(column) for column in [*columns, FILE, ROW])
    ordered = ", ".join(f"{quoted(column)} nulls last" for column in [*dict.fromkeys(order), FILE, ROW])
    sql = f"select {selected} from ({RESOLVED[name]}) order by {ordered}"  # noqa: S608 - identifiers are quoted
    given = {key: value for key, value in parameters.items() if f"${key}" in sql}
    yield from engine_batches(engine, sql, given)


def engine_batches(engine: Engine, sql: str, parameters: Mapping[str, object]) -> Iterator[pl.DataFrame]:
    """Yield the rows of a query in batches, in its order; at least one, so that the columns are known."""
    import pyarrow as pa

    reader = engine.connection.sql(sql, params=dict(parameters)).to_arrow_reader(STREAM_ROWS)
    yield pl.DataFrame(pa.Table.from_batches([], schema=reader.schema))
    for batch in reader:
        yield pl.DataFrame(batch)


@dataclass
class _Passing:
    """Sorted rows passing by: remembers the first row of the current key."""

    stage: Stage
    shape: Shape
    offers: Sequence[str] | None
    last: pl.DataFrame | None = None

    def kept(self, batch: pl.DataFrame) -> pl.DataFrame:
        rows = self._of_customers(batch)
        n_carried = 0
        if self.last is not None:
            n_carried = self.last.height
            rows = pl.concat([self.last, rows])
        if rows.is_empty():
            return self._lake(rows)
        repeats = self._same_key(rows)
        starts = pl.select(
            pl.when(~repeats).then(pl.int_range(rows.height, dtype=pl.Int64)).forward_fill()
        ).to_series()
        self.last = rows[int(starts[-1])]
        if repeats.any():
            self._reject(rows, repeats, starts)
        is_new = ~repeats
        if n_carried:
            is_new = is_new & (pl.int_range(rows.height, eager=True) >= n_carried)
        return self._lake(rows.filter(is_new))

    def _lake(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select(pl.col(column).alias(name) for name, column in self.shape.columns.items())

    def _of_customers(self, batch: pl.DataFrame) -> pl.DataFrame:
        if "customer_key" not in batch.columns:
            return batch
        stranger = batch["customer_key"].is_null()
        if stranger.any():
            self._quarantine(batch.filter(stranger), "unknown_customer", "customer_id")
        known = batch.filter(~stranger)
        if self.offers is None or self.stage.table.name != "treatments":
            return known
        offered = known["offer_id"].is_in([*self.offers, CONTROL])
        self._quarantine(known.filter(~offered), "unknown_offer", "offer_id")
        known = known.filter(offered)
        named = known["instead_of"].is_in(self.offers).fill_null(value=True)
        self._quarantine(known.filter(~named), "unknown_instead_of", "instead_of")
        return known.filter(named)

    def _same_key(self, rows: pl.DataFrame) -> pl.Series:
        same = _equals_previous(rows, self.shape.key)
        optional = self.shape.id_column
        if optional:
            nameless = rows[optional].is_null()
            if nameless.any():
                equal = _equals_previous(rows, [name for name in rows.columns if name not in {FILE, ROW}])
                equal = equal & (self.stage.table.name != "labelled")
                same = equal.zip_with(nameless, same)
        return same

    def _reject(self, rows: pl.DataFrame, repeats: pl.Series, starts: pl.Series) -> None:
        again = rows.filter(repeats)
        first = rows[starts.filter(repeats)]
        compared = [name for name in rows.columns if name not in {FILE, ROW, *self.shape.known}]
        equal = pl.Series([True]).new_from_index(0, again.height)
        for name in compared:
            equal = equal & again[name].eq_missing(first[name])
        later = ~equal
        if self.stage.table.name == "surveys":
            silent = later & again["is_silent"] & ~first["is_silent"]
            self._quarantine(again.filter(silent), "superseded", "")
            later = later & ~silent
        self._quarantine(again.filter(equal), "duplicate_row", "")
        self._quarantine(again.filter(later), "duplicate_key", "")

    def _quarantine(self, rows: pl.DataFrame, code: str, column: str) -> None:
        self.stage.add_bad(
            rows.select(
                FILE,
                ROW,
                pl.lit(code).alias("code"),
                pl.lit([code]).alias("codes"),
                pl.lit(column).alias("column"),
                pl.lit(None, dtype=pl.String).alias("value"),
                pl.lit(sentence_of(code, column, "")).alias("reason"),
            )
        )


def _equals_previous(rows: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    same = pl.int_range(rows.height, eager=True) > 0
    for name in names:
        same = same & rows[name].eq_missing(rows[name].shift(1))
    return same
