"""Keeps of every look of a training what the question of contagion needs, and little more.

It decides from which tables the study is fed, and refuses to know its statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.metrics import Contagion
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from features import FeatureSet

from ..labels import Labels
from ..snapshots import Snapshot, outcome_days
from .own import own_columns
from .panel import NEVER, Ints, Sighting, carried_labels, closeness_of
from .strangers import circles
from .study import StudySettings, contagion_study, unidentified

if TYPE_CHECKING:
    from features.ties import TieGraph

TOGETHER_PEOPLE, TOGETHER_TIES = 40, 25
"""Two groups of so many people with average ties are one community when so many ties join them (a judgement).

Plain modularity merges groups that a single tie joins once there are thousands of them (Fortunato & Barthelemy 2007),
and people unlike one another would be compared."""

CIRCLE_DAYS = 31
"""Circles are kept of those who leave within a month after the gap: looks are about a month apart."""

DAY_US = 86_400_000_000


@dataclass(frozen=True, eq=False)
class _Seen:
    """One look before people are numbered: everything by customer key."""

    day: int
    key: Ints
    community: Ints
    n_ties: Ints
    ego: Ints
    friend: Ints
    closeness: np.ndarray[tuple[int], np.dtype[np.int8]]
    own: pl.DataFrame
    own_row: Ints
    beside: Ints
    around: Ints


@dataclass
class Watch:
    """Collects looks, latest or earliest first, and studies them in the end.

    ``leavings``: customer_key and left_at, one row per customer who left; None when leaving cannot be studied.
    """

    as_of: AsOf
    churn: ChurnSettings
    group_of: Callable[[str], str]
    leavings: pl.DataFrame | None
    reason: str = "there are no calls, so nobody is known to be tied to anybody."
    _seen: list[_Seen] = field(default_factory=list)

    @classmethod
    def begun(
        cls,
        engine: Engine,
        churn: ChurnSettings,
        as_of: AsOf,
        earliest: datetime | None,
        group_of: Callable[[str], str],
    ) -> Watch:
        """Read who left since the earliest look, as known by ``as_of``; tables must be registered."""
        if churn.kind != "cancelled":
            why = (
                "leaving is read from silence here, and when two people talk to each other the silence of one is part "
                "of the silence of the other."
            )
            return cls(as_of, churn, group_of, None, why)
        if earliest is None:
            return cls(as_of, churn, group_of, None, "there is no history.")
        parameters: Mapping[str, object] = {"earliest": earliest, "known_by": as_of.instant}
        leavings = engine.frame(statements_in("training")["leavings"], parameters)
        return cls(as_of, churn, group_of, leavings.sort("customer_key"))

    def add(self, snapshot: Snapshot, found: FeatureSet, labels: Labels) -> None:
        """Keep what is needed of a look: ties to those who left sooner or later, communities, and own features."""
        if self.leavings is None or found.ties is None or not found.ties.graph.n_ties:
            return
        graph, key_of = found.ties.graph, found.ties.nodes.sort("node")["customer_key"].to_numpy()
        people = (
            found.frame.select("customer_key").with_row_index("row").join(labels.frame, on="customer_key")
        )
        people = people.sort("customer_key")
        node_of = pl.DataFrame({"customer_key": key_of, "node": np.arange(len(key_of))})
        node = people.join(node_of, on="customer_key", how="left", maintain_order="left")["node"].to_numpy()
        communities = communities_of(graph)
        n_ties = np.asarray(graph.degrees)[node]
        leaves = np.isin(key_of, self.leavings["customer_key"].to_numpy())
        a, b = (graph.ties[name].to_numpy().astype(np.int64) for name in ("node_a", "node_b"))
        close = closeness_of(graph.ties.select("node_a", "node_b", "strength"))
        ego, friend, closeness = (
            np.concatenate([a, b]),
            np.concatenate([b, a]),
            np.concatenate([close, close]),
        )
        kept = leaves[friend]
        beside, around = circles(a, b, self._leaving_after(snapshot, self.leavings, key_of))
        self._seen.append(
            _Seen(
                day=self._day(snapshot.as_of.instant),
                key=people["customer_key"].to_numpy().astype(np.int64),
                community=np.where(n_ties > 0, communities[node], -1).astype(np.int64),
                n_ties=n_ties.astype(np.int64),
                ego=key_of[ego[kept]].astype(np.int64),
                friend=key_of[friend[kept]].astype(np.int64),
                closeness=closeness[kept],
                own=own_columns(found.frame.drop("customer_key", "customer_id"), self.group_of),
                own_row=people["row"].to_numpy().astype(np.int64),
                beside=key_of[beside].astype(np.int64),
                around=key_of[around].astype(np.int64),
            )
        )

    def _leaving_after(self, snapshot: Snapshot, leavings: pl.DataFrame, key_of: Ints) -> Ints:
        """Nodes of those who leave within `CIRCLE_DAYS` from the end of the gap."""
        day = self._days(leavings["left_at"]) - self._day(snapshot.as_of.instant)
        begins = self.churn.gap_days
        key = leavings["customer_key"].to_numpy()[(day >= begins) & (day < begins + CIRCLE_DAYS)]
        return np.flatnonzero(np.isin(key_of, key))

    def study(self, seed: int) -> Contagion:
        """Say what was found; without ties or dated leavings that it cannot be known, and why."""
        if self.leavings is None or not self._seen:
            return unidentified(self.reason)
        seen = sorted(self._seen, key=lambda look: look.day)
        left_key = self.leavings["customer_key"].to_numpy().astype(np.int64)
        numbers = np.unique(
            np.concatenate(
                [
                    left_key,
                    *(part for look in seen for part in (look.key, look.ego, look.friend, look.beside)),
                ]
            )
        )
        origin = seen[0].day
        left_day = np.full(len(numbers), NEVER, np.int64)
        left_day[np.searchsorted(numbers, left_key)] = self._days(self.leavings["left_at"]) - origin
        settings = StudySettings(self.churn.gap_days, outcome_days(self.churn), seed)
        return contagion_study(_sightings(seen, numbers, origin), left_day, settings)

    def _day(self, instant: datetime) -> int:
        return round((instant - self.as_of.instant).total_seconds() * 1e6 / DAY_US)

    def _days(self, instants: pl.Series) -> Ints:
        since = instants.cast(pl.Datetime("us")).to_numpy() - np.datetime64(self.as_of.instant, "us")
        days: Ints = since.astype(np.int64) // DAY_US
        return days


def communities_of(graph: TieGraph) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Community of each node, at a scale of some dozens of people.

    By the Leiden method on the square root of strength: with strength itself one close friend outweighs a circle.
    """
    from features.ties.communities import leiden

    n_tied = int((graph.degrees > 0).sum())
    mean_ties = 2 * graph.n_ties / n_tied
    resolution = max(1.0, TOGETHER_TIES * n_tied / (TOGETHER_PEOPLE**2 * mean_ties))
    return leiden(graph.indptr, graph.indices, np.sqrt(graph.weights), resolution=resolution)


def _sightings(seen: list[_Seen], numbers: Ints, origin: int) -> list[Sighting]:
    """Number people and days from 0, and carry the communities from look to look."""
    found: list[Sighting] = []
    n_communities = 0
    for look in seen:
        person = np.searchsorted(numbers, look.key)
        labels, community = np.unique(look.community, return_inverse=True)
        community = community - int((labels < 0).any())
        carried = carried_labels(found[-1] if found else None, person, community, n_communities)
        n_communities = max(n_communities, int(carried.max(initial=-1)) + 1)
        found.append(
            Sighting(
                day=look.day - origin,
                person=person,
                community=carried,
                n_ties=look.n_ties,
                ego=np.searchsorted(numbers, look.ego),
                friend=np.searchsorted(numbers, look.friend),
                closeness=look.closeness,
                own=look.own,
                own_row=look.own_row,
                beside=np.searchsorted(numbers, look.beside),
                around=np.searchsorted(numbers, look.around),
            )
        )
    return found
