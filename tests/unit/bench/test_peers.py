"""Peers are measured beside the project and are no part of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.gates.lock import ADDRESS, HASH, lock_entries

ROOT = Path(__file__).parents[3]


def test_peers_are_pinned_and_hashed_and_come_from_no_address() -> None:
    entries = [entry for _, entry in lock_entries((ROOT / "tests/bench/peers.txt").read_text("utf-8"))]
    assert {entry.split("==")[0] for entry in entries} >= {"igraph", "networkit"}
    for entry in entries:
        assert HASH.search(entry), entry
        assert not ADDRESS.search(entry), entry


def test_no_peer_is_a_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert not any(name.startswith(("igraph", "networkit", "python-igraph")) for name in asked)
    assert "igraph==" not in (ROOT / "requirements.lock").read_text("utf-8")
