"""What came back of treatments: each word with the date from which it was known, so that the past stays as it was.

It decides which word is news and which one counts as of an instant, and refuses to know who got which offer, and why.
"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection

from . import facts
from .entries import add, change, put
from .schema import TREATMENT_FACTS, TREATMENTS
from .words import PLACE, WORDS, latest_words, long, wide


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
    said = long(rows, ("customer_id", "source", "written_at"))
    before = words_of(db, rows["treatment_id"]).rename({"value": "_value"})
    known = said.sort("known_at").join_asof(
        before, on="known_at", by=list(PLACE), strategy="backward", check_sortedness=False
    )
    news = known.filter(pl.col("value").ne_missing(pl.col("_value"))).drop("_value")
    add(db, TREATMENT_FACTS, _undated(db, news))
    put(db, TREATMENT_FACTS, news, ["value"])
    touched = news.select("treatment_id").unique()
    newest = wide(latest_words(words_of(db, touched["treatment_id"])))
    change(db, TREATMENTS, newest, list(WORDS))
    return touched


def words_of(db: Connection, treatments: pl.Series) -> pl.DataFrame:
    """Return every word on some treatments by when it was known: treatment_id, fact, known_at, value.

    Of a treatment whose words have no dates of their own what stands beside it was known with it.
    """
    dated = facts.by_index(db, TREATMENT_FACTS, "treatment_id", treatments)
    beside = long(facts.by_index(db, TREATMENTS, "treatment_id", treatments))
    names = (*PLACE, "known_at", "value")
    undated = beside.select(names).join(dated, on=PLACE, how="anti")
    return pl.concat([dated.select(names), undated]).sort("known_at", *PLACE)


def _undated(db: Connection, news: pl.DataFrame) -> pl.DataFrame:
    """Return what stood beside treatments before there is news of it, as words: it stays known as long as it was."""
    beside = facts.by_index(db, TREATMENTS, "treatment_id", news["treatment_id"])
    said = long(beside, ("customer_id", "source", "written_at"))
    return said.join(news.select(PLACE), on=PLACE, how="semi").join(
        facts.by_index(db, TREATMENT_FACTS, "treatment_id", news["treatment_id"]), on=PLACE, how="anti"
    )
