"""Pictures of how good a risk is: calibration, gain, profit. They take the tables of evaluation as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from . import theme
from .drawing import AnyChart, Picture, Words, drawn, layered
from .scales import FINE_BELOW, amount_axis, defined, largest, money, share_axis, whole_percent

if TYPE_CHECKING:
    import altair as alt

_LINE_WIDTH = 2.5
_DASH = [4, 3]
_LABEL_ROOM = 0.1
"""Distance of two lines, as part of the axis, below which no label fits between them."""


def calibration(reliability: pl.DataFrame) -> Picture:
    """Return predicted against realised rate, one point with its interval per group of equal size.

    Parameters
    ----------
    reliability : columns mean_risk, realised_rate, realised_low, realised_high (0-1), one row per group; groups
        without a rate are left out.
    """
    import altair as alt

    data = defined(reliability, "mean_risk", "realised_rate").sort("mean_risk", "realised_rate")
    highest = largest(data, "mean_risk", "realised_high", "realised_rate")
    top = min(1.0, highest * 1.06) if highest > 0 else 1.0
    scale, axis = share_axis(top, is_fine=float(data["mean_risk"].median() or 0.0) < FINE_BELOW)  # type: ignore[arg-type]
    across = alt.X("mean_risk:Q", scale=scale, axis=axis)

    def up(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", scale=scale, axis=axis)

    even = (
        alt.Chart(pl.DataFrame({"mean_risk": [0.0, top], "even": [0.0, top]}))
        .mark_line(color=theme.REFERENCE, strokeWidth=1.5, strokeDash=_DASH)
        .encode(x=across, y=up("even"))
    )
    intervals = (
        alt.Chart(data)
        .transform_filter("isValid(datum.realised_low) && isValid(datum.realised_high)")
        .mark_rule(color=theme.MAIN, strokeWidth=2, opacity=0.55)
        .encode(x=across, y=up("realised_low"), y2="realised_high")
    )
    points = (
        alt.Chart(data)
        .mark_point(color=theme.MAIN, filled=True, size=60, opacity=1)
        .encode(x=across, y=up("realised_rate"))
    )
    is_inside = pl.col("mean_risk").is_between("realised_low", "realised_high")
    n_inside = int(data.select(is_inside.fill_null(value=False).sum()).item())
    words = Words(
        "calibration",
        "Do the predicted risks come true?",
        f"{len(data)} groups of customers of equal size, from {whole_percent(data['mean_risk'][0])} to "
        f"{whole_percent(data['mean_risk'][-1])} predicted risk. In {n_inside} of {len(data)} the 95 % interval of the "
        "realised rate contains the prediction. On the dashed line both are equal.",
        x_title="Predicted risk, mean of group (%)",
        y_title="Realised rate (%) with 95 % interval",
    )
    return drawn(layered(even, intervals, points), words)


def gain(gains: pl.DataFrame, *, capacity_share: float | None = None) -> Picture:
    """Return the share of leavers reached by contacting the riskiest customers first, beside contacting at random.

    Parameters
    ----------
    gains : columns share_contacted, share_of_leavers_reached (0-1), lift (ratio), rising; with
        share_of_leavers_reached_low and _high the interval is drawn behind the curve.
    capacity_share : share of customers the team can contact, 0-1, marked when given; the top decile otherwise.
    """
    import altair as alt

    data = defined(gains, "share_contacted", "share_of_leavers_reached").sort("share_contacted")
    marked_share = capacity_share if capacity_share is not None else 0.1
    nearest = (pl.col("share_contacted") - marked_share).abs()
    marked = data.sort(nearest, maintain_order=True).head(1)
    contacted, reached = float(marked["share_contacted"][0]), float(marked["share_of_leavers_reached"][0])
    lift = f", lift {reached / contacted:.1f}" if contacted > 0 else ""
    label = f"{whole_percent(contacted)} contacted reach {whole_percent(reached)}{lift}"
    scale, axis = share_axis(1.0, is_fine=False)
    axis.values = [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    across = alt.X("share_contacted:Q", scale=scale, axis=axis)
    up = alt.Y("share_of_leavers_reached:Q", scale=scale, axis=axis)
    ends = pl.DataFrame({"share_contacted": [0.0, 1.0], "share_of_leavers_reached": [0.0, 1.0]})
    curve = (
        pl.concat([ends.head(1), data.select(ends.columns)])
        .unique("share_contacted", keep="last")
        .sort(pl.all())
    )
    random = alt.Chart(ends).mark_line(color=theme.REFERENCE, strokeWidth=1.5, strokeDash=_DASH)
    model = alt.Chart(curve).mark_line(color=theme.MAIN, strokeWidth=_LINE_WIDTH)
    point = alt.Chart(marked).mark_point(color=theme.MAIN, filled=True, size=90, opacity=1)
    note = _note(label, x=theme.PLOT_WIDTH - 4, y=theme.PLOT_HEIGHT - 14)
    words = Words(
        "gain",
        "How many leavers are found by calling the riskiest first",
        f"{label} of leavers. The dashed line is calling at random.",
        x_title="Customers contacted, riskiest first (%)",
        y_title="Leavers reached (%)",
    )
    parts = [part.encode(x=across, y=up) for part in (random, model, point)]
    return drawn(
        layered(*_behind(data, "share_of_leavers_reached", across, (scale, axis)), *parts, note), words
    )


def lift(gains: pl.DataFrame) -> Picture:
    """Return how many times the average leaving rate the riskiest share of customers has, with its interval.

    Parameters
    ----------
    gains : columns share_contacted (0-1), lift (ratio), lift_low, lift_high (null where unknown), rising.
    """
    import altair as alt

    data = defined(gains, "share_contacted", "lift").sort("share_contacted")
    share_scale, share_ticks = share_axis(1.0, is_fine=True)
    across = alt.X("share_contacted:Q", scale=share_scale, axis=share_ticks)
    top = 1.06 * max(largest(data, "lift", "lift_high"), 1.0)
    scale = alt.Scale(domain=[0, top], nice=False)
    up = alt.Y("lift:Q", scale=scale, axis=amount_axis())
    curve = alt.Chart(data).mark_line(color=theme.MAIN, strokeWidth=_LINE_WIDTH).encode(x=across, y=up)
    even = alt.Chart(pl.DataFrame({"share_contacted": [0.0, 1.0], "lift": [1.0, 1.0]}))
    rule = even.mark_line(color=theme.REFERENCE, strokeWidth=1.5, strokeDash=_DASH).encode(x=across, y=up)
    tenth = data.sort((pl.col("share_contacted") - 0.1).abs(), maintain_order=True).row(0, named=True)
    words = Words(
        "lift",
        "How much richer in leavers the top of the list is",
        f"The riskiest {whole_percent(tenth['share_contacted'])} have {tenth['lift']:.1f} times the leaving rate of "
        "customers taken at random; the dashed line is random.",
        x_title="Customers contacted, riskiest first (%)",
        y_title="Times the average leaving rate, 95 % interval shaded",
    )
    return drawn(layered(*_behind(data, "lift", across, (scale, amount_axis())), rule, curve), words)


def by_date(
    frame: pl.DataFrame, *, name: str, title: str, y_title: str, right: float | None = None
) -> Picture:
    """Return a figure with its interval at each date, evenly spaced in the order of the dates.

    Parameters
    ----------
    frame : columns as_of (text), value, low, high (null where unknown).
    name : of the picture, unique in a page.
    title, y_title : words around it.
    right : the value that would be right or pure chance, drawn as a dashed line.
    """
    import altair as alt

    data = defined(frame, "as_of", "value").sort("as_of")
    values = [data["value"], data["low"].drop_nulls(), data["high"].drop_nulls()]
    ends = [float(each) for part in values for each in part] + ([] if right is None else [right])
    margin = 0.12 * (max(ends) - min(ends)) or 0.1
    scale = alt.Scale(domain=[min(ends) - margin, max(ends) + margin], nice=False, zero=False)
    across = alt.X("as_of:O", axis=alt.Axis(labelAngle=0, title=None))

    def up(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", scale=scale, axis=amount_axis())

    rules = (
        alt.Chart(data)
        .transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(color=theme.MAIN, strokeWidth=2.5, opacity=0.6)
        .encode(x=across, y=up("low"), y2="high")
    )
    points = alt.Chart(data).mark_point(color=theme.MAIN, filled=True, size=80, opacity=1)
    layers: list[AnyChart] = [rules, points.encode(x=across, y=up("value"))]
    if right is not None:
        line = alt.Chart(pl.DataFrame({"value": [right]})).mark_rule(
            color=theme.REFERENCE, strokeWidth=1.5, strokeDash=_DASH
        )
        layers.insert(0, line.encode(y=up("value")))
    told = "; ".join(f"{day}: {value:.2f}" for day, value in data.select("as_of", "value").iter_rows())
    words = Words(name, title, f"{told}.", x_title="As-of date", y_title=y_title)
    return drawn(layered(*layers), words)


def _behind(
    data: pl.DataFrame, column: str, across: alt.X, upright: tuple[alt.Scale, alt.Axis]
) -> list[alt.Chart]:
    """Return the interval of a curve as an area, nothing where there is none."""
    import altair as alt

    low, high = f"{column}_low", f"{column}_high"
    if low not in data.columns or high not in data.columns or not data.drop_nulls([low, high]).height:
        return []
    area = alt.Chart(data.drop_nulls([low, high])).mark_area(color=theme.SOFT, opacity=0.45, clip=True)
    return [area.encode(x=across, y=alt.Y(f"{low}:Q", scale=upright[0], axis=upright[1]), y2=high)]


def profit(profits: pl.DataFrame, *, currency: str = "") -> Picture:
    """Return the profit of contacting the riskiest share, beside contacting nobody and everybody.

    Parameters
    ----------
    profits : columns share_contacted (0-1), profit_per_customer, treat_all_per_customer (currency per customer of
        the whole base; the latter the same in every row); with profit_per_customer_low and _high the interval is
        drawn behind the curve.
    currency : name of the unit, shown on the axis.
    """
    import altair as alt

    data = defined(profits, "share_contacted", "profit_per_customer").sort("share_contacted")
    best = data.sort("profit_per_customer", descending=True, maintain_order=True).head(1)
    best_profit, best_share = float(best["profit_per_customer"][0]), float(best["share_contacted"][0])
    everybody = float(data["treat_all_per_customer"][0])
    lowest = -largest(
        data.select(-pl.col("profit_per_customer"), -pl.col("treat_all_per_customer")), *data.columns
    )
    floor = max(lowest, -1.5 * best_profit) if best_profit > 0 else lowest
    ceiling = max(best_profit, everybody, 0.0)
    margin = 0.08 * (ceiling - floor) or 1.0
    share_scale, share_ticks = share_axis(1.0, is_fine=best_share < FINE_BELOW)
    across = alt.X("share_contacted:Q", scale=share_scale, axis=share_ticks)
    scale = alt.Scale(domain=[floor - margin, ceiling + margin], nice=False)
    up = alt.Y("profit_per_customer:Q", scale=scale, axis=amount_axis())
    curve = (
        alt.Chart(data).mark_line(color=theme.MAIN, strokeWidth=_LINE_WIDTH, clip=True).encode(x=across, y=up)
    )
    point = (
        alt.Chart(best).mark_point(color=theme.MAIN, filled=True, size=90, opacity=1).encode(x=across, y=up)
    )
    is_close = 0 <= everybody < _LABEL_ROOM * (ceiling - floor)
    policies = pl.DataFrame(
        {
            "policy": ["nobody", "everybody"],
            "profit_per_customer": [0.0, everybody],
            "is_below": [everybody >= 0, everybody < best_profit and not is_close],
        }
    )
    shown = policies.filter(pl.col("profit_per_customer") >= floor)
    rules = (
        alt.Chart(shown)
        .mark_rule(strokeWidth=1.5, strokeDash=_DASH, color=theme.REFERENCE)
        .encode(y=up, x=alt.value(0), x2=alt.value(theme.PLOT_WIDTH))
    )
    over, under = (alt.Chart(shown.filter(pl.col("is_below") == is_below)) for is_below in (False, True))
    labels = layered(
        *(
            marked.encode(y=up, x=alt.value(theme.PLOT_WIDTH), text="policy:N")
            for marked in (
                over.mark_text(align="right", color=theme.MUTED, baseline="bottom", dy=-3),
                under.mark_text(align="right", color=theme.MUTED, baseline="top", dy=3),
            )
        )
    )
    best_words = f"best: {whole_percent(best_share)} contacted, {money(best_profit)}"
    everybody_words = f"everybody: {money(everybody)}" + (" (below)" if everybody < floor else "")
    words = Words(
        "profit",
        "What contacting pays at the average acceptance",
        f"Profit per customer of the whole base, {currency or 'in your currency'}: {best_words}; "
        f"everybody: {money(everybody)}; nobody: 0.",
        x_title="Customers contacted, riskiest first (%)",
        y_title=f"Profit per customer of the base ({currency or 'your currency'})",
        legend=((best_words, theme.MAIN), (everybody_words, theme.REFERENCE)),
    )
    return drawn(
        layered(
            *_behind(data, "profit_per_customer", across, (scale, amount_axis())), rules, curve, point, labels
        ),
        words,
    )


def _note(text: str, *, x: float, y: float) -> alt.Chart:
    import altair as alt

    chart: alt.Chart = alt.Chart(pl.DataFrame({"note": [text]})).mark_text(align="right", color=theme.INK)
    return chart.encode(x=alt.value(x), y=alt.value(y), text="note:N")
