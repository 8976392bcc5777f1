"""Which word on a consent is in force: one rule over the customers' file and what is recorded in the ledger.

It decides when each side spoke and which word counts, and refuses to know what a consent is for. A refusal is never
undone by anything but a later yes.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import polars as pl

from .against import ahead

SAID = "said_"
"""Before the name of a consent: whether the customers' file says it, or the settings fill what it leaves open."""

_DAY = timedelta(days=1) - timedelta(microseconds=1)
_INSTANT = pl.Datetime("us")


def counts_from(value: pl.Expr, at: pl.Expr, zone: str) -> pl.Expr:
    """Return the instant by which a word is held against others: a refusal with a date alone counts to its day's end.

    What has only a date is dated at local midnight, and may have been said at any time of that day.
    """
    local = at.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.time()
    return pl.when(~value & (local == time(0))).then(at + _DAY).otherwise(at).cast(_INSTANT)


def newest(words: pl.DataFrame, zone: str, by: datetime | None = None) -> pl.DataFrame:
    """Return the word in force of each customer on each consent among those recorded: customer_id, consent, at, value.

    Of words of one time the refusal counts. A yes dated after ``by`` (naive UTC) has not been said yet.
    """
    said = words if by is None else words.filter(~(pl.col("value") & ahead("at", by)))
    # a yes of the same instant sorts before the refusal
    return (
        said.with_columns(_from=counts_from(pl.col("value"), pl.col("at"), zone), _yes=pl.col("value"))
        .sort("customer_id", "consent", "_from", "_yes", descending=[False, False, False, True])
        .unique(["customer_id", "consent"], keep="last", maintain_order=True)
        .select("customer_id", "consent", "at", "value")
    )


def file_words(versions: pl.LazyFrame, instant: datetime, names: tuple[str, ...]) -> pl.LazyFrame:
    """Return what the customers' file says at an instant: customer_key and of each consent ``name`` three columns.

    They are ``name`` (its value in the version in force; of whom no version is known yet, in the first one to come),
    ``said_name`` (false: nobody said it, the settings did) and ``name_at``: the first valid_from of the unbroken run of
    rows that say the same as the present one, null where the file does not say when. A row without a value is no new
    yes, and a refusal after one is a new refusal; after a refusal it leaves that in force, whatever the settings fill.

    Parameters
    ----------
    versions : LazyFrame
        The validated table of customers: customer_key, version, known_at, valid_from, the consents and, where the
        settings filled some, ``said_name``.
    """
    there = versions.collect_schema().names()
    given = versions.select(
        "customer_key",
        "version",
        "valid_from",
        *names,
        *(pl.col(SAID + name) if SAID + name in there else _is_said(name) for name in names),
        is_known=(pl.col("known_at") < instant)
        & (pl.col("valid_from").fill_null(pl.col("known_at")) < instant),
    )
    # sorted once: left lazy, each of its uses would sort again
    ordered = given.filter("is_known").sort("customer_key", "version").with_row_index("_row").collect()
    known = ordered.lazy()
    in_force = known.filter(_is_last())
    to_come = (
        given.join(in_force.select("customer_key"), on="customer_key", how="anti")
        .sort("customer_key", "version")
        .unique("customer_key", keep="first", maintain_order=True)
    )
    columns = ["customer_key", *names, *(SAID + name for name in names)]
    told = pl.concat([in_force.select(columns), to_come.select(columns)])
    for name in names:
        told = told.join(_beginnings(known, name), on="customer_key", how="left")
        refused = (~pl.col("_last")).fill_null(value=False)
        told = told.with_columns(
            (pl.col(name) & ~refused).alias(name), (pl.col(SAID + name) | refused).alias(SAID + name)
        ).drop("_last")
    return told.sort("customer_key")


def _is_last() -> pl.Expr:
    """Say whether a row is its customer's last: rows stand by customer, and looking at the next is all it takes."""
    return (pl.col("customer_key") != pl.col("customer_key").shift(-1)).fill_null(value=True)


def _is_said(name: str) -> pl.Expr:
    return pl.col(name).is_not_null().alias(SAID + name)


def _beginnings(known: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Return customer_key, and of the last rows that say something ``_last``, what, and ``name_at``, since when."""
    before = pl.col("customer_key") == pl.col("customer_key").shift(1)
    is_same = before & (pl.col(name) == pl.col(name).shift(1))
    is_next = pl.col("_row") == pl.col("_row").shift(1) + 1
    goes_on = is_same & (pl.col(name) | is_next)
    return (
        known.filter(SAID + name)
        .filter(~goes_on.fill_null(value=False))
        .filter(_is_last())
        .select("customer_key", pl.col("valid_from").alias(f"{name}_at"), pl.col(name).alias("_last"))
    )


def in_force(name: str, ours: str, ours_at: str, zone: str) -> pl.Expr:
    """Return the value of a consent: of the word of the file (as `file_words`) and the one recorded.

    What the settings filled never beats a recorded word. Where the file does not say when, a refusal of either side
    counts; else the later word, of one time the refusal.

    Parameters
    ----------
    ours, ours_at : str
        Columns of the recorded word, as `newest`; null where there is none.
    """
    theirs, recorded = pl.col(name), pl.col(ours)
    theirs_from = counts_from(theirs, pl.col(f"{name}_at"), zone)
    ours_from = counts_from(recorded, pl.col(ours_at), zone)
    both = theirs & recorded
    by_date = (
        pl.when(ours_from > theirs_from)
        .then(recorded)
        .when(ours_from < theirs_from)
        .then(theirs)
        .otherwise(both)
    )
    return (
        pl.when(recorded.is_null())
        .then(theirs)
        .when(~pl.col(SAID + name) | theirs.is_null())
        .then(recorded)
        .when(theirs_from.is_null())
        .then(both)
        .otherwise(by_date)
        .alias(name)
    )
