"""The section on who is around the first customers of the list, without naming anybody of them."""

from __future__ import annotations

from collections.abc import Iterator

from .. import pictures
from .content import Circle, ReportContent
from .parts import Head, Part, Section, Table
from .wording import UNKNOWN, count, money

LEAST_TOLD = 0.01
"""Points, or units of currency, below which a figure is not worth its digits."""

NAME = "If they leave: who is around them"


def around_section(content: ReportContent) -> Section:
    """Return what a leaving would cost around the first of the list, and their circles as anonymous pictures."""
    if not content.circles:
        because = "There are no ties" if content.network is None else "Nobody is on the list"
        return Section("around", NAME, (f"{because}, so there is nothing to say about those around.",))
    shown = [circle for circle in content.circles if not circle.friends.is_empty()]
    rests_on = (
        "Friends are apt to follow a leaver a little. What that costs is their risk times their value, by how much of "
        f"their attention the leaver has, scaled by {content.effect_words}. It is an expected amount with a wide "
        "interval, and it rests on what leaving causes, not on the exposure shown above, which only predicts."
    )
    lines = [
        rests_on,
        *(_in_words(content, circle) for circle in content.circles if circle.friends.is_empty()),
    ]
    if shown:
        lines.append(
            "Friends are numbered, never named: colour is the band of their own risk, a thicker line a stronger tie, a "
            "larger disc more value at risk. Figures are rounded to one digit. Only customers who have not left are "
            "shown, the strongest ties first."
        )
    return Section("around", NAME, tuple(lines), tuple(_parts(content, shown)), is_paired=True)


def _in_words(content: ReportContent, circle: Circle) -> str:
    lost = _lost(content, circle)
    return (
        f"Customer {circle.customer_id}: {lost}; too few friends to show them without pointing at somebody."
    )


def _lost(content: ReportContent, circle: Circle) -> str:
    if circle.money is None:
        return "what their leaving costs around them is not known"
    low, high = (money(amount, content.currency) for amount in (circle.low, circle.high))
    return f"{money(circle.money, content.currency)} expected to be lost around them ({low} to {high})"


def _parts(content: ReportContent, shown: list[Circle]) -> Iterator[Part]:
    for place, circle in enumerate(shown, 1):
        title = f"Around customer {circle.customer_id}"
        drawing = pictures.ego_network(circle.friends, circle.links, title=title, name=f"around-{place}")
        yield Part(picture=drawing, caption=f"If this customer leaves: {_lost(content, circle)}.")
        heads = (
            Head("Friend", "number"),
            Head("Band", "band"),
            Head("Risk, + points", "number"),
            Head("Value", "number"),
            Head("Expected loss", "number"),
        )
        rows = tuple(
            (
                str(row["number"]),
                row["band"] or UNKNOWN,
                _small(row["extra_pp"]),
                UNKNOWN if row["value"] is None else count(row["value"]),
                _small(row["money"]),
            )
            for row in circle.friends.iter_rows(named=True)
        )
        yield Part(table=Table(f"What their leaving adds, customer {circle.customer_id}", heads, rows))


def _small(amount: float | None) -> str:
    """Return a figure of one digit; what is next to nothing is said so."""
    if amount is None:
        return UNKNOWN
    return "under 0.01" if 0 < amount < LEAST_TOLD else f"{amount:,.12g}"
