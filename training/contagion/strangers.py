"""The leavings of people one is not tied to: what must tell nothing if leaving goes along ties.

It decides who stands in for the friends of a leaver, and refuses to know models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from .panel import (
    CLOSE,
    FRESH_DAYS,
    MOST_FRIENDS,
    RECENT_DAYS,
    Departures,
    Floats,
    Ints,
    Sets,
    Sighting,
    Tally,
)

FEWEST_COMMON = 2
"""Friends in common from which somebody belongs to the circle of a person: one may be chance."""

MOST_AROUND = 4
"""People of a leaver's circle who are asked, those with most friends in common first; about as many as a leaver has
close friends (a judgement)."""

NEAREST = 6
"""Places up and down the order by number of ties in which a stranger like the friend's friend is looked for."""


def circles(node_a: Ints, node_b: Ints, leavers: Ints) -> tuple[Ints, Ints]:
    """Return who shares friends with each leaver without being tied to them: person, leaver.

    Whoever is hit by what hits the leaver's circle (one family, one street, one competitor's visit) is as likely among
    these as among the friends, but nothing can have come along a tie.

    Parameters
    ----------
    node_a, node_b
        int, ties: each pair once.
    leavers
        int: nodes.

    Returns
    -------
    tuple
        At most `MOST_AROUND` people per leaver with at least `FEWEST_COMMON` friends in common, and more than the
        leaver's own friends have on average: those with most, of equal ones those with fewer ties, then the smaller
        node. Ordered by leaver.

    Notes
    -----
    One join of the leavers' ties with all ties: O(leavers x mean ties^2) rows.
    """
    ego, friend = np.concatenate([node_a, node_b]), np.concatenate([node_b, node_a])
    n_ties = np.bincount(ego) if len(ego) else np.empty(0, np.int64)
    ties = pl.DataFrame({"friend": ego, "person": friend})
    of_leavers = pl.DataFrame({"leaver": ego, "friend": friend}).filter(
        pl.col("leaver").is_in(pl.Series(np.unique(leavers)).implode())
    )
    pairs = (
        of_leavers.join(ties, on="friend")
        .filter(pl.col("person") != pl.col("leaver"))
        .group_by("leaver", "person")
        .len("n_common")
    )
    tied = of_leavers.rename({"friend": "person"})
    shared = pairs.join(tied, on=["leaver", "person"]).group_by("leaver").agg(shared=pl.col("n_common").sum())
    usual = of_leavers.group_by("leaver").len("n_tied").join(shared, on="leaver", how="left")
    around = (
        pairs.join(tied, on=["leaver", "person"], how="anti")
        .join(usual, on="leaver")
        .filter(
            (pl.col("n_common") >= FEWEST_COMMON)
            & (pl.col("n_common") * pl.col("n_tied") > pl.col("shared").fill_null(0))
        )
        .select("leaver", "person", "n_common")
    )
    around = (
        around.with_columns(n_ties=pl.Series(n_ties[around["person"].to_numpy()], dtype=pl.Int64))
        .sort(["leaver", "n_common", "n_ties", "person"], descending=[False, True, False, False])
        .group_by("leaver", maintain_order=True)
        .head(MOST_AROUND)
    )
    return around["person"].to_numpy().astype(np.int64), around["leaver"].to_numpy().astype(np.int64)


def strangers_who_left(sightings: Sequence[Sighting], seen: Departures, sets: Sets, n_people: int) -> Floats:
    """Count for each row of ``sets`` the leavings, 21 to 91 days ago, of people to whose circle they belong untied.

    Where nobody shares friends with a leaver, each close friend's leaving is given to a person of the same community at
    the same look, with about as many ties as the friend and none to who left.
    """
    people: list[Ints] = []
    days: list[Ints] = []
    is_close = seen.closeness == CLOSE
    for number, look in enumerate(sightings):
        here = is_close & (seen.look == number)
        leaver, first = np.unique(seen.friend[here], return_index=True)
        day_of = seen.day[here][first]
        person, around = _of(look, leaver)
        people.append(person)
        days.append(day_of[np.searchsorted(leaver, around)])
        alone = here.copy()
        alone[here] = ~np.isin(seen.friend[here], around)
        stand_in = _alike(look, seen.ego[alone], seen.friend[alone], n_people)
        people.append(stand_in[stand_in >= 0])
        days.append(seen.day[alone][stand_in >= 0])
    tally = Tally(np.concatenate(people), np.concatenate(days))
    counted = tally.between(sets.person, sets.day - RECENT_DAYS, sets.day - FRESH_DAYS)
    return np.minimum(counted, MOST_FRIENDS).astype(np.float64)


def _of(look: Sighting, leaver: Ints) -> tuple[Ints, Ints]:
    kept = np.isin(look.around, leaver)
    return look.beside[kept], look.around[kept]


def _alike(look: Sighting, ego: Ints, friend: Ints, n_people: int) -> Ints:
    """Return somebody of the ego's community with about as many ties and none to the friend; -1 = nobody."""
    order = np.lexsort((look.person, look.n_ties, look.community))
    person, community = look.person[order], look.community[order]
    place_of = np.full(n_people, -1, np.int64)
    place_of[person] = np.arange(len(person))
    tied = np.sort(look.ego * n_people + look.friend)
    place = place_of[ego]
    found = np.full(len(ego), -1, np.int64)
    for step in sorted(range(-NEAREST, NEAREST + 1), key=lambda step: (abs(step), step)):
        if step == 0 or not len(person):
            continue
        other = np.clip(place + step, 0, len(person) - 1)
        candidate = person[other]
        key = candidate * n_people + friend
        at = np.minimum(np.searchsorted(tied, key), max(len(tied) - 1, 0))
        is_tied = tied[at] == key if len(tied) else np.zeros(len(key), np.bool_)
        fits = (
            (place >= 0)
            & (place + step == other)
            & (community[other] == community[np.maximum(place, 0)])
            & (community[other] >= 0)
            & ~is_tied
            & (candidate != friend)
            & (found < 0)
        )
        found = np.where(fits, candidate, found)
    return found
