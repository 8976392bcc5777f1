"""The published tables that come out of the ledger alone, as it knew things at the end of a day."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, select

from ..config import Config
from ..dates import AsOf
from ..tables.published import KEPT_DAYS, NPS_CATEGORY_WORDS
from . import facts
from .holdouts import CAMPAIGN, CONTROL, holdouts
from .schema import ALERTS, ARMS, HOLDOUTS


def kept_tables(db: Connection, config: Config, as_of: AsOf, customers: pl.Series) -> dict[str, pl.DataFrame]:
    """Return answers, alerts, outcomes, contacts and holdouts as of a day, without as_of and run_id.

    Parameters
    ----------
    customers : Series
        Ids of those scored: of whom hold-outs are told.
    """
    end, since = as_of.instant, as_of.days_before(KEPT_DAYS)
    answers = facts.answers(db, end).join(
        facts.invitations(db).select("invitation_id", "purpose"), on="invitation_id"
    )
    alerts = facts.whole(db, ALERTS)
    contacts = facts.contacts(db, since=since, known_before=end)
    outcomes = facts.outcomes(db, end)
    return {
        "answers": _told(
            answers.filter(pl.col("answered_at") >= since).with_columns(_category()),
            "invitation_id", "metric", "customer_id", "purpose", "score", "category", "answered_at", "known_at",
            "is_late", "risk_before", "risk_after",
        ),
        "alerts": _told(
            alerts.filter(pl.col("raised_at").is_between(since, end, closed="left")),
            "alert_id", "customer_id", "invitation_id", "score", "comment", "owner", "state", "raised_at",
        ),
        "outcomes": _told(
            outcomes.filter(pl.col("at") >= since),
            "outcome_id", "customer_id", "treatment_id", "at", "outcome", "root_cause",
        ),
        "contacts": _told(
            contacts,
            "contact_id", "customer_id", "at", "channel", "purpose", "is_transactional", "source",
        ),
        "holdouts": _holdouts(db, config, as_of, customers),
    }  # fmt: skip


def _told(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.select(columns)


def _category() -> pl.Expr:
    detractor, passive, promoter = (pl.lit(word) for word in NPS_CATEGORY_WORDS)
    score = pl.col("score")
    word = pl.when(score <= 6).then(detractor).when(score <= 8).then(passive).otherwise(promoter)  # noqa: PLR2004
    return pl.when((pl.col("metric") == "nps") & score.is_not_null()).then(word).alias("category")


def _holdouts(db: Connection, config: Config, as_of: AsOf, customers: pl.Series) -> pl.DataFrame:
    """Return who is held out by the hash and by frozen arms, and since when that kept a contact away."""
    ids = customers.unique().sort()
    drawn = holdouts(
        ids,
        salt=config.holdout.salt,
        permanent_share=config.holdout.share,
        survey_share=config.surveys.holdout_share,
    )
    query = select(ARMS).where(ARMS.c.arm == CONTROL, ARMS.c.frozen_at <= as_of.instant)
    arms = facts.frame_of(db, query)
    controls = arms.filter(pl.col("customer_id").is_in(ids.implode())).select(
        pl.lit(CAMPAIGN).alias("kind"), "campaign_id", "customer_id"
    )
    used = facts.whole(db, HOLDOUTS).filter(pl.col("since") < as_of.day)
    return (
        pl.concat([drawn, controls])
        .join(used, on=["kind", "campaign_id", "customer_id"], how="left")
        .select("kind", "campaign_id", "customer_id", "since")
    )
