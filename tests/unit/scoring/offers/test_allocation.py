"""Who gets what under a budget and capacities: by hand, never over a limit, and beside an exact solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from scoring.offers import Allocation, Limits, allocation, value_curve
from scoring.offers.prices import SAMPLE


def base(seed: int, n: int, n_offers: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Net values (some not worth it, some not allowed) and costs, dearer offers worth more."""
    rng = np.random.default_rng(seed)
    cost = rng.uniform(1, 10, n_offers) * rng.uniform(0.5, 1, (n, n_offers))
    value = rng.lognormal(1, 1, (n, 1)) * cost**0.5 * rng.uniform(0.3, 1.5, (n, n_offers)) - 2
    value[rng.random((n, n_offers)) < 0.15] = np.nan
    return value, cost


def matrices(
    value: np.ndarray, cost: np.ndarray, limits: Limits
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value per pair, and rows and right-hand sides of everything that is limited."""
    n, n_offers = value.shape
    worth = np.where(value > 0, value, 0.0).ravel()
    rows = [np.kron(np.eye(n)[i], np.ones(n_offers)) for i in range(n)]
    most = [1.0] * n
    if limits.budget is not None:
        rows.append(np.where(value > 0, cost, 0.0).ravel())
        most.append(limits.budget)
    use, places = limits.rows(n_offers)
    for of_limit, place in zip(use, places, strict=True):
        rows.append(np.tile(of_limit, n))
        most.append(place)
    return worth, np.array(rows), np.array(most)


def exact(value: np.ndarray, cost: np.ndarray, limits: Limits) -> float:
    """The best there is, by an exact solver."""
    worth, rows, most = matrices(value, cost, limits)
    found = milp(
        -worth,
        constraints=LinearConstraint(rows, ub=most),
        bounds=Bounds(0, 1),
        integrality=np.ones(worth.size, dtype=np.int64),
    )
    return -float(found.fun or 0.0)


def relaxed(value: np.ndarray, cost: np.ndarray, limits: Limits) -> float:
    worth, rows, most = matrices(value, cost, limits)
    found = linprog(-worth, A_ub=rows, b_ub=most, bounds=(0, 1), method="highs")
    return -float(found.fun or 0.0)


def assert_within(found: Allocation, value: np.ndarray, limits: Limits) -> None:
    taken = np.flatnonzero(found.choice >= 0)
    assert (value[taken, found.choice[taken]] > 0).all()
    if limits.budget is not None:
        assert found.spent <= limits.budget * (1 + 1e-9)
    counts = np.bincount(found.choice[taken], minlength=value.shape[1])
    use, most = limits.rows(value.shape[1])
    if most.size:
        assert (use @ counts <= most).all()


SOME = Limits(
    budget=60.0,
    per_offer={0: 6, 2: 4},
    per_channel={"email": 9, "call": 6},
    channels=("email", "email", "call", "call"),
)


@pytest.mark.parametrize("limits", [Limits(budget=60.0), Limits(per_offer={0: 6, 1: 2}), SOME])
@pytest.mark.parametrize("seed", range(5))
def test_a_small_base_comes_near_what_an_exact_solver_finds_and_the_bound_is_that_of_the_relaxation(
    limits: Limits, seed: int
) -> None:
    value, cost = base(seed, 60)
    found = allocation(value, cost, limits)
    assert_within(found, value, limits)
    assert found.bound == pytest.approx(relaxed(value, cost, limits), rel=1e-4)
    best = exact(value, cost, limits)
    assert 0.95 * best <= found.value <= best * (1 + 1e-6)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(budget=2_000.0),
        Limits(budget=2_000.0, per_offer={0: 100, 3: 50}),
        Limits(
            budget=3_000.0,
            per_offer={0: 200, 2: 100},
            per_channel={"email": 300, "call": 150},
            channels=("email", "email", "call", "call"),
        ),
    ],
)
def test_a_larger_base_reaches_997_of_1000_of_the_bound(limits: Limits) -> None:
    value, cost = base(11, 5_000)
    found = allocation(value, cost, limits)
    assert_within(found, value, limits)
    assert found.share_of_bound >= 0.997


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), budget=st.floats(0, 200), places=st.integers(0, 20))
def test_no_limit_is_ever_broken_and_more_budget_is_never_worth_less(
    seed: int, budget: float, places: int
) -> None:
    value, cost = base(seed, 40)
    limits = Limits(budget=budget, per_offer={1: places})
    found = allocation(value, cost, limits)
    assert_within(found, value, limits)
    assert found.value <= found.bound * (1 + 1e-9)
    alone, more = (allocation(value, cost, Limits(budget=of)) for of in (budget, budget + 50))
    assert alone.bound <= more.bound + 1e-9


def test_without_limits_everybody_gets_what_is_worth_most() -> None:
    value, cost = base(3, 500)
    found = allocation(value, cost, Limits())
    best = np.where(value > 0, value, 0).max(axis=1)
    assert found.value == pytest.approx(best.sum())
    assert found.share_of_bound == pytest.approx(1.0)
    assert (found.choice[best == 0] == -1).all()


def test_many_alike_share_places_and_equal_ones_go_by_their_order() -> None:
    value, cost = np.full((10, 2), 5.0), np.ones((10, 2))
    found = allocation(value, cost, Limits(per_offer={0: 3, 1: 4}))
    assert np.bincount(found.choice + 1).tolist() == [3, 3, 4]
    by_budget = allocation(value, cost, Limits(budget=4.0))
    assert by_budget.choice.tolist() == [0] * 4 + [-1] * 6


def test_nothing_worth_having_and_no_customers_at_all_are_no_error() -> None:
    nothing = allocation(np.full((3, 2), -1.0), np.ones((3, 2)), Limits(budget=10.0, per_offer={0: 1}))
    assert nothing.choice.tolist() == [-1, -1, -1]
    assert (nothing.value, nothing.spent, nothing.share_of_bound) == (0.0, 0.0, 1.0)
    nobody = allocation(np.empty((0, 2)), np.empty((0, 2)), Limits(budget=10.0))
    assert nobody.choice.size == 0


def test_what_makes_no_sense_is_refused() -> None:
    value, cost = base(0, 5)
    for limits, says in (
        ({"per_offer": {9: 1}}, "4 offers"),
        ({"per_channel": {"email": 1}}, "channel of each"),
    ):
        with pytest.raises(ValueError, match=says):
            allocation(value, cost, Limits(**limits))
    with pytest.raises(ValueError, match="0 or more"):
        Limits(budget=-1.0)
    with pytest.raises(ValueError, match="cost of 0 or more"):
        allocation(np.ones((1, 1)), -np.ones((1, 1)), Limits())
    with pytest.raises(ValueError, match="one shape"):
        allocation(value, cost[:2], Limits())


def test_the_value_curve_rises_flattens_and_holds_the_budget_in_force() -> None:
    value, cost = base(5, 2_000)
    limits = Limits(budget=900.0)
    curve = value_curve(value, cost, limits)
    in_force = curve.filter("is_budget")
    assert in_force["budget"].to_list() == [900.0]
    assert in_force["net_value"][0] == pytest.approx(allocation(value, cost, limits).value)
    net = curve["net_value"].to_numpy()
    assert (np.diff(net) >= 0).all()
    assert net[0] == pytest.approx(0.0)
    assert net[-1] == pytest.approx(np.where(value > 0, value, 0).max(axis=1).sum())
    per_unit = curve["per_unit"].drop_nulls().to_numpy()
    assert (np.diff(per_unit) <= 0.05 * per_unit[0]).all()


def test_prices_are_found_where_nothing_can_be_had_of_very_many() -> None:
    value, cost = base(7, 2 * SAMPLE + 1)
    for limits in (Limits(0.0, {0: 5}), Limits(0.0, {0: 0, 1: 0}), Limits(1e-9, {1: 3})):
        assert allocation(value, cost, limits).spent <= 1e-9
    some = allocation(value, cost, Limits(50.0, {0: 5}))
    assert some.spent <= 50.0
    assert some.share_of_bound > 0.99


def test_the_value_curve_minds_capacities() -> None:
    value, cost = base(6, 300)
    curve = value_curve(value, cost, Limits(per_offer={0: 5, 1: 5, 2: 5, 3: 5}))
    assert max(curve["n_offers"].to_list()) <= 20
    assert not curve["is_budget"].any()
