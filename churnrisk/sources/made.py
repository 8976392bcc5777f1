"""Makes what belongs to one validated table beside its settled rows: consents, lists, usage by metric, report.

It decides what is counted about a table, and refuses to know where its rows came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ..store import Engine
from . import derived
from .quarantine import fault_counts
from .reports import SourceReport
from .settle import RowGroups, Settled, engine_batches
from .stage import Stage, merged_consents


def fill_consents(path: Path, meanings: Mapping[str, bool | None]) -> None:
    """Replace missing consents by what the settings say they mean; ``said_`` and the name tells whose word it is.

    A refusal that was known before stays one: a value that became empty is no yes, whatever the settings say.
    """
    frame = pl.scan_parquet(path).with_columns(
        pl.col(name).is_not_null().alias(f"said_{name}") for name in meanings
    )
    for name, meaning in meanings.items():
        if meaning is None:
            continue
        filled = pl.lit(meaning)
        if meaning:
            refused = _refused_before(path, name).lazy().with_columns(_refused=pl.lit(value=True))
            keys = ["customer_key", "version"]
            frame = frame.join(refused, on=keys, how="left", maintain_order="left")
            filled = pl.col("_refused").is_null()
        frame = frame.with_columns(pl.coalesce(name, filled).alias(name)).drop("_refused", strict=False)
    half = path.with_suffix(".half")
    writer = RowGroups(half)
    writer.add(frame.head(0).collect())
    for batch in frame.collect_batches(chunk_size=100_000, maintain_order=True):
        writer.add(batch)
    writer.close()
    half.replace(path)


def _refused_before(path: Path, name: str) -> pl.DataFrame:
    """Return customer_key, version of the rows that leave a consent open after one, known by then, that refuses it."""
    rows = pl.scan_parquet(path).select("customer_key", "version", "known_at", name)
    key = pl.col("customer_key")
    both = rows.group_by("customer_key").agg(
        (~pl.col(name)).any().alias("_refuses"), pl.col(name).is_null().any().alias("_is_open")
    )
    of_both = rows.join(both.filter("_refuses", "_is_open").select(key), on="customer_key", how="semi")
    ordered = of_both.collect().sort("customer_key", "version")
    said_at = pl.when(pl.col(name).is_not_null()).then("known_at")
    before = ordered.with_columns(
        _last=pl.col(name).forward_fill().over("customer_key"),
        _last_at=said_at.forward_fill().over("customer_key"),
    )
    is_open = pl.col(name).is_null() & ~pl.col("_last") & (pl.col("_last_at") <= pl.col("known_at"))
    return before.filter(is_open).select("customer_key", "version")


def write_carry(engine: Engine, stage: Stage, path: Path) -> None:
    """Write the columns that lists show: the latest known of each customer."""
    if not stage.carried:
        return
    engine.register("staged", stage.good)
    writer = RowGroups(path)
    shown = {name: f"carry_{name}" for name in stage.carried}
    for batch in engine_batches(engine, derived.carry_query(shown), {}):
        writer.add(batch)
    writer.close()
    engine.drop("staged")


def unpivot(engine: Engine, stage: Stage, wide: Path, path: Path) -> None:
    """Write usage with one row per metric that is not null, and remove the wide table."""
    writer = RowGroups(path)
    if stage.metrics:
        engine.register("wide", wide)
        for batch in engine_batches(engine, derived.USAGE_LONG, {}):
            writer.add(batch)
        engine.drop("wide")
    else:
        kinds = {"metric": pl.String, "value": pl.Float64}
        columns = pl.read_parquet(wide, n_rows=0)
        writer.add(columns.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in kinds.items()))
    writer.close()
    wide.unlink()


def report_of(stage: Stage, fingerprint: str, seen: Settled, roster: str) -> SourceReport:
    """Return the report of a table that was just made, or only checked."""
    counts = fault_counts(stage)
    n_positive = None
    if stage.table.name == "labelled" and seen.path.is_file():
        n_positive = int(pl.scan_parquet(seen.path).select(pl.col("churned").sum()).collect().item() or 0)
    n_customers, n_rows = None, seen.n_kept
    table = seen.path.parent / "part-0.parquet"
    if table.is_file():
        lazy = pl.scan_parquet(table)
        n_rows = int(lazy.select(pl.len()).collect().item())
        if "customer_key" in lazy.collect_schema():
            n_customers = int(lazy.select(pl.col("customer_key").n_unique()).collect().item())
    return SourceReport(
        source=stage.table.name,
        fingerprint=fingerprint,
        files=tuple(stage.files),
        n_read=stage.n_read,
        n_kept=seen.n_kept,
        n_quarantined=sum(count.n_rows for count in counts),
        faults=counts,
        first_happened=seen.first,
        last_happened=seen.last,
        last_known=seen.last_known,
        n_customers=n_customers,
        nulls=seen.nulls,
        n_rows=n_rows,
        n_without_consent=merged_consents(stage) if stage.table.name == "customers" else {},
        needs_zone=stage.needs_zone,
        n_positive=n_positive,
        attributes=stage.attributes,
        carried=stage.carried,
        metrics=stage.metrics,
        roster=roster,
        warnings=tuple(stage.warnings),
    )
