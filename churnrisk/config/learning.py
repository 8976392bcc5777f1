"""Settings of learning: how a model is fitted and how it is judged."""

from __future__ import annotations

from pydantic import Field

from .base import Settings


class TrainingSettings(Settings):
    """How a model is learned."""

    n_snapshots: int = Field(6, ge=1, le=60, description="Past as-of dates to learn from, at most.")
    snapshot_every_days: int = Field(30, ge=1, le=365, description="Days between them.")
    test_snapshots: int = Field(1, ge=1, le=12, description="Latest snapshots kept for the out-of-time test.")
    n_folds: int = Field(
        5, ge=2, le=20, description="Folds for cross-fitting the calibrator and labelled extracts."
    )
    seed: int = Field(20260101, ge=0, description="Seed of every random choice in training.")
    tune_minutes: float = Field(
        0.0,
        ge=0,
        le=10_080,
        description="Minutes to look for better settings of the trees than the defaults, inside the training period; "
        "0 = do not. A labelled extract shares them between the folds that judge it.",
    )
    n_trials: int = Field(100, ge=1, le=10_000, description="Settings tried in one search, at most.")
    objective: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*:[A-Za-z_]\w*$",
        description="Your own objective for the trees: `module:function` in the workspace's features/ folder, "
        "returning gradient and hessian; see Extending.",
    )
    leave_out: tuple[str, ...] = Field(
        (),
        description="Your customer columns (or features) that are loaded for judging and never learned from, as gender "
        "for [evaluation] by; exclude in [sources.customers] would not load them.",
    )
    calibrate_by: str = Field(
        "",
        description="One of your customer columns of text, as contract: where a value has 200 leavers and as many "
        "stayers, risks and intervals of its customers are calibrated on their rows alone. Empty = all together.",
    )
    shadow: bool = Field(
        True,
        description="Let the newest fit version above the champion be the challenger: each night scores it too, into "
        "shadow_scores.",
    )
    study_contagion: bool = Field(
        True,
        description="Ask of the data whether churn spreads between customers. Needs calls, dated leavings and looks "
        "over more than four months before the outcomes.",
    )
    accept_leaks: tuple[str, ...] = Field(
        (),
        description="Features, or your names of their columns, that are learned from although the leakage audit finds "
        "that they know the outcome: your word that they were known before it.",
    )


class PolicySettings(Settings):
    """A rule for giving offers, to be valued on past decisions before it goes live."""

    name: str = Field(min_length=1, description="What the tables call it.")
    offers: dict[str, str] = Field(
        min_length=1,
        description="Offer and to whom: a boolean expression over features as of the night before, as `eligible` of "
        "offers. The first in order that holds is given.",
    )


class EvaluationSettings(Settings):
    """How `churnrisk evaluate` judges."""

    by: tuple[str, ...] = Field(
        (),
        description="Your customer columns (or features) by which treatment is compared: selection, calibration and "
        "error by group. They go into the page and its tables, never to MLflow.",
    )
    policies: tuple[PolicySettings, ...] = Field(
        (),
        description="Rules for giving offers, each a [[evaluation.policies]] table, valued on past decisions beside "
        "that of the model in use.",
    )
    test_snapshots: int = Field(
        3,
        ge=1,
        le=12,
        description="Latest snapshots that judge; fewer where too little would be left to learn from.",
    )
