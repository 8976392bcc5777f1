"""What the published tables say about all customers together, worked by hand on small tables."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from churnrisk.report import summaries

SCORES = pl.DataFrame(
    #  customer  risk   band        value
    [
        ("a", 0.50, "critical", 100.0),
        ("b", 0.10, "high", None),
        ("c", 0.10, "high", 40.0),
        ("d", 0.01, "low", 1000.0),
        ("e", None, None, 1000.0),
    ],
    schema=["customer_id", "risk", "band", "value"],
    orient="row",
)

NOBODY = SCORES.head(0).with_columns(position=pl.lit(1))


def many(groups: dict[str, tuple[int, float]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give scores and one attribute: by segment, how many customers of which risk."""
    rows = [
        (f"{segment}{number}", segment, risk) for segment, (n, risk) in groups.items() for number in range(n)
    ]
    frame = pl.DataFrame(rows, schema=["customer_id", "segment", "risk"], orient="row")
    scores = frame.select("customer_id", "risk", band=pl.lit("low"), value=pl.lit(10.0))
    return scores, frame.select("customer_id", "segment")


def test_the_headline_counts_the_scored_and_adds_up_risk_times_value() -> None:
    night = summaries.headline(SCORES, SCORES.head(1).with_columns(position=1))
    assert night.n_scored == 4
    assert night.n_at_risk == 3
    assert night.expected_leavers == pytest.approx(0.71)
    assert night.stake == pytest.approx(50 + 4 + 10)
    assert night.stake_at_risk == pytest.approx(54)
    assert night.n_without_value == 1
    assert (night.n_listed, night.stake_listed) == (1, 50.0)


def test_where_no_value_is_known_the_stake_is_unknown_and_not_0() -> None:
    night = summaries.headline(SCORES.with_columns(value=pl.lit(None, pl.Float64)), NOBODY)
    assert (night.stake, night.stake_at_risk, night.stake_listed) == (None, None, None)


def test_without_customers_the_mean_risk_is_unknown() -> None:
    night = summaries.headline(SCORES.head(0), NOBODY)
    assert (night.n_scored, night.mean_risk, night.expected_leavers) == (0, None, 0.0)


def test_bands_come_riskiest_first_with_what_the_test_realised() -> None:
    realised = pl.DataFrame(
        {
            "band": ["critical"],
            "realised_rate": [0.4],
            "realised_low": [0.3],
            "realised_high": [0.5],
            "n": [9],
        }
    )
    table = summaries.bands(SCORES, realised).select(
        "band", "n", "share", "mean_risk", "stake", "realised_rate"
    )
    expected = pl.DataFrame(
        [
            ("critical", 1, 0.25, 0.5, 50.0, 0.4),
            ("high", 2, 0.5, 0.1, 4.0, None),
            ("watch", 0, 0.0, None, None, None),
            ("low", 1, 0.25, 0.01, 10.0, None),
        ],
        schema=table.schema,
        orient="row",
    )
    assert_frame_equal(table, expected)


def test_only_reasons_that_raise_the_risk_of_listed_customers_count_once_each() -> None:
    table = pl.DataFrame(
        [
            ("a", "n_calls", 3.0),
            ("a", "n_calls", 1.0),  # the same customer again
            ("b", "n_calls", 2.0),
            ("b", "tenure_days", -4.0),  # lowers it
            ("z", "tenure_days", 4.0),  # not listed
            ("c", "bill", 5.0),
        ],
        schema=["customer_id", "feature", "effect_pp"],
        orient="row",
    )
    found = summaries.reasons(table, pl.Series(["a", "b", "c"]), {"bill": "The bill"})
    assert found.rows() == [("n calls", 2, 2.0, 3), ("The bill", 1, 5.0, 3)]


def test_segments_below_the_least_group_are_put_together_and_come_last() -> None:
    scores, attributes = many(
        {"north": (40, 0.02), "south": (30, 0.06), "x": (12, 0.5), "y": (11, 0.5), "z": (3, 0.5)}
    )
    table = summaries.segmentations(scores, attributes)["segment"]
    assert table.select("segment", "n", pl.col("mean_risk").round(9)).rows() == [
        ("south", 30, 0.06),
        ("north", 40, 0.02),
        ("all others", 26, 0.5),
    ]


def test_a_rest_of_too_few_is_not_shown_either() -> None:
    scores, attributes = many({"north": (40, 0.02), "south": (30, 0.06), "x": (19, 0.5)})
    assert summaries.segmentations(scores, attributes)["segment"]["segment"].to_list() == ["south", "north"]


def test_a_user_s_own_segment_named_like_the_rest_is_kept_apart_from_it() -> None:
    scores, attributes = many(
        {"all others": (40, 0.02), "south": (30, 0.06), **{f"r{n}": (3, 0.1) for n in range(9)}}
    )
    assert summaries.segmentations(scores, attributes)["segment"]["n"].to_list() == [30, 40, 27]


def test_an_attribute_with_nearly_as_many_values_as_customers_is_no_segmentation() -> None:
    scores, attributes = many({f"meter {number}": (1, 0.1) for number in range(100)})
    assert summaries.segmentations(scores, attributes) == {}


def test_attributes_in_which_risk_differs_most_come_first() -> None:
    scores, attributes = many({"north": (40, 0.02), "south": (40, 0.06)})
    with_noise = attributes.with_columns(
        coin=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("heads")).otherwise(pl.lit("tails"))
    ).select("customer_id", "coin", "segment")
    assert list(summaries.segmentations(scores, with_noise)) == ["segment", "coin"]


def test_customers_without_a_value_of_the_attribute_are_a_segment_of_their_own() -> None:
    scores, attributes = many({"north": (40, 0.02), "south": (40, 0.06)})
    blanked = attributes.with_columns(pl.when(pl.col("segment") == "north").then("segment"))
    assert summaries.segmentations(scores, blanked)["segment"]["segment"].to_list() == ["not known", "north"]


def test_the_exposed_are_cut_in_equal_thirds_beside_those_without_ties_and_those_nobody_left() -> None:
    n = 25
    rows = [
        *((f"none{i}", 0, None, 0.04) for i in range(n)),
        *((f"calm{i}", 3, 0.0, 0.02) for i in range(2 * n)),
        *((f"hot{i}", 3, (i + 1) / (3 * n), 0.02 + 0.02 * (i // n)) for i in range(3 * n)),
    ]
    frame = pl.DataFrame(rows, schema=["customer_id", "n_ties", "churn_exposure", "risk"], orient="row")
    table = summaries.exposures(frame.select("customer_id", "risk"), frame.drop("risk"))
    assert table.select("exposure", "n", pl.col("mean_risk").round(9)).rows() == [
        ("no ties in the data", 25, 0.04),
        ("ties, and nobody has left", 50, 0.02),
        ("somebody left: weakest third", 25, 0.02),
        ("somebody left: middle third", 25, 0.04),
        ("somebody left: strongest third", 25, 0.06),
    ]
    assert_frame_equal(table.select(pl.col("low")), table.select(low="mean_risk"))  # no spread within a group


def test_exposure_intervals_are_those_of_a_mean() -> None:
    risks = [0.0, 0.2] * 10
    frame = pl.DataFrame({"customer_id": [str(i) for i in range(20)], "risk": risks, "n_ties": [0] * 20})
    frame = frame.with_columns(churn_exposure=pl.lit(None, pl.Float64))
    row = summaries.exposures(frame.select("customer_id", "risk"), frame).row(0, named=True)
    # sd of ten 0 and ten 0.2: 0.1 sqrt(20/19); over sqrt(20): 0.1/sqrt(19) = 0.0229416
    assert row["low"] == pytest.approx(0.1 - 1.959964 * 0.0229416, abs=1e-6)
    assert row["high"] == pytest.approx(0.1 + 1.959964 * 0.0229416, abs=1e-6)


def test_the_order_of_customers_changes_nothing() -> None:
    scores, attributes = many({"north": (40, 0.021), "south": (30, 0.067)})
    turned = summaries.segmentations(scores.reverse(), attributes.reverse())
    assert_frame_equal(
        turned["segment"], summaries.segmentations(scores, attributes)["segment"], check_exact=True
    )


def test_an_attribute_called_like_a_column_of_ours_is_still_the_user_s() -> None:
    scores, attributes = many({"north": (40, 0.02), "south": (40, 0.06)})
    found = summaries.segmentations(scores, attributes.rename({"segment": "risk"}))
    assert found["risk"]["segment"].to_list() == ["south", "north"]


def test_customers_who_are_left_out_are_not_on_the_list_and_counted_by_why() -> None:
    at_risk = SCORES.head(3).with_columns(
        position=pl.Series([3, 1, 2]), left_out_for=pl.Series([None, "no_consent", None])
    )
    assert summaries.actionable(at_risk)["customer_id"].to_list() == ["c", "a"]
    assert summaries.left_out(at_risk) == {"no_consent": 1}
    assert summaries.left_out(SCORES) == {}
    assert summaries.headline(SCORES, at_risk).n_listed == 2
