"""Who is a customer as of a date: joined, not gone, not in notice, or back again. As of 2026-03-31, UTC."""

from pathlib import Path

from churnrisk.config import ChurnSettings
from churnrisk.store import Engine
from tests.spec.features.drawn import features_of, lake


def ids(engine: Engine, folder: Path, churn: ChurnSettings | None = None, **tables: str) -> list[str]:
    return features_of(engine, lake(folder, **tables), churn=churn).frame["customer_id"].to_list()


def test_leavers_and_those_in_notice_are_out_and_unknown_leavings_are_not(
    engine: Engine, tmp_path: Path
) -> None:
    found = ids(
        engine,
        tmp_path,
        customers="""
        customer_key | joined_at        | left_at    | left_known_at
        0            | 2025-01-01       |            |
        1            | 2025-01-01       | 2026-03-01 | 2026-03-01
        2            | 2025-01-01       | 2026-05-01 | 2026-03-31 23:59
        3            | 2025-01-01       | 2026-05-01 | 2026-04-01
        4            | 2025-01-01       | 2026-03-01 | 2026-04-02
        5            | 2026-03-31 23:59 |            |
        6            | 2026-04-01       |            |
        7            |                  |            |
        """,
    )
    assert found == ["c0", "c3", "c4", "c5", "c7"]


def test_a_version_without_leaving_that_begins_after_it_means_that_they_came_back(
    engine: Engine, tmp_path: Path
) -> None:
    found = features_of(
        engine,
        lake(
            tmp_path,
            customers="""
            customer_key | valid_from | known_at   | joined_at  | left_at    | left_known_at
            0            | 2024-01-01 | 2024-01-01 | 2024-01-01 |            |
            0            | 2025-06-01 | 2025-06-01 | 2024-01-01 | 2025-06-01 | 2025-06-01
            0            | 2026-03-01 | 2026-03-01 | 2026-03-01 |            |
            1            | 2024-01-01 | 2024-01-01 | 2024-01-01 |            |
            1            | 2025-06-01 | 2025-06-01 | 2024-01-01 | 2025-06-01 | 2025-06-01
            1            | 2026-03-01 | 2026-04-05 | 2026-03-01 |            |
            """,
        ),
    )
    assert found.frame.select("customer_id", "tenure_days").rows() == [("c0", 31)]


def test_a_customer_with_history_but_no_joining_date_is_there_from_the_first_version_known(
    engine: Engine, tmp_path: Path
) -> None:
    found = ids(
        engine,
        tmp_path,
        customers="""
        customer_key | valid_from | known_at
        0            | 2026-01-01 | 2026-01-02
        1            | 2026-01-01 | 2026-04-02
        2            | 2026-04-01 | 2026-04-02
        """,
    )
    assert found == ["c0"]


def test_an_extract_without_history_counts_before_its_own_date_for_facts_that_carry_a_date(
    engine: Engine, tmp_path: Path
) -> None:
    found = ids(
        engine,
        tmp_path,
        customers="""
        customer_key | known_at   | joined_at  | left_at    | left_known_at
        0            | 2026-06-30 | 2025-01-01 |            |
        1            | 2026-06-30 | 2025-01-01 | 2026-02-01 | 2026-02-01
        2            | 2026-06-30 | 2026-05-01 |            |
        3            | 2026-06-30 |            |            |
        """,
    )
    assert found == ["c0", "c3"]


CALLERS = """
caller_key | callee_key | started_at       | is_missed
0          | 1          | 2026-03-20 12:00 | no
2          | 3          | 2026-03-25 12:00 | yes
4          | 5          | 2026-03-24 23:59 | no
0          | 4          | 2026-04-02 12:00 | no
"""
SIX = "customer_key\n0\n1\n2\n3\n4\n5"


def test_by_inactivity_only_who_was_active_lately_is_a_customer(engine: Engine, tmp_path: Path) -> None:
    churn = ChurnSettings.model_validate({"kind": "inactive", "inactive_days": 7})
    # A missed call says that the caller is there, not that the callee is.
    assert ids(engine, tmp_path, churn, customers=SIX, calls=CALLERS) == ["c2"]
    longer = ChurnSettings.model_validate({"kind": "inactive", "inactive_days": 14})
    assert ids(engine, tmp_path, longer, customers=SIX, calls=CALLERS) == ["c0", "c1", "c2", "c4", "c5"]


def test_activity_counts_in_every_source_named(engine: Engine, tmp_path: Path) -> None:
    churn = ChurnSettings.model_validate(
        {"kind": "inactive", "inactive_days": 30, "activity": ["usage", "events", "interactions"]}
    )
    found = ids(
        engine,
        tmp_path,
        churn,
        customers=SIX,
        calls=CALLERS,
        usage="""
        customer_key | period_start | metric  | value
        1            | 2026-03-05   | minutes | 3
        2            | 2026-03-05   | minutes | 0
        """,
        events="""
        customer_key | at         | event
        3            | 2026-03-30 | login
        """,
        interactions="""
        customer_key | at
        5            | 2026-03-30
        4            | 2026-02-01
        """,
    )
    assert found == ["c1", "c3", "c5"]
