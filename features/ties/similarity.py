"""How alike two customers' contacts are: scores of given pairs.

It knows rows of neighbours and refuses to know which pairs are worth asking about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from .kernels import FloatArray, IntArray, NodeArray, compiled, frozen

PairScore = Literal[
    "jaccard", "adamic_adar", "resource_allocation", "preferential_attachment", "common_neighbors"
]


def pair_scores(
    kind: PairScore, indptr: IntArray, indices: NodeArray, left: NodeArray, right: NodeArray
) -> FloatArray:
    r"""Similarity of the two nodes of each given pair.

    Parameters
    ----------
    kind
        ``jaccard`` (share, 0 to 1), ``adamic_adar``, ``resource_allocation``, ``preferential_attachment`` (a product
        of two counts) or ``common_neighbors`` (a count).
    indptr, indices
        int64, n + 1, and int32, 2 per tie: symmetric rows, each ascending, no self-loops.
    left, right
        int32, k: the nodes of each pair; tied or not, in any order.

    Returns
    -------
    numpy.ndarray
        float64, k, in the order of the pairs; 0 where nothing is common, as networkx has it. Infinite where a node is
        compared with itself by ``adamic_adar`` and has a neighbour without another tie.

    Raises
    ------
    ValueError
        The kind is none of these.

    Notes
    -----
    With neighbours N and degrees k: jaccard :math:`|N_a \cap N_b| / |N_a \cup N_b|`; adamic_adar
    :math:`\sum_{c \in N_a \cap N_b} 1 / \ln k_c`; resource_allocation :math:`\sum_c 1 / k_c`; preferential_attachment
    :math:`k_a k_b`. The shorter row is looked up in the longer one, by steps that double: O(k_min log k_max) a pair.

    References
    ----------
    Liben-Nowell & Kleinberg 2007; Adamic & Adar 2003; Zhou, Lu & Zhang 2009 (resource allocation).

    Examples
    --------
    >>> import networkx as nx, numpy as np
    >>> from features.ties import as_tie_graph
    >>> graph = as_tie_graph(nx.Graph([(0, 1), (1, 2), (0, 2), (2, 3)]))
    >>> pair_scores("jaccard", graph.indptr, graph.indices, np.array([0, 0]), np.array([3, 1])).tolist()
    [0.5, 0.3333333333333333]
    """
    if kind not in get_args(PairScore):
        msg = f"kind: expected one of {', '.join(get_args(PairScore))}, found {kind!r}"
        raise ValueError(msg)
    degrees = np.diff(indptr)
    if kind == "preferential_attachment":
        return (degrees[left] * degrees[right]).astype(np.float64)
    common = common_sums(
        frozen(indptr, np.int64),
        frozen(indices, np.int32),
        frozen(left, np.int32),
        frozen(right, np.int32),
        frozen(_COMMON_VALUE[kind](degrees), np.float64),
    )
    if kind != "jaccard":
        return common
    either = degrees[left] + degrees[right] - common
    found: FloatArray = np.divide(common, either, out=np.zeros(len(common)), where=either > 0)
    return found


def _one(degrees: IntArray) -> FloatArray:
    return np.ones(len(degrees))


def _inverse(degrees: IntArray) -> FloatArray:
    inverse: FloatArray = 1.0 / np.maximum(degrees, 1)
    return inverse


def _inverse_log(degrees: IntArray) -> FloatArray:
    logs = np.log(np.maximum(degrees, 1))
    inverse: FloatArray = np.divide(1.0, logs, out=np.full(len(logs), np.inf), where=logs > 0)
    return inverse


_COMMON_VALUE: dict[str, Callable[[IntArray], FloatArray]] = {
    "jaccard": _one,
    "common_neighbors": _one,
    "resource_allocation": _inverse,
    "adamic_adar": _inverse_log,
}
"""Kind -> what a common neighbour counts, by degree."""


@compiled
def common_sums(
    indptr: IntArray, indices: NodeArray, left: NodeArray, right: NodeArray, values: FloatArray
) -> FloatArray:
    """Sum of a value per node over the common neighbours of each pair, in ascending order of those."""
    sums = np.zeros(len(left), np.float64)
    for pair in range(len(left)):
        near, near_stop = indptr[left[pair]], indptr[left[pair] + 1]
        far, far_stop = indptr[right[pair]], indptr[right[pair] + 1]
        if near_stop - near > far_stop - far:
            near, near_stop, far, far_stop = far, far_stop, near, near_stop
        for entry in range(near, near_stop):
            wanted = indices[entry]
            far = first_not_below(indices, far, far_stop, wanted)
            if far < far_stop and indices[far] == wanted:
                sums[pair] += values[wanted]
    return sums


@compiled
def first_not_below(indices: NodeArray, start: int, stop: int, wanted: int) -> int:
    """Position of the first entry of an ascending row that is not below a node: doubling steps, then halving."""
    step = 1
    low, high = start, start
    while high < stop and indices[high] < wanted:
        low = high + 1
        high += step
        step *= 2
    high = min(high, stop)
    while low < high:
        middle = (low + high) // 2
        if indices[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
