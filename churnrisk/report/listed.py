"""The first rows of the list: whom to call, why they are at risk, what to offer, what moved since the night before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from . import summaries
from .content import ReportContent
from .parts import Head, Part, Section, Table
from .wording import MINUS, UNKNOWN, count, money, percent, percent_range

N_PREVIEWED = 10
"""Rows of the list that the page shows."""

NEW_TONIGHT = "not scored before"

REASONS_SHOWN = 3
"""Reasons per customer that the page shows."""


def list_section(content: ReportContent) -> Section:
    """Return the first rows of the at-risk list, with reasons; the columns users carry along are not shown."""
    all_listed = summaries.actionable(content.at_risk)
    listed = all_listed.head(N_PREVIEWED)
    name = "The list, from the top"
    if listed.is_empty():
        return Section("list", name, ("The list is empty tonight.",))
    has_value = listed["value"].null_count() < len(listed)
    sentences = _sentences(content, listed)
    heads = [
        Head("Rank", "number"),
        Head("Customer", is_data=True),
        Head("Risk", "number"),
        Head("Band", "band"),
    ]
    has_around = has_value and "spillover_value" in listed.columns and listed["spillover_value"].count() > 0
    if has_value:
        heads += [Head("Value", "number"), Head("At stake", "number")]
    if has_around:
        heads.append(Head("Around", "number"))
    if sentences:
        heads.append(Head("Why", "list", is_data=True))
    offers = _offers(content)
    if offers:
        heads.append(Head("Offer", "list", is_data=True, language="en"))
    moves = _moves(content)
    if moves:
        heads.append(Head("Since the night before", "list", is_data=True))
    rows = []
    for rank, row in enumerate(listed.iter_rows(named=True), 1):
        value = [money(row["value"]), money(_product(row["risk"], row["value"]))] if has_value else []
        rows.append(
            (
                str(rank),
                row["customer_id"],
                _risk(row),
                row["band"] or UNKNOWN,
                *value,
                *([money(_product(row["risk"], row["spillover_value"]))] if has_around else []),
                *([sentences.get(row["customer_id"], ())] if sentences else []),
                *([offers.get(row["customer_id"], ())] if offers else []),
                *([moves.get(row["customer_id"], (NEW_TONIGHT,))] if moves else []),
            )
        )
    shown = len(listed)
    caption = f"The first {shown} of {count(len(all_listed))}" if shown < len(all_listed) else "All of them"
    table = Table(caption, tuple(heads), tuple(rows), key=1, folds=True, language=content.sentence_language)
    lines = _list_lines(
        content,
        told=bool(sentences),
        has_offers=bool(offers),
        has_moves=bool(moves),
        has_value=has_value,
        has_around=has_around,
    )
    return Section("list", name, tuple(lines), (Part(table=table),))


def _list_lines(
    content: ReportContent,
    *,
    told: bool,
    has_offers: bool,
    has_moves: bool,
    has_value: bool,
    has_around: bool,
) -> Iterator[str]:
    """Yield what a reader must know of the columns."""
    if told:
        yield (
            "Reasons are the inputs that raise this customer's risk most in the model. They say what to talk about; "
            "they do not prove what would keep the customer."
        )
    if has_offers:
        yield (
            "Offer: what to propose, what it is expected to be worth after all costs, with its interval, and by how "
            "much it lowers the probability of leaving; or why there is none."
        )
    if has_moves:
        yield (
            "Since the night before: how many points of risk it is, and what moved most of them. What other customers "
            "did is in the points and never told."
        )
    if content.currency and has_value:
        yield f"Value, and what is at stake (risk times value), are in {content.currency}."
    if has_around:
        yield (
            "The list is ordered by the sum of two amounts: at stake, risk times value; and around, risk times what "
            "leaving is expected to cost among the customer's friends."
        )


EFFECTS: Mapping[str, str] = {
    "measured": "measured",
    "average": "measured on average",
    "assumed": "assumed",
}


DRAWN = "Drawn by lot, to learn from what comes of it."
DRAWN_AT_A_LOSS = (
    "Drawn by lot to explore: expected to cost more than it brings, and made to learn from what comes of it."
)


def _offers(content: ReportContent) -> dict[str, tuple[str, ...]]:
    """Return, by customer, the offer with why it is made, or why there is none."""
    if content.offered is None:
        return {}
    return {row["customer_id"]: tuple(_offer_lines(row)) for row in content.offered.iter_rows(named=True)}


def _offer_lines(row: Mapping[str, Any]) -> Iterator[str]:
    if row["offer_name"] is None:
        yield f"None: {row['why_none'][:1].lower()}{row['why_none'][1:]}"
        return
    yield row["offer_name"]
    if row["net_value"] is not None:
        interval = f"{money(row['low'])} to {money(row['high'])}"
        yield f"Worth {money(row['net_value'])} ({interval}) after {money(row['cost'])} of cost."
    if row["effect"] is not None:
        points = f"{100 * row['effect']:.1f}".replace("-", MINUS)
        yield f"{points} points less risk ({EFFECTS[row['effect_source']]})."
    if row["is_random"]:
        yield DRAWN_AT_A_LOSS if (row["net_value"] or 0.0) < 0 else DRAWN


def _moves(content: ReportContent) -> dict[str, tuple[str, ...]]:
    """Return, by customer, the change of risk in points and the largest moves."""
    if content.changed is None:
        return {}
    return {
        customer: (f"{points:+.1f} points".replace("-", MINUS), *sentences)
        for customer, points, sentences in content.changed.select(
            "customer_id", "change_pp", "sentences"
        ).iter_rows()
    }


def _risk(row: Mapping[str, float | None]) -> str:
    low, high = row.get("risk_low"), row.get("risk_high")
    if low is None or high is None:
        return percent(row["risk"])
    return f"{percent(row['risk'])} ({percent_range(low, high)})"


def _product(risk: float | None, value: float | None) -> float | None:
    return None if risk is None or value is None else risk * value


def _sentences(content: ReportContent, listed: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return up to three sentences by customer, from the table of reasons or else from the list itself.

    Like the list, only what raises the risk, and of what is unknown only when nothing else is there to tell.
    """
    if content.reasons is not None:
        table = content.reasons
        is_known_value = pl.col("value").is_not_null() if "value" in table.columns else pl.lit(value=True)
        mine = (
            table.filter(
                pl.col("customer_id").is_in(listed["customer_id"].implode()), pl.col("effect_pp") > 0
            )
            .drop_nulls("sentence")
            .with_columns(is_told=is_known_value)
            .filter(pl.col("is_told") | ~pl.col("is_told").any().over("customer_id"))
            .sort("customer_id", "position")
            .group_by("customer_id", maintain_order=True)
            .agg(pl.col("sentence").head(REASONS_SHOWN))
        )
        return {customer: tuple(lines) for customer, lines in mine.iter_rows()}
    if "reasons" not in listed.columns:
        return {}
    given = listed.select("customer_id", pl.col("reasons")).drop_nulls()
    return {
        customer: (text,) if isinstance(text, str) else tuple(text)[:REASONS_SHOWN]
        for customer, text in given.iter_rows()
    }
