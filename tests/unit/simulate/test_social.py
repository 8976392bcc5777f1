from __future__ import annotations

import numpy as np
import pytest

from churnrisk.simulate import WorldSettings
from churnrisk.simulate.clock import LEAD_IN_DAYS
from churnrisk.simulate.population import People, population
from churnrisk.simulate.social import Friends, Ties, strong_friends, ties_between_customers, ties_off_net

SETTINGS = WorldSettings(customers=4_000, days=180, homophily=0.6)


@pytest.fixture(scope="module")
def people() -> People:
    return population(SETTINGS)


@pytest.fixture(scope="module")
def ties(people: People) -> Ties:
    return ties_between_customers(SETTINGS, people)


def test_ties_are_different_pairs_of_different_people(ties: Ties) -> None:
    assert (ties.a < ties.b).all()
    assert len(set(zip(ties.a.tolist(), ties.b.tolist(), strict=True))) == len(ties)


def test_a_customer_has_the_wished_number_of_ties_to_those_who_are_customers_just_then(
    people: People, ties: Ties
) -> None:
    # At the beginning the customers are those who had joined before the world's lead-in.
    present = people.joined < -LEAD_IN_DAYS
    degree = 2 * (present[ties.a] & present[ties.b]).sum() / present.sum()
    assert degree == pytest.approx(SETTINGS.mean_degree, rel=0.03)


def test_the_wished_share_of_ties_lies_inside_communities(ties: Ties) -> None:
    assert ties.is_inside.mean() == pytest.approx(SETTINGS.inside_share, abs=0.01)


def test_communities_hold_the_wished_number_of_customers_at_a_time(people: People) -> None:
    sizes = np.bincount(people.community[people.joined < -LEAD_IN_DAYS])
    assert sizes.mean() == pytest.approx(SETTINGS.community_size, rel=0.01)


def test_all_who_live_together_know_each_other_well(people: People, ties: Ties) -> None:
    at_home = dict.fromkeys(zip(ties.a.tolist(), ties.b.tolist(), strict=True), True)
    homes: dict[int, list[int]] = {}
    for person, home in enumerate(people.household.tolist()):
        homes.setdefault(home, []).append(person)
    for members in homes.values():
        assert len(members) <= 4
        assert all((a, b) in at_home for a in members for b in members if a < b)
    assert np.median(ties.strength[ties.is_household]) > 2 * np.median(ties.strength[~ties.is_household])


def test_the_strongest_ties_are_the_strong_ones_and_they_last(ties: Ties) -> None:
    assert ties.is_strong.mean() == pytest.approx(SETTINGS.mechanism.strong_share, abs=0.001)
    assert ties.strength[ties.is_strong].min() >= ties.strength[~ties.is_strong].max()
    assert (ties.first[ties.is_strong] < 0).all()
    assert (ties.last[ties.is_strong] > SETTINGS.days).all()


def test_lists_of_strong_friends_equal_those_of_a_plain_loop(people: People, ties: Ties) -> None:
    friends = strong_friends(ties, len(people))
    slow: dict[int, set[int]] = {}
    for a, b, is_strong in zip(ties.a.tolist(), ties.b.tolist(), ties.is_strong.tolist(), strict=True):
        if is_strong:
            slow.setdefault(a, set()).add(b)
            slow.setdefault(b, set()).add(a)
    for person in range(0, len(people), 7):
        who, whose = friends.of(np.array([person]))
        assert set(who.tolist()) == slow.get(person, set())
        assert set(whose.tolist()) <= {person}


def test_friends_of_several_people_come_one_after_the_other() -> None:
    #    0 - 1, 0 - 2, 2 - 3
    friends = Friends(np.array([0, 2, 3, 5, 6]), np.array([1, 2, 0, 0, 3, 2], dtype=np.int32))
    who, whose = friends.of(np.array([2, 0]))
    assert who.tolist() == [0, 3, 1, 2]
    assert whose.tolist() == [2, 2, 0, 0]


def test_off_net_contacts_are_numbered_after_all_people_and_some_are_shared(people: People) -> None:
    off_net = ties_off_net(SETTINGS, people)
    assert off_net.b.min() >= len(people)
    assert off_net.a.max() < len(people)
    shared = np.bincount(off_net.b - len(people))
    assert (shared > 1).sum() > 0.1 * (shared > 0).sum()


@pytest.mark.parametrize("homophily", [0.0, 0.6])
def test_the_trait_is_correlated_within_communities_as_wished(homophily: float) -> None:
    # Those who would have left are rarer in the first base, so the correlation is measured among newcomers' like:
    # one-way analysis of variance over a world in which hardly anybody leaves for the trait.
    from dataclasses import replace

    settings = WorldSettings(customers=8_000, days=30, homophily=homophily, monthly_churn=0.002)
    settings = replace(settings, mechanism=replace(settings.mechanism, trait=0.0))
    people = population(settings)
    groups = people.community
    size = np.bincount(groups)
    mean = np.bincount(groups, people.trait) / size
    between = (size * (mean - people.trait.mean()) ** 2).sum() / (size.size - 1)
    within = ((people.trait - mean[groups]) ** 2).sum() / (groups.size - size.size)
    typical = (groups.size - (size**2).sum() / groups.size) / (size.size - 1)
    correlation = (between - within) / (between + (typical - 1) * within)
    assert correlation == pytest.approx(homophily, abs=0.06)
    assert people.trait.std() == pytest.approx(1.0, abs=0.08)
