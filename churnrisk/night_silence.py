"""The night's predictions for silent customers: what lies beside the champion, asked for those who were not heard.

It decides when nothing is predicted, and computes nothing. A night never fails for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from features import FeatureSet
from scoring import latest_nps, measured_shares, nps_predicted, predicted_shares

from .bundle import Bundle, Kind, read_predicted_nps
from .dates import AsOf
from .errors import Fault, ModelUnfit
from .report import Silence
from .store import Engine, Workspace
from .tables.lake import LakeTables

MOST_NAMED = 3
"""Faults of the feature table that a warning names; the others are counted."""


@dataclass(frozen=True, eq=False)
class SilentTonight:
    """The table ``nps_predicted``, None where nothing is predicted; what the report says; a warning, or none."""

    predicted: pl.DataFrame | None
    silence: Silence
    warnings: tuple[str, ...] = ()


def kinds_beside(workspace: Workspace) -> dict[str, Kind]:
    """Return name and kind of the features that the champion's companion reads; empty without one."""
    found = read_predicted_nps(workspace.champion)
    return {} if found is None or found.model is None else found.model.kinds


def silent_tonight(
    workspace: Workspace,
    bundle: Bundle,
    features: FeatureSet,
    *,
    engine: Engine,
    tables: LakeTables,
    as_of: AsOf,
    run_id: str,
) -> SilentTonight:
    """Return what is predicted of the silent customers of a date, beside what the others answered."""
    kept = read_predicted_nps(workspace.champion)
    heard = latest_nps(engine, tables, as_of)
    if kept is None or heard is None:
        findings = None if kept is None else kept.findings
        note = "" if heard is not None else "there are no survey answers"
        return SilentTonight(None, Silence(findings, note=note))
    n_heard, measured = measured_shares(heard, features.frame)
    silence = Silence(kept.findings, n_heard=n_heard, measured=measured)
    if kept.model is None:
        return SilentTonight(None, silence)
    model = kept.model.with_version(bundle.model_version)
    try:
        table = nps_predicted(features.frame, model, heard, as_of=as_of, run_id=run_id)
    except ModelUnfit as error:
        note = _named(error.faults)
        warning = f"what silent customers would answer was not predicted: {note}"
        return SilentTonight(None, replace(silence, note=note), (warning,))
    told = replace(silence, n_silent=table.height, predicted=predicted_shares(table))
    return SilentTonight(table, told)


def _named(faults: Iterable[Fault]) -> str:
    every = [f"{fault.where} ({fault.found})" for fault in faults]
    more = len(every) - MOST_NAMED
    return ", ".join(every[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
