"""What comes out of a training: the model to ship and all that is known about it.

It decides what is kept of a training, and refuses to know how it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from churnrisk.bundle import Bundle, Lifetime, PredictedNps, Reference
from churnrisk.errors import ModelUnfit
from churnrisk.metrics import Contagion, Interval

from .censoring import Censoring
from .compare import Comparison
from .evaluate import Evaluation
from .gates import GateFinding, gate_faults
from .leakage import Leak
from .lifetime import COHORT_COLUMNS


@dataclass(frozen=True)
class SnapshotUse:
    """One snapshot of the training, with how many customers it holds by status (leaver, stayer, in_notice ...)."""

    as_of: str
    use: str
    is_shipped: bool
    n_rows: int
    n_leavers: int
    counts: Mapping[str, int]


class Responses(Protocol):
    """What was learned of responses, to be kept beside the model."""

    def sentences(self) -> Iterator[str]:
        """Say it in words."""

    def as_dict(self) -> dict[str, Any]:
        """Give plain values."""

    def save(self, folder: Path) -> None:
        """Write into a folder."""


@dataclass(frozen=True)
class TrainingResult:
    """A fitted model and all that is known about it.

    ``bundle`` is the model to ship, fitted on all labelled rows; ``evaluation`` judges one fitted the same way on
    the training part only. ``ablations`` maps a left-out group to the AUC without it (same test rows).
    """

    bundle: Bundle
    evaluation: Evaluation
    snapshots: tuple[SnapshotUse, ...]
    dropped: Mapping[str, str]
    importance: pl.DataFrame
    parameters: Mapping[str, Any]
    regime: str
    gates: tuple[GateFinding, ...]
    ablations: Mapping[str, float | None]
    notes: tuple[str, ...]
    judged: pl.DataFrame
    """customer_id, as_of (ISO day, empty for an extract), left, weight, risk, risk_low, risk_high: the rows judged."""
    network_gain: Mapping[str, Interval] = field(default_factory=dict)
    """What the network adds to auc and top_decile_lift on the test rows, with paired intervals; empty without ties."""
    twin: Bundle | None = None
    """The model that was judged, fitted on the training part alone: it can be judged again on the same test dates.
    None where customers were cross-validated, by as many models as folds."""
    comparison: Comparison | None = None
    """How it does beside the champion on the same out-of-time rows; None when there was no champion."""
    contagion: Contagion | None = None
    """Whether churn spreads between customers; None when it was not asked."""
    censoring: Censoring | None = None
    """What was done about retention actions; None where nobody got one."""
    reference: Reference | None = None
    """What the inputs and risks looked like, for the nights to compare with; None when it was not asked for."""
    segments: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Observed over expected of the judged rows by attribute and value (``judging.segments``)."""
    cohorts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COHORT_COLUMNS))
    """Everybody at the dates learned from and judged on, with a risk from a model that had not seen them."""
    lifetime: Lifetime | None = None
    """How risks fade, beside what really happened; None for an extract, which does not say how long its window is."""
    leaks: tuple[Leak, ...] = ()
    """What the leakage audit found and did not refuse: accepted by the settings, or kept out by the as-of join."""
    nps: PredictedNps | None = None
    """Models of what silent customers would answer, or why there are none; None without survey answers."""
    responses: Responses | None = None
    """What answers to confirming surveys say and what offers do; None where it was not asked."""

    @property
    def is_fit(self) -> bool:
        """Whether every gate was passed, so that the model may become champion."""
        return all(finding.is_passed for finding in self.gates)

    def refuse_unfit(self) -> None:
        """Raise ModelUnfit (exit 13) with every gate that was not passed."""
        faults = gate_faults(self.gates)
        if faults:
            raise ModelUnfit(faults)
