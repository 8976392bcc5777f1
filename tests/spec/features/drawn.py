"""Validated tables drawn as text, and the features that come out of them. It knows columns and defaults, no formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.lake import ATTRIBUTE_PREFIX, Attribute, LakeTables
from features import FeatureSet, build

INSTANT = pl.Datetime("us")
AS_OF = AsOf(date(2026, 3, 31))
"""A Tuesday; its instant is 2026-04-01 00:00 UTC."""

KINDS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    "keys": {"customer_key": pl.Int64, "customer_id": pl.String},
    "customers": {
        "version": pl.Int64,
        "customer_key": pl.Int64,
        "valid_from": INSTANT,
        "known_at": INSTANT,
        "joined_at": INSTANT,
        "left_at": INSTANT,
        "left_known_at": INSTANT,
        "left_reason": pl.String,
        "monthly_value": pl.Float64,
        "language": pl.String,
        "may_survey": pl.Boolean,
        "may_contact": pl.Boolean,
        "may_use_calls": pl.Boolean,
        "may_use_answers": pl.Boolean,
    },
    "calls": {
        "caller_key": pl.Int64,
        "callee_key": pl.Int64,
        "started_at": INSTANT,
        "duration_s": pl.Int64,
        "is_missed": pl.Boolean,
        "kind": pl.String,
        "known_at": INSTANT,
    },
    "surveys": {
        "invitation_id": pl.String,
        "customer_key": pl.Int64,
        "metric": pl.String,
        "occasion": pl.String,
        "invited_at": INSTANT,
        "known_at": INSTANT,
        "answered_at": INSTANT,
        "answer_known_at": INSTANT,
        "score": pl.Float64,
        "comment": pl.String,
        "channel": pl.String,
        "language": pl.String,
        "sender": pl.String,
        "incentive": pl.String,
    },
    "interactions": {
        "interaction_id": pl.String,
        "customer_key": pl.Int64,
        "at": INSTANT,
        "known_at": INSTANT,
        "channel": pl.String,
        "topic": pl.String,
        "wait_s": pl.Float64,
        "transfers": pl.Int64,
        "repeated": pl.Boolean,
        "resolved": pl.Boolean,
        "abandoned": pl.Boolean,
    },
    "usage": {
        "customer_key": pl.Int64,
        "period_start": INSTANT,
        "known_at": INSTANT,
        "metric": pl.String,
        "value": pl.Float64,
    },
    "events": {
        "customer_key": pl.Int64,
        "at": INSTANT,
        "known_at": INSTANT,
        "event": pl.String,
        "value": pl.Float64,
    },
    "treatments": {
        "treatment_id": pl.String,
        "customer_key": pl.Int64,
        "offer_id": pl.String,
        "at": INSTANT,
        "known_at": INSTANT,
        "propensity": pl.Float64,
        "accepted": pl.Boolean,
        "root_cause": pl.String,
        "instead_of": pl.String,
        "left_alone": pl.Float64,
    },
}
"""Columns of the validated tables that features and labels read."""

HAPPENED = {"calls": "started_at", "surveys": "invited_at", "usage": "period_start"}
TRUE_BY_DEFAULT = ("may_survey", "may_contact", "may_use_calls", "may_use_answers")

Drawn = str | pl.DataFrame


def rows(text: str) -> list[dict[str, str | None]]:
    """Cells of a table drawn with bars; an empty cell is null, a line of dashes is a rule."""
    lines = [line.strip() for line in text.strip().splitlines() if set(line.strip()) - set("-|+ ")]
    cells = [[cell.strip() or None for cell in line.split("|")] for line in lines]
    header = [str(name) for name in cells[0]]
    return [dict(zip(header, line, strict=True)) for line in cells[1:]]


def table(name: str, text: str) -> pl.DataFrame:
    """A validated table from its drawing: columns left out get what the loading of sources would give."""
    frame = pl.DataFrame(rows(text), infer_schema_length=None)
    return completed(name, frame.cast(dict.fromkeys(frame.columns, pl.String)))


def completed(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Give a frame every column of its table in its type."""
    happened = HAPPENED.get(name, "at")
    defaults: dict[str, pl.Expr] = {column: pl.lit(None) for column in KINDS[name]}
    defaults |= {column: pl.lit(value=True) for column in TRUE_BY_DEFAULT if column in KINDS[name]}
    defaults |= {
        "is_missed": pl.lit(value=False),
        "metric": pl.lit("nps"),
        "occasion": pl.lit("relationship"),
    }
    defaults |= {
        "kind": pl.lit("voice"),
        "known_at": pl.lit("2020-01-01") if name == "customers" else pl.col(happened),
    }
    if name == "customers":
        frame = frame.with_row_index("version") if "version" not in frame.columns else frame
        defaults["known_at"] = pl.lit("2020-01-01")
        if "valid_from" in frame.columns:
            defaults["known_at"] = pl.coalesce("valid_from", pl.lit("2020-01-01"))
    if name == "surveys" and "answered_at" in frame.columns:
        defaults["answer_known_at"] = pl.col("answered_at")
    if name in {"surveys", "interactions"}:
        key = "invitation_id" if name == "surveys" else "interaction_id"
        frame = frame.with_row_index(key) if key not in frame.columns else frame
    missing = [defaults[column].alias(column) for column in KINDS[name] if column not in frame.columns]
    others = [column for column in frame.columns if column.startswith(ATTRIBUTE_PREFIX)]
    full = frame.with_columns(missing)
    return full.select(*[_typed(full, column, kind) for column, kind in KINDS[name].items()], *others)


def _typed(frame: pl.DataFrame, column: str, kind: Any) -> pl.Expr:
    if frame.schema[column] != pl.String:
        return pl.col(column).cast(kind)
    if kind == INSTANT:
        padded = pl.col(column) + pl.lit(" 00:00:00.000000").str.slice(pl.col(column).str.len_chars() - 10)
        return padded.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us").alias(column)
    if kind == pl.Boolean:
        return pl.col(column).replace_strict({"yes": True, "no": False}, return_dtype=pl.Boolean)
    return pl.col(column).cast(kind)


def lake(
    folder: Path, *, constant: Sequence[str] = (), text: Sequence[str] = (), **tables: Drawn
) -> LakeTables:
    """Write drawn tables as Parquet; keys are named c0, c1 ... unless drawn."""
    return lake_of(folder, tables, constant=constant, text=text)


def lake_of(
    folder: Path, tables: Mapping[str, Drawn], *, constant: Sequence[str] = (), text: Sequence[str] = ()
) -> LakeTables:
    frames = {name: table(name, drawn) if isinstance(drawn, str) else drawn for name, drawn in tables.items()}
    if "keys" not in frames:
        keys = frames["customers"].select(pl.col("customer_key").unique().sort())
        frames["keys"] = keys.with_columns(customer_id=pl.lit("c") + pl.col("customer_key").cast(pl.String))
    return written(folder, frames, constant=constant, text=text)


def written(
    folder: Path,
    frames: Mapping[str, pl.DataFrame],
    *,
    constant: Sequence[str] = (),
    text: Sequence[str] = (),
) -> LakeTables:
    paths = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        paths[name] = folder / f"{name}.parquet"
        frame.write_parquet(paths[name])
    columns = [column for column in frames["customers"].columns if column.startswith(ATTRIBUTE_PREFIX)]
    attributes = tuple(
        Attribute(name, ATTRIBUTE_PREFIX + name, is_constant=name in constant, is_text=name in text)
        for name in (column.removeprefix(ATTRIBUTE_PREFIX) for column in columns)
    )
    return LakeTables(paths, attributes)


def features_of(
    engine: Engine,
    tables: LakeTables,
    as_of: AsOf = AS_OF,
    churn: ChurnSettings | None = None,
    **options: Any,
) -> FeatureSet:
    return build(engine, tables, as_of, churn or ChurnSettings.model_validate({}), **options)


def shown(found: FeatureSet, *names: str) -> list[tuple[Any, ...]]:
    """customer_id and the named features, row by row."""
    return found.frame.select("customer_id", *names).rows()
