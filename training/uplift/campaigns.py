"""What a campaign brought: treated against control, by root cause and offer, and around those treated.

It takes outcomes with who was given what, and refuses to tell a number where there are too few to tell one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle import matrix

from ..trees import threads_for
from .alike import SAME_OFFER, Alike, alike
from .evidence import FEWEST_LEAVERS
from .learn import UpliftSettings
from .nuisance import BY_LOT, Nuisance, nuisance_of
from .rows import UpliftRows

Floats = NDArray[np.float64]

FEWEST_IN_CELL = 50
"""Treated, and controls, from whom a cell of root cause x offer is told (judgement)."""

FEWEST_COMMUNITIES = 20
"""Communities of each kind from whom spillover is told: they are what was drawn (judgement)."""

ENOUGH, NOT_ENOUGH = "measured", "not enough data"

INCREMENTALITY = {
    "offer_id": pl.String(),
    "n_treated": pl.Int64(),
    "n_compared": pl.Int64(),
    "n_control": pl.Int64(),
    "effect": pl.Float64(),
    "effect_low": pl.Float64(),
    "effect_high": pl.Float64(),
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
    "ratio": pl.Float64(),
    "ratio_low": pl.Float64(),
    "ratio_high": pl.Float64(),
    "kept": pl.Float64(),
    "propensity": pl.String(),
    "compared_with": pl.String(),
    "verdict": pl.String(),
}
"""Of each offer: all that were made it (n_treated), those of them who are compared (n_compared) and with how many
controls; doubly robust effect, difference of staying, ratio of leaving, each with its 95 % interval; kept = effect x
treated, customers; where chances come from; whom they are compared with (:mod:`.alike`). Null where not enough data.
"""


def incrementality(rows: UpliftRows, settings: UpliftSettings | None = None) -> pl.DataFrame:
    """Return what every offer of a campaign did to staying, one row per offer with the columns :data:`INCREMENTALITY`.

    Parameters
    ----------
    rows : the treatments and controls of one campaign, outcomes known.
    settings : folds and seed of the cross-fitting.

    Notes
    -----
    Whom an offer could not reach says nothing of it: not eligible, not worth it, the choice fell on another one for
    certain. Over such customers the effect rests on what trees make of others, not on data (positivity; Crump, Hotz,
    Imbens & Mitnik 2009, Biometrika 96), and an interval does not know it. Which customers these are is not recorded,
    but where controls say which offer they would have been made (:func:`.alike.alike`) the lot alone parts them from
    those who were made it, and every one of both could have been either. There ``effect`` is told of the customers
    whom the choice had picked for the offer, not of everybody in the campaign: the mean of staying beyond what was
    expected *without* an offer (cross-fitted), of those made it less that of their controls. This is the doubly robust
    effect on the treated (Hahn 1998, Econometrica 66) at a chance that is known by design: the expectation only makes
    it more precise, however wrong. ``kept``, effect x treated, asks for just that effect. ``difference`` and ``ratio``
    compare the same customers as they are.

    Where no control says it, ``effect`` is AIPW over everybody in the campaign, at recorded or estimated chances, and
    true only as far as every customer might have got the offer.
    """
    settings = settings or UpliftSettings()
    groups = alike(rows)
    told = [arm for arm, group in enumerate(groups, start=1) if _is_enough(rows, group)]
    nuisance = None
    if told:
        features = rows.features(settings.leave_out)
        encoded = matrix(rows.frame, features)
        folds = rows.folds(settings.n_folds, f"campaign-{settings.seed}")
        threads = threads_for(encoded.size, settings.threads)
        nuisance = nuisance_of(rows, encoded, features, folds, threads=threads, seed=settings.seed)
    lines = []
    for arm, group in enumerate(groups, start=1):
        n_compared, n_control = group.counts
        line: dict[str, object] = dict.fromkeys(INCREMENTALITY)
        line |= {"offer_id": rows.arms[arm], "n_treated": rows.n_in(arm), "n_compared": n_compared}
        line |= {"n_control": n_control, "compared_with": group.compared_with, "verdict": NOT_ENOUGH}
        if nuisance is not None and arm in told:
            line |= _measured(rows, arm, group, nuisance)
        lines.append(line)
    return pl.DataFrame(lines, schema=INCREMENTALITY).with_columns(pl.col(pl.Float64).fill_nan(None))


def _measured(rows: UpliftRows, arm: int, group: Alike, nuisance: Nuisance) -> dict[str, object]:
    here, customer = group.here, rows.customer.astype(str)
    chances = group.chances(nuisance.propensity[np.arange(len(rows.arm)), rows.arm])
    is_made = group.made[here]
    contrast = metrics.weighted_contrast(rows.stayed[here], is_made, chances, customer=customer[here])
    if group.compared_with == SAME_OFFER:
        beyond = rows.stayed[here] - nuisance.expected[here, 0]
        effect = metrics.weighted_contrast(beyond, is_made, chances, customer=customer[here]).difference
        source = BY_LOT
    else:
        effect = metrics.mean_effect(nuisance.scores(rows)[:, arm - 1], customer=customer)
        source = nuisance.source
    told = _ends("effect", effect) | _ends("difference", contrast.difference) | _ends("ratio", contrast.ratio)
    return {**told, "kept": effect.value * rows.n_in(arm), "propensity": source, "verdict": ENOUGH}


def by_cause(rows: UpliftRows, root_cause: Sequence[str | None]) -> pl.DataFrame:
    """Return the difference of staying by root cause and offer, or that there is not enough data.

    Parameters
    ----------
    rows : treatments and controls.
    root_cause : n texts, why each customer was unhappy; None = not asked, a cause of its own that is named null.

    Returns
    -------
    polars.DataFrame
        root_cause, offer_id, n_treated and n_control (those compared), difference, difference_low, difference_high
        (95 %, null without enough data), compared_with (as in `incrementality`), verdict; by cause and offer. Many
        cells are looked at: of twenty without effect one interval misses 0.
    """
    causes = pl.Series("cause", list(root_cause), dtype=pl.String)
    known = np.where(np.isnan(rows.propensity), 1.0, rows.propensity)
    customer = rows.customer.astype(str)
    groups = alike(rows)
    lines = []
    for cause in causes.unique().sort(nulls_last=True).to_list():
        in_cause = causes.eq_missing(cause).to_numpy()
        for arm, every in enumerate(groups, start=1):
            group = every.among(in_cause)
            here = group.here
            found = metrics.weighted_contrast(
                rows.stayed[here], group.made[here], group.chances(known), customer=customer[here]
            )
            is_enough = _is_enough(rows, group)
            ends = found.difference if is_enough else metrics.Interval(np.nan, np.nan, np.nan)
            lines.append(
                {
                    "root_cause": cause,
                    "offer_id": rows.arms[arm],
                    "n_treated": found.n_treated,
                    "n_control": found.n_control,
                    **_ends("difference", ends),
                    "compared_with": group.compared_with,
                    "verdict": ENOUGH if is_enough else NOT_ENOUGH,
                }
            )
    return pl.DataFrame(lines, schema_overrides={"root_cause": pl.String}).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


@dataclass(frozen=True)
class Spillover:
    """What treating others of a community did to those who were not treated themselves."""

    effect: metrics.Interval
    """Share that stayed of untreated customers in treated communities less that in untreated ones."""
    n_treated_communities: int
    n_control_communities: int
    verdict: str


def spillover_by_community(
    stayed: Floats, is_community_treated: NDArray[np.bool_], community: NDArray[np.object_]
) -> Spillover:
    """Return the spillover of a campaign whose arms went by community.

    Parameters
    ----------
    stayed : shape (n,), 0 or 1, of customers who got nothing themselves.
    is_community_treated : shape (n,), whether their community was drawn to be treated.
    community : shape (n,), which it is; all rows of one are one draw.

    Notes
    -----
    Exposure design (Aronow & Samii 2017, Annals of Applied Statistics 11): only untreated customers are compared, and
    communities were drawn whole, so that they differ by what happened around them alone; the interval is clustered by
    community. In treated communities the untreated must have been left out by chance too.
    """
    names = community.astype(str)
    treated = len(np.unique(names[is_community_treated]))
    control = len(np.unique(names[~is_community_treated]))
    if min(treated, control) < FEWEST_COMMUNITIES:
        return Spillover(metrics.Interval(np.nan, np.nan, np.nan), treated, control, NOT_ENOUGH)
    found = metrics.weighted_contrast(stayed, is_community_treated, customer=names)
    return Spillover(found.difference, treated, control, ENOUGH)


def compared_rules(
    rows: UpliftRows, reward: Floats, wanted: dict[str, Floats], settings: UpliftSettings | None = None
) -> pl.DataFrame:
    """Return what rules for giving offers would have earned per customer on these logged decisions.

    Parameters
    ----------
    rows : logged decisions; propensities recorded or estimated.
    reward : shape (n,), money that came of each: value if stayed, less contact and incentive.
    wanted : rule -> shape (n, arms), probability of each arm under the rule; rows sum to 1.
    settings : folds and seed; the rewards expected are means of the arm outside the fold.

    Returns
    -------
    polars.DataFrame
        rule, then ips, snips, dr each with _low and _high (95 %), n_effective, is_thin (too few decisions speak for
        it).
    """
    settings = settings or UpliftSettings()
    n, folds = len(reward), rows.folds(settings.n_folds, f"rules-{settings.seed}")
    predicted = np.empty((n, rows.n_arms))
    for fold in np.unique(folds):
        for arm in range(rows.n_arms):
            others = (folds != fold) & (rows.arm == arm)
            predicted[folds == fold, arm] = reward[others].mean() if others.any() else 0.0
    propensity = rows.propensity
    if np.isnan(propensity).any():
        features = rows.features(settings.leave_out)
        encoded = matrix(rows.frame, features)
        threads = threads_for(encoded.size, settings.threads)
        found = nuisance_of(rows, encoded, features, folds, threads=threads, seed=settings.seed)
        propensity = found.propensity[np.arange(n), rows.arm]
    lines = []
    for name, target in wanted.items():
        value = metrics.policy_value(
            reward, rows.arm, propensity, target, predicted,
            customer=rows.customer.astype(str), n_resamples=settings.n_resamples, seed=settings.seed,
        )  # fmt: skip
        told = {**_ends("ips", value.ips), **_ends("snips", value.snips), **_ends("dr", value.dr)}
        lines.append({"rule": name, **told, "n_effective": value.n_effective, "is_thin": value.is_thin})
    return pl.DataFrame(lines)


def _is_enough(rows: UpliftRows, group: Alike) -> bool:
    n_leavers = int((rows.stayed[group.here] == 0).sum())
    return min(group.counts) >= FEWEST_IN_CELL and n_leavers >= FEWEST_LEAVERS


def _ends(name: str, found: metrics.Interval) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
