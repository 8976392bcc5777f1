"""One customer and those around as a picture: a wheel of numbered friends; it knows no ids and asks for none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from . import theme
from .drawing import AnyChart, Picture, Words, drawn, layered

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 276
_LEFT = theme.RIGHT
_RADIUS = 102.0
_SMALLEST, _LARGEST = 160.0, 1600.0
"""Areas of friends, in square units."""

_NUMBER_GAP = 10.0
"""From a disc's edge outwards to its number, which so stands on paper, readable whatever the disc's colour."""

_THINNEST, _THICKEST = 1.0, 9.0
_ME = 1800.0


def ego_network(friends: pl.DataFrame, links: pl.DataFrame, *, title: str, name: str = "ego") -> Picture:
    """Return who is around one customer, without naming anybody.

    Parameters
    ----------
    friends : columns number (1, 2 ...), band (text), strength_share (0-1, of the customer's tie strength), money
        (currency; what is expected to be lost of that friend's value, null where unknown); one row per friend shown.
    links : columns first, second: numbers of friends tied to each other.
    title : what the picture is of.
    name : becomes part of ids.
    """
    if friends.is_empty():
        msg = "no friends to draw"
        raise ValueError(msg)
    wheel = _placed(friends, links)
    layers = [_link_lines(wheel, links), _spokes(wheel), _discs(wheel), _numbers(wheel), _middle()]
    legend = tuple(
        (band, colour) for band, colour in theme.BAND_COLOURS.items() if band in set(wheel["band"])
    )
    words = Words(name, title, _description(friends, links), legend=legend)
    return drawn(
        layered(*(layer for layer in layers if layer is not None)),
        words,
        plot_height=_HEIGHT,
        left=_LEFT,
        foot=14,
    )


def _description(friends: pl.DataFrame, links: pl.DataFrame) -> str:
    bands = friends.group_by("band").len().sort("band").rows()
    named = ", ".join(f"{count} {band}" for band, count in bands)
    return (
        f"The customer in the middle, {friends.height} friends around: {named}. Thicker lines are stronger ties, "
        f"larger discs more value at risk if the customer leaves. {links.height} of the friends' pairs are tied."
    )


def _placed(friends: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Friends on a circle, those tied to each other side by side as far as that goes."""
    order = _round(friends["number"].to_list(), links.rows())
    angles = {number: math.tau * place / len(order) - math.pi / 2 for place, number in enumerate(order)}
    money = friends["money"].fill_null(0.0)
    most, strongest = _largest(money), _largest(friends["strength_share"])
    return (
        friends.with_columns(
            x=pl.Series([_RADIUS * math.cos(angles[number]) for number in friends["number"]]),
            y=pl.Series([_RADIUS * math.sin(angles[number]) for number in friends["number"]]),
            area=_SMALLEST + (_LARGEST - _SMALLEST) * money / most,
            width=_THINNEST + (_THICKEST - _THINNEST) * pl.col("strength_share") / strongest,
            colour=pl.col("band").replace_strict(
                theme.BAND_COLOURS, default=theme.OTHER_BAND_COLOUR, return_dtype=pl.String
            ),
            label=pl.col("number").cast(pl.String),
        )
        .with_columns(outwards=1 + ((pl.col("area") / math.pi).sqrt() + _NUMBER_GAP) / _RADIUS)
        .with_columns(number_x=pl.col("x") * pl.col("outwards"), number_y=pl.col("y") * pl.col("outwards"))
    )


def _largest(values: pl.Series) -> float:
    most = values.max()
    return most if isinstance(most, float) and most > 0 else 1.0


def _round(numbers: list[int], links: list[tuple[int, int]]) -> list[int]:
    """Walk from friend to friend along links, the lowest number first: tied ones come to stand together."""
    near: dict[int, list[int]] = {number: [] for number in numbers}
    for first, second in links:
        near[first].append(second)
        near[second].append(first)
    order: list[int] = []
    for start in numbers:
        waiting = [start]
        while waiting:
            number = waiting.pop()
            if number not in order:
                order.append(number)
                waiting += sorted(near[number], reverse=True)
    return order


def _x(column: str) -> alt.X:
    import altair as alt

    half = (theme.WIDTH - _LEFT - theme.RIGHT) / 2
    return alt.X(column, type="quantitative", scale=alt.Scale(domain=[-half, half], nice=False), axis=None)


def _y(column: str) -> alt.Y:
    import altair as alt

    half = _HEIGHT / 2
    scale = alt.Scale(domain=[-half, half], nice=False, reverse=True)
    return alt.Y(column, type="quantitative", scale=scale, axis=None)


def _link_lines(wheel: pl.DataFrame, links: pl.DataFrame) -> alt.Chart | None:
    import altair as alt

    if links.is_empty():
        return None
    places = wheel.select("number", "x", "y")
    data = links.join(places.rename({"number": "first"}), on="first").join(
        places.rename({"number": "second", "x": "x2", "y": "y2"}), on="second"
    )
    lines: alt.Chart = alt.Chart(data.sort("first", "second")).mark_rule(color=theme.AXIS, strokeWidth=1)
    return lines.encode(x=_x("x"), y=_y("y"), x2="x2", y2="y2")


def _spokes(wheel: pl.DataFrame) -> alt.Chart:
    import altair as alt

    data = wheel.with_columns(zero=pl.lit(0.0))
    spokes: alt.Chart = alt.Chart(data).mark_rule(color=theme.SOFT, strokeCap="round")
    width = alt.StrokeWidth("width", type="quantitative", scale=None, legend=None)
    return spokes.encode(x=_x("zero"), y=_y("zero"), x2="x", y2="y", strokeWidth=width)


def _discs(wheel: pl.DataFrame) -> AnyChart:
    import altair as alt

    discs: alt.Chart = alt.Chart(wheel).mark_point(
        shape="circle", filled=True, opacity=1, stroke=theme.PAPER, strokeWidth=1.5
    )
    return discs.encode(
        x=_x("x"),
        y=_y("y"),
        size=alt.Size("area", type="quantitative", scale=None, legend=None),
        color=alt.Color("colour", type="nominal", scale=None, legend=None),
    )


def _numbers(wheel: pl.DataFrame) -> AnyChart:
    import altair as alt

    numbers: alt.Chart = alt.Chart(wheel).mark_text(baseline="middle", color=theme.INK)
    return numbers.encode(x=_x("number_x"), y=_y("number_y"), text="label:N")


def _middle() -> AnyChart:
    import altair as alt

    data = pl.DataFrame({"x": [0.0], "y": [0.0], "label": ["leaves"]})
    disc: alt.Chart = alt.Chart(data).mark_point(
        shape="circle",
        filled=True,
        opacity=1,
        size=_ME,
        color=theme.PAPER,
        stroke=theme.MAIN,
        strokeWidth=2,
    )
    word: alt.Chart = alt.Chart(data).mark_text(baseline="middle", fontSize=theme.TEXT_SIZE, color=theme.MAIN)
    return layered(disc.encode(x=_x("x"), y=_y("y")), word.encode(x=_x("x"), y=_y("y"), text="label:N"))
