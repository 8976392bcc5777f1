"""churnrisk's side of the benchmark "night": what a process of its own runs, with the seconds of each step.

Libraries load with this module, before the clock starts, as pandas does with the other side's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import duckdb  # noqa: F401

import features
from churnrisk.dates import AsOf
from churnrisk.inputs import Inputs
from churnrisk.nightly import run_night
from churnrisk.sources import load
from churnrisk.store import Engine, Statement, Workspace
from features.ties import network_features, tie_table

TIES = frozenset({"call_pairs", "tie_pairs", "nodes", "leavers", "latest_opinions"})
"""Statements that only ties need."""

PREPARED = (network_features, tie_table)
"""Named so that their compiled loops are loaded with this module."""

Seconds = dict[str, float]


def feature_table(root: str, day: str, table: str) -> dict[str, Any]:
    """Go from source files to the feature table, and write it to ``table``."""
    workspace = Workspace.open(Path(root))
    as_of = AsOf(date.fromisoformat(day), workspace.config.time.day_zone)
    with workspace.engine() as engine, stopwatch() as seconds:
        with timed(seconds, "load, check, keys"):
            loaded = load(workspace, engine, environment={})
        with timed(seconds, "features"):
            made = features.build(engine, loaded.tables, as_of, workspace.config.churn)
        with timed(seconds, "write"):
            made.frame.drop("customer_key").write_parquet(table)
    return {"seconds": shares(seconds)}


def night(root: str, day: str) -> dict[str, Any]:
    """Run a whole night, from source files to published tables, list and report."""
    workspace = Workspace.open(Path(root))
    as_of = AsOf(date.fromisoformat(day), workspace.config.time.day_zone)
    with stopwatch() as seconds:
        done = run_night(workspace, as_of, Inputs(environment={}), started_at=datetime(2026, 1, 1))
    seconds |= done.seconds
    return {"seconds": shares(seconds), "rows": dict(done.rows)}


def shares(seconds: Seconds) -> Seconds:
    """Split the features into SQL, ties and the rest; steps in the order in which they ran."""
    rest = seconds["features"] - seconds["SQL"] - seconds["ties"]
    split = {"features: SQL": seconds["SQL"], "features: ties": seconds["ties"], "features: rest": rest}
    found: Seconds = {}
    for name, value in seconds.items():
        if name == "features":
            found |= split
        elif name not in {"SQL", "ties"}:
            found[name] = value
    return found


@contextmanager
def timed(seconds: Seconds, step: str) -> Iterator[None]:
    """Add what a block takes to its step."""
    started = perf_counter()
    yield
    seconds[step] += perf_counter() - started


@contextmanager
def stopwatch() -> Iterator[Seconds]:
    """Time statements and ties wherever they run meanwhile."""
    seconds: Seconds = defaultdict(float)
    create = Engine.create

    def timed_create(engine: Engine, statement: Statement, parameters: dict[str, object]) -> None:
        with timed(seconds, "ties" if statement.output in TIES else "SQL"):
            create(engine, statement, parameters)

    def timed_ties(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            with timed(seconds, "ties"):
                return function(*arguments, **named)

        return wrapped

    with ExitStack() as stack:
        stack.enter_context(patch.object(Engine, "create", timed_create))
        for module, name in (("features.running", "ties_of"), ("features.build", "network_rows")):
            room = import_module(module)
            stack.enter_context(patch.object(room, name, timed_ties(getattr(room, name))))
        yield seconds
