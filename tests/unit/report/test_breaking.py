"""Words too long for a cell get places to break, and nothing else of a text changes."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.report.breaking import LONGEST, breakable


@given(st.text())
def test_without_the_places_the_text_is_the_same_escaped(text: str) -> None:
    assert html.unescape(breakable(text).replace("<wbr>", "")) == html.unescape(html.escape(text))


@given(st.text(alphabet="ab_/. <", max_size=200))
def test_no_piece_is_longer_than_the_longest_and_no_ordinary_word_is_parted(text: str) -> None:
    pieces = html.unescape(breakable(text).replace("<wbr>", "\0"))
    assert all(len(piece) <= LONGEST for piece in re.split(r"[\0\s]", pieces))
    assert {word for word in text.split() if len(word) <= LONGEST} <= set(pieces.split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Service contacts about cancellation", "Service contacts about cancellation"),
        ("detractor_exposure_two_hop_30d", "detractor_exposure_<wbr>two_hop_30d"),
        ("x" * 60, "<wbr>".join(["x" * 20] * 3)),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_a_long_word_breaks_after_punctuation_and_else_after_so_many_letters(text: str, shown: str) -> None:
    assert breakable(text) == shown
