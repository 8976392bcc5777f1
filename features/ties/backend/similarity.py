"""networkx's link prediction scores on sparse rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import networkx as nx
import numpy as np

from ..similarity import PairScore, pair_scores
from .reading import Reading

__all__ = ["adamic_adar_index", "jaccard_coefficient", "preferential_attachment", "resource_allocation_index"]

CHUNK = 1 << 16
"""Pairs scored at a time: pairs may come from a generator that never ends, or be all that are not tied."""

Pairs = Iterable[tuple[Any, Any]] | None
Scored = Iterator[tuple[Any, Any, float]]


def jaccard_coefficient(G: Reading, ebunch: Pairs = None) -> Scored:
    """Share of common neighbours among all neighbours of two nodes."""
    return _scored(G, "jaccard", ebunch)


def adamic_adar_index(G: Reading, ebunch: Pairs = None) -> Scored:
    """Sum over common neighbours of 1 / log degree."""
    return _scored(G, "adamic_adar", ebunch)


def resource_allocation_index(G: Reading, ebunch: Pairs = None) -> Scored:
    """Sum over common neighbours of 1 / degree."""
    return _scored(G, "resource_allocation", ebunch)


def preferential_attachment(G: Reading, ebunch: Pairs = None) -> Iterator[tuple[Any, Any, int]]:
    """Product of two nodes' degrees."""
    return _scored(G, "preferential_attachment", ebunch, int)


def _scored(
    G: Reading, kind: PairScore, ebunch: Pairs, number: Callable[[float], Any] = float
) -> Iterator[Any]:
    """Check the pairs now, as networkx does, and score them when they are asked for."""
    G.refuse_loops()
    if ebunch is None:
        return _scores(G, kind, nx.non_edges(G.graph), number)
    pairs = [tuple(pair) for pair in ebunch]
    for node in (node for u, v in pairs for node in (u, v)):
        if node not in G.graph:
            msg = f"Node {node} not in G."
            raise nx.NodeNotFound(msg)
    return _scores(G, kind, iter(pairs), number)


def _scores(
    G: Reading, kind: PairScore, pairs: Iterator[tuple[Any, Any]], number: Callable[[float], Any]
) -> Iterator[Any]:
    find = G.names.find
    while chunk := list(islice(pairs, CHUNK)):
        left = np.fromiter((find(u) for u, _ in chunk), np.int32, len(chunk))
        right = np.fromiter((find(v) for _, v in chunk), np.int32, len(chunk))
        scores = pair_scores(kind, G.indptr, G.indices, left, right)
        if np.isinf(scores).any():
            msg = "division by zero: a node compared with itself has a neighbour without another tie"
            raise ZeroDivisionError(msg)
        for (u, v), score in zip(chunk, scores.tolist(), strict=True):
            yield u, v, number(score)
