"""The picture of what a budget for offers buys; takes the table of the value curve as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from . import theme
from .drawing import Picture, Words, drawn, layered
from .scales import amount_axis, defined, largest, money

if TYPE_CHECKING:
    import altair as alt

_LINE_WIDTH = 2.5


def budget_curve(curve: pl.DataFrame, *, currency: str = "") -> Picture:
    """Return net value of offers by budget, with the budget in force marked.

    Parameters
    ----------
    curve : columns budget, net_value (currency), n_offers, is_budget (true in at most one row).
    currency : name of the unit, shown on the axes.
    """
    import altair as alt

    data = defined(curve, "budget", "net_value").sort("budget")
    unit = currency or "your currency"
    across = alt.X("budget:Q", scale=_scale(data, "budget"), axis=amount_axis())
    up = alt.Y("net_value:Q", scale=_scale(data, "net_value"), axis=amount_axis())
    line = (
        alt.Chart(data).mark_line(color=theme.MAIN, strokeWidth=_LINE_WIDTH, clip=True).encode(x=across, y=up)
    )
    marked = data.filter("is_budget")
    point = (
        alt.Chart(marked).mark_point(color=theme.MAIN, filled=True, size=90, opacity=1).encode(x=across, y=up)
    )
    whole = data.tail(1)
    all_words = f"the largest shown: {money(whole['budget'][0])} buys {money(whole['net_value'][0])}"
    words_of = [
        f"tonight: {money(row['budget'])} buys {money(row['net_value'])} with {row['n_offers']:,} offers"
        for row in marked.head(1).iter_rows(named=True)
    ]
    words = Words(
        "budget-curve",
        "What another budget would buy",
        f"Expected net value of offers by budget, {unit}; {'; '.join([*words_of, all_words])}. The curve flattens "
        "because the offers that bring most per unit are made first.",
        x_title=f"Budget for offers ({unit})",
        y_title=f"Expected net value ({unit})",
        legend=tuple((text, theme.MAIN) for text in words_of),
    )
    return drawn(layered(line, point), words)


def _scale(data: pl.DataFrame, column: str) -> alt.Scale:
    import altair as alt

    return alt.Scale(domain=[0, 1.04 * largest(data, column) or 1.0], nice=False, zero=True)
