"""Rules for giving offers, judged on past decisions before they go live: one's own, and that of the model in use.

It turns rules into what they would have done with each logged decision, and refuses to know how a rule is valued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.offers import Effects, OfferCosts, eligible, net_value, takes_assumed
from training.uplift.campaigns import compared_rules
from training.uplift.past import PastTreatments
from training.uplift.rows import UpliftRows

from .bundle import Bundle
from .bundle.effects import OfferEffects
from .config import Config, PolicySettings
from .errors import ConfigError, ContractError, Fault

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOBODY, EVERYBODY = "nobody gets anything", "everybody gets {}"
IN_USE = "the model in use (version {})"
BESIDE_IT = "nobody gets anything, since it was trained"
FEWEST_DECISIONS = 100
"""Logged decisions from which rules are compared (judgement, as the effective number in `metrics.policies`)."""


@dataclass(frozen=True)
class Champion:
    """The model in use, as far as a rule for offers rests on it."""

    bundle: Bundle
    effects: OfferEffects
    version: str


@dataclass(frozen=True)
class Earned:
    """The logged decisions, what each earned, and what offers cost."""

    rows: UpliftRows
    treated_on: NDArray[np.object_]
    """Shape (n,), date of each."""
    value: Floats
    """Shape (n,), what a customer who stays is worth, the customer's currency."""
    reward: Floats
    """Shape (n,): value if stayed, less contact and incentive taken."""
    contact: Floats
    """Shape (arms,), 0 for control; so ``incentive``."""
    incentive: Floats

    def where(self, here: Flags) -> Earned:
        """Return the decisions where ``here`` is true."""
        return Earned(
            self.rows.where(here), self.treated_on[here], self.value[here], self.reward[here],
            self.contact, self.incentive,
        )  # fmt: skip


def rules_compared(
    past: PastTreatments, config: Config, offers: pl.DataFrame | None, champion: Champion | None = None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return what other rules would have earned on the logged decisions, and what could not be told.

    Parameters
    ----------
    past : decisions with known outcome; features as of the night before each.
    config : value of a customer, the rules of ``[[evaluation.policies]]``.
    offers : the source ``offers``; None or without costs of an offer: it costs nothing.
    champion : the model in use.

    Returns
    -------
    tuple
        A frame with rule, n (decisions that judge), then as `compared_rules`; empty where the customers' value is not
        known. Rules: nobody, each offer for everybody, those of the settings, and the model in use without a budget:
        the offer of highest net value that is worth its cost. It has learned from decisions up to its own date, and
        is judged by later ones alone: by those that taught it, it would look better than it is.

    Raises
    ------
    ConfigError
        A rule names an unknown offer, or an expression that cannot be used; the message says which and what there is.
    """
    earned = _earned(past, config, offers)
    if earned is None:
        return pl.DataFrame(), ()
    _check(config.evaluation.policies, earned.rows, offers)
    notes: list[str] = []
    wanted = dict(_plain(earned.rows))
    for policy in config.evaluation.policies:
        untried = sorted(set(policy.offers) - set(earned.rows.arms))
        if untried:
            notes.append(f"rule {policy.name} is not compared: {', '.join(untried)} was never made")
            continue
        wanted[policy.name] = _by_expression(policy, earned.rows)
    parts = [_valued(earned, wanted)]
    if champion is not None and champion.effects.as_of:
        taught = date.fromisoformat(champion.effects.as_of)
        later = earned.where(np.asarray([day > taught for day in earned.treated_on], dtype=np.bool_))
        name = IN_USE.format(champion.version)
        n = len(later.reward)
        if n < FEWEST_DECISIONS:
            notes.append(
                f"{name} is not compared: {n} decisions with a known outcome are later than {taught}, up to which it "
                f"has learned; it takes {FEWEST_DECISIONS}"
            )
        else:
            parts.append(
                _valued(later, {name: _of_model(later, champion), BESIDE_IT: _plain_one(later.rows)})
            )
    return pl.concat(parts), tuple(notes)


def _earned(past: PastTreatments, config: Config, offers: pl.DataFrame | None) -> Earned | None:
    rows = past.rows
    if rows is None or offers is None or "monthly_value" not in rows.frame.columns:
        return None
    costs = {
        row["offer_id"]: (row["contact_cost"], row["incentive_cost"]) for row in offers.iter_rows(named=True)
    }
    contact, incentive = (
        np.array([0.0, *((costs.get(name) or (None, None))[side] or 0.0 for name in rows.arms[1:])])
        for side in (0, 1)
    )
    monthly = rows.frame["monthly_value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    value = monthly * config.value.margin_share * config.value.months
    taken = np.ones(len(rows.arm)) if rows.taken is None else np.nan_to_num(rows.taken, nan=1.0)
    reward = value * rows.stayed - contact[rows.arm] - incentive[rows.arm] * taken * (rows.arm > 0)
    days = past.table["treated_at"].dt.date().to_numpy().astype("datetime64[D]").astype(object)
    is_known = ~np.isnan(reward)
    found = Earned(rows, days, value, reward, contact, incentive).where(is_known)
    return found if is_known.any() else None


def _check(policies: tuple[PolicySettings, ...], rows: UpliftRows, offers: pl.DataFrame | None) -> None:
    """Refuse offers that nobody knows, and expressions that cannot be used, all at once."""
    known = {*rows.arms[1:], *([] if offers is None else offers["offer_id"].to_list())}
    faults: list[Fault] = []
    for policy in policies:
        where = f"[[evaluation.policies]] {policy.name}"
        faults += [
            Fault(
                "policy_offer",
                f"{where}, {name}",
                f"one of {', '.join(sorted(known))}",
                name,
                "Name an offer.",
            )
            for name in policy.offers
            if name not in known
        ]
        try:
            eligible(rows.frame.head(1), dict(policy.offers))
        except ContractError as error:
            faults += [
                Fault("policy_when", f"{where}: {fault.where}", fault.expected, fault.found, fault.remedy)
                for fault in error.faults
            ]
    if faults:
        raise ConfigError(faults)


def _plain(rows: UpliftRows) -> Iterator[tuple[str, Floats]]:
    for arm, name in enumerate(rows.arms):
        told = EVERYBODY.format(name) if arm else NOBODY
        yield told, np.tile(np.eye(rows.n_arms)[arm], (len(rows.arm), 1))


def _plain_one(rows: UpliftRows) -> Floats:
    return np.tile(np.eye(rows.n_arms)[0], (len(rows.arm), 1))


def _by_expression(policy: PolicySettings, rows: UpliftRows) -> Floats:
    """Return what the rule does with each decision: the first offer whose expression holds, else nothing."""
    holds = eligible(rows.frame, dict(policy.offers))
    arm = np.zeros(len(rows.arm), dtype=np.int64)
    for name in reversed(policy.offers):
        arm = np.where(holds[name].fill_null(value=False).to_numpy(), rows.arms.index(name), arm)
    return np.eye(rows.n_arms)[arm]


def _of_model(earned: Earned, champion: Champion) -> Floats:
    """Return what the model in use does without a budget: the offer of highest net value worth its cost, else nothing.

    Spillover is left out, as what happens to friends is not in the reward.
    """
    rows, names = earned.rows, earned.rows.arms[1:]
    risk = champion.bundle.predict(rows.frame, allow_extra=True)["risk"].to_numpy()
    found = champion.effects.estimated(rows.frame, risk, names)
    takes = takes_assumed(risk, np.maximum(found.mean, 0.0))
    for place, offer in enumerate(found.offers):
        share = offer.takes()
        takes[:, place] = takes[:, place] if share is None else share
    none = np.zeros(len(risk))
    worth = net_value(
        Effects(found.mean, found.quantile(0.2), found.quantile(0.8)),
        earned.value,
        (none, none, none),
        OfferCosts(earned.contact[1:], earned.incentive[1:]),
        takes,
    )
    net = np.where(worth.is_worth, worth.net, -np.inf)
    arm = np.where(np.isfinite(net).any(axis=1), net.argmax(axis=1) + 1, 0)
    return np.eye(rows.n_arms)[arm]


def _valued(earned: Earned, wanted: Mapping[str, Floats]) -> pl.DataFrame:
    found = compared_rules(earned.rows, earned.reward, dict(wanted))
    return found.select("rule", pl.lit(len(earned.reward), dtype=pl.Int64).alias("n"), pl.exclude("rule"))
