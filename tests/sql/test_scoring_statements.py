"""Every SQL file of scoring, run on drawn tables, is what its head says: columns, grain, nulls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from tests.spec.features.drawn import lake

STATEMENTS = statements_in("scoring")
AS_OF = datetime(2026, 7, 1)
PARAMETERS = {"as_of": AS_OF, "silent_from": datetime(2025, 7, 1), "consent_as_of": AS_OF}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    tables = lake(
        tmp_path_factory.mktemp("lake"),
        customers="""
customer_key | may_use_answers
0 | yes
1 | yes
2 | no
3 | yes
4 | yes
5 | yes
6 | yes
""",
        surveys="""
customer_key | invited_at | answered_at | answer_known_at | score | metric | occasion
0 | 2026-03-01 | 2026-03-01 | 2026-03-01 | 3 | nps | relationship
0 | 2026-05-01 | 2026-05-01 | 2026-05-01 | 9 | nps | relationship
1 | 2026-05-01 | | | | nps | relationship
2 | 2026-05-01 | 2026-05-01 | 2026-05-01 | 2 | nps | relationship
3 | 2025-06-30 | 2025-06-30 | 2025-06-30 | 8 | nps | relationship
4 | 2026-05-01 | 2026-05-01 | 2026-07-01 | 8 | nps | relationship
5 | 2026-05-01 | 2026-05-01 | 2026-05-01 | 8 | nps | store contact
6 | 2026-05-01 | 2026-05-01 | 2026-05-01 | 8 | csat | relationship
""",
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


def test_silent_is_who_may_be_read_and_gave_no_relationship_answer_in_a_year(engine: Engine) -> None:
    rows = engine.frame(STATEMENTS["latest_nps"], PARAMETERS).sort("customer_key").rows()
    # 0 is heard by the later answer; 1 was asked and is silent; 2 forbids; 3 answered long ago; 4's answer is not known
    # yet; 5 spoke of one contact, and 6 of satisfaction
    assert rows == [(0, 9.0), (1, None), (3, None), (4, None), (5, None), (6, None)]


def test_every_file_of_the_folder_is_run_here() -> None:
    folder = Path(__file__).parents[2] / "scoring" / "sql"
    assert {path.stem for path in folder.glob("*.sql")} == set(STATEMENTS)
