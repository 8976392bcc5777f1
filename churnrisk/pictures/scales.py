"""Axes and frames that pictures share: shares, counts, money; and what is left out because it is undefined."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

if TYPE_CHECKING:
    import altair as alt

MINUS = "\N{MINUS SIGN}"

LEAST_GAP = 0.085
"""Least distance between two tick labels, as part of the axis; closer ones would touch."""

_ROUND_SHARES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)

FINE_BELOW = 0.2
"""Risks that mostly lie below this are drawn on a scale that opens the low end; a judgement."""


def defined(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the rows in which all of ``columns`` are defined, nan as null; raise ValueError when none is left."""
    kept = frame.with_columns(cs.float().fill_nan(None)).drop_nulls(columns)
    if kept.is_empty():
        msg = f"nothing to draw: no row has {', '.join(columns)}"
        raise ValueError(msg)
    return kept


def largest(frame: pl.DataFrame, *columns: str) -> float:
    """Return the largest value in ``columns``, those that are there; 0 when none is positive or defined."""
    present = [name for name in columns if name in frame.columns]
    return max([0.0, *(float(value) for name in present for value in frame[name].drop_nulls())])


def whole_percent(share: float) -> str:
    """Return a share as short text, two digits at least where it is small.

    >>> whole_percent(0.0042), whole_percent(0.083), whole_percent(0.34), whole_percent(0.9999)
    ('0.42 %', '8.3 %', '34 %', '99.9 %')
    """
    percent = 100 * share
    if 99 < percent < 100:  # noqa: PLR2004 - rounding may not turn nearly all into all
        return f"{math.floor(10 * percent) / 10:.1f} %"
    digits = 0 if percent >= 10 or percent == 0 else 1 if percent >= 1 else 2  # noqa: PLR2004
    return f"{percent:.{digits}f} %"


def root_ticks(top: float) -> list[float]:
    """Return round shares from 0 to ``top`` that do not crowd each other on a square-root scale."""
    return _uncrowded(
        [share for share in _ROUND_SHARES if share <= top], lambda share: math.sqrt(share / top)
    )


def plain_ticks(top: float) -> list[float]:
    """Return round shares from 0 to ``top`` that do not crowd each other on an even scale."""
    return _uncrowded([share for share in _ROUND_SHARES if share <= top], lambda share: share / top)


def _uncrowded(values: list[float], place: Callable[[float], float]) -> list[float]:
    kept: list[float] = []
    for value in values:
        if not kept or place(value) - place(kept[-1]) >= LEAST_GAP:
            kept.append(value)
    return kept


def percent_axis(values: list[float]) -> alt.Axis:
    """Return an axis of shares with labels in percent at ``values``; its unit stands in its title."""
    import altair as alt

    return alt.Axis(values=values, labelExpr="format(100 * datum.value, '~g')", title=None)


def count_axis() -> alt.Axis:
    """Return an axis of whole numbers, millions abbreviated."""
    import altair as alt

    whole = "datum.value >= 1e6 ? format(datum.value / 1e6, '~r') + ' M' : format(datum.value, ',')"
    label = f"datum.value % 1 ? '' : {whole}"
    return alt.Axis(tickCount=5, tickMinStep=1, labelExpr=label, title=None)


def amount_axis() -> alt.Axis:
    """Return an axis of amounts, written out: 12,000 and 0.05, never 1e+4."""
    import altair as alt

    return alt.Axis(tickCount=6, labelExpr="format(datum.value, ',~r')", labelPadding=7, title=None)


def money(amount: float) -> str:
    """Return an amount with two decimals and a true minus sign."""
    return f"{round(amount, 2) + 0.0:,.2f}".replace("-", MINUS)


def share_axis(top: float, *, is_fine: bool) -> tuple[alt.Scale, alt.Axis]:
    """Return scale and axis of shares from 0 to ``top``; ``is_fine`` opens the low end by a square root."""
    import altair as alt

    scale = alt.Scale(type="sqrt" if is_fine else "linear", domain=[0, top], nice=False, zero=True)
    values = root_ticks(top) if is_fine else plain_ticks(top)
    return scale, percent_axis(values)
