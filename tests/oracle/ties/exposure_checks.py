"""Exposures, and the rows they are read from, against plain loops: functions which raise AssertionError."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import networkx as nx
import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from features.ties import (
    EXPOSURE_WINDOWS_DAYS,
    TieGraph,
    as_tie_graph,
    exposures,
    network_features,
    tie_table,
)
from features.ties.contract import PAIR_COLUMNS
from features.ties.kernels import frozen
from features.ties.locality import rows_side_by_side
from tests.oracle.ties import slow_ties
from tests.oracle.ties.measure_checks import graphs
from tests.oracle.ties.slow_ties import AS_OF_US, Contact, Value, World

AGES = (math.nan, -3.0, 0.0, 1.0, 7.0, 7.01, 30.0, 64.0, 90.0, 90.5)
"""On and about the edges of the windows; NaN is no seed, below 0 not yet one."""

FIXED_POINT = 3e-5
"""Contacts are weighed in steps of 2^-20, see the test of the plain loops."""


def check_weighted_exposures(graph: nx.Graph[int]) -> None:
    """Near and two-hop exposure of a graph some of whose ties weigh nothing."""
    ages = [AGES[(3 * node + node // 4) % len(AGES)] for node in graph]
    found = exposures(graph, np.array(ages), "churn")
    for days in EXPOSURE_WINDOWS_DAYS:
        slow = [_exposed(graph, node, ages, days) for node in graph]
        for place, measure in enumerate(("n", "share", "weighted", "two_hop")):
            expected = pl.Series([row[place] for row in slow], dtype=pl.Float64)
            name = f"churn_exposure_{measure}_{days}d"
            column = found.select(pl.col(name).cast(pl.Float64).alias("value"))
            assert_frame_equal(column, pl.DataFrame({"value": expected}), rel_tol=1e-12, abs_tol=0)


def _exposed(graph: nx.Graph[int], node: int, ages: Sequence[float], days: int) -> tuple[Value, ...]:
    near = {other: graph[node][other]["weight"] for other in graph[node]}
    left = {other for other in near if 0 <= ages[other] <= days}
    whole = sum(near.values())
    weighted = sum(near[other] for other in left) / whole if whole else None
    if not near:
        return (None,) * 4
    return (len(left), len(left) / len(near), weighted, _two_hop(graph, node, ages, days))


def _two_hop(graph: nx.Graph[int], node: int, ages: Sequence[float], days: int) -> Value:
    total, whole = 0.0, 0.0
    for middle in graph[node]:
        others = {other: graph[middle][other]["weight"] for other in graph[middle] if other != node}
        if sum(others.values()):
            left = sum(weight for other, weight in others.items() if 0 <= ages[other] <= days)
            total += graph[node][middle]["weight"] * left / sum(others.values())
            whole += graph[node][middle]["weight"]
    return total / whole if whole else None


def check_contact_exposures(world: World, slow: Sequence[Mapping[str, Value]]) -> None:
    """Every exposure of every member, by direction, by pace and at two hops, from the contacts themselves."""
    fast = network_features(
        tied(world),
        is_member=np.array(world.is_member),
        leaver_age_days=np.array(world.leaver_age_days),
        detractor_age_days=np.array(world.detractor_age_days),
        may_use=np.array(world.may_use),
    )
    names = [name for name in fast.columns if "exposure" in name]
    assert names
    expected = pl.DataFrame(
        [{name: row[name] for name in names} for row in slow], schema=fast.select(names).schema
    )
    assert_frame_equal(fast.select(names), expected, rel_tol=FIXED_POINT, abs_tol=0)


def check_laid_rows() -> None:
    """Rows of all of the graphs."""
    for graph in graphs():
        _check_laid(graph)


def _check_laid(graph: nx.Graph[int]) -> None:
    """Rows laid by label hold what they held, each row's neighbours in the order they stood."""
    ties = as_tie_graph(graph)
    labels = frozen(np.array([(5 * node + node // 3) % 7 for node in graph]), np.int32)
    rows = rows_side_by_side(ties, labels)
    assert rows.node_of.tolist() == sorted(graph, key=lambda node: (labels[node], node))
    for node in graph:
        entries = slice(rows.indptr[rows.row_of[node]], rows.indptr[rows.row_of[node] + 1])
        near = sorted(graph[node])
        assert rows.node_of[rows.indices[entries]].tolist() == near
        assert rows.weights[entries].tolist() == [graph[node][other]["weight"] for other in near]


def tied(world: World) -> TieGraph:
    """Give the graph of a world's contacts."""
    facts = pl.DataFrame(slow_ties.pairs(world.contacts), schema=PAIR_COLUMNS)
    return TieGraph.from_ties(tie_table(facts, as_of_us=AS_OF_US), world.n_nodes)


@cache
def drawn_worlds() -> tuple[tuple[World, list[dict[str, Value]]], ...]:
    """Twenty people who call one another more or less often, of all ages of leaving and of bad answers, and the plain
    loops' features of theirs.
    """
    return tuple((world, slow_ties.features(world, EXPOSURE_WINDOWS_DAYS)) for world in _worlds())


def _worlds() -> Iterator[World]:
    rng = np.random.default_rng(4)
    n_nodes = 20
    for n_contacts in (40, 160):
        ends = rng.integers(0, n_nodes, (n_contacts, 2)) * rng.integers(1, 3, (n_contacts, 2)) // 2
        moments, seconds = rng.integers(0, AS_OF_US, n_contacts), rng.integers(0, 5000, n_contacts)
        contacts = [
            Contact(int(one), int(two), int(at), int(lasting))
            for (one, two), at, lasting in zip(ends, moments, seconds, strict=True)
            if one != two
        ]
        left, angry = ([AGES[at] for at in rng.integers(0, len(AGES), n_nodes)] for _ in range(2))
        yield World(n_nodes, contacts, left, angry, [True] * n_nodes, [node != 3 for node in range(n_nodes)])


def check_exposures() -> None:
    """All of the exposures on all of the graphs and worlds."""
    weightless: nx.Graph[int] = nx.Graph()
    weightless.add_weighted_edges_from([(0, 1, 2.0), (1, 2, 0.0), (0, 3, 1.0), (3, 4, 1.0)])
    for graph in (weightless, *graphs()):
        check_weighted_exposures(graph)
    for world, slow in drawn_worlds():
        check_contact_exposures(world, slow)
