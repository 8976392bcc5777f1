"""What other budgets would buy: what a night with that budget decides, offers on trial included."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from churnrisk.deciding import Material
from churnrisk.deciding.budgeting import curve_of
from churnrisk.deciding.choosing import chosen_offers, options_of, stretch_of
from churnrisk.deciding.offering import Offering, catalogue_of, offering
from scoring.offers import Limits, value_curve
from tests.unit.deciding.drawn import material, people

SETTINGS = "[offers]\nbudget = BUDGET\ntrial_share = 0.2\ntrial_control_share = 0.5\ncontrol_share = 0.1\n"
BOTH = """
offer_id   | name       | contact_cost | incentive_cost | capacity | channel   | suits
call       | A call     | 4            | 0              | 40       | email     |
gift       | A gift     | 0.5          | 10             |          | email;sms |
"""


def a_night(budget: float, settings: str = SETTINGS, n: int = 3_000) -> tuple[Material, Offering]:
    who = people(np.random.default_rng(5).beta(1, 8, n).tolist())
    night = material(who, settings.replace("BUDGET", str(budget)), offers=BOTH)
    return night, offering(night, catalogue_of(night.offers, night.rules.channels))


def refused(night: Material) -> NDArray[np.bool_]:
    return np.asarray(np.arange(night.people.height) % 10 == 0, dtype=np.bool_)


def expected(night: Material, found: Offering) -> tuple[float, float, float]:
    """Return value, outlay and number of what the night decides, of trials and hold-outs as many as on average."""
    done = chosen_offers(night, found, refused(night))
    trial = options_of(night, found, refused(night)).trial
    rows = np.flatnonzero(done.choice >= 0)
    places = done.choice[rows]
    made = trial.made[places] / stretch_of(night)
    net, cost = found.worth.net[rows, places], found.worth.cost[rows, places]
    return float((net * made).sum()), float((cost * made).sum()), float(made.sum())


@pytest.mark.parametrize("in_force", [0.0, 60.0, 600.0])
def test_the_curve_tells_of_each_budget_what_a_night_with_that_budget_decides(in_force: float) -> None:
    night, found = a_night(in_force)
    curve = curve_of(night, found, refused(night))
    assert curve.filter("is_budget")["budget"].to_list() == [in_force]
    assert curve["n_offers"].to_numpy().max() > 50
    for row in curve.iter_rows(named=True):
        value, spent, n_offers = expected(*a_night(row["budget"]))
        assert row["spent"] == pytest.approx(spent)
        assert row["n_offers"] == pytest.approx(n_offers, abs=0.51)
        # an unlucky turn may make more money buy a little less: the curve does not fall
        assert value <= row["net_value"] + 1e-9
        assert row["net_value"] == pytest.approx(value, rel=0.03)


def test_the_curve_ends_where_more_buys_nothing_or_at_twenty_times_the_budget_in_force() -> None:
    none, few = (curve_of(*a_night(budget), np.zeros(3_000, dtype=np.bool_)) for budget in (0.0, 20.0))
    assert few["budget"].to_numpy().max() == pytest.approx(400.0)
    assert few["per_unit"].drop_nulls().to_numpy().min() >= 0
    last = none["budget"].to_numpy().max()
    night, found = a_night(last)
    nobody = np.zeros(3_000, dtype=np.bool_)
    ends = [curve_of(*a_night(last * by), nobody).filter("is_budget")["n_offers"][0] for by in (1, 3)]
    assert ends[0] == ends[1] == none["n_offers"].to_numpy().max()
    assert expected(night, found)[1] < last


def test_without_trials_the_curve_is_that_of_the_allocation() -> None:
    night, found = a_night(100.0, SETTINGS + "trial = false\n")
    curve = curve_of(night, found, np.zeros(3_000, dtype=np.bool_))
    limits = Limits(100.0, {0: 40}, {}, ("email", ""))
    assert curve.equals(
        value_curve(np.where(found.is_option, found.worth.net, np.nan), found.worth.cost, limits)
    )


def test_a_night_without_any_option_has_a_curve_that_stays_at_nothing() -> None:
    night, found = a_night(100.0)
    curve = curve_of(night, found, np.ones(3_000, dtype=np.bool_))
    assert curve["net_value"].to_numpy().max() == 0
    assert curve["n_offers"].to_numpy().max() == 0
