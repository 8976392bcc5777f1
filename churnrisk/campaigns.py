"""What campaigns brought as of a date: effects of offers, by root cause, around those treated; other rules off-line.

It puts ledger and sources together for ``training.uplift.campaigns``, and decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from training.uplift.alike import SAME_OFFER
from training.uplift.campaigns import (
    ENOUGH,
    INCREMENTALITY,
    NOT_ENOUGH,
    by_cause,
    incrementality,
    spillover_by_community,
)
from training.uplift.past import past_treatments
from training.uplift.rows import UpliftRows

from .bundle import Bundle
from .bundle.effects import read_effects
from .comparing import Champion, rules_compared
from .dates import AsOf
from .inputs import Inputs
from .ledger import Ledger, facts
from .ledger.arms import COMMUNITY, contamination
from .ledger.schema import ARMS, CAMPAIGNS
from .store import Engine, Workspace
from .store.publish import published_frame
from .store.statements import statements_in
from .tables.lake import LakeTables
from .tables.published import RULES

ELSEWHERE = "(sources)"
"""Treatments that the sources tell of, and no campaign of the ledger."""

SPILLOVER = {
    "campaign_id": pl.String(),
    "n_treated_communities": pl.Int64(),
    "n_control_communities": pl.Int64(),
    "n_customers": pl.Int64(),
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
    "control_ties_to_treated": pl.Float64(),
    "treated_ties_to_control": pl.Float64(),
    "verdict": pl.String(),
}


@dataclass(frozen=True)
class Campaigns:
    """Tables by name and sentences; no table where no treatment has a known outcome."""

    tables: Mapping[str, pl.DataFrame]
    sentences: tuple[str, ...]


def campaigns(
    workspace: Workspace,
    engine: Engine,
    tables: LakeTables,
    inputs: Inputs,
    as_of: AsOf,
    *,
    tie_weights: Any = None,
) -> Campaigns:
    """Return what was brought by offers whose outcome is known as of a date.

    Parameters
    ----------
    tables : sources and ledger as one (`churnrisk.loaded`), registered with ``engine``.

    Returns
    -------
    Campaigns
        ``campaigns`` (campaign_id and `INCREMENTALITY`), ``causes`` (campaign_id, root_cause, offer_id ...),
        ``spillover`` (`SPILLOVER`, of campaigns by community) and ``rules`` (`comparing.rules_compared`).
    """
    past = past_treatments(
        engine, tables, workspace.config, as_of, own=workspace.root / "features", tie_weights=tie_weights
    )
    if past.rows is None:
        return Campaigns({}, (f"Nothing is told of offers: {'; '.join(past.notes) or 'none was made'}.",))
    of_ledger, around = _ledgered(workspace, engine, tables, inputs, as_of)
    named = past.table.select("treatment_id").join(
        of_ledger, on="treatment_id", how="left", maintain_order="left"
    )
    campaign = named["campaign_id"].fill_null(ELSEWHERE)
    rows = past.rows
    offers = pl.read_parquet(tables.paths["offers"]) if tables.has("offers") else None
    rules, untold = rules_compared(past, workspace.config, offers, _champion(workspace))
    found = {
        "campaigns": _each(rows, campaign),
        "causes": _by_cause(rows, past.table["root_cause"], campaign),
        "spillover": around,
        "rules": rules,
    }
    return Campaigns(found, (*_sentences(found), *(f"Left out: {note}." for note in (*past.notes, *untold))))


def _champion(workspace: Workspace) -> Champion | None:
    """Return the model in use where it has learned effects."""
    effects = read_effects(workspace.champion) if workspace.champion.is_dir() else None
    if effects is None:
        return None
    bundle = Bundle.load(workspace.champion)
    return Champion(bundle, effects, bundle.model_version)


def _each(rows: UpliftRows, campaign: pl.Series) -> pl.DataFrame:
    parts = [
        incrementality(rows.where((campaign == name).to_numpy())).with_columns(campaign_id=pl.lit(name))
        for name in campaign.unique().sort()
    ]
    return pl.concat(parts).select("campaign_id", *INCREMENTALITY).filter(pl.col("n_treated") > 0)


def _by_cause(rows: UpliftRows, root_cause: pl.Series, campaign: pl.Series) -> pl.DataFrame:
    parts = []
    for name in campaign.unique().sort():
        mine = campaign == name
        found = by_cause(rows.where(mine.to_numpy()), root_cause.filter(mine).to_list())
        parts.append(found.with_columns(campaign_id=pl.lit(name)))
    told = pl.concat(parts, how="vertical_relaxed")
    return told.filter(pl.col("n_treated") > 0).select("campaign_id", pl.exclude("campaign_id"))


def _ledgered(
    workspace: Workspace, engine: Engine, tables: LakeTables, inputs: Inputs, as_of: AsOf
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return treatments with campaign_id and source, and what treating whole communities did to the others in them."""
    nothing = pl.DataFrame(schema=dict.fromkeys(("treatment_id", "campaign_id", "source"), pl.String))
    if not Ledger.is_there(workspace):
        return nothing, pl.DataFrame(schema=SPILLOVER)
    with Ledger.open(workspace, inputs.environment) as ledger, ledger.reading() as db:
        treated = facts.treatments(db, as_of.instant)
        running, arms = facts.whole(db, CAMPAIGNS), facts.whole(db, ARMS)
    lines = []
    ties = published_frame(workspace, RULES["ties"])
    for campaign in running.filter(pl.col("unit") == COMMUNITY).iter_rows(named=True):
        mine = arms.filter(pl.col("campaign_id") == campaign["campaign_id"])
        touched = treated.filter(pl.col("campaign_id") == campaign["campaign_id"])
        # who would have been chosen is left out on both sides: treated on one, noted as control on the other
        others = mine.join(touched.select("customer_id"), on="customer_id", how="anti").filter(
            pl.col("community").is_not_null()
        )
        left = _left_since(engine, tables, AsOf(campaign["started_on"], as_of.zone), as_of)
        stayed = ~others["customer_id"].is_in(left.implode())
        found = spillover_by_community(
            stayed.cast(pl.Float64).to_numpy(),
            (others["arm"] == "treated").to_numpy(),
            others["community"].to_numpy().astype(object),
        )
        mixed = None if ties is None else contamination(ties, mine)
        lines.append(
            {
                "campaign_id": campaign["campaign_id"],
                "n_treated_communities": found.n_treated_communities,
                "n_control_communities": found.n_control_communities,
                "n_customers": others.height,
                "difference": _known(found.effect.value),
                "difference_low": _known(found.effect.low),
                "difference_high": _known(found.effect.high),
                "control_ties_to_treated": None if mixed is None else mixed.control_to_treated,
                "treated_ties_to_control": None if mixed is None else mixed.treated_to_control,
                "verdict": found.verdict,
            }
        )
    return treated.select("treatment_id", "campaign_id", "source"), pl.DataFrame(lines, schema=SPILLOVER)


def _left_since(engine: Engine, tables: LakeTables, since: AsOf, as_of: AsOf) -> pl.Series:
    found = engine.frame(
        statements_in("training")["leavings"], {"earliest": since.instant, "known_by": as_of.instant}
    )
    keys = pl.read_parquet(tables.paths["keys"]).select("customer_key", "customer_id")
    return found.join(keys, on="customer_key")["customer_id"]


def _sentences(found: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    for row in found["campaigns"].iter_rows(named=True):
        who = f"Campaign {row['campaign_id']}, offer {row['offer_id']}: {row['n_treated']:,} treated"
        if row["verdict"] == NOT_ENOUGH:
            yield f"{who}, {_beside(row)}: not enough data."
            continue
        told = (
            f"{who}, {_beside(row)}: staying {100 * row['effect']:+.1f} points "
            f"[{100 * row['effect_low']:+.1f}, {100 * row['effect_high']:+.1f}], {row['kept']:,.0f} customers kept"
        )
        if row["ratio_low"] is None:
            yield f"{told}."
            continue
        yield (
            f"{told}; they leave {row['ratio']:.2f} [{row['ratio_low']:.2f}, {row['ratio_high']:.2f}] times as often."
        )
    measured = (
        found["causes"].filter(pl.col("verdict") == ENOUGH) if found["causes"].height else found["causes"]
    )
    yield (
        f"By root cause and offer {measured.height:,} of {found['causes'].height:,} cells have enough data to be told."
    )
    for row in found["spillover"].iter_rows(named=True):
        yield _around(row)


def _beside(row: Mapping[str, Any]) -> str:
    if row["compared_with"] != SAME_OFFER:
        return f"{row['n_control']:,} left without"
    first = f"{row['n_compared']:,} for the first time"
    return f"{first} beside {row['n_control']:,} who would have been and were left without"


def _around(row: Mapping[str, Any]) -> str:
    mixed = row["control_ties_to_treated"]
    through = (
        "" if mixed is None else f" {100 * mixed:.0f} % of the controls' ties lead to treated customers."
    )
    if row["verdict"] == NOT_ENOUGH:
        return (
            f"Campaign {row['campaign_id']} around those treated: not enough data "
            f"({row['n_treated_communities']:,} and {row['n_control_communities']:,} communities).{through}"
        )
    return (
        f"Campaign {row['campaign_id']} around those treated: the others of their communities stay "
        f"{100 * row['difference']:+.2f} points [{100 * row['difference_low']:+.2f}, "
        f"{100 * row['difference_high']:+.2f}] more than those of control communities.{through}"
    )


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
