"""The rows that effects are learned from: customers at a treatment, what they were given, and whether they stayed.

It decides what a row holds, and refuses to know where it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Feature
from churnrisk.errors import Fault, ModelUnfit

from ..folds import Folds, customer_folds
from ..rows import Rows
from ..screening import screened

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTROL = "control"


@dataclass(frozen=True)
class Lot:
    """What is known of the lot that left some without, row by row as in :class:`UpliftRows`: arrays of shape (n,)."""

    instead_of: NDArray[np.object_]
    """The offer (text) that a control would have been made; None: an offer was made, or nobody said."""
    at: NDArray[np.datetime64]
    """When the lot fell: an offer was made, or somebody left without."""
    left_alone: Floats | None = None
    """Over 0 to 1, of controls: the chance with which the lot left those picked for the offer alone; nan: not known.
    None: the same for all."""

    def where(self, chosen: NDArray[np.bool_]) -> Lot:
        """Return the rows where ``chosen`` is true."""
        alone = None if self.left_alone is None else self.left_alone[chosen]
        return Lot(self.instead_of[chosen], self.at[chosen], alone)


@dataclass(frozen=True)
class UpliftRows:
    """One row per treatment, or per customer deliberately left without.

    ``frame`` holds feature columns only, as of before the treatment.
    """

    frame: pl.DataFrame
    arms: tuple[str, ...]
    """Names of the arms; the first is ``control``, the others are offers."""
    arm: Ints
    """Shape (n,): place in ``arms``."""
    stayed: Floats
    """Shape (n,), 0 or 1: whether the customer stayed through the window after the treatment."""
    propensity: Floats
    """Shape (n,), over 0 to 1: probability with which what was given had been assigned; nan = not recorded."""
    customer: NDArray[np.object_]
    taken: Floats | None = None
    """Shape (n,), 0 or 1: the offer was taken; nan = not recorded, or control."""
    lot: Lot | None = None
    """Which offer controls would have been made; None = nobody said."""

    def __post_init__(self) -> None:
        """Refuse lengths that differ, arms without a name, outcomes other than 0 or 1 and impossible propensities."""
        n = self.frame.height
        parts = (self.arm, self.stayed, self.propensity, self.customer)
        further = () if self.lot is None else (self.lot.instead_of, self.lot.at)
        taken = () if self.taken is None else (self.taken,)
        if any(len(part) != n for part in (*parts, *taken, *further)):
            msg = f"{n} arms, outcomes, propensities and customers"
            raise ValueError(msg)
        if (
            not self.arms
            or self.arms[0] != CONTROL
            or (n and not 0 <= self.arm.min() <= self.arm.max() < len(self.arms))
        ):
            msg = f"arms numbered from 0, which is {CONTROL}"
            raise ValueError(msg)
        known = self.propensity[~np.isnan(self.propensity)]
        if not bool(np.isin(self.stayed, (0.0, 1.0)).all() and ((known > 0) & (known <= 1)).all()):
            msg = "outcomes of 0 or 1, and propensities over 0 up to 1"
            raise ValueError(msg)

    @property
    def n_arms(self) -> int:
        """Arms, control included."""
        return len(self.arms)

    def n_in(self, arm: int) -> int:
        """Rows of an arm."""
        return int((self.arm == arm).sum())

    def leavers_in(self, arm: int) -> int:
        """Rows of an arm whose customer left."""
        return int(((self.arm == arm) & (self.stayed == 0)).sum())

    def where(self, chosen: NDArray[np.bool_]) -> UpliftRows:
        """Return the rows where ``chosen`` is true."""
        taken = None if self.taken is None else self.taken[chosen]
        return UpliftRows(
            self.frame.filter(pl.Series(chosen)),
            self.arms,
            self.arm[chosen],
            self.stayed[chosen],
            self.propensity[chosen],
            self.customer[chosen],
            taken,
            None if self.lot is None else self.lot.where(chosen),
        )

    def folds(self, n_folds: int, salt: str) -> Folds:
        """Return the fold of each row: all rows of a customer in one, leavers dealt out evenly."""
        return customer_folds(self.customer, 1.0 - self.stayed, n_folds, salt=salt)

    def features(self, leave_out: Sequence[str] = ()) -> tuple[Feature, ...]:
        """Return the columns worth learning from; raise ModelUnfit when there is none."""
        n = self.frame.height
        told = Rows(self.frame, 1.0 - self.stayed, np.ones(n), self.customer, np.full(n, "", dtype=object))
        found = screened(told, lambda _: "", left_out=leave_out).features
        if not found:
            raise ModelUnfit(
                Fault(
                    code="nothing_to_learn",
                    where="treatments",
                    expected="at least one feature that differs between treated customers",
                    found="none",
                    remedy="Add sources that were known before the treatments.",
                )
            )
        return found
