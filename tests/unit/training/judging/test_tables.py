"""Each table of a judgement on rows written down, worked by hand."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.metrics import wilson
from tests.drawn_judging import drawn, rows, subject
from training.judging.fairness import fairness
from training.judging.groups import OTHERS, TOO_FEW, UNKNOWN, by_label, flagged, grouped, numbered, pooled
from training.judging.lead_time import LEAD_COLUMNS, lead_time, lead_words
from training.judging.loyalty import loyalty
from training.judging.months import months, unsteady
from training.judging.opinions import named_opinions, opinion_of, opinions
from training.judging.segments import labels_of_column, segment_labels, segments, tenure_bands
from training.judging.subject import Subject, subject_of
from training.judging.surveys import SAME, survey_pairs, surveys
from training.judging.types import types
from training.judging.ways import leaver_kinds
from training.rows import rows_together

ABC = list("abcdefghij")


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


def test_a_group_has_its_leavers_its_rate_and_observed_over_expected() -> None:
    told = subject(ABC, [1, 0, 0, 0, 0, 1, 1, 0, 0, 0], [0.2] * 5 + [0.4] * 5)
    found = grouped(told, np.repeat([0, 1], 5).astype(np.intp), ("few", "many"), key="band")
    assert found["n_leavers"].to_list() == [1, 2]
    assert found["realised_rate"].to_list() == [0.2, 0.4]
    assert found["mean_risk"].to_list() == pytest.approx([0.2, 0.4])
    assert found["oe"].to_list() == pytest.approx([1.0, 1.0])
    assert all(found["realised_low"] < found["realised_rate"])


def test_a_group_of_nobody_is_null_and_a_group_without_leavers_has_an_honest_upper_end() -> None:
    told = subject(ABC, [0] * 10, [0.1] * 10)
    found = grouped(told, np.zeros(10, dtype=np.intp), ("all", "none"), key="band")
    assert found["realised_rate"].to_list() == [0.0, None]
    assert found["realised_high"][0] == pytest.approx(float(wilson(0.0, 10)[1]))
    assert found["oe_high"][0] == pytest.approx(-math.log(0.025) / 1.0)


def test_groups_stand_commonest_first_and_what_is_unknown_or_pooled_last() -> None:
    member, names = numbered(texts("b", "a", OTHERS, "b", UNKNOWN, UNKNOWN, UNKNOWN, "c"))
    assert names == ["b", "a", "c", UNKNOWN, OTHERS]
    assert member.tolist() == [0, 1, 4, 0, 3, 3, 3, 2]


def test_values_with_few_leavers_are_pooled_and_what_is_unknown_stays_apart() -> None:
    label = texts(*["a"] * 30, *["b"] * 5, *["c"] * 5, *[UNKNOWN] * 5)
    assert set(pooled(label, np.ones(45), 20).tolist()) == {"a", OTHERS, UNKNOWN}


def test_only_what_differs_beyond_chance_over_all_rows_is_flagged() -> None:
    frame = pl.DataFrame(
        {
            "oe": [3.0, 1.05, 1.9, 0.0, None],
            "oe_low": [2.5, 0.8, 1.02, 0.0, None],
            "oe_high": [3.6, 1.4, 3.5, 0.2, None],
        }
    )
    # z = 11.8, 0.3 and 2.0; without a leaver p = 2 exp(log(0.025) / 0.2): nought
    assert flagged(frame)["is_flagged"].to_list() == [True, False, False, True, None]


def test_the_leavers_of_the_segments_of_each_attribute_add_up_to_all() -> None:
    look = drawn("2026-05-01")
    told = subject_of(look, np.full(len(look.left), look.left.mean()))
    found = segments(told, segment_labels(told.rows, drawn("2026-01-01", 200)))
    assert set(found["attribute"]) == {"tenure", "seen in training", "plan"}
    assert set(found.group_by("attribute").agg(pl.col("n_leavers").sum())["n_leavers"]) == {
        int(look.left.sum())
    }
    assert set(found.group_by("attribute").agg(pl.col("n").sum())["n"]) == {300}


def test_attributes_without_a_value_of_enough_leavers_share_one_row_of_everybody() -> None:
    look = drawn("2026-05-01")
    told = subject_of(look, np.full(len(look.left), look.left.mean()))
    few = np.array([f"shop {place % 60}" for place in range(len(look.left))], dtype=object)
    half = np.array(["one", "two"] * (len(look.left) // 2), dtype=object)
    found = segments(told, {"shop": few, "half": half, "town": few[::-1]})
    shared = found.filter(pl.col("value") == TOO_FEW)
    assert found["attribute"].to_list() == ["half", "half", "shop, town"]
    assert shared.select("n", "n_leavers").rows() == [(len(look.left), int(look.left.sum()))]


def test_tenure_bands_begin_where_the_one_before_ends_and_unknown_is_named() -> None:
    days = pl.Series([0.0, 89.0, 90.0, 364.0, 365.0, 1095.0, None])
    assert tenure_bands(days).tolist() == [
        "under 90 days", "under 90 days", "90 days to 1 year", "90 days to 1 year", "1 to 3 years", "over 3 years",
        UNKNOWN,
    ]  # fmt: skip


def test_a_number_with_many_values_is_cut_into_quarters_and_one_with_few_is_not() -> None:
    assert labels_of_column(pl.Series([1.0, 2.0, None])).tolist() == ["1", "2", UNKNOWN]
    found = labels_of_column(pl.Series([float(each) for each in range(100)] + [None]))
    assert sorted(set(found.tolist()) - {UNKNOWN}) == sorted(
        ["0 to 24.75", "24.75 to 49.5", "49.5 to 74.25", "74.25 to 99"]
    )


def test_fairness_counts_who_is_selected_who_is_missed_and_who_is_troubled() -> None:
    n = 100
    group = ["x"] * 50 + ["y"] * 50
    # the riskiest tenth are eight of x, four of them leavers, and two of y, both leavers; y has four leavers in all
    risk = [0.9] * 8 + [0.1] * 42 + [0.8] * 2 + [0.1] * 48
    left = [1] * 4 + [0] * 46 + [1] * 4 + [0] * 46
    told = subject([f"{number:03}" for number in range(n)], left, risk, group=group)
    found = fairness(told, {"group": told.rows.frame["group"].to_numpy().astype(object)})
    assert found["value"].to_list() == ["x", "y"]
    assert found["selection_rate"].to_list() == [0.16, 0.04]
    assert found["ratio_to_highest"].to_list() == [1.0, 0.25]
    assert found["true_positive_rate"].to_list() == [1.0, 0.5]
    assert found["false_negative_rate"].to_list() == [0.0, 0.5]
    assert found["false_positive_rate"].to_list() == [pytest.approx(4 / 46), 0.0]
    assert found["false_negative_rate_high"][0] == pytest.approx(float(wilson(0.0, 4)[1]))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100))
def test_renaming_groups_renames_rows_of_the_fairness_table_and_changes_no_figure(seed: int) -> None:
    look = drawn("2026-05-01", 160, seed)
    told = subject_of(look, np.random.default_rng(seed).random(160))
    label = told.rows.frame["attribute_plan"].to_numpy().astype(object)
    other = np.array([f"z{name[::-1]}" for name in label.tolist()], dtype=object)
    one, two = (fairness(told, {"plan": each}).drop("value").sort(pl.all()) for each in (label, other))
    assert one.equals(two)


def test_the_selected_are_the_riskiest_tenth_of_each_look_whatever_the_order_of_rows() -> None:
    look = drawn("2026-05-01", 100)
    risk = np.round(np.random.default_rng(1).random(100), 1)
    told = subject_of(look, risk)
    order = np.random.default_rng(2).permutation(100)
    turned = subject_of(look.where(np.ones(100, dtype=bool)), risk)
    shuffled = subject_of(
        type(look)(
            look.frame[order],
            look.left[order],
            look.weight[order],
            look.customer[order],
            look.snapshot[order],
        ),
        risk[order],
    )
    assert told.is_selected.sum() == 10
    assert (told.is_selected == shuffled.is_selected).all()
    assert (told.is_selected == turned.is_selected).all()


def leavings(*given: tuple[str, str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [(who, day, known + 5, known) for who, day, known in given],
        schema={
            "customer_id": pl.String,
            "as_of": pl.String,
            "days_to_leaving": pl.Float64,
            "days_to_known": pl.Float64,
        },
        orient="row",
    )


def test_lead_time_counts_each_leaver_once_per_distance_at_the_looks_before_notice() -> None:
    days = ["2026-04-01"] * 10 + ["2026-05-01"] * 10
    # a leaves in June, known 20 days after 1 May; flagged at both looks. b likewise, known 2 days after; never flagged
    risk = [0.9] + [0.1] * 9 + [0.9] + [0.1] * 9
    told = subject(ABC * 2, [0] * 10 + [1, 1] + [0] * 8, risk, day=days)
    found = lead_time(
        told,
        leavings(("a", "2026-05-01", 20.0), ("b", "2026-05-01", 2.0)),
        {"in_notice": 7, "in_gap": 2, "leaver": 2},
    )
    assert found.table.select("days_from", "n_leavers", "n_flagged").rows() == [(0, 2, 1), (30, 2, 1)]
    assert found.table["share_flagged"].to_list() == [0.5, 0.5]
    assert (found.n_leavers, found.n_flagged, found.median_days) == (2, 1, 50.0)
    assert "1 (50 %)" in lead_words(found)[0]
    assert "7 in notice and 2 who left within the gap" in lead_words(found)[1]


def test_without_dated_leavings_there_is_no_lead_time_and_it_is_said() -> None:
    told = subject(ABC, [1] + [0] * 9, [0.1] * 10)
    found = lead_time(told, leavings(), {})
    assert found.table.columns == list(LEAD_COLUMNS)
    assert found.table.is_empty()
    assert lead_words(found) == ("There is no lead time: no leaving has a day of its own here.",)


def test_opinions_follow_the_recommend_score_and_share_out_each_outcome() -> None:
    scores = [10.0, 9.0, 9.0, 8.0, 6.0, 0.0, 3.0, None, None, None]
    left = [1, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    told = subject(ABC, left, [0.1] * 10, nps_last_score=scores)
    found = opinions(told)
    rows = {(row["opinion"], row["outcome"]): (row["n"], row["share"]) for row in found.iter_rows(named=True)}
    assert rows["promoter", "left"] == (1, pytest.approx(1 / 3))
    assert rows["detractor", "stayed"] == (2, pytest.approx(2 / 3))
    assert rows[UNKNOWN, "left"] == (1, pytest.approx(1 / 3))


def test_satisfied_leavers_and_dissatisfied_stayers_are_named_once_and_who_left_later_is_no_stayer() -> None:
    told = subject(
        ["a", "b", "c", "a", "b", "c"],
        [0, 0, 0, 1, 1, 0],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        day=["2026-04-01"] * 3 + ["2026-05-01"] * 3,
        nps_last_score=[9.0, 2.0, 1.0, 9.0, 2.0, 1.0],
    )
    found = named_opinions(told)
    assert found.select("kind", "customer_id", "as_of", "risk").rows() == [
        ("satisfied leaver", "a", "2026-05-01", 0.4),
        ("dissatisfied stayer", "c", "2026-05-01", 0.6),
    ]


def test_without_recommend_scores_nobody_has_an_opinion() -> None:
    told = subject(ABC, [0] * 10, [0.1] * 10)
    assert opinion_of(told.rows) is None
    assert opinions(told).is_empty()
    assert named_opinions(told).is_empty()


def test_months_give_each_look_its_own_figures_and_steady_ones_differ_by_chance_only() -> None:
    looks = [drawn(day, 400) for day in ("2026-04-01", "2026-05-01")]
    told = [
        1 / (1 + np.exp(3 - look.frame["wait_mean_s_90d"].to_numpy() - look.frame["n_ties"].to_numpy()))
        for look in looks
    ]
    found = months(subject_of(rows_together(looks), np.concatenate(told)))
    assert found["as_of"].unique().sort().to_list() == ["2026-04-01", "2026-05-01"]
    by_chance = unsteady(found, "observed_over_expected")
    assert by_chance is not None
    assert by_chance > 0.01
    wrong = months(subject_of(rows_together(looks), np.concatenate([told[0], np.clip(told[1] / 4, 0, 1)])))
    not_by_chance = unsteady(wrong, "observed_over_expected")
    assert not_by_chance is not None
    assert not_by_chance < 0.001
    assert unsteady(found.filter(pl.col("as_of") == "2026-04-01"), "auc") is None


def test_a_question_that_knows_is_ahead_and_one_that_few_answered_says_nothing() -> None:
    n = 600
    rng = np.random.default_rng(5)
    mood = rng.normal(0, 1, n)
    left = (rng.random(n) < 1 / (1 + np.exp(1.5 + 1.5 * mood))).astype(int)
    looked = rows(
        [f"{number:04}" for number in range(n)],
        left.tolist(),
        nps_last_score=np.clip(np.round(6 + 2 * mood), 0, 10).tolist(),
        csat_last_score=rng.integers(1, 6, n).astype(float).tolist(),
        ces_last_score=[None] * (n - 30) + [4.0] * 30,
    )
    told = subject_of(looked, np.full(n, left.mean()))
    found = surveys(told.rows, told, np.full(n, left.mean()))
    alone = {
        row["predictor"]: row
        for row in found.filter(pl.col("customers") == "who answered this").iter_rows(named=True)
    }
    assert alone["NPS"]["auc_low"] > 0.6
    assert alone["NPS"]["log_loss_gained_low"] > 0
    assert alone["CSAT"]["auc_low"] < 0.5 < alone["CSAT"]["auc_high"]
    assert alone["CES"]["auc"] is None
    pairs = survey_pairs(told.rows, seed=1)
    assert pairs.filter((pl.col("question") == "NPS") & (pl.col("other") == "CSAT"))["low"][0] > 0
    assert pairs.filter(pl.col("other") == "CES")["low"].null_count() == 2


def test_answers_stand_as_they_are_usually_reported_too() -> None:
    # who gave 4 or 5 stays, who gave less leaves half the time, whichever of the three low boxes it was
    n = 400
    csat = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], n // 5)
    left = ((csat < 4) & (np.arange(n) // 5 % 2 == 0)).astype(int)
    nps = np.tile([6.0, 7.0], n // 2)
    looked = rows(
        [f"{number:04}" for number in range(n)],
        left.tolist(),
        csat_last_score=csat.tolist(),
        nps_last_score=nps.tolist(),
    )
    told = subject_of(looked, np.full(n, left.mean()))
    found = surveys(told.rows, told, np.full(n, left.mean()))
    auc = {row["predictor"]: row["auc"] for row in found.iter_rows(named=True) if row["customers"] == SAME}
    # stayers: of 280, 120 gave less than 4 (ties, a half) and 160 more
    assert auc["CSAT top two boxes"] == pytest.approx((160 + 120 / 2) / 280)
    # inside the three low boxes the score is a coin's throw
    assert auc["CSAT"] == pytest.approx(auc["CSAT top two boxes"])
    assert auc["NPS category"] == pytest.approx(auc["NPS"])  # 6 and 7 lie on the two sides of a limit
    assert list(auc) == ["NPS", "NPS category", "CSAT", "CSAT top two boxes", "all together"]


def test_loyalty_gives_spend_and_adoption_of_each_cell_marks_the_small_and_leaves_out_single_people() -> None:
    told = subject(
        [f"{number:02}" for number in range(41)],
        [1, 0, 0, 0] * 10 + [1],
        [0.1] * 41,
        tenure_days=[10.0, 20.0, 2000.0, 2000.0] * 10 + [200.0],
        nps_last_score=[9.0, 10.0, 9.0, 2.0] * 10 + [2.0],
        monthly_value=[10.0, 30.0, 7.0, None] * 10 + [5.0],
        usage_a_last=[1.0, 0.0, 2.0, None] * 10 + [5.0],
        usage_b_last=[1.0, 1.0, 0.0, None] * 10 + [5.0],
    )
    found = {(row["tenure"], row["opinion"]): row for row in loyalty(told).iter_rows(named=True)}
    assert set(found) == {
        ("under 90 days", "promoter"),
        ("over 3 years", "promoter"),
        ("over 3 years", "detractor"),
    }
    assert found["under 90 days", "promoter"]["monthly_value_mean"] == 20.0
    assert found["under 90 days", "promoter"]["n_usage_metrics_mean"] == 1.5
    assert found["under 90 days", "promoter"]["realised_rate"] == 0.5
    assert found["over 3 years", "detractor"]["monthly_value_mean"] is None
    assert found["over 3 years", "detractor"]["n_usage_metrics_mean"] is None
    assert found["over 3 years", "promoter"]["is_small"]


def test_types_are_read_by_their_rules_and_a_missing_source_makes_none() -> None:
    told = subject(
        ABC,
        [1, 0] * 5,
        [0.5] * 10,
        nps_last_score=[3.0, None] * 5,
        csat_last_score=[None, 2.0, *[None] * 8],
        tenure_days=[100.0] * 2 + [400.0] * 8,
        n_channels_90d=[3.0, 2.0] + [0.0] * 8,
        event_help_viewed_n_90d=[5.0, 1.0] + [0.0] * 8,
    )
    found = {row["type"]: row["n"] for row in types(told).iter_rows(named=True)}
    assert found == {"dissatisfied": 6, "mobile": 2, "knowledgeable": 2, "multichannel": 1}


def test_equal_text_in_another_order_gives_the_same_group_table() -> None:
    look = drawn("2026-05-01", 200)
    told = subject_of(look, np.random.default_rng(3).random(200))
    label = told.rows.frame["attribute_plan"].to_numpy().astype(object)
    assert by_label(told, label)["value"].to_list() == numbered(label)[1]


def test_kinds_of_leavers_count_people_and_those_flagged_and_the_auc_against_all_stayers() -> None:
    told = subject(ABC, [1, 1, 1] + [0] * 7, [0.9, 0.2, 0.1] + [0.1] * 7)
    kind = np.array(["asked", "silent", "asked"] + [None] * 7, dtype=object)
    found = leaver_kinds(replace(told, rows=replace(told.rows, kind=kind)))
    assert found.select("kind", "n_leavers", "n_flagged", "auc").rows() == [
        ("asked", 2, 1, None),
        ("silent", 1, 0, None),
    ]
    assert found["share"].to_list() == [2 / 3, 1 / 3]


def test_who_asks_is_seen_coming_and_who_is_silent_is_not() -> None:
    n = 600
    kind = np.array(["asked"] * 60 + ["silent"] * 60 + [None] * (n - 120), dtype=object)
    risk = np.concatenate(
        [np.linspace(0.5, 0.9, 60), np.linspace(0.1, 0.4, 60), np.linspace(0.1, 0.4, n - 120)]
    )
    plain = rows([f"c{place:03}" for place in range(n)], [int(each is not None) for each in kind])
    found = leaver_kinds(Subject(replace(plain, kind=kind), risk))
    asked, silent = found.iter_rows(named=True)
    assert asked["auc"] == 1.0
    assert silent["auc"] == pytest.approx(0.5, abs=0.01)
    assert silent["auc_low"] < 0.5 < silent["auc_high"]


def test_without_kinds_the_table_is_empty() -> None:
    assert leaver_kinds(subject(ABC, [1] + [0] * 9, [0.1] * 10)).is_empty()
