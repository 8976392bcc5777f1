"""networkx's own tests for the covered functions, answered by the compiled measures."""

from __future__ import annotations

from collections import defaultdict

import pytest

from churnrisk.networkx_info import MEASURES

from .networkx_suite import EXPECTED_FAILURES, Run, has_tested_version, run_suite, table, written_table

SPOILT_TESTS = 12
"""Tests of networkx in which one function is made wrong; some look only at kinds of results, not at values."""


@pytest.fixture(scope="module")
def suite() -> Run:
    return run_suite()


def test_networkx_tests_pass_but_for_those_that_pin_more_than_the_right_answer(suite: Run) -> None:
    assert suite.code == 0, suite.said[-4000:]


def test_no_pass_is_hollow(suite: Run) -> None:
    assert {name for name in MEASURES if suite.calls.get(name, 0) == 0} == set()
    assert set(suite.calls) == set(MEASURES)
    reached = suite.record["tests"]
    assert [test for test, (name, _) in EXPECTED_FAILURES.items() if test not in reached[name]] == []


def test_the_page_says_what_was_reached(suite: Run) -> None:
    if not has_tested_version():
        pytest.skip("the page was written with another networkx; counts of calls differ")
    assert written_table() == table(suite.calls), "run python -m tests.oracle.ties.networkx_suite"


def test_a_wrong_answer_of_any_covered_function_fails_a_test_of_networkx(suite: Run) -> None:
    """Each function in turn is made wrong by a little in a few of the tests that reach it."""
    tests: dict[str, list[str]] = suite.record["tests"]
    spoil: dict[str, str] = {}
    for name in sorted(tests, key=lambda name: len(tests[name])):
        free = [test for test in tests[name] if test not in spoil and test not in EXPECTED_FAILURES]
        spoil |= dict.fromkeys(free[:SPOILT_TESTS], name)
    spoilt = run_suite(spoil)
    caught: dict[str, int] = defaultdict(int)
    for test in set(spoilt.record["failed"]):
        caught[spoil[test]] += 1
    assert {name for name in MEASURES if not caught[name]} == set()
