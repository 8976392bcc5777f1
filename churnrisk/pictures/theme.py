"""How every picture looks: colours, letters, sizes; it refuses to know what is drawn.

Colours keep their order in grey print (each band is darker than the one below it) and are told apart by people who
do not see red and green as two colours. Letters are named by font family, never drawn, so any script is shown by
whatever font the reader's machine has for it.
"""

from __future__ import annotations

from typing import Any

FONT_FAMILY = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', Arial, "
    "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', 'WenQuanYi Zen Hei', sans-serif"
)

INK = "#1f2a37"
MUTED = "#566474"
GRID = "#e3e7ec"
AXIS = "#8793a1"
MAIN = "#1d5f8a"
SOFT = "#a9c6da"
REFERENCE = "#9a5b00"
PAPER = "#ffffff"

BAND_COLOURS: dict[str, str] = {
    "low": "#9db8ca",
    "watch": "#c4861c",
    "high": "#b9501f",
    "critical": "#75131b",
}
"""Colour of each risk band, lowest first; luminance falls from band to band."""

OTHER_BAND_COLOUR = "#6b7785"
"""For a band name that is none of ours."""

WIDTH = 480
LEFT, RIGHT, BOTTOM = 58, 18, 46
PLOT_WIDTH = WIDTH - LEFT - RIGHT
PLOT_HEIGHT = 210

TITLE_SIZE = 14
TEXT_SIZE = 12

CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "font": FONT_FAMILY,
    "view": {"stroke": None},
    "axis": {
        "domainColor": AXIS,
        "gridColor": GRID,
        "labelColor": MUTED,
        "labelFontSize": TEXT_SIZE - 0.5,
        "labelOverlap": False,
        "labelFlush": False,
        "labelPadding": 5,
        "tickColor": AXIS,
        "tickSize": 4,
        "title": None,
    },
    "axisY": {"domain": False, "ticks": False},
    "axisX": {"grid": False},
    "text": {"fontSize": TEXT_SIZE, "fill": INK},
}
"""Vega-Lite configuration of every picture. Measured text decides nothing, so the same data give the same text on
every machine, whatever fonts it has."""
