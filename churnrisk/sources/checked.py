"""Checks one batch of raw records against the contract of its table: good rows typed, bad rows with every reason.

It decides in which order faults count, and refuses to know other rows: duplicates and unknown customers come later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from ..tables.columns import MOST, about, empty_series
from ..tables.contracts import FILE, ROW, SourceTable, limit_code
from ..tables.faults import FAULT_ORDER
from .knowledge import COMPLETE, Draft
from .mapping import ColumnMap
from .raw import RawBatch
from .values import (
    Read,
    Spelling,
    as_text,
    read_flag,
    read_id,
    read_instant,
    read_number,
    read_whole,
    stripped,
)

SHOWN_KINDS = frozenset({"word", "instant", "day", "number", "integer", "boolean"})
"""Kinds whose offending value is kept in quarantine; ids and texts may name a person and are not."""

BAD_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    FILE: pl.Int64,
    ROW: pl.Int64,
    "code": pl.String,
    "codes": pl.List(pl.String),
    "column": pl.String,
    "value": pl.String,
}
"""Rejected rows on their way to quarantine, under our names of columns."""


@dataclass(frozen=True)
class Reader:
    """How the batches of one file are read and checked."""

    table: SourceTable
    mapping: ColumnMap
    spelling: Spelling
    file: int
    metrics: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """The good rows of a batch in the table's types, and its bad rows as BAD_SCHEMA."""

    good: pl.DataFrame
    bad: pl.DataFrame
    needs_zone: bool
    n_without_consent: dict[str, int]


@dataclass
class _Faults:
    rows: pl.Series
    found: list[pl.DataFrame]

    def add(self, code: str, column: str, mask: pl.Series, shown: pl.Series | None) -> None:
        if not mask.any():
            return
        values = as_text(shown.filter(mask)) if shown is not None else None
        rows = self.rows.filter(mask)
        self.found.append(
            pl.DataFrame(
                {
                    ROW: rows,
                    "code": pl.repeat(code, len(rows), eager=True),
                    "column": pl.repeat(column, len(rows), eager=True),
                    "value": values
                    if values is not None
                    else pl.repeat(None, len(rows), dtype=pl.String, eager=True),
                }
            )
        )


def checked_batch(reader: Reader, batch: RawBatch) -> Checked:
    """Read and check one batch."""
    table, mapping = reader.table, reader.mapping
    size = len(batch.rows)
    rows = batch.rows.alias(ROW)
    faults = _Faults(rows, [])
    for column in batch.bad_characters:
        faults.add("bad_characters", column, _broken(batch.frame[column]), None)
    raw = {name: _raw(reader, batch, name, size) for name in table.columns}
    reads = {name: _read(reader, name, values) for name, values in raw.items()}
    for name, read in reads.items():
        for fault in read.faults:
            faults.add(fault.code, name, fault.mask, _shown(table, name, raw[name]))
    draft = Draft(
        {name: _instants(name, read) for name, read in reads.items()},
        {name: read.ends for name, read in reads.items() if read.ends is not None},
        mapping,
        reader.spelling,
    )
    if table.name in COMPLETE:
        COMPLETE[table.name](draft)
    for code, column, mask in draft.faults:
        faults.add(code, column, mask, None)
    metrics = _metrics(reader, batch, size, faults)
    frame = _contract_frame(reader, draft, rows, size)
    _add_rule_faults(reader, frame, raw, faults)
    bad = gathered(faults.found, reader.file)
    more = {**draft.made, **metrics, **_texts(reader, batch, size)}
    whole = frame.with_columns(series.alias(name) for name, series in more.items())
    good = whole.filter(~rows.is_in(bad[ROW].implode())) if bad.height else whole
    needs_zone = any(read.needs_zone for read in reads.values())
    return Checked(good, bad, needs_zone, _without_consent(table, good))


def _instants(name: str, read: Read) -> pl.Series:
    """Return what was read; a day of becoming known is its end, so that one rule, strictly before, serves all."""
    return read.ends if name.endswith("known_at") and read.ends is not None else read.values


def _broken(values: pl.Series) -> pl.Series:
    return values.str.contains("\ufffd", literal=True).fill_null(value=False)


def _raw(reader: Reader, batch: RawBatch, name: str, size: int) -> pl.Series:
    mapping = reader.mapping
    if name in mapping.fixed:
        return pl.repeat(mapping.fixed[name], size, eager=True).alias(name)
    if name not in mapping.taken:
        return pl.repeat(None, size, dtype=pl.String, eager=True).alias(name)
    theirs = mapping.taken[name]
    return stripped(batch.frame[theirs], reader.spelling.missing(theirs, name)).alias(name)


def _read(reader: Reader, name: str, values: pl.Series) -> Read:
    column = reader.table.columns[name]
    kind, settings = reader.table.kind(name), reader.spelling.settings
    if values.null_count() == len(values):
        nothing = empty_series(name, column, len(values))
        return Read(nothing, (), nothing if kind in {"instant", "day"} else None)
    digits = settings.id_digits if about(column).get("digits") else None
    by_kind: dict[str, Callable[[pl.Series], Read]] = {
        "id": lambda given: read_id(given, digits, "" if name == "offer_id" else settings.id_prefix),
        "instant": lambda given: read_instant(given, reader.spelling),
        "day": lambda given: read_instant(given, reader.spelling, is_day=True),
        "number": lambda given: read_number(given, settings.decimal),
        "integer": lambda given: read_whole(given, settings.decimal),
        "boolean": lambda given: (
            _positive(given, settings.positive) if name == "churned" else read_flag(given)
        ),
        "word": lambda given: Read(as_text(given).str.to_lowercase()),
        "text": lambda given: Read(as_text(given)),
    }
    return by_kind[kind](values)


def _positive(values: pl.Series, positive: Sequence[str]) -> Read:
    """Read a label: the values declared mean left, every other one stayed; yes and no when none is declared."""
    return Read(as_text(values).is_in([item.strip() for item in positive])) if positive else read_flag(values)


def _shown(table: SourceTable, name: str, raw: pl.Series) -> pl.Series | None:
    return raw if name in table.columns and table.kind(name) in SHOWN_KINDS else None


def _metrics(reader: Reader, batch: RawBatch, size: int, faults: _Faults) -> dict[str, pl.Series]:
    found = {}
    for name in reader.metrics:
        theirs = reader.mapping.extras.get(name)
        if theirs is None:
            found[f"metric_{name}"] = pl.repeat(None, size, dtype=pl.Float64, eager=True)
            continue
        plain = stripped(batch.frame[theirs], reader.spelling.missing(theirs, name))
        read = read_number(plain, reader.spelling.settings.decimal)
        for fault in read.faults:
            faults.add(fault.code, name, fault.mask, plain)
        faults.add("out_of_range", name, (read.values.abs() > MOST).fill_null(value=False), plain)
        found[f"metric_{name}"] = read.values
    return found


def _texts(reader: Reader, batch: RawBatch, size: int) -> dict[str, pl.Series]:
    found = {}
    for prefix, names in (("attribute_", reader.attributes), ("carry_", reader.carried)):
        for name in names:
            theirs = reader.mapping.extras.get(name) if prefix == "attribute_" else name
            if theirs is None or theirs not in batch.frame.columns:
                found[prefix + name] = pl.repeat(None, size, dtype=pl.String, eager=True)
            else:
                found[prefix + name] = as_text(
                    stripped(batch.frame[theirs], reader.spelling.missing(theirs, name))
                )
    return found


def _contract_frame(reader: Reader, draft: Draft, rows: pl.Series, size: int) -> pl.DataFrame:
    schema = reader.table.schema
    place = {FILE: pl.repeat(reader.file, size, dtype=pl.Int64, eager=True), ROW: rows}
    known = {**place, **draft.columns}
    return pl.DataFrame(
        {name: known[name].cast(column.dtype).alias(name) for name, column in schema.columns().items()}
    )


def _add_rule_faults(reader: Reader, frame: pl.DataFrame, raw: dict[str, pl.Series], faults: _Faults) -> None:
    failure = reader.table.schema.filter(frame).failure
    if not len(failure):
        return
    details = failure.details()
    verdicts = [name for name in details.columns if name not in frame.columns]
    numbers = details[ROW]
    unread = {(frame_["column"][0], row) for frame_ in faults.found for row in frame_[ROW].to_list()}
    for verdict in verdicts:
        failed = numbers.filter(details[verdict] == "invalid")
        if failed.is_empty():
            continue
        column, _, rule = verdict.rpartition("|")
        code = limit_code(reader.table, column, rule) if column else rule
        if code == "required_missing" and unread:
            failed = failed.filter([(column, row) not in unread for row in failed.to_list()])
        faults.add(
            code, column, faults.rows.is_in(failed.implode()), _shown_rule(reader.table, column, rule, raw)
        )


def _shown_rule(table: SourceTable, column: str, rule: str, raw: dict[str, pl.Series]) -> pl.Series | None:
    if rule in {"score_off_scale", "score_not_whole"}:
        return raw["score"]
    return _shown(table, column, raw[column]) if column in raw else None


def gathered(found: list[pl.DataFrame], file: int) -> pl.DataFrame:
    """Return one row per rejected record: its first fault, and the codes of all."""
    if not found:
        return pl.DataFrame(schema=BAD_SCHEMA)
    order = pl.col("code").replace_strict(FAULT_ORDER, return_dtype=pl.Int64)
    return (
        pl.concat(found)
        .with_columns(order.alias("order"))
        .sort(ROW, "order", maintain_order=True)
        .group_by(ROW, maintain_order=True)
        .agg(
            pl.col("code").first(),
            pl.col("code").unique(maintain_order=True).alias("codes"),
            pl.col("column").first(),
            pl.col("value").first(),
        )
        .select(pl.lit(file, dtype=pl.Int64).alias(FILE), ROW, "code", "codes", "column", "value")
    )


def _without_consent(table: SourceTable, good: pl.DataFrame) -> dict[str, int]:
    if table.name != "customers":
        return {}
    return {name: good[name].null_count() for name in consent_columns(table)}


def consent_columns(table: SourceTable) -> Iterator[str]:
    """Yield the consent columns of customers."""
    return (name for name in table.columns if name.startswith("may_"))
