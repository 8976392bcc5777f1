"""Settings: reads ``churnrisk.toml`` into typed tables and says what is wrong with it, all faults at once.

It decides names, types, defaults and limits of settings, and refuses to know what the rooms do with them. The
documentation of every key is made from the descriptions here.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .dates import zone_named
from .errors import ConfigError, Fault

CONFIG_NAME = "churnrisk.toml"

SourceName = Literal[
    "customers", "calls", "surveys", "interactions", "usage", "events", "offers", "treatments", "labelled"
]
SOURCE_NAMES: tuple[str, ...] = get_args(SourceName)

CONSENTS: tuple[str, ...] = ("may_survey", "may_contact", "may_use_calls", "may_use_answers")


class Settings(BaseModel):
    """One table of ``churnrisk.toml``; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class TimeSettings(Settings):
    """The calendar."""

    zone: str | None = Field(
        None,
        description="IANA zone in which days begin and end, and in which times without an offset are meant. "
        "Without it days are UTC days and a source with local times is refused.",
    )

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                zone_named(zone)
            except ConfigError as error:
                raise ValueError(error.faults[0].expected) from error
        return zone

    @property
    def day_zone(self) -> str:
        """The zone in which days begin and end."""
        return self.zone or "UTC"


class ChurnSettings(Settings):
    """What leaving means, and the windows around an as-of date."""

    kind: Literal["cancelled", "inactive", "label"] = Field(
        "cancelled",
        description="cancelled: left_on in customers. inactive: no activity for inactive_days. "
        "label: a labelled extract in [sources.labelled].",
    )
    horizon_days: int = Field(
        30,
        ge=1,
        le=730,
        description="Length of the outcome window: the risk is about leaving within these days.",
    )
    gap_days: int = Field(
        14, ge=0, le=365, description="Days between the as-of date and the outcome window: time to act."
    )
    history_days: int = Field(
        365, ge=7, le=3650, description="How far back features look at most; older facts are not read."
    )
    inactive_days: int = Field(
        90,
        ge=1,
        le=1095,
        description="For kind = inactive: days without any activity that count as having left.",
    )
    activity: tuple[Literal["calls", "usage", "events", "interactions"], ...] = Field(
        ("calls",), description="For kind = inactive: the sources whose facts count as activity."
    )


class SourceSettings(Settings):
    """Where one source is and how its columns map to ours. Repeat as ``[[sources.NAME]]`` to join several files."""

    path: str | tuple[str, ...] | None = Field(
        None,
        description="File or glob, relative to the workspace: CSV (also .gz) or Parquet. A list joins several.",
    )
    database: str | None = Field(None, description="Database URL as env:NAME; with query.")
    query: str | None = Field(None, description="The select to run in the database.")
    from_: Literal["calls", "labelled"] | None = Field(
        None,
        alias="from",
        description="customers only: take the customers from whoever appears in that source.",
    )
    columns: dict[str, str | int] = Field(
        default_factory=dict,
        description="Our column = your column (a name, or a position from 1 for files without a header). Where "
        "further columns are taken, also a new name for one of them, which must not resemble one of ours.",
    )
    values: dict[str, str] = Field(
        default_factory=dict, description='Our column = a fixed value for every row, e.g. kind = "sms".'
    )
    exclude: tuple[str, ...] = Field(
        (),
        description='Your columns that must not become attributes or metrics; "*" takes only those named in columns.',
    )
    constant: tuple[str, ...] = Field(
        (),
        description="customers: your columns that never change, so they may be used before the extract's date.",
    )
    text: tuple[str, ...] = Field(
        (), description="Your columns to be read as categories though they look numeric."
    )
    extracted_on: date | None = Field(
        None,
        description="customers without valid_from or known_at: the day this extract shows. "
        "Attributes are unknown before it.",
    )
    accept_current_attributes: bool = Field(
        False,
        description="customers without history: use today's attributes for past dates too. "
        "Flattering and often a leak: every report says so.",
    )
    header: bool = Field(True, description="The first row holds column names.")
    delimiter: str | None = Field(None, description="CSV separator; found by itself when not given.")
    quote: str = Field('"', max_length=1, description="CSV quote character; empty for none.")
    encoding: str | None = Field(
        None, description="Character set, e.g. utf-8, cp1251, gb18030; detected when absent."
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal sign of numbers.")
    date_format: str | None = Field(
        None,
        description='strptime format of dates and times, e.g. "%d.%m.%Y %H:%M"; or epoch_s, epoch_ms. '
        "ISO 8601 by default.",
    )
    time_origin: datetime | None = Field(
        None, description="The instant from which times count, when they are numbers of seconds."
    )
    zone: str | None = Field(
        None, description="Zone of this source's local times when it differs from [time] zone."
    )
    missing: tuple[str, ...] | dict[str, tuple[str, ...]] = Field(
        ("",),
        description="Values that mean unknown: a list for every column, or a table per one of your columns.",
    )
    scales: dict[Literal["csat", "ces"], tuple[float, float]] = Field(
        default_factory=dict,
        description="surveys: lowest and highest score of a metric when they are not csat 1-5 and ces 1-7, e.g. "
        "scales = { csat = [1, 10] }; such scores are converted to those. An effort scale on which 7 is hard: "
        "ces = [7, 1].",
    )
    missed_codes: tuple[int, ...] = Field((-1,), description="calls: durations that mean a missed call.")
    delay_days: float = Field(
        0,
        ge=0,
        le=365,
        description="Days between a fact and its becoming known, when there is no known_at column.",
    )
    period: Literal["day", "week", "month", "quarter"] = Field(
        "month", description="usage: length of a period; a period is known at its end."
    )
    id_digits: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Pad ids that this source wrote as numbers with leading zeros to so many digits.",
    )
    id_prefix: str = Field(
        "",
        description="Text put before every id of this source but offer_id, where files number people or answers "
        "separately: two surveys that both count from 1.",
    )
    positive: tuple[str, ...] = Field((), description="labelled: values of churned that mean left.")
    true_base_rate: float | None = Field(
        None, gt=0, lt=1, description="labelled: the true share of leavers when the extract was resampled."
    )
    max_bad_share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of quarantined rows that stops the run; [quality] max_bad_share otherwise.",
    )
    max_age_days: int | None = Field(
        None,
        ge=0,
        description="Newest fact may be at most so old at the as-of date, else the source is stale.",
    )

    @field_validator("path", "missing", "positive", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: tuple(map(str, item if isinstance(item, list) else [item]))
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return tuple(str(item) for item in value)
        return (str(value),) if value is not None else None

    @field_validator("database")
    @classmethod
    def _as_secret(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("env:"):
            msg = 'a secret only as "env:NAME"'
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_place(self) -> SourceSettings:
        given = [name for name in ("path", "database", "from_") if getattr(self, name) is not None]
        if len(given) > 1:
            msg = "one of path, database and from, not several"
            raise ValueError(msg)
        if (self.database is None) != (self.query is None):
            msg = "database and query together"
            raise ValueError(msg)
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """The file patterns, in the order given."""
        return self.path if isinstance(self.path, tuple) else ()


class QualitySettings(Settings):
    """When bad rows stop a run."""

    max_bad_share: float = Field(
        0.05, ge=0, le=1, description="Share of quarantined rows per source that stops the run."
    )
    publish_despite_stale: bool = Field(
        False,
        description="Score and publish although a source is older than its max_age_days (a warning remains).",
    )


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


class EvaluationSettings(Settings):
    """How `churnrisk evaluate` judges."""

    by: tuple[str, ...] = Field(
        (),
        description="Your customer columns (or features) by which treatment is compared: selection, calibration and "
        "error by group. They go into the page and its tables, never to MLflow.",
    )
    test_snapshots: int = Field(
        3,
        ge=1,
        le=12,
        description="Latest snapshots that judge; fewer where too little would be left to learn from.",
    )


class ValueSettings(Settings):
    """What a customer is worth."""

    months: int = Field(
        12, ge=1, le=120, description="Months of margin that make up the value of a customer."
    )
    margin_share: float = Field(1.0, gt=0, le=1, description="Share of monthly_value that is margin.")


class TeamSettings(Settings):
    """What the retention team can do."""

    daily_capacity: int = Field(
        50, ge=1, description="Customers the team can call a day: the length of the list."
    )
    promoter_capacity: int = Field(
        50, ge=1, description="Promoters the team can approach a day: the length of their list."
    )


class TieSettings(Settings):
    """What counts as a tie between customers."""

    max_partners: int = Field(
        500,
        ge=1,
        description="A customer with more partners in the window than this is a hub (a call centre, a taxi service): "
        "such contacts are no social ties and are left out of the network. Three times Dunbar's 150, a judgement.",
    )
    max_one_way_partners: int = Field(
        100,
        ge=1,
        description="So is one with more partners than this of whom under 1 in 20 has contacts both ways: mass calls. "
        "A judgement.",
    )


class InfluenceSettings(Settings):
    """How much of leaving is catching, in money. Predictive exposure never enters here."""

    causal_effect: float = Field(
        0.03,
        ge=0,
        le=10,
        description="Relative extra risk of leaving per strong friend who left, as a cause and not as a prediction. "
        "Another than the default needs effect_source.",
    )
    causal_interval: tuple[float, float] = Field(
        (0.0, 0.28), description="The interval of causal_effect; from it come the intervals of all spillover."
    )
    effect_source: Literal["default", "experiment", "estimate"] = Field(
        "default",
        description="Where causal_effect comes from: default, your own experiment, or an estimate on your data that "
        "passed its negative controls.",
    )
    multiplier: float | None = Field(
        None,
        ge=1,
        le=1.28,
        description='Social multiplier measured in your own experiment (effect_source = "experiment"), used instead of '
        "causal_effect: 1.1 means that saving a customer saves a tenth of their value around them.",
    )
    multiplier_interval: tuple[float, float] | None = Field(
        None, description="The interval of multiplier; without it 1 to 1.28."
    )

    @model_validator(mode="after")
    def _sourced(self) -> InfluenceSettings:
        fields = type(self).model_fields
        if self.effect_source == "default" and self.causal_effect != fields["causal_effect"].default:
            msg = 'effect_source = "experiment" or "estimate" with a causal_effect of your own'
            raise ValueError(msg)
        if self.multiplier is not None and self.effect_source != "experiment":
            msg = 'effect_source = "experiment" with a multiplier'
            raise ValueError(msg)
        if not 0 <= self.causal_interval[0] <= self.causal_effect <= self.causal_interval[1]:
            msg = "a causal_interval from 0 up that contains causal_effect"
            raise ValueError(msg)
        low, high = self.multiplier_interval or (1.0, 1.28)
        if not 1 <= low <= (self.multiplier or low) <= high:
            msg = "a multiplier_interval from 1 up that contains multiplier"
            raise ValueError(msg)
        return self

    @property
    def effect(self) -> tuple[float, float, float]:
        """The causal effect and the ends of its interval."""
        return (self.causal_effect, *self.causal_interval)

    @property
    def effect_words(self) -> str:
        """What the money rests on, for reading."""
        if self.multiplier is not None:
            return f"the multiplier {self.multiplier:g} of your own experiment"
        low, high = self.causal_interval
        return (
            f"the causal effect {self.causal_effect:g} per strong friend who left, {low:g} to {high:g} "
            f"({self.effect_source})"
        )

    @property
    def excess(self) -> tuple[float, float, float] | None:
        """What the multiplier and its interval have above 1, None without one."""
        if self.multiplier is None:
            return None
        low, high = self.multiplier_interval or (1.0, 1.28)
        return (self.multiplier - 1, low - 1, high - 1)


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


class PrivacySettings(Settings):
    """Consent and personal data."""

    missing_consent: bool | dict[str, bool] | None = Field(
        None,
        description="What a missing consent value or column means: true, false, or a table per consent column. "
        "Without it a missing consent is an error.",
    )
    publish_ties: bool = Field(False, description="Write the table of ties between customers to restricted/.")
    name_neighbours: bool = Field(
        False,
        description="Let `churnrisk influence` name a customer's neighbours by id, for those who run it in a terminal. "
        "Reports, lists and pictures never do.",
    )
    hash_key: str | None = Field(
        None,
        description="Key for hashing contacts outside the customer base, as env:NAME. "
        "Without it a random key is made once and kept in lake/.",
    )

    @field_validator("hash_key")
    @classmethod
    def _secret(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("env:"):
            msg = 'a secret only as "env:NAME"'
            raise ValueError(msg)
        return value

    def meaning_of_missing(self, consent: str) -> bool | None:
        """Return what a missing ``consent`` means, None when the settings do not say."""
        if isinstance(self.missing_consent, dict):
            return self.missing_consent.get(consent)
        return self.missing_consent


class ListSettings(Settings):
    """The files that people act on."""

    carry: tuple[str, ...] = Field(
        (),
        description="Your customer columns shown on lists (name, phone, owner): never features, never logged.",
    )
    language: str = Field("en", description="Language of sentences on lists and in the report.")
    long_tenure_days: int = Field(
        1095,
        ge=1,
        description="Promoters who have been customers for so many days are marked on their list; a guess.",
    )


class MlflowSettings(Settings):
    """Experiment tracking."""

    tracking_uri: str | None = Field(
        None, description="MLflow tracking URI, also as env:NAME; a SQLite file in the workspace by default."
    )
    experiment: str = Field("churnrisk", description="Name of the MLflow experiment.")
    model_name: str = Field("churnrisk", description="Name of the registered model.")


class EngineSettings(Settings):
    """The SQL engine."""

    name: Literal["duckdb"] = Field("duckdb", description="Engine that runs the SQL.")
    memory_limit: str | None = Field(None, description='Memory the engine may use, e.g. "4GB".')
    threads: int | None = Field(None, ge=1, description="Threads the engine and the learner may use.")


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
        """Return a hash of every setting that can change a result (not of where MLflow is)."""
        plain = self.model_dump(mode="json", by_alias=True, exclude={"mlflow", "engine"})
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def parsed_config(text: str, where: str = CONFIG_NAME) -> Config:
    """Read the text of a ``churnrisk.toml``; raise ConfigError with every fault found."""
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            Fault("config_unreadable", where, "valid TOML", str(error), "Mend the line named.")
        ) from error
    try:
        return Config.model_validate(plain)
    except ValidationError as error:
        raise ConfigError(list(_faults(error, plain, where))) from error


def load_config(root: Path) -> Config:
    """Read ``churnrisk.toml`` in ``root``; raise ConfigError when it is missing or wrong."""
    path = root / CONFIG_NAME
    if not path.is_file():
        raise ConfigError(
            Fault(
                code="config_missing",
                where=str(path),
                expected="a workspace with a churnrisk.toml",
                found="no such file",
                remedy="Run `churnrisk init DIR` to make one, or name the workspace with -w DIR.",
            )
        )
    return parsed_config(path.read_text(encoding="utf-8-sig"), where=str(path))


def _faults(error: ValidationError, plain: Mapping[str, Any], where: str) -> Iterator[Fault]:
    for item in error.errors():
        location = [str(part) for part in _told_location(item["loc"], plain) if part != "[key]"]
        table, key = ".".join(location[:-1]), location[-1] if location else ""
        if len(location) == 2 and isinstance(item["loc"][-1], int):  # noqa: PLR2004 - a whole table of [sources]
            table, key = ".".join(location), ""
        place = f"{where} [{table}] {key}".rstrip() if table else f"{where} {key}"
        if item["type"] == "extra_forbidden" or (
            location[:1] == ["sources"] and item["loc"][-1] == "[key]" and len(location) == 2  # noqa: PLR2004
        ):
            known = _known_keys(location[:-1])
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else "Remove it."
            yield Fault("setting_unknown", place, "a known setting", repr(key), hint, tuple(sorted(known)))
        else:
            hidden = isinstance(item["input"], dict) or key == "database"
            found = type(item["input"]).__name__ if hidden else repr(item["input"])
            yield Fault(
                "setting_invalid",
                place,
                item["msg"].removeprefix("Value error, ").removeprefix("Input should be "),
                found,
                "Correct the value.",
            )


def _told_location(location: tuple[str | int, ...], plain: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Name the table of a source by its position from 1, when it is not the only one."""
    if location[:1] != ("sources",) or len(location) < 3 or not isinstance(location[2], int):  # noqa: PLR2004
        return location
    tables = plain["sources"][location[1]]
    number = f" {location[2] + 1}" if isinstance(tables, list) and len(tables) > 1 else ""
    return ("sources", f"{location[1]}{number}", *location[3:])


def _known_keys(location: list[str]) -> list[str]:
    if not location:
        return list(Config.model_fields)
    if location[0] == "sources":
        if len(location) == 1:
            return list(SOURCE_NAMES)
        return [field.alias or name for name, field in SourceSettings.model_fields.items()]
    field = Config.model_fields.get(location[0])
    table = field.annotation if field is not None else None
    return list(table.model_fields) if isinstance(table, type) and issubclass(table, BaseModel) else []


def resolved_secret(value: str | None, environment: Mapping[str, str], where: str) -> str | None:
    """Return ``value``, or what the environment holds when it is ``env:NAME``; raise ConfigError when that is unset."""
    if value is None or not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    found = environment.get(name)
    if not found:
        raise ConfigError(
            Fault(
                code="secret_missing",
                where=f"{CONFIG_NAME} {where}",
                expected=f"the environment variable {name}",
                found="not set",
                remedy=f"Set {name} before running.",
            )
        )
    return found
