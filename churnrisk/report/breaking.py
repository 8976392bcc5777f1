"""Where a word too long for a cell of a table may break; words of ordinary length never do.

It decides places by length alone, and refuses to know what a word means. A place is a ``<wbr>``: it is not copied along
with an id, as a character would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

LONGEST = 20
"""Characters of a word, and of a piece of a longer one, that stay together. A judgement."""

_PLACE = Markup("<wbr>")
_LONG = re.compile(rf"(\S{{{LONGEST + 1},}})")
_AFTER = re.compile(r"(?<=[_/.,:;=&?])")


def breakable(text: str) -> Markup:
    """Return ``text`` escaped, its words longer than `LONGEST` broken after punctuation, or anywhere.

    >>> breakable("detractor_exposure_two_hop_30d") == Markup("detractor_exposure_<wbr>two_hop_30d")
    True
    >>> breakable("at <b>")
    Markup('at &lt;b&gt;')
    """
    parts = _LONG.split(text)
    return Markup("").join(
        _PLACE.join(escape(piece) for piece in _pieces(part)) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _pieces(word: str) -> Iterator[str]:
    """Yield pieces of at most `LONGEST` characters, as long as punctuation allows."""
    held = ""
    for part in _AFTER.split(word):
        if len(held) + len(part) <= LONGEST:
            held += part
            continue
        if held:
            yield held
        *full, held = (part[start : start + LONGEST] for start in range(0, len(part), LONGEST))
        yield from full
    if held:
        yield held
