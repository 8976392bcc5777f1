"""Survey answers, service contacts, usage and events, worked by hand. As of 2026-03-31, UTC."""

from pathlib import Path

from churnrisk.store import Engine
from tests.spec.features.drawn import features_of, lake, shown

FOUR = """
customer_key | may_use_answers
0            | yes
1            | yes
2            | no
3            | yes
"""
SURVEYS = """
invitation_id | customer_key | metric | occasion     | invited_at | answered_at | answer_known_at | score | comment
a             | 0            | nps    | relationship | 2025-05-01 | 2025-05-02  | 2025-05-02      | 9     | fine
b             | 0            | nps    | relationship | 2026-03-01 | 2026-03-10  | 2026-03-10      | 6     | 太慢了
c             | 0            | nps    | purchase     | 2026-03-05 | 2026-03-06  | 2026-03-06      | 2     |
d             | 0            | csat   | support      | 2026-02-01 | 2026-02-02  | 2026-02-02      | 4     |
e             | 1            | nps    | relationship | 2026-03-01 | 2026-03-20  | 2026-04-01      | 0     | late
f             | 1            | ces    | support      | 2026-01-01 | 2026-01-31  | 2026-01-31      | 5     |
g             | 2            | nps    | relationship | 2026-03-01 | 2026-03-10  | 2026-03-10      | 3     |
h             | 3            | nps    | relationship | 2026-04-01 | 2026-04-02  | 2026-04-02      | 3     |
"""


def test_the_latest_answers_known_by_series_and_how_old_they_are(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=FOUR, surveys=SURVEYS))
    names = ("nps_last_score", "nps_last_age_days", "nps_change", "nps_touchpoint_last_score")
    assert shown(found, *names) == [
        ("c0", 6.0, 22, -3.0, 2.0),
        ("c1", None, None, None, None),
        ("c2", None, None, None, None),
        ("c3", None, None, None, None),
    ]
    assert shown(found, "csat_last_score", "csat_last_age_days", "ces_last_score", "ces_last_age_days") == [
        ("c0", 4.0, 58, None, None),
        ("c1", None, None, 5.0, 60),
        ("c2", None, None, None, None),
        ("c3", None, None, None, None),
    ]


def test_who_was_asked_and_stays_silent_until_the_answer_is_known(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=FOUR, surveys=SURVEYS))
    names = (
        "n_asked_365d",
        "n_answered_365d",
        "share_answered_365d",
        "days_since_asked",
        "is_last_ask_silent",
    )
    assert shown(found, *names) == [
        ("c0", 4, 4, 1.0, 27, 0),
        ("c1", 2, 1, 0.5, 31, 1),
        ("c2", None, None, None, None, None),
        ("c3", 0, 0, None, None, None),
    ]
    # characters, whatever the script: the last answer known is b
    assert found.frame["comment_length_chars"].to_list() == [3, None, None, None]


CONTACTS = """
customer_key | at         | topic   | channel | wait_s | transfers | repeated | resolved | abandoned
0            | 2026-03-30 | billing | Phone   | 60     | 1         | no       | yes      | no
0            | 2026-03-10 | billing | phone   | 30.5   | 0         | no       | yes      | no
0            | 2026-02-10 | network | chat    |        | 0         | yes      | no       | no
0            | 2025-06-10 | network | shop    | 900    | 0         | no       | no       | yes
1            | 2026-03-30 |         |         |        |           |          |          |
"""


def test_service_contacts_waits_and_what_went_wrong(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=FOUR, interactions=CONTACTS))
    assert shown(
        found, "n_contacts_30d", "n_contacts_90d", "n_contacts_365d", "days_since_service_contact"
    ) == [
        ("c0", 2, 3, 4, 2),
        ("c1", 1, 1, 1, 2),
        ("c2", 0, 0, 0, None),
        ("c3", 0, 0, 0, None),
    ]
    assert shown(found, "wait_mean_s_90d", "wait_max_s_90d")[:3] == [
        ("c0", 45.25, 60.0),
        ("c1", None, None),
        ("c2", None, None),
    ]
    # Phone and phone are one channel; the visit to the shop is older than 90 days
    assert shown(found, "n_channels_90d")[:3] == [("c0", 2), ("c1", 0), ("c2", 0)]
    hard = [f"n_contacts_{name}_90d" for name in ("repeated", "unresolved", "abandoned")]
    share = "share_contacts_not_first_time_right_90d"
    # of c0's three with a known resolution one was transferred and one repeated and left open
    assert shown(found, "n_transfers_90d", *hard, share)[:3] == [
        ("c0", 1, 1, 1, 0, 2 / 3),
        ("c1", 0, 0, 0, 0, None),
        ("c2", 0, 0, 0, 0, None),
    ]
    assert shown(found, "topic_billing_n_90d", "topic_network_n_90d")[:2] == [("c0", 2, 1), ("c1", 0, 0)]


def test_what_the_source_never_records_is_unknown_for_everybody(engine: Engine, tmp_path: Path) -> None:
    contacts = "customer_key | at\n0 | 2026-03-30"
    found = features_of(engine, lake(tmp_path, customers=FOUR, interactions=contacts))
    names = ("n_contacts_90d", "n_transfers_90d", "n_contacts_repeated_90d", "n_contacts_unresolved_90d")
    assert shown(found, *names)[:2] == [("c0", 1, None, None, None), ("c1", 0, None, None, None)]
    assert found.frame.select("n_contacts_abandoned_90d", "n_channels_90d").null_count().row(0) == (4, 4)


USAGE = """
customer_key | period_start | known_at   | metric    | value
0            | 2025-09-01   | 2025-10-01 | minutes   | 600
0            | 2025-10-01   | 2025-11-01 | minutes   | 40
0            | 2025-11-01   | 2025-12-01 | minutes   | 30
0            | 2025-12-01   | 2026-01-01 | minutes   | 20
0            | 2026-01-01   | 2026-02-01 | minutes   | 12
0            | 2026-02-01   | 2026-03-01 | minutes   | 6
0            | 2026-03-01   | 2026-04-01 | minutes   | 1
1            | 2026-02-01   | 2026-03-01 | minutes   | 5
0            | 2026-01-01   | 2026-02-01 | days_late | 9
0            | 2026-02-01   | 2026-03-01 | days_late | 0
"""


def test_levels_and_trends_of_usage_are_of_the_periods_known(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=FOUR, usage=USAGE))
    names = (
        "usage_minutes_last",
        "usage_minutes_last_age_days",
        "usage_minutes_change",
        "usage_minutes_mean_3",
        "usage_minutes_trend",
    )
    # the six last known of c0: 600 40 30 | 20 12 6; March is not over, so not known
    assert shown(found, *names)[:3] == [
        ("c0", 6.0, 59, -6.0, 38 / 3, (38 / 3) / (670 / 3)),
        ("c1", 5.0, 59, None, 5.0, None),
        ("c2", None, None, None, None, None),
    ]


def test_lateness_also_shows_its_worst_and_how_often(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=FOUR, usage=USAGE))
    names = ("usage_days_late_last", "usage_days_late_max_6", "usage_days_late_n_above_zero_6")
    assert shown(found, *names)[:2] == [("c0", 0.0, 9.0, 1), ("c1", None, None, None)]
    assert "usage_minutes_max_6" not in found.frame.columns


EVENTS = """
customer_key | at               | event
0            | 2026-03-31 23:00 | login
0            | 2026-03-02 00:00 | login
0            | 2026-03-01 23:59 | login
0            | 2026-01-15       | 应用卸载
1            | 2025-06-01       | login
3            | 2026-04-01       | login
"""


def test_events_are_counted_by_kind_in_any_script_and_none_is_zero(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=FOUR, events=EVENTS))
    assert shown(found, "event_login_n_30d", "event_login_n_90d", "event_login_days_since") == [
        ("c0", 2, 3, 0),
        ("c1", 0, 0, 304),
        ("c2", 0, 0, None),
        ("c3", 0, 0, None),
    ]
    assert found.frame["event_应用卸载_n_90d"].to_list() == [1, 0, 0, 0]


def test_a_kind_that_a_model_knows_and_nobody_shows_is_zero(engine: Engine, tmp_path: Path) -> None:
    names = ["event_app_removed_n_90d", "event_app_removed_days_since", "tenure_days"]
    found = features_of(engine, lake(tmp_path, customers=FOUR, events=EVENTS), names=names)
    assert sorted(found.names) == sorted(names)
    assert found.frame["event_app_removed_n_90d"].to_list() == [0, 0, 0, 0]
    assert found.frame["event_app_removed_days_since"].to_list() == [None] * 4
