"""Compiled sums over those of a row who became seeds lately: by window, by direction, by pace, and one tie further.

It knows rows and for each node the shortest window that its age falls into, and refuses to know what a seed stands
for. That window is one byte a node: those of a million stay in the processor's own memory, wherever the rows lie. What
a row adds up to is written by that row alone: processors change the time and never a bit.
"""

from __future__ import annotations

import numpy as np

from .kernels import OUT, FloatArray, IntArray, MarkArray, NodeArray, compiled


@compiled
def window_codes(ages: FloatArray, windows: FloatArray) -> MarkArray:
    """Position of the first of the ascending windows with 0 <= age <= window; their number for older seeds, one more
    for who is no seed. O(n).
    """
    codes = np.empty(len(ages), np.uint8)
    for node in range(len(ages)):
        code = len(windows) + 1
        if ages[node] >= 0.0:  # false for NaN, the mark of "no seed"
            code -= 1
            while code > 0 and ages[node] <= windows[code - 1]:
                code -= 1
        codes[node] = code
    return codes


@compiled
def seed_sums(
    first: int,
    last: int,
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    marks: MarkArray,
    codes: MarkArray,
    n_read: IntArray,
    whole: FloatArray,
    counts: IntArray,
    sums: FloatArray,
) -> None:
    """Per direction (all entries, then those marked OUT) and row: entries and their weight; per direction, window and
    row: the entries whose neighbour falls into it, and their weight.

    Window sums and the whole run over the same entries in the same order, and floating addition is monotone, so a
    window never exceeds a longer one nor the whole. Without marks no entry is OUT. O(n + m).
    """
    n_windows = counts.shape[1]
    has_marks = len(marks) > 0
    for node in range(first, last):
        n_out = 0
        total, total_out = 0.0, 0.0
        for entry in range(indptr[node], indptr[node + 1]):
            weight = weights[entry]
            is_out = has_marks and marks[entry] & OUT == OUT
            total += weight
            n_out += is_out
            total_out += weight if is_out else 0.0
            for window in range(codes[indices[entry]], n_windows):
                counts[0, window, node] += 1
                sums[0, window, node] += weight
                counts[1, window, node] += is_out
                sums[1, window, node] += weight if is_out else 0.0
        n_read[0, node], n_read[1, node] = indptr[node + 1] - indptr[node], n_out
        whole[0, node], whole[1, node] = total, total_out


@compiled
def close_seed_sums(
    first: int,
    last: int,
    indptr: IntArray,
    indices: NodeArray,
    tie_rows: NodeArray,
    active_days: NodeArray,
    ages: FloatArray,
    days: FloatArray,
    codes: MarkArray,
    whole: FloatArray,
    counts: IntArray,
    sums: FloatArray,
) -> None:
    """Per row: the pace of all its ties; per window and row: ties at least at the mean pace whose neighbour falls into
    it, and the pace of all whose neighbour does.

    Pace is active days (by tie) over the days that the neighbour could be active: ``days[0]``, less the age of a seed,
    at least ``days[1]``. Sums run in the same order, so a window never exceeds a longer one nor the whole. Rows without
    a seed are read once. O(n + m).
    """
    n_windows = len(counts)
    for node in range(first, last):
        start, stop = indptr[node], indptr[node + 1]
        total = 0.0
        soonest = n_windows
        for entry in range(start, stop):
            code = codes[indices[entry]]
            seen = days[0] if code > n_windows else max(days[0] - ages[indices[entry]], days[1])
            total += active_days[tie_rows[entry]] / seen
            soonest = min(soonest, code)
        whole[node] = total
        if soonest == n_windows:
            continue
        for entry in range(start, stop):
            code = codes[indices[entry]]
            if code >= n_windows:
                continue
            pace = active_days[tie_rows[entry]] / max(days[0] - ages[indices[entry]], days[1])
            is_close = pace * (stop - start) >= total * (1.0 - 1e-9)
            for window in range(code, n_windows):
                counts[window, node] += is_close
                sums[window, node] += pace


@compiled
def reachable_sums(indptr: IntArray, indices: NodeArray, weights: FloatArray) -> FloatArray:
    """Per row: the weight of the neighbours who have another tie of any weight. O(n + m)."""
    sums = np.zeros(len(indptr) - 1, np.float64)
    for middle in range(len(indptr) - 1):
        n_heavy = 0
        for entry in range(indptr[middle], indptr[middle + 1]):
            n_heavy += weights[entry] > 0.0
        if n_heavy > 1:  # whoever of them looks, there is another
            for entry in range(indptr[middle], indptr[middle + 1]):
                sums[indices[entry]] += weights[entry]
    return sums


@compiled
def second_hop_sums(
    indptr: IntArray,
    indices: NodeArray,
    weights: FloatArray,
    codes: MarkArray,
    n_windows: int,
) -> FloatArray:
    """Per row i and window: sum over neighbours j of w_ij times the seeds' share of j's *other* ties.

    Neighbours without another tie of any weight count for nothing. What j's other ties hold is added up from both ends
    of its row, never by taking a part off the whole: no cancellation, and a window never exceeds a longer one. Rows
    without a seed have nothing to hand on. Sums run in the order of those of `reachable_sums`. O(n + m).
    """
    n_nodes = len(indptr) - 1
    longest = 0
    for node in range(n_nodes):
        longest = max(longest, indptr[node + 1] - indptr[node])
    behind = np.zeros((longest + 1, n_windows + 1), np.float64)
    before = np.zeros(n_windows + 1, np.float64)
    sums = np.zeros((n_nodes, n_windows), np.float64)
    for middle in range(n_nodes):
        start, stop = indptr[middle], indptr[middle + 1]
        soonest = n_windows
        for entry in range(start, stop):
            soonest = min(soonest, codes[indices[entry]])
        if soonest == n_windows or stop - start == 1:
            continue
        behind[stop - start, :] = 0.0
        for entry in range(stop - 1, start - 1, -1):
            place, code = entry - start, min(n_windows, codes[indices[entry]])
            for window in range(soonest, n_windows + 1):
                behind[place, window] = behind[place + 1, window]
            for window in range(code, n_windows + 1):
                behind[place, window] += weights[entry]
        before[:] = 0.0
        for entry in range(start, stop):
            row, place = indices[entry], entry - start + 1
            code = min(n_windows, codes[row])
            others = before[n_windows] + behind[place, n_windows]
            if others > 0.0:
                for window in range(soonest, n_windows):
                    share = (before[window] + behind[place, window]) / others
                    sums[row, window] += weights[entry] * share
            for window in range(code, n_windows + 1):
                before[window] += weights[entry]
    return sums
