"""The picture of a circle numbers friends, says what it shows, and knows no ids."""

from __future__ import annotations

import re

import polars as pl
import pytest

from churnrisk.pictures import ego_network, theme
from churnrisk.pictures.circles import _round

FRIENDS = pl.DataFrame(
    {
        "number": [1, 2, 3],
        "band": ["low", "critical", None],
        "strength_share": [0.5, 0.3, 0.2],
        "money": [0.1, None, 3.0],
    }
)
LINKS = pl.DataFrame({"first": [1], "second": [3]})


def test_it_shows_every_friend_by_number_with_a_word_for_those_who_do_not_see() -> None:
    picture = ego_network(FRIENDS, LINKS, title="Around customer <7>")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture.svg)
    assert {"1", "2", "3", "leaves", "Around customer &lt;7&gt;", "low", "critical"} <= set(texts)
    assert "3 friends around" in picture.description
    assert "1 of the friends' pairs are tied" in picture.description
    assert theme.BAND_COLOURS["critical"] in picture.svg
    assert "watch" not in texts


def test_the_same_circle_gives_the_same_bytes_and_several_have_ids_of_their_own() -> None:
    one, same = (ego_network(FRIENDS, LINKS, title="x", name="around-1") for _ in range(2))
    other = ego_network(FRIENDS, LINKS, title="x", name="around-2")
    assert one.svg == same.svg
    assert 'id="around-2-title"' in other.svg
    assert "around-1" not in other.svg


def test_without_links_or_money_there_is_still_a_circle() -> None:
    plain = FRIENDS.with_columns(money=pl.lit(None, pl.Float64), strength_share=pl.lit(0.0))
    assert "<svg" in ego_network(plain, LINKS.clear(), title="x").svg


def test_friends_tied_to_each_other_stand_side_by_side() -> None:
    assert _round([1, 2, 3, 4, 5], [(1, 4), (4, 5)]) == [1, 4, 5, 2, 3]


def test_nobody_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="no friends"):
        ego_network(FRIENDS.clear(), LINKS, title="x")
