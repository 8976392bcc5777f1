"""Which model is in use, which one is scored beside it, and how either comes to be so."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from training.compare import Champion

from .bundle import Bundle
from .errors import Fault, ModelUnfit, UsageError
from .evidence import TWIN_FOLDER
from .inputs import Inputs
from .registry import CHALLENGER, Forced, ModelVersion, Registry, local_champion
from .store import Workspace
from .store.publish import publish, recover, staged_edition
from .store.workspace import run_identity
from .tables.published import RULES


def champion_to_beat(registry: Registry, workspace: Workspace) -> Champion | None:
    """Return the champion that the registry names, from its local copy or else from MLflow; None without any."""
    version = registry.champion_version()
    if version is None:
        return None
    if local_champion(workspace.models) == version:
        return _champion(version, workspace.champion)
    with TemporaryDirectory(prefix="churnrisk-") as scratch:
        registry.fetch(version, Path(scratch))
        return _champion(version, Path(scratch))


def make_champion(registry: Registry, version: str, forced: Forced | None = None) -> Path:
    """Move the alias and the local copy, nothing else; raises like :func:`promote`."""
    return registry.promote(version, prepare=_named, forced=forced)


def promote(
    workspace: Workspace, version: str, inputs: Inputs, *, at: datetime, force_reason: str | None = None
) -> Path:
    """Make ``version`` champion and copy its bundle into ``models/``; return where the copy lies.

    The caller holds the workspace. The newest fit version above it, if there is one and ``[training] shadow`` is on,
    becomes the challenger.

    Parameters
    ----------
    workspace, inputs : where, and the environment with secrets.
    version : as ``models`` lists it.
    at : the clock, naive UTC; the row in run_log holds it.
    force_reason : why it is to be promoted whatever speaks against it.

    Raises
    ------
    ModelUnfit
        There is no such version.
    GateRefused
        Something speaks against it, and no reason was given.
    UsageError
        The reason is empty.
    """
    registry = Registry(workspace.config.mlflow, workspace.root, inputs.environment)
    forced = None if force_reason is None else Forced(_reason(force_reason), at)
    copy = make_champion(registry, version, forced)
    choose_challenger(registry, workspace)
    (promoted,) = [each for each in registry.models() if each.version == version]
    _log(workspace, promoted, at, forced)
    return copy


def choose_challenger(registry: Registry, workspace: Workspace) -> str | None:
    """Bring the challenger up to date; return its version, None when there is none or it is not wanted."""
    return registry.challenge(prepare=_named) if workspace.config.training.shadow else None


def challenger_of(workspace: Workspace) -> tuple[Bundle | None, str]:
    """Return the challenger's local copy, None where there is none or it is not wanted; and what is wrong with it."""
    folder = workspace.models / CHALLENGER
    if not workspace.config.training.shadow or not folder.is_dir():
        return None, ""
    try:
        return Bundle.load(folder), ""
    except ModelUnfit as error:
        return None, f"the challenger was not scored: {error.faults[0].sentence()}"


def _named(folder: Path, version: str) -> None:
    Bundle.load(folder).with_version(version).save(folder)


def _champion(version: str, folder: Path) -> Champion:
    twin = folder / TWIN_FOLDER
    return Champion(version, Bundle.load(folder), Bundle.load(twin) if twin.is_dir() else None)


def _reason(text: str) -> str:
    if text.strip():
        return text.strip()
    raise UsageError(
        Fault(
            code="reason_missing",
            where="--reason",
            expected="why the version is to be promoted against the rules",
            found="no words",
            remedy="Say it in a sentence: it is kept with the version.",
        )
    )


def _log(workspace: Workspace, version: ModelVersion, at: datetime, forced: Forced | None) -> None:
    """Leave a row in run_log, under the date that the version learned until."""
    said = () if forced is None else (f"promoted by force: {forced.reason}",)
    as_of = date.fromisoformat(version.as_of)
    run_id = run_identity({"command": "promote", "version": version.version, "at": at.isoformat()})
    row = {
        "run_id": run_id,
        "as_of": as_of,
        "command": "promote",
        "outcome": "promoted",
        "started_at": at,
        "seconds": 0.0,
        "n_rows": "{}",
        "fingerprints": "{}",
        "model_version": version.version,
        "warnings": json.dumps(said, ensure_ascii=False),
    }
    recover(workspace)
    frame = pl.DataFrame([row], schema_overrides={"started_at": pl.Datetime("us")})
    publish(
        workspace, staged_edition(workspace, RULES, {"run_log": frame}, run_id=run_id, as_of=as_of), RULES
    )
