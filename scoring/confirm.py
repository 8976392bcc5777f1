"""From what customers answered when asked to the risk after it: the posterior, once per answer.

It decides which invitation speaks for a customer and how far it moves the risk, and refuses to know whom to ask and
what to offer. Answers to other surveys are features; here they are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logit

from churnrisk.bundle import (
    EVIDENCE,
    EVIDENCE_PURPOSES,
    NPS_CATEGORIES,
    SILENT,
    Answering,
    AnswerRatios,
    Lifetime,
    NpsModel,
    answer_category,
    evidence_weight,
    moved_by,
    posterior,
)
from churnrisk.bundle.answers import EVIDENCE_DAYS
from churnrisk.config import ValueSettings
from churnrisk.dates import AsOf

from .lifetime import lifetimes

Floats = NDArray[np.float64]

WAIT_DAYS = 7.0
"""Days after an invitation before silence says anything (settings: `[contacts] wait_for_answer_days`)."""

DAY = timedelta(days=1)

INVITATION_COLUMNS = (
    "customer_id",
    "invitation_id",
    "purpose",
    "metric",
    "invited_at",
    "answered_at",
    "answer_known_at",
    "score",
)
"""What is read of invitations with their answers: one row per invitation; the last three null without an answer."""


@dataclass(frozen=True, eq=False)
class Chances:
    """Chance of each of :data:`EVIDENCE` after an invitation: ``values`` (n, 4), rows summing to 1, and their origin.

    ``source`` is ``predicted`` (a model of the categories), ``past`` (shares of earlier answers) or ``assumed``.
    """

    values: Floats
    source: str


@dataclass(frozen=True, eq=False)
class Confirmed:
    """Scores after the answers, and what each answer did.

    ``answers``: customer_id, invitation_id, evidence, age_days, risk_before, risk_after, points (percentage points
    added to the risk: the line "survey answer" of the reasons); one row per customer whose answer is in force.
    """

    scores: pl.DataFrame
    answers: pl.DataFrame


def is_evidence() -> pl.Expr:
    """Say of a row of invitations whether it is evidence; what is not is what features may be made of."""
    return pl.col("purpose").is_in(EVIDENCE_PURPOSES).fill_null(value=False)


def evidence_in_force(
    invitations: pl.DataFrame, as_of: AsOf, *, wait_days: float = WAIT_DAYS
) -> pl.DataFrame:
    """Return what speaks for each customer as of a date: customer_id, invitation_id, evidence, age_days; by customer.

    Parameters
    ----------
    invitations : :data:`INVITATION_COLUMNS`, invitations that went out (a withdrawn or failed one is no silence).
        Instants are naive UTC. Only those of :data:`EVIDENCE_PURPOSES` are read.
    as_of : what happened or became known later is not seen; consents are the caller's matter.
    wait_days : silence is evidence once the invitation is older than this; its age counts from then.

    Notes
    -----
    The latest answer with a score counts; silence only where no answer of a year is known, then the latest. An
    invitation whose answer came and is not known yet is silent until it is. Ties by invitation id.
    """
    now = pl.lit(as_of.instant)
    is_known = (pl.col("answered_at") < now) & (pl.col("answer_known_at") < now)
    place = pl.when(is_known.fill_null(value=False)).then(answer_category(pl.col("metric"), pl.col("score")))
    waited = pl.col("invited_at") + pl.lit(timedelta(days=wait_days))
    found = (
        invitations.filter(is_evidence())
        .select("customer_id", "invitation_id", "answered_at", waited=waited, place=place)
        .with_columns(
            is_silent=pl.col("place").is_null(),
            since=pl.when(pl.col("place").is_not_null()).then("answered_at").otherwise("waited"),
        )
        .filter(pl.col("since") < now)
        .with_columns(age_days=(now - pl.col("since")) / pl.lit(DAY))
        .filter(pl.col("age_days") <= EVIDENCE_DAYS)
        .sort("customer_id", "is_silent", "since", "invitation_id", descending=[False, False, True, True])
        .unique("customer_id", keep="first", maintain_order=True)
    )
    names = pl.Series(EVIDENCE, dtype=pl.String)
    told = names.gather(found["place"].fill_null(SILENT).cast(pl.UInt32))
    return found.select(
        "customer_id", "invitation_id", evidence=told, age_days=pl.col("age_days").cast(pl.Float64)
    )


def answer_chances(
    frame: pl.DataFrame,
    ratios: AnswerRatios,
    *,
    model: NpsModel | None = None,
    answering: Answering | None = None,
) -> Chances:
    """Return the chance of each answer, and of none, for every row of ``frame`` in its order.

    What an answer would be comes from a model of the categories, without one from shares of past answers, which are
    stated guesses where nothing was learned; whether there is one from ``answering``, without it from the past
    share of answered invitations. Raises ModelUnfit when the frame is not what a model was taught.
    """
    answers = np.full(frame.height, ratios.response) if answering is None else answering.chance(frame)
    if model is None:
        past = np.array([ratios.shares[name] for name in NPS_CATEGORIES])
        each, source = np.tile(past, (frame.height, 1)), "past" if ratios.is_learned else "assumed"
    else:
        each, source = model.predict(frame).select(NPS_CATEGORIES).to_numpy(), "predicted"
    each = each / each.sum(axis=1, keepdims=True)
    return Chances(np.column_stack([each * answers[:, None], 1.0 - answers]), source)


def confirmed(
    scores: pl.DataFrame,
    evidence: pl.DataFrame,
    ratios: AnswerRatios,
    chances: Chances,
    *,
    band: Callable[[pl.Series], pl.Series],
    with_lifetimes: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
) -> Confirmed:
    """Return the scores with the answers in them: risk, its ends, risk_before_survey and band.

    Parameters
    ----------
    scores : the published table ``scores`` of the night, before any answer.
    evidence : as :func:`evidence_in_force` gives it; customers without a score are left aside.
    ratios : what answers are worth.
    chances : of each row of ``scores``.
    band : of risks, as ``Bundle.band``.
    with_lifetimes : makes ``expected_months`` and ``clv`` anew from rows whose risk moved, see :func:`lifetimes_again`.

    Notes
    -----
    The risk after is the coherent posterior (`churnrisk.bundle.posterior`): over everything that the invitation could
    have come to, its mean is the risk before. The ends of the interval move by as many log odds as the risk: they
    say how sure the model is, not how sure the ratios are. An answer that moves nothing leaves the row as it was,
    ``risk_before_survey`` null included.
    """
    here = (
        scores.select("customer_id")
        .with_row_index("row")
        .join(evidence, on="customer_id", how="inner", maintain_order="left", validate="1:1")
    )
    row = here["row"].to_numpy()
    before = scores["risk"].to_numpy()[row]
    place = here["evidence"].replace_strict(list(EVIDENCE), list(range(len(EVIDENCE))), return_dtype=pl.Int64)
    told = place.to_numpy()
    after = risk_after(before, chances.values[row], ratios, told, here["age_days"].to_numpy())
    is_inner = (before > 0) & (before < 1) & (after > 0) & (after < 1)
    shift = logit(np.where(is_inner, after, 0.5)) - logit(np.where(is_inner, before, 0.5))
    moved = after != before
    answers = here.select(
        "customer_id",
        "invitation_id",
        "evidence",
        "age_days",
        weight=pl.Series(evidence_weight(here["age_days"].to_numpy(), ratios.half_life_days)),
        risk_before=pl.Series(before),
        risk_after=pl.Series(after),
        points=pl.Series(100.0 * (after - before)),
    )
    changed = _moved(scores[row[moved]], after[moved], shift[moved]).with_columns(
        band=band(pl.Series(after[moved], dtype=pl.Float64))
    )
    again = changed if with_lifetimes is None else with_lifetimes(changed)
    return Confirmed(_put_back(scores, row[moved], again) if moved.any() else scores, answers)


def risk_after(
    before: Floats, chances: Floats, ratios: AnswerRatios, place: NDArray[np.int64], age_days: Floats
) -> Floats:
    """Return the risk after one answer each: the coherent posterior, as a night and as an answer just taken has it.

    Parameters
    ----------
    before : shape (n,), the risk before, 0 to 1.
    chances : shape (n, 4), chance of each of :data:`EVIDENCE`, rows summing to 1.
    ratios : what answers are worth.
    place : shape (n,), which of :data:`EVIDENCE` came.
    age_days : shape (n,), how old it is.
    """
    each = posterior(before, chances, ratios.aged(age_days))
    after: Floats = each[np.arange(len(before)), place]
    return after


def _moved(scored: pl.DataFrame, after: Floats, shift: Floats) -> pl.DataFrame:
    """Return the rows with another risk and its ends moved by as many log odds; ends never cross the risk."""
    risk = pl.Series(after, dtype=pl.Float64)
    low, high = (
        pl.Series(moved_by(scored[name].to_numpy(), shift), dtype=pl.Float64, nan_to_null=True)
        for name in ("risk_low", "risk_high")
    )
    return scored.with_columns(
        risk_before_survey=scored["risk"],
        risk=risk,
        risk_low=pl.when(low.is_not_null()).then(pl.min_horizontal(low, risk)),
        risk_high=pl.when(high.is_not_null()).then(pl.max_horizontal(high, risk)),
    )


def _put_back(scores: pl.DataFrame, row: NDArray[np.uint32], changed: pl.DataFrame) -> pl.DataFrame:
    """Return the scores with the rows at ``row`` replaced, in their order."""
    numbers = pl.Series(row, dtype=pl.UInt32)
    numbered = scores.with_row_index("row")
    kept = numbered.filter(~pl.col("row").is_in(numbers.implode()))
    together = pl.concat([kept, changed.with_columns(row=numbers).select(kept.columns)])
    return together.sort("row").select(scores.columns)


def lifetimes_again(
    monthly_value: pl.DataFrame, values: ValueSettings, lifetime: Lifetime | None
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return what makes expected months and lifetime value of moved scores anew.

    ``monthly_value``: customer_id, monthly_value, of every customer who may have answered.
    """

    def again(changed: pl.DataFrame) -> pl.DataFrame:
        paid = changed.select("customer_id").join(
            monthly_value, on="customer_id", how="left", maintain_order="left"
        )["monthly_value"]
        return changed.with_columns(lifetimes(changed, paid, values, lifetime))

    return again
