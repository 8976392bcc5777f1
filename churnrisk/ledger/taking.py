"""Takes what came back into the ledger: answers, treatments, outcomes, contacts; each once, whoever brings it.

It decides what is new, what was known, what belongs to nobody's invitation, and which answer raises an alert. It
refuses to know files and HTTP: whoever calls it has checked the rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
from sqlalchemy import Connection, bindparam, select, update

from ..config import Config
from ..tables.contracts import METRIC_SCALES
from . import facts
from .entries import add, change, put
from .identity import stable_id, stable_ids
from .outbox import message, messages
from .schema import (
    ALERTS,
    ANSWERS,
    CONSENTS,
    CONTACTS,
    INVITATIONS,
    OUTBOX,
    OUTCOMES,
    STRAYS,
    TREATMENTS,
)
from .treated import note_words

UNKNOWN_INVITATION = "unknown_invitation"

Following = Callable[[Connection, pl.DataFrame], pl.DataFrame]
"""What follows from answers at once: gives them back with risk_before, risk_after and owner (null: not known)."""


@dataclass(frozen=True)
class Taken:
    """What became of the rows given: ``n_new + n_changed + n_known + n_stray`` is their number."""

    n_new: int
    n_known: int
    n_changed: int = 0
    n_stray: int = 0
    n_alerts: int = 0


@dataclass(frozen=True)
class AnswerRules:
    """When an answer raises an alert, when it is late, and where alerts are sent (nowhere without an endpoint)."""

    alert_window: tuple[float, float]
    wait_days: int
    endpoint: str | None = None

    @classmethod
    def of(cls, config: Config) -> AnswerRules:
        """Return what the settings say."""
        return cls(
            config.surveys.alert_window, config.contacts.wait_for_answer_days, config.webhooks.endpoint
        )


def contact_id(source: str, source_id: str) -> str:
    """Return the id of the contact that an invitation (``survey``) or treatment (``offer``) is."""
    return stable_id("contact", source, source_id)


def known_from(frame: pl.DataFrame, happened: str, now: datetime) -> pl.DataFrame:
    """Fill known_at where nobody says it: now, and never before the fact happened."""
    recorded = pl.max_horizontal(pl.lit(now, dtype=pl.Datetime("us")), pl.col(happened))
    return frame.with_columns(pl.coalesce("known_at", recorded).alias("known_at"))


# answers


def matched(db: Connection, answers: pl.DataFrame) -> pl.DataFrame:
    """Return answers with what their invitation says: customer_id, invited_at (null: nobody knows it), metric, and
    ``asked_metric``.

    Parameters
    ----------
    answers : DataFrame
        answer_id, invitation_id, metric, score, comment, answered_at, known_at; answer_id and metric may be null.
    """
    asked = facts.some(db, INVITATIONS, "invitation_id", answers["invitation_id"]).select(
        "invitation_id", "customer_id", "invited_at", asked_metric="metric"
    )
    # from what was given alone: an answer has the same id before and after its invitation is known
    made = stable_ids("answer", answers, ("invitation_id", "metric", "answered_at", "score"))
    return (
        answers.with_columns(answer_id=pl.coalesce("answer_id", made))
        .join(asked, on="invitation_id", how="left", maintain_order="left")
        .with_columns(metric=pl.coalesce("metric", "asked_metric"))
    )


def not_asked() -> pl.Expr:
    """Say whether a matched answer is to another question than its invitation asked."""
    return (pl.col("metric") != pl.col("asked_metric")).fill_null(value=False)


def off_scale() -> pl.Expr:
    """Say whether the score of a matched answer is none of its metric; of an unknown metric nothing is said."""
    fits = pl.lit(value=True)
    for metric, (low, high) in METRIC_SCALES.items():
        fits &= (pl.col("metric") != metric) | pl.col("score").is_between(low, high)
    return ~fits.fill_null(value=True)


def not_whole() -> pl.Expr:
    """Say whether a matched answer to the recommend question is no whole number."""
    return ((pl.col("metric") == "nps") & (pl.col("score") != pl.col("score").floor())).fill_null(value=False)


def wrong_answer() -> pl.Expr:
    """Say whether a matched answer cannot be one to its question."""
    return not_asked() | off_scale() | not_whole()


def before_invitation() -> pl.Expr:
    """Say whether a matched answer was given before its invitation; of a day alone its end counts (answered_end)."""
    end = pl.coalesce("answered_end", "answered_at")
    return (end < pl.col("invited_at")).fill_null(value=False)


def take_answers(
    db: Connection,
    answers: pl.DataFrame,
    rules: AnswerRules,
    *,
    source: str,
    now: datetime,
    following: Following | None = None,
) -> Taken:
    """Write answers, put those to unknown invitations aside, and raise alerts.

    Parameters
    ----------
    answers : DataFrame
        As `matched` returns them, checked.
    rules : AnswerRules
        Window of alerts, days after which an answer is late.
    source : str
        Who brought them: file, http, stray.
    now : datetime
        The clock, naive UTC.
    following : Following, optional
        Says the risk before and after each answer, and who looks after the customer.

    Returns
    -------
    Taken
        An answer that was known changes nothing; one to an invitation that became known since is moved.
    """
    dated = known_from(answers, "answered_at", now).with_columns(
        source=pl.lit(source), written_at=pl.lit(now)
    )
    is_stray = pl.col("customer_id").is_null()
    strays = dated.filter(is_stray).with_columns(reason=pl.lit(UNKNOWN_INVITATION))
    n_stray = strays.height
    add(db, STRAYS, strays)
    late = pl.col("answered_at") > pl.col("invited_at") + timedelta(days=rules.wait_days)
    ours = dated.filter(~is_stray).with_columns(is_late=late)
    if following is not None and ours.height:
        ours = following(db, ours)
    n_new = add(db, ANSWERS, ours)
    n_alerts = _raise_alerts(db, ours, rules, now)
    return Taken(n_new, ours.height - n_new, n_stray=n_stray, n_alerts=n_alerts)


def match_strays(
    db: Connection, rules: AnswerRules, now: datetime, *, following: Following | None = None
) -> Taken:
    """Take the strays whose invitation has become known since, and which can be answers to it."""
    known = select(INVITATIONS.c.invitation_id)
    query = select(STRAYS).where(STRAYS.c.matched_at.is_(None), STRAYS.c.invitation_id.in_(known))
    waiting = facts.frame_of(db, query.order_by(STRAYS.c.answer_id))
    found = matched(db, waiting.drop("source", "reason", "written_at", "matched_at"))
    fits = pl.col("customer_id").is_not_null() & ~wrong_answer() & ~before_invitation()
    home = found.filter(fits).drop("answered_end")
    if home.is_empty():
        return Taken(0, 0)
    taken = take_answers(db, home, rules, source="stray", now=now, following=following)
    change(db, STRAYS, home.select("answer_id", pl.lit(now).alias("matched_at")), ["matched_at"])
    return taken


def adopt_answers(
    db: Connection,
    surveys: pl.LazyFrame,
    keys: pl.DataFrame,
    rules: AnswerRules,
    *,
    now: datetime,
    following: Following | None = None,
) -> Taken:
    """Take answers out of the source of surveys that belong to invitations of the ledger.

    A platform that is read by its export alone brings answers to confirmation surveys so. They were known when the
    source says so.

    Parameters
    ----------
    surveys : LazyFrame
        The validated table of the source (not merged with the ledger).
    keys : DataFrame
        customer_key, customer_id: an answer of another customer than the one invited is left aside, and so is one that
        was given before the invitation.
    """
    asked = facts.invitations(db).select("invitation_id")
    if asked.is_empty():
        return Taken(0, 0)
    found = (
        surveys.filter(pl.col("answered_at").is_not_null())
        .join(asked.lazy(), on="invitation_id", how="semi")
        .join(keys.lazy().select("customer_key", _customer="customer_id"), on="customer_key")
        .select(
            pl.lit(None, dtype=pl.String).alias("answer_id"),
            "invitation_id",
            "metric",
            "score",
            "comment",
            "answered_at",
            "_customer",
            known_at="answer_known_at",
        )
        .collect()
    )
    heard = facts.some(db, ANSWERS, "invitation_id", found["invitation_id"]).select("invitation_id", "metric")
    new = matched(db, found.join(heard.unique(), on=["invitation_id", "metric"], how="anti"))
    after = pl.col("answered_at") >= pl.col("invited_at")
    theirs = new.filter((pl.col("customer_id") == pl.col("_customer")) & ~wrong_answer() & after)
    return take_answers(db, theirs, rules, source="source", now=now, following=following)


def in_window(answers: pl.DataFrame, window: tuple[float, float]) -> pl.DataFrame:
    """Return the answers to the recommend question whose score lies in the window, both ends included."""
    return answers.filter((pl.col("metric") == "nps") & pl.col("score").is_between(*window))


def _raise_alerts(db: Connection, answers: pl.DataFrame, rules: AnswerRules, now: datetime) -> int:
    """Raise one alert per question answered within the window, however often the answer comes."""
    low, high = rules.alert_window
    told = in_window(answers, rules.alert_window)
    if told.is_empty():
        return 0
    alerts = (
        told.with_columns(
            alert_id=stable_ids("alert", told, ("invitation_id", "metric")),
            owner="owner" if "owner" in told.columns else pl.lit(None, dtype=pl.String),
            state=pl.lit("open"),
            raised_at=pl.lit(now),
            window_low=pl.lit(float(low)),
            window_high=pl.lit(float(high)),
        )
        .sort("alert_id", "answered_at", "answer_id")
        .unique("alert_id", keep="first", maintain_order=True)
    )
    known = facts.some(db, ALERTS, "alert_id", alerts["alert_id"])
    new = alerts.join(known, on="alert_id", how="anti")
    n_new = add(db, ALERTS, new)
    _tell_first_given(db, alerts.join(known, on="alert_id", how="semi"))
    if rules.endpoint is not None:
        add(
            db,
            OUTBOX,
            messages(_alert_message(row, rules.endpoint, now) for row in new.iter_rows(named=True)),
        )
    return n_new


def _tell_first_given(db: Connection, again: pl.DataFrame) -> None:
    """Let an alert tell of the answer given first, also where that one came later: order must not matter."""
    if again.is_empty():
        return
    told = facts.some(db, ALERTS, "alert_id", again["alert_id"]).select("alert_id", _told="answer_id")
    here = told.join(again, on="alert_id")
    both = pl.concat([here["_told"], here["answer_id"]])
    given = facts.some(db, ANSWERS, "answer_id", both).select(_told="answer_id", _at="answered_at")
    is_earlier = (pl.col("answered_at") < pl.col("_at")) | (
        (pl.col("answered_at") == pl.col("_at")) & (pl.col("answer_id") < pl.col("_told"))
    )
    earlier = here.join(given, on="_told").filter(is_earlier)
    if earlier.height:
        told_of = ("answer_id", "score", "comment")
        statement = update(ALERTS).where(ALERTS.c.alert_id == bindparam("_alert"))
        db.execute(
            statement.values({name: bindparam(f"_{name}") for name in told_of}),
            earlier.select(_alert="alert_id", **{f"_{name}": pl.col(name) for name in told_of}).to_dicts(),
        )


def _alert_message(row: dict[str, object], endpoint: str, now: datetime) -> dict[str, object]:
    names = ("alert_id", "invitation_id", "customer_id", "metric", "score", "comment", "owner", "answered_at")
    payload = {"type": "alert.raised", "data": {name: row[name] for name in names}}
    told = json.loads(json.dumps(payload, default=str))
    return message("alert.raised", str(row["alert_id"]), told, endpoint=endpoint, now=now)


# the others


def take_treatments(db: Connection, treatments: pl.DataFrame, *, source: str, now: datetime) -> Taken:
    """Write treatments; of those that are known fill in what came back: taken or not, root cause.

    Each word stands with the date from which it was known. Customer, offer, date, chance, campaign and what a control
    would have been offered stand as they are on record: of the last three only what nobody had written is filled in.
    Whoever got an offer was contacted: the contact is written too, once.
    """
    dated = known_from(treatments, "at", now).with_columns(source=pl.lit(source), written_at=pl.lit(now))
    filled = ["propensity", "campaign_id", "instead_of", "left_alone"]
    known = facts.by_index(db, TREATMENTS, "treatment_id", dated["treatment_id"])
    given = known.select("treatment_id").join(dated, on="treatment_id", maintain_order="left")
    told = [
        known.filter(pl.col(name).is_null() & given[name].is_not_null())
        for name in filled
        if name in given.columns
    ]
    put(db, TREATMENTS, dated, [], filled=filled)
    touched = pl.concat([note_words(db, dated), *(each.select("treatment_id") for each in told)])
    n_new = dated.height - known.height
    n_changed = touched.join(known, on="treatment_id", how="semi")["treatment_id"].n_unique()
    made = dated.filter(pl.col("offer_id") != "control")
    contacts = made.with_columns(
        contact_id=stable_ids("contact", made.with_columns(_kind=pl.lit("offer")), ("_kind", "treatment_id")),
        purpose=pl.lit("offer"),
        is_transactional=pl.lit(value=False),
        source=pl.lit("offer"),
        source_id="treatment_id",
    )
    add(db, CONTACTS, contacts)
    return Taken(n_new, known.height - n_changed, n_changed=n_changed)


def named_outcomes(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Fill outcome_id where nobody gave one: the same row, the same id."""
    made = stable_ids(
        "outcome", outcomes, ("customer_id", "treatment_id", "at", "outcome", "root_cause", "note")
    )
    return outcomes.with_columns(outcome_id=pl.coalesce("outcome_id", made))


def take_outcomes(db: Connection, outcomes: pl.DataFrame, *, source: str, now: datetime) -> Taken:
    """Write what came of contacts and offers, as `named_outcomes`."""
    dated = known_from(outcomes, "at", now).with_columns(source=pl.lit(source), written_at=pl.lit(now))
    n_new = add(db, OUTCOMES, dated)
    return Taken(n_new, dated.height - n_new)


def take_consents(db: Connection, consents: pl.DataFrame, *, source: str, now: datetime) -> Taken:
    """Write what customers said on their consents."""
    dated = known_from(consents, "at", now).with_columns(source=pl.lit(source))
    n_new = add(db, CONSENTS, dated)
    return Taken(n_new, dated.height - n_new)


SAME_CONTACT = ("customer_id", "at", "channel", "purpose")
GIVEN = ("_channel", "_purpose")
"""Of a contact, its channel and purpose as they were written."""


def named_contacts(db: Connection, contacts: pl.DataFrame) -> pl.DataFrame:
    """Fill contact_id where nobody gave one: the same row, the same id, however channel and purpose are written.

    One that is on record by what was written (``GIVEN``) keeps that id: so they were named before.
    """
    made = stable_ids("contact", contacts, SAME_CONTACT)
    before = stable_ids("contact", contacts, ("customer_id", "at", *GIVEN))
    is_known = before.is_in(facts.by_index(db, CONTACTS, "contact_id", before)["contact_id"].implode())
    named = before.zip_with(is_known, made)
    return contacts.with_columns(contact_id=pl.coalesce("contact_id", named)).drop(GIVEN)


def take_contacts(
    db: Connection, contacts: pl.DataFrame, transactional: frozenset[str], *, source: str, now: datetime
) -> Taken:
    """Write contacts that somebody made, as `named_contacts`; those with a transactional purpose count for no rule."""
    dated = known_from(contacts, "at", now).with_columns(
        is_transactional=pl.col("purpose").is_in(sorted(transactional)),
        source=pl.lit(source),
        written_at=pl.lit(now),
    )
    n_new = add(db, CONTACTS, dated)
    return Taken(n_new, dated.height - n_new)
