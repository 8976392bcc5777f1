"""On whose outcomes an offer's effect rests: the rows, how much each counts, and whether they are enough.

It decides which comparison serves, and refuses to know what is learned from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churnrisk import metrics

from .alike import ALL_CONTROLS, SAME_OFFER, Alike, alike, said_from
from .nuisance import Nuisance
from .rows import UpliftRows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEWEST_ROWS = 200
"""Treated, and controls, from whom an order of customers is asked, and among all controls the average (judgement)."""

FEWEST_ALIKE = 50
"""Those made an offer, and controls of the same offer, from whom its average is measured: the interval is honest there
and what it says is weighed with the assumption (judgement; the same number as in a campaign)."""

FEWEST_LEAVERS = 25
"""Leavers among the treated and the controls together from whom an effect is measured (judgement)."""


@dataclass(frozen=True)
class Evidence:
    """Whose outcomes speak for one offer."""

    group: Alike
    domain: Flags
    """Shape (n,): rows over which the effect is told; among all controls those of other offers too."""
    n_leavers: int
    """Of those made the offer and the controls."""

    @property
    def is_same_offer(self) -> bool:
        """Whether controls of the same offer alone stand beside it."""
        return self.group.compared_with == SAME_OFFER

    @property
    def is_enough(self) -> bool:
        """Whether the average effect can be measured."""
        fewest = FEWEST_ALIKE if self.is_same_offer else FEWEST_ROWS
        return min(self.group.counts) >= fewest and self.n_leavers >= FEWEST_LEAVERS

    @property
    def can_order(self) -> bool:
        """Whether an order of customers is asked for."""
        return self.is_enough and min(self.group.counts) >= FEWEST_ROWS

    @property
    def words(self) -> str:
        """Whom those made the offer are compared with."""
        if self.is_same_offer:
            return "compared with controls of the same offer, each customer's first time"
        return "compared with all controls, weighted"

    @property
    def lacks(self) -> str:
        """What is missing before the effect can be measured."""
        n_made, n_left = self.group.counts
        fewest = FEWEST_ALIKE if self.is_same_offer else FEWEST_ROWS
        return (
            f"{n_made} treated and {n_left} controls {'of the same offer ' if self.is_same_offer else ''}with "
            f"{self.n_leavers} leavers; measured from {fewest} of each and {FEWEST_LEAVERS} leavers"
        )


@dataclass(frozen=True)
class Weighed:
    """The rows of one offer's evidence with what each says of the effect: arrays of shape (m,)."""

    here: Flags
    """Shape (n,): which of all rows they are."""
    scores: Floats
    """Doubly robust, held out."""
    weight: Floats
    customer: NDArray[np.str_]
    kept: metrics.ShareKept

    def average(self) -> metrics.Interval:
        """Return the average effect."""
        return metrics.mean_effect(self.scores, weight=self.weight, customer=self.customer)


def evidence(rows: UpliftRows) -> tuple[Evidence, ...]:
    """Return for every offer, in the order of the arms, on whose outcomes its effect rests.

    Notes
    -----
    Controls of the same offer where any says it (:func:`.alike.alike`). Until there are enough of them, what came
    before the first control that says its offer stays: there nobody could say it, and all controls are compared,
    weighted. An offer of which no control ever says that it would have been made (sources' own treatments) rests on all
    controls.
    """
    found = []
    since = said_from(rows)
    is_control = rows.arm == 0
    every = np.ones(len(rows.arm), dtype=np.bool_)
    for arm, group in enumerate(alike(rows), start=1):
        told = _of(rows, group, group.here)
        if not told.is_same_offer or since is None or rows.lot is None:
            found.append(_of(rows, group, every))
            continue
        is_made = rows.arm == arm
        if not bool((rows.lot.instead_of == rows.arms[arm]).any()):
            told = _of(rows, Alike(is_made, is_control, ALL_CONTROLS), every)
        elif not told.is_enough:
            before = rows.lot.at < since
            earlier = _of(rows, Alike(is_made & before, is_control & before, ALL_CONTROLS), before)
            told = earlier if earlier.is_enough else told
        found.append(told)
    return tuple(found)


def _of(rows: UpliftRows, group: Alike, domain: Flags) -> Evidence:
    return Evidence(group, domain, int((rows.stayed[group.here] == 0).sum()))


def weighed(rows: UpliftRows, arm: int, found: Evidence, nuisance: Nuisance) -> Weighed:
    r"""Return the rows of an offer's evidence, with doubly robust scores within them.

    Notes
    -----
    Among controls of the same offer the lot alone decided. Each row weighs what it stands for (1, or the odds of the
    lot); so weighed, those made the offer are the same share :math:`e` everywhere, and the scores are
    :math:`\mu_a - \mu_0 + 1[made](Y - \mu_a)/e - 1[left](Y - \mu_0)/(1 - e)`. Their weighted mean is the effect on
    those whom the choice fell on, however wrong the expectations (e is known by design). These are first drawn to their
    mean as far as they tell more than holds here.

    Among all controls the scores are those of everybody, at recorded or estimated chances.
    """
    here, customer = found.domain, rows.customer[found.domain].astype(str)
    expected = nuisance.expected[here][:, [0, arm]]
    side = np.where(found.group.made, 1, np.where(found.group.left, 0, -1))[here]
    if not found.is_same_offer or found.group.odds is None:
        chance = nuisance.propensity[np.arange(len(rows.arm)), rows.arm][here]
        weight, scores = np.ones(len(side)), nuisance.scores(rows)[here, arm - 1]
    else:
        weight = _even(found.group.odds[here], side)
        share = float(weight[side == 1].sum() / weight.sum())
        expected = _steadied(expected, rows.stayed[here], side)
        chances = np.tile([1 - share, share], (len(side), 1))
        chance = chances[np.arange(len(side)), side]
        scores = metrics.aipw_scores(rows.stayed[here], side, expected, chances)[:, 0]
    kept = metrics.share_kept(rows.stayed[here], side, expected, chance, weight=weight, customer=customer)
    return Weighed(here, scores, weight, customer, kept)


def _steadied(expected: Floats, stayed: Floats, side: NDArray[np.int_]) -> Floats:
    """Return expectations, shape (m, 2), drawn to their means by the slope at which outcomes follow them.

    The slope is that within both sides together, by least squares, between 0 and 1. Expectations that were taught by
    few or by others tell differences that are none; left so, they widen errors, which would be told too small.
    """
    pulls = squares = 0.0
    for place in (0, 1):
        on = side == place
        away = expected[on, place] - expected[on, place].mean()
        pulls, squares = pulls + float(away @ stayed[on]), squares + float(away @ away)
    slope = min(max(pulls / squares, 0.0), 1.0) if squares > 0 else 0.0
    means = expected.mean(axis=0)
    return np.asarray(means + slope * (expected - means))


def _even(odds: Floats, side: NDArray[np.int_]) -> Floats:
    """Return the odds, or 1 for all where every control stands for as many: that is the same and less noisy."""
    of_controls = odds[side == 0]
    is_one = bool(np.allclose(of_controls, of_controls[0]))
    return np.ones(len(odds)) if is_one else odds
