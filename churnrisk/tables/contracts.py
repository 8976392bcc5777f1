# ruff: noqa: N805 - dataframely hands the schema to a rule as its first argument
"""Contracts of the source tables: one declaration per table is the check, the documentation and the test data.

It decides which columns a user may bring, their limits, units and what null means, and refuses to know in which file
or under which name they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import dataframely as dy
import polars as pl

from .columns import (
    MOST,
    Word,
    about,
    day,
    flag,
    identifier,
    instant,
    is_inner,
    number,
    range_words,
    text,
    whole,
    word,
)
from .faults import CONTROL, ROW_FAULTS, sentence_of

FILE, ROW = "_file", "_row"
"""Columns made while reading: the number of the file, and of the record in it (from 1, the header not counted)."""

METRIC_SCALES: dict[str, tuple[float, float]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""Lowest and highest score per metric in validated tables. NPS is 0-10 by definition; 1-5 for CSAT and 1-7 for CES
are the commonest of several scales in use: a source with another one says so in ``scales`` and is converted."""

LONGEST_S = 31 * 86_400
"""No call and no wait lasts longer than a month: beyond it the unit is wrong (ms for s). A guess."""

CALL_KINDS = ("voice", "sms", "message")

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
        null="missed, or not a call",
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
    root_cause = text("Why the customer was unhappy, as staff recorded it.", null="not asked")
    known_at = instant("When it became known.", null=KNOWN)

    @dy.rule()
    def known_before_happened(cls) -> pl.Expr:
        return pl.col("known_at") >= pl.col("at")


class Labelled(Source):
    """One row per customer of a training extract with a given label."""

    customer_id = identifier("The customer.", null="rows without ids: they are numbered", digits=True)
    churned = flag("Left; the values that mean yes are `positive`.")
    weight = number("How many customers the row stands for.", "customers", low=0, null="1")
    observed_on = day("The day the attributes show.", null="not known: cross-validated, not out of time")


Extra = Literal["", "attribute", "metric"]


@dataclass(frozen=True)
class SourceTable:
    """A source table: its contract, the key that makes a row unique, and what further columns of a file become."""

    name: str
    schema: type[Source]
    key_words: str
    happened: str | None = None
    """The column that dates the fact."""
    extra: Extra = ""

    @property
    def meaning(self) -> str:
        """The table in a sentence."""
        return (self.schema.__doc__ or "").strip()

    @property
    def columns(self) -> dict[str, dy.Column]:
        """The columns a source can give, by name."""
        return {name: column for name, column in self.schema.columns().items() if not is_inner(column)}

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which there is no table."""
        return tuple(name for name, column in self.columns.items() if not column.nullable)

    def kind(self, column: str) -> str:
        """Return the kind of a column."""
        return str(about(self.columns[column])["kind"])

    def rule_codes(self) -> tuple[str, ...]:
        """Return the codes of rules between columns, in the order of ROW_FAULTS."""
        rules = self.schema._schema_validation_rules()  # noqa: SLF001 - dataframely has no public list of rules
        return tuple(code for code in ROW_FAULTS if code in rules)

    def column_codes(self, name: str) -> tuple[str, ...]:
        """Return the codes that a value of one column can be rejected with."""
        column = self.columns[name]
        reading = {
            "id": ("id_unreadable",),
            "instant": ("date_unreadable", "time_nonexistent", "time_out_of_range"),
            "day": ("date_unreadable", "time_out_of_range"),
            "number": ("number_unreadable",),
            "integer": ("number_unreadable", "not_whole"),
            "boolean": ("boolean_unreadable",),
        }.get(self.kind(name), ())
        limits = [
            limit_code(self, name, limit)
            for limit in ("min", "max")
            if getattr(column, limit, None) is not None
        ]
        words = [limit_code(self, name, "regex")] if isinstance(column, Word) else []
        needed = [] if column.nullable else ["required_missing"]
        return tuple(dict.fromkeys((*reading, *limits, *words, *needed)))

    def codes(self) -> tuple[str, ...]:
        """Return every code with which a row of this table can be rejected."""
        found = {code for name in self.columns for code in self.column_codes(name)} | set(self.rule_codes())
        found |= {"malformed_line", "bad_characters", "duplicate_row"}
        if self.key_words:
            found.add("duplicate_key")
        if self.name in REFERS_TO_CUSTOMERS:
            found.add("unknown_customer")
        if self.name == "treatments":
            found.add("unknown_offer")
        if self.name == "surveys":
            found.add("superseded")
        return tuple(code for code in ROW_FAULTS if code in found)

    def limits_of(self, column: str) -> str:
        """Say the limits of a column in words."""
        return (
            range_words(self.columns[column]) if column in self.columns else ""
        ) or f"{-MOST:g} to {MOST:g}"

    def as_dict(self) -> dict[str, Any]:
        """Give the contract as plain values for ``--json``."""
        return {
            "table": self.name,
            "meaning": self.meaning,
            "key": self.key_words or None,
            "further_columns": EXTRA_WORDS[self.extra] or None,
            "columns": [
                {
                    "name": name,
                    "type": self.kind(name),
                    "unit": about(column)["unit"] or None,
                    "range": range_words(column) or None,
                    "required": not column.nullable,
                    "meaning": column.description,
                    "null_means": about(column)["null"] or None,
                }
                for name, column in self.columns.items()
            ],
            "faults": [{"code": code, "reason": self.reason(code)} for code in self.codes()],
        }

    def reason(self, code: str) -> str:
        """Return the sentence of a fault code for this table."""
        column = next((name for name in self.columns if code in self.column_codes(name)), "")
        shared = sum(code in self.column_codes(name) for name in self.columns) > 1
        limits = "see above" if shared and code == "out_of_range" else self.limits_of(column)
        return sentence_of(code, "" if shared else column, limits)

    def text(self) -> str:
        """Describe the table for a terminal."""
        width = max(len(name) for name in self.columns)
        lines = [f"{self.name} (source): {self.meaning}", f"  key: {self.key_words or 'none'}"]
        lines += [f"  {name:<{width}}  {words}" for name, words in self._column_lines()]
        if self.extra:
            lines.append(f"  and: {EXTRA_WORDS[self.extra]}")
        lines += ["  rows are rejected for:", *(f"    {code}: {self.reason(code)}" for code in self.codes())]
        return "\n".join(lines)

    def _column_lines(self) -> Iterator[tuple[str, str]]:
        for name, column in self.columns.items():
            kind = ", ".join(
                part for part in (self.kind(name), about(column)["unit"], range_words(column)) if part
            )
            null = f"; null: {about(column)['null']}" if column.nullable else "; required"
            yield name, f"{column.description} ({kind}{null})"

    def markdown(self) -> str:
        """Describe the table as a section of the documentation."""
        lines = [
            f"## {self.name} (source)",
            "",
            f"{self.meaning} Key: {self.key_words or 'none'}.",
            "",
            "| column | type | unit | range | required | meaning | null means |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for name, column in self.columns.items():
            lines.append(
                f"| `{name}` | {self.kind(name)} | {about(column)['unit']} | {range_words(column)} "
                f"| {'' if column.nullable else 'yes'} | {column.description} | {about(column)['null']} |"
            )
        if self.extra:
            lines += ["", f"Further columns: {EXTRA_WORDS[self.extra]}"]
        lines += ["", "| a row is rejected with | because |", "| --- | --- |"]
        lines += [f"| `{code}` | {self.reason(code)} |" for code in self.codes()]
        return "\n".join([*lines, ""])


EXTRA_WORDS: dict[str, str] = {
    "": "",
    "attribute": "every other column of the file is an attribute the model may use, unless it is in exclude or carry.",
    "metric": "every other column of the file that holds numbers (revenue, minutes, data_mb, days_late ...).",
}

REFERS_TO_CUSTOMERS = ("surveys", "interactions", "usage", "events", "treatments")
"""Sources whose rows must belong to a customer; calls may name anyone."""

SOURCE_TABLES: dict[str, SourceTable] = {
    table.name: table
    for table in (
        SourceTable(
            "customers", Customers, "customer_id and valid_from (or known_at)", "joined_on", "attribute"
        ),
        SourceTable("calls", Calls, "caller_id, callee_id, started_at, kind", "started_at"),
        SourceTable("surveys", Surveys, "invitation_id, metric", "invited_at"),
        SourceTable("interactions", Interactions, "interaction_id, where given", "at"),
        SourceTable("usage", Usage, "customer_id, period_start", "period_start", "metric"),
        SourceTable("events", Events, "", "at"),
        SourceTable("offers", Offers, "offer_id"),
        SourceTable("treatments", Treatments, "treatment_id", "at"),
        SourceTable(
            "labelled", Labelled, "customer_id and observed_on, where given", "observed_on", "attribute"
        ),
    )
}
"""Every source table by name."""


def limit_code(table: SourceTable, column: str, rule: str) -> str:
    """Return the fault code of a dataframely rule (``min``, ``max``, ``regex``, ``nullability`` ...) of one column."""
    declared = about(table.columns[column]) if column in table.columns else {}
    special = declared.get("codes", {}).get(rule)
    if special:
        return str(special)
    if rule in {"nullability", "min_length"}:
        return "required_missing"
    if rule == "regex":
        return f"unknown_{column}"
    if rule in {"inf", "nan"}:
        return "number_unreadable"
    return "time_out_of_range" if declared.get("kind") in {"instant", "day"} else "out_of_range"
