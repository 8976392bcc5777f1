"""Compiled loops over ties: the only place where a tie or a neighbour is visited one by one.

It knows arrays and refuses to know frames, names and nulls. Every kernel walks rows in ascending neighbour order
and sums in that order, so a result depends on the set of ties alone, to the last bit. All input arrays are
read-only (see `frozen`): one type per argument means one compilation, kept on disk beside this file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
NodeArray = NDArray[np.int32]
MarkArray = NDArray[np.uint8]
FloatArray = NDArray[np.float64]

OUT = np.uint8(1)
"""Mark of an entry (i, j): i contacted j at least once."""
IN = np.uint8(2)
"""Mark of an entry (i, j): j contacted i at least once."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_Item = TypeVar("_Item", bound=np.generic)


def compiled(kernel: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Compile a kernel on first call; keep the machine code on disk where some folder can be written."""
    try:
        fast = numba.njit(cache=True, nogil=True, error_model="numpy")(kernel)
    except RuntimeError:  # numba found no writable cache folder: compile once per process instead
        fast = numba.njit(nogil=True, error_model="numpy")(kernel)
    return cast("Callable[_Arguments, _Result]", fast)


def frozen(values: NDArray[Any], kind: type[_Item]) -> NDArray[_Item]:
    """Give a read-only, contiguous view of the wanted type; copy only where type or layout force it."""
    view = np.ascontiguousarray(values, dtype=kind).view()
    view.flags.writeable = False
    return view


N_CHUNKS = 4
"""Parts that heavy rows are cut into, whatever the machine: floating sums per part are added in the parts' order, so
more processors change the time and never a bit."""

_FEWEST_ENTRIES = 1 << 17
"""Below so many entries starting threads costs more than it saves; a judgement."""


class EachChunk(Protocol):
    """Calls a function with the number, first and last row (excluded) of every chunk, on several processors."""

    def __call__(self, run: Callable[[int, int, int], _Result], /) -> list[_Result]:
        """Give the results in the order of the chunks."""


@contextmanager
def chunked(indptr: IntArray) -> Iterator[EachChunk]:
    """Cut rows into `N_CHUNKS` parts of about equally many entries and lend processors to work on them.

    Compiled kernels hold no interpreter lock, so plain threads are enough; they end with the block.
    """
    n_entries = int(indptr[-1])
    ends = np.searchsorted(indptr, np.arange(1, N_CHUNKS) * (n_entries / N_CHUNKS))
    bounds = [0, *(int(end) for end in ends), len(indptr) - 1]
    numbers, firsts, lasts = range(N_CHUNKS), bounds[:-1], bounds[1:]
    n_threads = min(N_CHUNKS, _processors()) if n_entries >= _FEWEST_ENTRIES else 1
    if n_threads == 1:
        yield lambda run: [run(*part) for part in zip(numbers, firsts, lasts, strict=True)]
        return
    with ThreadPoolExecutor(n_threads) as pool:
        yield lambda run: list(pool.map(run, numbers, firsts, lasts))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def added(parts: Iterable[NDArray[_Item]]) -> NDArray[_Item]:
    """Add arrays up in their order, into the first."""
    total, *others = parts
    for part in others:
        total += part  # type: ignore[misc]
    return total


@compiled
def transposed_rows(indptr: IntArray, indices: NodeArray) -> tuple[IntArray, NodeArray, IntArray]:
    """Rows of the transposed matrix, and for each of its entries the position of the entry it came from.

    Rows are met in ascending order, so the new rows are sorted. O(n + m).
    """
    n_nodes = len(indptr) - 1
    turned_indptr = np.zeros(n_nodes + 1, np.int64)
    for entry in range(len(indices)):
        turned_indptr[indices[entry] + 1] += 1
    for node in range(n_nodes):
        turned_indptr[node + 1] += turned_indptr[node]
    place = turned_indptr[:-1].copy()
    turned = np.empty(len(indices), np.int32)
    origin = np.empty(len(indices), np.int64)
    for node in range(n_nodes):
        for entry in range(indptr[node], indptr[node + 1]):
            other = indices[entry]
            turned[place[other]] = node
            origin[place[other]] = entry
            place[other] += 1
    return turned_indptr, turned, origin


@compiled
def first_disorder(node_a: NodeArray, node_b: NodeArray) -> int:
    """Position of the first tie that does not come strictly after its predecessor by (a, b), or -1."""
    for tie in range(1, len(node_a)):
        if node_a[tie] < node_a[tie - 1] or (
            node_a[tie] == node_a[tie - 1] and node_b[tie] <= node_b[tie - 1]
        ):
            return tie
    return -1


@compiled
def tie_order(n_nodes: int, node_a: NodeArray, node_b: NodeArray) -> NodeArray:
    """Order of ties by (a, b), pairs that come twice in the order they came: two counting sorts. O(n + m)."""
    order = np.arange(len(node_a)).astype(np.int32)
    for ends in (node_b, node_a):
        place = np.zeros(n_nodes + 1, np.int64)
        for node in ends:
            place[node + 1] += 1
        for node in range(n_nodes):
            place[node + 1] += place[node]
        moved = np.empty(len(order), np.int32)
        for tie in order:
            moved[place[ends[tie]]] = tie
            place[ends[tie]] += 1
        order = moved
    return order


@compiled
def symmetric_rows(
    n_nodes: int, node_a: NodeArray, node_b: NodeArray
) -> tuple[IntArray, NodeArray, NodeArray]:
    """Rows (indptr, indices, tie) of the symmetric matrix of ties sorted by (a, b), a < b.

    A row holds first its lower neighbours, then its upper ones; walking the ties in order meets both ascending, so
    rows come out sorted without a sort. Two passes, O(n + m).
    """
    indptr = np.zeros(n_nodes + 1, np.int64)
    upper = np.zeros(n_nodes, np.int64)
    for tie in range(len(node_a)):
        indptr[node_a[tie] + 1] += 1
        indptr[node_b[tie] + 1] += 1
        upper[node_b[tie]] += 1
    for node in range(n_nodes):
        indptr[node + 1] += indptr[node]
    lower = indptr[:-1].copy()
    upper += lower
    indices = np.empty(2 * len(node_a), np.int32)
    ties = np.empty(2 * len(node_a), np.int32)
    for tie in range(len(node_a)):
        a, b = node_a[tie], node_b[tie]
        indices[upper[a]] = b
        ties[upper[a]] = tie
        upper[a] += 1
        indices[lower[b]] = a
        ties[lower[b]] = tie
        lower[b] += 1
    return indptr, indices, ties


def sorted_rows(n_nodes: int, node_a: NodeArray, node_b: NodeArray) -> tuple[IntArray, NodeArray, NodeArray]:
    """Give `symmetric_rows` as read-only arrays."""
    indptr, indices, ties = symmetric_rows(n_nodes, node_a, node_b)
    return frozen(indptr, np.int64), frozen(indices, np.int32), frozen(ties, np.int32)


@compiled
def row_marks(
    indptr: IntArray, indices: NodeArray, ties: NodeArray, n_ab: IntArray, n_ba: IntArray
) -> MarkArray:
    """OUT and IN of every entry, from the contacts each way of its tie. O(n + m)."""
    marks = np.zeros(len(indices), np.uint8)
    for node in range(len(indptr) - 1):
        for entry in range(indptr[node], indptr[node + 1]):
            tie = ties[entry]
            sent, received = n_ab[tie] > 0, n_ba[tie] > 0
            if indices[entry] < node:
                sent, received = received, sent
            marks[entry] = sent * OUT + received * IN
    return marks


@compiled
def row_sums(indptr: IntArray, ties: NodeArray, values: FloatArray) -> FloatArray:
    """Sum over each row of a value given per tie. O(n + m)."""
    sums = np.zeros(len(indptr) - 1, np.float64)
    for node in range(len(indptr) - 1):
        for entry in range(indptr[node], indptr[node + 1]):
            sums[node] += values[ties[entry]]
    return sums


@compiled
def flagged_sums(
    indptr: IntArray, ties: NodeArray, weights: FloatArray, flags: MarkArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Entries of each row whose tie has the first bit flagged, those with the second; the weight of each. O(n + m)."""
    n_nodes = len(indptr) - 1
    n_one, n_two = np.zeros(n_nodes, np.int64), np.zeros(n_nodes, np.int64)
    one, two = np.zeros(n_nodes, np.float64), np.zeros(n_nodes, np.float64)
    for node in range(n_nodes):
        for entry in range(indptr[node], indptr[node + 1]):
            flag = flags[ties[entry]]
            if flag & 1:
                n_one[node] += 1
                one[node] += weights[entry]
            if flag & 2:
                n_two[node] += 1
                two[node] += weights[entry]
    return n_one, n_two, one, two


@compiled
def direction_counts(indptr: IntArray, marks: MarkArray) -> tuple[IntArray, IntArray, IntArray]:
    """Entries of each row with an outgoing contact, with an incoming one, with both. O(n + m)."""
    n_nodes = len(indptr) - 1
    n_out, n_in, n_mutual = (
        np.zeros(n_nodes, np.int64),
        np.zeros(n_nodes, np.int64),
        np.zeros(n_nodes, np.int64),
    )
    for node in range(n_nodes):
        for entry in range(indptr[node], indptr[node + 1]):
            n_out[node] += marks[entry] & OUT
            n_in[node] += (marks[entry] & IN) >> 1
            n_mutual[node] += marks[entry] == OUT + IN
    return n_out, n_in, n_mutual
