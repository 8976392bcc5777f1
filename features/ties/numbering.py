"""Nodes for ids: every id of two columns gets its place among all of them, in ascending order.

It knows whole numbers and text, and refuses to know what an id stands for.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from .kernels import NodeArray

_SPARSEST = 8
"""Whole numbers whose range is at most so many times the rows are looked up in a table, others hashed. A judgement: the
table then takes no more memory than the columns."""


def numbered_ends(first: pl.Series, second: pl.Series) -> tuple[pl.Series, NodeArray, NodeArray]:
    r"""Give all different ids ascending, and the place of each id of both columns among them.

    Parameters
    ----------
    first, second
        Ids of one type, none null.

    Returns
    -------
    labels, first_nodes, second_nodes
        The ids; int32 per row.

    Notes
    -----
    O(rows) for whole numbers that lie close together; else one hash join a column.

    Examples
    --------
    >>> import polars as pl
    >>> labels, first, second = numbered_ends(pl.Series(["c", "a"]), pl.Series(["b", "b"]))
    >>> labels.to_list(), first.tolist(), second.tolist()
    (['a', 'b', 'c'], [2, 0], [1, 1])
    """
    least, span = _range(first, second)
    if 0 < span <= _SPARSEST * len(first) + 1:
        ends = [np.asarray(end.cast(pl.Int64).to_numpy()) - least for end in (first, second)]
        is_present = np.zeros(span, np.bool_)
        for end in ends:
            is_present[end] = True
        numbers = (np.cumsum(is_present, dtype=np.int32) - 1).astype(np.int32)
        labels = pl.Series("label", np.flatnonzero(is_present) + least).cast(first.dtype)
        return labels, numbers[ends[0]], numbers[ends[1]]
    labels = pl.concat([first.rename("label"), second.rename("label")]).unique().sort()
    table = pl.DataFrame({"label": labels, "node": np.arange(len(labels), dtype=np.int32)})
    nodes = [
        end.to_frame("label").join(table, on="label", how="left", maintain_order="left")["node"].to_numpy()
        for end in (first, second)
    ]
    return labels, nodes[0], nodes[1]


def _range(first: pl.Series, second: pl.Series) -> tuple[int, int]:
    """Least whole number and how many there are up to the greatest; 0 of them when ids are no such numbers."""
    if not first.dtype.is_integer() or first.dtype in {pl.UInt64, pl.Int128, pl.UInt128} or not len(first):
        return 0, 0
    ends = pl.select(
        pl.min_horizontal(first.min(), second.min()).cast(pl.Int64).alias("least"),
        pl.max_horizontal(first.max(), second.max()).cast(pl.Int64).alias("greatest"),
    ).row(0, named=True)
    return ends["least"], ends["greatest"] - ends["least"] + 1
