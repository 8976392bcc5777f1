"""Profit against the published example and against plain integration."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from churnrisk import metrics
from churnrisk.metrics import Campaign

# Verbraken, Verbeke & Baesens (2013); the figures stand in the design's science notes
LEFT = [0, 1, 0, 1, 0, 1, 0, 1]
SCORE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9]


def test_the_published_example_to_nine_digits() -> None:
    found = metrics.empc(LEFT, SCORE)
    assert found.profit == pytest.approx(23.875593418348124, abs=1e-9)
    assert found.share_contacted == pytest.approx(0.8743700763487141, abs=1e-9)
    assert metrics.mpc(LEFT, SCORE).profit == pytest.approx(23.874999999999996, abs=1e-9)


def slow_empc(left: np.ndarray, score: np.ndarray, campaign: Campaign) -> float:
    """Integrate the best profit over every threshold numerically."""
    thresholds = [np.inf, *np.unique(score)]
    reached = [
        (left[score >= t].sum() / len(left), (1 - left[score >= t]).sum() / len(left)) for t in thresholds
    ]

    def best(g: float) -> float:
        profits = [
            campaign.clv
            * ((g * (1 - campaign.delta) - campaign.phi) * a - (campaign.delta + campaign.phi) * b)
            for a, b in reached
        ]
        return float(max(profits)) * float(beta.pdf(g, campaign.alpha, campaign.beta))

    return float(quad(best, 0, 1, limit=500, epsabs=1e-9, points=list(np.linspace(0.05, 0.95, 19)))[0])


campaigns = st.builds(
    Campaign,
    clv=st.floats(20, 500),
    incentive=st.floats(0, 15),
    contact=st.floats(0, 5),
    alpha=st.floats(2, 12),
    beta=st.floats(2, 20),
)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=20).filter(
        lambda rows: len({left for left, _ in rows}) == 2
    ),
    campaigns,
)
def test_the_sum_over_the_hull_is_the_integral_over_all_thresholds(
    rows: list[tuple[bool, int]], campaign: Campaign
) -> None:
    left, score = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    slow = slow_empc(left, score, campaign)
    assert metrics.empc(left, score, campaign=campaign).profit == pytest.approx(slow, abs=1e-5 * campaign.clv)


def test_contacting_everybody_pays_above_a_base_rate_of_16_4_percent() -> None:
    assert metrics.treat_all(0.163) < 0 < metrics.treat_all(0.165)


def test_the_profit_curve_starts_with_nobody_and_ends_with_everybody() -> None:
    table = metrics.profit_table(LEFT, SCORE)
    assert table["profit_per_customer"][0] == 0
    assert table["profit_per_customer"][-1] == pytest.approx(metrics.treat_all(0.5))
    assert table["profit_per_customer"].max() == pytest.approx(metrics.mpc(LEFT, SCORE).profit, rel=0.01)


def test_profit_of_one_kind_of_customer_is_undefined() -> None:
    assert math.isnan(metrics.empc([1, 1], [0.1, 0.2]).profit)
    assert math.isnan(metrics.mpc([0, 0], [0.1, 0.2]).profit)


def test_costs_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="clv > incentive"):
        Campaign(clv=5, incentive=10)
