"""Arrays that others bring, one value per node: taken when a measure can read them, else refused with a remedy.

It knows lengths and kinds, and refuses to know what the values mean.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from churnrisk.errors import Fault, UsageError

from .kernels import FloatArray


def node_numbers(values: object, n_nodes: int, name: str) -> FloatArray:
    """Return one float per node of an array, a series or a list of numbers; NaN stays.

    Raises
    ------
    UsageError
        It has another length or more dimensions, or holds something else than numbers.

    Examples
    --------
    >>> node_numbers([1, 2.5], 2, "energy").tolist()
    [1.0, 2.5]
    """
    array = _of_nodes(values, n_nodes, name)
    if array.dtype.kind not in "fiu":
        _refuse(name, "numbers", f"{array.dtype}", "Convert it to float, with NaN where there is none.")
    return array.astype(np.float64, copy=False)


def node_flags(values: object, n_nodes: int, name: str) -> NDArray[np.bool_]:
    """Return one flag per node of an array, a series or a list of true and false; see `node_numbers`."""
    array = _of_nodes(values, n_nodes, name)
    if array.size and array.dtype.kind != "b":
        _refuse(name, "true or false for each node", f"{array.dtype}", "Convert it to bool.")
    return array.astype(np.bool_, copy=False)


def _of_nodes(values: object, n_nodes: int, name: str) -> NDArray[Any]:
    expected, remedy = (
        f"one value for each of {n_nodes} nodes",
        "Give them in the order of the graph's nodes (node_labels).",
    )
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        _refuse(name, expected, f"{type(values).__name__} of several shapes", remedy)
    if array.shape != (n_nodes,):
        found = f"shape {array.shape}" if array.ndim else type(values).__name__
        _refuse(name, expected, found, remedy)
    return array


def _refuse(where: str, expected: str, found: str, remedy: str) -> NoReturn:
    raise UsageError(Fault("bad_array", where, expected, found, remedy))
