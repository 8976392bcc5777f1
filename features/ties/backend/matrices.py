"""The adjacency matrix of a graph as scipy has it; networkx's spectral functions rest on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from .reading import Reading, Unreadable

__all__ = ["to_scipy_sparse_array"]


def to_scipy_sparse_array(
    G: Reading,
    nodelist: Sequence[Any] | None = None,
    dtype: Any = None,
    weight: Any = "weight",
    format: str = "csr",
) -> Any:
    """Adjacency matrix with the nodes, or those listed, in order."""
    if G.n_nodes == 0:
        msg = "Graph has no nodes or edges"
        raise nx.NetworkXError(msg)
    values = G.raw_weights(weight)
    given = np.ones(len(G.indices), np.int64) if values is None else values
    if given.dtype.kind not in "biufc":
        raise Unreadable
    if given.dtype.kind == "i" and values is None and len(G.indices) == 0:
        given = given.astype(np.float64)  # numpy's reading of an empty list, which networkx passes on
    shape = (G.n_nodes, G.n_nodes)
    matrix = sparse.csr_array((given.copy(), G.indices.copy(), G.indptr.copy()), shape=shape, dtype=dtype)
    if nodelist is not None:
        chosen = _chosen(G, nodelist)
        matrix = matrix[chosen][:, chosen]
    try:
        return matrix.asformat(format)  # type: ignore[call-overload]
    except ValueError as error:
        msg = f"Unknown sparse matrix format: {format}"
        raise nx.NetworkXError(msg) from error


def _chosen(G: Reading, nodelist: Sequence[Any]) -> Any:
    if len(nodelist) == 0:
        msg = "nodelist has no nodes"
        raise nx.NetworkXError(msg)
    for label in nodelist:
        if label not in G.graph:
            msg = f"Node {label} in nodelist is not in G"
            raise nx.NetworkXError(msg)
    if len(set(nodelist)) != len(nodelist):
        msg = "nodelist contains duplicates."
        raise nx.NetworkXError(msg)
    return np.array([G.names.number(label) for label in nodelist], np.int64)
