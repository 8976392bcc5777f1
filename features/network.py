"""From pair facts in SQL to ties, network features and the published network table.

It decides which nodes are members, leavers and detractors, and refuses to know how ties are weighed (features.ties).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .silence import Silence
from .ties.names import tie_feature_names

if TYPE_CHECKING:
    from .ties import TieGraph

DETRACTOR, PROMOTER = "detractor", "promoter"
"""Opinions by a customer's latest answer, as ``latest_opinions.sql`` tells them; the third is passive."""

PUBLISHED_EXPOSURE_DAYS = 90

FEWEST_TIES = 5
"""Customers in contact below which nothing of what they did is told: in a smaller circle it would point at somebody."""

FEWEST_OF_A_KIND = 2
"""Customers who did it, and customers who did not, below which neither is told: one is somebody."""

EXPOSURE_STEP = 0.05
"""Shares told outside a run are rounded to it: exact ones of two circles that share friends can be subtracted."""

NETWORK_GROUP = "network"

COMMUNITY = "community"
"""Column beside the features: the number is a name, and may mean another community at another date."""

_OF_OTHERS = re.compile(r"churn|leaver|detractor|community_strength_share")
"""The share of strength inside the community counts ties to leavers: 1 of a customer with more ties than the community
has other rows says that one has left."""

_OWN_PLACE = frozenset(tie_feature_names())

NETWORK_COLUMNS: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "n_ties": pl.Int64(),
    "strength": pl.Float64(),
    "detractor_exposure": pl.Float64(),
    "churn_exposure": pl.Float64(),
    "detractor_influence": pl.Float64(),
    "churn_influence": pl.Float64(),
    "promoter_influence": pl.Float64(),
    "community": pl.Int64(),
    "offnet_share": pl.Float64(),
}
"""The published table ``network`` without as_of and run_id; influences wait for risk and value (scoring)."""


@dataclass(frozen=True, eq=False)
class Ties:
    """Who is tied to whom as of a date: the graph, and which customer each of its nodes is.

    ``nodes``: node, customer_key, customer_id, may_use_calls (what the customer allows), n_partners and n_mutual
    (people in contact, and in contact both ways, of a hub; null = no hub); one row per node, by rising node. Leavers
    are nodes too. A hub has more partners than anybody has friends: it has no social ties.
    ``silence``: why nobody's ties are known; None = they are.
    """

    graph: TieGraph
    nodes: pl.DataFrame
    silence: Silence | None = None

    @cached_property
    def is_usable(self) -> NDArray[np.bool_]:
        """bool, n: something may be said of the node's ties: calls may be used, it is no hub, and contacts came."""
        may = pl.col("may_use_calls") & pl.col("n_partners").is_null()
        usable: NDArray[np.bool_] = self.nodes.sort("node").select(may).to_series().to_numpy()
        return usable if self.silence is None else np.zeros_like(usable)

    def why_unusable(self, customer_id: str) -> str | None:
        """Say why nothing may be said of the ties of one customer; None when something may."""
        node = self.nodes.row(by_predicate=pl.col("customer_id") == customer_id, named=True)
        if self.silence is not None:
            return self.silence.text
        if not node["may_use_calls"]:
            return "their call data may not be used (may_use_calls)"
        if node["n_partners"] is not None:
            return hub_words(node["n_partners"], node["n_mutual"])
        return None

    def named(self) -> TieGraph:
        """Give the graph with nodes called by customer_id, without ties of those of whom nothing may be said."""
        return self.graph.without(~self.is_usable).labelled(self.nodes["customer_id"].to_list())

    def table(self, zone: str) -> pl.DataFrame:
        """Return the published table ``ties`` without as_of and run_id, by customer_a and customer_b, a before b.

        Days are those of ``zone``.
        """
        last_contact = pl.col("last_contact").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        ids = self.nodes.select(pl.col("node").cast(pl.Int32), "customer_id")
        return (
            self.graph.ties.join(ids.rename({"customer_id": "customer_a"}), left_on="node_a", right_on="node")
            .join(ids.rename({"customer_id": "customer_b"}), left_on="node_b", right_on="node")
            .sort("node_a", "node_b")
            .select(
                "customer_a",
                "customer_b",
                "strength",
                "n_contacts",
                "active_days",
                "reciprocity",
                "overlap",
                last_contact.dt.convert_time_zone(zone).dt.date().alias("last_contact_on"),
            )
        )


def hub_words(n_partners: int, n_mutual: int) -> str:
    """Say what makes a hub.

    >>> hub_words(1200, 3)
    'a hub with 1,200 partners, 3 of them in contact both ways: no social ties, see [ties] max_partners'
    """
    both = f"{n_mutual:,} of them in contact both ways"
    return f"a hub with {n_partners:,} partners, {both}: no social ties, see [ties] max_partners"


def ties_of(
    pairs: pl.DataFrame,
    nodes: pl.DataFrame,
    as_of_us: int | None = None,
    weights: Mapping[str, float] | None = None,
    silence: Silence | None = None,
) -> Ties:
    """Weigh the pairs as of an instant and lay them out as a graph over ``nodes`` (by rising node)."""
    from .ties import TieGraph, tie_table

    table = tie_table(pairs, as_of_us=as_of_us, weights=weights)
    return Ties(TieGraph.from_ties(table, nodes.height), nodes, silence)


def network_rows(
    ties: Ties, members: pl.DataFrame, leavers: pl.DataFrame, opinions: pl.DataFrame | None, tie_days: int
) -> pl.DataFrame:
    """Return customer_key, the network features and the community of every member; the community is no feature.

    ``leavers``: node, age_days. ``opinions``: node, opinion, age_days by everybody's latest answer, None without
    surveys. Nobody known to have left, or no answer known: nobody can be said to be exposed, so null. All is null where
    `Ties.is_usable` says that nothing may be said; the community also where too few of it are members.
    """
    from .ties import community_of, network_features
    from .ties.membership import is_told_of

    nodes = ties.nodes
    graph = ties.graph.without(~ties.is_usable)
    community = community_of(graph)
    detractors = (
        None if opinions is None or opinions.is_empty() else opinions.filter(pl.col("opinion") == DETRACTOR)
    )
    is_member = nodes["customer_key"].is_in(members["customer_key"].implode()).to_numpy()
    features = network_features(
        graph,
        is_member=is_member,
        leaver_age_days=None if leavers.is_empty() else _ages(leavers, nodes.height),
        detractor_age_days=None if detractors is None else _ages(detractors, nodes.height),
        may_use=ties.is_usable,
        community=community,
        tie_days=tie_days,
    )
    told = community.set(pl.Series(~is_told_of(community, is_member)), None)
    keys = nodes.select(pl.col("node").cast(pl.Int32), "customer_key", told.alias(COMMUNITY))
    return features.join(keys, on="node", how="left", maintain_order="left").drop("node")


def _ages(seeds: pl.DataFrame, n_nodes: int) -> NDArray[np.float64]:
    ages = np.full(n_nodes, np.nan)
    ages[seeds["node"].to_numpy()] = seeds["age_days"].to_numpy()
    return ages


def tells_of_others(name: str, group: str) -> bool:
    """Say whether a feature speaks of what other customers did: who of them left, or answered as a detractor.

    A network feature of the user's own is taken to.
    """
    return group == NETWORK_GROUP and (_OF_OTHERS.search(name) is not None or name not in _OWN_PLACE)


def is_discreet(n_ties: float | None, n_contributing: float | None) -> bool:
    """Say whether what so many of so many neighbours did may be told: no single one's doing can be inferred from it."""
    ties, contributing = n_ties or 0, n_contributing or 0
    return ties >= FEWEST_TIES and FEWEST_OF_A_KIND <= contributing <= ties - FEWEST_OF_A_KIND


def rounded_exposure(share: pl.Expr) -> pl.Expr:
    """Round a share to steps of `EXPOSURE_STEP`, one step at least, all but one at most.

    >>> pl.select(rounded_exposure(pl.lit(0.16))).item()
    0.15
    """
    n_steps = round(1 / EXPOSURE_STEP)  # divided, not multiplied: 3 x 0.05 is 0.15000000000000002
    return (share * n_steps).round().clip(1, n_steps - 1) / n_steps


def published_network(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the published table ``network`` from a feature frame that has the network features.

    Exposures are shares of ties, coarse, and null where `is_discreet` says no. Which neighbours are in it, a share of
    ties leaves open for each of them; a share of strength would not, where one tie is much stronger than the others.
    """
    days = PUBLISHED_EXPOSURE_DAYS
    given = {
        "customer_id": pl.col("customer_id"),
        "n_ties": pl.col("n_ties"),
        "strength": pl.col("tie_strength_sum"),
        "detractor_exposure": _discreet_exposure("detractor", days),
        "churn_exposure": _discreet_exposure("churn", days),
        "community": pl.col(COMMUNITY),
        "offnet_share": pl.col("share_calls_offnet_90d"),
    }
    return frame.select(
        given.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in NETWORK_COLUMNS.items()
    )


def _discreet_exposure(kind: str, days: int) -> pl.Expr:
    n_contributing, n_ties = pl.col(f"{kind}_exposure_n_{days}d"), pl.col("n_ties")
    enough = (n_ties >= FEWEST_TIES) & n_contributing.is_between(FEWEST_OF_A_KIND, n_ties - FEWEST_OF_A_KIND)
    return pl.when(enough).then(rounded_exposure(pl.col(f"{kind}_exposure_share_{days}d")))
