"""Energy spreads as worked by hand, keeps its sum, and stops."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from churnrisk.errors import UsageError
from features.ties import TieGraph
from features.ties.spreading import aged_energy, spreading_activation


def graph(n_nodes: int, *rows: tuple[int, int, float]) -> TieGraph:
    kinds = {"node_a": pl.Int32, "node_b": pl.Int32, "strength": pl.Float64}
    return TieGraph.from_ties(pl.DataFrame(rows, schema=kinds, orient="row"), n_nodes)


def test_a_chain_of_three_worked_by_hand() -> None:
    chain = graph(3, (0, 1, 1.0), (1, 2, 3.0))
    at_rest = spreading_activation(chain, np.array([1.0, 0, 0]), passed_on=0.5, least_under_way=0.25)
    # step 1: 0 keeps 1/2, sends 1/2 to 1. step 2: 1 keeps 1/4, sends 1/16 to 0 and 3/16 to 2, where they rest.
    assert at_rest.own.tolist() == [1 / 2, 0, 0]
    assert at_rest.received.tolist() == [1 / 16, 1 / 4, 3 / 16]
    assert at_rest.total.sum() == 1


def test_near_the_end_it_is_the_matrix_series_of_the_definition() -> None:
    random = np.random.default_rng(1)
    rows = [(a, b, float(random.uniform(0.1, 5))) for a in range(8) for b in range(a + 1, 8) if (a + b) % 3]
    ties, energy = graph(8, *rows), random.uniform(0, 1, 8)
    weights = np.zeros((8, 8))
    for a, b, strength in rows:
        weights[a, b] = weights[b, a] = strength
    shares = weights / weights.sum(axis=1, keepdims=True)
    limit = 0.3 * np.linalg.solve(np.eye(8) - 0.7 * shares.T, energy)
    found = spreading_activation(ties, energy, least_under_way=1e-12).total
    assert np.abs(found - limit).max() < 1e-11


def test_a_seed_without_ties_or_with_ties_of_no_strength_keeps_all() -> None:
    ties = graph(3, (0, 1, 0.0))
    at_rest = spreading_activation(ties, np.array([1.0, 0.0, 2.0]))
    assert at_rest.own.tolist() == [1.0, 0.0, 2.0]
    assert at_rest.received.tolist() == [0.0, 0.0, 0.0]


def test_nothing_passed_on_stays_where_it_is_and_an_empty_graph_gives_nothing() -> None:
    pair = graph(2, (0, 1, 1.0))
    assert spreading_activation(pair, np.array([1.0, 0.5]), passed_on=0.0).total.tolist() == [1.0, 0.5]
    assert spreading_activation(graph(0), np.zeros(0)).total.tolist() == []


def test_energy_halves_with_age_and_the_future_has_none() -> None:
    ages = np.array([0.0, 15.0, 30.0, np.nan, -0.5])
    assert aged_energy(ages).tolist() == pytest.approx([1, 2**-0.5, 0.5, 0, 0])


@pytest.mark.parametrize("energy", [[1.0], [1.0, -1.0], [1.0, np.nan]])
def test_energy_that_is_none_is_refused(energy: list[float]) -> None:
    with pytest.raises(UsageError, match="energy: expected"):
        spreading_activation(graph(2, (0, 1, 1.0)), np.array(energy))


@pytest.mark.parametrize("shares", [{"passed_on": 1.0}, {"least_under_way": 0.0}, {"passed_on": -0.1}])
def test_shares_out_of_range_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="0 <= passed_on < 1"):
        spreading_activation(graph(2, (0, 1, 1.0)), np.array([1.0, 0.0]), **shares)
