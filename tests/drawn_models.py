"""Models small enough to be worked by hand: a straight line per feature, so every contribution is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from churnrisk.bundle import (
    Additive,
    Band,
    Bundle,
    Effect,
    Feature,
    Lifetime,
    Platt,
    Provenance,
    VennAbersGrid,
)
from churnrisk.bundle.lifetime import CHECK_COLUMNS, TOTAL_COLUMNS
from churnrisk.metrics import Contagion, Interval
from training import SnapshotUse
from training.compare import Comparison


def drawn_bundle(**groups: str) -> Bundle:
    """Return a bundle over number features ``name=group``; each adds its own value to log-odds of -2, null adds 0.5."""
    chosen = groups or {"tenure_days": "profile", "wait_s": "service"}
    return Bundle(
        features=tuple(Feature(name, "number", group) for name, group in chosen.items()),
        learner=Additive(-2.0, tuple(Effect(missing=0.5, slope=1.0, low=-10.0, high=10.0) for _ in chosen)),
        calibrator=Platt(1.0, 0.0),
        intervals=VennAbersGrid(np.array([-2.0, 2.0]), np.array([0.05, 0.8]), np.array([0.2, 0.95])),
        base_rate=0.12,
        bands=tuple(
            Band(name, start, 10, None, None, None)
            for name, start in (("low", 0.0), ("watch", 0.1), ("high", 0.3), ("critical", 0.6))
        ),
        provenance=Provenance(
            churn={"kind": "cancelled", "horizon_days": 30},
            trained_until="2026-05-01T00:00:00",
            fingerprints={"customers": "ab" * 32},
        ),
        model_version="7",
    )


@dataclass(frozen=True)
class DrawnGate:
    gate: str
    is_passed: bool
    needed: str = "something"
    found: str = "nothing"


@dataclass(frozen=True)
class DrawnEvaluation:
    kind: str = "out of time"
    figures: dict[str, float | None] = field(
        default_factory=lambda: {
            "auc": 0.8,
            "auc_low": 0.7,
            "empc": 1.5,
            "empc_treat_all": -0.5,
            "brier": None,
        }
    )
    tables: dict[str, pl.DataFrame] = field(
        default_factory=lambda: {"gain": pl.DataFrame({"share": [0.1, 1.0], "gain": [0.4, 1.0]})}
    )
    n_rows: int = 100
    n_leavers: int = 12


def drawn_contagion() -> Contagion:
    """A study that found something."""
    return Contagion(
        "spreads",
        "the effect is beyond chance, and the controls and the shuffle test pass.",
        ratio=Interval(1.9, 1.5, 2.9),
        measured=Interval(1.9, 1.5, 2.4),
        naive=Interval(2.6, 2.2, 3.1),
        weaker={"middle": Interval(1.4, 1.2, 1.7)},
        controls={"own_risk_before": 0.4, "strangers": None},
        future=Interval(1.2, 0.9, 1.6),
        shuffle_p=0.02,
        shuffled=1.05,
        n_leavers=2400,
        n_exposed=180,
        n_compared=50_000,
    )


def drawn_lifetime() -> Lifetime:
    """Lifetimes learned from two months, tested out of time on one."""
    checks = [("all", "all", 1, 90, 0.9, 0.91, 0.85, 0.95), ("all", "all", 2, 40, 0.85, 0.84, 0.8, 0.9)]
    totals = [
        ("out of time", "all", 50, 1, 0.9, 0.91, 1.011, 0.95, 1.05),
        ("all", "all", 90, 2, 1.75, 1.75, 1.0, 0.97, 1.03),
    ]
    return Lifetime(
        30.0,
        base=0.02,
        rho=0.8,
        rho_low=0.7,
        rho_high=0.9,
        source="measured",
        said="of the distance 80% [70%, 90%] is left after each month",
        n_customers=90,
        n_leavings=14,
        checks=pl.DataFrame(checks, schema=CHECK_COLUMNS, orient="row"),
        totals=pl.DataFrame(totals, schema=TOTAL_COLUMNS, orient="row"),
    )


@dataclass(frozen=True)
class DrawnTrial:
    """A try of a search for settings."""

    number: int
    state: str
    loss: float | None
    is_default: bool = False
    study: str = "a search"
    settings: dict[str, float] = field(default_factory=lambda: {"learning_rate": 0.05})
    n_trees: int | None = 120
    seconds: float = 1.5


@dataclass(frozen=True)
class DrawnTraining:
    """The result of a training that never happened."""

    bundle: Bundle = field(default_factory=drawn_bundle)
    evaluation: DrawnEvaluation = field(default_factory=DrawnEvaluation)
    parameters: dict[str, Any] = field(default_factory=lambda: {"n_trees": 20, "calibrator": "platt"})
    importance: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame({"feature": ["wait_s", "tenure_days"], "importance": [0.6, 0.4]})
    )
    dropped: dict[str, str] = field(default_factory=lambda: {"colour": "constant"})
    ablations: dict[str, float | None] = field(default_factory=lambda: {"network": 0.78})
    network_gain: dict[str, Interval] = field(default_factory=lambda: {"auc": Interval(0.03, 0.01, 0.05)})
    contagion: Contagion | None = field(default_factory=drawn_contagion)
    nps_figures: dict[str, tuple[float | None, float | None, float | None]] = field(
        default_factory=lambda: {"auc_detractor": (0.7, 0.6, 0.8), "auc_passive": (None, None, None)}
    )
    trials: tuple[DrawnTrial, ...] = ()
    comparison: Comparison | None = None
    lifetime: Lifetime | None = field(default_factory=drawn_lifetime)
    snapshots: tuple[SnapshotUse, ...] = (
        SnapshotUse("2026-05-17", "test", True, 100, 12, {"leaver": 12, "stayer": 88, "in_notice": 3}),
        SnapshotUse("2026-03-17", "train", True, 90, 9, {"leaver": 9, "stayer": 81, "in_notice": 0}),
    )
    documents: dict[str, str] = field(default_factory=lambda: {"card.md": "# Model card\n"})
    notes: tuple[str, ...] = ("history is short",)
    gates: tuple[DrawnGate, ...] = (DrawnGate("better_than_chance", is_passed=True),)

    @property
    def is_fit(self) -> bool:
        return all(gate.is_passed for gate in self.gates)
