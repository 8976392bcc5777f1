"""Which answer foretells leaving best on the user's own data: recommend, satisfaction or effort (S73)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.metrics.probability import log_losses
from churnrisk.metrics.ranked import Ranked
from churnrisk.metrics.ranking import auc_of

from ..folds import customer_folds
from ..rows import Rows
from .subject import Floats, Subject

SCORES: Mapping[str, str] = {
    "NPS": "nps_last_score",
    "CSAT": "csat_last_score",
    "CES": "ces_last_score",
}
"""Each question, and the feature with its latest answer; higher is better in all three."""

TOGETHER = "all together"

TOP_TWO_FROM = 4.0
"""Satisfied is 4 or 5 of 5: the top two boxes, which foretold best in de Haan, Verhoef & Wiesel (2015)."""

CODED: Mapping[str, tuple[str, Callable[[Floats], Floats]]] = {
    "NPS category": (
        "NPS",
        lambda score: np.searchsorted([6.5, 8.5], score, side="right").astype(np.float64),
    ),
    "CSAT top two boxes": ("CSAT", lambda score: (score >= TOP_TWO_FROM).astype(np.float64)),
}
"""The same answers as they are usually reported: detractor, passive, promoter; satisfied or not."""

FEWEST_LEAVERS = 20
"""Leavers below whom nothing is said of a question."""

_RIDGE = 1.0
_STEPS = 50

SURVEY_COLUMNS = {
    "customers": pl.String(),
    "predictor": pl.String(),
    "n": pl.Int64(),
    "n_leavers": pl.Int64(),
    **{f"auc{end}": pl.Float64() for end in ("", "_low", "_high")},
    **{f"log_loss_gained{end}": pl.Float64() for end in ("", "_low", "_high")},
}

EACH, SAME = "who answered this", "who answered all"


def surveys(looked: Rows, subject: Subject, crm_risk: Floats | None) -> pl.DataFrame:
    """Return how well each question foretells leaving.

    Parameters
    ----------
    looked : all rows with outcomes, those learned from too: a bare score has learned nothing.
    subject : the judged rows.
    crm_risk : shape of the subject, risk by CRM data alone, which the answers are added to; None = no such column.

    Returns
    -------
    polars.DataFrame
        :data:`SURVEY_COLUMNS`: customers says whether a row is about all who answered the question or about those who
        answered all of them (only there questions can be compared). auc is that of the bare score, turned so that above
        0.5 low answers foretell leaving; log_loss_gained (nats per customer) is what the answer adds to the CRM risk on
        the judged rows, by a logistic model of both, cross-fitted by customer, over the same without the answer.
        Intervals draw customers. Null, and the counts, where fewer than 20 leavers answered. Answers stand as given,
        and as :data:`CODED`.
    """
    present = {name: column for name, column in SCORES.items() if _has(looked, column)}
    predictors = [*_predictors(present)]
    rows = [_row(EACH, each, looked, subject, crm_risk, each.columns) for each in predictors]
    if len(present) > 1:
        every = tuple(present.values())
        together = Predictor(TOGETHER, every)
        rows += [_row(SAME, each, looked, subject, crm_risk, every) for each in (*predictors, together)]
    table = pl.DataFrame(rows, schema=SURVEY_COLUMNS, orient="row")
    return table.with_columns(cs.float().fill_nan(None))


@dataclass(frozen=True)
class Predictor:
    """One way to foretell leaving: the answers to some questions, each turned by ``coded``."""

    name: str
    columns: tuple[str, ...]
    coded: Callable[[Floats], Floats] = lambda score: score

    def answers(self, rows: Rows) -> Floats:
        """Return shape (rows, questions); higher = happier."""
        return np.column_stack(
            [self.coded(rows.frame[each].cast(pl.Float64).to_numpy()) for each in self.columns]
        )


def _predictors(present: Mapping[str, str]) -> Iterator[Predictor]:
    for name, column in present.items():
        yield Predictor(name, (column,))
        for coded, (question, coding) in CODED.items():
            if question == name:
                yield Predictor(coded, (column,), coding)


def survey_pairs(looked: Rows, *, seed: int) -> pl.DataFrame:
    """Return by how much the AUC of one question is ahead of another's among those who answered both.

    Columns: question, other, n, n_leavers, auc_gained, low, high; ends null under 20 leavers.
    """
    present = [(name, column) for name, column in SCORES.items() if _has(looked, column)]
    rows: list[tuple[object, ...]] = []
    for place, (name, column) in enumerate(present):
        for other, beside in present[place + 1 :]:
            both = looked.where(_answered(looked, [column, beside]))
            value = metrics.Interval(math.nan, math.nan, math.nan)
            if both.n_leavers >= FEWEST_LEAVERS:
                one, two = (-both.frame[each].cast(pl.Float64).to_numpy() for each in (column, beside))
                weight = both.weight if both.is_weighted else None
                value = metrics.paired_gain(
                    both.left, one, two, weight, customer=both.customer.astype(str), seed=seed
                )["auc"]
            rows.append((name, other, len(both.left), both.n_leavers, value.value, value.low, value.high))
    schema = {
        "question": pl.String(),
        "other": pl.String(),
        "n": pl.Int64(),
        "n_leavers": pl.Int64(),
        **dict.fromkeys(("auc_gained", "low", "high"), pl.Float64()),
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(cs.float().fill_nan(None))


def _has(rows: Rows, column: str) -> bool:
    return column in rows.frame.columns and rows.frame[column].drop_nulls().len() > 0


def _answered(rows: Rows, columns: Sequence[str]) -> NDArray[np.bool_]:
    return rows.frame.select(pl.all_horizontal(pl.col(columns).is_not_null()).alias("all"))["all"].to_numpy()


def _row(  # noqa: PLR0917 - a row of the table, nothing else
    customers: str,
    predictor: Predictor,
    looked: Rows,
    subject: Subject,
    crm_risk: Floats | None,
    needed: Sequence[str],
) -> tuple[object, ...]:
    chosen = looked.where(_answered(looked, needed))
    nothing = (math.nan,) * 3
    head = (customers, predictor.name, len(chosen.left), chosen.n_leavers)
    if chosen.n_leavers < FEWEST_LEAVERS or chosen.n_stayers < FEWEST_LEAVERS:
        return (*head, *nothing, *nothing)
    score = _combined(chosen, predictor)
    ranked = Ranked(chosen.left, score)
    drawn = _interval(lambda w: auc_of(ranked.curve(w)), chosen, subject.seed)
    return (*head, *drawn, *_gained(subject, predictor, needed, crm_risk))


def _interval(figure: Callable[[Floats], float], rows: Rows, seed: int) -> tuple[float, float, float]:
    value, resamples = metrics.resampled(
        lambda w: np.array([figure(w)]), rows.weight, customer=rows.customer.astype(str), seed=seed
    )
    low, high = metrics.percentile_ends(value, resamples)
    return float(value[0]), float(low[0]), float(high[0])


def _combined(rows: Rows, predictor: Predictor) -> Floats:
    """Return one score of the answers, higher = likelier to leave; several by a model of other customers."""
    answers = predictor.answers(rows)
    if answers.shape[1] == 1:
        return -answers[:, 0]
    return _cross_fitted(answers, rows)


def _gained(
    subject: Subject, predictor: Predictor, needed: Sequence[str], crm_risk: Floats | None
) -> tuple[float, float, float]:
    answered = _answered(subject.rows, needed)
    rows = subject.rows.where(answered)
    if crm_risk is None or rows.n_leavers < FEWEST_LEAVERS or rows.n_stayers < FEWEST_LEAVERS:
        return (math.nan, math.nan, math.nan)
    known = np.clip(crm_risk[answered], 1e-9, 1 - 1e-9)
    base = np.log(known / (1 - known))
    answers = predictor.answers(rows)
    one, two = (
        1 / (1 + np.exp(-_cross_fitted(design, rows)))
        for design in (np.column_stack((base, answers)), base[:, None])
    )
    gained = log_losses(rows.left, two) - log_losses(rows.left, one)
    return _interval(lambda w: float(w @ gained / w.sum()), rows, subject.seed)


def _cross_fitted(design: Floats, rows: Rows, *, n_folds: int = 5) -> Floats:
    """Return log-odds of leaving by a ridge logistic regression that saw nothing of the customer's fold."""
    folds = customer_folds(rows.customer, rows.left, n_folds, salt="surveys")
    spread = design.std(axis=0)
    scaled = (design - design.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    full = np.column_stack((np.ones(len(scaled)), scaled))
    score = np.empty(len(full))
    for fold in range(n_folds):
        held = folds == fold
        score[held] = full[held] @ _ridge_logistic(full[~held], rows.left[~held], rows.weight[~held])
    return score


def _ridge_logistic(design: Floats, y: Floats, w: Floats) -> Floats:
    """Return coefficients by Newton steps; the first column, the constant, is not shrunken."""
    penalty = np.full(design.shape[1], _RIDGE)
    penalty[0] = 1e-9
    rate = float(w @ y / w.sum())
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = math.log(max(rate, 1e-9) / max(1 - rate, 1e-9))
    for _ in range(_STEPS):
        fitted = 1 / (1 + np.exp(-design @ coefficients))
        gradient = design.T @ (w * (y - fitted)) - penalty * coefficients
        information = design.T @ (design * (w * fitted * (1 - fitted))[:, None]) + np.diag(penalty)
        step = np.linalg.solve(information, gradient)
        coefficients = coefficients + step
        if float(np.abs(step).max()) < 1e-8:  # noqa: PLR2004 - settled
            break
    found: Floats = coefficients
    return found
