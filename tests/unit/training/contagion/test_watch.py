"""What is kept of each look: people by number, ties to those who left, and a reason where nothing can be studied."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.config import ChurnSettings, Config
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from features import FeatureSet
from features.network import Ties
from features.ties import TieGraph
from training.contagion import Watch
from training.contagion.panel import CLOSE
from training.contagion.watch import _sightings, communities_of
from training.labels import Labels
from training.looks import watch_of
from training.snapshots import Snapshot

AS_OF = AsOf(date(2026, 6, 30))
CHURN = ChurnSettings()


def look(day: date, labelled: dict[int, int]) -> tuple[Snapshot, FeatureSet, Labels]:
    """Five customers, keys 11 to 15 as nodes 0 to 4; 11 and 12 are close, 12-13 and 13-14 less so."""
    as_of = AsOf(day)
    snapshot = Snapshot(as_of, as_of.days_before(-14), as_of.days_before(-44), "train", is_shipped=True)
    ties = pl.DataFrame({"node_a": [0, 1, 2], "node_b": [1, 2, 3], "strength": [9.0, 2.0, 1.0]})
    keys = [11, 12, 13, 14, 15]
    nodes = pl.DataFrame(
        {
            "node": range(5),
            "customer_key": keys,
            "customer_id": ["a", "b", "c", "d", "e"],
            "may_use_calls": [True] * 5,
            "n_partners": [None] * 5,
        }
    )
    frame = pl.DataFrame(
        {
            "customer_key": keys[::-1],
            "customer_id": ["e", "d", "c", "b", "a"],
            "tenure_days": [5, 4, 3, 2, 1],
            "n_ties": 1,
        }
    )
    labels = pl.DataFrame({"customer_key": list(labelled), "left": list(labelled.values())})
    found = FeatureSet(frame, {}, Ties(TieGraph.from_ties(ties, 5), nodes))
    return snapshot, found, Labels(labels, {})


def watching(left: dict[int, datetime]) -> Watch:
    leavings = pl.DataFrame({"customer_key": list(left), "left_at": list(left.values())})
    groups = {"tenure_days": "profile", "n_ties": "network"}
    return Watch(AS_OF, CHURN, groups.__getitem__, leavings)


def test_a_look_keeps_who_is_at_risk_and_the_ties_to_those_who_left() -> None:
    watch = watching({12: datetime(2026, 5, 20, 10), 15: datetime(2026, 3, 1)})
    watch.add(*look(date(2026, 4, 30), {11: 0, 12: 1, 13: 0, 14: 0}))
    (kept,) = watch._seen
    assert (kept.day, kept.key.tolist(), kept.n_ties.tolist()) == (-61, [11, 12, 13, 14], [1, 2, 2, 1])
    assert sorted(zip(kept.ego.tolist(), kept.friend.tolist(), strict=True)) == [(11, 12), (13, 12)]
    assert kept.closeness[kept.ego.tolist().index(11)] == CLOSE
    assert kept.own.columns == ["tenure_days"]  # the network's own features are not a person's history
    assert kept.own["tenure_days"].gather(kept.own_row).to_list() == [1, 2, 3, 4]
    (sighting,) = _sightings([kept], np.arange(11, 16), kept.day)
    assert (sighting.day, sighting.person.tolist()) == (0, [0, 1, 2, 3])
    assert sighting.community.tolist() == [0, 0, 1, 1]


def test_a_look_keeps_who_shares_friends_with_those_about_to_leave() -> None:
    watch = watching({12: datetime(2026, 5, 20, 10), 11: datetime(2026, 9, 1)})
    snapshot, found, labels = look(date(2026, 4, 30), {11: 0, 12: 1, 13: 0, 14: 0})
    assert found.ties is not None
    # 12 and 14 both know 11 and 13
    ties = pl.DataFrame({"node_a": [0, 0, 1, 2], "node_b": [1, 3, 2, 3], "strength": [9.0, 2.0, 1.0, 1.0]})
    square = FeatureSet(found.frame, {}, Ties(TieGraph.from_ties(ties, 5), found.ties.nodes))
    watch.add(snapshot, square, labels)
    (kept,) = watch._seen
    # 11 leaves too, but not within a month
    assert (kept.beside.tolist(), kept.around.tolist()) == ([14], [12])
    (sighting,) = _sightings([kept], np.arange(11, 16), kept.day)
    assert (sighting.beside.tolist(), sighting.around.tolist()) == ([3], [1])


def test_looks_are_put_in_order_and_too_few_leavers_are_no_finding() -> None:
    watch = watching({12: datetime(2026, 5, 20, 10)})
    for month in (5, 4, 3, 2, 1):
        watch.add(*look(date(2026, month, 28), {11: 0, 12: int(month == 5), 13: 0}))
    found = watch.study(seed=1)
    assert found.verdict == "not_identified"
    assert "needed" in found.reason


def test_days_of_leaving_are_counted_from_the_as_of_instant() -> None:
    watch = watching({})
    days = watch._days(pl.Series([datetime(2026, 6, 30, 23), datetime(2026, 7, 1), datetime(2026, 6, 29)]))
    assert days.tolist() == [-1, 0, -2]
    assert watch._day(datetime(2026, 6, 1)) == -30


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("inactive", "the silence of one is part of the silence of the other"),
        ("cancelled", "there is no history"),
    ],
)
def test_what_cannot_be_studied_says_why(kind: Any, said: str) -> None:
    with Engine(threads=1) as engine:
        watch = Watch.begun(engine, ChurnSettings(kind=kind), AS_OF, None, str)
    watch.add(*look(date(2026, 4, 30), {11: 0}))
    found = watch.study(seed=1)
    assert (found.verdict, found.ratio, found.causal_effect) == ("not_identified", None, None)
    assert said in found.reason


def test_without_ties_nobody_is_known_to_be_tied() -> None:
    watch = watching({12: datetime(2026, 5, 20)})
    snapshot, found, labels = look(date(2026, 4, 30), {11: 0, 12: 1})
    watch.add(snapshot, FeatureSet(found.frame, {}), labels)
    assert "there are no calls" in watch.study(seed=1).reason


def test_the_study_can_be_switched_off() -> None:
    config = Config.model_validate({"training": {"study_contagion": False}})
    with Engine(threads=1) as engine:
        assert watch_of(engine, LakeTables({}), config, AS_OF, str) is None


def test_groups_that_few_ties_join_stay_apart_however_many_there_are() -> None:
    """Rings of forty, one tie from ring to ring: modularity alone merges neighbours once there are hundreds."""
    n_rings, size = 200, 40
    node = np.arange(n_rings * size)
    steps = [(node, node // size * size + (node + step) % size) for step in (1, 2, 3, 4)]
    first = np.arange(0, n_rings * size, size)
    pairs = [*steps, (first[:-1] + 5, first[1:])]
    low = np.concatenate([np.minimum(a, b) for a, b in pairs])
    high = np.concatenate([np.maximum(a, b) for a, b in pairs])
    ties = pl.DataFrame({"node_a": low, "node_b": high, "strength": np.ones(len(low))}).unique(
        ["node_a", "node_b"]
    )
    found = communities_of(TieGraph.from_ties(ties, n_rings * size))
    assert np.bincount(found).max() <= size
