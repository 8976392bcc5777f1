"""From labelled rows to a model to ship: judge on rows kept apart, then fit the same way on all.

It decides which rows train and which judge, and refuses to know sources, the registry and the disk.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from churnrisk.bundle import Provenance
from churnrisk.config import FEWEST_JUDGED_LEAVERS, FEWEST_LEAVERS
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit

from .compare import Champion, not_comparable
from .evaluate import CROSS_VALIDATED, evaluation
from .extract import ExtractDay, extract_days, not_out_of_time
from .fit import FitSettings, fitted_model, is_prior
from .judged import Judged, beside, cross_validated_risk, judged_on
from .kinds import leaver_kinds
from .lifetime import cohorts_of
from .looks import Look, no_snapshot, stacked, use_of
from .result import SnapshotUse, TrainingResult
from .rows import Rows
from .shipped import result_of


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
    uses = tuple(use_of(look) for look in looks)
    if not any(use.is_shipped for use in uses):
        raise ModelUnfit(no_snapshot())
    provenance = replace(origin, snapshots=tuple(use.as_of for use in uses if use.is_shipped))
    judged = _judged_out_of_time(looks, settings, uses, notes, origin, champion=champion)
    # Only now: the rows that the judged model learned from are gone, and not held beside these.
    shipped = stacked(looks, lambda look: look.snapshot.is_shipped)
    found = _shipped(shipped, settings, provenance, uses, notes, judged=judged, champion=champion)
    if not _needs_prior(found, shipped, settings, champion):
        return found
    return from_snapshots(looks, _as_prior(settings), origin, (*notes, _stands_in(found)))


def _shipped(
    shipped: Rows,
    settings: FitSettings,
    provenance: Provenance,
    uses: tuple[SnapshotUse, ...],
    notes: tuple[str, ...],
    *,
    judged: Judged | None,
    champion: Champion | None,
) -> TrainingResult:
    if judged is None:
        note = "history is too short, or leavers too few, for a test out of time: customers are cross-validated instead"
        return _cross_validated(shipped, settings, provenance, uses, (*notes, note), champion=champion)
    # settings that were searched for are those that were judged: no second search, and none that sees the test rows
    found = settings if judged.model is None else replace(settings, tuning=None, trees=judged.model.chosen)
    model = fitted_model(shipped, found)
    result = result_of(model, shipped, judged, provenance, settings.unshared)
    return _with_kinds(result, shipped, settings)


def _with_kinds(result: TrainingResult, rows: Rows, settings: FitSettings) -> TrainingResult:
    """Add how customers leave, where the rows that the shipped model learned from tell kinds apart."""
    kinds = leaver_kinds(rows, result.bundle.features, seed=settings.seed)
    bundle = replace(result.bundle, leaver_kinds=kinds.model)
    return replace(result, bundle=bundle, notes=(*result.notes, *kinds.notes))


def _judged_out_of_time(
    looks: list[Look],
    settings: FitSettings,
    uses: tuple[SnapshotUse, ...],
    notes: tuple[str, ...],
    origin: Provenance,
    *,
    champion: Champion | None,
) -> Judged | None:
    """Judge a model of the training snapshots on the test ones; None without leavers in both."""
    if not all(any(use.use == kind and use.n_leavers for use in uses) for kind in ("train", "test")):
        return None
    learned = stacked(looks, lambda look: look.snapshot.use == "train")
    if is_prior(learned, settings) and sum(use.n_leavers for use in uses if use.is_shipped) >= FEWEST_LEAVERS:
        return None  # a rule prior would be judged in place of a model that learned
    tested = stacked(looks, lambda look: look.snapshot.use == "test")
    judged = judged_on(learned, tested, settings, uses, notes)
    judged = replace(judged, origin=_origin_of_twin(looks, uses, origin))
    tests = [look.instant for look in looks if look.snapshot.use == "test"]
    return beside(judged, champion, tests, settings.seed)


def _needs_prior(found: TrainingResult, rows: Rows, settings: FitSettings, champion: Champion | None) -> bool:
    """Say whether so few leavers cannot show a learned model to be fit, and there is nothing else to score with."""
    too_few = rows.n_leavers < FEWEST_JUDGED_LEAVERS and not is_prior(rows, settings)
    return too_few and champion is None and not found.is_fit


def _as_prior(settings: FitSettings) -> FitSettings:
    return replace(settings, n_leavers=0)


def _stands_in(found: TrainingResult) -> str:
    return (
        f"{found.regime.partition(':')[0]} was tried on {found.evaluation.n_leavers} leavers and did not pass its "
        f"gates: a rule prior stands in until {FEWEST_JUDGED_LEAVERS} leavers can judge one"
    )


def _origin_of_twin(looks: list[Look], uses: tuple[SnapshotUse, ...], origin: Provenance) -> Provenance:
    """What the judged model had seen: outcomes until the last training window ends, none of the test's."""
    until = max(look.snapshot.outcome_to for look in looks if look.snapshot.use == "train")
    days = tuple(use.as_of for use in uses if use.use == "train")
    return replace(origin, trained_until=until.isoformat(), snapshots=days)


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
    found = _from_extract(rows, settings, origin, champion, reach_days=reach_days)
    if not _needs_prior(found, rows, settings, champion):
        return found
    stands_in = _from_extract(rows, _as_prior(settings), origin, champion, reach_days=reach_days)
    return replace(stands_in, notes=(_stands_in(found), *stands_in.notes))


def _from_extract(
    rows: Rows, settings: FitSettings, origin: Provenance, champion: Champion | None, *, reach_days: int
) -> TrainingResult:
    days = extract_days(rows, reach_days)
    if not days:
        note = not_out_of_time(rows, reach_days)
        return _cross_validated(rows, settings, origin, (), (note,), champion=champion)
    uses = tuple(_use_of_day(rows, day) for day in days)
    day_of = rows.snapshot.astype(str)
    learned, tested = (
        rows.where(np.isin(day_of, [day.day for day in days if day.use == use])) for use in ("train", "test")
    )
    judged = judged_on(learned, tested, settings, uses, ())
    trained = tuple(day.day for day in days if day.use == "train")
    until = AsOf(date.fromisoformat(max(trained))).days_before(-reach_days)
    twin = replace(origin, snapshots=trained, trained_until=until.isoformat())
    found = settings if judged.model is None else replace(settings, tuning=None, trees=judged.model.chosen)
    shipped = replace(origin, snapshots=tuple(day.day for day in days if day.day))
    tests = [AsOf(date.fromisoformat(day.day)) for day in days if day.use == "test"]
    judged = beside(replace(judged, origin=twin), champion, tests, settings.seed)
    return result_of(fitted_model(rows, found), rows, judged, shipped, settings.unshared)


def _use_of_day(rows: Rows, day: ExtractDay) -> SnapshotUse:
    left = rows.left[rows.snapshot.astype(str) == day.day] > 0
    n_leavers = int(left.sum())
    counts = {"leaver": n_leavers, "stayer": len(left) - n_leavers}
    return SnapshotUse(
        day.day, day.use, is_shipped=True, n_rows=len(left), n_leavers=n_leavers, counts=counts
    )


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
    comparison = (
        None if champion is None else not_comparable(champion.version, "customers were cross-validated")
    )
    seen = cohorts_of(rows, risks["risk"].to_numpy(), is_tested=False)
    judged = Judged(rows, risks, found, uses, notes=notes, comparison=comparison, cohorts=seen)
    result = result_of(shipped, rows, judged, origin, settings.unshared)
    return _with_kinds(result, rows, settings)
