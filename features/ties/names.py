"""Which columns ties give to the feature table: name, unit, meaning, and what null says.

It knows names and refuses to know how a value is reached; the catalogue and the computation both read this list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .contract import RECENT_DAYS

EXPOSURE_WINDOWS_DAYS = (7, 30, 90)
"""Haenlein 2013 found churn younger than five weeks to matter: one window under it, one about it, one beyond."""

COMMUNITY_CHURN_DAYS = 90
"""A community's churn, and the leavers whom a customer is compared with, are those of so many days."""

FEWEST_OTHERS = 5
"""Others in a community below which nothing of it is told: a smaller circle would name somebody."""

NO_CALL_DATA = (
    "the customer's call data may not be used, or the customer is a hub, or nobody's calls have come"
)
NO_TIES = f"no tie in the window, or {NO_CALL_DATA}"
FEW_IN_COMMUNITY = f"fewer than {FEWEST_OTHERS} other customers in the community, {NO_TIES}"
NO_DIRECTION = f"the ties carry no direction, or {NO_CALL_DATA}"

SEED_PHRASES = {
    "churn": ("neighbours who left", "leavers are not known"),
    "detractor": ("neighbours whose latest answer was that of a detractor", "there are no survey answers"),
}
"""Per kind of exposure: who is a seed, and when nobody can be one."""

_FURTHER_PHRASES = {"churn": "who left", "detractor": "whose latest answer was that of a detractor"}


class TieFeature(NamedTuple):
    """One column of `network_features`."""

    name: str
    unit: str
    meaning: str
    null_meaning: str


def tie_features(windows_days: Sequence[int] = EXPOSURE_WINDOWS_DAYS) -> tuple[TieFeature, ...]:
    """List every column of `network_features` but `node`, in the order of the table."""
    exposures = (
        feature
        for kind in SEED_PHRASES
        for direction in ("", "_out")
        for days in windows_days
        for feature in _exposure_features(kind, direction, days)
    )
    further = (feature for kind in SEED_PHRASES for feature in _further_features(kind, windows_days))
    close = (feature for days in windows_days for feature in _close_features(days))
    return (*_DEGREE_FEATURES, *_PLACE_FEATURES, *exposures, *close, *further)


def tie_feature_names(windows_days: Sequence[int] = EXPOSURE_WINDOWS_DAYS) -> tuple[str, ...]:
    """List the names of `tie_features`."""
    return tuple(feature.name for feature in tie_features(windows_days))


def _exposure_features(kind: str, direction: str, days: int) -> tuple[TieFeature, ...]:
    seeds, unknown = SEED_PHRASES[kind]
    ties = "outgoing tie" if direction else "tie"
    null_meaning = f"no {ties} in the window, or {unknown}, or {NO_CALL_DATA}"
    ending = f"{direction}_{days}d"
    meaning = f"{seeds} in the last {days} days" + (
        ", among those the customer contacted" if direction else ""
    )
    units = {"n": "customers", "share": "share of ties", "weighted": "share of tie strength"}
    return tuple(
        TieFeature(f"{kind}_exposure_{measure}{ending}", unit, meaning, null_meaning)
        for measure, unit in units.items()
    )


def _close_features(days: int) -> tuple[TieFeature, TieFeature]:
    null_meaning = f"no tie in the window, or {SEED_PHRASES['churn'][1]}, or {NO_CALL_DATA}"
    return (
        TieFeature(
            f"churn_exposure_close_n_{days}d",
            "customers",
            f"neighbours who left in the last {days} days and were in contact, while there, on at least as many days "
            "as the mean neighbour",
            null_meaning,
        ),
        TieFeature(
            f"churn_exposure_paced_{days}d",
            "share of active days",
            f"neighbours who left in the last {days} days, by days in contact per day they were there",
            null_meaning,
        ),
    )


def _further_features(kind: str, windows_days: Sequence[int]) -> tuple[TieFeature, ...]:
    seeds, unknown = _FURTHER_PHRASES[kind], SEED_PHRASES[kind][1]
    no_second_tie = f"no neighbour has another tie in the window, or {unknown}, or {NO_CALL_DATA}"
    no_tie = f"no tie in the window, or {unknown}, or {NO_CALL_DATA}"
    two_hop = (
        TieFeature(
            f"{kind}_exposure_two_hop_{days}d",
            "share of tie strength",
            f"the neighbours' other ties to customers {seeds} in the last {days} days",
            no_second_tie,
        )
        for days in windows_days
    )
    meaning = f"what spreads along ties from customers {seeds}, 1 = all of one who did today"
    return (*two_hop, TieFeature(f"{kind}_exposure_spread", "energy of one seed", meaning, no_tie))


_DEGREE_FEATURES = (
    TieFeature("n_ties", "customers", "customers with a contact either way in the window", NO_CALL_DATA),
    TieFeature("n_ties_out", "customers", "customers whom this one contacted", NO_DIRECTION),
    TieFeature("n_ties_in", "customers", "customers who contacted this one", NO_DIRECTION),
    TieFeature("n_ties_mutual", "customers", "customers with contacts both ways", NO_DIRECTION),
    TieFeature("tie_strength_sum", "tie strength", "sum of the strength of all ties", NO_CALL_DATA),
    TieFeature(
        "tie_reciprocity_mean", "share", "mean over ties of 2 min(n_ij, n_ji) / (n_ij + n_ji)", NO_TIES
    ),
    TieFeature(
        f"ties_lost_{RECENT_DAYS}d",
        "customers",
        f"ties in the window without a contact in the last {RECENT_DAYS} days",
        f"recent contacts are not known, or {NO_CALL_DATA}",
    ),
    TieFeature(
        f"tie_loss_share_{RECENT_DAYS}d",
        "share of ties",
        f"lost ties among those with a contact before the last {RECENT_DAYS} days",
        f"no tie is that old, or {NO_CALL_DATA}",
    ),
    TieFeature(
        f"tie_loss_strength_share_{RECENT_DAYS}d",
        "share of tie strength",
        f"lost ties among those with a contact before the last {RECENT_DAYS} days",
        f"no tie is that old, or all such have strength 0, or {NO_CALL_DATA}",
    ),
    TieFeature(
        f"ties_gained_{RECENT_DAYS}d",
        "customers",
        f"ties in the window without a contact before the last {RECENT_DAYS} days",
        f"recent contacts are not known, or {NO_CALL_DATA}",
    ),
    TieFeature(
        f"tie_gain_share_{RECENT_DAYS}d",
        "share of ties",
        f"gained ties among those with a contact in the last {RECENT_DAYS} days",
        f"no tie is that fresh, or {NO_CALL_DATA}",
    ),
)

_PLACE_FEATURES = (
    TieFeature(
        "clustering",
        "share",
        "pairs of the customer's contacts that are in contact themselves",
        f"fewer than two ties, or {NO_CALL_DATA}",
    ),
    TieFeature(
        "core_number",
        "ties",
        "largest k such that the customer belongs to a group in which everybody has k ties inside",
        NO_CALL_DATA,
    ),
    TieFeature(
        "pagerank_ratio",
        "times the mean",
        "PageRank over ties by strength, against the mean of those with ties",
        f"no tie of any strength, or {NO_CALL_DATA}",
    ),
    TieFeature(
        "n_second_order",
        "customers",
        "customers in contact with a contact, none of them direct",
        NO_CALL_DATA,
    ),
    TieFeature(
        f"leaver_similarity_max_{COMMUNITY_CHURN_DAYS}d",
        "share",
        f"greatest Jaccard similarity of contacts with one who left in the last {COMMUNITY_CHURN_DAYS} days",
        f"no tie in the window, or leavers are not known, or {NO_CALL_DATA}",
    ),
    TieFeature(
        f"leaver_similarity_mean_{COMMUNITY_CHURN_DAYS}d",
        "share",
        f"mean of it over those who left in the last {COMMUNITY_CHURN_DAYS} days and share a contact",
        f"nobody who left shares a contact, or leavers are not known, or {NO_CALL_DATA}",
    ),
    TieFeature("community_size", "customers", "customers of the date in the community", FEW_IN_COMMUNITY),
    TieFeature(
        f"community_churn_rate_{COMMUNITY_CHURN_DAYS}d",
        "share",
        f"others of the community that left in the last {COMMUNITY_CHURN_DAYS} days, of them and those still here",
        f"fewer than {FEWEST_OTHERS} others, no tie, leavers are not known, or {NO_CALL_DATA}",
    ),
    TieFeature(
        "is_community_leader",
        "flag",
        "the greatest strength of ties inside the community, of its customers of the date",
        FEW_IN_COMMUNITY,
    ),
    TieFeature(
        "community_strength_share",
        "share of tie strength",
        "ties inside the community",
        f"no tie of any strength, or {NO_CALL_DATA}",
    ),
)
