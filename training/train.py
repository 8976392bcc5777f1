"""The order of training: labels, features, fit, judge, refit; and what comes out of it.

It decides which rows train and which judge, and refuses to know the registry and the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import (
    TIE_WEIGHTS,
    Bundle,
    Feature,
    Kind,
    Provenance,
    Reference,
    histogram_of,
    reference_of,
)
from churnrisk.config import Config, SourceSettings, TrainingSettings
from churnrisk.dates import AsOf
from churnrisk.errors import Fault, ModelUnfit
from churnrisk.metrics import Contagion, Interval
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from features import build, tie_rules
from features.build import library

from .audit import audit_extract, audit_snapshots
from .censoring import Censoring, weighted
from .compare import Champion, Comparison, compared, not_comparable
from .contagion import Watch
from .evaluate import CROSS_VALIDATED, OUT_OF_TIME, Evaluation, evaluation
from .extract import ExtractDay, extract_days, extract_rows
from .fit import FitSettings, Fitted, bands_of, fitted_model, score_without
from .folds import customer_folds
from .gates import GateFinding, gate_faults, gate_findings
from .labels import Labels, earliest_look, labels_of
from .leakage import Leak
from .naming import columns_named
from .objectives import Objective, loaded_objective
from .rows import Rows, rows_of
from .snapshots import Snapshot, outcome_days, snapshot_schedule
from .trees import threads_for
from .tuning import Trial, Tuning

Floats = NDArray[np.float64]

SUSPICIOUS_AUC = 0.98
"""Nobody predicts leaving so well: something knows the outcome (science, section 10: near 0.99 is leakage)."""

OWN_COLUMNS = ("attribute_", "monthly_value", "language")
"""Beginnings of features that come from the user's own columns of customers."""

MOST_NAMED = 5
"""Columns named in a note; the others are counted."""

NETWORK = "network"
"""Group of the features made from ties, for the figure with and without them."""


@dataclass(frozen=True)
class SnapshotUse:
    """One snapshot of the training, with how many customers it holds by status (leaver, stayer, in_notice ...)."""

    as_of: str
    use: str
    is_shipped: bool
    n_rows: int
    n_leavers: int
    counts: Mapping[str, int]


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
    leaks: tuple[Leak, ...] = ()
    """What the leakage audit found and did not refuse: accepted by the settings, or kept out by the as-of join."""

    @property
    def is_fit(self) -> bool:
        """Whether every gate was passed, so that the model may become champion."""
        return all(finding.is_passed for finding in self.gates)

    def refuse_unfit(self) -> None:
        """Raise ModelUnfit (exit 13) with every gate that was not passed."""
        faults = gate_faults(self.gates)
        if faults:
            raise ModelUnfit(faults)


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
    settings = FitSettings(
        config.training.seed,
        config.training.n_folds,
        config.engine.threads,
        group_of=lambda name: entries[name].group,
        tuning=_tuning(config.training, trials, on_trial),
        objective=_objective(config.training, own),
        leave_out=frozenset(
            columns_named(config.training.leave_out, tables, entries, where="[training] leave_out")
        ),
    )
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
        result = replace(result, leaks=leaks, notes=(*result.notes, *told))
        last = rows.where(rows.snapshot == max(rows.snapshot))
        weight = last.weight if last.is_weighted else None
        return _referenced(result, str(max(rows.snapshot)), last.frame, weight)
    watch = _watch(engine, tables, config, as_of, settings.group_of)
    looks = _looks(engine, tables, config, as_of, own=own, tie_weights=tie_weights, watch=watch)
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
    notes = (*told, *(() if censoring is None else censoring.sentences()))
    origin = replace(origin, trained_until=as_of.instant.isoformat())
    result = from_snapshots(looks, settings, origin, notes, champion=champion)
    result = replace(result, censoring=censoring, leaks=leaks)
    newest = next(look for look in looks if look.snapshot.is_shipped)
    result = _referenced(result, newest.day, newest.features)
    return result if watch is None else replace(result, contagion=watch.study(settings.seed))


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


def _objective(settings: TrainingSettings, own: Path | None) -> Objective | None:
    return (
        None if settings.objective is None else loaded_objective(settings.objective, own or Path("features"))
    )


@dataclass(frozen=True)
class Look:
    """One snapshot with its feature table and labels."""

    snapshot: Snapshot
    features: pl.DataFrame
    labels: Labels
    notes: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """The as-of day, ISO."""
        return str(self.snapshot.as_of)

    @property
    def instant(self) -> AsOf:
        """The as-of date."""
        return self.snapshot.as_of

    @property
    def outcomes(self) -> pl.DataFrame:
        """customer_key and left of those judged."""
        return self.labels.frame


def without_actions(looks: list[Look], settings: FitSettings) -> tuple[list[Look], Censoring | None]:
    """Return the looks with weights that make the untreated stand for all, and what was done; see ``censoring``."""
    cells = sum(look.features.height * look.features.width for look in looks)
    labels, done = weighted(looks, seed=settings.seed, threads=threads_for(cells, settings.threads))
    return [replace(look, labels=found) for look, found in zip(looks, labels, strict=True)], done


def from_snapshots(
    looks: list[Look],
    settings: FitSettings,
    origin: Provenance,
    notes: tuple[str, ...] = (),
    *,
    champion: Champion | None = None,
) -> TrainingResult:
    """Train on dated snapshots: judge on the test ones, ship a model that learned from all that are to ship.

    Without a training snapshot whose outcomes end before the first test date the model is cross-validated by
    customer, and says so. With ``champion`` the judged model is compared with it on the test rows.
    """
    notes = (*notes, *dict.fromkeys(note for look in looks for note in look.notes))
    uses = tuple(_use(look) for look in looks)
    if not any(use.is_shipped for use in uses):
        raise ModelUnfit(_no_snapshot())
    provenance = replace(origin, snapshots=tuple(use.as_of for use in uses if use.is_shipped))
    judged = _judged_out_of_time(looks, settings, uses, notes, origin, champion=champion)
    # Only now: the rows that the judged model learned from are gone, and not held beside these.
    shipped = _stacked(looks, lambda look: look.snapshot.is_shipped)
    if judged is None:
        note = "history is too short for a test out of time: customers are cross-validated instead"
        return _cross_validated(shipped, settings, provenance, uses, (*notes, note), champion=champion)
    # settings that were searched for are those that were judged: no second search, and none that sees the test rows
    found = settings if judged.model is None else replace(settings, tuning=None, trees=judged.model.chosen)
    return _result(fitted_model(shipped, found), shipped, judged, provenance)


def _judged_out_of_time(
    looks: list[Look],
    settings: FitSettings,
    uses: tuple[SnapshotUse, ...],
    notes: tuple[str, ...],
    origin: Provenance,
    *,
    champion: Champion | None,
) -> _Judged | None:
    """Judge a model of the training snapshots on the test ones; None without leavers in both."""
    if not all(any(use.use == kind and use.n_leavers for use in uses) for kind in ("train", "test")):
        return None
    learned = _stacked(looks, lambda look: look.snapshot.use == "train")
    tested = _stacked(looks, lambda look: look.snapshot.use == "test")
    judged = _judged_on(learned, tested, settings, uses, notes)
    judged = replace(judged, origin=_origin_of_twin(looks, uses, origin))
    tests = [look.instant for look in looks if look.snapshot.use == "test"]
    return _beside(judged, champion, tests, settings.seed)


def _beside(judged: _Judged, champion: Champion | None, tests: list[AsOf], seed: int) -> _Judged:
    """Add how the judged model does beside the champion on the rows of the test dates."""
    if champion is None or judged.model is None:
        return judged
    risk, new = judged.risks["risk"].to_numpy(), judged.model.bundle((), judged.origin)
    first = min(test.instant for test in tests)
    found = compared(judged.rows, risk, new, champion, first_test=first, seed=seed)
    return replace(judged, comparison=found)


def _judged_on(
    learned: Rows,
    tested: Rows,
    settings: FitSettings,
    uses: tuple[SnapshotUse, ...],
    notes: tuple[str, ...],
) -> _Judged:
    model = fitted_model(learned, settings)
    risks = _predicted(model, tested)
    without = _score_without_network(learned, tested, model, settings)
    return _Judged(
        rows=tested,
        risks=risks,
        evaluation=evaluation(OUT_OF_TIME, tested, risks["risk"].to_numpy(), seed=settings.seed),
        uses=uses,
        ablations=_ablations(tested, without),
        network_gain=_network_gain(tested, model, without, settings.seed),
        notes=(*notes, *model.notes),
        model=model,
    )


def from_extract(
    rows: Rows,
    settings: FitSettings,
    origin: Provenance,
    champion: Champion | None = None,
    *,
    reach_days: int = 0,
) -> TrainingResult:
    """Train on one labelled extract.

    With days observed the last one judges a model of those that lie ``reach_days`` or more before it. Without, figures
    come from nested cross-validation and are marked as such, and nothing is compared with ``champion``.
    """
    days = extract_days(rows, reach_days)
    if not days:
        is_dated = bool(max(rows.snapshot.astype(str)))
        note = (
            f"the extract has no two days, {reach_days} days apart, with leavers and stayers in both"
            if is_dated
            else "one extract without dates"
        )
        note += ": figures are not out of time"
        return _cross_validated(rows, settings, origin, (), (note,), champion=champion)
    uses = tuple(_use_of_day(rows, day) for day in days)
    day_of = rows.snapshot.astype(str)
    learned, tested = (
        rows.where(np.isin(day_of, [day.day for day in days if day.use == use])) for use in ("train", "test")
    )
    judged = _judged_on(learned, tested, settings, uses, ())
    trained = tuple(day.day for day in days if day.use == "train")
    until = AsOf(date.fromisoformat(max(trained))).days_before(-reach_days)
    twin = replace(origin, snapshots=trained, trained_until=until.isoformat())
    found = settings if judged.model is None else replace(settings, tuning=None, trees=judged.model.chosen)
    shipped = replace(origin, snapshots=tuple(day.day for day in days if day.day))
    tests = [AsOf(date.fromisoformat(day.day)) for day in days if day.use == "test"]
    judged = _beside(replace(judged, origin=twin), champion, tests, settings.seed)
    return _result(fitted_model(rows, found), rows, judged, shipped)


def _use_of_day(rows: Rows, day: ExtractDay) -> SnapshotUse:
    left = rows.left[rows.snapshot.astype(str) == day.day] > 0
    n_leavers = int(left.sum())
    counts = {"leaver": n_leavers, "stayer": len(left) - n_leavers}
    return SnapshotUse(
        day.day, day.use, is_shipped=True, n_rows=len(left), n_leavers=n_leavers, counts=counts
    )


def cross_validated_risk(rows: Rows, settings: FitSettings) -> pl.DataFrame:
    """Return risk, risk_low, risk_high of each row from models that saw nothing of its customer's fold.

    Everything is nested: in each fold screening, tuning, the number of trees and the calibrator come from the other
    folds.
    """
    folds = customer_folds(rows.customer, rows.left, settings.n_folds, salt=f"judge-{settings.seed}")
    parts: list[pl.DataFrame] = []
    for fold in range(settings.n_folds):
        held = folds == fold
        risks = _predicted(fitted_model(rows.where(~held), settings), rows.where(held))
        parts.append(risks.with_columns(position=pl.Series(np.flatnonzero(held))))
    return pl.concat(parts).sort("position").drop("position")


@dataclass(frozen=True)
class _Judged:
    """Rows the judged model did not learn from, its risks for them, and what they say of it."""

    rows: Rows
    risks: pl.DataFrame
    evaluation: Evaluation
    uses: tuple[SnapshotUse, ...] = ()
    ablations: Mapping[str, float | None] = field(default_factory=dict)
    network_gain: Mapping[str, Interval] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    model: Fitted | None = None
    """The one model behind the risks, where it is one, and what it had seen."""
    origin: Provenance = field(default_factory=Provenance)
    comparison: Comparison | None = None


def _cross_validated(
    rows: Rows,
    settings: FitSettings,
    origin: Provenance,
    uses: tuple[SnapshotUse, ...],
    notes: tuple[str, ...],
    *,
    champion: Champion | None,
) -> TrainingResult:
    if settings.tuning is not None:
        settings = replace(settings, tuning=settings.tuning.shared(settings.n_folds + 1))
    shipped = fitted_model(rows, settings)
    risks = cross_validated_risk(rows, settings)
    notes = (*notes, *shipped.notes)
    found = evaluation(CROSS_VALIDATED, rows, risks["risk"].to_numpy(), seed=settings.seed)
    beside = None if champion is None else not_comparable(champion.version, "customers were cross-validated")
    judged = _Judged(rows, risks, found, uses, notes=notes, comparison=beside)
    return _result(shipped, rows, judged, origin)


def _result(shipped: Fitted, seen: Rows, judged: _Judged, origin: Provenance) -> TrainingResult:
    risk = judged.risks["risk"].to_numpy()
    bands = bands_of(risk, judged.rows.left, judged.rows.weight, shipped.base_rate)
    provenance = replace(
        origin, regime=shipped.regime, parameters={**origin.parameters, **shipped.parameters}
    )
    return TrainingResult(
        bundle=shipped.bundle(bands, provenance),
        evaluation=judged.evaluation,
        snapshots=judged.uses,
        dropped=shipped.dropped,
        importance=shipped.importance,
        parameters=shipped.parameters,
        regime=shipped.regime,
        gates=gate_findings(judged.evaluation, risk),
        ablations=judged.ablations,
        notes=(
            *judged.notes,
            *_warnings(judged.evaluation),
            *_unused(shipped.dropped),
            *_network_verdict(judged.evaluation, judged.ablations),
        ),
        judged=_judged_frame(judged.rows, judged.risks),
        network_gain=judged.network_gain,
        twin=_twin(judged),
        reference=_risks_by_chance(shipped, seen),
        comparison=judged.comparison,
    )


def _risks_by_chance(shipped: Fitted, seen: Rows) -> Reference:
    """Return what risks of the shipped model look like for customers it has not seen: its folds' of the newest look."""
    newest = str(max(seen.snapshot))
    mine = seen.snapshot == newest
    weight = seen.weight[mine] if seen.is_weighted else None
    risk = pl.Series(shipped.out_of_fold_risk[mine])
    return Reference(newest, risk=histogram_of(Feature("risk", "number"), risk, weight))


def _twin(judged: _Judged) -> Bundle | None:
    """The judged model as a bundle, with bands of its own; None where many models judged."""
    model, rows = judged.model, judged.rows
    if model is None:
        return None
    bands = bands_of(judged.risks["risk"].to_numpy(), rows.left, rows.weight, model.base_rate)
    seen = replace(
        judged.origin, regime=model.regime, parameters={**judged.origin.parameters, **model.parameters}
    )
    return model.bundle(bands, seen)


def _origin_of_twin(looks: list[Look], uses: tuple[SnapshotUse, ...], origin: Provenance) -> Provenance:
    """What the judged model had seen: outcomes until the last training window ends, none of the test's."""
    until = max(look.snapshot.outcome_to for look in looks if look.snapshot.use == "train")
    days = tuple(use.as_of for use in uses if use.use == "train")
    return replace(origin, trained_until=until.isoformat(), snapshots=days)


def _judged_frame(rows: Rows, risks: pl.DataFrame) -> pl.DataFrame:
    who = pl.DataFrame(
        {
            "customer_id": pl.Series(rows.customer.tolist(), dtype=pl.String),
            "as_of": pl.Series(rows.snapshot.tolist(), dtype=pl.String),
            "left": rows.left.astype(np.int8),
            "weight": rows.weight,
        }
    )
    return pl.concat([who, risks], how="horizontal")


def _warnings(found: Evaluation) -> tuple[str, ...]:
    value = found.figures["auc"]
    if value is not None and value > SUSPICIOUS_AUC:
        return (f"AUC {value:.3f} is too good to be true: look for a feature that knows the outcome",)
    return ()


def _unused(dropped: Mapping[str, str]) -> tuple[str, ...]:
    """Say which of the user's own columns the model could not use, and why the commonest reason is what it is."""
    own = {name: reason for name, reason in dropped.items() if name.startswith(OWN_COLUMNS)}
    if not own:
        return ()
    is_undated = any(reason.startswith("empty") for reason in own.values())
    why = " An extract without history is unknown before its date: see the tutorial." if is_undated else ""
    listed = "; ".join(f"{name} ({reason})" for name, reason in sorted(own.items())[:MOST_NAMED])
    more = f" and {len(own) - MOST_NAMED} more" if len(own) > MOST_NAMED else ""
    return (f"not learned from: {listed}{more}.{why}",)


def _network_verdict(judged: Evaluation, ablations: Mapping[str, float | None]) -> tuple[str, ...]:
    """Say so when the model ranks no better with the network than without."""
    value, without = judged.figures["auc"], ablations.get(NETWORK)
    if value is None or without is None or without < value:
        return ()
    return (f"the network adds nothing here: AUC {value:.3f} with it, {without:.3f} without",)


def _predicted(model: Fitted, rows: Rows) -> pl.DataFrame:
    return model.bundle((), Provenance()).predict(rows.frame)


def _score_without_network(
    learned: Rows, tested: Rows, model: Fitted, settings: FitSettings
) -> Floats | None:
    """Return the scores of the same learner without the network's features, None where there are none."""
    network = [name for name in learned.frame.columns if settings.group_of(name) == NETWORK]
    if not network:
        return None
    return score_without(network, learned, tested, like=model, settings=settings)


def _ablations(tested: Rows, without: Floats | None) -> dict[str, float | None]:
    from churnrisk.metrics import auc

    return {} if without is None else {NETWORK: auc(tested.left, without)}


def _network_gain(tested: Rows, model: Fitted, without: Floats | None, seed: int) -> Mapping[str, Interval]:
    """Compare the two learners' scores before calibration, whose steps would tie some of one and not of the other."""
    if without is None:
        return {}
    from churnrisk.metrics import paired_gain

    score = model.bundle((), Provenance()).raw_score(tested.frame)
    weight = tested.weight if tested.is_weighted else None
    return paired_gain(tested.left, score, without, weight, customer=tested.customer.astype(str), seed=seed)


def _watch(
    engine: Engine, tables: LakeTables, config: Config, as_of: AsOf, group_of: Callable[[str], str]
) -> Watch | None:
    if not config.training.study_contagion:
        return None
    days = outcome_days(config.churn)
    schedule = snapshot_schedule(as_of, config.churn, config.training, earliest=earliest_look(tables, days))
    earliest = schedule[-1].as_of.instant if schedule else None
    return Watch.begun(engine, config.churn, as_of, earliest, group_of)


def _looks(
    engine: Engine,
    tables: LakeTables,
    config: Config,
    as_of: AsOf,
    *,
    own: Path | None,
    tie_weights: Mapping[str, float] | None,
    watch: Watch | None,
) -> list[Look]:
    """Return every snapshot with labels and features; the latest decides the types of attributes for all."""
    churn = config.churn
    schedule = snapshot_schedule(
        as_of, churn, config.training, earliest=earliest_look(tables, outcome_days(churn))
    )
    tables = replace(tables, kept_for=tuple(snapshot.as_of for snapshot in schedule))
    kinds: Mapping[str, Kind] | None = None
    looks: list[Look] = []
    for snapshot in schedule:
        labels = labels_of(engine, tables, snapshot, churn, as_of)
        if not labels.frame.height:
            continue
        found = build(
            engine,
            tables,
            snapshot.as_of,
            churn,
            consent_as_of=as_of,
            kinds=kinds,
            rules=tie_rules(config.ties, tie_weights),
            own=own,
        )
        kinds = found.kinds if kinds is None else kinds
        looks.append(Look(snapshot, found.frame, labels, found.notes))
        if watch is not None:
            watch.add(snapshot, found, labels)
    return looks


def _stacked(looks: list[Look], is_wanted: Callable[[Look], bool]) -> Rows:
    return rows_of([(look.day, look.features, look.labels.frame) for look in looks if is_wanted(look)])


def _use(look: Look) -> SnapshotUse:
    snapshot = look.snapshot
    left = look.labels.frame.join(look.features.select("customer_key"), on="customer_key")["left"]
    return SnapshotUse(
        look.day, snapshot.use, snapshot.is_shipped, len(left), int(left.sum()), look.labels.counts
    )


def _no_snapshot() -> Fault:
    return Fault(
        code="no_snapshot",
        where="sources",
        expected="at least one past date with history before it and a whole outcome window after it",
        found="none",
        remedy="Give more history, or shorten [churn] horizon_days, gap_days or inactive_days.",
    )
