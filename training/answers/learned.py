"""From past invitations with their outcomes to what answers are worth, or to the stated values with the reason.

It decides which invitations teach: those drawn at random, and those chosen as long as they say the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc

from churnrisk.bundle import EVIDENCE, NPS_CATEGORIES, SILENT, AnswerRatios, Evidence, Ratio, evidence_weight
from churnrisk.bundle.answers import STATED_RESPONSE, STATED_SHARES, places_of

from ..folds import customer_folds
from .ratios import STRENGTH, Asked, fitted_ratios
from .tempering import clipped_odds, tempering

Floats = NDArray[np.float64]

ASKED_COLUMNS = ("customer_id", "risk", "evidence", "age_days", "left", "is_random", "weight")
"""risk: before the answer, at asking. evidence: one of EVIDENCE. age_days: of it where the outcome begins. left: 1 who
left within the outcome window without a retention action, 0 who stayed; treated are not in the rows, and the others
weigh one over the chance of not being treated. is_random: of the random slice."""

FEWEST_ANSWERS = 50
FEWEST_LEAVERS = 10
"""Answers, and leavers among those asked, below which nothing is learned (judgement: stated values would stay
nearly)."""

DISAGREE_AT = 0.01
"""Level of the test whether chosen invitations say the same as drawn ones (judgement: leaving them out costs much)."""

WEAK = 0.5
"""Strength behind the intervals: enough to keep the ratio of an answer without leavers finite."""

N_FOLDS = 5
Z_95 = 1.959964
SHARES_STRENGTH = 20.0
"""Answers that the stated shares of categories, and invitations that the stated response, count for (judgement)."""


def learned_answers(asked: pl.DataFrame, *, strength: float = STRENGTH, seed: int = 0) -> AnswerRatios:
    """Return what answers are worth, learned from past invitations, or the stated values and why.

    Parameters
    ----------
    asked : :data:`ASKED_COLUMNS`, one row per invitation whose outcome window has ended; may also have
        chance_detractor,
        chance_passive, chance_promoter and chance_silent, what was expected at asking (by default past shares).
    strength : how many leavers per answer the stated ratios count for.
    seed : of the folds and resamples.

    Notes
    -----
    Intervals are those of what was measured, without the stated ratios (95 %), widened to the value where that lies
    outside: an interval that trusts what is stated would miss the truth wherever the stated is wrong.

    Choosing by risk is harmless: the risk is the offset, and given the risk (and whatever else the choice used that the
    risk is made of) the outcome does not know who chose. It harms where ratios differ between customers, or where
    somebody chose by what the data do not hold. So chosen invitations are used as long as their ratios agree with those
    of the random slice (Wald test of three contrasts, 1 %), and left out otherwise; where the slice is too small to
    check, all are used and the sentence says so.
    """
    rows = asked.drop_nulls(["customer_id", "risk", "evidence", "age_days", "left", "is_random"])
    reason = _too_few(_n_answered(rows), int(rows["left"].sum()))
    if reason:
        return _with_counts(AnswerRatios.assumed(reason), rows, asked.height - rows.height, strength)
    found = _asked(rows)
    is_random = rows["is_random"].to_numpy()
    chosen, words = _used(found, is_random, strength)
    used = found.where(chosen)
    fitted = fitted_ratios(used, strength=strength)
    folds = customer_folds(
        rows["customer_id"].to_numpy()[chosen].astype(object), used.left, N_FOLDS, salt=f"answers-{seed}"
    )
    measured = fitted_ratios(used, strength=WEAK)
    half = Z_95 * np.sqrt(np.diag(measured.covariance))
    ratios: dict[Evidence, Ratio] = {}
    for place, name in enumerate(EVIDENCE):
        here = used.place == place
        value, middle = float(fitted.values[place]), float(measured.values[place])
        low, high = min(value, middle - float(half[place])), max(value, middle + float(half[place]))
        ratios[name] = Ratio(value, low, high, int(here.sum()), int(used.left[here].sum()))
    slope = tempering(used, folds, strength=strength, seed=seed)
    learned = AnswerRatios(ratios, slope=slope, selection=words)
    return _with_counts(learned, rows.filter(pl.Series(chosen)), asked.height - int(chosen.sum()), strength)


def _with_counts(found: AnswerRatios, rows: pl.DataFrame, n_left_out: int, strength: float) -> AnswerRatios:
    shares, response = _shares(rows)
    return replace(
        found,
        shares=shares,
        response=response,
        n_asked=rows.height,
        n_answered=_n_answered(rows),
        n_leavers=int(rows["left"].sum()),
        n_random=int(rows["is_random"].sum()),
        n_left_out=n_left_out,
        strength=strength,
    )


def _n_answered(rows: pl.DataFrame) -> int:
    return rows.filter(pl.col("evidence") != "silent").height


def _too_few(n_answered: int, n_leavers: int) -> str:
    missing = []
    if n_answered < FEWEST_ANSWERS:
        missing.append(f"{n_answered} answers with an outcome, {FEWEST_ANSWERS} are needed")
    if n_leavers < FEWEST_LEAVERS:
        missing.append(f"{n_leavers} leavers among those asked, {FEWEST_LEAVERS} are needed")
    return "; ".join(missing)


def _shares(rows: pl.DataFrame) -> tuple[dict[str, float], float]:
    """Return shares of the categories, and of answers, drawn to the stated; of the random slice where there is one."""
    among = rows.filter("is_random") if rows.filter("is_random").height else rows
    answered = among.filter(pl.col("evidence") != "silent")
    counts = dict(answered["evidence"].value_counts().iter_rows())
    total = answered.height + SHARES_STRENGTH
    shares: dict[str, float] = {
        name: (counts.get(name, 0) + SHARES_STRENGTH * STATED_SHARES[name]) / total for name in NPS_CATEGORIES
    }
    response = (answered.height + SHARES_STRENGTH * STATED_RESPONSE) / (among.height + SHARES_STRENGTH)
    return shares, response


def _asked(rows: pl.DataFrame) -> Asked:
    names = [f"chance_{name}" for name in EVIDENCE]
    if set(names) <= set(rows.columns):
        chances = rows.select(names).to_numpy()
    else:
        shares, response = _shares(rows)
        past = AnswerRatios({}, shares=shares, response=response)
        chances = np.broadcast_to(past.chances, (rows.height, len(EVIDENCE)))
    weight = rows["weight"] if "weight" in rows.columns else pl.repeat(1.0, rows.height, eager=True)
    return Asked(
        offset=clipped_odds(rows["risk"].to_numpy().astype(np.float64)),
        place=places_of(rows["evidence"].to_list()).astype(np.intp),
        aged=evidence_weight(rows["age_days"].to_numpy()),
        left=rows["left"].cast(pl.Float64).to_numpy(),
        weight=weight.cast(pl.Float64).to_numpy(),
        member=np.unique(rows["customer_id"].to_numpy().astype(str), return_inverse=True)[1],
        chances=chances,
    )


def _used(found: Asked, is_random: NDArray[np.bool_], strength: float) -> tuple[NDArray[np.bool_], str]:
    """Return which rows teach, and a sentence on it."""
    everybody = np.ones(len(is_random), dtype=bool)
    n_chosen = int((~is_random).sum())
    if not n_chosen:
        return everybody, "All of them were drawn at random."
    if not (_is_enough(found.where(is_random)) and _is_enough(found.where(~is_random))):
        words = (
            f"{n_chosen:,} were chosen, not drawn; the two kinds are too few to be compared, so all are used."
        )
        return everybody, words
    p_value = agreement(found.where(is_random), found.where(~is_random), strength=strength)
    if p_value < DISAGREE_AT:
        words = (
            f"{n_chosen:,} that were chosen say something else than those drawn at random (p = {p_value:.3f}) and are "
            "left out."
        )
        return is_random, words
    return everybody, f"{n_chosen:,} were chosen; they agree with those drawn at random (p = {p_value:.2f})."


def _is_enough(rows: Asked) -> bool:
    return int((rows.place != SILENT).sum()) >= FEWEST_ANSWERS and int(rows.left.sum()) >= FEWEST_LEAVERS


def agreement(one: Asked, other: Asked, *, strength: float = STRENGTH) -> float:
    """Return the p-value of both having the same differences between answers (chi2, 3 degrees; careful, as shrunk)."""
    first, second = fitted_ratios(one, strength=strength), fitted_ratios(other, strength=strength)
    contrast = np.column_stack([np.eye(3), -np.ones(3)])
    apart = contrast @ (first.values - second.values)
    covariance = contrast @ (first.covariance + second.covariance) @ contrast.T
    return float(chdtrc(3, max(float(apart @ np.linalg.solve(covariance, apart)), 0.0)))
