"""Turns a learner's raw score (log-odds) into a risk with an interval; refuses to know how either was fitted.

Every calibrator is strictly increasing, so that it never changes who is ranked above whom, and contributions to the
score can be turned into points of risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from scipy.special import expit

from .encoding import Floats


class Calibrator(Protocol):
    """A strictly increasing map from raw score (log-odds) to risk (0 to 1, both exclusive)."""

    @property
    def kind(self) -> str:
        """Name of the form."""

    def log_odds(self, score: Floats) -> Floats:
        """Return the calibrated log-odds of each score."""

    def steepness(self, score: Floats) -> Floats:
        """Return the derivative of the calibrated log-odds at each score; at a knot the mean of both sides."""

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""


@dataclass(frozen=True)
class Platt:
    """logit p = slope score + intercept (Platt 1999), slope > 0."""

    slope: float
    intercept: float
    kind: ClassVar[str] = "platt"

    def log_odds(self, score: Floats) -> Floats:
        """Return the calibrated log-odds of each score."""
        return self.slope * score + self.intercept

    def steepness(self, score: Floats) -> Floats:
        """Return the derivative of the calibrated log-odds at each score."""
        return np.full(score.shape, self.slope)

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True)
class Beta:
    """logit p = a ln s - b ln(1 - s) + c with s the logistic of the score (Kull et al. 2017); a, b >= 0, a + b > 0."""

    a: float
    b: float
    c: float
    kind: ClassVar[str] = "beta"

    def log_odds(self, score: Floats) -> Floats:
        """Return the calibrated log-odds of each score."""
        bent: Floats = self.b * np.logaddexp(0.0, score) - self.a * np.logaddexp(0.0, -score) + self.c
        return bent

    def steepness(self, score: Floats) -> Floats:
        """Return the derivative of the calibrated log-odds at each score."""
        steep: Floats = self.b * expit(score) + self.a * expit(-score)
        return steep

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"kind": self.kind, "a": self.a, "b": self.b, "c": self.c}


@dataclass(frozen=True)
class Knots:
    """logit p as straight lines between knots, both strictly rising; outside, on with slope ``tail``  > 0."""

    scores: tuple[float, ...]
    values: tuple[float, ...]
    tail: float
    kind: ClassVar[str] = "knots"

    def log_odds(self, score: Floats) -> Floats:
        """Return the calibrated log-odds of each score."""
        first, last = self.scores[0], self.scores[-1]
        inside = np.interp(score, self.scores, self.values)
        beyond: Floats = inside + self.tail * (np.minimum(score - first, 0.0) + np.maximum(score - last, 0.0))
        return beyond

    def steepness(self, score: Floats) -> Floats:
        """Return the derivative of the calibrated log-odds at each score; at a knot the mean of both sides."""
        steps = np.diff(self.values) / np.diff(self.scores)
        pieces = np.concatenate(([self.tail], steps, [self.tail]))
        before = pieces[np.searchsorted(self.scores, score, side="left")]
        after = pieces[np.searchsorted(self.scores, score, side="right")]
        steep: Floats = (before + after) / 2.0
        return steep

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "kind": self.kind,
            "scores": list(self.scores),
            "values": list(self.values),
            "tail": self.tail,
        }


def calibrator_from(plain: Mapping[str, Any]) -> Calibrator:
    """Read what ``as_dict`` gave; raise ValueError for a form this version does not know."""
    kind = plain["kind"]
    if kind == Platt.kind:
        return Platt(plain["slope"], plain["intercept"])
    if kind == Beta.kind:
        return Beta(plain["a"], plain["b"], plain["c"])
    if kind == Knots.kind:
        return Knots(tuple(plain["scores"]), tuple(plain["values"]), plain["tail"])
    msg = f"unknown calibrator {kind}"
    raise ValueError(msg)


def risk_slope_of(calibrator: Calibrator, score: Floats) -> Floats:
    """Return the derivative of the risk by the raw score: p (1 - p) times that of the calibrated log-odds."""
    log_odds = calibrator.log_odds(score)
    slope: Floats = expit(log_odds) * expit(-log_odds) * calibrator.steepness(score)
    return slope


def risk_of(calibrator: Calibrator, score: Floats) -> Floats:
    """Return the risk (0 to 1) of each raw score."""
    risk: Floats = expit(calibrator.log_odds(score))
    return risk


@dataclass(frozen=True)
class VennAbersGrid:
    """Inductive Venn-Abers intervals [p0, p1] at rising score levels (Vovk, Petej & Fedorova 2015).

    p0 of a score is that of the highest level at or below it (0 below all), p1 that of the lowest level at or above
    it (1 above all): the customer counted once as a stayer and once as a leaver among those the model was
    calibrated on. One of the two is then a perfectly calibrated probability, whatever the distribution.
    """

    scores: Floats
    p0: Floats
    p1: Floats

    def interval(self, score: Floats) -> tuple[Floats, Floats]:
        """Return p0 and p1 of each raw score."""
        below = np.searchsorted(self.scores, score, side="right")
        above = np.searchsorted(self.scores, score, side="left")
        return np.concatenate(([0.0], self.p0))[below], np.concatenate((self.p1, [1.0]))[above]

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"scores": self.scores.tolist(), "p0": self.p0.tolist(), "p1": self.p1.tolist()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> VennAbersGrid:
        """Read what :meth:`as_dict` gave."""
        return cls(*(np.asarray(plain[name], dtype=np.float64) for name in ("scores", "p0", "p1")))


def merged(p0: Floats, p1: Floats) -> Floats:
    """Return the one probability p1 / (1 - p0 + p1) that loses least in log loss against either (Vovk & Petej 2014).

    >>> float(merged(np.array([0.1]), np.array([0.2]))[0])
    0.18181818181818182
    """
    return p1 / (1.0 - p0 + p1)
