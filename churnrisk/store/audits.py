"""Audits before publishing: what a published table must satisfy, and every way in which a frame falls short.

It decides whether a table may be published and refuses to know what its columns mean. Findings name table, column
and how many rows, never a value: values are people's data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from ..errors import Fault, GateRefused

FRAME_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "instant": pl.Datetime("us"),
}
"""The kinds of column a published table can have, and how Polars and Parquet hold them."""


@dataclass(frozen=True)
class ColumnRule:
    """What one column must hold: its kind, whether null may stand, its range, its words."""

    name: str
    kind: str
    may_be_null: bool = False
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class TableRule:
    """What one table must hold.

    ``key`` names the columns that identify a row. ``references`` maps a column to the table and column in which its
    values must occur, when that table is published in the same run. ``rising`` names columns that may not fall from
    left to right within a row. ``is_open`` lets columns stand that are not declared; ``is_restricted`` puts the
    table where few may read; ``is_log`` keeps a file per run instead of one per date.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[ColumnRule, ...]
    references: Mapping[str, tuple[str, str]]
    rising: tuple[str, ...] = ()
    min_rows: int = 0
    is_open: bool = False
    is_restricted: bool = False
    is_log: bool = False


def in_order(frame: pl.DataFrame, rule: TableRule) -> pl.DataFrame:
    """Return ``frame`` as it is published: declared columns first and cast, sorted by key, in one chunk.

    The same rows in any order give the same bytes when written. A column that cannot be cast stays as it is; the
    audit names it.
    """
    declared = [column.name for column in rule.columns if column.name in frame.columns]
    others = sorted(set(frame.columns) - set(declared)) if rule.is_open else []
    unexpected = [name for name in frame.columns if name not in declared and name not in others]
    shaped = frame.select(*declared, *others, *unexpected)
    kinds = {column.name: FRAME_TYPES[column.kind] for column in rule.columns}
    # an empty or all-null column has no type of its own: it takes the declared one
    shaped = shaped.with_columns(
        pl.col(name).cast(kinds[name])
        for name in declared
        if shaped.schema[name] != kinds[name] and _casts_safely(shaped.schema[name], kinds[name])
    )
    keys = [name for name in rule.key if name in shaped.columns]
    return (shaped.sort(keys, maintain_order=True) if keys else shaped).rechunk()


def audited(
    frames: Mapping[str, pl.DataFrame],
    rules: Mapping[str, TableRule],
    n_expected: Mapping[str, int] | None = None,
) -> dict[str, pl.DataFrame]:
    """Return the frames of one run as they are published (see `in_order`), or raise as `audit` does."""
    ordered = {name: in_order(frame, rules[name]) for name, frame in frames.items()}
    audit(ordered, rules, n_expected)
    return ordered


def audit(
    frames: Mapping[str, pl.DataFrame],
    rules: Mapping[str, TableRule],
    n_expected: Mapping[str, int] | None = None,
) -> None:
    """Let the frames of one run pass, or raise GateRefused with every finding.

    Parameters
    ----------
    frames : mapping of table name to frame
        What is to be published together.
    rules : mapping of table name to rule
        One for each of them.
    n_expected : mapping of table name to int, optional
        Rows that a table must have, when the caller knows.
    """
    findings = [
        finding
        for name, frame in frames.items()
        for finding in _findings(frame, rules[name], frames, (n_expected or {}).get(name))
    ]
    if findings:
        raise GateRefused(findings)


def _findings(
    frame: pl.DataFrame, rule: TableRule, frames: Mapping[str, pl.DataFrame], n_expected: int | None
) -> Iterator[Fault]:
    structure = list(_structure_findings(frame, rule))
    yield from structure
    if structure:
        return
    yield from _count_findings(frame, rule, n_expected)
    for column in rule.columns:
        yield from _column_findings(frame, rule.name, column)
    yield from _key_findings(frame, rule)
    yield from _rising_findings(frame, rule)
    yield from _reference_findings(frame, rule, frames)


def _structure_findings(frame: pl.DataFrame, rule: TableRule) -> Iterator[Fault]:
    for column in rule.columns:
        wanted = FRAME_TYPES[column.kind]
        if column.name not in frame.columns:
            yield _fault(
                "audit_column_missing", f"{rule.name}.{column.name}", f"a column of {wanted}", "no column"
            )
        elif frame.schema[column.name] != wanted:
            found = str(frame.schema[column.name])
            yield _fault("audit_type", f"{rule.name}.{column.name}", f"a column of {wanted}", found)
    if not rule.is_open:
        known = {column.name for column in rule.columns}
        for name in frame.columns:
            if name not in known:
                yield _fault(
                    "audit_column_unknown", f"{rule.name}.{name}", "declared columns only", "another column"
                )


def _count_findings(frame: pl.DataFrame, rule: TableRule, n_expected: int | None) -> Iterator[Fault]:
    if frame.height < rule.min_rows:
        yield _fault("audit_rows", rule.name, f"at least {rule.min_rows} rows", f"{frame.height} rows")
    if n_expected is not None and frame.height != n_expected:
        yield _fault("audit_rows", rule.name, f"{n_expected} rows", f"{frame.height} rows")


def _column_findings(frame: pl.DataFrame, table: str, column: ColumnRule) -> Iterator[Fault]:
    values, where = frame.get_column(column.name), f"{table}.{column.name}"
    if not column.may_be_null and values.null_count():
        yield _fault("audit_null", where, "a value in every row", _rows(values.null_count(), "null"))
    if column.kind == "number":
        n_odd = int((~values.is_finite()).sum())
        if n_odd:
            yield _fault("audit_not_finite", where, "finite numbers", _rows(n_odd, "not finite"))
    n_outside = sum(
        int((values < bound).sum() if is_low else (values > bound).sum())
        for bound, is_low in ((column.low, True), (column.high, False))
        if bound is not None
    )
    if n_outside:
        yield _fault("audit_range", where, f"values {_bounds(column)}", _rows(n_outside, "outside"))
    if column.words:
        n_other = int((~values.drop_nulls().is_in(list(column.words))).sum())
        if n_other:
            yield _fault(
                "audit_word", where, f"one of {', '.join(column.words)}", _rows(n_other, "with another word")
            )


def _key_findings(frame: pl.DataFrame, rule: TableRule) -> Iterator[Fault]:
    n_repeated = frame.height - frame.select(rule.key).n_unique() if frame.height else 0
    if n_repeated:
        where = f"{rule.name}.{', '.join(rule.key)}"
        yield _fault("audit_key", where, "one row per key", _rows(n_repeated, "repeating a key"))


def _rising_findings(frame: pl.DataFrame, rule: TableRule) -> Iterator[Fault]:
    for left, right in zip(rule.rising, rule.rising[1:], strict=False):
        n_falling = int((frame.get_column(left) > frame.get_column(right)).sum())
        if n_falling:
            where = f"{rule.name}.{left}, {right}"
            yield _fault(
                "audit_order", where, f"{left} at most {right}", _rows(n_falling, "the other way round")
            )


def _reference_findings(
    frame: pl.DataFrame, rule: TableRule, frames: Mapping[str, pl.DataFrame]
) -> Iterator[Fault]:
    for column, (table, target) in rule.references.items():
        if table not in frames or target not in frames[table].columns:
            continue
        known = frames[table].get_column(target).unique()
        n_unknown = int((~frame.get_column(column).drop_nulls().is_in(known.implode())).sum())
        if n_unknown:
            found = _rows(n_unknown, f"not in {table}")
            yield _fault("audit_reference", f"{rule.name}.{column}", f"values of {table}.{target}", found)


def _casts_safely(found: pl.DataType, wanted: pl.DataType) -> bool:
    if isinstance(found, pl.Null):
        return True
    if isinstance(wanted, pl.Float64):
        return found.is_numeric()
    if isinstance(wanted, pl.Int64):
        return found.is_integer() and not isinstance(found, pl.UInt64)
    return isinstance(wanted, pl.Datetime) and isinstance(found, pl.Datetime) and found.time_zone is None


def _bounds(column: ColumnRule) -> str:
    pairs = (("at least", column.low), ("at most", column.high))
    return " and ".join(f"{word} {bound:g}" for word, bound in pairs if bound is not None)


def _rows(count: int, what: str) -> str:
    return f"{count} {'row' if count == 1 else 'rows'} {what}"


def _fault(code: str, where: str, expected: str, found: str) -> Fault:
    return Fault(code, where, expected, found, "Nothing was published; the tables of the previous run stay.")
