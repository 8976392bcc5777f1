"""Own features that read the future: made once more from tables that end at the as-of instant, and compared.

It decides what the tables of a past date hold, and refuses to know what a feature means. The package's own features
are proven by tests; the user's files and functions are not, and may read the raw sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.store.statements import Statement
from churnrisk.tables.lake import LakeTables
from features import build
from features.catalogue import feature_columns
from features.library import Library, library

from .labels import HAPPENED
from .leakage import Leak, Origins
from .rows import rows_of
from .single import NOTHING, told_alone

SAME = 1e-9
"""Relative difference up to which two numbers are one: sums of decimals may come in another order."""

OF_A_VERSION = ("monthly_value", "language", "left_reason")
"""Columns of customers that belong to a version, beside attributes; joining and leaving carry dates of their own."""

OF_AN_ANSWER = ("answered_at", "score", "comment", "answer_known_at")


def own_features(own: Path | None) -> tuple[str, ...]:
    """Return the names of the features that the user's files and functions make, in a fixed order."""
    known = library(own)
    files = [] if own is None or not own.is_dir() else sorted(own.glob("*.sql"))
    statements = [Statement.parse(path.read_text("utf-8"), path.stem) for path in files]
    named = {name for statement in statements for name in feature_columns(known.statements[statement.output])}
    return tuple(sorted(named | _of_functions(known)))


def _of_functions(known: Library) -> set[str]:
    makers = (
        function
        for function in known.functions.values()
        if not function.make.__module__.startswith("features.")
    )
    return {feature.name for function in makers for feature in function.features}


def reading_the_future(
    engine: Engine,
    tables: LakeTables,
    churn: ChurnSettings,
    *,
    day: AsOf,
    consent_as_of: AsOf,
    names: Sequence[str],
    own: Path | None,
    labels: pl.DataFrame,
    origins: Origins,
) -> tuple[Leak, ...]:
    """Return the features among ``names`` whose values as of ``day`` change when what came later is taken away.

    The features are made twice without ties: from the tables as they are, and from tables without facts that happened
    or became known at the as-of instant or later, and with what later versions say of customers blanked. Both must
    give the same values. The tables are registered again in the end.
    """
    if not names:
        return ()

    def made(found: LakeTables) -> pl.DataFrame:
        return build(
            engine, found, day, churn, consent_as_of=consent_as_of, names=names, rules=None, own=own
        ).frame

    try:
        whole = made(tables)
        with TemporaryDirectory(prefix="churnrisk-as-of-") as folder:
            then = made(_until(tables, day, Path(folder)))
    finally:
        tables.register(engine)
    return tuple(_changed(whole, then, labels, str(day), origins))


def _until(tables: LakeTables, day: AsOf, folder: Path) -> LakeTables:
    """The tables of which nothing happened or became known at the as-of instant or later, as files in ``folder``."""
    paths: dict[str, Path] = {}
    for name, path in tables.paths.items():
        scan = pl.scan_parquet(path)
        columns = scan.collect_schema().names()
        if name == "customers":
            cut = _versions_until(scan, columns, day)
        elif "known_at" in columns:
            cut = _facts_until(scan, columns, name, day)
        else:
            paths[name] = path
            continue
        paths[name] = folder / f"{name}.parquet"
        cut.sink_parquet(paths[name])
    return replace(tables, paths=paths, kept=None, kept_for=())


def _versions_until(scan: pl.LazyFrame, columns: Sequence[str], day: AsOf) -> pl.LazyFrame:
    is_later = (pl.col("known_at") >= day.instant) | (pl.col("valid_from") >= day.instant).fill_null(
        value=False
    )
    said = [name for name in columns if name.startswith("attribute_") or name in OF_A_VERSION]
    leaving = [name for name in ("left_at", "left_known_at") if name in columns]
    unknown = pl.coalesce("left_known_at", "left_at") >= day.instant
    return scan.with_columns(
        *(pl.when(~is_later).then(pl.col(name)).alias(name) for name in said),
        *(pl.when(~unknown.fill_null(value=False)).then(pl.col(name)).alias(name) for name in leaving),
    )


def _facts_until(scan: pl.LazyFrame, columns: Sequence[str], name: str, day: AsOf) -> pl.LazyFrame:
    happened = HAPPENED.get(name, "at")
    kept = pl.col("known_at") < day.instant
    if happened in columns:
        kept &= (pl.col(happened) < day.instant).fill_null(value=True)
    if "answer_known_at" not in columns:
        return scan.filter(kept)
    is_answered = (pl.col("answer_known_at") < day.instant).fill_null(value=False)
    answers = [column for column in OF_AN_ANSWER if column in columns]
    return scan.filter(kept).with_columns(
        pl.when(is_answered).then(pl.col(column)).alias(column) for column in answers
    )


def _changed(
    whole: pl.DataFrame, then: pl.DataFrame, labels: pl.DataFrame, day: str, origins: Origins
) -> Iterator[Leak]:
    names = [name for name in whole.columns if name not in {"customer_key", "customer_id"}]
    beside = whole.join(then, on="customer_key", how="left", suffix=" then", maintain_order="left")
    differs = {name: int((~_same(beside, name)).sum()) for name in names}
    changed = [name for name in names if differs[name]]
    if not changed:
        return
    now, before = (_aucs(frame, changed, labels, day) for frame in (whole, then))
    for name in changed:
        evidence = (
            f"of {whole.height:,} customers {differs[name]:,} have another value when everything after the as-of "
            f"instant is taken away; AUC {now.get(name, NOTHING):.3f} with it, {before.get(name, NOTHING):.3f} without"
        )
        yield Leak(name, "reads_future", evidence, origins.remedy(name))


def _same(beside: pl.DataFrame, name: str) -> pl.Series:
    one, other = pl.col(name), pl.col(f"{name} then")
    if beside.schema[name].is_numeric():
        near = (one - other).abs() <= SAME * pl.max_horizontal(one.abs(), other.abs())
        is_same = (near | (one.is_null() & other.is_null())).fill_null(value=False)
    else:
        is_same = one.eq_missing(other)
    return beside.select(same=is_same)["same"]


def _aucs(frame: pl.DataFrame, names: Sequence[str], labels: pl.DataFrame, day: str) -> Mapping[str, float]:
    rows = rows_of([(day, frame.select("customer_key", "customer_id", *names), labels)])
    return {alone.feature: alone.auc for alone in told_alone(rows)}
