"""Settings of the night: what it is watched for, and what stops it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .base import Settings

Alarm = Literal[
    "source_missing",
    "source_shrunk",
    "population_changed",
    "input_drift",
    "missing_values",
    "score_drift",
    "miscalibrated",
    "performance_drop",
]


class MonitoringSettings(Settings):
    """What every night is watched for, and what stops it."""

    refuse_on: tuple[Alarm, ...] = Field(
        ("source_missing",),
        description="Alarms on which nothing is published (exit 14) and the tables of the night before stay; a "
        "backfill is watched and never stopped. Others are warnings in run_log and in the report.",
    )
    drift_from: float = Field(
        0.1,
        gt=0,
        description="Population stability index of an input or of the risk from which a movement beyond chance is "
        "told as drift.",
    )
    strong_drift_from: float = Field(
        0.25, gt=0, description="... and from which it is an alarm. Both are rules of thumb of the trade."
    )
    false_discoveries: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Share of false ones among the movements called beyond chance, over all inputs together.",
    )
    calibration_factor: float = Field(
        1.25,
        gt=1,
        description="Leavers observed over expected are an alarm when their interval lies wholly beyond this factor, "
        "up or down. A judgement.",
    )

    @model_validator(mode="after")
    def _rising(self) -> MonitoringSettings:
        if self.strong_drift_from < self.drift_from:
            msg = "a strong_drift_from that is not below drift_from"
            raise ValueError(msg)
        return self
