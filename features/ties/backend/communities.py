"""networkx's communities and modularity on sparse rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from .. import communities as kernels
from ..kernels import FloatArray, IntArray, NodeArray
from .ordinary import dispatchable
from .parts import groups
from .reading import Reading, Unreadable

__all__ = [
    "leiden_communities",
    "leiden_partitions",
    "louvain_communities",
    "louvain_partitions",
    "modularity",
]

LEIDEN_PASSES = 2
"""As `features.ties.communities.leiden` has it: more passes gain little."""

LEIDEN_THETA = 0.01
"""networkx 3.7's default; it makes that Leiden's refinement random, ours always takes the best offer."""


def louvain_communities(
    G: Reading,
    weight: Any = "weight",
    resolution: float = 1,
    threshold: float = 0.0000001,
    max_level: int | None = None,
    seed: Any = None,
) -> list[set[Any]]:
    """Communities of the last level, or of level ``max_level``."""
    levels = _louvain_levels(G, weight, resolution, threshold, seed)
    return groups(G, levels[_level(len(levels), max_level)])


def louvain_partitions(
    G: Reading, weight: Any = "weight", resolution: float = 1, threshold: float = 0.0000001, seed: Any = None
) -> Iterator[list[set[Any]]]:
    """Communities level by level."""
    return (groups(G, level) for level in _louvain_levels(G, weight, resolution, threshold, seed))


def leiden_communities(
    G: Reading,
    weight: Any = "weight",
    resolution: float = 1,
    max_level: int | None = None,
    seed: Any = None,
    *,
    metric: str | None = None,
    theta: float = LEIDEN_THETA,
) -> list[set[Any]]:
    """Communities after the last pass, or after ``max_level`` passes."""
    _only_modularity("leiden_communities", metric, theta)
    n_passes = _level(LEIDEN_PASSES, max_level) + 1
    return groups(G, _leiden_labels(_undirected(G, weight), resolution, n_passes, _seed_number(seed)))


def leiden_partitions(
    G: Reading,
    weight: Any = "weight",
    resolution: float = 1,
    seed: Any = None,
    *,
    metric: str | None = None,
    theta: float = LEIDEN_THETA,
) -> Iterator[list[set[Any]]]:
    """Communities pass by pass."""
    _only_modularity("leiden_partitions", metric, theta)
    rows, number = _undirected(G, weight), _seed_number(seed)
    return (
        groups(G, _leiden_labels(rows, resolution, n_passes, number))
        for n_passes in range(1, LEIDEN_PASSES + 1)
    )


def modularity(
    G: Reading, communities: Iterable[Any], weight: Any = "weight", resolution: float = 1
) -> float:
    """Weight inside communities over what chance would put there, as a share of all weight."""
    listed = communities if isinstance(communities, list) else list(communities)
    if not nx.community.is_partition(G.graph, listed):
        raise nx.community.quality.NotAPartition(G.graph, listed)
    labels = np.zeros(G.n_nodes, np.int64)
    for number, community in enumerate(listed):
        for label in community:
            labels[G.names.number(label)] = number
    weights = G.weights(weight)
    values = np.ones(len(G.indices)) if weights is None else weights
    out_degrees = G.out_degrees(weight)
    in_degrees = G.in_degrees(weight) if G.is_directed else out_degrees
    total = float(out_degrees.sum())
    if total == 0:
        raise Unreadable  # 3.6 divides by it, 3.7 says 0
    is_inside = labels[G.rows] == labels[G.indices]
    inside = float(values[is_inside].sum())
    if G.is_loop is not None and not G.is_directed:
        inside += float(values[G.is_loop].sum())  # both ends of the loop
    sums = [
        np.bincount(labels, weights=degrees, minlength=len(listed)) for degrees in (out_degrees, in_degrees)
    ]
    return inside / total - resolution * float((sums[0] * sums[1]).sum()) / total**2


def _only_modularity(name: str, metric: str | None, theta: float) -> None:
    """Leave other qualities to networkx: 3.7 has a Leiden of its own, whose default is the constant Potts model."""
    has_own = "networkx" in dispatchable(name).backends
    if (metric or ("cpm" if has_own else "modularity")) != "modularity" or theta != LEIDEN_THETA:
        raise Unreadable


class _Rows(NamedTuple):
    """An undirected graph as the kernels want it: self-loops apart, counted from both ends."""

    indptr: IntArray
    indices: NodeArray
    weights: FloatArray | None
    loops: FloatArray | None


def _louvain_levels(
    G: Reading, weight: Any, resolution: float, threshold: float, seed: Any
) -> list[NodeArray]:
    if len(G.indices) == 0:
        return [np.arange(G.n_nodes, dtype=np.int32)]
    rows = _undirected(G, weight)
    return kernels.louvain(
        rows.indptr,
        rows.indices,
        rows.weights,
        resolution=resolution,
        threshold=threshold,
        seed=_seed_number(seed),
        loops=rows.loops,
    )


def _leiden_labels(rows: _Rows, resolution: float, n_passes: int, seed: int | None) -> NodeArray:
    return kernels.leiden(
        rows.indptr,
        rows.indices,
        rows.weights,
        resolution=resolution,
        n_passes=n_passes,
        seed=seed,
        loops=rows.loops,
    )


def _undirected(G: Reading, weight: Any) -> _Rows:
    """Rows without directions; those with directions, and weights that are all 0, are left to networkx."""
    if G.is_directed:
        raise Unreadable
    weights = G.weights(weight)
    if weights is not None and len(weights) and not weights.any():
        raise Unreadable
    indptr, indices, values = G.without_loops(weights)
    if G.is_loop is None:
        return _Rows(indptr, indices, values, None)
    own = np.ones(int(G.is_loop.sum())) if weights is None else weights[G.is_loop]
    both_ends = 2 * np.bincount(G.rows[G.is_loop], own, G.n_nodes).astype(np.float64)
    return _Rows(indptr, indices, values, both_ends)


def _level(n_levels: int, max_level: int | None) -> int:
    """Give the number of the level asked for, counted from 0."""
    if max_level is None:
        return n_levels - 1
    if max_level <= 0:
        msg = "max_level argument must be a positive integer or None"
        raise ValueError(msg)
    return min(max_level, n_levels) - 1


def _seed_number(seed: Any) -> int | None:
    """Draw one number from a given generator; none from networkx's global one, which stands for no seed."""
    if seed is None or isinstance(seed, int):
        return seed
    if seed is nx.utils.create_py_random_state(None):
        return None
    return int(seed.randint(0, 2**31 - 1))
