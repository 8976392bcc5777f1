"""What a person's own history says of their leaving, in one number: a risk without network and calls.

It decides which features are the person's own, and refuses to know friends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import matrix

from ..rows import Rows, unified
from ..screening import screened
from ..trees import refitted_trees, settings_for, threads_for
from .panel import Floats, Ints, Sets, Sighting

OWN_GROUPS = frozenset({"profile", "price", "satisfaction", "service"})
"""Groups of features that a friend's leaving does not change by itself. Calls and usage fall when a friend is gone, and
who removes the app has decided: to hold those equal would hide an effect."""

N_FOLDS = 3
N_TREES = 120
LEARNING_RATE = 0.06
N_LEARNED = 6
"""Rows per set learned from, the leaver among them; more cost much and add little to a score for adjusting."""
FEWEST_CASES = 100
"""With fewer cases trees would learn noise: the own risk is then left out (a judgement)."""


def own_columns(frame: pl.DataFrame, group_of: Callable[[str], str]) -> pl.DataFrame:
    """Return the features of `OWN_GROUPS`, in the order of the frame."""
    return frame.select(name for name in frame.columns if group_of(name) in OWN_GROUPS)


def own_scores(sightings: Sequence[Sighting], study: Sets, others: Sets, seed: int) -> tuple[Floats, Floats]:
    """Return the log odds of leaving by own history, for the rows of ``study`` and of ``others``.

    Learned on ``study`` by boosted trees; each community is scored by trees that saw other communities only. 0 for
    everybody where no own features came, or too few people left.
    """
    none = np.zeros(len(study.person)), np.zeros(len(others.person))
    if study.n_sets < FEWEST_CASES or any(look.own is None or not look.own.width for look in sightings):
        return none
    both = [_features(sightings, sets) for sets in (study, others)]
    frame = pl.concat(unified(both), how="diagonal")
    rows = Rows(
        frame,
        left=np.concatenate([study.is_case, others.is_case]).astype(np.float64),
        weight=np.ones(frame.height),
        customer=np.concatenate([study.person, others.person]).astype(object),
        snapshot=np.full(frame.height, "", dtype=object),
    )
    found = screened(rows, lambda _: "")
    if not found.features:
        return none
    encoded = matrix(frame, found.features)
    fold = np.concatenate([_folds(study), _folds(others)])
    is_studied = np.arange(frame.height) < len(study.person)
    learns = is_studied.copy()
    learns[: len(study.person)] &= study.places < N_LEARNED
    small = settings_for(0, seed=seed, threads=threads_for(encoded.size, None))
    settings = small | {"learning_rate": LEARNING_RATE}
    score = np.zeros(frame.height)
    for held in range(N_FOLDS):
        taught, asked = learns & (fold != held), fold == held
        if rows.left[taught].any() and asked.any():
            trees = refitted_trees(
                encoded[taught],
                rows.left[taught],
                None,
                features=found.features,
                settings=settings,
                n_trees=N_TREES,
            )
            score[asked] = trees.score(encoded[asked])
    return score[is_studied], score[~is_studied]


def _features(sightings: Sequence[Sighting], sets: Sets) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for number, look in enumerate(sightings):
        asked = sets.person[sets.look == number]
        if look.own is not None and look.own_row is not None and len(asked):
            parts.append(look.own[look.own_row[np.searchsorted(look.person, asked)]])
    if not parts:
        first = sightings[0].own
        return pl.DataFrame() if first is None else first.clear()
    return pl.concat(unified(parts), how="diagonal")


def _folds(sets: Sets) -> NDArray[np.int64]:
    folds: Ints = np.repeat(sets.cluster % N_FOLDS, sets.n_in_set)
    return folds
