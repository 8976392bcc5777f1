"""How a customer would leave, if they left: shares of kinds from the same inputs as the risk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from .encoding import Floats
from .learners import Additive


@dataclass(frozen=True)
class LeaverKinds:
    """One learner per kind, of that kind against the others, in the order of ``names``; their scores made shares.

    Shares are the softmax of ``weights`` @ scores + ``shifts``, K x K and K for K kinds (matrix scaling; Kull et al.
    2019): learners against all others do not sum to 1, nor does dividing by the sum make them right.
    """

    names: tuple[str, ...]
    learners: tuple[Additive, ...]
    weights: tuple[tuple[float, ...], ...]
    shifts: tuple[float, ...]

    def shares(self, encoded: Floats) -> Floats:
        """Return (rows, kinds) from the encoded inputs of the model: probabilities that sum to 1 in each row."""
        return self.shares_of(np.column_stack([learner.score(encoded) for learner in self.learners]))

    def shares_of(self, scores: Floats) -> Floats:
        """Return the shares of (rows, kinds) log-odds of each kind against the others."""
        shares: Floats = softmax(scores @ np.array(self.weights).T + np.array(self.shifts), axis=1)
        return shares

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        learners = {name: json.loads(each.text) for name, each in zip(self.names, self.learners, strict=True)}
        return {
            "learners": learners,
            "weights": [list(row) for row in self.weights],
            "shifts": list(self.shifts),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> LeaverKinds:
        """Read what :meth:`as_dict` gave."""
        learners = plain["learners"]
        return cls(
            tuple(learners),
            tuple(Additive.from_dict(each) for each in learners.values()),
            tuple(tuple(row) for row in plain["weights"]),
            tuple(plain["shifts"]),
        )
