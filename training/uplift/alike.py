"""Who is compared with whom: those made an offer, and those left without.

It decides whom a contrast holds and how much each stands for, and refuses to know what came of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .rows import UpliftRows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SAME_OFFER, ALL_CONTROLS = "controls of the same offer", "all controls, weighted"


@dataclass(frozen=True)
class Alike:
    """Whom the customers of one offer are compared with."""

    made: Flags
    """Shape (n,): rows made the offer that are compared."""
    left: Flags
    """Shape (n,): controls that they are compared with."""
    compared_with: str
    """:data:`SAME_OFFER` or :data:`ALL_CONTROLS`."""
    odds: Floats | None = None
    """Of the same offer, shape (n,): how many of those made it a control stands for; 1 for offers made."""

    @property
    def here(self) -> Flags:
        """Shape (n,): all rows that are compared."""
        return self.made | self.left

    @property
    def counts(self) -> tuple[int, int]:
        """Rows made the offer, and controls."""
        return int(self.made.sum()), int(self.left.sum())

    def among(self, chosen: Flags) -> Alike:
        """Return those of them for whom ``chosen``, shape (n,), holds."""
        return Alike(self.made & chosen, self.left & chosen, self.compared_with, self.odds)

    def chances(self, assigned: Floats) -> Floats:
        """Return of the rows compared, shape (m,), one over what each stands for.

        Parameters
        ----------
        assigned : shape (n,), over 0 to 1: probability with which what was given had been assigned. Among all controls
            it weighs; among those of the same offer the lot alone does.
        """
        return assigned[self.here] if self.odds is None else 1 / self.odds[self.here]


def alike(rows: UpliftRows) -> tuple[Alike, ...]:
    """Return for every offer, in the order of the arms, who is compared.

    Parameters
    ----------
    rows : treatments and controls of one campaign.

    Notes
    -----
    Offers go to those whom they suit, so that the customers of one offer differ from those of another, and all controls
    together are like neither. Where controls say which offer they would have been made, those made it stand beside them
    alone: the same choice fell on both, and the lot parted them. Three things keep that comparison clean:

    - Only the *first* time that a customer was reached counts, on both sides. After it histories differ by the lot:
      who got an offer rests under the contact rules, and a control, whom nobody contacted, is picked again night after
      night, most often those who stay and stay at risk.
    - Offers made before the first control that says its offer are left out, as are customers reached before it: what
      became of them is compared with nobody of their time.
    - Where the chance of being left alone differs (``Lot.left_alone``, recorded by others), a control stands for
      (1 - chance) / chance of those made the offer. Then controls weigh as the customers whom the offer reached
      (weights of the average effect on the treated: Hirano, Imbens & Ridder 2003, Econometrica 71). Where it is not
      known of every control compared, it is taken to be the same.

    Where no control says it, all controls stand beside each offer, weighted by recorded or estimated chances. That is
    right where every customer might have got every offer, or the chances tell all that the choice went by.
    """
    knows, since = _known(rows), said_from(rows)
    is_control = rows.arm == 0
    if knows is None or since is None or rows.lot is None:
        every = (Alike(rows.arm == arm, is_control, ALL_CONTROLS) for arm in range(1, rows.n_arms))
        return tuple(every)
    is_clean = _is_first(rows) & (rows.lot.at >= since)
    found = []
    for arm in range(1, rows.n_arms):
        left = is_clean & knows & (rows.lot.instead_of == rows.arms[arm])
        odds = np.ones(len(rows.arm))
        chance = rows.lot.left_alone
        if chance is not None:
            # a control who was certain to be one has nobody to stand for
            left = left & ~(chance >= 1)
            known = left & (chance > 0)
            if known.any():
                odds[known] = (1 - chance[known]) / chance[known]
                odds[left & ~known] = odds[known].mean()
        found.append(Alike(is_clean & (rows.arm == arm), left, SAME_OFFER, odds))
    return tuple(found)


def said_from(rows: UpliftRows) -> np.datetime64 | None:
    """Return when the first control was left alone who says the offer it would have been made; None: none does."""
    knows = _known(rows)
    return None if knows is None or rows.lot is None else rows.lot.at[knows].min()


def _known(rows: UpliftRows) -> Flags | None:
    """Return shape (n,), which controls say the offer they would have been made; None where none does."""
    if rows.lot is None:
        return None
    said = pl.Series(rows.lot.instead_of.tolist(), dtype=pl.String).is_not_null().to_numpy()
    knows = (rows.arm == 0) & said
    return knows if knows.any() else None


def _is_first(rows: UpliftRows) -> Flags:
    """Return shape (n,), whether a row is its customer's earliest; of equally early ones the first given."""
    if rows.lot is None:
        return np.ones(len(rows.arm), dtype=np.bool_)
    order = np.argsort(rows.lot.at, kind="stable")
    _, places = np.unique(rows.customer.astype(str)[order], return_index=True)
    first = np.zeros(len(order), dtype=np.bool_)
    first[order[places]] = True
    return first
