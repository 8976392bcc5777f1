"""Words on treatments as rows and as columns, and which of them were known when; of frames alone."""

from __future__ import annotations

from datetime import datetime

import polars as pl

ACCEPTED, ROOT_CAUSE = WORDS = ("accepted", "root_cause")
PLACE = ("treatment_id", "fact")


def latest_words(words: pl.DataFrame) -> pl.DataFrame:
    """Return of the words on each treatment the one known last: treatment_id, fact, value."""
    ordered = words.sort(*PLACE, "known_at")
    return ordered.unique(PLACE, keep="last", maintain_order=True).select(*PLACE, "value")


def as_known(treatments: pl.DataFrame, words: pl.DataFrame, known_before: datetime) -> pl.DataFrame:
    """Return treatments with the words on them that were known before an instant, and no other.

    ``words``: treatment_id, fact, known_at, value of all words that have a date.
    """
    dated = words.select(*PLACE, "known_at", "value")
    if dated.is_empty():
        return treatments
    then = wide(latest_words(dated.filter(pl.col("known_at") < known_before)))
    has_dates = dated.select(*PLACE).unique().with_columns(_dated=pl.lit(value=True))
    found = treatments.join(
        then.rename({name: f"_{name}" for name in WORDS}),
        on="treatment_id",
        how="left",
        maintain_order="left",
    )
    for name in WORDS:
        of_it = has_dates.filter(fact=name).select("treatment_id", "_dated")
        word = pl.when("_dated").then(f"_{name}").otherwise(name).alias(name)
        found = found.join(of_it, on="treatment_id", how="left", maintain_order="left")
        found = found.with_columns(word).drop("_dated")
    return found.select(treatments.columns)


def long(rows: pl.DataFrame, more: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return one row per word that rows say: treatment_id, fact, known_at, value, and ``more``."""
    parts = [
        rows.select(
            "treatment_id",
            pl.lit(name).alias("fact"),
            "known_at",
            pl.col(name).cast(pl.String).alias("value"),
            *more,
        )
        for name in WORDS
        if name in rows.columns
    ]
    return pl.concat(parts).filter(pl.col("value").is_not_null())


def wide(words: pl.DataFrame) -> pl.DataFrame:
    """Return treatment_id, accepted and root_cause; null where there is no word."""
    told = words.select("treatment_id").unique(maintain_order=True)
    for name in WORDS:
        mine = words.filter(fact=name).select("treatment_id", pl.col("value").alias(name))
        told = told.join(mine, on="treatment_id", how="left", maintain_order="left")
    return told.with_columns(pl.col(ACCEPTED) == "true")
