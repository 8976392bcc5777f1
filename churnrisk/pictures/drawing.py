"""Turns a chart and the words around it into one accessible SVG text, the same for the same data; knows no figures.

The converter numbers its clip paths on from picture to picture, and two pictures in one page may not share an id:
so ids are numbered anew within each picture and begin with its name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, TypeAlias, cast

import vl_convert

from . import theme

if TYPE_CHECKING:
    import altair as alt

PNG_MARGIN = 14

PNG_SCALE = 2.0
"""Pixels per SVG unit in PNG files: sharp on present screens."""

_HEAD, _LINE = 40, 24
"""Height of the title, and of each line (legend, name of the upright axis) under it."""

_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r'(?<=\bid=")[^"]+(?=")|(?<=url\(#)[^)]+(?=\))')
_NOISE = re.compile(
    r' (?:role|aria-\w+|class|pointer-events|opacity="1"|version|xmlns:xlink)(?:="[^"]*")?(?=[ />])'
)
_FONT = re.compile(r' font-family="[^"]*"')
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_EMPTY = re.compile(r'<path d=""[^>]*/>|<path d="M0,0h0v0h0Z"/>')
_UNWANTED = frozenset("\ufffe\uffff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Words:
    """The words around a chart.

    ``name`` becomes part of ids (lower case letters, digits, hyphens; unique in a page); ``description`` says in
    sentences what a reader would see; ``legend`` names colours.
    """

    name: str
    title: str
    description: str
    x_title: str = ""
    y_title: str = ""
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Picture:
    """One finished picture: ``svg`` stands alone or inside a page; :meth:`png` is for places that need pixels."""

    name: str
    title: str
    description: str
    svg: str

    def png(self, scale: float = PNG_SCALE) -> bytes:
        """Return the picture on white as a PNG file; letters come from this machine's fonts."""
        head, rest = self.svg.split(">", 1)
        width, height = (
            float(size) + 2 * PNG_MARGIN for size in re.findall(r' (?:width|height)="([^"]*)"', head)
        )
        box = f'width="{width:g}" height="{height:g}" viewBox="{-PNG_MARGIN} {-PNG_MARGIN} {width:g} {height:g}"'
        head = re.sub(r'width=.* viewBox="[^"]*"', box, head)
        paper = f'<rect x="{-PNG_MARGIN}" y="{-PNG_MARGIN}" width="100%" height="100%" fill="{theme.PAPER}"/>'
        return vl_convert.svg_to_png(f"{head}>{paper}{rest}", scale=scale)


AnyChart: TypeAlias = "alt.Chart | alt.LayerChart"


def layered(*parts: AnyChart) -> alt.LayerChart:
    """Return charts drawn over one another, the last on top."""
    import altair as alt

    return cast("alt.LayerChart", alt.layer(*parts))


def drawn(
    chart: AnyChart,
    words: Words,
    *,
    plot_height: float = theme.PLOT_HEIGHT,
    left: int = theme.LEFT,
    foot: int = theme.BOTTOM,
) -> Picture:
    """Return ``chart`` as a picture of :data:`theme.WIDTH` units, framed by ``words``."""
    import altair as alt

    if not _NAME.fullmatch(words.name):
        msg = f"a picture's name is lower case letters, digits and hyphens, not {words.name!r}"
        raise ValueError(msg)
    top = _HEAD + _LINE * (bool(words.legend) + bool(words.y_title))
    bottom = foot if words.x_title else 14
    sized = chart.properties(
        width=theme.WIDTH - left - theme.RIGHT,
        height=plot_height,
        padding={"left": left, "top": top, "right": theme.RIGHT, "bottom": bottom},
        autosize=alt.AutoSizeParams(type="none"),
    )
    schema_version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    converted = vl_convert.vegalite_to_svg(
        sized.to_dict(), vl_version=schema_version, config=theme.CONFIG, allowed_base_urls=[]
    )
    height = top + plot_height + bottom
    return Picture(words.name, words.title, words.description, _framed(converted, words, height, left))


def _framed(converted: str, words: Words, height: float, left: int) -> str:
    body = converted.split(">", 1)[1].removesuffix("</svg>")
    ids: dict[str, str] = {}
    body = _TAG.sub(lambda match: _tidied(match.group(), words.name, ids), body)
    body = _EMPTY.sub("", body)
    while (shorter := re.sub(r"<g(?: [^>]*)?></g>", "", body)) != body:
        body = shorter
    name = words.name
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{theme.WIDTH}" height="{height:g}" '
        f'viewBox="0 0 {theme.WIDTH} {height:g}" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'font-family="{theme.FONT_FAMILY}">'
        f'<title id="{name}-title">{_text(words.title)}</title><desc id="{name}-desc">{_text(words.description)}</desc>'
        f"{_frame(words, height, left)}{body}</svg>"
    )


def _tidied(tag: str, name: str, ids: dict[str, str]) -> str:
    """Return one tag without noise, with numbers of two decimals and ids of this picture."""
    tag = _FONT.sub("", _NOISE.sub("", tag))
    tag = _ID.sub(lambda match: ids.setdefault(match.group(), f"{name}-{len(ids) + 1}"), tag)
    return _LONG_NUMBER.sub(lambda match: f"{float(match.group()):.2f}".rstrip("0").rstrip("."), tag)


def _frame(words: Words, height: float, left: int) -> str:
    size = theme.TEXT_SIZE
    title = f'<text x="0" y="17" font-size="{theme.TITLE_SIZE}" font-weight="600" fill="{theme.INK}">'
    parts = [f"{title}{_text(words.title)}</text>"]
    line = 42
    if words.legend:
        step = (theme.WIDTH - theme.RIGHT) / max(len(words.legend), 2)
        for position, (label, colour) in enumerate(words.legend):
            parts.append(
                f'<rect x="{position * step:g}" y="{line - 10}" width="11" height="11" rx="2" fill="{colour}"/>'
                f'<text x="{position * step + 17:g}" y="{line}" font-size="{size}" fill="{theme.MUTED}">'
                f"{_text(label)}</text>"
            )
        line += _LINE
    if words.y_title:
        parts.append(
            f'<text x="0" y="{line}" font-size="{size}" fill="{theme.MUTED}">{_text(words.y_title)}</text>'
        )
    if words.x_title:
        middle = left + (theme.WIDTH - left - theme.RIGHT) / 2
        parts.append(
            f'<text x="{middle:g}" y="{height - 8:g}" text-anchor="middle" font-size="{size}" '
            f'fill="{theme.MUTED}">{_text(words.x_title)}</text>'
        )
    return "".join(parts)


def _text(text: str) -> str:
    return escape(plain(text), quote=False)


def plain(text: str) -> str:
    """Return ``text`` on one line, without characters that XML forbids or that turn the reading direction about."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    kept = (c for c in spaced if unicodedata.category(c) not in {"Cc", "Cs"} and c not in _UNWANTED)
    return " ".join("".join(kept).split())


def shortened(text: str, columns: int) -> str:
    """Return ``text`` cut with an ellipsis to at most ``columns`` columns, a Chinese character taking two.

    >>> shortened("Москва и область", 8), shortened("上海浦东新区", 8)
    ('Москва …', '上海浦…')
    """
    text = plain(text)
    if _columns(text) <= columns:
        return text
    kept = ""
    for character in text:
        if _columns(kept + character) > columns - 1:
            break
        kept += character
    return kept + "…"


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
