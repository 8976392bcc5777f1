"""All of ``churnrisk.toml`` as one value, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from .base import Settings
from .calendar import ChurnSettings, TimeSettings
from .contacting import (
    ContactSettings,
    HoldoutSettings,
    OfferSettings,
    OperationSettings,
    ProactiveSettings,
    PromoterSettings,
    SurveySettings,
    WebhookSettings,
)
from .learning import EvaluationSettings, TrainingSettings
from .money import InfluenceSettings, TeamSettings, ValueSettings
from .network import TieSettings
from .night import MonitoringSettings
from .people import ListSettings, PrivacySettings
from .sources import QualitySettings, SourceName, SourceSettings
from .tools import EngineSettings, MlflowSettings


class Config(Settings):
    """All of ``churnrisk.toml``."""

    time: TimeSettings = Field(default_factory=TimeSettings)
    churn: ChurnSettings = Field(default_factory=ChurnSettings)
    sources: dict[SourceName, tuple[SourceSettings, ...]] = Field(
        default_factory=dict, description="One table per source."
    )
    quality: QualitySettings = Field(default_factory=QualitySettings)
    training: TrainingSettings = Field(default_factory=TrainingSettings)
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)
    value: ValueSettings = Field(default_factory=ValueSettings)
    team: TeamSettings = Field(default_factory=TeamSettings)
    ties: TieSettings = Field(default_factory=TieSettings)
    influence: InfluenceSettings = Field(default_factory=InfluenceSettings)
    monitoring: MonitoringSettings = Field(default_factory=MonitoringSettings)
    contacts: ContactSettings = Field(default_factory=ContactSettings)
    surveys: SurveySettings = Field(default_factory=SurveySettings)
    offers: OfferSettings = Field(default_factory=OfferSettings)
    promoters: PromoterSettings = Field(default_factory=PromoterSettings)
    proactive: ProactiveSettings = Field(default_factory=ProactiveSettings)
    holdout: HoldoutSettings = Field(default_factory=HoldoutSettings)
    operations: OperationSettings = Field(default_factory=OperationSettings)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    lists: ListSettings = Field(default_factory=ListSettings)
    mlflow: MlflowSettings = Field(default_factory=MlflowSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)

    @field_validator("sources", mode="before")
    @classmethod
    def _as_lists(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            name: tuple(item) if isinstance(item, list | tuple) else (item,) for name, item in value.items()
        }

    def fingerprint(self) -> str:
        """Return a hash of every setting that can change a result (not of where MLflow, ledger and webhooks are)."""
        elsewhere = {"mlflow", "engine", "operations", "webhooks"}
        plain = self.model_dump(mode="json", by_alias=True, exclude=elsewhere)
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
