"""Pictures whose upright axis is a list of names: a name, a bar or an interval under it, a figure at its end.

The name stands above its bar, not beside it: so a long name in any script has the whole width, also on a telephone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from . import theme
from .drawing import AnyChart, Picture, Words, drawn, layered, shortened
from .scales import defined, largest, whole_percent

if TYPE_CHECKING:
    import altair as alt

ROW_HEIGHT = 38
NAME_COLUMNS = 46
"""Columns a name may take before it is cut; a character is about 7 units wide."""

_LEFT = 2
_FOOT = 30
_MARK_REACH = 7
_BAR_OFFSET, _BAR_HEIGHT, _NAME_OFFSET = 27, 9, 12


@dataclass(frozen=True)
class _Lines:
    """Where things stand, in units from the top of the plot."""

    data: pl.DataFrame
    top: float
    start: float = 0.0

    @property
    def height(self) -> int:
        return ROW_HEIGHT * len(self.data)

    def x(self, column: str) -> alt.X:
        import altair as alt

        scale = alt.Scale(domain=[self.start, self.top], nice=False)
        return alt.X(column, type="quantitative", scale=scale, axis=None)

    def y(self, column: str = "middle") -> alt.Y:
        import altair as alt

        scale = alt.Scale(domain=[0, self.height], nice=False, reverse=True)
        return alt.Y(column, type="quantitative", scale=scale, axis=None)


def _placed(frame: pl.DataFrame, top: float) -> _Lines:
    start = pl.int_range(pl.len()) * ROW_HEIGHT
    data = frame.with_columns(
        pl.col("name").map_elements(lambda name: shortened(name, NAME_COLUMNS), return_dtype=pl.String),
        middle=start + _BAR_OFFSET,
        name_at=start + _NAME_OFFSET,
    )
    return _Lines(data, top if top > 0 else 1.0)


def _names_and_figures(lines: _Lines) -> alt.LayerChart:
    import altair as alt

    base = alt.Chart(lines.data).encode(y=lines.y("name_at"))
    names = base.mark_text(align="left", baseline="middle", color=theme.INK).encode(
        x=alt.value(0), text="name:N"
    )
    right = theme.WIDTH - _LEFT - theme.RIGHT
    figures = base.mark_text(align="right", baseline="middle", color=theme.MUTED).encode(
        x=alt.value(right), text="figure:N"
    )
    return layered(names, figures)


def _bars(lines: _Lines, colour: str) -> alt.Chart:
    import altair as alt

    half = _BAR_HEIGHT / 2
    data = lines.data.with_columns(start=0.0, upper=pl.col("middle") - half, lower=pl.col("middle") + half)
    bars: alt.Chart = alt.Chart(data).mark_rect(cornerRadius=1.5, color=colour)
    return bars.encode(x=lines.x("start"), x2="length", y=lines.y("upper"), y2="lower")


def top_reasons(reasons: pl.DataFrame) -> Picture:
    """Return why the listed customers are at risk: one bar per reason.

    Parameters
    ----------
    reasons : columns reason (text), n (customers for whom it is one of their reasons), n_listed (all listed
        customers, the same in every row), in the order to show.
    """
    data = defined(reasons, "reason", "n")
    n_listed = int(data["n_listed"][0])
    lines = _placed(
        data.select(
            name="reason",
            length=pl.col("n").cast(pl.Float64),
            figure=pl.format("{} of {}", "n", pl.lit(n_listed)),
        ),
        float(n_listed),
    )
    words = Words(
        "top-reasons",
        "What puts the listed customers at risk",
        "; ".join(f"{row['reason']}: {row['n']}" for row in data.iter_rows(named=True))
        + f"; of {n_listed} listed customers.",
        x_title="Listed customers for whom it is among their reasons",
    )
    return _finished(layered(_bars(lines, theme.MAIN), _names_and_figures(lines)), words, lines)


def feature_importance(importance: pl.DataFrame) -> Picture:
    """Return which inputs the model uses most.

    Parameters
    ----------
    importance : columns feature (text, in words or as named), share (0-1, of the model's total gain), in the order
        to show.
    """
    data = defined(importance, "feature", "share")
    lines = _placed(
        data.select(
            name="feature",
            length="share",
            figure=pl.col("share").map_elements(whole_percent, return_dtype=pl.String),
        ),
        largest(data, "share"),
    )
    words = Words(
        "feature-importance",
        "What the model looks at most",
        "; ".join(f"{row['feature']}: {whole_percent(row['share'])}" for row in data.iter_rows(named=True))
        + "; of the model's total gain.",
        x_title="Share of the model's gain (%)",
    )
    return _finished(layered(_bars(lines, theme.MAIN), _names_and_figures(lines)), words, lines)


def segments(frame: pl.DataFrame, *, attribute: str, overall: float, name: str = "segments") -> Picture:
    """Return the risk of each segment of one attribute, beside that of all customers.

    Parameters
    ----------
    frame : columns segment (text), n (customers), mean_risk (0-1), in the order to show; with realised_rate,
        realised_low and realised_high (0-1, null where unknown) the realised rate is drawn over the bar.
    attribute : what the segments are values of.
    overall : mean risk of all customers, 0-1, drawn as a mark.
    name : of the picture, unique in a page.
    """
    data = defined(frame, "segment", "n", "mean_risk")
    has_realised = "realised_rate" in data.columns and data["realised_rate"].drop_nulls().len() > 0
    top = max(overall, largest(data, "mean_risk", "realised_high"))
    lines = _placed(
        data.with_columns(
            name="segment",
            length="mean_risk",
            figure=pl.struct("n", "mean_risk").map_elements(
                lambda row: f"{whole_percent(row['mean_risk'])} · n {row['n']:,}", return_dtype=pl.String
            ),
        ),
        top,
    )
    layers: list[AnyChart] = [
        _bars(lines, theme.SOFT if has_realised else theme.MAIN),
        _reference(lines, overall),
    ]
    if has_realised:
        layers.append(_intervals(lines, "realised_low", "realised_high", "realised_rate"))
    layers.append(_names_and_figures(lines))
    short = shortened(attribute, 40)
    legend = (("realised rate, 95 % interval", theme.MAIN),) if has_realised else ()
    words = Words(
        name,
        f"Risk by {short}",
        f"{_in_words(data, 'segment')}; all: {whole_percent(overall)}.",
        x_title=f"Mean risk (%); the upright mark is all customers, {whole_percent(overall)}",
        legend=legend,
    )
    return _finished(layered(*layers), words, lines)


def exposure_against_risk(frame: pl.DataFrame, *, overall: float) -> Picture:
    """Return the mean risk of customers by how many of their contacts have left.

    Parameters
    ----------
    frame : columns exposure (text, in the order to show), n (customers), mean_risk, low, high (0-1; low and high
        null where the group is too small for an interval).
    overall : mean risk of all customers, 0-1, drawn as a mark.
    """
    import altair as alt

    data = defined(frame, "exposure", "n", "mean_risk")
    top = max(overall, largest(data, "mean_risk", "high"))
    lines = _placed(
        data.with_columns(
            name="exposure",
            figure=pl.struct("n", "mean_risk").map_elements(
                lambda row: f"{whole_percent(row['mean_risk'])} · n {row['n']:,}", return_dtype=pl.String
            ),
        ),
        top,
    )
    words = Words(
        "exposure-against-risk",
        "Risk by what happened around the customer",
        f"{_in_words(data, 'exposure')}; all: {whole_percent(overall)}.",
        x_title=f"Mean risk (%) with 95 % interval; the upright mark is all, {whole_percent(overall)}",
    )
    tracks = (
        alt.Chart(lines.data)
        .mark_rule(color=theme.GRID, strokeWidth=2)
        .encode(y=lines.y(), x=alt.value(0), x2=alt.value(theme.WIDTH - _LEFT - theme.RIGHT))
    )
    marks = _intervals(lines, "low", "high", "mean_risk")
    return _finished(
        layered(tracks, _reference(lines, overall), marks, _names_and_figures(lines)), words, lines
    )


def intervals(
    frame: pl.DataFrame,
    *,
    name: str,
    title: str,
    x_title: str,
    right: float | None = None,
    start: float = 0.0,
) -> Picture:
    """Return a figure with its interval for each of a list of things.

    Parameters
    ----------
    frame : columns label (text), value, low, high (null where unknown), figure (the value as text), in the order to
        show.
    name : of the picture, unique in a page.
    title, x_title : words around it.
    right : the value that would be right or pure chance, drawn as a mark.
    start : left end of the axis.
    """
    import altair as alt

    data = defined(frame, "label", "value").with_columns(
        *(pl.col(each).clip(lower_bound=start) for each in ("value", "low", "high"))
    )
    top = max(largest(data, "value", "high"), right or 0.0)
    lines = _placed(data.with_columns(name="label"), top)
    lines = _Lines(lines.data, lines.top, start)
    tracks = (
        alt.Chart(lines.data)
        .mark_rule(color=theme.GRID, strokeWidth=2)
        .encode(y=lines.y(), x=alt.value(0), x2=alt.value(theme.WIDTH - _LEFT - theme.RIGHT))
    )
    layers: list[AnyChart] = [tracks]
    if right is not None:
        layers.append(_reference(lines, right))
    layers += [_intervals(lines, "low", "high", "value"), _names_and_figures(lines)]
    told = "; ".join(
        f"{shortened(label, NAME_COLUMNS)}: {figure}"
        for label, figure in data.select("label", "figure").iter_rows()
    )
    return _finished(layered(*layers), Words(name, title, f"{told}.", x_title=x_title), lines)


def _in_words(data: pl.DataFrame, name: str) -> str:
    rows = data.select(name, "mean_risk", "n").iter_rows()
    return "; ".join(
        f"{shortened(group, NAME_COLUMNS)}: {whole_percent(risk)} of {n:,}" for group, risk, n in rows
    )


def _intervals(lines: _Lines, low: str, high: str, value: str) -> alt.LayerChart:
    import altair as alt

    base = alt.Chart(lines.data)
    rules = (
        base.transform_filter(f"isValid(datum.{low}) && isValid(datum.{high})")
        .mark_rule(color=theme.MAIN, strokeWidth=2.5, strokeCap="round")
        .encode(x=lines.x(low), x2=high, y=lines.y())
    )
    points = (
        base.transform_filter(f"isValid(datum.{value})")
        .mark_point(color=theme.MAIN, filled=True, size=70, opacity=1)
        .encode(x=lines.x(value), y=lines.y())
    )
    return layered(rules, points)


def _reference(lines: _Lines, overall: float) -> alt.Chart:
    """Return a mark across every bar where all customers are."""
    import altair as alt

    data = lines.data.select(
        overall=pl.lit(overall), upper=pl.col("middle") - _MARK_REACH, lower=pl.col("middle") + _MARK_REACH
    )
    rule: alt.Chart = alt.Chart(data).mark_rule(color=theme.REFERENCE, strokeWidth=2)
    return rule.encode(x=lines.x("overall"), y=lines.y("upper"), y2="lower")


def _finished(chart: AnyChart, words: Words, lines: _Lines) -> Picture:
    return drawn(chart, words, plot_height=lines.height, left=_LEFT, foot=_FOOT)
