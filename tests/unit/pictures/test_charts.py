"""What each picture shows of its figures: counts, marks, words; and that it refuses to draw nothing."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from churnrisk import pictures
from churnrisk.pictures.scales import largest, money, plain_ticks, root_ticks, whole_percent

SVG = "{http://www.w3.org/2000/svg}"


def text_of(picture: pictures.Picture) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture.svg).iter(f"{SVG}text")]


def test_risks_are_counted_by_bin_and_band_with_bands_stacked_from_low_to_critical() -> None:
    #        risk    band       bin (tenths of a decade)
    risks = [
        (0.0, "low"),  #        the first: below what is drawn
        (0.0005, "low"),  #     the first
        (0.0100, "watch"),  #   0.0100 to 0.0126
        (0.0110, "low"),  #     the same
        (0.0120, "watch"),  #   the same
        (1.0, "critical"),  #   the last
    ]
    bins = pictures.risk_bins(pl.DataFrame(risks, schema=["risk", "band"], orient="row"))
    expected = pl.DataFrame(
        [
            (0.001, 10**-2.9, "low", 2, 0, 2),
            (0.01, 10**-1.9, "low", 1, 0, 1),
            (0.01, 10**-1.9, "watch", 2, 1, 3),
            (10**-0.1, 1.0, "critical", 1, 0, 1),
        ],
        schema=bins.schema,
        orient="row",
    )
    assert_frame_equal(bins, expected)


def test_risks_that_are_mostly_large_are_counted_in_even_bins() -> None:
    bins = pictures.risk_bins(
        pl.DataFrame({"risk": [0.0, 0.5, 0.51, 1.0], "band": ["low", "high", "high", "critical"]})
    )
    assert bins.select(pl.col("risk_from", "risk_to").round(9), "n").rows() == [
        (0.0, 0.025, 1),
        (0.5, 0.525, 2),
        (0.975, 1.0, 1),
    ]


def test_no_customer_is_lost_between_bins() -> None:
    risks = pl.DataFrame({"risk": [position / 997 for position in range(998)], "band": ["low"] * 998})
    assert pictures.risk_bins(risks)["n"].sum() == 998
    assert pictures.risk_bins(risks.with_columns(pl.col("risk") / 20))["n"].sum() == 998


def test_the_order_of_customers_changes_no_picture() -> None:
    risks = pl.DataFrame({"risk": [0.01, 0.02, 0.2, 0.01], "band": ["low", "watch", "critical", "watch"]})
    assert pictures.risk_distribution(risks).svg == pictures.risk_distribution(risks.reverse()).svg


def test_a_band_that_is_none_of_ours_is_drawn_and_named_too() -> None:
    risks = pl.DataFrame({"risk": [0.01, 0.02], "band": ["low", "unheard of"]})
    assert "unheard of" in text_of(pictures.risk_distribution(risks))


#    ties     0  1  2  3-4 5-9 10-19 20-49 50+
def test_customers_are_counted_by_number_of_ties_in_groups_that_hold_everyone() -> None:
    bins = pictures.tie_bins(pl.Series([0, 0, 1, 3, 4, 9, 10, 49, 50, 4000, None]))
    assert bins.rows() == [
        ("0", 2), ("1", 1), ("2", 0), ("3-4", 2), ("5-9", 1), ("10-19", 1), ("20-49", 1), ("50+", 2),
    ]  # fmt: skip


def test_calibration_says_in_how_many_groups_the_interval_contains_the_prediction() -> None:
    reliability = pl.DataFrame(
        [
            (0.01, 0.012, 0.005, 0.020),  # inside
            (0.05, 0.090, 0.060, 0.120),  # above
            (0.10, math.nan, math.nan, math.nan),  # unknown: left out
        ],
        schema=["mean_risk", "realised_rate", "realised_low", "realised_high"],
        orient="row",
    )
    picture = pictures.calibration(reliability)
    assert "2 groups" in picture.description
    assert "In 1 of 2 the 95 % interval" in picture.description
    assert {"Predicted risk, mean of group (%)", "Realised rate (%) with 95 % interval"} <= set(
        text_of(picture)
    )


def test_gain_names_what_the_top_tenth_or_the_team_reaches() -> None:
    gains = pl.DataFrame(
        {
            "share_contacted": [0.02, 0.1, 1.0],
            "share_of_leavers_reached": [0.12, 0.43, 1.0],
            "lift": [6.0, 4.3, 1.0],
        }
    )
    assert "10 % contacted reach 43 %, lift 4.3" in text_of(pictures.gain(gains))
    assert "2.0 % contacted reach 12 %, lift 6.0" in text_of(pictures.gain(gains, capacity_share=0.018))


def test_profit_stands_beside_contacting_nobody_and_everybody() -> None:
    profits = pl.DataFrame(
        {
            "share_contacted": [0.0, 0.05, 1.0],
            "profit_per_customer": [0.0, 0.4, -9.66],
            "treat_all_per_customer": [-9.66] * 3,
        }
    )
    said = text_of(pictures.profit(profits, currency="EUR"))
    assert "best: 5.0 % contacted, 0.40" in said
    assert "everybody: −9.66 (below)" in said
    assert "nobody" in said
    assert "Profit per customer of the base (EUR)" in said


@pytest.mark.parametrize(
    ("everybody", "shown"), [(-9.96, "−10"), (-24_000.0, "−20,000"), (-0.00007, "−0.00006")]
)
def test_amounts_on_the_axis_of_profit_are_written_out(everybody: float, shown: str) -> None:
    profits = pl.DataFrame(
        {
            "share_contacted": [0.0, 0.5, 1.0],
            "profit_per_customer": [0.0, everybody / 2, everybody],
            "treat_all_per_customer": [everybody] * 3,
        }
    )
    said = text_of(pictures.profit(profits))
    assert shown in said
    assert not [text for text in said if "e+" in text or "e−" in text or "e-" in text]


@pytest.mark.parametrize("everybody", [-10.0, -0.2, 0.0, 0.2, 5.0, 10.0])
def test_the_words_beside_the_two_policies_never_lie_on_one_another(everybody: float) -> None:
    profits = pl.DataFrame(
        {
            "share_contacted": [0.0, 0.5, 1.0],
            "profit_per_customer": [0.0, 10.0, everybody],
            "treat_all_per_customer": [everybody] * 3,
        }
    )
    svg = pictures.profit(profits).svg
    heights = [
        float(re.search(rf'translate\([\d.]+,([\d.]+)\)"[^>]*>{policy}<', svg)[1])  # type: ignore[index]
        for policy in ("nobody", "everybody")
    ]
    assert abs(heights[0] - heights[1]) >= 12


def test_nothing_earned_has_no_sign() -> None:
    assert money(-0.001) == "0.00"


def test_profit_where_contacting_everybody_is_best_shows_both_policies() -> None:
    profits = pl.DataFrame(
        {
            "share_contacted": [0.0, 1.0],
            "profit_per_customer": [0.0, 22.5],
            "treat_all_per_customer": [22.5] * 2,
        }
    )
    said = text_of(pictures.profit(profits))
    assert {"nobody", "everybody", "everybody: 22.50", "best: 100 % contacted, 22.50"} <= set(said)


def test_reasons_say_of_how_many_listed_customers_each_is_one() -> None:
    reasons = pl.DataFrame({"reason": ["Жалобы", "账单"], "n": [33, 4], "n_listed": [50, 50]})
    assert {"Жалобы", "33 of 50", "账单", "4 of 50"} <= set(text_of(pictures.top_reasons(reasons)))


def test_segments_show_their_size_and_the_realised_rate_where_it_is_known() -> None:
    frame = pl.DataFrame(
        {
            "segment": ["a", "b"],
            "n": [12000, 30],
            "mean_risk": [0.034, 0.002],
            "realised_rate": [0.03, None],
            "realised_low": [0.02, None],
            "realised_high": [0.04, None],
        }
    )
    picture = pictures.segments(frame, attribute="plan", overall=0.03)
    assert {"3.4 % · n 12,000", "0.20 % · n 30", "realised rate, 95 % interval"} <= set(text_of(picture))


def test_exposure_keeps_the_order_given_and_stands_without_intervals() -> None:
    frame = pl.DataFrame(
        {
            "exposure": ["none", "some"],
            "n": [10, 20],
            "mean_risk": [0.02, 0.05],
            "low": [None, 0.04],
            "high": [None, 0.06],
        }
    )
    said = text_of(pictures.exposure_against_risk(frame, overall=0.03))
    assert said.index("none") < said.index("some")


@pytest.mark.parametrize(
    ("draw", "columns"),
    [
        (pictures.risk_distribution, ("risk", "band")),
        (pictures.calibration, ("mean_risk", "realised_rate", "realised_low", "realised_high")),
        (pictures.gain, ("share_contacted", "share_of_leavers_reached", "lift")),
        (pictures.profit, ("share_contacted", "profit_per_customer", "treat_all_per_customer")),
        (pictures.top_reasons, ("reason", "n", "n_listed")),
        (pictures.feature_importance, ("feature", "share")),
        (pictures.ties_per_customer, ("ties", "n")),
    ],
)
def test_nothing_is_never_drawn(
    draw: Callable[[pl.DataFrame], pictures.Picture], columns: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(pl.DataFrame(schema=dict.fromkeys(columns, pl.Float64)))
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(pl.DataFrame({name: [math.nan] for name in columns}))


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0 %"), (0.0042, "0.42 %"), (0.083, "8.3 %"), (0.34, "34 %"), (0.9999, "99.9 %"), (1.0, "100 %")],
)
def test_shares_have_about_two_digits_and_nearly_all_is_not_all(share: float, shown: str) -> None:
    assert whole_percent(share) == shown


def test_ticks_begin_at_0_stay_on_the_axis_and_do_not_touch() -> None:
    for top in (0.004, 0.03, 0.12, 0.5, 1.0):
        for ticks, place in (
            (root_ticks(top), math.sqrt),
            (plain_ticks(top), lambda share: share),
        ):
            places = [place(tick / top) for tick in ticks]
            assert ticks[0] == 0
            assert len(ticks) >= 3
            assert max(ticks) <= top
            assert min(after - before for before, after in itertools.pairwise(places)) >= 0.085


def test_the_largest_defined_value_is_never_below_0_and_money_has_a_true_minus() -> None:
    assert largest(pl.DataFrame({"a": [None, 0.2], "b": [0.3, None]}), "a", "b", "absent") == 0.3
    assert largest(pl.DataFrame({"a": [-1.0]}), "a") == 0.0
    assert money(-1234.5) == "\N{MINUS SIGN}1,234.50"
