"""Rows of ties laid so that those who know each other lie side by side: what a loop reads next is then near.

It knows rows and a number per node that friends mostly share, and refuses to know what is computed on the rows. Only
whole rows move: within a row the neighbours keep the order of their customers' numbers, so that a sum over a row has
the same bits wherever the row lies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .graph import TieGraph
from .kernels import FloatArray, IntArray, NodeArray, chunked, compiled, frozen


class LaidRows(NamedTuple):
    """Symmetric rows of n nodes in an order of their own.

    ``indptr``, ``indices``, ``weights`` as in `TieGraph`, but rows and neighbours go by their place; a row's neighbours
    ascend by node, not by place. ``node_of``: int32, n, the node at each place; ``row_of``: int32, n, the place of each
    node.
    """

    indptr: IntArray
    indices: NodeArray
    weights: FloatArray
    node_of: NodeArray
    row_of: NodeArray


def rows_in_place(graph: TieGraph) -> LaidRows:
    """Give the rows of a graph where they are; nothing is copied."""
    nodes = frozen(np.arange(graph.n_nodes), np.int32)
    return LaidRows(graph.indptr, graph.indices, graph.weights, nodes, nodes)


def rows_side_by_side(graph: TieGraph, labels: NodeArray) -> LaidRows:
    """Lay the nodes with the same label side by side; labels count from 0, equals stay in the order of their numbers.

    Copies the rows, 12 bytes per entry. What a loop looks up for the neighbours of a node then mostly lies in the
    processor's own memory. O(n + m).
    """
    node_of = frozen(grouped(frozen(labels, np.int32)), np.int32)
    places = np.empty(graph.n_nodes, np.int32)
    places[node_of] = np.arange(graph.n_nodes, dtype=np.int32)
    row_of = frozen(places, np.int32)
    indptr = frozen(np.concatenate([[0], np.cumsum(graph.degrees[node_of])]), np.int64)
    indices, weights = np.empty(len(graph.indices), np.int32), np.empty(len(graph.indices))
    given = graph.indptr, graph.indices, graph.weights, node_of, row_of
    with chunked(indptr) as each:
        each(lambda _, first, last: relay(first, last, *given, indptr, indices, weights))
    return LaidRows(indptr, frozen(indices, np.int32), frozen(weights, np.float64), node_of, row_of)


@compiled
def grouped(labels: NodeArray) -> NodeArray:
    """Nodes by label, equals in the order of their numbers: a counting sort. O(n)."""
    n_labels = labels.max() + 1 if len(labels) else 0
    place = np.zeros(n_labels + 1, np.int64)
    for label in labels:
        place[label + 1] += 1
    for label in range(n_labels):
        place[label + 1] += place[label]
    nodes = np.empty(len(labels), np.int32)
    for node in range(len(labels)):
        nodes[place[labels[node]]] = node
        place[labels[node]] += 1
    return nodes


@compiled
def relay(
    first: int,
    last: int,
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    node_of: NodeArray,
    row_of: NodeArray,
    laid_indptr: IntArray,
    laid_indices: NodeArray,
    laid_weights: FloatArray,
) -> None:
    """Write the rows at the places first to last, the neighbours of each in the order they stood. O(m)."""
    for row in range(first, last):
        start, place = indptr[node_of[row]], laid_indptr[row]
        for step in range(laid_indptr[row + 1] - place):
            laid_indices[place + step] = row_of[indices[start + step]]
            laid_weights[place + step] = weights[start + step]
