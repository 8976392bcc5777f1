"""Whether the first row of a text file is a header, or the first of the data: then its cells are told to nobody.

It decides what looks like a header, and refuses to know columns: a name in an error must not be a person's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

NEAR = 0.75
"""Names at least so alike (difflib) are taken for a misspelling of ours, not for a further column. A judgement: it
finds two letters swapped or one missing, and lets tariff and plan_name through."""

SURE = 2
"""Names of ours in a first row that make it a header, whatever the others are."""

LONGEST_NAME = 60

_DATA = re.compile(r"@|\d{3}|^[\d+-]", re.ASCII)
"""What a cell has that is hardly the name of a column: an address, a number, a date."""

_SOMEBODYS = re.compile(r"@|(?:\d\D{0,2}){6}", re.ASCII)
"""What is told of no first row, however sure it is a header: an address, or digits enough for a phone or a birthday."""

_NO_NAME = re.compile(r"[^\w\s./#()%&$€:*+-]|\.(?:\s|$)|\d{5}|^[\d+]")
"""What the name of a column hardly has: quotes, commas, the ends of sentences, many digits, a number in front."""

LONGEST_TOLD = 40
"""Letters of a cell that may be told: names of columns are shorter, comments mostly longer. A guess."""


def nearest(name: str, ours: Iterable[str], cutoff: float = NEAR) -> str | None:
    """Return the name of ours that is most like ``name``, case aside; None where none is alike enough."""
    near = difflib.get_close_matches(name.strip().casefold(), list(ours), n=1, cutoff=cutoff)
    return near[0] if near else None


def is_header(names: Sequence[str], known: Iterable[str], *, needs_known: bool = False) -> bool:
    """Say whether the cells of a first row are names of columns.

    Parameters
    ----------
    names : sequence of str
        The cells, blanks around them cut off.
    known : iterable of str
        Names that are expected there.
    needs_known : bool
        One of them must be there, or nearly so: no settings say how else columns may be called.
    """
    ours = sorted(set(known))
    if len(set(ours) & set(names)) >= SURE:
        return True
    if any(len(name) > LONGEST_NAME or _DATA.search(name) for name in names):
        return False
    if not all(names[1:]):  # the first has no name where a program wrote the numbers of rows
        return False
    return not needs_known or any(nearest(name, ours) for name in names)


@dataclass(frozen=True)
class FirstRow:
    """The cells of a first row, and which of them may be told: as they are, or by their position alone.

    A row with two names of ours is a header, and what looks like a name there may be told. In a file to record, with
    fewer, those that are ours or nearly so. Sources may call their columns anything: there the rows beneath tell names
    from data.
    """

    names: Sequence[str]
    known: frozenset[str]
    beneath: Sequence[Sequence[str]] | None = None
    """The rows after it; None where names come from a schema."""
    needs_known: bool = False

    @cached_property
    def is_header(self) -> bool:
        """Say whether the cells are names of columns."""
        return not self.is_repeated and is_header(self.names, self.known, needs_known=self.needs_known)

    @cached_property
    def is_repeated(self) -> bool:
        """Say whether an address or number stands there as it does in the rows beneath: then it is one of them."""
        if self._is_sure or not self.beneath:
            return False
        return any(
            _is_somebodys(name) and _shape(name) in {_shape(cell) for cell in self._below(position)}
            for position, name in enumerate(self.names)
        )

    @cached_property
    def told(self) -> tuple[str, ...]:
        """The names, each as it may be told; none where the row is no header."""
        if not self.is_header:
            return ()
        return tuple(
            name if self.may_tell(name) else f"column {position}"
            for position, name in enumerate(self.names, start=1)
            if name
        )

    def called(self, name: str) -> str:
        """Return how a name is told: in quotes, or by its position."""
        return repr(name) if self.may_tell(name) else f"column {list(self.names).index(name) + 1}"

    def may_tell(self, name: str) -> bool:
        """Say whether a cell may be told as it is."""
        if not self.is_header or _is_somebodys(name):
            return False
        if name in self.known or nearest(name, self.known) is not None:
            return True
        if self.beneath is not None and (_is_no_name(name) or self._is_like_its_data(name)):
            return False
        if self._is_sure:
            return True
        return not self.needs_known and (self.beneath is None or self._is_unlike_data)

    @cached_property
    def _is_sure(self) -> bool:
        return len(self.known & {*self.names}) >= SURE

    @cached_property
    def _is_unlike_data(self) -> bool:
        """Say whether a column that is not ours holds numbers, dates or addresses, and its name is none."""
        return any(
            all(_DATA.search(cell) for cell in cells)
            for position, name in enumerate(self.names)
            if name and name not in self.known and not _DATA.search(name)
            for cells in [self._below(position)]
            if cells
        )

    def _is_like_its_data(self, name: str) -> bool:
        """Say whether a cell of several words stands over others of several: over a person's name, perhaps one more."""
        return " " in name and any(" " in cell for cell in self._below(list(self.names).index(name)))

    def _below(self, position: int) -> list[str]:
        cells = [row[position].strip() for row in self.beneath or () if position < len(row)]
        return [cell for cell in cells if cell]


def _is_somebodys(cell: str) -> bool:
    return len(cell) > LONGEST_NAME or _SOMEBODYS.search(cell) is not None


def _is_no_name(cell: str) -> bool:
    return len(cell) > LONGEST_TOLD or _NO_NAME.search(cell) is not None


def _shape(cell: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell))
