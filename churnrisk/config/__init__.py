"""Settings: the tables of ``churnrisk.toml``, typed, one file per subject.

They decide names, types, defaults and limits of settings, and refuse to know what the rooms do with them. The
documentation of every key is made from the descriptions here.
"""

from .base import CONFIG_NAME, Settings
from .calendar import ChurnSettings, TimeSettings
from .contacting import (
    Cap,
    ContactSettings,
    HoldoutSettings,
    OfferSettings,
    OperationSettings,
    ProactiveRule,
    ProactiveSettings,
    PromoterSettings,
    QuietPeriod,
    SurveySettings,
    WebhookSettings,
)
from .learning import EvaluationSettings, PolicySettings, TrainingSettings
from .money import InfluenceSettings, TeamSettings, ValueSettings
from .network import TieSettings
from .night import Alarm, MonitoringSettings
from .people import CONSENTS, LANGUAGES, ListSettings, PrivacySettings
from .reading import load_config, parsed_config
from .regimes import FEWEST_FOR_TREES, FEWEST_JUDGED_LEAVERS, FEWEST_LEAVERS, REGIMES_AHEAD
from .secrets import resolved_secret
from .sources import SOURCE_NAMES, QualitySettings, SourceName, SourceSettings
from .tools import EngineSettings, MlflowSettings
from .whole import Config

__all__ = [
    "CONFIG_NAME",
    "CONSENTS",
    "FEWEST_FOR_TREES",
    "FEWEST_JUDGED_LEAVERS",
    "FEWEST_LEAVERS",
    "LANGUAGES",
    "REGIMES_AHEAD",
    "SOURCE_NAMES",
    "Alarm",
    "Cap",
    "ChurnSettings",
    "Config",
    "ContactSettings",
    "EngineSettings",
    "EvaluationSettings",
    "HoldoutSettings",
    "InfluenceSettings",
    "ListSettings",
    "MlflowSettings",
    "MonitoringSettings",
    "OfferSettings",
    "OperationSettings",
    "PolicySettings",
    "PrivacySettings",
    "ProactiveRule",
    "ProactiveSettings",
    "PromoterSettings",
    "QualitySettings",
    "QuietPeriod",
    "Settings",
    "SourceName",
    "SourceSettings",
    "SurveySettings",
    "TeamSettings",
    "TieSettings",
    "TimeSettings",
    "TrainingSettings",
    "ValueSettings",
    "WebhookSettings",
    "load_config",
    "parsed_config",
    "resolved_secret",
]
