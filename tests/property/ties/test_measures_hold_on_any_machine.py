"""The same ties give the same bits: in any order of rows, on any number of processors."""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.ties import TieGraph, kernels
from features.ties.communities import leiden, louvain, modularity
from features.ties.components import component_labels
from features.ties.cores import core_numbers
from features.ties.ranks import converged_pagerank, pagerank
from features.ties.triangles import clustering, triangle_counts


def measures(graph: TieGraph) -> Mapping[str, npt.NDArray[np.generic]]:
    rows = graph.indptr, graph.indices
    found = leiden(*rows, graph.weights)
    return {
        "triangles": triangle_counts(*rows),
        "clustering": clustering(*rows),
        "clustering, weighted": clustering(*rows, graph.weights),
        "core numbers": core_numbers(*rows),
        "components": component_labels(*rows),
        "pagerank": pagerank(*rows, graph.weights, tol=1e-9),
        "pagerank, converged": converged_pagerank(*rows, graph.weights),
        "louvain": louvain(*rows, graph.weights)[-1],
        "leiden": found,
        "modularity": np.array([modularity(*rows, found, graph.weights)]),
    }


def assert_same_bits(graph: TieGraph, other: TieGraph) -> None:
    assert {name: values.tobytes() for name, values in measures(graph).items()} == {
        name: values.tobytes() for name, values in measures(other).items()
    }


@settings(max_examples=30)
@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_tie_rows_changes_no_bit(seed: int, chance: object) -> None:
    edges = list(nx.gnp_random_graph(40, 0.12, seed=seed).edges)
    ties = pl.DataFrame({"node_a": [a for a, _ in edges], "node_b": [b for _, b in edges]}).with_columns(
        strength=1 / (1 + pl.col("node_a") * 7 % 11) + pl.col("node_b").sqrt()
    )
    order = list(range(len(ties)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    assert_same_bits(TieGraph.from_ties(ties, 40), TieGraph.from_ties(ties[order], 40))


@pytest.mark.parametrize("n_processors", [2, 3, 16])
def test_the_number_of_processors_changes_no_bit(n_processors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = list(nx.barabasi_albert_graph(400, 6, seed=2).edges)
    ties = pl.DataFrame({"node_a": [min(e) for e in edges], "node_b": [max(e) for e in edges]}).with_columns(
        strength=(pl.col("node_a") + 1).log1p() + pl.col("node_b").sqrt()
    )
    graph = TieGraph.from_ties(ties, 400)
    alone = {name: values.tobytes() for name, values in measures(graph).items()}
    monkeypatch.setattr(kernels, "_FEWEST_ENTRIES", 0)
    monkeypatch.setattr(kernels, "_processors", lambda: n_processors)
    assert {name: values.tobytes() for name, values in measures(graph).items()} == alone
