# ruff: noqa: N805 - dataframely hands the schema to a rule as its first argument
"""What a row of each source must be: limits, units, what null means, and rules between columns."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from ..columns import day, flag, identifier, instant, number, text, whole, word
from ..faults import CONTROL

FILE, ROW = "_file", "_row"
"""Columns made while reading: the number of the file, and of the record in it (from 1, the header not counted)."""

METRIC_SCALES: dict[str, tuple[float, float]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""Lowest and highest score per metric in validated tables. NPS is 0-10 by definition; 1-5 for CSAT and 1-7 for CES
are the commonest of several scales in use: a source with another one says so in ``scales`` and is converted."""

LONGEST_S = 31 * 86_400
"""No call and no wait lasts longer than a month: beyond it the unit is wrong (ms for s). A guess."""

CALL_KINDS = ("voice", "sms", "message")

INSTEAD_OF = "Of a control, the offer it would have been made, had the lot not left it without."
INSTEAD_OF_NULL = (
    "an offer was made, the lot gave none, or not known; then a campaign compares with all controls"
)

LEFT_ALONE = (
    "Of a control that says instead_of, the probability with which those picked for that offer were left out."
)
LEFT_ALONE_NULL = "an offer was made, or as propensity says"

KNOWN = "as soon as it happened, after delay_days; a fact with a date only, at the end of its day"


class Source(dy.Schema):
    """Base of all source tables: where a row came from, and when its fact became known."""

    file = dy.Int64(alias=FILE)
    row = dy.Int64(alias=ROW)


class Customers(Source):
    """One row per customer, or per version of a customer when valid_from is given."""

    customer_id = identifier("The customer.", digits=True)
    valid_from = instant("From when this version holds.", null="no history: the extract shows one state")
    joined_on = day("The day the customer came.", null="not known")
    left_on = day("The day the customer left, or will leave.", null="has not left")
    left_known_at = instant(
        "When the leaving became known.",
        null="at the end of left_on, or with the version or extract that first says so",
    )
    left_reason = text("Why the customer left.", null="not said")
    monthly_value = number(
        "What the customer brings in a month.", "the customer's currency", null="not known"
    )
    language = text("Language to write to the customer in.", null="not known")
    may_survey = flag("May be asked.", null="as [privacy] missing_consent says")
    may_contact = flag("May be contacted with offers.", null="as [privacy] missing_consent says")
    may_use_calls = flag("Call data may be used.", null="as [privacy] missing_consent says")
    may_use_answers = flag("Survey answers may be used.", null="as [privacy] missing_consent says")
    known_at = instant(
        "When this row became known.",
        null="valid_from, or extracted_on; without either, see accept_current_attributes",
    )

    @dy.rule()
    def left_before_joined(cls) -> pl.Expr:
        return pl.col("left_on") >= pl.col("joined_on")


class Calls(Source):
    """One row per call or message between two people; ids outside customers become keyed hashes."""

    caller_id = identifier("Who called or wrote.", digits=True)
    callee_id = identifier("Who was called or written to.", digits=True)
    started_at = instant("When it began.")
    duration_s = whole(
        "How long it lasted; a code in missed_codes means a missed call, kept as missed.",
        "s",
        low=0,
        high=LONGEST_S,
        null="missed, not a call, or not recorded: an empty duration alone does not say that a call was missed",
        codes={"min": "negative_duration"},
    )
    is_missed = dy.Bool(metadata={"inner": True})
    kind = word("What it was.", CALL_KINDS, null="voice")
    known_at = instant("When it became known.", null=f"{KNOWN}; a call with a duration, when it ended")

    @dy.rule()
    def call_to_oneself(cls) -> pl.Expr:
        return pl.col("caller_id") != pl.col("callee_id")

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("started_at")


class Surveys(Source):
    """One row per question asked of a customer, answered or not."""

    invitation_id = identifier("The invitation; several metrics may share it.")
    customer_id = identifier("Who was asked.", digits=True)
    metric = word("What was asked.", tuple(METRIC_SCALES))
    occasion = text("relationship, or the touchpoint that was asked about.", null="relationship")
    invited_at = instant("When the customer was asked.", null="not known: counts as asked when answered")
    answered_at = instant(
        "When the customer answered.", null="not answered; with a score, known_at stands for it"
    )
    answered_end = instant("The last microsecond of an answer that has only a date.", inner=True)
    score = number(
        "The answer.",
        "nps 0-10, csat 1-5, ces 1-7 unless scales says otherwise",
        null="no score: silent, or skipped",
    )
    comment = text("The answer to the open question.", null="none written")
    channel = text("How it was sent (email, sms, web, app ...).", null="not known")
    language = text("Language of the question.", null="not known")
    sender = text("Who sent it, e.g. a team.", null="not known")
    incentive = text("What was promised for an answer.", null="none, or not known")
    known_at = instant("When the answer became known.", null=KNOWN)

    @dy.rule()
    def asked_at_missing(cls) -> pl.Expr:
        return pl.col("invited_at").is_not_null() | pl.col("answered_at").is_not_null()

    @dy.rule()
    def score_without_answer_date(cls) -> pl.Expr:
        silent = pl.col("score").is_null() & pl.col("comment").is_null()
        return silent | pl.col("answered_at").is_not_null()

    @dy.rule()
    def score_off_scale(cls) -> pl.Expr:
        fits = pl.lit(value=True)
        for metric, (low, high) in METRIC_SCALES.items():
            fits &= (pl.col("metric") != metric) | pl.col("score").is_between(low, high)
        return fits

    @dy.rule()
    def score_not_whole(cls) -> pl.Expr:
        return (pl.col("metric") != "nps") | (pl.col("score") == pl.col("score").floor())

    @dy.rule()
    def answer_before_invitation(cls) -> pl.Expr:
        return pl.col("answered_end") >= pl.col("invited_at")

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("answered_at")


class Interactions(Source):
    """One row per contact of a customer with the company."""

    interaction_id = identifier("The contact.", null="not numbered: equal rows count once")
    customer_id = identifier("Who made contact.", digits=True)
    at = instant("When it began.")
    channel = text("Through which channel (phone, chat, shop ...).", null="not known")
    topic = text("What it was about.", null="not known")
    wait_s = number("How long the customer waited.", "s", low=0, high=LONGEST_S, null="not measured")
    transfers = whole("How often the customer was passed on.", "times", low=0, high=1_000, null="not counted")
    repeated = flag("The customer had to tell it again.", null="not known")
    resolved = flag("It was resolved.", null="not known")
    abandoned = flag("The customer gave up waiting.", null="not known")
    known_at = instant("When it became known.", null=KNOWN)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("at")


class Usage(Source):
    """One row per customer and period, with any numeric columns beside."""

    customer_id = identifier("The customer.", digits=True)
    period_start = day("First day of the period; its length is `period`.")
    known_at = instant("When it became known.", null="at the end of the period, after delay_days")

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("period_start")


class Events(Source):
    """One row per thing that a customer did or that happened to them."""

    customer_id = identifier("The customer.", digits=True)
    at = instant("When it happened.")
    event = text("What happened (form_abandoned, app_removed, login, page_view ...).")
    value = number("A number that belongs to it.", "as the event defines", null="none")
    known_at = instant("When it became known.", null=KNOWN)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("at")


class Offers(Source):
    """One row per offer that may be made."""

    offer_id = identifier("The offer.")
    name = text("Its name on lists.")
    kind = text("What it is (discount, upgrade, call ...).", null="not said")
    contact_cost = number("Cost of making the offer to one customer.", "currency", low=0, null="not known")
    incentive_cost = number("Cost when it is taken.", "currency", low=0, null="not known")
    capacity = whole("How many a day.", "offers", low=0, null="no limit")
    eligible = text("Who may get it: one boolean expression over published columns.", null="everyone")
    channel = text(
        "Through which of [contacts] channels it is made; several, parted by ;, the preferred one first.",
        null="any of [contacts] channels",
    )
    suits = text(
        "Root causes that it answers, parted by ;: customers whose recorded cause is another one do not get it.",
        null="any cause",
    )

    @dy.rule()
    def offer_called_control(cls) -> pl.Expr:
        return pl.col("offer_id").str.strip_chars().str.to_lowercase() != CONTROL


class Treatments(Source):
    """One row per customer who got an offer, or was deliberately left without (control)."""

    treatment_id = identifier("The treatment.")
    customer_id = identifier("The customer.", digits=True)
    offer_id = identifier(f"The offer, or {CONTROL}.")
    at = instant("When it was made.")
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
    known_at = instant("When it became known.", null=KNOWN)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("at")

    @dy.rule()
    def instead_of_no_control(cls) -> pl.Expr:
        return pl.col("instead_of").is_null() | (
            (pl.col("offer_id") == CONTROL) & (pl.col("instead_of") != CONTROL)
        )


class Labelled(Source):
    """One row per customer of a training extract with a given label."""

    customer_id = identifier("The customer.", null="rows without ids: they are numbered", digits=True)
    churned = flag("Left; the values that mean yes are `positive`.")
    weight = number("How many customers the row stands for.", "customers", low=0, null="1")
    observed_on = day("The day the attributes show.", null="not known: cross-validated, not out of time")
