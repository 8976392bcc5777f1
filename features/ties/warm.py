"""Compiles every loop once, on ties of a few nodes: ``python -m features.ties.warm``, called by ``make set-up``.

It decides what a first night should not wait for, and refuses to know customers. Compiled code is kept on disk beside
the sources; without this the first call of each measure compiles it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from . import communities, components, coverage, ranks, reach, similarity, triangles
from .contract import DECAY_ONE_CONTACT, PAIR_COLUMNS
from .graph import TieGraph
from .influence import friends_stake
from .kernels import frozen
from .network import network_features
from .pair_facts import CONTACT_COLUMNS, ContactCounter, merged_facts, recent_counts
from .strength import tie_table


def warm() -> TieGraph:
    """Call each measure once; give the graph it was called with."""
    ends = [(0, 1), (0, 2), (1, 2), (2, 3)]
    one = dict.fromkeys(PAIR_COLUMNS, 1) | {
        name: DECAY_ONE_CONTACT for name in PAIR_COLUMNS if name.startswith("decayed")
    }
    pairs = pl.DataFrame([{**one, "node_a": a, "node_b": b} for a, b in ends])
    graph = TieGraph.from_ties(tie_table(pairs), 5)
    ages = np.array([1.0, np.nan, np.nan, np.nan, np.nan])
    network_features(graph, is_member=np.isnan(ages), leaver_age_days=ages, detractor_age_days=ages)
    friends_stake(graph, np.full(5, 0.5), np.ones(5))
    ones, mark = frozen(np.ones(5), np.float64), frozen(np.ones(5), np.uint8)
    chance = frozen(np.ones(len(graph.indices)), np.float64)
    sets = coverage.spared_sets(graph.indptr, graph.indices, chance, ones)
    half = frozen(ones / 2, np.float64)
    coverage.chosen_set(sets, ones, ones, half, own=ones, is_candidate=mark)
    _warm_counting()
    _warm_undirected(graph)
    _warm_directed()
    return graph


def _warm_counting() -> None:
    one = frozen(np.array([1]), np.int64)
    counter = ContactCounter(frozen(np.array([0, 1]), np.int64), (one, one), 100_000)
    for n_contacts in (1, 100_000):  # the second time makes more room
        counter.add(pl.DataFrame({name: np.zeros(n_contacts, np.int64) for name in CONTACT_COLUMNS}))
    facts = counter.facts()
    recent_counts(merged_facts(facts, facts, (0, 0)), facts)


def _warm_undirected(graph: TieGraph) -> None:
    symmetric = graph.indptr, graph.indices
    nodes = frozen(np.array([0, 1]), np.int32)
    triangles.transitivity(*symmetric)
    triangles.clustering(*symmetric, graph.weights)
    components.component_labels(*symmetric)
    ranks.eigenvector_centrality(*symmetric, is_symmetric=True, max_iter=1000)
    similarity.pair_scores("jaccard", *symmetric, nodes, nodes)
    communities.modularity(*symmetric, communities.louvain(*symmetric, graph.weights)[-1], graph.weights)
    reach.reach_with_hubs(nodes, *symmetric, 1)


def _warm_directed() -> None:
    indptr, indices = frozen(np.array([0, 1, 2, 3]), np.int64), frozen(np.array([1, 2, 0]), np.int32)
    triangles.directed_clustering(indptr, indices)
    components.strong_component_labels(indptr, indices)
    components.hop_counts(indptr, indices, 0)
    ranks.pagerank(indptr, indices, frozen(np.ones(3), np.float64))


if __name__ == "__main__":
    warm()
