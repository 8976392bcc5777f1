"""Every SQL file of training, run on drawn tables, is what its head says: columns, grain, nulls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from tests.spec.features.drawn import lake_of, table

STATEMENTS = statements_in("training")
PARAMETERS = {
    "as_of": datetime(2026, 4, 1),
    "active_from": datetime(2026, 2, 1),
    "outcome_from": datetime(2026, 4, 15),
    "outcome_to": datetime(2026, 5, 15),
    "known_by": datetime(2026, 7, 1),
    "earliest": datetime(2026, 1, 1),
    "answers_from": datetime(2026, 1, 1),
    "answer_by": datetime(2026, 6, 1),
    "matured_before": datetime(2026, 5, 18),
    "window_us": 44 * 86_400_000_000,
    "consent_as_of": datetime(2026, 7, 1),
}
CUSTOMERS = """
customer_key | left_at
0 |
1 | 2026-04-20
2 | 2026-03-02
"""
FACTS = {
    "calls": """
caller_key | callee_key | started_at
0 | 1 | 2026-03-20 10:00
1 | -7 | 2026-04-16 10:00
2 | 0 | 2026-04-02 10:00
""",
    "usage": """
customer_key | period_start | metric | value
0 | 2026-03-01 | minutes | 5
1 | 2026-04-16 | minutes | 3
""",
    "interactions": """
customer_key | at
0 | 2026-03-05
1 | 2026-04-18
""",
    "events": """
customer_key | at | event
0 | 2026-03-05 | login
2 | 2026-04-05 | login
""",
    "surveys": """
customer_key | invited_at | answered_at | score
0 | 2026-04-05 | 2026-04-06 | 9
1 | 2026-04-05 | |
""",
    "treatments": """
treatment_id | customer_key | at | offer_id | propensity
a | 0 | 2026-04-10 | discount | 0.9
b | 1 | 2026-04-12 | control | 0.1
c | 1 | 2026-05-01 | control | 0.2
""",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    tables = lake_of(
        tmp_path_factory.mktemp("lake"),
        {"customers": CUSTOMERS.strip(), **{name: table(name, text.strip()) for name, text in FACTS.items()}},
    )
    with Engine(threads=2) as opened:
        tables.register(opened)
        opened.create(statements_in("features")["consents"], PARAMETERS)
        yield opened


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_a_statement_gives_the_columns_grain_and_nulls_of_its_head(engine: Engine, name: str) -> None:
    statement = STATEMENTS[name]
    rows = engine.frame(statement, PARAMETERS)
    assert rows.columns == [column.name for column in statement.columns]
    assert rows.height > 0
    assert rows.select(statement.grain).is_duplicated().sum() == 0
    never_null = [c.name for c in statement.columns if c.unit == "key" or c.null_meaning == "never null"]
    assert {column: rows[column].null_count() for column in never_null} == dict.fromkeys(never_null, 0)


def test_leavers_are_those_who_leave_in_the_outcome_window(engine: Engine) -> None:
    rows = dict(
        engine.frame(STATEMENTS["labels_cancelled"], PARAMETERS)["customer_key", "status"].iter_rows()
    )
    assert rows == {0: "stayer", 1: "leaver", 2: "gone"}


def test_leaving_days_count_from_the_as_of_instant_to_leaving_and_to_notice(tmp_path: Path) -> None:
    customers = """
customer_key | left_at | left_known_at
0 | |
1 | 2026-04-20 | 2026-04-20
2 | 2026-04-25 | 2026-04-10
3 | 2026-04-20 | 2026-03-30
4 | 2026-04-10 | 2026-04-10
5 | 2026-05-15 | 2026-05-15
6 | 2026-04-20 | 2026-07-02
"""
    # 3 was in notice at the as-of day, 4 left within the gap, 5 after the window, 6 is not known yet
    tables = lake_of(tmp_path, {"customers": customers.strip()})
    with Engine(threads=1) as opened:
        tables.register(opened)
        rows = opened.frame(STATEMENTS["leaving_days"], PARAMETERS).sort("customer_key").rows()
    assert rows == [(1, 19.0, 19.0), (2, 24.0, 9.0)]


def test_a_treated_customer_stayed_when_no_leaving_is_known_within_the_window_after_the_treatment(
    tmp_path: Path,
) -> None:
    customers = """
customer_key | left_at | left_known_at
0 | |
1 | 2026-04-20 | 2026-04-20
2 | 2026-06-01 | 2026-06-01
3 | 2026-04-20 | 2026-04-05
4 | 2026-04-20 | 2026-07-02
5 | 2026-03-01 | 2026-03-01
"""
    treatments = """
treatment_id | customer_key | at | offer_id | propensity | known_at
a | 0 | 2026-04-10 | discount | 0.9 | 2026-04-10
b | 1 | 2026-04-10 | control | 0.1 | 2026-04-10
c | 2 | 2026-04-10 | discount | 0 | 2026-04-10
d | 3 | 2026-04-10 | discount | | 2026-04-10
e | 4 | 2026-04-10 | discount | 0.9 | 2026-04-10
f | 0 | 2026-05-20 | discount | 0.9 | 2026-05-20
g | 0 | 2026-04-11 | discount | 0.9 | 2026-07-03
h | 5 | 2026-04-10 | discount | 0.9 | 2026-04-10
"""
    # c left after the window and had an impossible chance, d was in notice, e's leaving is not known yet, f is not
    # mature, g not known yet, h had left and come back
    tables = lake_of(tmp_path, {"customers": customers.strip(), "treatments": treatments.strip()})
    with Engine(threads=1) as opened:
        tables.register(opened)
        rows = opened.frame(STATEMENTS["treated"], PARAMETERS).sort("treatment_id")
    assert rows.select("treatment_id", "stayed", "is_in_notice", "propensity").rows() == [
        ("a", 1, False, 0.9),
        ("b", 0, False, 0.1),
        ("c", 1, False, None),
        ("d", 0, True, None),
        ("e", 1, False, 0.9),
        ("h", 1, False, 0.9),
    ]


def test_every_file_of_the_folder_is_run_here() -> None:
    folder = Path(__file__).parents[2] / "training" / "sql"
    assert {path.stem for path in folder.glob("*.sql")} == set(STATEMENTS)
