"""Compiled loops over the rows of any sparse graph, directed or not: transposing, adding up, walking outwards.

They serve the networkx backend, which also reads graphs that are no tie tables; what they know is `kernels` knows.
"""

from __future__ import annotations

import numpy as np

from .kernels import FloatArray, IntArray, NodeArray, compiled


@compiled
def entry_sums(indptr: IntArray, values: FloatArray) -> FloatArray:
    """Sum over each row of a value given per entry. O(n + m)."""
    sums = np.zeros(len(indptr) - 1, np.float64)
    for node in range(len(indptr) - 1):
        for entry in range(indptr[node], indptr[node + 1]):
            sums[node] += values[entry]
    return sums


@compiled
def neighbour_sums(
    indptr: IntArray, indices: NodeArray, weights: FloatArray, values: FloatArray
) -> FloatArray:
    """Sum over each row of weight times the neighbour's value; empty weights = 1 each. O(n + m)."""
    sums = np.zeros(len(indptr) - 1, np.float64)
    has_weights = len(weights) > 0
    for node in range(len(indptr) - 1):
        for entry in range(indptr[node], indptr[node + 1]):
            value = values[indices[entry]]
            sums[node] += weights[entry] * value if has_weights else value
    return sums


@compiled
def transposed(n_nodes: int, indptr: IntArray, indices: NodeArray) -> tuple[IntArray, NodeArray, IntArray]:
    """Rows of the transposed matrix, ascending, and the entry that each of its entries comes from. O(n + m)."""
    starts = np.zeros(n_nodes + 1, np.int64)
    for entry in range(len(indices)):
        starts[indices[entry] + 1] += 1
    for node in range(n_nodes):
        starts[node + 1] += starts[node]
    free = starts[:-1].copy()
    rows = np.empty(len(indices), np.int32)
    origins = np.empty(len(indices), np.int64)
    for node in range(len(indptr) - 1):
        for entry in range(indptr[node], indptr[node + 1]):
            place = free[indices[entry]]
            rows[place] = node
            origins[place] = entry
            free[indices[entry]] += 1
    return starts, rows, origins


@compiled
def hops_from(
    indptr: IntArray, indices: NodeArray, source: int, cutoff: float
) -> tuple[NodeArray, NodeArray]:
    """Nodes within ``cutoff`` steps of the source, by steps, and how many steps each is away. O(n + m)."""
    n_nodes = len(indptr) - 1
    steps = np.full(n_nodes, -1, np.int32)
    reached = np.empty(n_nodes, np.int32)
    steps[source] = 0
    reached[0] = source
    n_reached = 1
    at = 0
    while at < n_reached:
        node = reached[at]
        at += 1
        if steps[node] >= cutoff:
            break
        for entry in range(indptr[node], indptr[node + 1]):
            neighbour = indices[entry]
            if steps[neighbour] < 0:
                steps[neighbour] = steps[node] + 1
                reached[n_reached] = neighbour
                n_reached += 1
    found = reached[:n_reached]
    return found, steps[found]
