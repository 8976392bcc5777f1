"""Who answered what after a look at them: the first relationship answer within 90 days, as far as it was known then.

It decides which answers are labels, and refuses to know features. Answers of those who forbid their use are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import polars as pl

from churnrisk.bundle import nps_category
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in

ANSWER_DAYS = 90
"""An answer says what a customer would have said so many days before, at most (judgement: a quarter, as waves come)."""


SETTLED_DAYS = 30
"""An invitation this old has the answer it will get (judgement: reminders end after two weeks)."""


class Seen(Protocol):
    """One look at all customers."""

    @property
    def day(self) -> str:
        """The day, ISO."""

    @property
    def instant(self) -> AsOf:
        """The as-of date."""

    @property
    def features(self) -> pl.DataFrame:
        """customer_key, customer_id and features."""


def known_answers(engine: Engine, looks: Sequence[Seen], known_by: AsOf) -> tuple[pl.DataFrame, pl.Series]:
    """Return the answers since the first look, and the keys of all who let their answers be used.

    Parameters
    ----------
    engine : with customers and surveys registered.
    looks : at least one.
    known_by : only answers known by then, and the consents of that day: a refusal holds for the past too.

    Returns
    -------
    tuple
        customer_key, invitation_id, answered_at, answer_known_at, score (0-10) by rising time; and Int64 keys.
    """
    statement = statements_in("features")["consents"]
    consents = engine.frame(statement, {"consent_as_of": known_by.instant})
    engine.register(statement.output, consents)
    try:
        answers = engine.frame(
            statements_in("training")["relationship_answers"],
            {"answers_from": min(look.instant.instant for look in looks), "known_by": known_by.instant},
        )
    finally:
        engine.drop(statement.output)
    permitted = consents.filter("may_use_answers")["customer_key"]
    return answers.sort("answered_at", "invitation_id"), permitted


def past_response(engine: Engine, looks: Sequence[Seen], known_by: AsOf) -> tuple[float | None, int]:
    """Return the share of relationship invitations since the first look that were answered, and how many there were.

    Counted are those at least 30 days old. None where no invitation is known, or every one has its answer: then the
    source lists answers, and says nothing of who gives none.
    """
    statement = statements_in("features")["consents"]
    engine.register(statement.output, engine.frame(statement, {"consent_as_of": known_by.instant}))
    try:
        found = engine.frame(
            statements_in("training")["relationship_invitations"],
            {
                "answers_from": min(look.instant.instant for look in looks),
                "known_by": known_by.instant,
                "answer_by": known_by.days_before(SETTLED_DAYS),
            },
        )
    finally:
        engine.drop(statement.output)
    n_answered = int(found["is_answered"].sum())
    return (n_answered / found.height if 0 < n_answered < found.height else None), found.height


def first_answers(answers: pl.DataFrame, as_of: AsOf, known_by: datetime) -> pl.DataFrame:
    """Return each customer's first answer in ``[as_of, as_of + 90 days)`` of those known before ``known_by``.

    Columns: customer_key, invitation_id, category (place in ``NPS_CATEGORIES``, Int8), by rising key.
    """
    start, end = as_of.instant, as_of.days_before(-ANSWER_DAYS)
    inside = (pl.col("answered_at") >= start) & (pl.col("answered_at") < end)
    return (
        answers.filter(inside & (pl.col("answered_at") < known_by) & (pl.col("answer_known_at") < known_by))
        .sort("answered_at", "invitation_id")
        .unique("customer_key", keep="first", maintain_order=True)
        .select("customer_key", "invitation_id", nps_category(pl.col("score")).alias("category"))
        .sort("customer_key")
    )
