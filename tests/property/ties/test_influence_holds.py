"""Whatever the ties, risks and values: spillover scales, keeps its mean and its bounds, and needs ties."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.ties import TieGraph
from features.ties.influence import (
    LARGEST_EXCESS,
    LEAST_SHARED,
    friends_at_risk,
    friends_stake,
    spillover,
    spillover_scale,
)

Floats = NDArray[np.float64]


class Around(NamedTuple):
    """One case: ties as rows, a risk and a value per node."""

    n_nodes: int
    rows: list[tuple[int, int, float]]
    risk: Floats
    value: Floats
    reference: NDArray[np.bool_]

    @property
    def graph(self) -> TieGraph:
        return graph_of(self.n_nodes, self.rows)


def graph_of(n_nodes: int, rows: list[tuple[int, int, float]]) -> TieGraph:
    kinds = {"node_a": pl.Int32, "node_b": pl.Int32, "strength": pl.Float64}
    return TieGraph.from_ties(pl.DataFrame(rows, schema=kinds, orient="row"), n_nodes)


@st.composite
def arounds(draw: st.DrawFn) -> Around:
    n_nodes = draw(st.integers(2, 9))
    pairs = [(a, b) for a in range(n_nodes) for b in range(a + 1, n_nodes)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20))
    strengths = st.one_of(st.just(0.0), st.floats(0.01, 50))
    rows = [(a, b, draw(strengths)) for a, b in chosen]

    def column(each: st.SearchStrategy[float]) -> Floats:
        return np.array(draw(st.lists(each, min_size=n_nodes, max_size=n_nodes)))

    risk = column(st.one_of(st.just(math.nan), st.floats(0, 1)))
    value = column(st.one_of(st.just(math.nan), st.floats(1, 1000)))
    reference = np.array(draw(st.lists(st.booleans(), min_size=n_nodes, max_size=n_nodes)))
    return Around(n_nodes, rows, risk, value, reference)


def mean_ratio(amounts: Floats, case: Around, chosen: NDArray[np.bool_]) -> float:
    ratios = [amounts[node] / case.value[node] for node in range(case.n_nodes) if chosen[node]]
    return float(np.mean(ratios)) if ratios else 0.0


def slow_shared(case: Around) -> list[float]:
    """Sum over friends of attention x risk x value, straight from the rows."""
    weights = {(a, b): w for a, b, w in case.rows} | {(b, a): w for a, b, w in case.rows}
    whole = [sum(w for (a, _), w in weights.items() if a == node) for node in range(case.n_nodes)]
    found = [0.0] * case.n_nodes
    for (i, j), weight in weights.items():
        if whole[j] > 0 and not math.isnan(case.risk[j]) and not math.isnan(case.value[j]):
            found[i] += weight / whole[j] * case.risk[j] * case.value[j]
    return found


def slow_strong(case: Around) -> list[float]:
    """Sum over strong friends of risk x value, straight from the rows."""
    ends = [(a, b, w) for a, b, w in case.rows] + [(b, a, w) for a, b, w in case.rows]
    found = [0.0] * case.n_nodes
    for i, j, weight in ends:
        means = [np.mean([w for a, _, w in ends if a == node]) for node in (i, j)]
        is_strong = weight > 0 and any(weight >= mean * (1 - 1e-9) for mean in means)
        if is_strong and not math.isnan(case.risk[j]) and not math.isnan(case.value[j]):
            found[i] += case.risk[j] * case.value[j]
    return found


@given(arounds())
def test_the_stake_is_that_of_plain_loops(case: Around) -> None:
    stake = friends_stake(case.graph, case.risk, case.value)
    assert stake.shared.tolist() == pytest.approx(slow_shared(case), rel=1e-12)
    assert stake.strong.tolist() == pytest.approx(slow_strong(case), rel=1e-12)


@given(arounds(), st.floats(0, 20))
def test_spillover_scales_with_kappa_and_is_nothing_without_ties(case: Around, kappa: float) -> None:
    graph = case.graph
    stake = friends_stake(graph, case.risk, case.value)
    once, twice = spillover(stake, kappa), spillover(stake, 2 * kappa)
    assert np.allclose(twice, 2 * once, equal_nan=True)
    assert (once[graph.degrees == 0] == 0).all()
    assert (np.nan_to_num(once) >= 0).all()


@given(arounds(), st.floats(0, 5))
def test_the_mean_over_the_reference_is_what_was_measured_and_never_above_the_cap(
    case: Around, effect: float
) -> None:
    stake = friends_stake(case.graph, case.risk, case.value)
    scale = spillover_scale(stake, case.value, case.reference, effect=(effect, 0.0, effect + 1))
    chosen = case.reference & (case.value > 0)
    if chosen.any():  # those of next to no value set no scale
        chosen &= case.value >= 0.01 * np.median(case.value[chosen])
    if (
        not stake.shared[chosen].sum() > 1e-6
    ):  # nobody of the reference has anything around: everybody is taken
        chosen = case.value > 0
    if mean_ratio(stake.shared, case, chosen) < LEAST_SHARED:  # the reference has nothing around: take all
        chosen = case.value > 0
    if mean_ratio(stake.shared, case, chosen) < LEAST_SHARED:
        assert scale.kappa == scale.kappa_high == 0.0
        return
    mean = np.mean(scale.kappa * stake.shared[chosen] / case.value[chosen])
    assert mean == pytest.approx(scale.excess)
    assert scale.excess_low <= scale.excess <= scale.excess_high <= LARGEST_EXCESS
    wanted = effect * np.mean(stake.strong[chosen] / case.value[chosen])
    assert scale.excess == pytest.approx(min(wanted, LARGEST_EXCESS))
    assert scale.is_capped == (wanted > LARGEST_EXCESS)


@given(arounds(), st.data())
def test_rows_in_any_order_give_the_same_bits(case: Around, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(case.rows))
    one = friends_stake(case.graph, case.risk, case.value)
    other = friends_stake(graph_of(case.n_nodes, shuffled), case.risk, case.value)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@given(arounds(), st.floats(0, 2))
def test_the_friends_of_each_node_sum_to_its_spillover_while_no_risk_is_certain(
    case: Around, kappa: float
) -> None:
    graph = case.graph
    money = spillover(friends_stake(graph, case.risk, case.value), kappa)
    for node in range(case.n_nodes):
        rows = friends_at_risk(graph, node, case.risk, case.value, kappa)
        assert (rows["extra_risk"].fill_null(0) + rows["risk"].fill_null(0) <= 1 + 1e-12).all()
        is_bounded = (kappa * rows["share"] * rows["risk"] > 1 - rows["risk"]).any()
        if not math.isnan(money[node]) and not is_bounded:
            assert rows["money"].sum() == pytest.approx(money[node], rel=1e-9)


@given(arounds(), st.data())
def test_taking_somebodys_ties_away_takes_their_money_out_of_everybodys(
    case: Around, data: st.DataObject
) -> None:
    refuser = data.draw(st.integers(0, case.n_nodes - 1))
    refusing = np.arange(case.n_nodes) == refuser
    kept = [row for row in case.rows if refuser not in row[:2]]
    cut = friends_stake(case.graph.without(refusing), case.risk, case.value)
    never = friends_stake(graph_of(case.n_nodes, kept), case.risk, case.value)
    assert all(np.array_equal(a, b) for a, b in zip(cut, never, strict=True))
    assert (cut.shared[refuser], cut.strong[refuser]) == (0.0, 0.0)
