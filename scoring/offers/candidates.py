"""Every offer to every customer, valued: what `decide` chooses from.

It joins catalogue, scores, features and effects, and refuses to know budgets, contact rules and hold-outs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle.effects import EstimatedEffects, OfferEffects

from .eligibility import eligible
from .value import TREAT_QUANTILE, Effects, NetValue, OfferCosts, net_value, takes_assumed

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SPILLOVER = ("spillover_value", "spillover_low", "spillover_high")


@dataclass(frozen=True)
class Candidates:
    """Customers x offers in the order of ``customer_ids`` and ``offer_ids``."""

    customer_ids: tuple[str, ...]
    offer_ids: tuple[str, ...]
    estimated: EstimatedEffects
    net: NetValue
    is_eligible: Flags
    """Whether the offer's expression is true of the customer."""
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> Floats:
        """Net value where the offer is allowed and worth it, nan elsewhere: what an allocation takes."""
        return np.where(self.is_eligible & self.net.is_worth, self.net.net, np.nan)

    def ranked(self) -> pl.DataFrame:
        """Return one row per customer and offer, best first.

        Columns: customer_id, position (1 = best net value; unknown last), offer_id, effect, net_value, direct_value,
        spillover_value, low, high, expected_cost, is_eligible, is_worth, effect_words (how well the effect is known).
        """
        n, n_offers = self.net.net.shape
        long = {
            "customer_id": np.repeat(np.array(self.customer_ids, dtype=object), n_offers).tolist(),
            "offer_id": list(self.offer_ids) * n,
            "effect": self.estimated.mean.ravel(),
            "net_value": self.net.net.ravel(),
            "direct_value": self.net.direct.ravel(),
            "spillover_value": self.net.spillover.ravel(),
            "low": self.net.low.ravel(),
            "high": self.net.high.ravel(),
            "expected_cost": self.net.cost.ravel(),
            "is_eligible": self.is_eligible.ravel(),
            "is_worth": self.net.is_worth.ravel(),
            "effect_words": [offer.words for offer in self.estimated.offers] * n,
        }
        texts = {"customer_id": pl.String(), "offer_id": pl.String(), "effect_words": pl.String()}
        frame = pl.DataFrame(long, schema_overrides=texts).with_columns(pl.col(pl.Float64).fill_nan(None))
        order = np.repeat(np.arange(n), n_offers)
        return (
            frame.with_columns(order=pl.Series(order))
            .sort("order", "net_value", "offer_id", descending=[False, True, False], nulls_last=True)
            .with_columns(position=pl.int_range(1, pl.len() + 1).over("order"))
            .select("customer_id", "position", *[name for name in frame.columns if name != "customer_id"])
        )


def candidates(
    offers: pl.DataFrame, customers: pl.DataFrame, features: pl.DataFrame, effects: OfferEffects
) -> Candidates:
    """Value every offer for every customer.

    Parameters
    ----------
    offers : the validated table: offer_id, contact_cost, incentive_cost, eligible. Offers of unknown cost are left out
        and told in ``notes``.
    customers : one row per customer: customer_id, risk, value, perhaps spillover_value, spillover_low and
        spillover_high, and whatever published columns expressions name. Null risk or value: no net value.
    features : the feature table, customer_id among its columns; only read where an offer is measured.
    effects : what is known of the offers.

    Raises
    ------
    ContractError
        An expression cannot be used.
    """
    priced = offers.filter(pl.col("contact_cost").is_not_null() & pl.col("incentive_cost").is_not_null())
    unpriced = offers.join(priced, on="offer_id", how="anti")["offer_id"].sort().to_list()
    notes = [f"offer {name} is never made: its costs are not known" for name in unpriced]
    priced = priced.sort("offer_id")
    offer_ids = tuple(priced["offer_id"].to_list())
    risk, value = (_numbers(customers, name) for name in ("risk", "value"))
    inputs = customers.select("customer_id").join(
        features, on="customer_id", how="left", maintain_order="left"
    )
    estimated = effects.estimated(inputs, risk, offer_ids)
    told = Effects(estimated.mean, estimated.quantile(TREAT_QUANTILE), estimated.quantile(1 - TREAT_QUANTILE))
    costs = OfferCosts(_numbers(priced, "contact_cost"), _numbers(priced, "incentive_cost"))
    takes = takes_assumed(risk, estimated.mean)
    for place, offer in enumerate(estimated.offers):
        share = offer.takes()
        if share is not None:
            takes[:, place] = share
    around = tuple(
        _numbers(customers, name) if name in customers.columns else np.full(len(risk), np.nan)
        for name in SPILLOVER
    )
    net = net_value(told, value, (around[0], around[1], around[2]), costs, takes)
    allowed = eligible(customers, dict(zip(offer_ids, priced["eligible"].to_list(), strict=True)))
    is_eligible = np.column_stack(
        [allowed[name].fill_null(value=False).to_numpy() for name in offer_ids]
        or [np.empty((len(risk), 0), dtype=np.bool_)]
    )
    ids = tuple(customers["customer_id"].to_list())
    return Candidates(ids, offer_ids, estimated, net, is_eligible.astype(np.bool_), tuple(notes))


def _numbers(frame: pl.DataFrame, name: str) -> Floats:
    return frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
