"""What a study of contagion found: the estimate, the controls it had to pass, and the verdict in words.

It knows numbers and sentences, and refuses to know how they were won or where they are shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from .probability import Interval

Verdict = Literal["spreads", "no_evidence", "not_identified"]

VERDICTS: Mapping[str, str] = {
    "spreads": "churn spreads here",
    "no_evidence": "no evidence that it spreads",
    "not_identified": "not identified",
}
"""The three answers, in words."""

CONTROL_WORDS: Mapping[str, str] = {
    "own_risk_before": "own risk before the friend left",
    "strangers": "leavings of people with friends in common, not tied",
}
"""The negative controls: what must not be associated with the leaving of a friend."""

LARGEST_CONTROL_Z = 2.0
"""A control fails from this many standard errors (science, section 3)."""

LARGEST_SHUFFLE_P = 0.05
"""Share of shuffles with as large an effect, from which the timing of friends' leaving does not matter."""


@dataclass(frozen=True)
class Contagion:
    """Does churn spread along ties here?

    Attributes
    ----------
    verdict, reason
        The answer, and why it is not another one.
    ratio
        Causal relative hazard per recently churned close friend: 1 = none. The value is as measured; the interval also
        allows for those most prone to leave having left first, which makes the ratio seen smaller than the cause.
    measured
        The same value with the plain 95 % interval of sampling.
    naive
        Hazard ratio per recently churned close friend without any adjustment.
    weaker
        Ratio per recently churned friend by weaker ties: "middle", "weak".
    controls
        z of each negative control; None where it could not be computed.
    future
        Ratio per close friend who leaves in the month after; real contagion runs both ways, so it is no gate.
    shuffle_p, shuffled, shuffle_observed
        Share of shuffles of the friends' dates of leaving with as large an effect, the mean ratio among them, and the
        ratio of the real dates computed the same way: along the ties of the first look, without own history.
    n_leavers, n_exposed, n_compared
        Leavers studied, those of them with a recently churned close friend, and comparisons (people and dates).
    n_needed
        Leavers that would be needed, where there are too few.
    """

    verdict: Verdict
    reason: str
    ratio: Interval | None = None
    measured: Interval | None = None
    naive: Interval | None = None
    weaker: Mapping[str, Interval] = field(default_factory=dict)
    controls: Mapping[str, float | None] = field(default_factory=dict)
    future: Interval | None = None
    shuffle_p: float | None = None
    shuffled: float | None = None
    shuffle_observed: float | None = None
    n_leavers: int = 0
    n_exposed: int = 0
    n_compared: int = 0
    n_needed: int | None = None

    @property
    def is_passed(self) -> bool:
        """Whether the estimate may stand for the cautious default in money."""
        return self.verdict == "spreads"

    @property
    def causal_effect(self) -> Interval | None:
        """Relative extra hazard per recently churned close friend, None unless the estimate passed its controls."""
        if self.ratio is None or not self.is_passed:
            return None
        return Interval(*(end - 1 for end in (self.ratio.value, self.ratio.low, self.ratio.high)))

    def sentences(self) -> tuple[str, ...]:
        """Say what was found, verdict first, in plain words."""
        lines = [f"{VERDICTS[self.verdict].capitalize()}: {self.reason}"]
        if self.ratio is not None:
            lines.append(
                "Per close friend who left in the last three months, the chance of leaving is multiplied by "
                f"{_interval(self.ratio)}; without any adjustment the figure would be {_interval(self.naive)}."
            )
        tested = [
            f"{CONTROL_WORDS[name]}: z = {value:.1f}"
            for name, value in self.controls.items()
            if value is not None
        ]
        if tested:
            lines.append("Controls, to lie within 2: " + "; ".join(tested) + ".")
        if self.shuffle_p is not None:
            lines.append(
                f"Shuffle test, along the ties of the first look: {self.shuffle_observed:.2f} with the real dates of "
                f"leaving, {self.shuffled:.2f} on average with shuffled ones, as large or larger with "
                f"{100 * self.shuffle_p:.0f} % of them."
            )
        if self.n_leavers:
            lines.append(
                f"From {self.n_leavers:,} leavers, {self.n_exposed:,} of them after a close friend, each compared with "
                f"others of the same community on the same day ({self.n_compared:,} comparisons)."
            )
        return tuple(lines)

    def as_plain(self) -> dict[str, Any]:
        """Give everything as values for JSON; what is undefined is null."""
        plain = asdict(self)
        for name in _INTERVALS:
            plain[name] = _ends(getattr(self, name))
        plain["weaker"] = {name: _ends(found) for name, found in self.weaker.items()}
        plain["causal_effect"] = _ends(self.causal_effect)
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Contagion:
        """Read what `as_plain` gave."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in plain.items() if name in known}
        for name in _INTERVALS:
            values[name] = _restored(values.get(name))
        weaker = values.get("weaker") or {}
        values["weaker"] = {
            name: found for name, ends in weaker.items() if (found := _restored(ends)) is not None
        }
        return cls(**values)


_INTERVALS = ("ratio", "measured", "naive", "future")


def _ends(found: Interval | None) -> list[float | None] | None:
    if found is None:
        return None
    return [None if math.isnan(end) else end for end in (found.value, found.low, found.high)]


def _restored(ends: Sequence[float | None] | None) -> Interval | None:
    return None if ends is None else Interval(*(math.nan if end is None else end for end in ends))


def _interval(found: Interval | None) -> str:
    return (
        "unknown"
        if found is None
        else f"{found.value:.2f} (95 % interval {found.low:.2f} to {found.high:.2f})"
    )
