from __future__ import annotations

import numpy as np

from churnrisk.simulate.draws import chosen, cumulated, logistic, repeated_ranges, stream


def test_a_stream_is_the_same_for_the_same_purpose_and_another_for_another() -> None:
    first, again = stream(1, "calls", 3).random(5), stream(1, "calls", 3).random(5)
    assert first.tolist() == again.tolist()
    for other in (stream(2, "calls", 3), stream(1, "calls", 4), stream(1, "usage", 3)):
        assert other.random(5).tolist() != first.tolist()


def test_choices_follow_their_shares() -> None:
    drawn = np.bincount(chosen(stream(1, "t"), [3, 0, 1], 20_000), minlength=3) / 20_000
    # 4 standard errors of a share of 0.75 in 20,000: 0.012
    assert abs(drawn[0] - 0.75) < 0.012
    assert drawn[1] == 0


def test_running_totals_begin_with_nothing() -> None:
    assert cumulated([2, 3]).tolist() == [0, 2, 5]


def test_ranges_start_anew_for_each_count() -> None:
    assert repeated_ranges(np.array([3, 0, 1, 2])).tolist() == [0, 1, 2, 0, 0, 1]
    assert repeated_ranges(np.array([], dtype=np.int64)).tolist() == []


def test_even_odds_are_a_probability_of_a_half() -> None:
    assert logistic(np.array([0.0, np.log(3)])).round(12).tolist() == [0.5, 0.75]
