"""What an answer to a confirming survey says about leaving: likelihood ratios, kept beside a risk model as JSON.

    answers.json    log likelihood ratios with intervals, the slope that tempers them, and how many answers they rest on

It decides how much an answer of some age is worth, and refuses to know how that was learned and who answered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from .encoding import Floats
from .files import json_text
from .nps import NPS_CATEGORIES, nps_category

ANSWERS_FILE = "answers.json"

Evidence = Literal["detractor", "passive", "promoter", "silent"]
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
"""What an invitation can come to, in this order everywhere: the categories, and asked but silent."""

SILENT = EVIDENCE.index("silent")

EVIDENCE_PURPOSES: tuple[str, ...] = ("confirm", "random")
"""Invitations of these purposes are evidence and never features; all others are features and never evidence."""

DEFAULT_LOG_RATIOS: Mapping[Evidence, float] = {
    "detractor": 0.7,
    "passive": 0.0,
    "promoter": -0.7,
    "silent": 0.0,
}
"""Science, section 8: a judgement there. Only differences between them move a risk."""

HALF_LIFE_DAYS = 90.0
"""An answer is worth half as much so many days later (science, section 8)."""

EVIDENCE_DAYS = 365.0
"""Older answers are worth nothing (judgement: a sixteenth is left, and the same year says who counts as silent)."""

STATED_RESPONSE = 0.3
STATED_SHARES: Mapping[str, float] = {"detractor": 0.25, "passive": 0.35, "promoter": 0.40}
"""Chance of an answer (science, section 11: 25 to 35 %), and shares among answers, where nothing is known: guesses."""

CSAT_LOW, CSAT_TOP, CES_LOW, CES_TOP = 2, 5, 3, 7
"""CSAT 1-2 and CES 1-3 count as detractor, 5 and 7 as promoter: as exposures read them (glossary)."""


def answer_category(metric: pl.Expr, score: pl.Expr) -> pl.Expr:
    """Return the place in :data:`EVIDENCE` of an answer on any metric (Int8), null without a score."""
    low = pl.when(metric == "csat").then(CSAT_LOW).otherwise(CES_LOW)
    top = pl.when(metric == "csat").then(CSAT_TOP).otherwise(CES_TOP)
    other = pl.when(score <= low).then(0).when(score >= top).then(2).when(score.is_not_null()).then(1)
    return pl.when(metric == "nps").then(nps_category(score)).otherwise(other).cast(pl.Int8)


@dataclass(frozen=True)
class Ratio:
    """One log likelihood ratio with its interval (95 %), and the evidence behind it; ends None where assumed."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    n_leavers: int = 0


@dataclass(frozen=True)
class AnswerRatios:
    """What answers are worth, and what that rests on; ``reason`` says why the ratios are assumed, empty if learned.

    ``slope`` tempers all of them, as the risk holds part of the same information; ``shares`` are those of detractors,
    passives and promoters among the answers, ``response`` the share of invitations answered. ``n_asked`` counts
    invitations used, ``n_random`` those of the random slice among them, ``n_left_out`` those not used.
    """

    ratios: Mapping[Evidence, Ratio]
    slope: Ratio = field(default_factory=lambda: Ratio(1.0))
    half_life_days: float = HALF_LIFE_DAYS
    shares: Mapping[str, float] = field(default_factory=lambda: dict(STATED_SHARES))
    response: float = STATED_RESPONSE
    n_asked: int = 0
    n_answered: int = 0
    n_leavers: int = 0
    n_random: int = 0
    n_left_out: int = 0
    strength: float = 0.0
    reason: str = ""
    selection: str = ""
    """How invitations that were chosen, not drawn, were used; a sentence."""

    @classmethod
    def assumed(cls, reason: str, **counts: Any) -> AnswerRatios:
        """Return the defaults, saying why nothing was learned; ``counts`` are fields of what there was."""
        return cls(
            {name: Ratio(value) for name, value in DEFAULT_LOG_RATIOS.items()}, reason=reason, **counts
        )

    @property
    def is_learned(self) -> bool:
        """Whether the ratios were measured at all."""
        return not self.reason

    @property
    def log_ratios(self) -> Floats:
        """Return what evidence of today adds in log odds, before the normalisation: slope x log ratio, shape (4,)."""
        return self.slope.value * np.array([self.ratios[name].value for name in EVIDENCE])

    def aged(self, age_days: ArrayLike) -> Floats:
        """Return :attr:`log_ratios` of evidence of so many days, shape (n, 4): x 2^(-age / half-life), 0 past a year.

        >>> AnswerRatios.assumed("none").aged([0.0, 90.0, 400.0]).tolist()[:2]
        [[0.7, 0.0, -0.7, 0.0], [0.35, 0.0, -0.35, 0.0]]
        """
        return evidence_weight(age_days, self.half_life_days)[:, None] * self.log_ratios[None, :]

    @property
    def chances(self) -> Floats:
        """Return the chance of each evidence after an invitation, from past shares alone, shape (4,), summing to 1."""
        answered = np.array([self.shares[name] for name in NPS_CATEGORIES])
        return np.append(self.response * answered / answered.sum(), 1.0 - self.response)

    def sentence(self) -> str:
        """Say for a terminal, card or report what the ratios rest on."""
        told = ", ".join(f"{name} {_told(self.ratios[name])}" for name in EVIDENCE)
        if self.reason:
            return f"What an answer says about leaving is assumed, not measured ({self.reason}): log ratios {told}."
        return (
            f"What an answer says about leaving is learned from {self.n_answered:,} answers to {self.n_asked:,} "
            f"invitations, {self.n_random:,} of them drawn at random, and {self.n_leavers:,} leavers: log ratios "
            f"{told}; tempered by {_told(self.slope)}, as the risk knows part of it already. {self.selection}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        plain = {
            name: value for name, value in vars(self).items() if name not in {"ratios", "slope", "shares"}
        }
        return plain | {
            "ratios": {name: vars(ratio) for name, ratio in self.ratios.items()},
            "slope": vars(self.slope),
            "shares": dict(self.shares),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> AnswerRatios:
        """Read what :meth:`as_dict` gave."""
        ratios = {name: Ratio(**plain["ratios"][name]) for name in EVIDENCE}
        return cls(**{**plain, "ratios": ratios, "slope": Ratio(**plain["slope"])})

    def save(self, folder: Path) -> None:
        """Write into ``folder``; the same always gives the same bytes."""
        (folder / ANSWERS_FILE).write_text(json_text(self.as_dict()), encoding="utf-8", newline="\n")


def read_answers(folder: Path) -> AnswerRatios:
    """Return what lies beside the risk model in ``folder``, the defaults where the model was trained without."""
    path = folder / ANSWERS_FILE
    if not path.is_file():
        return AnswerRatios.assumed("the model in use was trained before anybody was asked to confirm")
    return AnswerRatios.from_dict(json.loads(path.read_text("utf-8")))


def evidence_weight(age_days: ArrayLike, half_life_days: float = HALF_LIFE_DAYS) -> Floats:
    """Return 2^(-age / half-life), 1 at most, 0 for evidence over a year old.

    >>> evidence_weight([-1.0, 0.0, 180.0, 366.0]).tolist()
    [1.0, 1.0, 0.25, 0.0]
    """
    age = np.maximum(np.asarray(age_days, dtype=np.float64), 0.0)
    return np.where(age > EVIDENCE_DAYS, 0.0, np.exp2(-age / half_life_days))


def places_of(evidence: Sequence[str]) -> NDArray[np.int8]:
    """Return the place of each name in :data:`EVIDENCE`."""
    place = {name: number for number, name in enumerate(EVIDENCE)}
    return np.array([place[name] for name in evidence], dtype=np.int8)  # type: ignore[index]


def _told(ratio: Ratio) -> str:
    ends = "" if ratio.low is None or ratio.high is None else f" [{ratio.low:+.2f}, {ratio.high:+.2f}]"
    return f"{ratio.value:+.2f}{ends}"
