"""The learner for few leavers: a logistic regression with a ridge, as one effect per feature.

It knows scikit-learn, and refuses to know calibration and customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import Additive, Effect, Feature
from churnrisk.metrics import log_loss

from .folds import Folds

Floats = NDArray[np.float64]

RIDGES: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
"""Inverse strengths tried (scikit-learn's C on standardised columns); the best out of fold is taken."""

TOLERANCE = 1e-6
"""Largest gradient at which a fit ends (mean per unit of weight); risks are then the same to about 1e-5."""

TAIL_SHARE = 0.01
"""Numbers are clipped to their quantiles at this and 1 - this, so that one outlier does not steer the line."""


@dataclass(frozen=True)
class LogisticFit:
    """The regression fitted on all rows, with the scores that fold models gave the rows they did not see."""

    learner: Additive
    out_of_fold_score: Floats
    ridge: float
    importance: Floats
    """Share of the mean absolute effect per feature, summing to 1 (0 everywhere when all effects are)."""


@dataclass(frozen=True)
class _Column:
    """How one feature becomes design columns: a standardised line and a missing flag, or a flag per category."""

    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    scale: float = 1.0
    n_codes: int = 0

    @classmethod
    def of(cls, values: Floats, feature: Feature) -> _Column:
        if feature.is_coded:
            return cls(n_codes=feature.n_codes)
        known = values[~np.isnan(values)]
        if known.size == 0:
            return cls()
        low, high = (float(end) for end in np.quantile(known, [TAIL_SHARE, 1 - TAIL_SHARE]))
        if low == high:
            low, high = float(known.min()), float(known.max())
        clipped = np.clip(known, low, high)
        return cls(low, high, float(clipped.mean()), float(clipped.std()) or 1.0)

    def design(self, values: Floats) -> Floats:
        missing = np.isnan(values)
        if self.n_codes:
            flags = np.zeros((len(values), self.n_codes + 1))
            flags[np.arange(len(values)), np.where(missing, self.n_codes, values).astype(np.intp)] = 1.0
            return flags
        line = np.where(missing, 0.0, (np.clip(values, self.low, self.high) - self.mean) / self.scale)
        return np.column_stack((line, missing.astype(np.float64)))

    def effect(self, coefficients: Floats, shift: float) -> Effect:
        """Return the effect with ``shift`` (its training mean) taken out."""
        missing = float(coefficients[-1]) - shift
        if self.n_codes:
            return Effect(missing, by_code=tuple((coefficients[:-1] - shift).tolist()))
        slope = float(coefficients[0]) / self.scale
        return Effect(missing, slope, self.mean, self.low, self.high, offset=-shift)


@dataclass(frozen=True)
class _Compact:
    """The design without constant columns, equal ones (missing flags, mostly) once: a fit costs columns squared.

    k equal columns under a ridge share their effect evenly, which is one column times the root of k: the same model.
    """

    design: Floats
    place: NDArray[np.intp]
    """Of each original column its compact one; -1 for constants."""
    root: Floats
    """Root of how many each compact column stands for."""

    @classmethod
    def of(cls, design: Floats) -> _Compact:
        found: dict[bytes, int] = {}
        place = np.full(design.shape[1], -1, dtype=np.intp)
        for position in np.flatnonzero(np.ptp(design, axis=0) > 0):
            place[position] = found.setdefault(design[:, position].tobytes(), len(found))
        used = place[place >= 0]
        firsts = [int(np.flatnonzero(place == number)[0]) for number in range(len(found))]
        root = np.sqrt(np.bincount(used, minlength=len(found)).astype(np.float64))
        return cls(np.ascontiguousarray(design[:, firsts]) * root, place, root)

    def spread(self, coefficients: Floats) -> Floats:
        """Return the coefficients of the original columns."""
        each = np.append(coefficients / self.root, 0.0)
        return each[self.place]


def fitted_logistic(
    encoded: Floats, left: Floats, weight: Floats, features: Sequence[Feature], folds: Folds
) -> LogisticFit:
    """Return the regression with the ridge whose out-of-fold log loss is least; ties go to the stronger ridge."""
    columns = [_Column.of(encoded[:, position], feature) for position, feature in enumerate(features)]
    parts = [column.design(encoded[:, position]) for position, column in enumerate(columns)]
    design = np.hstack(parts)
    compact = _Compact.of(design)
    tried = _out_of_fold(compact.design, left, weight, folds)
    ridge = min(tried, key=lambda name: tried[name][0])
    intercept, found = next(_path(compact.design, left, weight, (ridge,)))
    coefficients = compact.spread(found)
    bounds = np.cumsum([0] + [part.shape[1] for part in parts])
    pieces = [coefficients[start:end] for start, end in pairwise(bounds)]
    values = [part @ piece for part, piece in zip(parts, pieces, strict=True)]
    shifts = [float(weight @ value / weight.sum()) for value in values]
    effects = tuple(
        column.effect(piece, shift) for column, piece, shift in zip(columns, pieces, shifts, strict=True)
    )
    size = np.array(
        [float(np.abs(value - shift).mean()) for value, shift in zip(values, shifts, strict=True)]
    )
    return LogisticFit(
        learner=Additive(intercept + sum(shifts), effects),
        out_of_fold_score=tried[ridge][1],
        ridge=ridge,
        importance=size / size.sum() if size.sum() > 0 else size,
    )


def _out_of_fold(
    design: Floats, left: Floats, weight: Floats, folds: Folds
) -> dict[float, tuple[float, Floats]]:
    """Return log loss and scores by ridge, the strongest first, of rows that the fold's fit did not see."""
    strongest_first = tuple(sorted(RIDGES))
    scores = {ridge: np.empty(len(left)) for ridge in strongest_first}
    for fold in np.unique(folds):
        held = folds == fold
        path = _path(design[~held], left[~held], weight[~held], strongest_first)
        for ridge, (intercept, coefficients) in zip(strongest_first, path, strict=True):
            scores[ridge][held] = intercept + design[held] @ coefficients
    return {
        ridge: (log_loss(left, 1 / (1 + np.exp(-score)), weight), score) for ridge, score in scores.items()
    }


def _path(
    design: Floats, left: Floats, weight: Floats, ridges: Sequence[float]
) -> Iterator[tuple[float, Floats]]:
    """Yield intercept and coefficients per ridge; each fit begins where the one before ended."""
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(solver="newton-cholesky", tol=TOLERANCE, warm_start=True)
    for ridge in ridges:
        model.set_params(C=ridge).fit(design, left, sample_weight=weight)
        yield float(model.intercept_[0]), np.array(model.coef_[0], dtype=np.float64)
