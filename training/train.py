"""The order of training: tables, looks at the past, audit, weights, fit and judgement.

It decides what is asked of whom and when, and refuses to know the registry and the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import TIE_WEIGHTS, Provenance, reference_of
from churnrisk.config import Config, SourceSettings, TrainingSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from features.library import library

from .audit import audit_extract, audit_snapshots
from .compare import Champion
from .extract import extract_rows
from .fates import fates
from .gates import beside_champion
from .lifetime import lifetime_study
from .looks import looks_of, watch_of, without_actions
from .nps import predicted_nps
from .result import TrainingResult
from .ship import from_extract, from_snapshots
from .silence import silence_words
from .snapshots import outcome_days
from .tuning import Trial, Tuning
from .wanted import fit_settings

Floats = NDArray[np.float64]


def train(
    engine: Engine,
    tables: LakeTables,
    config: Config,
    as_of: AsOf,
    *,
    own: Path | None = None,
    tie_weights: Mapping[str, float] | None = None,
    trials: Path | None = None,
    on_trial: Callable[[Trial], None] | None = None,
    champion: Champion | None = None,
) -> TrainingResult:
    """Fit, calibrate and judge a model with what is known as of ``as_of``.

    Parameters
    ----------
    engine : an open engine; the tables are registered in it under their names.
    tables : the validated tables. With ``labelled`` the extract alone is learned from. With ``kept`` the calls of each
        day are counted into pairs once for all snapshots that look at it.
    config : the workspace's settings; churn, training and engine are read.
    as_of : everything later is unknown, labels too; consents are those of this day.
    own : folder with the user's own ``*.sql`` features, and with the objective that the settings name.
    trials : SQLite file where a search for settings keeps its trials; None keeps them in memory.
    on_trial : told of each trial of a search, those of an earlier run that it goes on from too.
    tie_weights : weights of tie strength learned from the user's own ties, kept in the bundle; None = the default.
    champion : the model in use, to be compared with on the rows that judge.

    Raises
    ------
    GateRefused
        The leakage audit found a column that knows the outcome and is not in [training] accept_leaks.
    ModelUnfit
        Nothing can be fitted: no snapshot with outcomes, too few leavers or stayers, nothing to learn. A model that
        was fitted but does not pass the gates is returned; ``refuse_unfit`` raises for it.
    """
    tables.register(engine)
    entries = library(own).catalogue
    tuning = _tuning(config.training, trials, on_trial)
    settings = fit_settings(config, tables, entries, own=own, tuning=tuning)
    origin = Provenance(
        churn={
            "kind": config.churn.kind,
            "horizon_days": outcome_days(config.churn),
            "gap_days": config.churn.gap_days,
            "inactive_days": config.churn.inactive_days,
        },
        fingerprints=dict(tables.fingerprints),
        parameters={} if tie_weights is None else {TIE_WEIGHTS: dict(tie_weights)},
    )
    if tables.has("labelled"):
        (source,) = config.sources.get("labelled", ())[:1] or (SourceSettings(),)
        rows = extract_rows(tables, true_base_rate=source.true_base_rate, zone=config.time.day_zone)
        leaks, told = audit_extract(rows, tables, config, lambda name: entries[name].source)
        reach_days = config.churn.gap_days + config.churn.horizon_days
        result = from_extract(
            rows, settings, replace(origin, churn={"kind": "label"}), champion, reach_days=reach_days
        )
        result = _beside_learned(replace(result, leaks=leaks, notes=(*result.notes, *told)), champion)
        last = rows.where(rows.snapshot == max(rows.snapshot))
        weight = last.weight if last.is_weighted else None
        return _referenced(result, str(max(rows.snapshot)), last.frame, weight)
    watch = watch_of(engine, tables, config, as_of, settings.group_of)
    looks = looks_of(engine, tables, config, as_of, own=own, tie_weights=tie_weights, watch=watch)
    leaks, told = audit_snapshots(
        looks,
        engine,
        tables,
        config,
        known_by=as_of,
        source_of=lambda name: entries[name].source,
        own=own,
    )
    looks, censoring = without_actions(looks, settings)
    silence = silence_words(tables, config.churn, as_of)
    notes = (*silence, *told, *(() if censoring is None else censoring.sentences()))
    origin = replace(origin, trained_until=as_of.instant.isoformat())
    result = from_snapshots(looks, settings, origin, notes, champion=champion)
    lifetime = lifetime_study(
        result.cohorts,
        fates(engine, tables, looks, config.churn, as_of),
        horizon_days=outcome_days(config.churn),
        base_rate=result.bundle.base_rate,
        bands=result.bundle.bands,
        seed=settings.seed,
    )
    result = _beside_learned(replace(result, censoring=censoring, leaks=leaks, lifetime=lifetime), champion)
    said = predicted_nps(
        engine,
        tables,
        looks,
        settings,
        origin=origin,
        as_of=as_of,
        source_of=lambda name: entries[name].source,
    )
    result = replace(result, nps=said)
    newest = next(look for look in looks if look.snapshot.is_shipped)
    result = _referenced(result, newest.day, newest.features)
    return result if watch is None else replace(result, contagion=watch.study(settings.seed))


def _beside_learned(result: TrainingResult, champion: Champion | None) -> TrainingResult:
    """Let a rule prior not take the place of a champion that learned."""
    if champion is None or not result.bundle.is_prior:
        return result
    gate = beside_champion(champion.version, champion.shipped.provenance.regime)
    return replace(result, gates=(*result.gates, gate))


def _referenced(
    result: TrainingResult, day: str, frame: pl.DataFrame, weight: Floats | None = None
) -> TrainingResult:
    """Keep what the inputs of one look at all customers were, beside the risks that are kept already."""
    kept = reference_of(result.bundle.features, frame, as_of=day, weight=weight)
    risk = None if result.reference is None else result.reference.risk
    return replace(result, reference=replace(kept, risk=risk))


def _tuning(
    settings: TrainingSettings, trials: Path | None, on_trial: Callable[[Trial], None] | None
) -> Tuning | None:
    if not settings.tune_minutes:
        return None
    return Tuning(settings.tune_minutes, settings.n_trials, trials, on_trial)
