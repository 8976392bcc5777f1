"""Whether the first row of a text file is a header, or the first of the data: then its cells are told to nobody.

It decides what looks like a header, and refuses to know columns: a name in an error must not be a person's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

NEAR = 0.75
"""Names at least so alike (difflib) are taken for a misspelling of ours, not for a further column. A judgement: it
finds two letters swapped or one missing, and lets tariff and plan_name through."""

SURE = 2
"""Names of ours in a first row that make it a header, whatever the others are."""

LONGEST_NAME = 60

_DATA = re.compile(r"@|\d{3}|^[\d+-]", re.ASCII)
"""What a cell has that is hardly the name of a column: an address, a number, a date."""


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


def told(names: Sequence[str], known: Iterable[str], *, needs_known: bool = False) -> tuple[str, ...]:
    """Return the names that may be told: all, or none where they may be somebody's data."""
    return tuple(filter(None, names)) if is_header(names, known, needs_known=needs_known) else ()
