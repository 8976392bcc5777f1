"""The checks have teeth: a kernel made wrong in one place fails the very check that its measure is tested with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from features.ties import (
    communities,
    components,
    cores,
    exposure,
    kernels,
    locality,
    pair_facts,
    ranks,
    rows,
    similarity,
    triangles,
)
from tests.oracle.ties.exposure_checks import check_exposures, check_laid_rows
from tests.oracle.ties.measure_checks import CHECKS, DIRECTED_CHECKS, directed_graphs, graphs
from tests.oracle.ties.test_communities import cases, check_communities
from tests.oracle.ties.test_pair_facts_against_a_plain_dict import SMALL, SMALL_CUTS, check_pair_facts


class Wrong(NamedTuple):
    """One place of a kernel, made wrong."""

    what: str
    module: ModuleType
    kernel: str
    right: str
    wrong: str
    check: str
    caller: str = ""
    """Kernel that holds the wrong one compiled in, or that would read unchecked memory because of it."""


WRONG = [
    Wrong("last row missed", triangles, "count_corners", "range(first, last)", "range(first, last - 1)", "triangles"),
    Wrong("row left marked", triangles, "count_corners", "is_near[targets[entry]] = 0", "pass", "triangles"),
    Wrong("one corner not counted", triangles, "count_corners", "counts[far] += 1", "pass", "triangles"),
    Wrong("row one too short", triangles, "count_corners", "onward[middle + 1])", "onward[middle + 1] - 1)", "triangles"),
    Wrong("equals point nowhere", triangles, "forward_rows", "other > node", "other > node + 1", "triangles"),
    Wrong("weights of the row before", triangles, "forward_rows", "origin[place] = entry", "origin[place] = entry - 1", "clustering"),
    Wrong("a side forgotten", triangles, "sum_corners", "sides[entry] * sides[step] * near[far]", "sides[entry] * near[far]", "clustering"),
    Wrong("weights summed unmarked", triangles, "sum_corners", "near[targets[entry]] = 0.0", "pass", "clustering"),
    Wrong("direction swapped", triangles, "both_directions", "value += in_values[back]", "value += out_values[min(back, len(out_values) - 1)]", "directed_clustering"),
    Wrong("loops taken for ties", triangles, "both_directions", "other == node", "False", "directed_clustering"),
    Wrong("ties both ways once", triangles, "both_directions", "+= int(is_out) + int(is_back)", "+= 1", "directed_clustering"),
    Wrong("level one too high", cores, "peeled_levels", "if left[other] == level:", "if left[other] == level + 1:", "cores"),
    Wrong("peeled below the level", cores, "peeled_levels", "if left[other] > level:", "if left[other] >= level:", "cores"),
    Wrong("level never jumps", cores, "peeled_levels", "lowest = min(lowest, left[node])", "lowest = left[node]", "cores"),
    Wrong("sample not joined", components, "joined_parts", "_join(parent, node, indices[entry])", "pass", "components"),
    Wrong("everybody skipped", components, "joined_parts", "if parent[node] != common:", "if False:", "components"),
    Wrong("larger root wins", components, "_join", "if one < other:", "if one > other:", "components", "joined_parts"),
    Wrong("finished parts seen again", components, "strong_parts", "if label[other] < 0:", "if True:", "strong_components"),
    Wrong("nothing handed up", components, "strong_parts", "low[path[depth]] = min(low[path[depth]], low[node])", "pass", "strong_components"),
    Wrong("a hop too many", components, "breadth_first", "hops[other] = hops[node] + 1", "hops[other] = hops[node] + 1 + (hops[node] > 0)", "hops"),
    Wrong("last entry missed", rows, "gathered", "indptr[node + 1])", "max(indptr[node], indptr[node + 1] - 1))", "pagerank"),
    Wrong("weights ignored", rows, "gathered", "total += weights[entry] * values", "total += values", "pagerank"),
    Wrong("sinks keep their rank", ranks, "passed_on", "lost += ranks[node]", "pass", "pagerank"),
    Wrong("sinks restart", ranks, "next_ranks", "lost * sink[node]", "lost * start[node]", "pagerank"),
    Wrong("change without sign lost", ranks, "next_ranks", "abs(found[node] - ranks[node])", "found[node] - ranks[node]", "pagerank"),
    Wrong("direction swapped", ranks, "transposed_rows", "turned[place[other]] = node", "turned[place[other]] = other", "directed pagerank"),
    Wrong("origin off by one", ranks, "transposed_rows", "origin[place[other]] = entry", "origin[place[other]] = max(0, entry - 1)", "directed pagerank"),
    Wrong("residual drifts", ranks, "descend", "residual[node] -= step * product[node]", "residual[node] -= 0.99 * step * product[node]", "converged_pagerank"),
    Wrong("loners lose their start", ranks, "unscaled", "else start[node]", "else 0.0", "converged_pagerank"),
    Wrong("weighted row sum one short", ranks, "entry_sums", "indptr[node + 1])", "max(indptr[node], indptr[node + 1] - 1))", "pagerank"),
    Wrong("last common one missed", similarity, "common_sums", "range(near, near_stop)", "range(near, near_stop - 1)", "pair_scores"),
    Wrong("value of the pair, not the friend", similarity, "common_sums", "values[wanted]", "values[left[pair]]", "pair_scores"),
    Wrong("search one too far", similarity, "first_not_below", "low = high + 1", "low = high + 2", "pair_scores", "common_sums"),
    Wrong("search ends early", similarity, "first_not_below", "low = middle + 1", "low = middle + 2", "pair_scores", "common_sums"),
    Wrong("row left marked", triangles, "count_sides", "near[targets[entry]] = 0", "pass", "common_neighbours"),
    Wrong("the wrong side counted", triangles, "count_sides", "counts[side - 1]", "counts[side - 2]", "common_neighbours"),
    Wrong("one side not counted", triangles, "count_sides", "counts[entry] += n_here", "pass", "common_neighbours"),
    Wrong("rows not ascending", kernels, "symmetric_rows", "upper += lower", "upper[:], lower[:] = lower, lower + np.diff(indptr) - upper", "common_neighbours"),
    Wrong("own strength counted", communities, "moved_nodes", "totals[home] -= strengths[node]", "pass", "communities"),
    Wrong("any gain not below", communities, "moved_nodes", "if gain > best_gain:", "if gain >= best_gain:", "communities"),
    Wrong("neighbours not looked at again", communities, "moved_nodes", "n_queued += 1", "pass", "communities"),
    Wrong("loop forgotten", communities, "merged_rows", "merged_loops[label] += loops[node]", "pass", "communities"),
    Wrong("inner ties once", communities, "merged_rows", "merged_loops[label] += weights[entry]", "merged_loops[label] += weights[entry] / 2", "communities"),
    Wrong("sums left behind", communities, "merged_rows", "sums[position[other]] += weights[entry]", "pass", "communities"),
    Wrong("part not well connected", communities, "refined_parts", "+= inward - 2.0 * toward[best]", "-= inward + 2.0 * toward[best]", "communities"),
    Wrong("ill-connected node merged", communities, "refined_parts", "size[node] != 1 or", "size[node] != 1 and", "communities"),
    Wrong("other partners taken for the same", pair_facts, "_count", "facts[row, A] != key_a or facts[row, B] != key_b", "facts[row, A] != key_a", "pair_facts"),
    Wrong("search falls off the table", pair_facts, "_count", "slot == len(slots)", "False", "pair_facts"),
    Wrong("exactly four hours part trains", pair_facts, "_count", "gap > train_gap_us", "gap >= train_gap_us", "pair_facts"),
    Wrong("seconds of the gap, not between seconds", pair_facts, "_count", "gap_s = at // SECOND_US - facts[row, LAST] // SECOND_US", "gap_s = gap // SECOND_US", "pair_facts"),
    Wrong("direction swapped", pair_facts, "_count", "sender < receiver", "sender > receiver", "pair_facts"),
    Wrong("missed contacts not timed", pair_facts, "_count", "duration_s[contact] >= 0", "duration_s[contact] > 0", "pair_facts"),
    Wrong("rows forgotten", pair_facts, "_refill", "slots[slot] = row", "pass", "pair_facts", "_ordered"),
    Wrong("falls off the table", pair_facts, "_refill", "slot == len(slots)", "False", "pair_facts", "_ordered"),
    Wrong("goes on at the wrong end", pair_facts, "_refill", "slot = 0", "slot = 1", "pair_facts", "_ordered"),
    Wrong("slots taken for the order", pair_facts, "_ordered", "while position > 0:", "while False:", "pair_facts"),
    Wrong("pairs of one place not told apart in merging", pair_facts, "_comes_before", "return key_a < other_a", "return False", "pair_facts", "_merge"),
    Wrong("pairs of one place not told apart in ordering", pair_facts, "_comes_before", "return key_a < other_a", "return False", "pair_facts", "_ordered"),
    Wrong("exactly four hours part trains", pair_facts, "_merge", "gap <= train_gap_us", "gap < train_gap_us", "pair_facts"),
    Wrong("seconds of the gap, not between seconds", pair_facts, "_merge", "gap_s = later[two, FIRST] // SECOND_US - earlier[one, LAST] // SECOND_US", "gap_s = gap // SECOND_US", "pair_facts"),
    Wrong("last contact of the earlier", pair_facts, "_merge", "merged[found, LAST] = later[two, LAST]", "pass", "pair_facts"),
    Wrong("long decay shifted as the short", pair_facts, "_merge", "+= later[two, DECAY_LONG] << shifts[1]", "+= later[two, DECAY_LONG] << shifts[0]", "pair_facts"),
    Wrong("new pairs not shifted", pair_facts, "_merge", "merged[found, DECAY_LONG] = later[two, DECAY_LONG] << shifts[1]", "pass", "pair_facts"),
    Wrong("directions swapped", pair_facts, "recent_counts", "recent[place, N_AB], recent[place, N_BA]", "recent[place, N_BA], recent[place, N_AB]", "pair_facts"),
    Wrong("edge of a window left out", exposure, "window_codes", "ages[node] <= windows", "ages[node] < windows", "exposures"),
    Wrong("left today not counted", exposure, "window_codes", "ages[node] >= 0.0", "ages[node] > 0.0", "exposures"),
    Wrong("will leave taken for left", exposure, "window_codes", "ages[node] >= 0.0", "ages[node] == ages[node]", "exposures"),
    Wrong("longer windows forget the shorter", exposure, "seed_sums", "range(codes[indices[entry]], n_windows)", "range(codes[indices[entry]], min(n_windows, codes[indices[entry]] + 1))", "exposures"),
    Wrong("direction ignored", exposure, "seed_sums", "marks[entry] & OUT == OUT", "marks[entry] & OUT >= 0", "exposures"),
    Wrong("weights of leavers ignored", exposure, "seed_sums", "sums[0, window, node] += weight", "sums[0, window, node] += 1.0", "exposures"),
    Wrong("outgoing weight against all weight", exposure, "seed_sums", "total_out += weight if is_out else 0.0", "total_out += weight", "exposures"),
    Wrong("last entry missed", exposure, "seed_sums", "range(indptr[node], indptr[node + 1])", "range(indptr[node], max(indptr[node], indptr[node + 1] - 1))", "exposures"),
    Wrong("absence not made up for", exposure, "close_seed_sums", "max(days[0] - ages[indices[entry]], days[1])", "days[0]", "exposures"),
    Wrong("pace over a few days trusted", exposure, "close_seed_sums", "max(days[0] - ages[indices[entry]], days[1])", "max(days[0] - ages[indices[entry]], 1.0)", "exposures"),
    Wrong("everybody close", exposure, "close_seed_sums", "pace * (stop - start) >= total * (1.0 - 1e-9)", "pace >= 0.0", "exposures"),
    Wrong("only those above the mean close", exposure, "close_seed_sums", ">= total * (1.0 - 1e-9)", "> total * (1.0 + 1e-9)", "exposures"),
    Wrong("tie of the entry, not of the pair", exposure, "close_seed_sums", "active_days[tie_rows[entry]]", "active_days[min(entry, len(active_days) - 1)]", "exposures"),
    Wrong("rows with old leavers only left out", exposure, "close_seed_sums", "if soonest == n_windows:", "if soonest >= n_windows - 1:", "exposures"),
    Wrong("friend without others counted", exposure, "reachable_sums", "if n_heavy > 1:", "if n_heavy > 0:", "exposures"),
    Wrong("ties of no weight lead on", exposure, "reachable_sums", "weights[entry] > 0.0", "weights[entry] >= 0.0", "exposures"),
    Wrong("own leaving counted", exposure, "second_hop_sums", "before[window] + behind[place, window]", "before[window] + behind[place - 1, window]", "exposures"),
    Wrong("those before forgotten", exposure, "second_hop_sums", "before[window] += weights[entry]", "pass", "exposures"),
    Wrong("share of all, not of the others", exposure, "second_hop_sums", "others = before[n_windows] + behind[place, n_windows]", "others = behind[0, n_windows]", "exposures"),
    Wrong("sums of the row before kept", exposure, "second_hop_sums", "before[:] = 0.0", "pass", "exposures"),
    Wrong("end of the row before kept", exposure, "second_hop_sums", "behind[stop - start, :] = 0.0", "pass", "exposures"),
    Wrong("friend's weight forgotten", exposure, "second_hop_sums", "weights[entry] * share", "share", "exposures"),
    Wrong("equals turned round", locality, "grouped", "for node in range(len(labels)):", "for node in range(len(labels) - 1, -1, -1):", "laid_rows"),
    Wrong("label counted one too low", locality, "grouped", "place[label + 1] += 1", "place[label] += 1", "laid_rows"),
    Wrong("neighbours by node, not by place", locality, "relay", "row_of[indices[start + step]]", "indices[start + step]", "laid_rows"),
    Wrong("weights of the place, not of the node", locality, "relay", "weights[start + step]", "weights[place + step]", "laid_rows"),
    Wrong("last neighbour missed", locality, "relay", "laid_indptr[row + 1] - place)", "max(0, laid_indptr[row + 1] - place - 1))", "laid_rows"),
]  # fmt: skip


def rewritten(kernel: Callable[..., Any], module: ModuleType, right: str, wrong: str) -> Callable[..., Any]:
    """The kernel in plain Python, and those that it calls, with every ``right`` replaced by ``wrong``."""
    source = inspect.getsource(kernel.py_func)  # type: ignore[attr-defined]
    assert right in source, f"{kernel} no longer holds {right!r}"
    plain = source[source.index("def ") :].replace(right, wrong)
    # What a compiled kernel hands back is Python's own int: one of 64 bits without sign fits no other kernel.
    names = {name: getattr(value, "py_func", value) for name, value in (vars(kernels) | vars(module)).items()}
    exec(compile(f"from __future__ import annotations\n{plain}", "rewritten", "exec"), names)
    return names[kernel.py_func.__name__]  # type: ignore[attr-defined,no-any-return]


def check_all_communities() -> None:
    for graph in cases():
        for resolution in (0.5, 1.0, 3.0):
            check_communities(graph, resolution)


WHOLE: dict[str, Callable[[], None]] = {
    "communities": check_all_communities,
    "pair_facts": lambda: check_pair_facts(SMALL, SMALL_CUTS),
    "exposures": check_exposures,
    "laid_rows": check_laid_rows,
}
"""Checks that bring their own cases; the others run on graphs."""


def run(check: str) -> None:
    if check in WHOLE:
        WHOLE[check]()
        return
    name = check.removeprefix("directed ")
    if name in CHECKS and name == check:
        for graph in graphs():
            CHECKS[name](graph)
    if name in DIRECTED_CHECKS:
        for directed in directed_graphs():
            DIRECTED_CHECKS[name](directed)


def put(case: Wrong, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = getattr(case.module, case.kernel)
    monkeypatch.setattr(case.module, case.kernel, rewritten(kernel, case.module, case.right, wrong))
    if case.caller:
        caller = getattr(case.module, case.caller)
        monkeypatch.setattr(case.module, case.caller, rewritten(caller, case.module, "def", "def"))


FAILURES = (AssertionError, IndexError, ValueError, ranks.NotConverged)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case.kernel}: {case.what}")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_kernel_made_wrong_is_caught(case: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    put(case, case.wrong, monkeypatch)
    with pytest.raises(FAILURES):
        run(case.check)


@pytest.mark.parametrize("case", {case.kernel: case for case in WRONG}.values(), ids=lambda case: case.kernel)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_same_kernel_left_right_is_not(case: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    put(case, case.right, monkeypatch)
    run(case.check)
