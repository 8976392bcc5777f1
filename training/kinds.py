"""How customers leave: by asking, in silence, or for not paying; and whether the data tell these apart.

It decides which leaver is of which kind and when a model of kinds is worth having, and refuses to know what leaving is.
Overt leavers say so before they go and contact more; silent ones disengage; who is let go for not paying chose neither
(Ascarza, Netzer & Hardie 2018; Hadden et al. 2007). What helps against one does not help against the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Feature, LeaverKinds, matrix
from churnrisk.config import ChurnSettings
from churnrisk.metrics import Interval
from churnrisk.tables.published import ASKED, NON_PAYMENT, OTHER_KIND, SILENT

from .folds import customer_folds
from .logistic import fitted_logistic
from .rows import Rows

Floats = NDArray[np.float64]

FEWEST_OF_A_KIND = 100
"""Distinct leavers of a kind from whom it is told apart (judgement: twenty per fold)."""

MOST_ROWS = 20_000
"""Rows of leavers that kinds are learned from, the newest: more do not move shares."""

FEWEST_KINDS, N_FOLDS = 2, 5

RIDGE_OF_MIXING = 10.0
"""Inverse strength (scikit-learn's C): keeps the mixing finite where kinds are parted by a line."""


def kind_of_leaver(churn: ChurnSettings) -> pl.Expr:
    """Return how a leaver left, from leaves_at, leaving_known_at (UTC instants) and left_reason.

    ``non_payment`` where the reason is one of [churn] non_payment_reasons; else ``asked`` where a reason was given, or
    the leaving was known before it happened; else ``silent``.
    """
    reason = pl.col("left_reason").str.strip_chars().str.to_lowercase()
    words = [each.strip().lower() for each in churn.non_payment_reasons]
    is_told = reason.is_not_null() | (pl.col("leaving_known_at") < pl.col("leaves_at"))
    return (
        pl.when(reason.is_in(words))
        .then(pl.lit(NON_PAYMENT))
        .when(is_told)
        .then(pl.lit(ASKED))
        .otherwise(pl.lit(SILENT))
    )


@dataclass(frozen=True)
class KindsFound:
    """A model of kinds where the data tell them apart, and the sentence on it.

    ``gained`` is the out-of-fold log loss of constant shares less the model's, nats per leaver, with its 95 % interval.
    """

    model: LeaverKinds | None
    gained: Interval | None
    notes: tuple[str, ...]


def leaver_kinds(rows: Rows, features: Sequence[Feature], *, seed: int) -> KindsFound:
    """Learn P(kind | leaves) where that is better than the same shares for everybody.

    Parameters
    ----------
    rows : training rows; those of leavers with a known kind are read.
    features : what the risk model reads; kinds are told from the same table.
    seed : of the folds.

    Returns
    -------
    KindsFound
        ``model`` is None unless two kinds have `FEWEST_OF_A_KIND` leavers and the model's out-of-fold log loss beats
        that of constant shares beyond chance. Kinds with fewer count as another kind then.

    Notes
    -----
    One ridge logistic per kind against the others; a multinomial logistic of their out-of-fold scores makes them
    shares. With the calibrated risk p of leaving at all,
    p times the share is the risk of leaving so: competing risks by their product (Prentice et al. 1978).
    """
    if rows.kind is None:
        return KindsFound(None, None, ())
    mine, kind_of = _leavers(rows, rows.kind)
    n_of = {kind: len(np.unique(mine.customer[kind_of == kind].astype(str))) for kind in set(kind_of)}
    told = sorted(kind for kind, n in n_of.items() if n >= FEWEST_OF_A_KIND)
    counted = ", ".join(f"{kind} {n:,}" for kind, n in sorted(n_of.items()))
    if len(n_of) < FEWEST_KINDS:
        return KindsFound(None, None, ())
    if len(told) < FEWEST_KINDS:
        words = f"leavers are one kind: fewer than two kinds have {FEWEST_OF_A_KIND} ({counted})"
        return KindsFound(None, None, (words,))
    names = tuple(told) if len(told) == len(n_of) else (*told, OTHER_KIND)
    model, gained = _fitted(mine, kind_of, features, names, seed=seed)
    said = f"({counted}; log loss better by {gained.value:.3f} [{gained.low:.3f}, {gained.high:.3f}] nats a leaver)"
    if gained.low <= 0:
        return KindsFound(None, gained, (f"leavers are one kind: the data do not tell kinds apart {said}",))
    return KindsFound(model, gained, (f"kinds of leavers are told apart {said}",))


def _leavers(rows: Rows, kind: NDArray[np.object_]) -> tuple[Rows, NDArray[np.object_]]:
    """Return the newest rows of leavers whose kind is known, and their kinds."""
    is_known = (rows.left > 0) & np.array([each is not None for each in kind], dtype=bool)
    places = np.flatnonzero(is_known)
    newest_first = places[np.argsort(rows.snapshot[places].astype(str), kind="stable")[::-1]]
    chosen = np.zeros(len(is_known), dtype=bool)
    chosen[newest_first[:MOST_ROWS]] = True
    return rows.where(chosen), kind[chosen]


def _fitted(
    mine: Rows, kind: NDArray[np.object_], features: Sequence[Feature], names: tuple[str, ...], *, seed: int
) -> tuple[LeaverKinds, Interval]:
    encoded = matrix(mine.frame, features)
    of_kind = np.array([names.index(each) if each in names else len(names) - 1 for each in kind])
    folds = customer_folds(mine.customer, (of_kind == 0).astype(float), N_FOLDS, salt=f"kinds-{seed}")
    weight = mine.weight / mine.weight.mean()
    fits = [
        fitted_logistic(encoded, (of_kind == place).astype(float), weight, features, folds)
        for place in range(len(names))
    ]
    scores = np.column_stack([fit.out_of_fold_score for fit in fits])

    def mixed(chosen: NDArray[np.bool_]) -> LeaverKinds:
        learners = tuple(fit.learner for fit in fits)
        return LeaverKinds(
            names, learners, *_mixing(scores[chosen], of_kind[chosen], weight[chosen], len(names))
        )

    told = np.empty_like(scores)
    for fold in np.unique(folds):
        held = folds == fold
        told[held] = mixed(~held).shares_of(scores[held])
    constant = _shares_of_others(of_kind, weight, folds, len(names))
    row = np.arange(len(of_kind))
    gain = np.log(told[row, of_kind]) - np.log(constant[row, of_kind])
    return mixed(np.ones(len(folds), dtype=bool)), _mean_with_interval(gain, weight, mine.customer)


def _mixing(
    scores: Floats, of_kind: NDArray[np.int_], weight: Floats, n: int
) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
    """Return weights (K, K) and shifts (K,) of the multinomial logistic of the kinds on scores of held-out folds."""
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=RIDGE_OF_MIXING, tol=1e-8, max_iter=1000)
    model.fit(scores, of_kind, sample_weight=weight)
    weights, shifts = np.array(model.coef_), np.array(model.intercept_)
    if n == FEWEST_KINDS:  # one line, of the second kind against the first
        weights, shifts = np.vstack([-weights, weights]) / 2, np.concatenate([-shifts, shifts]) / 2
    return tuple(tuple(row.tolist()) for row in weights), tuple(shifts.tolist())


def _shares_of_others(of_kind: NDArray[np.int_], weight: Floats, folds: NDArray[np.int8], n: int) -> Floats:
    """Return (rows, kinds): the shares of the kinds in the folds that are not the row's own, none of them 0."""
    found = np.empty((len(of_kind), n))
    for fold in np.unique(folds):
        others = folds != fold
        mass = np.bincount(of_kind[others], weights=weight[others], minlength=n) + 0.5
        found[~others] = mass / mass.sum()
    return found


def _mean_with_interval(gain: Floats, weight: Floats, customer: NDArray[np.object_]) -> Interval:
    """Return the weighted mean with its 95 % interval, rows of one customer together (sandwich, normal)."""
    mean = float(weight @ gain / weight.sum())
    member = np.unique(customer.astype(str), return_inverse=True)[1]
    pulls = np.bincount(member, weights=weight * (gain - mean))
    half = 1.96 * float(np.sqrt((pulls**2).sum())) / float(weight.sum())
    return Interval(mean, mean - half, mean + half)
