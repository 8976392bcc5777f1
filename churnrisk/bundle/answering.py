"""Who answers when asked, kept beside the predicted categories: trees as text, and the level of past invitations.

It decides a chance per customer, and refuses to know what they would answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..errors import Fault, ModelUnfit
from .encoding import Feature, Floats, matrix, table_faults
from .files import json_text
from .learners import Trees

ANSWERING_FILE = "answering.json"

LEAST_CHANCE, MOST_CHANCE = 0.01, 0.95
"""Chances of an answer are kept within these: a smooth learner knows no nevers and no always (judgement)."""


@dataclass(frozen=True)
class Answering:
    """Chance of an answer if asked: mean of ``learners`` times ``factor``; ``response`` alone where there are none.

    The learners know who answers at all within 90 days, asked or not; ``factor`` makes their mean the ``response`` of
    past invitations. That supposes that being asked did not depend on the same inputs, as it does not in waves.
    """

    response: float
    n_invited: int = 0
    features: tuple[Feature, ...] = ()
    learners: tuple[str, ...] = ()
    factor: float = 1.0

    @cached_property
    def _trees(self) -> tuple[Trees, ...]:
        return tuple(Trees(text) for text in self.learners)

    def chance(self, frame: pl.DataFrame) -> Floats:
        """Return the chance (0 to 1) that each row's customer answers; raises ModelUnfit as a risk does."""
        if not self.learners:
            return np.full(frame.height, self.response)
        faults: list[Fault] = table_faults(frame, self.features, (), allow_extra=True)
        if faults:
            raise ModelUnfit(faults)
        encoded = matrix(frame, self.features)
        found = np.array([tree.booster.predict(encoded) for tree in self._trees], dtype=np.float64)
        chance: Floats = np.clip(self.factor * found.mean(axis=0), LEAST_CHANCE, MOST_CHANCE)
        return chance

    def save(self, folder: Path) -> None:
        """Write into ``folder``; the same always gives the same bytes."""
        plain: dict[str, Any] = {
            "response": self.response,
            "n_invited": self.n_invited,
            "factor": self.factor,
            "features": [feature.as_dict() for feature in self.features],
            "learners": list(self.learners),
        }
        (folder / ANSWERING_FILE).write_text(json_text(plain), encoding="utf-8", newline="\n")


def read_answering(folder: Path) -> Answering | None:
    """Return what lies in ``folder``; None for a model trained before."""
    path = folder / ANSWERING_FILE
    if not path.is_file():
        return None
    plain: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return Answering(
        response=plain["response"],
        n_invited=plain["n_invited"],
        features=tuple(Feature.from_dict(each) for each in plain["features"]),
        learners=tuple(plain["learners"]),
        factor=plain["factor"],
    )
