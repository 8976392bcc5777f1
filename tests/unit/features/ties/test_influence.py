"""Money around a leaver, worked by hand, scaled, bounded, and null where it cannot be known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from churnrisk.errors import UsageError
from features.ties import TieGraph
from features.ties.influence import (
    LARGEST_EXCESS,
    FriendsStake,
    friends_at_risk,
    friends_stake,
    spillover,
    spillover_scale,
)

NAN = float("nan")


def graph(n_nodes: int, *rows: tuple[int, int, float]) -> TieGraph:
    kinds = {"node_a": pl.Int32, "node_b": pl.Int32, "strength": pl.Float64}
    return TieGraph.from_ties(pl.DataFrame(rows, schema=kinds, orient="row"), n_nodes)


TRIO = graph(4, (0, 1, 3.0), (1, 2, 1.0))
RISK = np.array([0.1, 0.2, 0.5, 0.9])
VALUE = np.array([100.0, 50.0, 8.0, 1000.0])


def test_the_stake_around_each_of_four_worked_by_hand() -> None:
    stake = friends_stake(TRIO, RISK, VALUE)
    # 0 has 3/4 of 1's attention: 3/4 x .2 x 50; 1 has all of 0's and 2's: .1 x 100 + .5 x 8; 2 has 1/4 of 1's; 3 nobody
    assert stake.shared.tolist() == [7.5, 14.0, 2.5, 0.0]
    # 0-1 is above the even half of 1's attention and all of 0's; 1-2 is all of 2's
    assert stake.strong.tolist() == [10.0, 14.0, 10.0, 0.0]
    assert stake.n_valued.tolist() == [1, 2, 1, 0]


def test_a_tie_below_an_even_share_of_both_ends_is_not_strong() -> None:
    square = graph(4, (0, 1, 1.0), (0, 2, 9.0), (1, 3, 9.0))
    stake = friends_stake(square, np.full(4, 0.1), np.full(4, 10.0))
    assert stake.strong.tolist() == [1.0, 1.0, 1.0, 1.0]


def test_equal_ties_are_all_strong_however_their_sums_round() -> None:
    star = graph(8, *((0, other, 0.1) for other in range(1, 8)))
    assert friends_stake(star, np.full(8, 0.5), np.ones(8)).strong[0] == 3.5


def test_who_is_gone_adds_nothing_and_who_is_of_unknown_value_is_counted() -> None:
    stake = friends_stake(TRIO, np.array([0.1, 0.2, NAN, 0.9]), np.array([NAN, 50.0, NAN, 1.0]))
    assert stake.n_valued.tolist() == [1, 0, 1, 0]
    assert stake.n_unvalued.tolist() == [0, 1, 0, 0]
    money = spillover(stake, 2.0)
    assert money[[0, 2, 3]].tolist() == [15.0, 5.0, 0.0]
    assert np.isnan(money[1])


def test_a_customer_that_costs_more_than_it_brings_is_worth_nothing_around() -> None:
    assert friends_stake(TRIO, RISK, np.array([-5.0, 50.0, 8.0, 1.0])).shared[1] == 4.0


def test_ties_of_no_strength_carry_no_money() -> None:
    nothing = friends_stake(graph(2, (0, 1, 0.0)), np.array([0.5, 0.5]), np.array([1.0, 1.0]))
    assert (nothing.shared.tolist(), nothing.strong.tolist()) == ([0.0, 0.0], [0.0, 0.0])


def test_the_scale_comes_from_the_effect_on_strong_friends_of_the_reference() -> None:
    stake = friends_stake(TRIO, RISK, VALUE)
    reference = np.array([True, True, False, False])
    scale = spillover_scale(stake, VALUE, reference)
    # mean of .03 x (10/100, 14/50) = .0057; mean of (7.5/100, 14/50) = .1775
    assert scale.excess == pytest.approx(0.0057)
    assert scale.kappa == pytest.approx(0.0057 / 0.1775)
    assert (scale.excess_low, scale.kappa_low) == (0.0, 0.0)
    assert scale.excess_high == pytest.approx(0.28 * 0.19)
    assert (scale.n_reference, scale.is_capped) == (2, False)


def test_the_mean_is_capped_and_says_so() -> None:
    stake = friends_stake(TRIO, RISK, VALUE)
    scale = spillover_scale(stake, VALUE, np.ones(4, bool), effect=(50.0, 0.0, 60.0))
    assert (scale.excess, scale.excess_high, scale.is_capped) == (LARGEST_EXCESS, LARGEST_EXCESS, True)
    assert np.mean(spillover(stake, scale.kappa) / VALUE) == pytest.approx(LARGEST_EXCESS)


def test_a_multiplier_of_an_experiment_stands_for_the_effect() -> None:
    stake = friends_stake(TRIO, RISK, VALUE)
    scale = spillover_scale(stake, VALUE, np.ones(4, bool), excess=(0.1, 0.05, 0.2))
    assert np.mean(spillover(stake, scale.kappa) / VALUE) == pytest.approx(0.1)
    assert (scale.excess_low, scale.excess_high) == (0.05, 0.2)


def test_a_reference_without_friends_gives_way_to_everybody() -> None:
    stake = friends_stake(TRIO, RISK, VALUE)
    lonely = spillover_scale(stake, VALUE, np.array([False, False, False, True]))
    assert lonely == spillover_scale(stake, VALUE, np.ones(4, bool))


@pytest.mark.parametrize("value", [np.full(4, NAN), np.zeros(4)])
def test_without_any_value_there_is_no_scale_and_no_money(value: np.ndarray) -> None:
    stake = friends_stake(TRIO, RISK, value)
    scale = spillover_scale(stake, value, np.ones(4, bool))
    assert (scale.kappa, scale.excess) == (0.0, 0.0)
    assert np.nan_to_num(spillover(stake, scale.kappa)).tolist() == [0.0] * 4


def test_an_empty_world_has_no_scale() -> None:
    nothing = np.zeros(0)
    stake = friends_stake(graph(0), nothing, nothing)
    assert spillover_scale(stake, nothing, np.zeros(0, bool)).kappa == 0.0


def test_the_friends_of_one_customer_and_what_each_would_add() -> None:
    rows = friends_at_risk(TRIO, 1, RISK, VALUE, 0.2)
    assert rows["node"].to_list() == [0, 2]
    assert rows["share"].to_list() == [1.0, 1.0]
    assert rows["extra_risk"].to_list() == pytest.approx([0.02, 0.1])
    assert rows["money"].sum() == pytest.approx(spillover(friends_stake(TRIO, RISK, VALUE), 0.2)[1])


def test_no_risk_is_raised_beyond_certainty() -> None:
    rows = friends_at_risk(TRIO, 1, RISK, VALUE, 50.0)
    assert rows["extra_risk"].to_list() == pytest.approx([0.9, 0.5])


def test_a_friend_who_is_gone_or_of_unknown_value_has_null_for_what_is_not_known() -> None:
    rows = friends_at_risk(TRIO, 1, np.array([0.1, 0.2, NAN, 0]), np.array([NAN, 1, 1, 1.0]), 1.0)
    assert rows.select("node", "extra_risk", "money").rows() == [(0, 0.1, None), (2, None, None)]


@pytest.mark.parametrize("name", ["risk", "value"])
def test_arrays_of_another_length_are_refused(name: str) -> None:
    arguments = {"risk": RISK, "value": VALUE, name: np.ones(3)}
    with pytest.raises(UsageError, match=f"{name}: expected one value for each of 4 nodes"):
        friends_stake(TRIO, **arguments)


def test_a_risk_that_is_no_probability_is_refused() -> None:
    with pytest.raises(UsageError, match="expected 0 to 1"):
        friends_stake(TRIO, np.array([0.1, 1.2, 0, 0]), VALUE)


def test_the_parts_of_a_stake_have_one_value_per_node() -> None:
    assert [len(part) for part in FriendsStake(*friends_stake(TRIO, RISK, VALUE))] == [4] * 4


def test_one_reference_customer_of_next_to_no_value_does_not_rescale_everybody() -> None:
    n_ties = np.ones(4, np.int64)
    around = FriendsStake(np.full(4, 2.0), np.full(4, 10.0), n_ties, 0 * n_ties)
    everybody = np.ones(4, np.bool_)
    values = np.array([100.0, 100.0, 100.0, 100.0])
    usual = spillover_scale(around, values, everybody)
    odd = spillover_scale(around, np.array([100.0, 100.0, 100.0, 0.01]), everybody)
    assert odd.kappa == pytest.approx(usual.kappa)
    assert odd.n_reference == 3
