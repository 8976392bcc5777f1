"""The ledger's invitations, answers and treatments in the shape of the validated tables, merged with the sources by id.

It decides who wins (the ledger; what it does not know is taken from the source) and which answers never become
features, and refuses to know what is learned from them.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl
from sqlalchemy import Connection

from . import facts
from .consent import file_words, in_force, newest

CONFIRM, RANDOM = WITHHELD = ("confirm", "random")
"""Purposes whose answers change the risk by likelihood ratios alone: an answer counts once (science, section 8)."""

_INSTANT = pl.Datetime("us")

SURVEYS: dict[str, pl.DataType] = {
    "invitation_id": pl.String(),
    "customer_key": pl.Int64(),
    "metric": pl.String(),
    "occasion": pl.String(),
    "invited_at": _INSTANT,
    "known_at": _INSTANT,
    "answered_at": _INSTANT,
    "answer_known_at": _INSTANT,
    "score": pl.Float64(),
    "comment": pl.String(),
    "channel": pl.String(),
    "language": pl.String(),
    "sender": pl.String(),
    "incentive": pl.String(),
}
"""Columns of the validated table of surveys."""

TREATMENTS: dict[str, pl.DataType] = {
    "treatment_id": pl.String(),
    "customer_key": pl.Int64(),
    "offer_id": pl.String(),
    "at": _INSTANT,
    "known_at": _INSTANT,
    "propensity": pl.Float64(),
    "accepted": pl.Boolean(),
    "root_cause": pl.String(),
    "instead_of": pl.String(),
    "left_alone": pl.Float64(),
}
"""Columns of the validated table of treatments."""

CONTACTS: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "at": _INSTANT,
    "channel": pl.String(),
    "purpose": pl.String(),
    "is_transactional": pl.Boolean(),
    "source_id": pl.String(),
}
"""Columns of the contacts that the sources tell of."""

_ANSWER = ("answered_at", "answer_known_at", "score", "comment")


def survey_rows(db: Connection, keys: pl.DataFrame, known_before: datetime) -> pl.DataFrame:
    """Return what the ledger knows of questions asked, as rows of the validated table (SURVEYS), silent ones too.

    Parameters
    ----------
    keys : DataFrame
        customer_key, customer_id; whoever is not in it is left out.
    known_before : datetime
        Nothing that became known at or after it.
    """
    asked = facts.invitations(db, known_before).filter(~pl.col("purpose").is_in(WITHHELD))
    heard = facts.answers(db, known_before).select(
        "invitation_id",
        "metric",
        "answered_at",
        "score",
        "comment",
        answer_known_at="known_at",
    )
    about = asked.drop("metric")
    answered = about.join(heard, on="invitation_id")
    out = asked.filter(facts.went_out(known_before))
    silent = out.join(heard, on=["invitation_id", "metric"], how="anti")
    return _keyed(pl.concat([answered, silent], how="diagonal"), keys, SURVEYS, ("invitation_id", "metric"))


def treatment_rows(db: Connection, keys: pl.DataFrame, known_before: datetime) -> pl.DataFrame:
    """Return what the ledger knows of offers made and left out, as rows of the validated table (TREATMENTS)."""
    return _keyed(facts.treatments(db, known_before), keys, TREATMENTS, ("treatment_id",))


def withheld_invitations(db: Connection, known_before: datetime) -> pl.DataFrame:
    """Return invitation_id of confirmation surveys: also when a platform sends their answers among all others."""
    found = facts.invitations(db, known_before).filter(pl.col("purpose").is_in(WITHHELD))
    return found.select("invitation_id")


def _keyed(
    frame: pl.DataFrame, keys: pl.DataFrame, columns: dict[str, pl.DataType], order: tuple[str, ...]
) -> pl.DataFrame:
    known = frame.join(keys.select("customer_key", "customer_id"), on="customer_id")
    absent = [
        pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in known.columns
    ]
    return (
        known.with_columns(absent)
        .select(pl.col(name).cast(kind) for name, kind in columns.items())
        .sort(order)
    )


def merged_surveys(source: pl.LazyFrame | None, ours: pl.DataFrame, withheld: pl.DataFrame) -> pl.LazyFrame:
    """Return one table of surveys: the ledger's rows, completed by the source's answers, and the source's other rows.

    Parameters
    ----------
    source : LazyFrame or None
        The validated table of the source.
    ours : DataFrame
        As `survey_rows`.
    withheld : DataFrame
        invitation_id of rows that stay out, wherever they come from.
    """
    key = ["invitation_id", "metric"]
    if source is None:
        return ours.lazy().sort(key)
    plain = source.select(pl.col(name).cast(kind) for name, kind in SURVEYS.items())
    others = plain.join(ours.lazy(), on=key, how="anti").join(withheld.lazy(), on="invitation_id", how="anti")
    theirs = plain.select(*key, *(pl.col(name).alias(f"_{name}") for name in SURVEYS if name not in key))
    # an answer is taken whole, from one side: its score and the instant at which it was known belong together
    is_ours = pl.col("answered_at").is_not_null()
    both = ours.lazy().join(theirs, on=key, how="left")
    completed = both.select(
        pl.when(is_ours).then(name).otherwise(f"_{name}").alias(name)
        if name in _ANSWER
        else (pl.col(name) if name in key else pl.coalesce(name, f"_{name}"))
        for name in SURVEYS
    )
    return pl.concat([completed, others]).sort(key)


def merged_treatments(source: pl.LazyFrame | None, ours: pl.DataFrame) -> pl.LazyFrame:
    """Return one table of treatments: the ledger's rows, completed by the source's, and the source's other rows."""
    if source is None:
        return ours.lazy().sort("treatment_id")
    plain = source.select(pl.col(name).cast(kind) for name, kind in TREATMENTS.items())
    others = plain.join(ours.lazy(), on="treatment_id", how="anti")
    theirs = plain.rename({name: f"_{name}" for name in TREATMENTS if name != "treatment_id"})
    completed = (
        ours.lazy()
        .join(theirs, on="treatment_id", how="left")
        .select(
            pl.col(name) if name == "treatment_id" else pl.coalesce(name, f"_{name}") for name in TREATMENTS
        )
    )
    return pl.concat([completed, others]).sort("treatment_id")


USE_OF_ANSWERS = "may_use_answers"


def words_on_answers(
    db: Connection, source: pl.LazyFrame, keys: pl.DataFrame, known_before: datetime, zone: str
) -> pl.DataFrame:
    """Return customer_key and value where the ledger changes what the customers' file says of the use of answers.

    Parameters
    ----------
    source : LazyFrame
        The validated table of customers, as `consent.file_words` reads it.
    keys : DataFrame
        customer_key, customer_id.
    known_before : datetime
        No word that became known at or after it, on either side.
    zone : str
        That of days.
    """
    said = newest(facts.consents(db, known_before).filter(pl.col("consent") == USE_OF_ANSWERS), zone)
    if said.is_empty():
        return pl.DataFrame(schema={"customer_key": pl.Int64, "value": pl.Boolean})
    ours = said.join(keys.select("customer_key", "customer_id"), on="customer_id").select(
        "customer_key", _ours="value", _at="at"
    )
    theirs = file_words(source, known_before, (USE_OF_ANSWERS,)).collect()
    return (
        theirs.join(ours, on="customer_key")
        .select(
            "customer_key",
            in_force(USE_OF_ANSWERS, "_ours", "_at", zone).alias("value"),
            _theirs=USE_OF_ANSWERS,
        )
        .filter(pl.col("value").ne_missing(pl.col("_theirs")))
        .select("customer_key", "value")
        .sort("customer_key")
    )


def merged_customers(source: pl.LazyFrame, said: pl.DataFrame) -> pl.LazyFrame:
    """Return the validated table of customers with the ledger's word on answers (`words_on_answers`) in it."""
    ours = said.lazy().select("customer_key", _ours="value")
    return (
        source.join(ours, on="customer_key", how="left", maintain_order="left")
        .with_columns(pl.coalesce("_ours", USE_OF_ANSWERS).alias(USE_OF_ANSWERS))
        .drop("_ours")
    )


def contacts_of_sources(
    surveys: pl.LazyFrame | None, treatments: pl.LazyFrame | None, keys: pl.DataFrame, since: datetime
) -> pl.DataFrame:
    """Return the contacts that the sources tell of, for the contact rules: surveys sent and offers made.

    customer_id, at, channel, purpose, is_transactional and source_id (invitation or treatment), at or after ``since``.
    A control was not contacted.
    """
    parts = []
    if surveys is not None:
        asked = surveys.select("customer_key", "channel", at="invited_at", source_id="invitation_id")
        parts.append(asked.unique("source_id").with_columns(purpose=pl.lit("survey")))
    if treatments is not None:
        made = treatments.filter(pl.col("offer_id") != "control").select(
            "customer_key", pl.lit(None, dtype=pl.String).alias("channel"), "at", source_id="treatment_id"
        )
        parts.append(made.with_columns(purpose=pl.lit("offer")))
    if not parts:
        return pl.DataFrame(schema=CONTACTS)
    return (
        pl.concat(parts, how="diagonal")
        .filter(pl.col("at") >= since)
        .join(keys.lazy().select("customer_key", "customer_id"), on="customer_key")
        .with_columns(is_transactional=pl.lit(value=False))
        .select(list(CONTACTS))
        .sort("customer_id", "at", "source_id")
        .collect()
    )
