"""Pair facts become ties, or are refused."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.ties import DECAY_ONE_CONTACT, tie_table
from features.ties.contract import PAIR_COLUMNS
from features.ties.strength import TIE_COLUMNS

DAY_US = 86_400_000_000
FRESH = DECAY_ONE_CONTACT


def pair(a: int, b: int, n_ab: int = 1, n_ba: int = 1, **facts: int) -> dict[str, int]:
    plain = {
        "node_a": a,
        "node_b": b,
        "n_ab": n_ab,
        "n_ba": n_ba,
        "n_recent_ab": 0,
        "n_recent_ba": 0,
        "n_timed": 1,
        "seconds": 0,
        "active_days": 1,
        "trains": 1,
        "gap_squares": 0,
        "decayed_14": (n_ab + n_ba) * FRESH,
        "decayed_30": (n_ab + n_ba) * FRESH,
        "first_contact_us": 0,
        "last_contact_us": 0,
    }
    return {**plain, **facts}


def frame(*rows: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=PAIR_COLUMNS)


def test_strength_worked_by_hand() -> None:
    """sqrt(9 days * 4 trains) = 6; sqrt(1 * 4) of 4 contacts is left; 2 * 1 / 4 mutual, so (1 + 1/2) / 2."""
    facts = {"active_days": 9, "trains": 4, "decayed_14": FRESH, "decayed_30": 4 * FRESH}
    ties = tie_table(frame(pair(0, 1, n_ab=3, n_ba=1, **facts)))
    assert ties["strength"].item() == 6 * 0.5 * 0.75
    assert ties["reciprocity"].item() == 0.5


def test_a_tie_says_what_passed_between_two_customers() -> None:
    facts = {"n_recent_ab": 1, "seconds": 90, "active_days": 2, "trains": 2}
    times = {"gap_squares": (2 * 86_400) ** 2, "first_contact_us": DAY_US, "last_contact_us": 3 * DAY_US}
    ties = tie_table(frame(pair(3, 5, 2, 0, **facts, **times)), as_of_us=19 * DAY_US)
    assert ties.columns == list(TIE_COLUMNS)
    assert ties.row(0, named=True) == {
        "node_a": 3,
        "node_b": 5,
        "strength": 1.0,  # sqrt(2 * 2) * 1 * (1 + 0) / 2
        "n_contacts": 2,
        "n_ab": 2,
        "n_ba": 0,
        "n_recent": 1,
        "active_days": 2,
        "trains": 2,
        "seconds": 90,
        "decayed_14": 2.0,
        "decayed_30": 2.0,
        "reciprocity": 0.0,
        "attention_ab": 1.0,
        "attention_ba": 1.0,
        "overlap": None,
        "burstiness": None,
        "silence_ratio": 8.0,
        "is_dead": False,
        "span_days": 2.0,
        "last_contact": datetime(1970, 1, 4),
    }


def test_attention_is_shared_by_strength_and_overlap_counts_common_friends() -> None:
    #   0 --- 1        1-3 has the strength of three of the others
    #    \   / \       overlap of 0-1: friend 2 of the others {2, 3}
    #      2    3
    ties = tie_table(frame(pair(0, 1), pair(0, 2), pair(1, 2), pair(1, 3, active_days=3, trains=3)))
    expected = pl.DataFrame(
        {
            "node_a": [0, 0, 1, 1],
            "node_b": [1, 2, 2, 3],
            "attention_ab": [1 / 2, 1 / 2, 1 / 5, 3 / 5],
            "attention_ba": [1 / 5, 1 / 2, 1 / 2, 1.0],
            "overlap": [1 / 2, 1.0, 1 / 2, 0.0],
        },
        schema_overrides={"node_a": pl.Int32, "node_b": pl.Int32},
    )
    assert_frame_equal(ties.select(expected.columns), expected)


def test_ties_so_old_that_nothing_is_left_have_no_attention_to_share() -> None:
    assert tie_table(frame(pair(0, 1, decayed_14=0)))["attention_ab"].to_list() == [None]


def test_no_pairs_give_an_empty_table_of_the_same_shape() -> None:
    assert tie_table(frame()).schema == tie_table(frame(pair(0, 1))).schema
    assert tie_table(frame()).is_empty()


def test_other_columns_and_narrower_types_do_no_harm() -> None:
    facts = frame(pair(0, 1))
    narrow = facts.with_columns(pl.col("n_ab", "n_ba", "trains").cast(pl.UInt8), as_of_us=pl.lit(0))
    assert tie_table(narrow).equals(tie_table(facts), null_equal=True)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (pair(1, 0), "node_a < node_b"),
        (pair(2, 2), "node_a < node_b"),
        (pair(-1, 2), "node_a >= 0"),
        (pair(0, 1, n_ab=0, n_ba=0), "at least one contact"),
        (pair(0, 1, n_ab=-1, n_ba=3), "n_ab >= 0"),
        (pair(0, 1, active_days=0), "at least one active day"),
        (pair(0, 1, trains=0), "at least one train"),
        (pair(0, 1, seconds=-1), "seconds >= 0"),
        (pair(0, 1, n_recent_ab=2), "recent contacts among all"),
        (pair(0, 1, first_contact_us=2, last_contact_us=1), "first contact before the last"),
    ],
)
def test_pairs_that_break_the_contract_are_refused(row: dict[str, int], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        tie_table(frame(pair(7, 9), row))


def test_a_pair_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="each pair of nodes once, found a pair twice"):
        tie_table(frame(pair(0, 1), pair(0, 2), pair(0, 1)))


def test_a_clock_a_chance_and_a_burst_are_told_apart() -> None:
    """Three silences of two days each; of 1, 2 and 3 days; all but one of no length (Kim & Jo: -1 to 1)."""
    day_s = 86_400
    times = {"first_contact_us": 0, "last_contact_us": 6 * DAY_US}
    squares = (3 * (2 * day_s) ** 2, (1 + 4 + 9) * day_s**2, (6 * day_s) ** 2)
    rows = [pair(0, node, 2, 2, gap_squares=value, **times) for node, value in enumerate(squares, 1)]
    burstiness = tie_table(frame(*rows))["burstiness"].to_list()
    x = (14 / 3 - 4) ** 0.5 / 2  # of silences of 1, 2, 3: deviation over mean
    assert burstiness == [-1.0, pytest.approx((2 * x - 2**0.5) / 2**0.5), pytest.approx(1.0)]


def test_a_contact_that_is_not_before_the_as_of_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="every contact before the as-of instant"):
        tie_table(frame(pair(0, 1)), as_of_us=0)


def test_talk_is_unknown_when_no_contact_has_a_length() -> None:
    assert tie_table(frame(pair(0, 1, n_timed=0)))["seconds"].to_list() == [None]


def test_missing_columns_and_nulls_are_named() -> None:
    with pytest.raises(ValueError, match="found no trains, decayed_14"):
        tie_table(frame(pair(0, 1)).drop("trains", "decayed_14"))
    with pytest.raises(ValueError, match="null in seconds"):
        tie_table(frame(pair(0, 1)).with_columns(seconds=pl.lit(None, pl.Int64)))
