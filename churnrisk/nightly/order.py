"""The order of the stages of a night, and nowhere else: load, check, features, risk, list, report, publish.

It decides what happens in which order and what a night leaves behind, and refuses to compute anything itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import polars as pl

from features import FeatureSet, build, library

from ..acting import refuse_unactable
from ..dates import AsOf
from ..delivery import Secrets
from ..errors import ChurnriskError, Fault, GateRefused
from ..inputs import Inputs
from ..learning import champion_bundle
from ..ledger import Ledger, crm_consents, is_decided
from ..loaded import loaded_sources
from ..logs import Stages, run_context
from ..messages import Sentences
from ..night_memory import forget_older, told_by
from ..night_monitor import past_of
from ..night_silence import kinds_beside
from ..promotion import challenger_of
from ..sending import send_due, signing_secrets
from ..sources import refuse_before_data, refuse_to_come
from ..sources.readiness import TIES_UNKNOWN, Readiness, readiness
from ..store import Engine, Workspace
from ..store.code import code_fingerprint
from ..store.publish import Edition, publish, recover, staged_edition
from ..store.workspace import run_identity
from ..tables.published import RULES
from ..tie_strength import rules_of
from .basis import Basis
from .extent import BACKFILL, NIGHTLY, Extent, Night
from .files import Files, files_of
from .log import Start, log_row, record_failure
from .scored import OF_NIGHTS, made_of
from .watched import watched


def run_night(
    workspace: Workspace, as_of: AsOf, inputs: Inputs, *, extent: Extent = NIGHTLY, started_at: datetime
) -> Night:
    """Run one night and publish it; on any error the tables published before stay as they are.

    Parameters
    ----------
    workspace : Workspace
        Where everything lies.
    as_of : AsOf
        Limit of knowledge.
    inputs : Inputs
        Frames instead of files, secrets, terminal.
    extent : Extent
        How far to go.
    started_at : datetime
        The clock at the start, naive UTC; only run_log holds it.

    Raises
    ------
    ChurnriskError
        With the exit code of what went wrong; a row of run_log says so too when the run got as far as having an id.
    """
    with workspace.held(extent.command), Stages(extent.command, 7, interactive=inputs.interactive) as stages:
        recover(workspace)
        # before anything is decided: what cannot be signed could never be sent
        secrets = signing_secrets(workspace, inputs.environment) if extent.decides else None
        with workspace.engine() as engine, _ledger(workspace, inputs, extent) as ledger:
            start = Start(started_at, perf_counter())
            basis = _basis(
                workspace, as_of, inputs, extent, engine=engine, stages=stages, started_at=started_at
            )
            basis = replace(basis, ledger=ledger)
            basis = replace(basis, run_id=_run_id(basis))
            with run_context(run_id=basis.run_id, as_of=str(as_of), command=extent.command):
                try:
                    return _with_messages(_published(basis, stages, start), basis, secrets)
                except ChurnriskError as error:
                    record_failure(basis, start, error)
                    raise
                finally:
                    # what was published lies there; nothing with ids or names stays behind in the lake
                    shutil.rmtree(workspace.run_folder(basis.run_id), ignore_errors=True)


def _with_messages(night: Night, basis: Basis, secrets: Secrets | None) -> Night:
    """Send what is due, once the night is published; what cannot be delivered is a warning, never a failed night."""
    if secrets is None or basis.ledger is None or basis.extent.is_dry:
        return night
    now = datetime.now(UTC).replace(tzinfo=None)
    crm = crm_consents(basis.loaded.tables, basis.as_of.instant, now)
    sent = send_due(basis.ledger, secrets, crm=crm, by=basis.as_of.instant)
    warnings = (*night.warnings, *filter(None, [sent.sentence]))
    return replace(night, warnings=warnings, decided={**night.decided, "messages": sent.as_dict()})


@contextmanager
def _ledger(workspace: Workspace, inputs: Inputs, extent: Extent) -> Iterator[Ledger | None]:
    """Open the ledger where something is decided, or where there is one to read; a dry run leaves none behind."""
    if extent.is_dry and not Ledger.is_there(workspace):
        with (
            TemporaryDirectory() as folder,
            Ledger.open(replace(workspace, root=Path(folder)), inputs.environment) as ledger,
        ):
            yield ledger
    elif extent.decides or Ledger.is_there(workspace):
        with Ledger.open(workspace, inputs.environment) as ledger:
            yield ledger
    else:
        yield None


def _basis(
    workspace: Workspace,
    as_of: AsOf,
    inputs: Inputs,
    extent: Extent,
    *,
    engine: Engine,
    stages: Stages,
    started_at: datetime,
) -> Basis:
    """Load the sources, find the models and earlier nights, and name the run after all of them."""
    sentences = Sentences.of(workspace.config.lists.language)
    challenger, note = (None, "") if extent is BACKFILL else challenger_of(workspace)
    with stages.stage("load") as counts:
        adopted_at = started_at if extent.decides and not extent.is_dry else None
        loaded = loaded_sources(workspace, engine, inputs, as_of, adopted_at=adopted_at)
        counts |= {name: report.n_kept for name, report in loaded.reports.items()}
        refuse_before_data(loaded, as_of)
        if extent.decides:
            refuse_to_come(loaded, as_of, started_at)
    bundle = champion_bundle(workspace)
    past = past_of(workspace, as_of, bundle)
    return Basis(workspace, engine, as_of, extent, loaded, bundle, past, "", sentences, challenger, note)


def _run_id(basis: Basis) -> str:
    """Return the name of the run; the same date has another one once it is decided, for whoever did not decide it."""
    extent, challenger = basis.extent, basis.challenger
    return run_identity(
        {
            "as_of": str(basis.as_of),
            "inputs": dict(basis.loaded.fingerprints),
            "config": basis.workspace.config.fingerprint(),
            "code": code_fingerprint(),
            "model": basis.bundle.identity,
            "past": basis.past.as_dict(),
            "challenger": challenger and (challenger.model_version, challenger.identity),
            "has_decisions": extent.decides or _is_decided(basis),
            "has_lists": extent.makes_lists,
            "has_report": extent.makes_report,
            "compared_with": told_by(basis.workspace, basis.as_of.day, is_night=extent.makes_lists),
        }
    )


def _is_decided(basis: Basis) -> bool:
    if basis.ledger is None:
        return False
    with basis.ledger.reading() as db:
        return is_decided(db, basis.as_of.day)


def _published(basis: Basis, stages: Stages, start: Start) -> Night:
    with stages.stage("check"):
        ready = readiness(basis.loaded, basis.engine, basis.workspace.config, basis.as_of)
        ready.refuse_stale()
        if basis.extent.decides:
            known = library(basis.workspace.root / "features").catalogue
            refuse_unactable(basis.workspace.config, basis.loaded.tables, known)
    with stages.stage("features") as counts:
        features = _features(basis)
        counts |= {"customers": features.frame.height, "features": len(features.names)}
        _refuse_nobody(features, basis.as_of)
    with stages.stage("score") as counts:
        made = made_of(basis, features)
        counts |= {name: frame.height for name, frame in made.frames.items()}
    with stages.stage("monitor") as counts:
        seen = watched(basis, ready, features, made)
        counts |= {"watched": seen.frame.height, "findings": len(seen.findings)}
        stamped = seen.frame.with_columns(as_of=pl.lit(basis.as_of.day), run_id=pl.lit(basis.run_id))
        made = replace(made, frames={**made.frames, "monitoring": stamped}, monitored=seen)
    remarks = _remarks(ready, basis.extent)
    told = {**json.loads(made.figures), "is_replay": made.is_replay} if made.figures else {}
    if basis.extent.is_dry:
        rows = {name: frame.height for name, frame in made.frames.items() if name in DECIDED_TABLES}
        return _night(basis, rows, made.notes, seconds=dict(stages.seconds), decided=told)
    notes = (*seen.warnings, *basis.loaded.warnings, *remarks, *features.notes, *made.notes)
    made = replace(made, notes=notes)
    with stages.stage("lists and report"):
        files = files_of(basis, ready, features, made)
    rows = {name: frame.height for name, frame in made.frames.items()}
    with stages.stage("publish"):
        log = log_row(basis, start, rows, made.notes)
        _publish(basis, {**made.frames, "run_log": log}, files, n_customers=features.frame.height)
    return _night(basis, rows, made.notes, places=files.places, seconds=dict(stages.seconds), decided=told)


DECIDED_TABLES = ("survey_requests", "offers_ranked")


def _night(
    basis: Basis,
    rows: Mapping[str, int],
    notes: tuple[str, ...],
    **more: Any,
) -> Night:
    return Night(basis.as_of.day, basis.run_id, basis.bundle.model_version, rows, notes, **more)


def _features(basis: Basis) -> FeatureSet:
    workspace = basis.workspace
    kinds = kinds_beside(workspace) | {feature.name: feature.kind for feature in basis.bundle.features}
    kept = workspace.kept_past_pairs if basis.extent is BACKFILL else workspace.kept_pairs
    return build(
        basis.engine,
        replace(basis.loaded.tables, kept=kept),
        basis.as_of,
        workspace.config.churn,
        consent_as_of=basis.as_of,
        kinds=kinds,
        rules=rules_of(workspace, basis.bundle),
        own=workspace.root / "features",
    )


def _refuse_nobody(features: FeatureSet, as_of: AsOf) -> None:
    if features.frame.is_empty():
        raise GateRefused(
            Fault(
                code="nobody_to_score",
                where=f"customers as of {as_of}",
                expected="at least one customer who has joined and has not left",
                found="none: all left, are in notice, joined later, or were inactive",
                remedy="Check --as-of, joined_on and left_on with `churnrisk check`.",
            )
        )


def _remarks(ready: Readiness, extent: Extent) -> tuple[str, ...]:
    """What the check remarks; that sources reach beyond a past date is what a backfill is about.

    Of ties that are not known the features tell more.
    """
    expected = {TIES_UNKNOWN, "ahead"} if extent is BACKFILL else {TIES_UNKNOWN}
    return tuple(remark.text for remark in ready.remarks if remark.code not in expected)


def _publish(basis: Basis, frames: dict[str, pl.DataFrame], files: Files, *, n_customers: int) -> None:
    """Put tables and files in place together; tables that this run could make and does not have are withdrawn.

    Of those that a backfill never makes the ones of the night stay, with its run_id: nobody could make them again.
    """
    day = basis.as_of.day
    edition = staged_edition(
        basis.workspace,
        RULES,
        frames,
        run_id=basis.run_id,
        as_of=day,
        n_expected={"scores": n_customers},
    )
    kept = {*frames, *(OF_NIGHTS if basis.extent is BACKFILL else ())}
    withdrawn = tuple(name for name in RULES if name not in kept and not RULES[name].is_log)
    publish(basis.workspace, Edition(basis.run_id, day, edition.tables, files.staged, withdrawn), RULES)
    forget_older(basis.workspace)
