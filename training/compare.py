"""The champion beside a new model on the same out-of-time rows: better, worse, no difference, or not comparable.

It decides when such a comparison is fair and what its verdict is, and refuses to know the registry. Decision 17.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import Bundle
from churnrisk.errors import ModelUnfit
from churnrisk.metrics import Interval, paired_differences

from .rows import Rows

Verdict = Literal["better", "worse", "no difference", "not comparable"]

DECIDING = ("log_loss", "auc")
"""Figures whose paired intervals decide: worse when one lies wholly below 0, whatever the other says."""

MOST_NAMED = 3
"""Faults of a feature table that a reason names; the others are counted."""

UNITS = {
    "auc": "AUC",
    "top_decile_lift": "lift of the first tenth",
    "log_loss": "log loss, nats per customer, so turned that more is better",
    "empc": "expected profit per customer",
}


@dataclass(frozen=True)
class Champion:
    """The model in use: what the night scores with, and the one that was judged when it was trained, if kept."""

    version: str
    shipped: Bundle
    twin: Bundle | None = None


@dataclass(frozen=True)
class Comparison:
    """How a new model does beside the champion.

    ``gains`` are new minus old by figure, more than 0 where the new one is better, with paired 95 % intervals that draw
    whole customers; empty when nothing could be compared, and then ``why`` says why.
    """

    champion: str
    """The champion's version."""
    verdict: Verdict
    why: str = ""
    side: Literal["shipped", "judged", ""] = ""
    """Which model stood for the champion: the one in use, or the one judged in its own training."""
    gains: Mapping[str, Interval] = field(default_factory=dict)
    n_rows: int = 0
    n_leavers: int = 0

    def sentences(self) -> tuple[str, ...]:
        """Say it for a terminal and a model card."""
        if self.verdict == "not comparable":
            return (f"Not comparable with the champion, version {self.champion}: {self.why}.",)
        stands = (
            "the model in use"
            if self.side == "shipped"
            else "the model judged in its training, since the one in use has seen these outcomes"
        )
        told = {
            "better": "better than",
            "worse": "worse than",
            "no difference": "not different beyond chance from",
        }[self.verdict]
        head = (
            f"On the same {self.n_rows:,} rows out of time, {self.n_leavers:,} of them leavers, this model is {told} "
            f"the champion, version {self.champion} ({stands})."
        )
        gained = [
            f"Gained in {UNITS[name]}: {gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
            for name, gain in self.gains.items()
        ]
        return (head, *gained)

    def as_plain(self) -> dict[str, Any]:
        """Give everything as plain values: a gain is a list of value, low and high; undefined is null."""
        return {
            "champion": self.champion,
            "verdict": self.verdict,
            "why": self.why,
            "side": self.side,
            "gains": {
                name: [None if math.isnan(end) else end for end in (gain.value, gain.low, gain.high)]
                for name, gain in self.gains.items()
            },
            "n_rows": self.n_rows,
            "n_leavers": self.n_leavers,
        }


def compared(
    tested: Rows,
    risk: NDArray[np.float64],
    new: Bundle,
    champion: Champion,
    *,
    first_test: datetime,
    seed: int,
) -> Comparison:
    """Compare a new model with the champion on rows that neither has learned from.

    Parameters
    ----------
    tested : out-of-time rows, features and outcomes.
    risk : shape (n,), the new model's risks for them, 0 to 1.
    new : the new model as it was judged: what leaving means to it, and with which tie strength its features were made.
    champion : the model in use.
    first_test : as-of instant of the earliest tested date, naive UTC. A model may stand for the champion when it had
        seen outcomes until then at most, as in the night of that date.
    seed : of the bootstrap.

    Returns
    -------
    Comparison
        Worse: the paired interval of log loss or of AUC lies wholly below 0. Better: one of them lies wholly above 0
        and none below. Not comparable: both sides of the champion have seen the outcomes, or it predicts something
        else, or it cannot read these features; never an error.
    """
    stands = _honest(champion, first_test)
    if stands is None:
        why = "it has learned from outcomes of the dates that judge, and what was judged in its training is not kept"
        if champion.twin is not None:
            why = "it has learned from outcomes of the dates that judge, and so has the model judged in its training"
        return not_comparable(champion.version, why)
    side, model = stands
    difference = _other_task(model, new)
    if difference:
        return not_comparable(champion.version, difference)
    try:
        old = model.predict(tested.frame, allow_extra=True)["risk"].to_numpy()
    except ModelUnfit as error:
        named = [f"{fault.where} ({fault.found})" for fault in error.faults[:MOST_NAMED]]
        more = len(error.faults) - len(named)
        told = ", ".join(named) + (f" and {more} more" if more else "")
        return not_comparable(champion.version, f"it cannot read today's features: {told}")
    gains = paired_differences(
        tested.left,
        risk,
        old,
        tested.weight if tested.is_weighted else None,
        customer=tested.customer.astype(str),
        seed=seed,
    )
    if any(math.isnan(gains[name].low) for name in DECIDING):
        return not_comparable(
            champion.version,
            f"{tested.n_leavers} leavers on the dates that judge are too few for an interval",
        )
    return Comparison(
        champion.version, verdict_of(gains), "", side, gains, len(tested.left), tested.n_leavers
    )


def verdict_of(gains: Mapping[str, Interval]) -> Verdict:
    """Return what paired intervals of new minus old say; see :func:`compared`.

    >>> verdict_of({"log_loss": Interval(0.01, -0.01, 0.03), "auc": Interval(-0.02, -0.03, -0.01)})
    'worse'
    """
    if any(gains[name].high < 0 for name in DECIDING):
        return "worse"
    if any(gains[name].low > 0 for name in DECIDING):
        return "better"
    return "no difference"


def not_comparable(champion: str, why: str) -> Comparison:
    """Return the comparison that could not be made, and why."""
    return Comparison(champion, "not comparable", why)


def _honest(champion: Champion, first_test: datetime) -> tuple[Literal["shipped", "judged"], Bundle] | None:
    """Return the side of the champion that has seen nothing of the tested outcomes; the one in use comes first."""
    if _saw_nothing_after(champion.shipped, first_test):
        return "shipped", champion.shipped
    if champion.twin is not None and _saw_nothing_after(champion.twin, first_test):
        return "judged", champion.twin
    return None


def _saw_nothing_after(model: Bundle, until: datetime) -> bool:
    seen = model.provenance.trained_until
    return seen is not None and datetime.fromisoformat(seen) <= until


def _other_task(model: Bundle, new: Bundle) -> str:
    """Say what the champion predicts, or was taught with, that differs; empty when nothing does."""
    old, now = model.provenance.churn, new.provenance.churn
    changed = sorted(name for name in old.keys() & now.keys() if old[name] != now[name])
    if changed:
        told = ", ".join(f"{name} {old[name]} then, {now[name]} now" for name in changed)
        return f"leaving meant something else to it ({told})"
    if (model.tie_weights or {}) != (new.tie_weights or {}):
        return "its ties had another strength"
    return ""
