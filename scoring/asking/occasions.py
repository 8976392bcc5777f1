"""Who could be asked for other reasons than a risk: relationship waves, contacts just made, cases just closed.

It decides who is due, and refuses to put a price on such answers: what one is worth is a setting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle.answers import STATED_RESPONSE
from churnrisk.dates import AsOf

from .candidates import CANDIDATE_SCHEMA, STATED, WHOLE, AskingSettings, asking_costs, hash_draws

PEOPLE_COLUMNS = ("customer_id", "risk", "risk_low", "risk_high", "channel", "language")


@dataclass(frozen=True)
class OccasionSettings:
    """``value_of_answer``: money, what an answer is said to be worth. ``share``: of those due, who are drawn."""

    asking: AskingSettings
    value_of_answer: float
    share: float = 1.0


def wave_candidates(
    people: pl.DataFrame,
    settings: OccasionSettings,
    *,
    as_of: AsOf,
    every_days: int = 91,
    answer_chance: NDArray[np.float64] | None = None,
) -> pl.DataFrame:
    """Return whose turn it is in a rolling relationship wave: each drawn customer once in ``every_days``, by a hash.

    Who is drawn (``share``) and on which day stays the same from wave to wave, and does not depend on the risk, so that
    scores of a wave stand for the base; ``propensity`` is the share. ``people``: customer_id, risk, risk_low,
    risk_high, channel, language. ``answer_chance`` (n,) defaults to a stated guess.
    """
    salt = settings.asking.salt
    turn = hash_draws(people["customer_id"], f"{salt}\x1fwave-turn") % np.uint64(every_days)
    is_due = turn == as_of.day.toordinal() % every_days
    chosen = is_due & _drawn(people["customer_id"], f"{salt}\x1fwave", settings.share)
    due = people.filter(pl.Series(chosen)).with_columns(
        metric=pl.lit("nps"),
        occasion=pl.lit("relationship"),
        about_id=pl.lit(None, dtype=pl.String),
        about_at=pl.lit(None, dtype=pl.Datetime("us")),
    )
    answers = None if answer_chance is None else answer_chance[chosen]
    return _candidates(due, "relationship", "wave_due", settings, answers)


def touchpoint_candidates(
    people: pl.DataFrame,
    contacts: pl.DataFrame,
    settings: OccasionSettings,
    *,
    as_of: AsOf,
    within_days: int = 1,
    effort_share: float = 0.5,
) -> pl.DataFrame:
    """Return who had a contact in the last days, drawn by ``share``: asked for satisfaction (csat) or effort (ces).

    ``contacts``: customer_id, interaction_id, at, channel, as known. The latest contact of a customer counts. Draw and
    question come from hashes of the contact, not of what it was like.
    """
    recent = (
        contacts.filter(pl.col("at") >= as_of.days_before(within_days), pl.col("at") < as_of.instant)
        .sort("customer_id", "at", "interaction_id")
        .unique("customer_id", keep="last", maintain_order=True)
        .select("customer_id", about_id="interaction_id", about_at="at", via="channel")
    )
    salt = settings.asking.salt
    recent = recent.filter(pl.Series(_drawn(recent["about_id"], f"{salt}\x1ftouchpoint", settings.share)))
    is_effort = _drawn(recent["about_id"], f"{salt}\x1feffort", effort_share)
    due = recent.with_columns(
        metric=pl.Series(np.where(is_effort, "ces", "csat"), dtype=pl.String),
        occasion=pl.concat_str(pl.col("via").fill_null("service"), pl.lit(" contact")),
    ).join(people.select(PEOPLE_COLUMNS), on="customer_id", how="inner", maintain_order="left")
    return _candidates(due, "touchpoint", "after_contact", settings)


def verify_candidates(
    people: pl.DataFrame,
    cases: pl.DataFrame,
    settings: OccasionSettings,
    *,
    as_of: AsOf,
    after_days: int = 3,
    within_days: int = 7,
) -> pl.DataFrame:
    """Return whose case was closed some days ago: whether it helped is asked of everybody (``share``), once per case.

    ``cases``: customer_id, case_id, closed_at, as known; the latest of a customer counts. Asked from
    ``after_days`` after closing on for ``within_days``, so that what was promised can have shown; the ledger keeps
    a case from being asked about twice (``details.about_id``).
    """
    until, since = as_of.days_before(after_days), as_of.days_before(after_days + within_days)
    closed = (
        cases.filter(pl.col("closed_at") >= since, pl.col("closed_at") < until)
        .sort("customer_id", "closed_at", "case_id")
        .unique("customer_id", keep="last", maintain_order=True)
        .select("customer_id", about_id="case_id", about_at="closed_at")
    )
    chosen = closed.filter(
        pl.Series(_drawn(closed["about_id"], f"{settings.asking.salt}\x1fverify", settings.share))
    )
    due = chosen.with_columns(metric=pl.lit("csat"), occasion=pl.lit("case closed")).join(
        people.select(PEOPLE_COLUMNS), on="customer_id", how="inner", maintain_order="left"
    )
    return _candidates(due, "verify", "case_closed", settings)


def _drawn(ids: pl.Series, salt: str, share: float) -> NDArray[np.bool_]:
    if share >= 1:
        return np.ones(len(ids), dtype=bool)
    return hash_draws(ids, salt) < np.float64(share * WHOLE)


def _candidates(
    due: pl.DataFrame,
    purpose: str,
    why: str,
    settings: OccasionSettings,
    answer_chance: NDArray[np.float64] | None = None,
) -> pl.DataFrame:
    answers = np.full(due.height, STATED_RESPONSE) if answer_chance is None else answer_chance
    cost = asking_costs(due["channel"], settings.asking)
    value = pl.Series(answers * settings.value_of_answer - cost, dtype=pl.Float64)
    fields = CANDIDATE_SCHEMA["details"].to_schema()  # type: ignore[attr-defined]
    told = {"risk_low", "risk_high", "about_id", "about_at"}
    details = due.select(
        pl.col(name).cast(dtype) if name in told else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in fields.items()
    ).with_columns(answer_chance=pl.Series(answers, dtype=pl.Float64))
    frame = due.with_columns(
        purpose=pl.lit(purpose),
        value_of_asking=value,
        walk_value=value,
        basis=pl.lit(STATED),
        cost=pl.Series(cost, dtype=pl.Float64),
        is_random=pl.lit(value=False),
        propensity=pl.lit(settings.share),
        why=pl.lit(why),
        details=details.to_struct("details"),
    ).select(pl.col(name).cast(dtype) for name, dtype in CANDIDATE_SCHEMA.items())
    return frame.filter(pl.col("walk_value") > 0).sort("walk_value", "customer_id", descending=[True, False])
