"""Kinds of source columns on top of dataframely: identifier, text, word, instant, day, number, whole number, flag.

It decides how a limit is declared once (checked by dataframely, told by the documentation, drawn in test data), and
refuses to know which table a column stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import dataframely as dy
import polars as pl

Kind = Literal["id", "text", "word", "instant", "day", "number", "integer", "boolean"]

EARLIEST = datetime(1900, 1, 1)
"""No fact lies before it: earlier dates are placeholders of other systems (0001-01-01, 1899-12-30)."""

LATEST = datetime(2200, 1, 1)
"""No fact lies at or after it: later dates are placeholders (9999-12-31)."""

MOST_WHOLE = 2**53
"""The largest whole number that a double holds exactly."""

MOST = 1e15
"""No amount lies beyond it, up or down: doubles still tell tenths apart there. A guess that no currency reaches."""


class Word(dy.String):
    """A text column that holds one of a few words."""

    def __init__(self, *, words: Sequence[str], **options: Any) -> None:
        super().__init__(regex=f"^({'|'.join(words)})$", **options)
        self.words = tuple(words)


def identifier(description: str, *, null: str = "", digits: bool = False) -> dy.String:
    """Declare an id: text, never a number; ``digits`` lets ``id_digits`` pad it."""
    return dy.String(
        nullable=bool(null),
        min_length=1,
        description=description,
        metadata=_about("id", "", null, digits=digits),
    )


def text(description: str, *, null: str = "") -> dy.String:
    """Declare free text of any language and script."""
    least = None if null else 1
    return dy.String(
        nullable=bool(null), min_length=least, description=description, metadata=_about("text", "", null)
    )


def word(description: str, words: Sequence[str], *, null: str = "") -> Word:
    """Declare a text that is one of ``words``; upper and lower case are the same."""
    return Word(words=words, nullable=bool(null), description=description, metadata=_about("word", "", null))


def instant(description: str, *, null: str = "", inner: bool = False) -> dy.Datetime:
    """Declare a date or time; a date alone means its local day."""
    return dy.Datetime(
        nullable=bool(null) or inner,
        min=EARLIEST,
        max_exclusive=LATEST,
        description=description,
        metadata=_about("instant", "date or time", null, inner=inner),
    )


def day(description: str, *, null: str = "") -> dy.Datetime:
    """Declare a day; a time of day in the source is dropped."""
    return dy.Datetime(
        nullable=bool(null),
        min=EARLIEST,
        max_exclusive=LATEST,
        description=description,
        metadata=_about("day", "date", null),
    )


def number(
    description: str,
    unit: str,
    *,
    low: float = -MOST,
    high: float = MOST,
    null: str = "",
    codes: dict[str, str] | None = None,
) -> dy.Float64:
    """Declare a decimal number within ``low`` and ``high``, both allowed."""
    return dy.Float64(
        nullable=bool(null),
        min=low,
        max=high,
        description=description,
        metadata=_about("number", unit, null, codes=codes or {}),
    )


def whole(
    description: str,
    unit: str,
    *,
    low: int = -MOST_WHOLE,
    high: int = MOST_WHOLE,
    null: str = "",
    codes: dict[str, str] | None = None,
) -> dy.Int64:
    """Declare a whole number within ``low`` and ``high``, both allowed."""
    return dy.Int64(
        nullable=bool(null),
        min=low,
        max=high,
        description=description,
        metadata=_about("integer", unit, null, codes=codes or {}),
    )


def flag(description: str, *, null: str = "") -> dy.Bool:
    """Declare a yes or no."""
    return dy.Bool(
        nullable=bool(null), description=description, metadata=_about("boolean", "yes or no", null)
    )


def _about(kind: Kind, unit: str, null: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "unit": unit, "null": null, **more}


def about(column: dy.Column) -> dict[str, Any]:
    """Return what was declared beside the limits: kind, unit, meaning of null."""
    return column.metadata or {}


def is_inner(column: dy.Column) -> bool:
    """Say whether the column is ours, made while reading, and not one a source can give."""
    return column.metadata is None or bool(column.metadata.get("inner"))


def range_words(column: dy.Column) -> str:
    """Say the limits of a column in words; empty when there are none worth saying."""
    if isinstance(column, Word):
        return ", ".join(column.words)
    if isinstance(column, dy.Float64 | dy.Int64):
        return _span_words(column.min, column.max)
    if isinstance(column, dy.Datetime):
        return f"{EARLIEST.year} to {LATEST.year - 1}"
    return ""


def _span_words(low: float | None, high: float | None) -> str:
    """Say a span, without the bounds that every number has."""
    has_low, has_high = low is not None and low > -MOST, high is not None and high < MOST
    if has_low and has_high:
        return f"{low:,g} to {high:,.10g}"
    if has_low:
        return f"at least {low:g}"
    return f"at most {high:g}" if has_high else ""


def empty_series(name: str, column: dy.Column, length: int) -> pl.Series:
    """Return ``length`` nulls in the type of ``column``."""
    return pl.Series(name, [None], dtype=column.dtype).new_from_index(0, length)
