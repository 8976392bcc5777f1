"""How much each feature moved the score of trees between two rows: exact Shapley values of the one against the other.

It reads LightGBM's own description of its trees and refuses to know risks. A feature that is the same in both rows has
moved nothing, whatever the others did: differences of TreeSHAP values of the two rows would not say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .encoding import Floats

Booleans = NDArray[np.bool_]

_ZERO = 1e-35
"""What LightGBM takes for zero where zero means missing (kZeroThreshold)."""

ROWS_AT_ONCE = 512
"""Pairs of rows handled together: rows x leaves x depth stay in the processor's memory."""


@dataclass(frozen=True)
class _Split:
    """One split of a tree: which encoded values go left."""

    feature: int
    threshold: float
    categories: tuple[int, ...] | None
    is_missing_left: bool
    missing: str

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> _Split:
        is_category = node["decision_type"] == "=="
        codes = tuple(int(code) for code in str(node["threshold"]).split("||")) if is_category else None
        return cls(
            node["split_feature"],
            np.nan if is_category else float(node["threshold"]),
            codes,
            bool(node["default_left"]),
            node["missing_type"],
        )

    def goes_left(self, values: Floats) -> Booleans:
        """Decide as LightGBM does, missing values included."""
        is_nan = np.isnan(values)
        if self.categories is not None:
            inside: Booleans = np.isin(values, self.categories)  # a missing category is in no set
            return inside
        known = np.where(is_nan, 0.0, values) if self.missing != "NaN" else values
        left: Booleans = known <= self.threshold
        if self.missing == "NaN":
            return np.where(is_nan, self.is_missing_left, left)
        if self.missing == "Zero":
            return np.where(np.abs(known) <= _ZERO, self.is_missing_left, left)
        return left


@dataclass(frozen=True)
class Tree:
    """One tree as leaves: on the way to a leaf stand conditions, put together by feature.

    ``splits`` of the tree; ``values`` (leaves,). ``slots`` (leaves, most features on a way): the feature, -1 = none.
    ``needs`` (leaves, slots, splits on one feature, 2): the split and 1 for left, 0 for right, -1 = nothing.
    """

    splits: tuple[_Split, ...]
    values: Floats
    slots: NDArray[np.int64]
    needs: NDArray[np.int64]

    @classmethod
    def of(cls, structure: Mapping[str, Any]) -> Tree:
        """Read a tree of ``Booster.dump_model()["tree_info"]``."""
        splits: list[_Split] = []
        leaves = list(_leaves(structure["tree_structure"], splits, ()))
        n_slots = max(len(way) for _, way in leaves)
        deepest = max((len(conditions) for _, way in leaves for conditions in way.values()), default=0)
        slots = np.full((len(leaves), n_slots), -1, dtype=np.int64)
        needs = np.full((len(leaves), n_slots, deepest, 2), -1, dtype=np.int64)
        for leaf, (_, way) in enumerate(leaves):
            for slot, (feature, conditions) in enumerate(way.items()):
                slots[leaf, slot] = feature
                needs[leaf, slot, : len(conditions)] = conditions
        return cls(tuple(splits), np.array([value for value, _ in leaves]), slots, needs)

    def satisfied(self, rows: Floats) -> Booleans:
        """Return (rows, leaves, slots): whether a row's value of the slot's feature allows the way to the leaf."""
        left = np.column_stack([split.goes_left(rows[:, split.feature]) for split in self.splits])
        # one column more, for places without a condition
        turns = np.column_stack([left, np.ones(len(rows), dtype=bool)])
        which, is_left = self.needs[..., 0], self.needs[..., 1] != 0
        allowed: Booleans = (turns[:, which] == is_left).all(axis=-1)
        return allowed

    def moves(self, before: Floats, now: Floats, weights: _Weights, into: Floats) -> None:
        """Add to ``into`` (rows, features) what each feature moved this tree between two rows."""
        if not self.splits:
            return
        was, is_ = self.satisfied(before), self.satisfied(now)
        only_now, only_before = is_ & ~was, was & ~is_
        is_reached = (is_ | was).all(axis=-1)
        n_now, n_before = only_now.sum(axis=-1), only_before.sum(axis=-1)
        gained = np.where(is_reached, self.values * weights.gained[n_now, n_before], 0.0)
        lost = np.where(is_reached, self.values * weights.lost[n_now, n_before], 0.0)
        parts: Floats = only_now * gained[..., None] - only_before * lost[..., None]
        row, leaf, slot = np.nonzero(parts)
        np.add.at(into, (row, self.slots[leaf, slot]), parts[row, leaf, slot])


@dataclass(frozen=True)
class _Weights:
    """Shapley weights of a leaf that needs a features of the one row and b of the other: by a and b."""

    gained: Floats
    lost: Floats

    @classmethod
    def up_to(cls, most: int) -> _Weights:
        gained, lost = np.zeros((most + 1, most + 1)), np.zeros((most + 1, most + 1))
        for a in range(most + 1):
            for b in range(most + 1):
                if a:
                    gained[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
                if b:
                    lost[a, b] = factorial(a) * factorial(b - 1) / factorial(a + b)
        return cls(gained, lost)


@dataclass(frozen=True)
class TreeMoves:
    """All trees of a model, ready to say what moved."""

    trees: tuple[Tree, ...]

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> TreeMoves:
        """Read ``Booster.dump_model()``."""
        return cls(tuple(Tree.of(structure) for structure in model["tree_info"]))

    @cached_property
    def _weights(self) -> _Weights:
        return _Weights.up_to(max((tree.slots.shape[1] for tree in self.trees), default=0))

    def between(self, before: Floats, now: Floats) -> Floats:
        """Return what each feature moved the raw score from the row ``before`` to the row ``now``.

        The Shapley values of the game v(S) = score of a row that takes the features in S from ``now`` and the others
        from ``before`` (Lundberg & Lee 2017 with one background row; per leaf after Lundberg et al. 2020,
        "interventional"). A leaf of value v that is reached only with a features from the one row (A) and b from the
        other (B) gives v (a-1)! b! / (a+b)! to each of A and takes v a! (b-1)! / (a+b)! from each of B.

        Parameters
        ----------
        before, now : ndarray, shape (n, features)
            Encoded rows; nan = missing.

        Returns
        -------
        ndarray, shape (n, features)
            Log-odds; each row sums to score(now) - score(before); 0 for every feature that is the same in both.

        Notes
        -----
        O(n leaves depth) in compiled array steps.
        """
        moved = np.zeros(now.shape)
        for start in range(0, len(now), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            for tree in self.trees:
                tree.moves(before[part], now[part], self._weights, moved[part])
        return moved


def _leaves(
    node: Mapping[str, Any], splits: list[_Split], way: tuple[tuple[int, int, int], ...]
) -> Iterator[tuple[float, dict[int, list[tuple[int, int]]]]]:
    """Yield value and way of every leaf; a way is, by feature, its splits with 1 for left and 0 for right."""
    if "split_feature" not in node:
        by_feature: dict[int, list[tuple[int, int]]] = {}
        for feature, place, turn in way:
            by_feature.setdefault(feature, []).append((place, turn))
        yield float(node["leaf_value"]), by_feature
        return
    split, number = _Split.of(node), len(splits)
    splits.append(split)
    for child, turn in (("left_child", 1), ("right_child", 0)):
        yield from _leaves(node[child], splits, (*way, (split.feature, number, turn)))
