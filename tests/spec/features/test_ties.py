"""Pair facts and seeds as SQL counts them, worked by hand. As of 2026-03-31, UTC."""

from pathlib import Path

import polars as pl
import pytest

from churnrisk.config import ChurnSettings
from churnrisk.store import Engine
from tests.spec.features.drawn import AS_OF, features_of, lake, shown


def pair_facts(engine: Engine, folder: Path, customers: str, calls: str) -> pl.DataFrame:
    found = features_of(engine, lake(folder, customers=customers, calls=calls))
    assert found.ties is not None
    return found.ties.graph.ties


def test_days_and_bursts_of_a_pair_are_seen_against_the_contact_before(
    engine: Engine, tmp_path: Path
) -> None:
    calls = """
    caller_key | callee_key | started_at          | duration_s
    0          | 1          | 2026-03-10 08:00    | 60
    1          | 0          | 2026-03-10 12:00    |
    0          | 1          | 2026-03-10 16:00:01 | 30
    0          | 1          | 2026-03-11 00:30    | 5
    0          | 1          | 2026-02-01 00:00    | 5
    """
    # Four hours to the second are no gap: trains begin on 1 Feb, at 08:00, at 16:00:01 and at 00:30 the day after.
    row = pair_facts(engine, tmp_path, "customer_key\n0\n1", calls).row(0, named=True)
    assert (row["n_ab"], row["n_ba"], row["n_recent"]) == (4, 1, 4)
    assert (row["active_days"], row["trains"], row["seconds"]) == (3, 4, 100)
    assert row["span_days"] == 38 + 0.5 / 24
    assert str(row["last_contact"]) == "2026-03-11 00:30:00"


def test_a_contact_of_two_half_lives_ago_weighs_a_quarter(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at
    0          | 1          | 2026-03-03 00:00
    0          | 2          | 2026-03-01 23:59
    """
    # 31 March is day 0, 3 March day 28, 1 March day 30. One day, one train, one-way: strength = 1 * freshness * 1/2
    first, second = pair_facts(engine, tmp_path, "customer_key\n0\n1\n2", calls).iter_rows(named=True)
    assert first["decayed_14"] == 1 / 4
    assert second["decayed_30"] == 1 / 2
    assert first["strength"] == pytest.approx((1 / 4 * 2 ** (-28 / 30)) ** 0.5 / 2, rel=2e-6)


def test_the_pattern_of_a_pair_is_that_of_its_silences(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at          | duration_s
    0          | 1          | 2026-03-01 00:00    |
    1          | 0          | 2026-03-02 00:00    |
    0          | 1          | 2026-03-05 00:00    |
    0          | 2          | 2026-03-30 00:00    | 5
    2          | 0          | 2026-03-30 12:00    |
    0          | 3          | 2026-03-30 12:00    | 7
    3          | 0          | 2026-03-30 12:00:00 | 7
    """
    # c0-c1: silences of 1 and 3 days: mean 2, deviation 1, x = 1/2; then 27 days, 13.5 mean silences.
    # c0-c2: one silence of half a day has no pattern; 1.5 days since, three of them. c0-c3: at once, nothing to say.
    rows = pair_facts(engine, tmp_path, "customer_key\n0\n1\n2\n3", calls).rows(named=True)
    x, k = 1 / 2, 2
    expected = ((k + 1) ** 0.5 * x - (k - 1) ** 0.5) / (((k + 1) ** 0.5 - 2) * x + (k - 1) ** 0.5)
    assert rows[0]["burstiness"] == pytest.approx(expected)
    assert [row["burstiness"] for row in rows[1:]] == [None, None]
    assert [row["silence_ratio"] for row in rows] == [13.5, 3.0, None]
    assert [row["is_dead"] for row in rows] == [True, False, None]
    assert [row["seconds"] for row in rows] == [None, 5, 14]


def test_nodes_are_numbered_by_id_and_directions_follow_them(engine: Engine, tmp_path: Path) -> None:
    tables = lake(
        tmp_path,
        customers="customer_key\n0\n1",
        keys="customer_key | customer_id\n0 | zoe\n1 | адам",
        calls="""
        caller_key | callee_key | started_at
        0          | 1          | 2026-03-11
        0          | 1          | 2026-03-12
        1          | 0          | 2026-03-13
        """,
    )
    found = features_of(engine, tables)
    assert found.ties is not None
    ties = found.ties.table("UTC")
    assert ties.select("customer_a", "customer_b", "n_contacts").rows() == [("zoe", "адам", 3)]
    assert found.ties.graph.ties.select("n_ab", "n_ba").rows() == [(2, 1)]
    swapped = lake(
        tmp_path / "swapped",
        customers="customer_key\n0\n1",
        keys="customer_key | customer_id\n0 | b\n1 | a",
        calls=pl.read_parquet(tables.paths["calls"]),
    )
    other = features_of(engine, swapped)
    assert other.ties is not None
    assert other.ties.graph.ties.select("n_ab", "n_ba").rows() == [(1, 2)]


STAR = """
caller_key | callee_key | started_at
0          | 1          | 2026-03-01
0          | 2          | 2026-03-01
0          | 3          | 2026-03-01
4          | 0          | 2026-03-01
0          | -9         | 2026-03-01
"""


def test_exposure_counts_leavers_by_calendar_days_and_only_those_known(
    engine: Engine, tmp_path: Path
) -> None:
    customers = """
    customer_key | left_at    | left_known_at
    0            |            |
    1            | 2026-03-25 | 2026-03-25 23:59
    2            | 2026-03-24 | 2026-03-25 23:59
    3            | 2026-03-30 | 2026-04-02 00:00
    4            | 2026-05-01 | 2026-03-25 23:59
    """
    # 25 March is the seventh day back, 24 the eighth; that c3 left is not known; c4 is in notice, not gone.
    found = features_of(engine, lake(tmp_path, customers=customers, calls=STAR))
    names = (
        "n_ties",
        "n_ties_out",
        "churn_exposure_n_7d",
        "churn_exposure_n_30d",
        "churn_exposure_share_out_30d",
    )
    assert shown(found, *names) == [("c0", 4, 3, 1, 2, 2 / 3), ("c3", 1, 0, 0, 0, None)]


def test_exposure_to_detractors_takes_the_latest_relationship_answer_known(
    engine: Engine, tmp_path: Path
) -> None:
    surveys = """
    customer_key | metric | occasion     | invited_at | answered_at | answer_known_at | score
    1            | nps    | relationship | 2026-03-01 | 2026-03-20  | 2026-03-20      | 6
    2            | nps    | relationship | 2026-01-01 | 2026-01-05  | 2026-01-05      | 2
    2            | nps    | relationship | 2026-03-01 | 2026-03-20  | 2026-03-20      | 9
    3            | nps    | relationship | 2026-01-01 | 2026-01-05  | 2026-01-05      | 0
    3            | nps    | relationship | 2026-03-01 | 2026-03-20  | 2026-04-01      | 9
    4            | nps    | purchase     | 2026-03-01 | 2026-03-20  | 2026-03-20      | 0
    """
    found = features_of(
        engine, lake(tmp_path, customers="customer_key\n0\n1\n2\n3\n4", calls=STAR, surveys=surveys)
    )
    names = ("detractor_exposure_n_30d", "detractor_exposure_n_90d", "churn_exposure_n_30d")
    assert shown(found, *names)[0] == ("c0", 1, 2, None)
    assert found.network is not None
    row = found.network.row(0, named=True)
    assert (row["customer_id"], row["n_ties"], row["offnet_share"]) == ("c0", 4, 1 / 5)
    assert row["detractor_exposure"] is None  # four ties are too few to tell


@pytest.mark.parametrize(
    ("metric", "scores", "n_low"),
    [("csat", (2, 1, 3, 5), 2), ("ces", (3, 4, 1, 7), 2), ("nps", (2, 2, 2, 2), 0)],
)
def test_without_recommend_answers_low_satisfaction_and_effort_scores_make_detractors(
    engine: Engine, tmp_path: Path, metric: str, scores: tuple[int, ...], n_low: int
) -> None:
    # A touchpoint answer to the recommend question is another series, and makes nobody a detractor.
    drawn = "customer_key | metric | occasion | invited_at | answered_at | score\n" + "\n".join(
        f"{key} | {metric} | shop | 2026-03-01 | 2026-03-20 | {score}" for key, score in enumerate(scores, 1)
    )
    tables = lake(tmp_path, customers="customer_key\n0\n1\n2\n3\n4", calls=STAR, surveys=drawn)
    found = shown(features_of(engine, tables), "detractor_exposure_n_30d")[0]
    assert found == ("c0", n_low or None)


def test_nobody_is_exposed_to_an_answer_that_may_not_be_used(engine: Engine, tmp_path: Path) -> None:
    surveys = """
    customer_key | metric | occasion     | invited_at | answered_at | score
    1            | nps    | relationship | 2026-03-01 | 2026-03-20  | 1
    2            | nps    | relationship | 2026-03-01 | 2026-03-20  | 2
    """
    customers = """
    customer_key | may_use_answers
    0            | yes
    1            | no
    2            | yes
    3            | yes
    4            | yes
    """
    found = features_of(engine, lake(tmp_path, customers=customers, calls=STAR, surveys=surveys))
    assert shown(found, "detractor_exposure_n_30d")[0] == ("c0", 1)
    assert found.opinions is not None
    assert found.opinions.rows() == [("c2", "detractor")]


def test_each_customer_is_judged_by_the_first_series_they_answered_nps_before_csat_before_ces(
    engine: Engine, tmp_path: Path
) -> None:
    surveys = """
    customer_key | metric | occasion     | invited_at | answered_at | answer_known_at | score
    0            | ces    | shop         | 2026-03-01 | 2026-03-30  | 2026-03-30      | 1
    0            | csat   | shop         | 2026-03-01 | 2026-03-02  | 2026-03-02      | 5
    1            | csat   | shop         | 2026-03-01 | 2026-03-20  | 2026-03-20      | 1
    2            | nps    | relationship | 2025-06-01 | 2025-06-02  | 2025-06-02      | 9
    2            | csat   | shop         | 2026-03-01 | 2026-03-20  | 2026-03-20      | 1
    3            | csat   | shop         | 2026-03-01 | 2026-03-20  | 2026-03-20      | 2
    3            | nps    | relationship | 2026-03-01 | 2026-03-20  | 2026-04-01      | 9
    4            | nps    | relationship | 2025-01-01 | 2025-01-02  | 2025-01-02      | 9
    4            | ces    | shop         | 2026-03-01 | 2026-03-20  | 2026-03-20      | 3
    5            | nps    | shop         | 2026-03-01 | 2026-03-20  | 2026-03-20      | 0
    """
    tables = lake(tmp_path, customers="customer_key\n0\n1\n2\n3\n4\n5", calls=STAR, surveys=surveys)
    found = features_of(engine, tables)
    # c2's recommend answer is old, yet c2's own; that of c3 is not known yet, that of c4 lies before the history; c5
    # was asked at a touchpoint.
    assert found.opinions is not None
    assert dict(found.opinions.rows()) == {
        "c0": "promoter", "c1": "detractor", "c2": "promoter", "c3": "detractor", "c4": "detractor",
    }  # fmt: skip
    assert shown(found, "detractor_exposure_n_30d")[0] == ("c0", 3)
    later = features_of(engine, tables, AS_OF.shifted(1))
    assert later.opinions is not None
    assert dict(later.opinions.rows())["c3"] == "promoter"


def test_what_reaches_a_customer_in_two_hops_and_by_spreading(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at
    0          | 1          | 2026-03-31
    1          | 2          | 2026-03-31
    1          | 3          | 2026-03-31
    """
    customers = """
    customer_key | left_at
    0            |
    1            |
    2            | 2026-03-26
    3            |
    """
    found = features_of(engine, lake(tmp_path, customers=customers, calls=calls))
    # c2 left, one of the two others whom c1 knows; c1's three ties are equally strong, so c0 and c3 get the same
    names = ("churn_exposure_two_hop_7d", "churn_exposure_spread")
    c0, c1, c3 = shown(found, *names)
    assert (c0[1], c3[1]) == (0.5, 0.5)
    assert c1[1] is None
    assert c0[2] == c3[2]
    assert 0 < c0[2] < c1[2]


@pytest.mark.parametrize(
    ("n_ties", "n_left", "told"),
    [(5, 2, 0.4), (5, 3, 0.6), (5, 1, None), (5, 0, None), (5, 4, None), (4, 2, None), (9, 2, 0.2)],
)
def test_published_exposure_is_coarse_and_withheld_where_one_neighbour_could_be_made_out(
    engine: Engine, tmp_path: Path, n_ties: int, n_left: int, told: float | None
) -> None:
    customers = "customer_key | left_at\n0 |\n" + "\n".join(
        f"{key} | {'2026-03-25' if key <= n_left else ''}" for key in range(1, n_ties + 1)
    )
    # one who left is nobody's friend: leavers are known, so that an exposure of nobody is 0 and not unknown
    calls = "caller_key | callee_key | started_at\n" + "\n".join(
        f"0 | {key} | 2026-03-20" for key in range(1, n_ties + 1)
    )
    tables = lake(tmp_path, customers=f"{customers}\n99 | 2026-03-25", calls=calls)
    found = features_of(engine, tables)
    assert found.network is not None
    exact = found.frame["churn_exposure_share_90d"][0]
    assert exact == pytest.approx(n_left / n_ties)
    # two of nine are .222: told to the nearest twentieth
    assert found.network["churn_exposure"][0] == (None if told is None else pytest.approx(told))


def test_by_inactivity_a_neighbour_left_when_the_silence_was_complete(engine: Engine, tmp_path: Path) -> None:
    churn = ChurnSettings.model_validate({"kind": "inactive", "inactive_days": 7})
    calls = """
    caller_key | callee_key | started_at
    0          | 1          | 2026-03-24 12:00
    0          | 2          | 2026-03-17 12:00
    0          | -1         | 2026-03-31
    """
    # c1 was last seen on the 24th, so the seven silent days ended on the 31st; c2 left seven days earlier: eight in all
    found = features_of(engine, lake(tmp_path, customers="customer_key\n0\n1\n2", calls=calls), churn=churn)
    assert shown(found, "churn_exposure_n_7d", "churn_exposure_n_30d") == [("c0", 1, 2)]


def test_without_calls_there_are_no_ties_and_no_network_columns(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers="customer_key\n0\n1"))
    assert found.ties is None
    assert found.network is None
    assert not {"n_ties", "n_calls_out_30d"} & set(found.frame.columns)


def calls_of_all(n: int) -> str:
    """Return calls of each of n customers to each later one."""
    pairs = (f"{caller} | {callee} | 2026-03-20 10:00" for callee in range(n) for caller in range(callee))
    return "\n".join(["caller_key | callee_key | started_at", *pairs])


def test_communities_are_published_as_a_number_and_are_no_feature(engine: Engine, tmp_path: Path) -> None:
    calls = f"{calls_of_all(6)}\n6 | 7 | 2026-03-20 10:00"
    customers = "\n".join(["customer_key", *map(str, range(9))])
    found = features_of(engine, lake(tmp_path, customers=customers, calls=calls))
    assert found.network is not None
    # c6 and c7 are too few to be told of, c8 has no tie
    assert found.network["community"].to_list() == [0] * 6 + [None] * 3
    assert "community" not in found.frame.columns
    assert found.frame["community_size"].to_list() == [6] * 6 + [None] * 3
    assert found.frame["clustering"].to_list() == [1.0] * 6 + [None] * 3


def test_a_community_counts_neither_who_left_nor_who_gave_notice(engine: Engine, tmp_path: Path) -> None:
    left = {0: "2026-03-25", 1: "2026-04-20"}  # gone, and in notice as of 1 April
    customers = "customer_key | left_at | left_known_at\n" + "\n".join(
        f"{key} | {left.get(key, '')} | {'2026-03-25' if key in left else ''}" for key in range(8)
    )
    found = features_of(engine, lake(tmp_path, customers=customers, calls=calls_of_all(8)))
    assert found.network is not None
    assert found.network["customer_id"].to_list() == [f"c{key}" for key in range(2, 8)]
    assert found.network["community"].to_list() == [0] * 6
    assert found.frame["community_size"].to_list() == [6] * 6
    assert found.frame["is_community_leader"].sum() == 1


def test_the_graph_handed_out_is_named_by_customer_and_has_no_ties_of_those_who_refuse(
    engine: Engine, tmp_path: Path
) -> None:
    customers = """
    customer_key | may_use_calls
    0            | yes
    1            | no
    2            | yes
    3            | yes
    4            | yes
    """
    found = features_of(engine, lake(tmp_path, customers=customers, calls=STAR)).ties
    assert found is not None
    graph = found.named()
    assert list(graph) == ["c0", "c1", "c2", "c3", "c4"]
    assert list(graph.edges) == [("c0", "c2"), ("c0", "c3"), ("c0", "c4")]
    assert list(graph.contacts().edges(data="weight")) == [("c0", "c2", 1), ("c0", "c3", 1), ("c4", "c0", 1)]
