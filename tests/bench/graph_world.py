"""Ties of a large customer base, drawn with numpy: communities of about 40, four of five ties inside, a heavy tail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

TIES_PER_CUSTOMER = 6.65
INSIDE = 0.8
COMMUNITY = 40
US_PER_DAY = 86_400_000_000

Arrays = dict[str, npt.NDArray[Any]]


def drawn_ties(n_nodes: int, seed: int = 1) -> Arrays:
    """``node_a < node_b`` (int32), in random order, and ``strength``; numbers say nothing about communities.

    Activity is log-normal (sigma .8), communities have 20 to 60 members, ties outside go to anybody by activity.
    """
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0, 0.8, n_nodes)
    activity /= activity.mean()
    sizes = rng.integers(COMMUNITY // 2, COMMUNITY * 3 // 2 + 1, 2 * n_nodes // COMMUNITY + 10)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    community = np.searchsorted(starts, np.arange(n_nodes), side="right") - 1
    first, size = starts[community], sizes[community]
    running = np.cumsum(activity)
    # pairs drawn twice are one tie: draw a quarter more than wanted, keep as many as wanted
    caller = np.searchsorted(running, rng.random(int(1.35 * TIES_PER_CUSTOMER * n_nodes)) * running[-1])
    inside = first[caller] + (rng.random(len(caller)) * size[caller]).astype(np.int64)
    outside = np.searchsorted(running, rng.random(len(caller)) * running[-1])
    callee = np.where(rng.random(len(caller)) < INSIDE, inside, outside)
    caller, callee = np.minimum(caller, n_nodes - 1), np.minimum(callee, n_nodes - 1)
    number = rng.permutation(n_nodes)
    node_a, node_b = number[np.minimum(caller, callee)], number[np.maximum(caller, callee)]
    node_a, node_b = np.minimum(node_a, node_b), np.maximum(node_a, node_b)
    pairs = np.unique(node_a[node_a != node_b] * np.int64(n_nodes) + node_b[node_a != node_b])
    pairs = rng.permutation(pairs)[: int(TIES_PER_CUSTOMER * n_nodes)]
    return {
        "node_a": (pairs // n_nodes).astype(np.int32),
        "node_b": (pairs % n_nodes).astype(np.int32),
        "strength": rng.lognormal(0, 1, len(pairs)),
    }


def with_hub(ties: Arrays, n_nodes: int, n_partners: int, seed: int = 2) -> Arrays:
    """Add one more node, tied to so many of the others."""
    rng = np.random.default_rng(seed)
    partners = np.sort(rng.choice(n_nodes, n_partners, replace=False)).astype(np.int32)
    return {
        "node_a": np.concatenate([ties["node_a"], partners]),
        "node_b": np.concatenate([ties["node_b"], np.full(n_partners, n_nodes, np.int32)]),
        "strength": np.concatenate([ties["strength"], rng.lognormal(0, 1, n_partners)]),
    }


def pair_facts(ties: Arrays, seed: int = 3) -> Arrays:
    """Facts of each tie as the SQL counts them, consistent with each other and drawn without meaning."""
    rng = np.random.default_rng(seed)
    n_ties = len(ties["node_a"])
    n_contacts = rng.geometric(0.15, n_ties)
    n_ab = rng.integers(0, n_contacts + 1)
    last_us = rng.integers(0, 90, n_ties) * US_PER_DAY
    is_recent = last_us >= 60 * US_PER_DAY
    active_days = 1 + rng.integers(0, n_contacts)
    facts = {
        "node_a": ties["node_a"],
        "node_b": ties["node_b"],
        "n_ab": n_ab,
        "n_ba": n_contacts - n_ab,
        "n_recent_ab": np.where(is_recent, n_ab, 0),
        "n_recent_ba": np.where(is_recent, n_contacts - n_ab, 0),
        "n_timed": n_contacts,
        "seconds": n_contacts * 60,
        "active_days": active_days,
        "trains": 1 + rng.integers(0, n_contacts),
        "gap_squares": n_contacts.astype(np.int64) << 8,
        "decayed_14": n_contacts << 18,
        "decayed_30": n_contacts << 19,
        "first_contact_us": np.where(n_contacts > 1, last_us // 2, last_us),
        "last_contact_us": last_us,
    }
    return {
        name: values.astype(np.int32) if values.max() < 1 << 31 else values for name, values in facts.items()
    }


def written(arrays: Arrays, folder: Path) -> str:
    """Save each array as NAME.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    return str(folder)
