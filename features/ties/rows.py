"""Compiled loops over the rows of any sparse graph, directed or not: what a row adds up to, by itself or of neighbours.

They serve every measure and the networkx backend, which also reads graphs that are no tie tables; what they know is
what `kernels` knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .kernels import FloatArray, IntArray, NodeArray, chunked, compiled

if TYPE_CHECKING:
    from .kernels import EachChunk

Rows = tuple[IntArray, NodeArray, FloatArray]
"""Rows to read from: indptr, indices, and weights, of length 0 when all are alike."""


@compiled
def entry_sums(indptr: IntArray, values: FloatArray) -> FloatArray:
    """Sum over each row of a value given per entry. O(n + m)."""
    sums = np.zeros(len(indptr) - 1, np.float64)
    for node in range(len(indptr) - 1):
        total = 0.0
        for entry in range(indptr[node], indptr[node + 1]):
            total += values[entry]
        sums[node] = total
    return sums


def neighbour_sums(rows: Rows, values: FloatArray) -> FloatArray:
    """Sum over each row of weight times the neighbour's value, on several processors. O(n + m)."""
    with chunked(rows[0]) as each:
        return product(each, rows, values)


def product(each: EachChunk, rows: Rows, values: FloatArray) -> FloatArray:
    """Give `neighbour_sums`, for steps that follow each other: processors are lent once for all of them."""
    found = np.empty(len(values))
    each(lambda _, first, last: gathered(first, last, *rows, values, found))
    return found


def products(each: EachChunk, rows: Rows, values: FloatArray) -> FloatArray:
    """Give `product` of each column of n x k values, reading the rows once for two of them."""
    found = np.empty(values.shape)
    each(lambda _, first, last: gathered_columns(first, last, *rows, values, found))
    return found


@compiled
def gathered(
    first: int,
    last: int,
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    values: FloatArray,
    product: FloatArray,
) -> None:
    """Write the weighted sum of the neighbours' values into the rows first to last of a product. O(m)."""
    if len(weights) == 0:
        for node in range(first, last):
            total = 0.0
            for entry in range(indptr[node], indptr[node + 1]):
                total += values[indices[entry]]
            product[node] = total
        return
    for node in range(first, last):
        total = 0.0
        for entry in range(indptr[node], indptr[node + 1]):
            total += weights[entry] * values[indices[entry]]
        product[node] = total


@compiled
def gathered_columns(
    first: int,
    last: int,
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    values: FloatArray,
    product: FloatArray,
) -> None:
    """Do what `gathered` does for each column; two at a time, which lie side by side in memory. O(m)."""
    n_columns = values.shape[1]
    for column in range(0, n_columns - 1, 2):
        for node in range(first, last):
            one, two = 0.0, 0.0
            for entry in range(indptr[node], indptr[node + 1]):
                weight, other = weights[entry], indices[entry]
                one += weight * values[other, column]
                two += weight * values[other, column + 1]
            product[node, column], product[node, column + 1] = one, two
    if n_columns % 2:
        for node in range(first, last):
            total = 0.0
            for entry in range(indptr[node], indptr[node + 1]):
                total += weights[entry] * values[indices[entry], n_columns - 1]
            product[node, n_columns - 1] = total
