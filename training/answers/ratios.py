"""Log likelihood ratios given the risk: a logistic regression with the risk as offset, shrunk to stated values.

It knows arrays, and refuses to know who was asked and why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from churnrisk.bundle import DEFAULT_LOG_RATIOS, EVIDENCE

Floats = NDArray[np.float64]

STRENGTH = 20.0
"""How much the stated ratios count for: as twenty leavers who gave that answer. A judgement, with the slope's prior the
best of three strengths on drawn worlds; the figures in the benchmarks are of others."""

JEFFREYS = 0.5
"""Stayers added to each answer, so that none has a share of 0."""

MOST_STEPS = 100
SETTLED = 1e-10

DEFAULTS = np.array([DEFAULT_LOG_RATIOS[name] for name in EVIDENCE])


@dataclass(frozen=True, eq=False)
class Asked:
    """Past invitations with what came of them, one row each; every field of shape (n,), ``chances`` (n, 4).

    ``offset``: log odds of the risk at asking. ``place``: of the evidence in ``EVIDENCE``. ``aged``: 2^(-age /
    half-life), 0 to 1. ``left``: 0 or 1 without a retention action. ``member``: number of the customer.
    """

    offset: Floats
    place: NDArray[np.intp]
    aged: Floats
    left: Floats
    weight: Floats
    member: NDArray[np.intp]
    chances: Floats

    def where(self, chosen: NDArray[np.bool_]) -> Asked:
        """Return the rows where ``chosen`` is true."""
        return Asked(**{name: value[chosen] for name, value in vars(self).items()})

    @property
    def design(self) -> Floats:
        """Level of these rows, then the aged flag of each evidence: (n, 5)."""
        flags = np.zeros((len(self.left), 1 + len(EVIDENCE)))
        flags[:, 0] = 1.0
        flags[np.arange(len(self.left)), 1 + self.place] = self.aged
        return flags


@dataclass(frozen=True, eq=False)
class FittedRatios:
    """``values`` (4,) in the order of ``EVIDENCE``, their ``covariance`` (4, 4), and the ``level`` of these rows.

    The values are P(answer | leaves) / P(answer | stays) at the shares of the stayers: over those, the ratios'
    mean is 1.
    """

    values: Floats
    covariance: Floats
    level: float


def fitted_ratios(asked: Asked, *, strength: float = STRENGTH) -> FittedRatios:
    """Return the ratios that go with leaving beyond what the risk says.

    Notes
    -----
    logit P(left) = logit(risk) + level + aged x ratio, penalised by strength / 2 x (ratio - stated)^2: a normal prior
    whose information is that of ``strength`` leavers. The level is free: a risk that is too high or low for those asked
    must not pass for information. The covariance is the sandwich over customers with the prior's share. Detractors are
    never below passives nor these below promoters: an order turned round is pooled (Barlow et al. 1972), since it is
    more likely chance than truth (judgement).
    """
    design = asked.design
    prior = np.array([0.0, *DEFAULTS])
    information = np.diag([1e-6, *[strength] * len(EVIDENCE)])
    found = prior.copy()
    loss = _loss(found, design, asked, prior, information)
    bread = np.linalg.inv(information)
    for _ in range(MOST_STEPS):
        risk = expit(asked.offset + design @ found)
        gradient = design.T @ (asked.weight * (asked.left - risk)) - information @ (found - prior)
        curvature = (design * (asked.weight * risk * (1 - risk))[:, None]).T @ design + information
        bread = np.linalg.inv(curvature)
        step = bread @ gradient
        if float(gradient @ step) < SETTLED:
            break
        for damping in 0.5 ** np.arange(30):
            trial = found + damping * step
            trial_loss = _loss(trial, design, asked, prior, information)
            if trial_loss < loss:
                found, loss = trial, trial_loss
                break
        else:
            break
    away = asked.weight * (asked.left - expit(asked.offset + design @ found))
    scores = np.column_stack([np.bincount(asked.member, weights=away * column) for column in design.T])
    covariance = bread @ (scores.T @ scores + information) @ bread
    values = ordered(found[1:], 1.0 / np.diag(covariance)[1:])
    shares = np.bincount(asked.place, weights=asked.weight * (1 - asked.left), minlength=len(EVIDENCE))
    mass = (shares + JEFFREYS) / (shares + JEFFREYS).sum() * np.exp(values)
    centred = np.eye(len(EVIDENCE)) - mass / mass.sum()
    return FittedRatios(
        values - np.log(mass.sum()), centred @ covariance[1:, 1:] @ centred.T, float(found[0])
    )


def ordered(values: Floats, precision: Floats) -> Floats:
    """Return the ratios with detractor >= passive >= promoter, neighbours out of order pooled; silence as it is.

    >>> ordered(np.array([0.2, 0.4, -0.7, 0.1]), np.array([1.0, 1.0, 1.0, 1.0])).round(3).tolist()
    [0.3, 0.3, -0.7, 0.1]
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values[:3].tolist(), precision[:3].tolist(), strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] < block[0]:
            before = blocks.pop()
            total = before[1] + block[1]
            block = ((before[0] * before[1] + block[0] * block[1]) / total, total, before[2] + block[2])
        blocks.append(block)
    pooled = [value for value, _, n in blocks for _ in range(n)]
    return np.array([*pooled, *values[3:]])


def _loss(found: Floats, design: Floats, asked: Asked, prior: Floats, information: Floats) -> float:
    score = asked.offset + design @ found
    away = found - prior
    fit = asked.weight @ (np.logaddexp(0.0, score) - asked.left * score)
    return float(fit + away @ information @ away / 2)
