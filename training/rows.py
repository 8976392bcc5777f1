"""The training rows: several feature tables under one another, with outcomes.

It decides types, and refuses to know learners; which columns are worth learning is screening.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import KEY_COLUMNS, kind_of

_OF_LABELS = ("left", "weight", "is_control", "kind")


@dataclass(frozen=True)
class Rows:
    """Feature rows with outcomes, one per customer and snapshot.

    ``frame`` holds the feature columns only; ``customer`` is the customer id, ``snapshot`` the as-of day (ISO, empty
    for an extract), ``left`` 0 or 1, ``weight`` > 0 (mean 1).
    """

    frame: pl.DataFrame
    left: NDArray[np.float64]
    weight: NDArray[np.float64]
    customer: NDArray[np.object_]
    snapshot: NDArray[np.object_]
    is_control: NDArray[np.bool_] | None = None
    """Who was picked for a retention action and left without one on purpose; None: no actions are recorded."""
    kind: NDArray[np.object_] | None = None
    """How each leaver left (``kinds``), None for stayers; None: nothing tells."""

    @property
    def n_leavers(self) -> int:
        """Distinct customers who left; overlapping outcome windows count one leaving once."""
        return len(np.unique(self.customer[self.left > 0].astype(str)))

    @property
    def n_stayers(self) -> int:
        """Distinct customers who stayed in at least one snapshot."""
        return len(np.unique(self.customer[self.left == 0].astype(str)))

    @property
    def n_rarer(self) -> int:
        """Distinct customers with the rarer outcome: what there is to learn from, also where most people leave."""
        return min(self.n_leavers, self.n_stayers)

    @property
    def is_weighted(self) -> bool:
        """Whether any weight differs from 1."""
        return bool((self.weight != 1.0).any())

    @property
    def base_rate(self) -> float:
        """Weighted share of leaving rows."""
        return float(self.weight @ self.left / self.weight.sum())

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """Return the rows where ``chosen`` is true."""
        return Rows(
            self.frame.filter(pl.Series(chosen)),
            self.left[chosen],
            self.weight[chosen],
            self.customer[chosen],
            self.snapshot[chosen],
            None if self.is_control is None else self.is_control[chosen],
            None if self.kind is None else self.kind[chosen],
        )

    def without(self, columns: Iterable[str]) -> Rows:
        """Return the same rows without some feature columns."""
        kept = self.frame.drop(list(columns), strict=False)
        return replace(self, frame=kept)


def rows_of(snapshots: Sequence[tuple[str, pl.DataFrame, pl.DataFrame]]) -> Rows:
    """Return the rows of (as-of day, feature table, labels by customer_key) triples, in the order given.

    Customers without a label (in notice, left in the gap, gone) fall out; so do labelled ones without features. A
    column that a snapshot lacks is null there; one that is a number in one and text in another is text. Labels may
    carry ``weight``, brought to a mean of 1 over all rows, ``is_control`` and ``kind``.
    """
    text = _text_columns([features for _, features, _ in snapshots])
    # One snapshot at a time, and its pieces put one under the other without a copy: wide tables are held once.
    labelled = [
        _in_one_type(features.join(labels, on="customer_key", how="inner", maintain_order="left"), text)
        for _, features, labels in snapshots
    ]
    days = [
        pl.repeat(day, frame.height, dtype=pl.String, eager=True)
        for (day, _, _), frame in zip(snapshots, labelled, strict=True)
    ]
    together = pl.concat(labelled, how="diagonal")
    del labelled
    weight = (
        together["weight"].fill_null(1.0).to_numpy()
        if "weight" in together.columns
        else np.ones(together.height)
    )
    return Rows(
        frame=together.drop(*KEY_COLUMNS, *_OF_LABELS, strict=False),
        left=together["left"].cast(pl.Float64).to_numpy(),
        weight=weight if (weight == 1.0).all() else weight / weight.mean(),
        customer=together["customer_id"].to_numpy().astype(object),
        snapshot=pl.concat(days).to_numpy().astype(object),
        is_control=together["is_control"].cast(pl.Boolean).fill_null(False).to_numpy()
        if "is_control" in together.columns
        else None,
        kind=together["kind"].to_numpy().astype(object) if "kind" in together.columns else None,
    )


def unified(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return the frames with one type per column over all: Float64 for numbers, String as soon as one is text.

    Other types (dates, lists) and key columns stay as they are.
    """
    text = _text_columns(frames)
    return [_in_one_type(frame, text) for frame in frames]


def _text_columns(frames: Sequence[pl.DataFrame]) -> set[str]:
    return {
        name
        for frame in frames
        for name, dtype in frame.schema.items()
        if kind_of(dtype) == "category" and name not in KEY_COLUMNS
    }


def _in_one_type(frame: pl.DataFrame, text: Collection[str]) -> pl.DataFrame:
    return frame.with_columns(
        _as_text(frame, name) if name in text else pl.col(name).cast(pl.Float64)
        for name, dtype in frame.schema.items()
        if name not in (*KEY_COLUMNS, "kind") and kind_of(dtype) is not None
    )


def _as_text(frame: pl.DataFrame, name: str) -> pl.Expr:
    if frame.schema[name].is_float():
        return pl.col(name).cast(pl.String).str.strip_suffix(".0")
    return pl.col(name).cast(pl.String)


def rows_together(parts: Sequence[Rows]) -> Rows:
    """Return the rows of several under one another; columns that a part lacks are null there."""
    frames = unified([part.frame for part in parts])
    kinds = [np.full(len(part.left), None, object) if part.kind is None else part.kind for part in parts]
    controls = [
        np.zeros(len(part.left), dtype=bool) if part.is_control is None else part.is_control for part in parts
    ]
    return Rows(
        frame=pl.concat(frames, how="diagonal"),
        left=np.concatenate([part.left for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        customer=np.concatenate([part.customer for part in parts]),
        snapshot=np.concatenate([part.snapshot for part in parts]),
        is_control=None if all(part.is_control is None for part in parts) else np.concatenate(controls),
        kind=None if all(part.kind is None for part in parts) else np.concatenate(kinds),
    )
