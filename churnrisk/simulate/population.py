"""Who lives in the world: communities, households, attributes, and the trait nobody sees. It knows no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .clock import DAYS_PER_MONTH, LEAD_IN_DAYS
from .draws import Bools, Floats, Ints, chosen, stream
from .settings import WorldSettings

LANGUAGES = ("en", "de", "ru", "zh")
LANGUAGE_SHARES = (0.4, 0.2, 0.22, 0.18)
REGIONS = ("Riverside", "Nordküste", "Süd", "Центр", "Заречье", "东区")
REGION_SHARES = (0.27, 0.2, 0.16, 0.17, 0.08, 0.12)
AGE_BANDS = ("18-25", "26-35", "36-50", "51-65", "66+")
AGE_SHARES = (0.16, 0.24, 0.28, 0.2, 0.12)
CONTRACTS = ("month-to-month", "12 months", "24 months")
CONTRACT_SHARES = (0.4, 0.3, 0.3)
DEVICES = ("basic phone", "smartphone", "smartphone 5G", "router and phone")
DEVICE_SHARES = (0.12, 0.45, 0.28, 0.15)


class Plan(NamedTuple):
    """A tariff and its list price in the customer's currency a month."""

    name: str
    monthly_price: float
    share: float


PLANS = (
    Plan("Talk", 9.0, 0.2),
    Plan("S", 15.0, 0.26),
    Plan("M", 24.0, 0.28),
    Plan("L", 35.0, 0.17),
    Plan("Home & Mobile", 52.0, 0.09),
)
HOUSEHOLD_SHARES = (0.4, 0.33, 0.16, 0.11)
"""Shares of households with 1, 2, 3 and 4 customers; guessed."""
COMMUNITY_WAY = 0.85
"""Share of households that have the region and language of their community; guessed."""
LONGEST_TENURE_DAYS = 5_475
PROMOTED_SHARE = 0.25
POOL = 6
"""People drawn for each customer of the first base, of whom those who would have stayed are more likely taken."""
CONSENT_SHARES = {"may_survey": 0.93, "may_contact": 0.9, "may_use_calls": 0.96, "may_use_answers": 0.95}


@dataclass(frozen=True)
class People:
    """Everybody who is ever a customer, in order of joining; every field is an array over people.

    ``joined`` is a day number, ``overpay`` the log of the price paid over the list price, ``data_mb`` a month's
    typical use, ``on_promotion`` says that the first year is cheaper.
    """

    joined: Ints
    community: Ints
    household: Ints
    trait: Floats
    activity: Floats
    region: Ints
    language: Ints
    age: Ints
    contract: Ints
    device: Ints
    plan: Ints
    overpay: Floats
    on_promotion: Bools
    incident_rate: Floats
    contact_rate: Floats
    login_rate: Floats
    lateness: Floats
    data_mb: Floats
    mean_mood: Floats
    willingness: Floats
    given_name: Ints
    family_name: Ints
    owner: Ints
    consents: dict[str, Bools]

    def __len__(self) -> int:
        """Return the number of people."""
        return self.joined.size


OVERPAY_SD = 0.15
N_NAMES = 24
N_OWNERS = 8


def n_people(settings: WorldSettings) -> int:
    """Return how many people ever are customers: the base, and one newcomer for each who leaves."""
    months = (settings.days + LEAD_IN_DAYS) / DAYS_PER_MONTH
    return settings.customers + round(settings.customers * settings.monthly_churn * months)


def population(settings: WorldSettings) -> People:
    """Draw the people of a world."""
    rng = stream(settings.seed, "population")
    n = n_people(settings)
    born = _born(rng, settings)
    community, household = born.community, _households(rng, born.community)
    return People(
        joined=born.joined,
        community=community,
        household=household,
        trait=born.trait,
        activity=np.exp(rng.normal(0, 0.45, n)),
        region=_way_of(rng, community, household, REGION_SHARES),
        language=_way_of(rng, community, household, LANGUAGE_SHARES),
        age=chosen(rng, AGE_SHARES, n),
        contract=born.contract,
        device=chosen(rng, DEVICE_SHARES, n),
        plan=chosen(rng, [plan.share for plan in PLANS], n),
        overpay=born.overpay,
        on_promotion=rng.random(n) < PROMOTED_SHARE,
        incident_rate=born.incident_rate,
        contact_rate=0.02 * rng.gamma(1.0, 1.0, n),
        login_rate=0.35 * rng.gamma(0.8, 1 / 0.8, n),
        lateness=rng.beta(0.6, 6.0, n),
        data_mb=np.exp(rng.normal(np.log(3_500), 0.8, n)),
        mean_mood=born.mean_mood,
        willingness=rng.normal(0, 0.5, n),
        given_name=rng.integers(0, N_NAMES, n),
        family_name=rng.integers(0, N_NAMES, n),
        owner=rng.integers(0, N_OWNERS, n),
        consents={name: rng.random(n) < share for name, share in CONSENT_SHARES.items()},
    )


@dataclass(frozen=True)
class _Born:
    """What lasts and drives leaving, with the day of joining, in order of joining."""

    joined: Ints
    community: Ints
    trait: Floats
    overpay: Floats
    contract: Ints
    mean_mood: Floats
    incident_rate: Floats


def _born(rng: np.random.Generator, settings: WorldSettings) -> _Born:
    """Draw the base as it would be after years of leaving, and newcomers as the market has them.

    Those who are likely to leave are rare among those who stayed: in a level base the density of a lasting log
    hazard x is f(x) / exp(x), and tenure is exponential with that hazard. Newcomers replace those who leave, so they
    come to each community in proportion to its hazard. Without this the churn of a world would sink from month to
    month.
    """
    rules, n_newcomers = settings.mechanism, n_people(settings) - settings.customers
    n_communities = max(1, round(settings.customers / settings.community_size))
    size = POOL * settings.customers + n_newcomers
    width = rng.uniform(0.6, 1.4, n_communities)
    shared = np.sqrt(settings.homophily) * rng.normal(0, 1, n_communities)
    of_base = chosen(rng, width, size - n_newcomers)
    community = np.concatenate([of_base, chosen(rng, width * np.exp(rules.trait * shared), n_newcomers)])
    own = np.sqrt(1 - settings.homophily) * rng.normal(0, 1, size)
    overpay = rng.normal(0, OVERPAY_SD, size)
    contract = chosen(rng, CONTRACT_SHARES, size)
    mean_mood = rng.normal(0, 0.7, size)
    incident_rate = rules.incidents_per_week * rng.gamma(0.7, 1 / 0.7, size)
    lasting = rules.trait * own + rules.overpay * overpay / OVERPAY_SD + np.asarray(rules.contract)[contract]
    lasting += rules.mood * mean_mood + rules.service * incident_rate / (1 - rules.pain_kept_per_week)
    # Weighted drawing without replacement: the smallest exponential waiting times win.
    waits = rng.exponential(np.exp(lasting[: size - n_newcomers]))
    base = np.sort(np.argsort(waits, kind="stable")[: settings.customers])
    hazard = np.exp(lasting[base] + rules.trait * shared[community[base]])
    tenure = 1 + rng.exponential(DAYS_PER_MONTH / settings.monthly_churn * hazard.mean() / hazard)
    earlier = -LEAD_IN_DAYS - np.minimum(tenure, LONGEST_TENURE_DAYS).astype(np.int64)
    joined = np.concatenate([earlier, rng.integers(-LEAD_IN_DAYS, settings.days, n_newcomers)])
    order = np.argsort(joined, kind="stable")
    who = np.concatenate([base, np.arange(size - n_newcomers, size)])[order]
    return _Born(
        joined=joined[order],
        community=community[who],
        trait=shared[community[who]] + own[who],
        overpay=overpay[who],
        contract=contract[who],
        mean_mood=mean_mood[who],
        incident_rate=incident_rate[who],
    )


def _households(rng: np.random.Generator, community: Ints) -> Ints:
    n = community.size
    neighbours = np.lexsort((rng.random(n), community))
    sizes = 1 + chosen(rng, HOUSEHOLD_SHARES, n)
    along = np.repeat(np.arange(n), sizes)[:n]
    # A household on the border between two communities is cut in two.
    _, numbers = np.unique(along * (int(community.max()) + 1) + community[neighbours], return_inverse=True)
    household = np.empty(n, dtype=np.int64)
    household[neighbours] = numbers
    return household


def _way_of(rng: np.random.Generator, community: Ints, household: Ints, shares: tuple[float, ...]) -> Ints:
    of_community = chosen(rng, shares, int(community.max()) + 1)
    n_households = int(household.max()) + 1
    of_household = chosen(rng, shares, n_households)
    keeps = rng.random(n_households) < COMMUNITY_WAY
    return np.asarray(np.where(keeps[household], of_community[community], of_household[household]))
