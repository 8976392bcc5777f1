"""Measures of a graph at scale beside networkx, igraph and networkit: seconds, ratios, memory, growth, hubs.

One million customers with 6.65 million ties. networkx, which takes five minutes for that, runs on a fifth of it and
igraph's Louvain not at all, but with ``--full``.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.graph_world import drawn_ties, pair_facts, with_hub, written
from tests.bench.measure import Measure, measured

N_CUSTOMERS = 1_000_000
N_NETWORKX = 200_000
GROWTH = (100_000, 300_000, 1_000_000)
GROWTH_FULL = (*GROWTH, 3_000_000)
N_HUB_PARTNERS = 200_000
PEERS = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"

SIX = ("build", "pagerank", "triangles", "clustering", "core", "components")
"""What must be 50 times as fast as networkx, together."""

Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]


def tables(full: bool) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        world = drawn(place / "million", N_CUSTOMERS)
        ours = measured("tests.bench.graph_ours:measures", {"folder": world})
        yield beside_peers(ours, contenders(world, full), world)
        yield beside_networkx(place, ours if full else None, world)
        yield set_up(place, world)
        hubless, table = whole_block(place)
        yield table
        yield growth(place, hubless, full)


def drawn(folder: Path, n_nodes: int) -> str:
    """A world without isolated customers, for then all contenders number alike, and where personalised ranks start."""
    ties = drawn_ties(n_nodes)
    present, ends = np.unique(np.concatenate([ties["node_a"], ties["node_b"]]), return_inverse=True)
    half = len(ends) // 2
    start = np.random.default_rng(5).random(len(present)) < 1e-4
    start[0] = True
    numbered = {"node_a": ends[:half].astype(np.int32), "node_b": ends[half:].astype(np.int32)}
    return written({**ties, **numbered, "start": start.astype(np.float64)}, folder)


def contenders(world: str, full: bool) -> dict[str, Measure | str]:
    """Each peer's figures, or why there are none."""
    arguments: dict[str, dict[str, Any]] = {"igraph": {"with_louvain": full}, "networkit": {}}
    found: dict[str, Measure | str] = {}
    for name, more in arguments.items():
        if not PEERS.exists():
            found[name] = "not installed"
            continue
        try:
            found[name] = measured(
                f"tests.bench.graph_peers:{name}", {"folder": world, **more}, python=str(PEERS)
            )
        except subprocess.CalledProcessError as error:
            found[name] = f"failed ({error.returncode})"
    return found


def beside_peers(ours: Measure, peers: Mapping[str, Measure | str], world: str) -> Table:
    head = ["wall s (processor s)", "churnrisk, first", "again", *peers, "of the faster"]
    rows: list[list[object]] = []
    for name, times in ours.result["seconds"].items():
        others = {peer: seconds_of(found, name) for peer, found in peers.items()}
        known = [times_of[0] for times_of in others.values() if times_of]
        ratio = f"{times[2] / min(known):.2f}" if known else "-"
        rows.append([name, told(times[:2]), told(times[2:]), *map(told, others.values()), ratio])
    for name, quality in ours.result["quality"].items():
        theirs = [
            f"{found.result['quality'][name]:.4f}"
            if isinstance(found, Measure) and name in found.result["quality"]
            else "-"
            for found in peers.values()
        ]
        rows.append([f"modularity, {name}", "", f"{quality:.4f}", *theirs, ""])
    rows.append(["distance of personalised ranks (L1)", "", "", *distances(peers, world), ""])
    rows.append(["peak MB", "", f"{ours.peak_mb:,.0f}", *map(peak, peers.values()), ""])
    return f"A graph of {size(world)}, integer ids in no order", head, rows


def beside_networkx(place: Path, ours: Measure | None, world: str) -> Table:
    if ours is None:
        world = drawn(place / "networkx", N_NETWORKX)
        ours = measured("tests.bench.graph_ours:measures", {"folder": world})
    theirs = measured("tests.bench.graph_peers:networkx", {"folder": world})
    rows: list[list[object]] = []
    for name, times in theirs.result["seconds"].items():
        again = ours.result["seconds"][name][2:]
        rows.append([name, told(again), told(times), f"{times[0] / again[0]:.0f} x"])
    mine = sum(ours.result["seconds"][name][2] for name in SIX)
    other = sum(theirs.result["seconds"][name][0] for name in SIX)
    rows.append([" + ".join(SIX), f"{mine:.2f}", f"{other:.1f}", f"{other / mine:.0f} x"])
    rows.append(["peak MB", f"{ours.peak_mb:,.0f}", f"{theirs.peak_mb:,.0f}", ""])
    return (
        f"Beside networkx: {size(world)}",
        ["wall s (processor s)", "churnrisk, again", "networkx", "ratio"],
        rows,
    )


def set_up(place: Path, world: str) -> Table:
    text = measured("tests.bench.graph_ours:from_text", {"folder": world}).result["seconds"][
        "build from text"
    ]
    cache = {"NUMBA_CACHE_DIR": str(place / "cache")}
    once, again = (measured("tests.bench.graph_ours:compiled", {}, cache) for _ in range(2))
    rows = [
        ["compile every loop, once per machine", told([once.seconds, once.busy_seconds])],
        ["load what is compiled, once per process", told([again.seconds, again.busy_seconds])],
        ["build from text ids, first", told(text[:2])],
        ["build from text ids, again", told(text[2:])],
    ]
    return "Beforehand", ["wall s (processor s)", "churnrisk"], rows


def whole_block(place: Path) -> tuple[Measure, Table]:
    ties = drawn_ties(N_CUSTOMERS)
    rows: list[list[object]] = []
    measures: list[Measure] = []
    for title, given in {
        "without a hub": ties,
        f"a hub of {N_HUB_PARTNERS:,} partners added": with_hub(ties, N_CUSTOMERS, N_HUB_PARTNERS),
    }.items():
        folder = written(pair_facts(given), place / title.replace(" ", "_"))
        found = measured("tests.bench.graph_ours:block", {"folder": folder})
        measures.append(found)
        steps = found.result["seconds"]
        total = [sum(times[column] for times in steps.values()) for column in (0, 1)]
        rows.append([title, *map(told, steps.values()), told(total), f"{found.peak_mb:,.0f}"])
    head = [
        "wall s (processor s)",
        "strength, overlap",
        "graph",
        "places, communities, exposures, two hops",
        "whole tie block",
        "peak MB",
    ]
    title = f"The whole tie block: {N_CUSTOMERS:,} customers, from pair facts to features"
    return measures[0], (title, head, rows)


def growth(place: Path, hubless: Measure, full: bool) -> Table:
    sizes = GROWTH_FULL if full else GROWTH
    seconds: list[float] = []
    rows: list[list[object]] = []
    for n_nodes in sizes:
        found = hubless
        if n_nodes != N_CUSTOMERS:
            folder = written(pair_facts(drawn_ties(n_nodes)), place / f"growth_{n_nodes}")
            found = measured("tests.bench.graph_ours:block", {"folder": folder})
        busy = sum(times[1] for times in found.result["seconds"].values())
        seconds.append(busy)
        rows.append([f"{n_nodes:,}", f"{found.result['n_ties']:,}", f"{busy:.1f}", f"{found.peak_mb:,.0f}"])
    exponent = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
    title = f"Growth of the whole tie block: processor time goes with customers to the power {exponent:.2f}"
    return title, ["customers", "ties", "processor s", "peak MB"], rows


def told(times: Sequence[float] | None) -> str:
    return f"{times[0]:.2f} ({times[1]:.2f})" if times else "-"


def seconds_of(found: Measure | str, name: str) -> Sequence[float] | None:
    return found.result["seconds"].get(name) if isinstance(found, Measure) else None


def peak(found: Measure | str) -> str:
    return f"{found.peak_mb:,.0f}" if isinstance(found, Measure) else found


def distances(peers: Mapping[str, object], world: str) -> list[str]:
    ours = np.load(Path(world) / "ranks_churnrisk.npy")
    files = [Path(world) / f"ranks_{peer}.npy" for peer in peers]
    return [f"{np.abs(np.load(file) - ours).sum():.0e}" if file.exists() else "-" for file in files]


def size(world: str) -> str:
    n_nodes, n_ties = (len(np.load(Path(world) / f"{name}.npy")) for name in ("start", "node_a"))
    return f"{n_nodes:,} customers, {n_ties:,} ties"
