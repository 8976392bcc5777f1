"""What customers' responses taught as of a date: what their answers say about leaving, and what offers do.

It puts ledger and sources together for ``training.answers`` and ``training.uplift``, and decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scoring import consents_in_force
from training.answers import asked_rows, learned_answers
from training.snapshots import outcome_days
from training.uplift.learn import learned_effects
from training.uplift.past import past_treatments

from .bundle import AnswerRatios
from .bundle.effects import OfferEffects
from .dates import AsOf
from .inputs import Inputs
from .ledger import Ledger, facts
from .store import Engine, Workspace
from .store.statements import statements_in
from .tables.lake import LakeTables

NOBODY_ASKED = "nobody was asked to confirm a risk"


@dataclass(frozen=True)
class Responses:
    """What was learned, each with the words for why not; ``effects`` None where nobody was ever offered anything."""

    answers: AnswerRatios
    effects: OfferEffects | None
    notes: tuple[str, ...] = ()

    def sentences(self) -> Iterator[str]:
        """Say it for a terminal and the model card."""
        yield self.answers.sentence()
        if self.effects is None:
            yield "What offers do is assumed, not measured: no treatment with a known outcome is recorded."
            return
        for offer in self.effects.offers:
            yield (
                f"Offer {offer.offer_id} ({offer.n_treated:,} treated, {offer.n_control:,} left without): "
                f"{offer.words}: {offer.reason}."
            )

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for ``--json``."""
        offers = () if self.effects is None else self.effects.offers
        return {
            "answers": self.answers.as_dict(),
            "offers": {
                offer.offer_id: {
                    "verdict": offer.verdict,
                    "reason": offer.reason,
                    "n_treated": offer.n_treated,
                    "n_control": offer.n_control,
                    "figures": {name: list(ends) for name, ends in offer.figures.items()},
                }
                for offer in offers
            },
        }

    def save(self, folder: Path) -> None:
        """Write beside the risk model in ``folder``; the same always gives the same bytes."""
        self.answers.save(folder)
        if self.effects is not None:
            self.effects.save(folder)


def responses(
    workspace: Workspace,
    engine: Engine,
    tables: LakeTables,
    inputs: Inputs,
    as_of: AsOf,
    *,
    tie_weights: Mapping[str, float] | None = None,
) -> Responses:
    """Learn from all responses whose outcome is known as of a date.

    Parameters
    ----------
    tables : sources and ledger as one (`churnrisk.loaded`), registered with ``engine``.
    tie_weights : as in the model's bundle.

    Raises nothing of its own: where there is too little, what is said instead says so.
    """
    config = workspace.config
    answers = _answers(workspace, engine, tables, inputs, as_of)
    past = past_treatments(
        engine, tables, config, as_of, own=workspace.root / "features", tie_weights=tie_weights
    )
    if past.rows is None:
        return Responses(answers, None)
    found = learned_effects(past.rows, window_days=past.window_days, as_of=str(as_of))
    return Responses(answers, found.effects, past.notes)


def _answers(
    workspace: Workspace, engine: Engine, tables: LakeTables, inputs: Inputs, as_of: AsOf
) -> AnswerRatios:
    config = workspace.config
    if config.churn.kind != "cancelled" or not Ledger.is_there(workspace):
        return AnswerRatios.assumed(NOBODY_ASKED)
    with Ledger.open(workspace, inputs.environment) as ledger, ledger.reading() as db:
        asked = facts.asked(db, as_of.instant)
        treated = facts.treatments(db, as_of.instant)
    may = consents_in_force(engine, tables, as_of.instant).filter("may_use_answers")
    invited = asked.join(may.select("customer_id"), on="customer_id", how="semi", maintain_order="left")
    if invited.is_empty():
        return AnswerRatios.assumed(NOBODY_ASKED)
    rows = asked_rows(
        invited,
        _leavings(engine, tables, invited, as_of),
        treated.filter(pl.col("offer_id") != "control").select("customer_id", "at"),
        known_by=as_of.instant,
        gap_days=config.churn.gap_days,
        horizon_days=outcome_days(config.churn),
        wait_days=float(config.contacts.wait_for_answer_days),
    )
    return learned_answers(rows)


def _leavings(engine: Engine, tables: LakeTables, invited: pl.DataFrame, as_of: AsOf) -> pl.DataFrame:
    """Return customer_id and left_at of those who left from the first asking on, as known."""
    since = {"earliest": invited["invited_at"].min(), "known_by": as_of.instant}
    found = engine.frame(statements_in("training")["leavings"], since)
    keys = pl.read_parquet(tables.paths["keys"]).select("customer_key", "customer_id")
    return found.join(keys, on="customer_key").select("customer_id", "left_at")
