"""The tables of the ledger, for SQLite and PostgreSQL alike.

It decides names, keys and what may not be null, and refuses to know who writes. Ids are text. Instants are naive UTC
with microseconds, days are dates, money is in the customer's currency; JSON is text, so that both databases hold the
same. A change here needs a migration (``migrations/versions``): a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

REVISION = "0006"
"""The newest migration: what a ledger that this code writes must stand at."""

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=null)


def _instant(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, DateTime, nullable=null)


def _day(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Date, nullable=null)


def _number(name: str, *, null: bool = True) -> Column[Any]:
    return Column(name, Double, nullable=null)


def _whole(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Integer, nullable=null)


def _flag(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Boolean, nullable=null)


def _table(name: str, key: tuple[str, ...], *parts: Any) -> Table:
    return Table(name, METADATA, *parts, PrimaryKeyConstraint(*key))


DECISION_SETS = _table(
    "decision_sets",
    ("as_of",),
    _day("as_of"),
    _instant("decided_at"),
    _text("run_id"),
    _text("settings"),
    _text("figures"),
)
"""The dates that were decided: once each. ``settings`` is their fingerprint, ``figures`` JSON (budgets, counts)."""

DECISIONS = _table(
    "decisions",
    ("as_of", "kind", "customer_id", "subject"),
    _day("as_of"),
    _text("kind"),
    _text("customer_id"),
    _text("subject"),
    _whole("position"),
    _text("decision"),
    _text("reason_code"),
    _text("why"),
    _number("value"),
    _number("cost"),
    _text("channel", null=True),
    _text("purpose"),
    _number("propensity"),
    _flag("is_random"),
    _text("campaign_id", null=True),
    _text("reference", null=True),
    _text("details"),
    ForeignKeyConstraint(["as_of"], ["decision_sets.as_of"]),
    Index("ix_decisions_customer_id", "customer_id"),
)
"""What was decided of whom: also refusals and hold-outs, with the reason. ``reference`` is the invitation or treatment
that came of it; ``subject`` what was asked or offered."""

INVITATIONS = _table(
    "invitations",
    ("invitation_id",),
    _text("invitation_id"),
    _text("customer_id"),
    _text("metric"),
    _text("occasion"),
    _text("channel", null=True),
    _text("language", null=True),
    _text("purpose"),
    _day("as_of", null=True),
    _instant("invited_at"),
    _instant("known_at"),
    _number("propensity"),
    _number("risk_at_asking"),
    _text("state"),
    _instant("written_at"),
    _instant("withdrawn_at", null=True),
    Index("ix_invitations_customer_id", "customer_id"),
)
"""Whom we meant to ask. ``state`` is ``invited``, or ``withdrawn`` of one that was stopped before it went out;
``withdrawn_at`` says from when on that counts (see `churnrisk.ledger.withdrawn`). So do treatments and contacts."""

ANSWERS = _table(
    "answers",
    ("answer_id",),
    _text("answer_id"),
    _text("invitation_id"),
    _text("customer_id"),
    _text("metric"),
    _number("score"),
    _text("comment", null=True),
    _instant("answered_at"),
    _instant("known_at"),
    _text("source"),
    _flag("is_late"),
    _number("risk_before"),
    _number("risk_after"),
    _instant("written_at"),
    ForeignKeyConstraint(["invitation_id"], ["invitations.invitation_id"]),
    Index("ix_answers_invitation_id", "invitation_id"),
    Index("ix_answers_customer_id", "customer_id"),
)

STRAYS = _table(
    "strays",
    ("answer_id",),
    _text("answer_id"),
    _text("invitation_id"),
    _text("metric", null=True),
    _number("score"),
    _text("comment", null=True),
    _instant("answered_at"),
    _instant("known_at"),
    _text("source"),
    _text("reason"),
    _instant("written_at"),
    _instant("matched_at", null=True),
    _instant("answered_end", null=True),
)
"""Answers to invitations that nobody knows, kept apart."""

ALERTS = _table(
    "alerts",
    ("alert_id",),
    _text("alert_id"),
    _text("answer_id"),
    _text("customer_id"),
    _text("invitation_id"),
    _text("metric"),
    _number("score", null=False),
    _text("comment", null=True),
    _text("owner", null=True),
    _text("state"),
    _instant("raised_at"),
    _number("window_low", null=False),
    _number("window_high", null=False),
    ForeignKeyConstraint(["answer_id"], ["answers.answer_id"]),
)

TREATMENTS = _table(
    "treatments",
    ("treatment_id",),
    _text("treatment_id"),
    _text("customer_id"),
    _text("offer_id"),
    _text("campaign_id", null=True),
    _instant("at"),
    _instant("known_at"),
    _number("propensity"),
    _flag("accepted", null=True),
    _text("root_cause", null=True),
    _text("source"),
    _day("as_of", null=True),
    _instant("written_at"),
    _text("instead_of", null=True),
    _instant("withdrawn_at", null=True),
    _number("left_alone"),
    Index("ix_treatments_customer_id", "customer_id"),
)
"""Offers made, and customers left without on purpose (``offer_id`` control). ``instead_of`` is the offer that a control
would have been made; null for offers made, for who drew none, and where nobody said. ``left_alone`` is, of such a
control, the chance with which those picked for that offer were left without; higher while an offer is on trial."""

TREATMENT_FACTS = _table(
    "treatment_facts",
    ("treatment_id", "fact", "known_at"),
    _text("treatment_id"),
    _text("fact"),
    _instant("known_at"),
    _text("customer_id"),
    _text("value"),
    _text("source"),
    _instant("written_at"),
    Index("ix_treatment_facts_customer_id", "customer_id"),
)
"""What came back of a treatment, each word with the date from which it was known: ``fact`` is ``accepted`` (value
``true`` or ``false``) or ``root_cause``. The columns of `TREATMENTS` hold the newest."""

OUTCOMES = _table(
    "outcomes",
    ("outcome_id",),
    _text("outcome_id"),
    _text("customer_id"),
    _text("treatment_id", null=True),
    _instant("at"),
    _instant("known_at"),
    _text("outcome"),
    _text("root_cause", null=True),
    _text("note", null=True),
    _text("source"),
    _instant("written_at"),
    Index("ix_outcomes_customer_id", "customer_id"),
)

CONTACTS = _table(
    "contacts",
    ("contact_id",),
    _text("contact_id"),
    _text("customer_id"),
    _instant("at"),
    _instant("known_at"),
    _text("channel", null=True),
    _text("purpose"),
    _flag("is_transactional"),
    _text("source"),
    _text("source_id", null=True),
    _instant("written_at"),
    _instant("withdrawn_at", null=True),
    Index("ix_contacts_at", "at"),
    Index("ix_contacts_customer_id", "customer_id"),
)

CAMPAIGNS = _table(
    "campaigns",
    ("campaign_id",),
    _text("campaign_id"),
    _text("kind"),
    _day("started_on"),
    _text("unit"),
    _number("control_share", null=False),
    _text("settings"),
    _day("ended_on", null=True),
    _instant("written_at"),
)

ARMS = _table(
    "arms",
    ("campaign_id", "customer_id"),
    _text("campaign_id"),
    _text("customer_id"),
    _text("arm"),
    _text("community", null=True),
    _number("probability", null=False),
    _instant("frozen_at"),
    ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"]),
)

HOLDOUTS = _table(
    "holdouts",
    ("kind", "campaign_id", "customer_id"),
    _text("kind"),
    _text("campaign_id"),
    _text("customer_id"),
    _day("since"),
)
"""Hold-outs as they were first used; who is one comes from the hash. ``campaign_id`` is empty but for campaigns."""

SUPPRESSIONS = _table(
    "suppressions",
    ("token", "channel", "since"),
    _text("token"),
    _text("channel"),
    _instant("since"),
    _instant("until", null=True),
    _text("reason"),
    _instant("lifted_at", null=True),
    _text("lifted_by", null=True),
    _text("lifted_because", null=True),
)
"""Who must not be contacted, by keyed hash, so that it outlives the customer's data. An empty channel means all."""

CONSENTS = _table(
    "consents",
    ("customer_id", "consent", "at", "value"),
    _text("customer_id"),
    _text("consent"),
    _instant("at"),
    _instant("known_at"),
    _flag("value"),
    _text("source"),
)
"""What customers said on their consents. Yes and no of one date both stand; the refusal is the one that counts."""

OUTBOX = _table(
    "outbox",
    ("message_id",),
    _text("message_id"),
    _text("kind"),
    _text("endpoint"),
    _text("customer_id", null=True),
    _text("channel", null=True),
    _text("reference", null=True),
    _day("as_of", null=True),
    _text("payload"),
    _instant("created_at"),
    _instant("next_try_at"),
    _whole("n_tries"),
    _text("claimed_by", null=True),
    _instant("claimed_until", null=True),
    _instant("sent_at", null=True),
    _instant("failed_at", null=True),
    _text("last_error", null=True),
    Index("ix_outbox_next_try_at", "next_try_at"),
)

INBOX = _table(
    "inbox",
    ("event_id",),
    _text("event_id"),
    _instant("received_at"),
    _text("body_sha256"),
    _text("verdict"),
)
