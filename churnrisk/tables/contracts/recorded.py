# ruff: noqa: N805 - dataframely hands the schema to a rule as its first argument
"""What a row of a file for ``churnrisk record`` must be: what came back of surveys, offers and contacts."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from ..columns import flag, identifier, instant, number, text, word
from ..faults import CONTROL
from .rows import INSTEAD_OF, INSTEAD_OF_NULL, LEFT_ALONE, LEFT_ALONE_NULL, METRIC_SCALES, Source
from .table import SourceTable

CONSENT_WORDS = ("may_survey", "may_contact", "may_use_answers")
"""Consents that the ledger keeps beside the customers' source: those that the contact rules ask for, and whether
answers may be used. Call data are read from sources alone, and so is their consent."""

RECORDED_NOW = "when it is recorded, and never before it happened"

MADE = "made from the other columns, so that the same row is the same"

ON_RECORD = "what is on record; needed where treatment_id is not"

MADE_OF_THE_ANSWER = (
    "made from invitation_id, metric, answered_at and score, so that the same answer is the same"
)


class Answers(Source):
    """One row per answer to a question; to be recorded into the ledger, where the first given of a question counts."""

    answer_id = identifier("The answer, as the survey platform names it.", null=MADE_OF_THE_ANSWER)
    invitation_id = identifier("The invitation it answers, as survey_requests names it.")
    metric = word("What was asked.", tuple(METRIC_SCALES), null="that of the invitation")
    score = number("The answer.", "nps 0-10, csat 1-5, ces 1-7", null="no score: only a comment")
    comment = text("The answer to the open question.", null="none written")
    customer_id = identifier(
        "Whom the invitation asked; only checked.", digits=True, null="whoever the invitation asked"
    )
    answered_at = instant("When the customer answered.", null="not answered: the row is left aside")
    answered_end = instant("The last microsecond of an answer that has only a date.", inner=True)
    known_at = instant("When the answer became known.", null=RECORDED_NOW)

    @dy.rule()
    def nothing_said(cls) -> pl.Expr:
        # of a row without answered_at it is told apart whether anything at all was filled in
        return pl.any_horizontal(
            pl.col("score").is_not_null(), pl.col("comment").is_not_null(), pl.col("answered_at").is_null()
        )

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("answered_at")


class Outcomes(Source):
    """One row per thing that came of a contact or an offer; to be recorded into the ledger."""

    outcome_id = identifier("The outcome.", null=MADE)
    customer_id = identifier("The customer.", digits=True)
    treatment_id = identifier("The treatment it came of.", null="of none, or not known")
    at = instant("When it happened.")
    outcome = text("What came of it (reached, kept, refused, left ...).")
    root_cause = text("Why the customer was unhappy, as staff recorded it.", null="not asked")
    note = text("What staff wrote.", null="nothing")
    known_at = instant("When it became known.", null=RECORDED_NOW)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("at")


FITS: dict[str, pl.Expr] = {
    "known_before_happened": pl.col("known_at") >= pl.col("at"),
    "instead_of_no_control": pl.col("instead_of").is_null()
    | ((pl.col("offer_id") == CONTROL) & (pl.col("instead_of") != CONTROL)),
    "control_accepted": (pl.col("offer_id") != CONTROL) | ~pl.col("accepted").fill_null(value=False),
}
"""What must hold of a treatment to record, also once the ledger has said what the row leaves out; null holds."""


class RecordedTreatments(Source):
    """One row per customer who got an offer, or was deliberately left without; to be recorded into the ledger.

    One that is on record is completed: whether it was taken, and why the customer was unhappy.
    """

    treatment_id = identifier("The treatment.", null="no treatment: the row is left aside")
    customer_id = identifier("The customer.", digits=True, null=ON_RECORD)
    offer_id = identifier(f"The offer, or {CONTROL}.", null=ON_RECORD)
    campaign_id = identifier("The campaign it belongs to.", null="none")
    at = instant("When it was made.", null=ON_RECORD)
    propensity = number(
        "Probability with which it had been assigned; for a control, that of being left without.",
        "0-1",
        low=0,
        high=1,
        null="not known",
    )
    accepted = flag("It was taken.", null="not known, or control")
    instead_of = identifier(INSTEAD_OF, null=INSTEAD_OF_NULL)
    left_alone = number(LEFT_ALONE, "0-1", low=0, high=1, null=LEFT_ALONE_NULL)
    root_cause = text("Why the customer was unhappy, as staff recorded it.", null="not asked")
    known_at = instant("When it became known.", null=RECORDED_NOW)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return FITS["known_before_happened"]

    @dy.rule()
    def instead_of_no_control(cls) -> pl.Expr:
        return FITS["instead_of_no_control"]

    @dy.rule()
    def control_accepted(cls) -> pl.Expr:
        return FITS["control_accepted"]


class Contacts(Source):
    """One row per contact of the company with a customer, whoever made it; to be recorded into the ledger."""

    contact_id = identifier("The contact.", null=MADE)
    customer_id = identifier("Who was contacted.", digits=True)
    at = instant("When.")
    channel = text(
        "Through which of [contacts] channels; upper and lower case are the same.", null="not known"
    )
    purpose = text(
        "What for (survey, offer, bill ...): caps and transactional purposes go by it; case does not count."
    )
    known_at = instant("When it became known.", null=RECORDED_NOW)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("at")


class Consents(Source):
    """One row per word of a customer on a consent; to be recorded into the ledger."""

    customer_id = identifier("The customer.", digits=True)
    consent = word("What it is about.", CONSENT_WORDS)
    value = flag("Given (yes) or taken back (no).")
    at = instant("When the customer said so: the later word counts, and of one time the refusal.")
    known_at = instant("When it became known.", null=RECORDED_NOW)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("at")


class Suppressions(Source):
    """One row per person who must be left alone; to be recorded into the ledger, which keeps only a hash of the id."""

    customer_id = identifier("Who, customer or not yet.", digits=True)
    channel = text(
        "Through which of [contacts] channels; upper and lower case are the same.", null="through all of them"
    )
    since = instant("From when on; it may lie ahead, which a warning tells.")
    until = instant("Until when; of several from one instant on the longest holds.", null="for ever")
    reason = text("Why (asked, bounced, deceased ...).", null="asked")

    @dy.rule()
    def ends_before_it_begins(cls) -> pl.Expr:
        return pl.col("until") > pl.col("since")


class Liftings(Source):
    """One row per person who may be contacted again before a suppression ends; to be recorded into the ledger."""

    customer_id = identifier("Who, customer or not.", digits=True)
    channel = text(
        "Whose suppressions end, as they name it; upper and lower case are the same.",
        null="those of every channel, and those through all of them",
    )
    at = instant("From when on they are lifted; those that begin later are not.")
    lifted_by = text("Who decided it.")
    reason = text("Why (asked again, recorded by mistake ...).")


RECORDED_TABLES: dict[str, SourceTable] = {
    table.name: table
    for table in (
        SourceTable(
            "recorded_answers",
            Answers,
            "answer_id",
            "answered_at",
            kind_words="record",
            needed=("answered_at",),
        ),
        SourceTable("recorded_outcomes", Outcomes, "outcome_id", "at", kind_words="record"),
        SourceTable(
            "recorded_treatments",
            RecordedTreatments,
            "treatment_id",
            "at",
            kind_words="record",
            needed=("treatment_id",),
        ),
        SourceTable("recorded_contacts", Contacts, "contact_id", "at", kind_words="record"),
        SourceTable(
            "recorded_consents", Consents, "customer_id, consent, at, value", "at", kind_words="record"
        ),
        SourceTable(
            "recorded_suppressions",
            Suppressions,
            "customer_id, channel, since, until",
            "since",
            kind_words="record",
        ),
        SourceTable("recorded_liftings", Liftings, "customer_id, channel, at", "at", kind_words="record"),
    )
}
"""Every table that a file for ``churnrisk record`` can hold, by name."""
