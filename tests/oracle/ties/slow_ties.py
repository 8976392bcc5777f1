"""The same measures as features.ties, in plain Python over contacts, one loop per definition."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st

from features.ties import DECAY_ONE_CONTACT, RECENT_DAYS, TRAIN_GAP_HOURS
from features.ties.spreading import PASSED_ON, SPREAD_HALF_LIFE_DAYS

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
AS_OF_US = 90 * DAY_US

N_STEPS = 20
"""0.7^20 is the first power under a thousandth."""

Value = float | int | None
_Value = TypeVar("_Value")


class Contact(NamedTuple):
    """One call or message between two different nodes, before the as-of instant."""

    sender: int
    receiver: int
    at_us: int
    seconds: int


class World(NamedTuple):
    """What one test case draws."""

    n_nodes: int
    contacts: list[Contact]
    leaver_age_days: list[float]
    detractor_age_days: list[float]
    is_member: list[bool]
    may_use: list[bool]


@st.composite
def worlds(draw: st.DrawFn, max_nodes: int = 9, max_contacts: int = 40) -> World:
    """Small worlds, dense enough for triangles, with ages on and about the edges of the windows."""
    n_nodes = draw(st.integers(1, max_nodes))
    node = st.integers(0, n_nodes - 1)
    moment = st.one_of(
        st.integers(0, AS_OF_US - 1), st.integers(0, 8).map(lambda n: AS_OF_US - 1 - n * 2 * HOUR_US)
    )
    contact = st.builds(Contact, node, node, moment, st.integers(0, 5000))
    contacts = draw(
        st.lists(
            contact.filter(lambda c: c.sender != c.receiver), max_size=max_contacts if n_nodes > 1 else 0
        )
    )
    age = st.sampled_from([math.nan, math.nan, -3.0, 0.0, 1.0, 6.5, 7.0, 7.01, 30.0, 30.5, 90.0, 90.5])

    def one_per_node(values: st.SearchStrategy[_Value]) -> list[_Value]:
        return draw(st.lists(values, min_size=n_nodes, max_size=n_nodes))

    return World(
        n_nodes,
        contacts,
        one_per_node(age),
        one_per_node(age),
        one_per_node(st.booleans()),
        one_per_node(st.sampled_from([True, True, True, False])),
    )


def pairs(contacts: Sequence[Contact]) -> list[dict[str, int]]:
    """Count the facts of each pair, in no useful order."""
    found = []
    for a, b in {(min(c.sender, c.receiver), max(c.sender, c.receiver)) for c in contacts}:
        mine = sorted((c for c in contacts if {c.sender, c.receiver} == {a, b}), key=lambda c: c.at_us)
        recent = [c for c in mine if c.at_us >= AS_OF_US - RECENT_DAYS * DAY_US]
        gaps = [later.at_us - earlier.at_us for earlier, later in pairwise(mine)]
        gaps_s = [later.at_us // 10**6 - earlier.at_us // 10**6 for earlier, later in pairwise(mine)]
        found.append(
            {
                "node_a": a,
                "node_b": b,
                "n_ab": sum(c.sender == a for c in mine),
                "n_ba": sum(c.sender == b for c in mine),
                "n_recent_ab": sum(c.sender == a for c in recent),
                "n_recent_ba": sum(c.sender == b for c in recent),
                "n_timed": len(mine),
                "seconds": sum(c.seconds for c in mine),
                "active_days": len({c.at_us // DAY_US for c in mine}),
                "trains": 1 + sum(gap > TRAIN_GAP_HOURS * HOUR_US for gap in gaps),
                "gap_squares": sum(gap * gap for gap in gaps_s),
                "decayed_14": round(DECAY_ONE_CONTACT * decayed(mine, 14)),
                "decayed_30": round(DECAY_ONE_CONTACT * decayed(mine, 30)),
                "first_contact_us": mine[0].at_us,
                "last_contact_us": mine[-1].at_us,
            }
        )
    return found


def decayed(contacts: Sequence[Contact], half_life_days: int) -> float:
    """Contacts, each worth 2^(-whole days ago / half-life)."""
    return math.fsum(2.0 ** (-((AS_OF_US - 1 - c.at_us) // DAY_US) / half_life_days) for c in contacts)


def silences(contacts: Sequence[Contact], a: int, b: int) -> tuple[float | None, float | None]:
    """Burstiness for finite sequences, and the last silence in mean silences; whole seconds between contacts."""
    times = sorted(c.at_us for c in contacts if {c.sender, c.receiver} == {a, b})
    gaps = [later // 10**6 - earlier // 10**6 for earlier, later in pairwise(times)]
    if not gaps or sum(gaps) == 0:
        return None, None
    k, mean = len(gaps), sum(gaps) / len(gaps)
    ratio = (AS_OF_US - times[-1]) / 10**6 / mean
    if k == 1:
        return None, ratio
    x = statistics.pstdev(gaps) / mean
    above, below = math.sqrt(k + 1), math.sqrt(k - 1)
    return (above * x - below) / ((above - 2) * x + below), ratio


def strength(contacts: Sequence[Contact], a: int, b: int) -> float:
    """Strength of one tie straight from its contacts: exp of the log-linear blend, freshness not rounded."""
    (facts,) = pairs([c for c in contacts if {c.sender, c.receiver} == {a, b}])
    n_contacts = facts["n_ab"] + facts["n_ba"]
    mine = [c for c in contacts if {c.sender, c.receiver} == {a, b}]
    freshness = math.sqrt(decayed(mine, 14) * decayed(mine, 30)) / n_contacts
    reciprocity = 2 * min(facts["n_ab"], facts["n_ba"]) / n_contacts
    blend = 0.5 * math.log(facts["active_days"]) + 0.5 * math.log(facts["trains"])
    return math.exp(blend) * freshness * (1 + reciprocity) / 2


def partners(contacts: Sequence[Contact], node: int) -> set[int]:
    """Nodes with a contact to or from this one."""
    return {c.receiver for c in contacts if c.sender == node} | {
        c.sender for c in contacts if c.receiver == node
    }


def overlap(contacts: Sequence[Contact], a: int, b: int) -> float | None:
    """Share of the other partners of a and b that both have."""
    others = (partners(contacts, a) | partners(contacts, b)) - {a, b}
    return len(partners(contacts, a) & partners(contacts, b)) / len(others) if others else None


def two_hop(contacts: Sequence[Contact], node: int, ages: Sequence[float], days: int) -> float | None:
    """Mean over neighbours, by strength, of the share of seeds among their other ties."""
    weighed, whole = 0.0, 0.0
    for middle in partners(contacts, node):
        others = {other: strength(contacts, middle, other) for other in partners(contacts, middle) - {node}}
        if others:
            seeds = sum(weight for other, weight in others.items() if 0 <= ages[other] <= days)
            weighed += strength(contacts, node, middle) * seeds / sum(others.values())
            whole += strength(contacts, node, middle)
    return weighed / whole if whole else None


def spread(contacts: Sequence[Contact], energy: Sequence[float]) -> list[float]:
    """Energy that comes to rest away from its seed: (1 - d) sum over k >= 1 of d^k (P')^k e, the last step whole."""
    n_nodes = len(energy)
    near = [partners(contacts, node) for node in range(n_nodes)]
    weights = [{other: strength(contacts, node, other) for other in near[node]} for node in range(n_nodes)]
    moving, received = list(energy), [0.0] * n_nodes
    for step in range(N_STEPS):
        arriving = [0.0] * n_nodes
        for node in range(n_nodes):
            kept = 1 - PASSED_ON if near[node] else 1.0
            received[node] += kept * moving[node] if step else 0.0
            for other, weight in weights[node].items():
                arriving[other] += PASSED_ON * moving[node] * weight / sum(weights[node].values())
        moving = arriving
    return [here + late for here, late in zip(received, moving, strict=True)]


def features(world: World, windows: Sequence[int]) -> list[dict[str, Value]]:
    """Rows of members, from the contacts among customers whose call data may be used; their place is `slow_place`'s."""
    contacts = [c for c in world.contacts if world.may_use[c.sender] and world.may_use[c.receiver]]
    return [
        {"node": node, **_row(world, contacts, node, windows)}
        for node in range(world.n_nodes)
        if world.is_member[node]
    ]


def _other(pair: Mapping[str, int], node: int) -> int:
    return pair["node_a"] + pair["node_b"] - node


def _n_recent(pair: Mapping[str, int]) -> int:
    return pair["n_recent_ab"] + pair["n_recent_ba"]


def _close(
    world: World, facts: Sequence[Mapping[str, int]], node: int, windows: Sequence[int]
) -> dict[str, Value]:
    """Who left, of the friends with at least the mean pace, and their share of all paces; in exact fractions."""
    paces = {}
    for pair in facts:
        age = world.leaver_age_days[_other(pair, node)]
        seen = Fraction(90) if not age >= 0 else max(90 - Fraction(age), Fraction(30))
        paces[_other(pair, node)] = pair["active_days"] / seen
    row: dict[str, Value] = {}
    for days in windows:
        left = {other: pace for other, pace in paces.items() if 0 <= world.leaver_age_days[other] <= days}
        close = [pace for pace in left.values() if pace * len(paces) >= sum(paces.values())]
        row[f"churn_exposure_close_n_{days}d"] = len(close) if paces else None
        row[f"churn_exposure_paced_{days}d"] = (
            float(sum(left.values()) / sum(paces.values())) if paces else None
        )
    return row


def _row(world: World, contacts: Sequence[Contact], node: int, windows: Sequence[int]) -> Mapping[str, Value]:
    near = partners(contacts, node)
    out = {c.receiver for c in contacts if c.sender == node}
    inward = {c.sender for c in contacts if c.receiver == node}
    strengths = {other: strength(contacts, node, other) for other in near}
    facts = [pair for pair in pairs(contacts) if node in {pair["node_a"], pair["node_b"]}]
    n_lost = sum(pair["n_recent_ab"] + pair["n_recent_ba"] == 0 for pair in facts)
    n_earlier = sum(pair["n_ab"] + pair["n_ba"] > pair["n_recent_ab"] + pair["n_recent_ba"] for pair in facts)
    n_gained = sum(pair["n_ab"] + pair["n_ba"] == pair["n_recent_ab"] + pair["n_recent_ba"] for pair in facts)
    n_late = sum(pair["n_recent_ab"] + pair["n_recent_ba"] > 0 for pair in facts)
    weights = {
        "lost": sum(strengths[_other(pair, node)] for pair in facts if not _n_recent(pair)),
        "early": sum(
            strengths[_other(pair, node)] for pair in facts if pair["n_ab"] + pair["n_ba"] > _n_recent(pair)
        ),
    }
    reciprocities = [2 * min(pair["n_ab"], pair["n_ba"]) / (pair["n_ab"] + pair["n_ba"]) for pair in facts]
    row: dict[str, Value] = {
        "n_ties": len(near),
        "n_ties_out": len(out),
        "n_ties_in": len(inward),
        "n_ties_mutual": len(out & inward),
        "tie_strength_sum": sum(strengths.values()),
        "tie_reciprocity_mean": sum(reciprocities) / len(reciprocities) if reciprocities else None,
        "ties_lost_30d": n_lost,
        "tie_loss_share_30d": n_lost / n_earlier if n_earlier else None,
        "tie_loss_strength_share_30d": weights["lost"] / weights["early"] if weights["early"] else None,
        "ties_gained_30d": n_gained,
        "tie_gain_share_30d": n_gained / n_late if n_late else None,
    }
    for kind, ages in (("churn", world.leaver_age_days), ("detractor", world.detractor_age_days)):
        for direction, those in (("", near), ("_out", out)):
            for days in windows:
                seeds = {other for other in those if 0 <= ages[other] <= days}
                weight = sum(strengths[other] for other in seeds)
                ending = f"{direction}_{days}d"
                row[f"{kind}_exposure_n{ending}"] = len(seeds) if those else None
                row[f"{kind}_exposure_share{ending}"] = len(seeds) / len(those) if those else None
                whole = sum(strengths[other] for other in those)
                row[f"{kind}_exposure_weighted{ending}"] = weight / whole if those else None
        if kind == "churn":
            row |= _close(world, facts, node, windows)
        for days in windows:
            row[f"{kind}_exposure_two_hop_{days}d"] = two_hop(contacts, node, ages, days)
        energy = [0.0 if math.isnan(age) or age < 0 else 2 ** (-age / SPREAD_HALF_LIFE_DAYS) for age in ages]
        received = spread(contacts, energy)[node]
        row[f"{kind}_exposure_spread"] = received if near else None
    return row if world.may_use[node] else dict.fromkeys(row)
