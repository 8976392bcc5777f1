"""What customers answered when asked to confirm, brought into the risks of a night; it computes nothing itself."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from features import FeatureSet
from scoring.confirm import (
    INVITATION_COLUMNS,
    Confirmed,
    answer_chances,
    confirmed,
    evidence_in_force,
    lifetimes_again,
)
from scoring.risk import MONTHLY_VALUE

from .bundle import Answering, AnswerRatios, Bundle, Lifetime, NpsModel, read_answers, read_predicted_nps
from .dates import AsOf
from .ledger import Ledger, facts
from .store import Workspace


class Heard(NamedTuple):
    """What answers are worth, and which are in force: customer_id, invitation_id, evidence, age_days."""

    ratios: AnswerRatios
    nps: NpsModel | None
    answering: Answering | None
    evidence: pl.DataFrame


def heard(workspace: Workspace, ledger: Ledger | None, as_of: AsOf, consents: pl.DataFrame) -> Heard:
    """Return what speaks for each customer as of a date; answers of those who forbid their use are not read."""
    kept = read_predicted_nps(workspace.champion)
    found = evidence_in_force(
        _invitations(ledger, as_of), as_of, wait_days=float(workspace.config.contacts.wait_for_answer_days)
    )
    may = consents.filter("may_use_answers").select("customer_id")
    return Heard(
        read_answers(workspace.champion),
        None if kept is None else kept.model,
        None if kept is None else kept.answering,
        found.join(may, on="customer_id", how="semi", maintain_order="left"),
    )


def with_answers(
    scores: pl.DataFrame,
    features: FeatureSet,
    known: Heard,
    *,
    bundle: Bundle,
    workspace: Workspace,
    lifetime: Lifetime | None,
) -> Confirmed:
    """Return the scores with the answers in them."""
    chances = answer_chances(features.frame, known.ratios, model=known.nps, answering=known.answering)
    monthly = (
        features.frame.select("customer_id", MONTHLY_VALUE)
        if MONTHLY_VALUE in features.frame.columns
        else features.frame.select("customer_id", pl.lit(None, dtype=pl.Float64).alias(MONTHLY_VALUE))
    )
    return confirmed(
        scores,
        known.evidence,
        known.ratios,
        chances,
        band=bundle.band,
        with_lifetimes=lifetimes_again(monthly, workspace.config.value, lifetime),
    )


def _invitations(ledger: Ledger | None, as_of: AsOf) -> pl.DataFrame:
    """Return invitations that went out with their answers, as known at the as-of instant."""
    kinds = {
        "invited_at": pl.Datetime("us"),
        "answered_at": pl.Datetime("us"),
        "answer_known_at": pl.Datetime("us"),
        "score": pl.Float64(),
    }
    if ledger is None:
        return pl.DataFrame(schema={name: kinds.get(name, pl.String()) for name in INVITATION_COLUMNS})
    with ledger.reading() as db:
        return facts.asked(db, as_of.instant).select(INVITATION_COLUMNS)
