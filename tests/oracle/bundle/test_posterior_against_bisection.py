"""The posterior's slow twin: one customer at a time, plain bisection on the shift, in exact fractions of the odds."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from churnrisk.bundle import posterior


def slow(risk: float, chances: list[float], ratios: list[float]) -> list[float]:
    """Bisect for s in 60 digits: sum_c q_c / (1 + exp(-(s + ratio_c))) = p."""
    with localcontext() as context:
        context.prec = 60
        p, low, high = Decimal(risk), Decimal(-900), Decimal(900)
        total = sum(Decimal(each) for each in chances)

        def after(shift: Decimal) -> list[Decimal]:
            return [1 / (1 + (-(shift + Decimal(ratio))).exp()) for ratio in ratios]

        for _ in range(260):
            middle = (low + high) / 2
            mean = sum(Decimal(q) / total * each for q, each in zip(chances, after(middle), strict=True))
            low, high = (middle, high) if mean < p else (low, middle)
        return [float(each) for each in after((low + high) / 2)]


@pytest.mark.parametrize("risk", [1e-300, 1e-12, 0.001, 0.02, 0.3, 0.5, 0.50001, 0.97, 1 - 1e-9])
@pytest.mark.parametrize(
    ("chances", "ratios"),
    [
        ([0.1, 0.1, 0.1, 0.7], [0.7, 0.0, -0.7, 0.0]),
        ([1e-12, 0.5, 0.5 - 1e-12, 0.0], [3.0, 0.0, -3.0, 8.0]),
        ([0.25, 0.25, 0.25, 0.25], [12.0, 1.0, -12.0, 0.1]),
        ([1.0, 0.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.5]),
    ],
)
def test_it_is_what_bisection_finds_in_sixty_digits(
    risk: float, chances: list[float], ratios: list[float]
) -> None:
    fast = posterior([risk], [chances], ratios)[0]
    np.testing.assert_allclose(fast, slow(risk, chances, ratios), rtol=2e-9, atol=0)


def test_the_table_has_its_margins_and_odds_ratios() -> None:
    # The 2 x 3 table by iterative proportional fitting from the odds ratios: an independent construction (Sinkhorn
    # 1967).
    p, q, ratios = 0.12, np.array([0.2, 0.5, 0.3]), np.array([0.9, 0.1, -0.6])
    table = np.vstack([np.exp(ratios), np.ones(3)])
    for _ in range(3_000):
        table *= (np.array([p, 1 - p]) / table.sum(axis=1))[:, None]
        table *= q / table.sum(axis=0)
    np.testing.assert_allclose(posterior([p], [q], ratios)[0], table[0] / q, rtol=1e-9)
