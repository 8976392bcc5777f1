"""The pieces a page is made of: figures, sections, sentences, tables, pictures, terms; text ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..pictures import Picture


@dataclass(frozen=True)
class Stat:
    """A figure of the headline, with what it is and what to think of it."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Head:
    """The head of a column: ``is_data`` says that its cells are the user's own text, of any script and direction.

    ``language`` is that of its sentences where it is not the table's.
    """

    text: str
    kind: Literal["text", "number", "fine", "band", "list", "unbroken"] = "text"
    is_data: bool = False
    language: str = ""

    @property
    def is_number(self) -> bool:
        """Say whether the column holds figures."""
        return self.kind == "number"

    @property
    def is_fine(self) -> bool:
        """Say whether the column explains the others."""
        return self.kind == "fine"

    @property
    def is_unbroken(self) -> bool:
        """Say whether cells stay on one line: dates would break at their hyphens."""
        return self.kind == "unbroken"


Cell = str | tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table; ``key`` is the column that heads each row; ``folds`` into one block a row on narrow screens."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    key: int = 0
    folds: bool = False
    language: str = ""


@dataclass(frozen=True)
class Part:
    """One thing to look at: a picture with its caption, a table, or terms; ``is_wide`` takes the whole width."""

    picture: Picture | None = None
    caption: str = ""
    table: Table | None = None
    terms: tuple[tuple[str, str], ...] = ()
    is_code: bool = False
    is_wide: bool = False


@dataclass(frozen=True)
class Section:
    """A section: sentences, then parts, side by side where there is room when ``is_paired``."""

    key: str
    title: str
    lines: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    is_paired: bool = False


@dataclass(frozen=True)
class Page:
    """What the templates fill: head, figures, ``lines`` (what to do, or what was judged), warnings, sections."""

    title: str
    lead: str
    as_of: str
    software_version: str
    stats: tuple[Stat, ...]
    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    company: str = ""
