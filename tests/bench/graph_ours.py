"""What churnrisk takes for each measure of a graph; run in a process of its own by tests.bench.measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import polars as pl

from features.ties import TieGraph, network_features, tie_graph, tie_table
from features.ties.communities import leiden, louvain, modularity
from features.ties.components import component_labels
from features.ties.cores import core_numbers
from features.ties.membership import community_of
from features.ties.ranks import converged_pagerank, pagerank
from features.ties.reach import second_order_reach
from features.ties.triangles import clustering, common_neighbours, triangle_counts
from features.ties.warm import warm

Seconds = dict[str, list[float]]
"""Measure -> wall and processor seconds, of the first call and of the second."""


def measures(folder: str) -> dict[str, Any]:
    """Every measure twice, on integer ids; the first call loads compiled code."""
    arrays = {name: np.load(Path(folder) / f"{name}.npy") for name in ("node_a", "node_b", "strength")}
    frame = pl.DataFrame(
        {"customer_a": arrays["node_a"], "customer_b": arrays["node_b"], "strength": arrays["strength"]}
    )
    seconds: Seconds = {}
    graph: TieGraph = _twice(seconds, "build", lambda: tie_graph(frame))
    rows = graph.indptr, graph.indices
    start = np.load(Path(folder) / "start.npy")[np.array(graph.node_labels)]
    calls: Mapping[str, Callable[[], Any]] = {
        "strength": lambda: TieGraph.strengths.func(graph),  # type: ignore[attr-defined]
        "triangles": lambda: triangle_counts(*rows),
        "clustering": lambda: clustering(*rows),
        "clustering, weighted": lambda: clustering(*rows, graph.weights),
        "core": lambda: core_numbers(*rows),
        "components": lambda: component_labels(*rows),
        "pagerank": lambda: pagerank(*rows, is_symmetric=True),
        "pagerank 1e-10": lambda: converged_pagerank(*rows),
        "pagerank 1e-10, personalised": lambda: converged_pagerank(*rows, personalization=start),
        "overlap": lambda: common_neighbours(*rows, graph.tie_rows),
        "two hops": lambda: second_order_reach(*rows),
        "communities of a night": lambda: community_of(graph),
    }
    for name, call in calls.items():
        found = _twice(seconds, name, call)
        if "personalised" in name:
            np.save(Path(folder) / "ranks_churnrisk.npy", found)
    parts = {
        "Louvain": _twice(seconds, "Louvain", lambda: louvain(*rows)[-1]),
        "Leiden": _twice(seconds, "Leiden", lambda: leiden(*rows)),
    }
    return {
        "seconds": seconds,
        "quality": {name: modularity(*rows, labels) for name, labels in parts.items()},
    }


def from_text(folder: str) -> dict[str, Any]:
    """The graph from ids that are text."""
    ends = {name: np.load(Path(folder) / f"{name}.npy") for name in ("node_a", "node_b")}
    frame = pl.DataFrame(ends).select(
        ("c" + pl.col("node_a").cast(pl.String).str.zfill(8)).alias("customer_a"),
        ("c" + pl.col("node_b").cast(pl.String).str.zfill(8)).alias("customer_b"),
    )
    seconds: Seconds = {}
    _twice(seconds, "build from text", lambda: tie_graph(frame))
    return {"seconds": seconds, "quality": {}}


def block(folder: str) -> dict[str, Any]:
    """Everything a night does with ties, from pair facts to features; compiled code is loaded beforehand."""
    warm()
    held: dict[str, Any] = {
        "facts": pl.DataFrame({path.stem: np.load(path) for path in sorted(Path(folder).glob("*.npy"))})
    }
    n_nodes = int(held["facts"]["node_b"].max()) + 1
    rng = np.random.default_rng(4)
    ages = np.where(rng.random(n_nodes) < 0.05, rng.integers(0, 120, n_nodes), np.nan)
    angry = np.where(rng.random(n_nodes) < 0.03, rng.integers(0, 90, n_nodes), np.nan)
    seconds: Seconds = {}
    # each step lets go of what it read, as a night does
    ties = _once(seconds, "strength and overlap", lambda: tie_table(held.pop("facts")))
    held["ties"] = ties
    del ties
    graph = _once(seconds, "graph", lambda: TieGraph.from_ties(held.pop("ties"), n_nodes))
    _once(
        seconds,
        "features",
        lambda: (
            network_features(
                graph, is_member=np.isnan(ages), leaver_age_days=ages, detractor_age_days=angry
            ).shape
        ),
    )
    return {"seconds": seconds, "n_ties": graph.n_ties}


def compiled() -> dict[str, Any]:
    """Compile, or load what is compiled already."""
    return {"n_nodes": warm().n_nodes}


def _twice(seconds: Seconds, name: str, call: Callable[[], Any]) -> Any:
    _once(seconds, name, call)
    return _once(seconds, name, call)


def _once(seconds: Seconds, name: str, call: Callable[[], Any]) -> Any:
    started, busy = perf_counter(), process_time()
    found = call()
    seconds.setdefault(name, []).extend([perf_counter() - started, process_time() - busy])
    return found
