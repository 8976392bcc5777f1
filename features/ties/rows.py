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
