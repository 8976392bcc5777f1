"""What each customer's leaving would cost around them, and what detractors and promoters do with their influence.

It joins ties with risk and value and decides whose list sets the scale. It refuses to read exposures: those predict,
and money rests on the causal effect of the settings alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.config import InfluenceSettings
from features import Ties
from features.network import DETRACTOR, FEWEST_OF_A_KIND, FEWEST_TIES, PROMOTER
from features.ties.influence import (
    LARGEST_EXCESS,
    FriendsStake,
    SpilloverScale,
    friends_stake,
    spillover,
    spillover_scale,
)

from .lists import ranked_list

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Influence:
    """Money around every customer scored.

    Attributes
    ----------
    frame
        customer_id, spillover_value, spillover_low, spillover_high, by the order of the scores; customer's currency.
        Null where nothing may be said of the customer's ties (`Ties.is_usable`), or where nobody around is of known
        value though some are at risk.
        ``is_told``: whether the money points at nobody.
    scale
        How the shared stake was turned into money.
    risk, value
        float per node of the graph, NaN = not scored, or unknown.
    notes
        Warnings for run_log.
    """

    frame: pl.DataFrame
    scale: SpilloverScale
    risk: Floats
    value: Floats
    notes: tuple[str, ...] = ()


def influence(
    ties: Ties, scores: pl.DataFrame, reference: Collection[str], settings: InfluenceSettings
) -> Influence:
    """Value what would be lost around each customer if they left.

    Parameters
    ----------
    ties : Ties
        Ties as of the date of the scores.
    scores : pl.DataFrame
        The published table: customer_id, risk, value are read; whoever is not in it is at no risk any more.
    reference : collection of str
        Those who would be treated: the mean of spillover over value is set among them.
    settings : InfluenceSettings
        The causal effect.
    """
    nodes = _placed(ties, scores)
    risk, value = (nodes[name].fill_null(np.nan).to_numpy() for name in ("risk", "value"))
    is_usable = ties.is_usable
    graph = ties.graph.without(~is_usable)
    stake = friends_stake(graph, risk, value)
    is_reference = nodes["customer_id"].is_in(list(reference)).to_numpy() & is_usable
    scale = spillover_scale(
        stake, value, is_reference & ~np.isnan(risk), effect=settings.effect, excess=settings.excess
    )
    columns = {
        "spillover_value": scale.kappa,
        "spillover_low": scale.kappa_low,
        "spillover_high": scale.kappa_high,
    }
    money = pl.DataFrame(
        {"customer_id": nodes["customer_id"]}
        | {name: _money(stake, kappa, is_usable) for name, kappa in columns.items()}
        | {"is_told": _is_discreet(graph.degrees, stake)}
    )
    frame = scores.select("customer_id").join(money, on="customer_id", how="left", maintain_order="left")
    return Influence(frame, scale, risk, value, _notes(stake, frame))


def influence_of_date(
    ties: Ties | None,
    scores: pl.DataFrame,
    consents: pl.DataFrame,
    capacity: int,
    settings: InfluenceSettings,
) -> Influence | None:
    """Value what each leaving would cost around, as the data of the date say it; None where ties are not known.

    Who would be treated depends on the ranking and the scale of influence on who would be treated: so the list by
    risk x value alone sets the scale (those who may be contacted, or, when nobody may, all of it). Money that would
    point at somebody is left out.

    Parameters
    ----------
    consents : pl.DataFrame
        customer_id, may_contact in force on the date (`consents_in_force`), before anybody is held out or must rest:
        with those the money of a date would depend on which command computes it, and when.
    """
    if ties is None or ties.silence is not None:
        return None
    listed = ranked_list(scores, consents, capacity).frame
    called = listed.filter("may_contact") if listed["may_contact"].any() else listed
    return told(influence(ties, scores, called["customer_id"].to_list(), settings))


def told(found: Influence) -> Influence:
    """Return the same without the money that would point at somebody: it is neither shown nor ranked by."""
    amounts = pl.col("spillover_value", "spillover_low", "spillover_high")
    frame = found.frame.with_columns(pl.when("is_told").then(amounts).name.keep())
    return replace(found, frame=frame)


def scale_words(scale: SpilloverScale) -> str:
    """Say how much the money is beside the value of those who would be treated, and whether the cap holds it down.

    >>> scale_words(SpilloverScale(0.1, 0.0, 1.0, 0.02, 0.0, 0.2, 50, is_capped=False))
    'multiplier 1.0200 (1.0000 to 1.2000) on average over 50 reference customers, at most 1.28'
    """
    ends = f"{1 + scale.excess_low:.4f} to {1 + scale.excess_high:.4f}"
    held = f"held down to {1 + LARGEST_EXCESS:g}" if scale.is_capped else f"at most {1 + LARGEST_EXCESS:g}"
    over = f"over {scale.n_reference} reference customers"
    return f"multiplier {1 + scale.excess:.4f} ({ends}) on average {over}, {held}"


def with_influence(
    network: pl.DataFrame, scores: pl.DataFrame, found: Influence, opinions: pl.DataFrame | None
) -> pl.DataFrame:
    """Fill the influences of the published table ``network``, in the customer's currency.

    churn_influence is the spillover S; detractor_influence risk x S of a detractor, promoter_influence (1 - risk) x S
    of a promoter: 0 for those whose latest answer says otherwise, null without an answer or without S.
    """
    answered = pl.DataFrame(schema={"customer_id": pl.String, "opinion": pl.String})
    joined = (
        network.join(found.frame, on="customer_id", how="left", maintain_order="left")
        .join(scores.select("customer_id", "risk"), on="customer_id", how="left", maintain_order="left")
        .join(answered if opinions is None else opinions, on="customer_id", how="left", maintain_order="left")
    )
    share = {
        "detractor_influence": (DETRACTOR, pl.col("risk")),
        "promoter_influence": (PROMOTER, 1 - pl.col("risk")),
    }
    return joined.with_columns(
        pl.col("spillover_value").alias("churn_influence"),
        *(
            pl.when(pl.col("opinion") == opinion)
            .then(pl.col("spillover_value") * part)
            .when(pl.col("opinion").is_not_null() & pl.col("spillover_value").is_not_null())
            .then(0.0)
            .alias(name)
            for name, (opinion, part) in share.items()
        ),
    ).select(network.columns)


def _placed(ties: Ties, scores: pl.DataFrame) -> pl.DataFrame:
    """Nodes in order with risk and value, null where not scored or unknown."""
    known = scores.select("customer_id", "risk", pl.col("value").cast(pl.Float64))
    return ties.nodes.sort("node").join(known, on="customer_id", how="left", maintain_order="left")


def _is_discreet(n_ties: NDArray[np.int64], stake: FriendsStake) -> NDArray[np.bool_]:
    """Say whose money points at nobody: those without ties, or with five of which two are at risk still.

    With fewer, money of 0 would say that the only friend has left.
    """
    n_at_risk = stake.n_valued + stake.n_unvalued
    is_told: NDArray[np.bool_] = (n_ties == 0) | ((n_ties >= FEWEST_TIES) & (n_at_risk >= FEWEST_OF_A_KIND))
    return is_told


def _money(stake: FriendsStake, kappa: float, is_usable: NDArray[np.bool_]) -> pl.Series:
    amounts = spillover(stake, kappa)
    return pl.Series(np.where(is_usable, amounts, np.nan)).fill_nan(None)


def _notes(stake: FriendsStake, frame: pl.DataFrame) -> tuple[str, ...]:
    n_short, n_unknown = int((stake.n_unvalued > 0).sum()), frame["spillover_value"].null_count()
    if not n_short or not stake.n_valued.any():  # that no value is known at all, the list says
        return ()
    note = f"{n_short} customers have friends of unknown value, who add nothing to the value around them"
    return (f"{note}; it is unknown for {n_unknown}",)
