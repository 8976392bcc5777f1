"""What is judged: rows that a model did not learn from, with its risks. It decides their order and who is selected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from churnrisk.metrics.ranking import TOP_SHARE

from ..rows import Rows

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Subject:
    """Rows with outcomes and the risk (0 to 1) of each; make one with :func:`subject_of`.

    ``seed`` is that of every resample.
    """

    rows: Rows
    risk: Floats
    seed: int = 0

    @cached_property
    def customer(self) -> NDArray[np.str_]:
        """Customer id of each row, as text."""
        return self.rows.customer.astype(str)

    @property
    def weight(self) -> Floats | None:
        """Weights where any differs from 1."""
        return self.rows.weight if self.rows.is_weighted else None

    @property
    def left(self) -> Floats:
        """Outcome of each row: 1 = left."""
        return self.rows.left

    @property
    def looks(self) -> list[str]:
        """The as-of days (ISO) of the rows, rising."""
        return sorted(set(self.rows.snapshot.tolist()))

    @cached_property
    def is_selected(self) -> NDArray[np.bool_]:
        """Whether a row is in the riskiest tenth of its look; equal risks in the order of ids."""
        chosen = np.zeros(len(self.risk), dtype=bool)
        for day in self.looks:
            inside = np.flatnonzero(self.rows.snapshot == day)
            order = np.lexsort((self.customer[inside], -self.risk[inside]))
            chosen[inside[order[: max(1, round(TOP_SHARE * len(inside)))]]] = True
        return chosen

    def where(self, chosen: NDArray[np.bool_]) -> Subject:
        """Return the rows where ``chosen`` is true."""
        return Subject(self.rows.where(chosen), self.risk[chosen], self.seed)


def subject_of(rows: Rows, risk: Floats, *, seed: int = 0) -> Subject:
    """Return rows and risks in the order of look and customer, so that the order they came in changes no bit."""
    order = np.lexsort((rows.customer.astype(str), rows.snapshot.astype(str)))
    return Subject(in_order(rows, order), risk[order], seed)


def in_order(rows: Rows, order: NDArray[np.intp]) -> Rows:
    """Return rows in another order."""
    return Rows(
        rows.frame[order],
        rows.left[order],
        rows.weight[order],
        rows.customer[order],
        rows.snapshot[order],
        None if rows.is_control is None else rows.is_control[order],
        None if rows.kind is None else rows.kind[order],
    )
