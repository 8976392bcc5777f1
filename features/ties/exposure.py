"""How much of a customer's network has lately left or turned detractor: next to the customer, and further on.

It knows who is a seed and since when, and refuses to know why: churn and detractor exposure are the same sums over
different seeds. Exposure predicts; it is no estimate of what one person's leaving causes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from .arrays import node_numbers
from .frames import AnyGraph, as_tie_graph
from .graph import TieGraph
from .kernels import FloatArray, chunked, frozen
from .locality import LaidRows, rows_in_place
from .names import EXPOSURE_WINDOWS_DAYS
from .seeds import close_seed_sums, reachable_sums, second_hop_sums, seed_sums, window_codes
from .spreading import aged_energy, received_energy

FEWEST_DAYS_SEEN = 30
"""A pace is taken over at least so many days: two contacts in the last three days before leaving are no friendship. A
judgement."""


def exposures(
    graph: AnyGraph,
    seed_age_days: FloatArray | None,
    kind: str,
    windows_days: Sequence[int] = EXPOSURE_WINDOWS_DAYS,
) -> pl.DataFrame:
    r"""Count, share and strength-weighted share of each node's neighbours that became seeds lately.

    Parameters
    ----------
    graph
        Ties between n nodes; an ordinary networkx graph as `as_tie_graph` reads it, nodes in its order.
    seed_age_days
        float, n: days since the node became a seed, NaN = it is none. Age a falls into window w when ``0 <= a <= w``;
        count calendar days, lest a daylight-saving hour shift the edge. Negative = not yet. None = seeds unknown.
    kind
        First part of the column names, such as ``churn``.
    windows_days
        Lengths of the windows.

    Returns
    -------
    polars.DataFrame
        One row per node, in node order; per direction (all ties, then ``_out``: those in which the node contacted the
        neighbour) and window: ``{kind}_exposure_n``, ``_share``, ``_weighted``. Null where the node has no such tie,
        where the ties carry no direction (``_out``) or the seeds are unknown; the weighted share also where all
        weights are 0. Then, per window, ``{kind}_exposure_two_hop``: the same weighted share seen from the
        neighbours, null where none of them has another tie; and ``{kind}_exposure_spread``: energy that reached the
        node from seeds by `spreading_activation`, 1 = all of one fresh seed's, null where the node has no tie.
        Shares lie in [0, 1] and never fall from a window to a longer one.

    Raises
    ------
    UsageError
        ``seed_age_days`` is not one number for each node.

    Notes
    -----
    With neighbours N_i, weights w and seeds S: n = \|N_i & S\|, share = n / \|N_i\|,
    weighted = sum_{j in S} w_ij / sum_j w_ij, the weighted-vote neighbour of Macskassy & Provost 2007 with votes 0
    and 1. Outgoing ties apart, and short windows, because only outgoing ties and churn younger than five weeks
    mattered in Haenlein 2013. Two hops: the mean over neighbours j, weighted by w_ij, of

    .. math:: \frac{\sum_{k \in S, k \ne i} w_{jk}}{\sum_{k \ne i} w_{jk}}

    over those j that are tied to somebody beside i: i's own leaving or answer never counts for i. A friend of a friend
    who is also a friend counts in both figures. Spreading: seeds with energy 2^(-age / 30 d); what a seed keeps of its
    own is left out, what comes back to it through others is not. O(n + m), spreading O(m) a step.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> ties = pl.DataFrame({"node_a": [0, 0], "node_b": [1, 2], "strength": [3.0, 1.0]})
    >>> left = np.array([np.nan, 5.0, np.nan])
    >>> table = exposures(TieGraph.from_ties(ties, 3), left, "churn", [7])
    >>> table.row(0)[:6]
    (1, 0.5, 0.75, None, None, None)
    >>> table["churn_exposure_two_hop_7d"].to_list()
    [None, 0.0, 1.0]
    """
    graph = as_tie_graph(graph)
    if seed_age_days is not None:
        seed_age_days = node_numbers(seed_age_days, graph.n_nodes, "seed_age_days")
    return exposures_by_kind(graph, rows_in_place(graph), {kind: seed_age_days}, windows_days)


def exposures_by_kind(
    graph: TieGraph,
    rows: LaidRows,
    seed_age_days: Mapping[str, FloatArray | None],
    windows_days: Sequence[int] = EXPOSURE_WINDOWS_DAYS,
) -> pl.DataFrame:
    """Give the columns of `exposures` for each kind of seed, one row per node in node order.

    ``rows`` are those of the graph in any place: where they lie changes two-hop shares by a last bit at most, nothing
    else. What does not depend on the seeds is done once, and energy of two kinds spreads in the same steps.
    """
    known = {kind: ages for kind, ages in seed_age_days.items() if ages is not None}
    columns: dict[str, pl.Series] = {}
    for kind in seed_age_days.keys() - known.keys():
        columns |= _unknown_columns(kind, graph.n_nodes, windows_days)
    if known:
        entries = rows.indptr, rows.indices, rows.weights
        energy = np.column_stack([aged_energy(ages) for ages in known.values()])
        received = received_energy(entries, energy[rows.node_of])[rows.row_of]
        reachable = reachable_sums(*entries)[rows.row_of]
        for column, (kind, ages) in enumerate(known.items()):
            seeds = Seeds(ages, windows_days)
            columns |= _near_columns(graph, seeds, kind) | _two_hop_columns(rows, seeds, kind, reachable)
            columns[f"{kind}_exposure_spread"] = _where(graph.degrees > 0, received[:, column].copy())
    return pl.DataFrame(
        {name: columns[name] for kind in seed_age_days for name in _names(kind, windows_days)}
    )


def close_exposures(
    graph: TieGraph,
    seed_age_days: FloatArray | None,
    tie_days: int,
    windows_days: Sequence[int] = EXPOSURE_WINDOWS_DAYS,
) -> pl.DataFrame:
    r"""Count each node's close friends who left lately, and their share in its contacts, by pace and not by total.

    Parameters
    ----------
    graph
        Ties between n nodes; without ``active_days`` nothing is known.
    seed_age_days
        As for `exposures`: days since the node left.
    tie_days
        Days whose contacts make a tie.
    windows_days
        Lengths of the windows.

    Returns
    -------
    polars.DataFrame
        One row per node; per window ``churn_exposure_close_n`` and ``churn_exposure_paced``. Null where the node has no
        tie or the seeds are unknown.

    Notes
    -----
    Who left half-way through the window had half of it to be in contact, and decay takes most of what was left: by
    strength as of today, those who left are the weakest friends. Pace makes them comparable: active days over the days
    that j was there, :math:`p_{ij} = A_{ij} / \max(T - age_j, 30)`, with T for those who stayed. Close: at least the
    mean pace of i's ties. Paced share: sum over seeds of p_ij over sum of all p_ij. A pace over less than 30 days is
    not trusted, and counts too low instead. O(n + m).

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> pairs = pl.DataFrame(
    ...     {"node_a": [0, 0], "node_b": [1, 2], "strength": [1.0, 9.0], "active_days": [4, 6]}
    ... )
    >>> left = np.array([np.nan, 60.0, np.nan])
    >>> close_exposures(TieGraph.from_ties(pairs, 3), left, 90, [30, 90]).row(0)
    (0, 0.0, 1, 0.6666666666666666)
    """
    names = [f"churn_exposure_{what}_{days}d" for days in windows_days for what in ("close_n", "paced")]
    if seed_age_days is None or "active_days" not in graph.ties.columns:
        kinds = [pl.Int64, pl.Float64] * len(windows_days)
        unknown = zip(names, kinds, strict=True)
        return pl.DataFrame({name: pl.Series([None] * graph.n_nodes, dtype=kind) for name, kind in unknown})
    seeds = Seeds(seed_age_days, windows_days)
    whole = np.zeros(graph.n_nodes)
    counts = np.zeros((seeds.n_windows, graph.n_nodes), np.int64)
    sums = np.zeros((seeds.n_windows, graph.n_nodes))
    active_days = frozen(graph.ties["active_days"].to_numpy(), np.int32)
    days = frozen(np.array([tie_days, FEWEST_DAYS_SEEN]), np.float64)
    given = graph.indptr, graph.indices, graph.tie_rows, active_days, seeds.age_days, days, seeds.codes
    with chunked(graph.indptr) as each:
        each(lambda _, first, last: close_seed_sums(first, last, *given, whole, counts, sums))
    columns: list[pl.Series] = []
    for window in seeds.places.values():
        columns += [_where(graph.degrees > 0, counts[window]), _ratio(sums[window], whole)]
    return pl.DataFrame(dict(zip(names, columns, strict=True)))


class Seeds:
    """Who is a seed and since when, as the compiled loops read it."""

    def __init__(self, age_days: FloatArray, windows_days: Sequence[int]) -> None:
        ascending = sorted(set(windows_days))
        self.age_days = frozen(age_days, np.float64)
        self.n_windows = len(ascending)
        self.places = {days: ascending.index(days) for days in windows_days}
        """Where the sums hold each of the windows."""
        self.codes = frozen(window_codes(self.age_days, frozen(np.array(ascending), np.float64)), np.uint8)


_MEASURES = ("n", "share", "weighted")


def _names(kind: str, windows_days: Sequence[int]) -> list[str]:
    near = [
        f"{kind}_exposure_{measure}{direction}_{days}d"
        for direction in ("", "_out")
        for days in windows_days
        for measure in _MEASURES
    ]
    return [*near, *(f"{kind}_exposure_two_hop_{days}d" for days in windows_days), f"{kind}_exposure_spread"]


def _unknown_columns(kind: str, n_nodes: int, windows_days: Sequence[int]) -> dict[str, pl.Series]:
    def dtype(name: str) -> type[pl.DataType]:
        return pl.Int64 if name.startswith(f"{kind}_exposure_n_") else pl.Float64

    return {
        name: pl.Series([None], dtype=dtype(name)).new_from_index(0, n_nodes)
        for name in _names(kind, windows_days)
    }


def _near_columns(graph: TieGraph, seeds: Seeds, kind: str) -> dict[str, pl.Series]:
    marks = frozen(np.zeros(0) if graph.marks is None else graph.marks, np.uint8)
    n_read, whole = np.zeros((2, graph.n_nodes), np.int64), np.zeros((2, graph.n_nodes))
    counts = np.zeros((2, seeds.n_windows, graph.n_nodes), np.int64)
    sums = np.zeros((2, seeds.n_windows, graph.n_nodes))
    given = graph.indptr, graph.indices, graph.weights, marks, seeds.codes
    with chunked(graph.indptr) as each:
        each(lambda _, first, last: seed_sums(first, last, *given, n_read, whole, counts, sums))
    columns: dict[str, pl.Series] = {}
    for position, direction in enumerate(("", "_out")):
        n_ties = n_read[position]
        for days, window in seeds.places.items():
            count = counts[position, window]
            columns[f"{kind}_exposure_n{direction}_{days}d"] = _where(n_ties > 0, count)
            columns[f"{kind}_exposure_share{direction}_{days}d"] = _ratio(count, n_ties)
            weighted = _ratio(sums[position, window], whole[position])
            columns[f"{kind}_exposure_weighted{direction}_{days}d"] = weighted
    return columns


def _two_hop_columns(rows: LaidRows, seeds: Seeds, kind: str, reachable: FloatArray) -> dict[str, pl.Series]:
    codes = frozen(seeds.codes[rows.node_of], np.uint8)
    sums = second_hop_sums(rows.indptr, rows.indices, rows.weights, codes, seeds.n_windows)[rows.row_of]
    return {
        f"{kind}_exposure_two_hop_{days}d": _ratio(sums[:, window], reachable)
        for days, window in seeds.places.items()
    }


def _where(is_defined: np.ndarray, values: np.ndarray) -> pl.Series:
    return pl.select(pl.when(pl.lit(pl.Series(is_defined))).then(pl.lit(pl.Series(values)))).to_series()


def _ratio(part: np.ndarray, whole: np.ndarray) -> pl.Series:
    return _where(whole > 0, part / np.where(whole > 0, whole, 1))
