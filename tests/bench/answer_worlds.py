"""Drawn worlds for asking: mood moves both leaving and the answer, and a company sees some of it.

The simulator's own causes and customs (`Mechanism`, the scale of its NPS answers, its response that depends on mood) in
one look at customers instead of 18 months, so that the true risk is known and mood can be hidden, half known or without
effect. What is lost are ties, moods that move and answers that age: `tests/bench/answer_played.py` has the first two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr
from sklearn.linear_model import LogisticRegression

from churnrisk.bundle import EVIDENCE
from churnrisk.simulate.settings import Mechanism
from churnrisk.simulate.surveys import (
    DETRACTOR_TO,
    PROMOTER_FROM,
    SCORE_MEAN,
    SCORE_NOISE,
    SCORE_PER_MOOD,
)

Floats = NDArray[np.float64]

MECHANISM = Mechanism()
N_CUSTOMERS = 50_000
MONTHLY_CHURN = 0.02
RESPONSE = 0.30
"""Science, section 11: 25 to 35 %, and the unhappy answer less."""

N_PAST_RANDOM, N_PAST_CHOSEN = 3_000, 9_000
"""Invitations that teach, half a year of 2,000 a month: drawn, and the riskiest of the others."""

MEAN_VALUE, VALUE_SPREAD = 300.0, 0.6


@dataclass(frozen=True)
class Kind:
    """``mood_known``: noise (standard deviations) with which the company sees mood; None: not at all.

    ``tells``: whether mood moves leaving, without which the answer tells nothing of it. ``predicts``: whether chances
    of answers come from a model of past answers, not from their shares. ``is_played``: the simulator's own course.
    """

    tells: bool = True
    mood_known: float | None = None
    predicts: bool = False
    is_played: bool = False


KINDS: Mapping[str, Kind] = {
    "mood hidden": Kind(),
    "mood half known": Kind(mood_known=1.0),
    "half known, categories predicted": Kind(mood_known=1.0, predicts=True),
    "answer tells nothing": Kind(tells=False),
    "the simulator's": Kind(is_played=True),
}


@dataclass(frozen=True, eq=False)
class Look:
    """Customers at one look: what the company sees, the true risk, what they would answer, whether they leave."""

    seen: Floats
    truth: Floats
    place: NDArray[np.intp]
    """Of the evidence that an invitation would come to."""
    left: Floats
    value: Floats
    true_chances: Floats
    """(n, 4): chance of each evidence given the mood, so that values need no luck."""


@dataclass(frozen=True, eq=False)
class AnswerWorld:
    """A past that was asked, and a present that could be.

    ``asked`` is what :func:`training.answers.learned_answers` takes; ``risk`` and ``chances`` are those of the present.
    """

    asked: pl.DataFrame
    now: Look
    risk: Floats
    chances: Floats | None


def answer_world(kind: Kind, seed: int, n: int = N_CUSTOMERS) -> AnswerWorld:
    """Draw a world; the risk comes from a logistic regression on customers of before."""
    rng = np.random.default_rng(seed)
    level = _level(kind, rng)
    before, past, now = (_look(kind, level, rng, n) for _ in range(3))
    model = LogisticRegression(C=1.0, max_iter=500).fit(before.seen, before.left)
    past_risk, risk = (model.predict_proba(each.seen)[:, 1] for each in (past, now))
    asked = asked_of(past, past_risk, rng, (N_PAST_RANDOM, N_PAST_CHOSEN))
    chances = None
    if kind.predicts:
        drawn = slice(N_PAST_RANDOM)
        said = LogisticRegression(C=1.0, max_iter=500).fit(past.seen[drawn], past.place[drawn])
        chances = said.predict_proba(now.seen)
    return AnswerWorld(asked, now, risk, chances)


def joined(looks: Sequence[Look]) -> Look:
    """Return several looks as one."""
    return Look(*(np.concatenate([getattr(each, item.name) for each in looks]) for item in fields(Look)))


def asked_of(
    look: Look, risk: Floats, rng: np.random.Generator, sizes: tuple[int, int], name: str = ""
) -> pl.DataFrame:
    """Return so many drawn at random and the riskiest of the others, as ``learned_answers`` takes them."""
    order = rng.permutation(len(risk))
    drawn, others = order[: sizes[0]], order[sizes[0] :]
    rows = np.concatenate([drawn, others[np.argsort(-risk[others], kind="stable")[: sizes[1]]]])
    return pl.DataFrame(
        {
            "customer_id": [f"{name}p{row}" for row in rows],
            "risk": risk[rows],
            "evidence": np.array(EVIDENCE)[look.place[rows]],
            "age_days": np.zeros(len(rows)),
            "left": look.left[rows].astype(np.int64),
            "is_random": np.arange(len(rows)) < len(drawn),
            "weight": np.ones(len(rows)),
        }
    )


def _look(kind: Kind, level: float, rng: np.random.Generator, n: int) -> Look:
    seen, hazard, mood = _customers(kind, rng, n)
    truth = -np.expm1(-np.exp(level + hazard))
    response = expit(logit(RESPONSE) + MECHANISM.response_to_mood * mood)
    place = place_of(mood, response, rng)
    value = MEAN_VALUE * np.exp(rng.normal(-(VALUE_SPREAD**2) / 2, VALUE_SPREAD, n))
    left = (rng.random(n) < truth).astype(np.float64)
    return Look(seen, truth, place, left, value, true_chances(mood, response))


def place_of(mood: Floats, response: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw what invitations come to: places in ``EVIDENCE``."""
    n = len(mood)
    score = np.clip(np.rint(SCORE_MEAN + SCORE_PER_MOOD * mood + rng.normal(0, SCORE_NOISE, n)), 0, 10)
    place = np.where(score <= DETRACTOR_TO, 0, np.where(score >= PROMOTER_FROM, 2, 1))
    return np.where(rng.random(n) >= response, 3, place)


def true_chances(mood: Floats, response: Floats) -> Floats:
    """Return the chances (n, 4) by which :func:`place_of` draws."""
    centre = SCORE_MEAN + SCORE_PER_MOOD * mood
    low, top = (ndtr((end - 0.5 - centre) / SCORE_NOISE) for end in (DETRACTOR_TO + 1, PROMOTER_FROM))
    return np.column_stack([response * low, response * (top - low), response * (1 - top), 1 - response])


def _customers(kind: Kind, rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats]:
    """Return what is seen (n, k), log hazard without its level, and mood; the trait is never seen."""
    overpay, trait, mood = rng.normal(size=(3, n))
    contract = rng.choice(3, n, p=(0.4, 0.35, 0.25))
    tenure = rng.exponential(800.0, n)
    newcomer = np.exp(-tenure / 180)
    mood_part = MECHANISM.mood * mood if kind.tells else np.zeros(n)
    hazard = (
        MECHANISM.overpay * overpay
        + np.array(MECHANISM.contract)[contract]
        + MECHANISM.newcomer * newcomer
        + MECHANISM.trait * trait
        + mood_part
    )
    columns = [overpay, contract == 0, contract == 1, newcomer]
    if kind.mood_known is not None:
        columns.append(mood + rng.normal(0, kind.mood_known, n))
    return np.column_stack(columns).astype(np.float64), hazard, mood


def _level(kind: Kind, rng: np.random.Generator) -> float:
    """Return the log hazard that makes the monthly churn of the reference worlds."""
    _, hazard, _ = _customers(kind, rng, N_CUSTOMERS)
    low, high = -15.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if -np.expm1(-np.exp(middle + hazard)).mean() < MONTHLY_CHURN else (low, middle)
        )
    return (low + high) / 2
