"""Which inputs of a customer get a line of their own: the strongest, each story once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .described import Described
from .discretion import Booleans
from .effects import Floats

N_PER_GROUP = 2
"""Lines per group of features, at most, so that one story is not told five times. A judgement."""


@dataclass
class Choice:
    """Lines chosen for one customer: places of features, in the order chosen."""

    features: Sequence[Described]
    points: Floats
    may_tell: Booleans
    own_at_most: int | None
    """Lines for inputs that do not speak of others; None: no line for any input."""
    is_each_story_once: bool = True
    """No more than `N_PER_GROUP` lines of a group, and one of a family."""
    chosen: list[int] = field(default_factory=list)

    def take(self, sizes: Floats, most: int) -> None:
        """Choose up to ``most`` more features of positive size, the largest first, equal ones in the model's order."""
        per_group = Counter(self.features[k].group for k in self.chosen)
        stories = {self.features[k].story for k in self.chosen}
        n_left = 0 if self.own_at_most is None else most
        for k in np.argsort(-sizes, kind="stable"):
            feature = self.features[k]
            if n_left <= 0 or sizes[k] <= 0:
                return
            is_new = not self.is_each_story_once or (
                per_group[feature.group] < N_PER_GROUP and feature.story not in stories
            )
            if self.may_tell[k] and is_new and (feature.is_of_others or self._n_own_left > 0):
                self.chosen.append(int(k))
                stories.add(feature.story)
                per_group[feature.group] += 1
                n_left -= 1

    @property
    def _n_own_left(self) -> int:
        return (self.own_at_most or 0) - sum(not self.features[k].is_of_others for k in self.chosen)
