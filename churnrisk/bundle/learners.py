"""The two learners a bundle can hold, trees and an additive logistic, read back from text; refuses to know fitting.

Both give a raw score in log-odds and contributions of each feature that add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from .encoding import Floats
from .tree_moves import TreeMoves

if TYPE_CHECKING:
    import lightgbm


class Learner(Protocol):
    """Whatever turns encoded features into a raw score."""

    @property
    def kind(self) -> str:
        """Name of the learner."""

    @property
    def text(self) -> str:
        """The learner as text, for a file."""

    def score(self, encoded: Floats) -> Floats:
        """Return the raw score (log-odds) of each row."""

    def contributions(self, encoded: Floats) -> Floats:
        """Return (rows, features + 1): what each feature adds to the raw score; last the score of the average row."""

    def moves(self, before: Floats, now: Floats) -> Floats:
        """Return (rows, features): what each feature moved the raw score from one row to the other; adds up."""


@dataclass(frozen=True)
class Trees:
    """LightGBM's own text form."""

    text: str
    kind: ClassVar[str] = "lightgbm"

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """The model in memory."""
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    def score(self, encoded: Floats) -> Floats:
        """Return the raw score (log-odds) of each row."""
        return np.asarray(self.booster.predict(encoded, raw_score=True), dtype=np.float64)

    def contributions(self, encoded: Floats) -> Floats:
        """Return exact TreeSHAP values; several milliseconds a row on large models."""
        return np.asarray(self.booster.predict(encoded, pred_contrib=True), dtype=np.float64)

    @cached_property
    def _moves(self) -> TreeMoves:
        return TreeMoves.of(self.booster.dump_model())

    def moves(self, before: Floats, now: Floats) -> Floats:
        """Return the exact Shapley values of one row against the other; see `TreeMoves.between`."""
        return self._moves.between(before, now)


@dataclass(frozen=True)
class Effect:
    """What one feature adds to the score: a straight line within [low, high] for a number, a value per category.

    ``missing`` is what an unknown value adds; the line is slope (value - centre) + offset. With ``limits`` a number
    counts as a category: how many of them it has reached. Effects are centred: their training mean is 0.
    """

    missing: float
    slope: float = 0.0
    centre: float = 0.0
    low: float = 0.0
    high: float = 0.0
    offset: float = 0.0
    by_code: tuple[float, ...] = ()
    limits: tuple[float, ...] = ()

    def of(self, values: Floats) -> Floats:
        """Return the effect of encoded values."""
        known = ~np.isnan(values)
        effect = np.full(values.shape, self.missing)
        if self.by_code:
            reached = (
                np.searchsorted(self.limits, values[known], side="right") if self.limits else values[known]
            )
            effect[known] = np.asarray(self.by_code)[reached.astype(np.intp)]
        else:
            line = self.slope * (np.clip(values[known], self.low, self.high) - self.centre)
            effect[known] = line + self.offset
        return effect

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        if self.by_code:
            limits = {"limits": list(self.limits)} if self.limits else {}
            return {"missing": self.missing, "by_code": list(self.by_code), **limits}
        line = {name: getattr(self, name) for name in ("slope", "centre", "low", "high", "offset")}
        return {"missing": self.missing, **line}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Effect:
        """Read what :meth:`as_dict` gave."""
        return cls(**{**plain, **{name: tuple(plain.get(name, ())) for name in ("by_code", "limits")}})


@dataclass(frozen=True)
class Additive:
    """A regularised logistic regression as one effect per feature; used when leavers are few."""

    intercept: float
    effects: tuple[Effect, ...]
    kind: ClassVar[str] = "logistic"

    @property
    def text(self) -> str:
        """The learner as JSON text."""
        from .files import json_text

        return json_text(
            {"intercept": self.intercept, "effects": [effect.as_dict() for effect in self.effects]}
        )

    def contributions(self, encoded: Floats) -> Floats:
        """Return each feature's effect; last the intercept, which is the mean score of training."""
        columns = [effect.of(encoded[:, position]) for position, effect in enumerate(self.effects)]
        return np.column_stack([*columns, np.full(len(encoded), self.intercept)])

    def moves(self, before: Floats, now: Floats) -> Floats:
        """Return the differences of the effects."""
        moved: Floats = self.contributions(now)[:, :-1] - self.contributions(before)[:, :-1]
        return moved

    def score(self, encoded: Floats) -> Floats:
        """Return the raw score (log-odds) of each row."""
        total: Floats = self.contributions(encoded).sum(axis=1)
        return total

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Additive:
        """Read the JSON of :attr:`text`."""
        effects: Sequence[Mapping[str, Any]] = plain["effects"]
        return cls(plain["intercept"], tuple(Effect.from_dict(effect) for effect in effects))
