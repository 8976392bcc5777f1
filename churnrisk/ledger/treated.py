"""What came back of treatments: each word with the date from which it was known, so that the past stays as it was.

It decides which word is news and which one counts as of an instant, and refuses to know who got which offer, and why.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl
from sqlalchemy import Connection

from . import facts
from .entries import add, change, put
from .schema import TREATMENT_FACTS, TREATMENTS

ACCEPTED, ROOT_CAUSE = WORDS = ("accepted", "root_cause")
_PLACE = ("treatment_id", "fact")


def note_words(db: Connection, rows: pl.DataFrame) -> pl.DataFrame:
    """Write what rows say of treatments that are on record, where it is news; return treatment_id of those it is of.

    Parameters
    ----------
    rows : DataFrame
        treatment_id, customer_id, known_at, source, written_at, and accepted, root_cause (null: nothing said). Each
        treatment once.

    Notes
    -----
    A word is news where it differs from the one in force when it became known: the same file twice says nothing new.
    """
    said = _long(rows, ("customer_id", "source", "written_at"))
    before = words_of(db, rows["treatment_id"]).rename({"value": "_value"})
    known = said.sort("known_at").join_asof(
        before, on="known_at", by=list(_PLACE), strategy="backward", check_sortedness=False
    )
    news = known.filter(pl.col("value").ne_missing(pl.col("_value"))).drop("_value")
    add(db, TREATMENT_FACTS, _undated(db, news))
    put(db, TREATMENT_FACTS, news, ["value"])
    touched = news.select("treatment_id").unique()
    newest = _wide(latest_words(words_of(db, touched["treatment_id"])))
    change(db, TREATMENTS, newest, list(WORDS))
    return touched


def words_of(db: Connection, treatments: pl.Series) -> pl.DataFrame:
    """Return every word on some treatments by when it was known: treatment_id, fact, known_at, value.

    Of a treatment whose words have no dates of their own what stands beside it was known with it.
    """
    dated = facts.by_index(db, TREATMENT_FACTS, "treatment_id", treatments)
    beside = _long(facts.by_index(db, TREATMENTS, "treatment_id", treatments))
    names = (*_PLACE, "known_at", "value")
    undated = beside.select(names).join(dated, on=_PLACE, how="anti")
    return pl.concat([dated.select(names), undated]).sort("known_at", *_PLACE)


def _undated(db: Connection, news: pl.DataFrame) -> pl.DataFrame:
    """Return what stood beside treatments before there is news of it, as words: it stays known as long as it was."""
    beside = facts.by_index(db, TREATMENTS, "treatment_id", news["treatment_id"])
    said = _long(beside, ("customer_id", "source", "written_at"))
    return said.join(news.select(_PLACE), on=_PLACE, how="semi").join(
        facts.by_index(db, TREATMENT_FACTS, "treatment_id", news["treatment_id"]), on=_PLACE, how="anti"
    )


def latest_words(words: pl.DataFrame) -> pl.DataFrame:
    """Return of the words on each treatment the one known last: treatment_id, fact, value."""
    ordered = words.sort(*_PLACE, "known_at")
    return ordered.unique(_PLACE, keep="last", maintain_order=True).select(*_PLACE, "value")


def as_known(db: Connection, treatments: pl.DataFrame, known_before: datetime) -> pl.DataFrame:
    """Return treatments with the words on them that were known before an instant, and no other."""
    dated = facts.whole(db, TREATMENT_FACTS).select(*_PLACE, "known_at", "value")
    if dated.is_empty():
        return treatments
    then = _wide(latest_words(dated.filter(pl.col("known_at") < known_before)))
    has_dates = dated.select(*_PLACE).unique().with_columns(_dated=pl.lit(value=True))
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


def _long(rows: pl.DataFrame, more: tuple[str, ...] = ()) -> pl.DataFrame:
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


def _wide(words: pl.DataFrame) -> pl.DataFrame:
    """Return treatment_id, accepted and root_cause; null where there is no word."""
    told = words.select("treatment_id").unique(maintain_order=True)
    for name in WORDS:
        mine = words.filter(fact=name).select("treatment_id", pl.col("value").alias(name))
        told = told.join(mine, on="treatment_id", how="left", maintain_order="left")
    return told.with_columns(pl.col(ACCEPTED) == "true")
