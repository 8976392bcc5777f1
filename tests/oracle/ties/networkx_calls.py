"""Pytest plugin for networkx's own tests: counts the calls that the compiled measures answered, by function and test.

Loaded with ``-p`` into a pytest of its own (see networkx_suite). A call counts when a covered function returned without
leaving the work to networkx. CHURNRISK_ASKED names a JSON file with ``expected`` (test -> reason: those must fail, all
others must not) and ``spoil`` (test -> function to make wrong in it; then only those tests run); the counts, and which
tests reached what and failed, go to the file that CHURNRISK_RECORD names.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from features.ties.backend import interface
from features.ties.backend.reading import Reading

CALLS: Counter[str] = Counter()
TESTS: dict[str, list[str]] = defaultdict(list)
FAILED: list[str] = []
ASKED: dict[str, dict[str, str]] = {}
MEASURES = dict(interface.ON_ROWS)


class Now:
    """The test that runs."""

    test = ""


def named(item: pytest.Item) -> str:
    """Path within networkx and name of a test, however networkx was found."""
    path = item.path.as_posix().rpartition("/networkx/")[2]
    return path + item.nodeid[item.nodeid.index("::") :]


def counted(name: str) -> Callable[..., Any]:
    def call(graph: Reading, *args: Any, **kwargs: Any) -> Any:
        result = MEASURES[name](graph, *args, **kwargs)
        CALLS[name] += 1
        if Now.test not in TESTS[name]:
            TESTS[name].append(Now.test)
        return spoilt_result(result) if ASKED["spoil"].get(Now.test) == name else result

    return call


def spoilt_result(result: Any) -> Any:
    """The same, wrong in one value, one node or one pair."""
    if isinstance(result, bool | int | float):
        return not result if isinstance(result, bool) else result + 1
    if isinstance(result, dict):
        return {key: value + 0.01 * (place == 0) for place, (key, value) in enumerate(result.items())}
    if isinstance(result, set):
        return set(islice(result, 1, None))
    if isinstance(result, list):
        return [*map(spoilt_result, result[:1]), *result[1:]]
    if isinstance(result, Iterator):
        return spoilt_iterator(result)
    spoilt_matrix = result.copy()
    spoilt_matrix.data = spoilt_matrix.data + 1
    return spoilt_matrix


def spoilt_iterator(result: Iterator[Any]) -> Iterator[Any]:
    for each in result:
        yield (*each[:2], each[2] + 1) if isinstance(each, tuple) else spoilt_result(each)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ASKED.update(json.loads(Path(os.environ["CHURNRISK_ASKED"]).read_text("utf-8")))
    interface.ON_ROWS.update({name: counted(name) for name in MEASURES})
    if ASKED["spoil"]:
        left_out = [item for item in items if named(item) not in ASKED["spoil"]]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if named(item) in ASKED["spoil"]]
        return
    unknown = set(ASKED["expected"]) - {named(item) for item in items}
    if unknown:
        msg = f"expected failures that networkx has no tests for: {sorted(unknown)}"
        raise pytest.UsageError(msg)
    for item in items:
        reason = ASKED["expected"].get(named(item))
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def pytest_runtest_setup(item: pytest.Item) -> None:
    Now.test = named(item)
    random.seed(0)  # tests without a seed of their own: the same number of calls every time


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        FAILED.append(Now.test)


def pytest_sessionfinish() -> None:
    record = {"calls": CALLS, "tests": TESTS, "failed": FAILED}
    Path(os.environ["CHURNRISK_RECORD"]).write_text(json.dumps(record, sort_keys=True), "utf-8")
