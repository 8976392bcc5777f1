"""What a night keeps so that the next one can say what moved, and what is read back of it.

The published table ``features`` holds what the model saw but for what other customers did. That remainder is kept here,
inside the lake, by customer key, for the latest nights only. It decides how long, and refuses to know what moved.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from features import Catalogue, FeatureSet
from features.network import NETWORK_GROUP
from scoring import LastNight

from .bundle import Bundle
from .sources.keys import known_keys
from .store import Workspace
from .store.publish import published_days, published_frame, written_parquet
from .tables.published import RULES

N_NIGHTS_KEPT = 3
"""Nights whose inputs stay: tonight's, the one it is compared with, and one more for a night that is run again."""

CONSENTS = ("may_use_calls", "may_use_answers")

_ROUNDING_PP = 1e-6

_ROWS, _MODEL = "part-0.parquet", "model.json"


@dataclass(frozen=True, eq=False)
class Remembered:
    """The inputs of customers as a night's model saw them, and which model that was.

    ``frame``: customer_id, every input, the counts that say what may be told, may_use_calls, may_use_answers.
    """

    frame: pl.DataFrame
    model: Mapping[str, Any]


def kept_columns(
    features: FeatureSet, published: Collection[str], bundle: Bundle, words: Catalogue
) -> list[str]:
    """Return what ``published`` leaves out of the model's inputs, and the network's group, by the features' order."""
    groups = {name: found.group for name in features.names if (found := words.find(name)) is not None}
    return [
        name
        for name in features.names
        if name not in published and (name in bundle.kinds or groups.get(name) == NETWORK_GROUP)
    ]


def staged_memory(
    workspace: Workspace,
    day: date,
    *,
    features: FeatureSet,
    published: pl.DataFrame,
    consents: pl.DataFrame,
    words: Catalogue,
    bundle: Bundle,
    run_id: str,
) -> dict[Path, Path]:
    """Write what this night keeps into the run's folder; return place -> staged file.

    Parameters
    ----------
    published : pl.DataFrame
        The published table ``features`` of this night; what it holds is not kept twice.
    consents : pl.DataFrame
        customer_id, may_use_calls, may_use_answers.
    """
    may_use = [pl.col(name).fill_null(value=False) for name in CONSENTS]
    frame = (
        features.frame.select(
            "customer_key", "customer_id", *kept_columns(features, published.columns, bundle, words)
        )
        .join(consents.select("customer_id", *CONSENTS), on="customer_id", how="left", maintain_order="left")
        .with_columns(may_use)
        .drop("customer_id")
    )
    staged = workspace.run_folder(run_id) / "inputs"
    rows = written_parquet(frame, staged / _ROWS)
    model = staged / _MODEL
    model.write_text(json.dumps(_model(bundle, run_id), sort_keys=True), "utf-8")
    folder = _folder(workspace, day)
    return {folder / _ROWS: rows, folder / _MODEL: model}


def remembered(workspace: Workspace, day: date, customers: Collection[str]) -> Remembered | None:
    """Return what the night of ``day`` saw of customers; None when it was not kept, or was of another run."""
    folder = _folder(workspace, day)
    if not (folder / _MODEL).is_file() or not (folder / _ROWS).is_file():
        return None
    model = json.loads((folder / _MODEL).read_text("utf-8"))
    published = published_frame(workspace, RULES["features"], day, customers=customers)
    if published is None or not set(published["run_id"]) <= {model["run_id"]}:
        return None
    keys = known_keys(workspace.lake).filter(pl.col("customer_id").is_in(list(customers)))
    kept = (
        pl.scan_parquet(folder / _ROWS)
        .filter(pl.col("customer_key").is_in(keys["customer_key"].implode()))
        .collect()
        .join(keys, on="customer_key")
        .drop("customer_key")
    )
    return Remembered(published.drop("as_of", "run_id").join(kept, on="customer_id"), model)


def is_of_model(found: Remembered, bundle: Bundle) -> bool:
    """Say whether a night was scored by this model, calibration included."""
    return bool(found.model["model"] == bundle.identity)


def night_before(workspace: Workspace, day: date) -> date | None:
    """Return the latest day before ``day`` of which scores are published."""
    return max((each for each in published_days(workspace, "scores") if each < day), default=None)


def last_night(
    workspace: Workspace, day: date, bundle: Bundle, customers: Collection[str]
) -> LastNight | None:
    """Return what the night before ``day`` left of customers, to compare with; None when there was none."""
    before = night_before(workspace, day)
    scores = (
        None if before is None else published_frame(workspace, RULES["scores"], before, customers=customers)
    )
    if before is None or scores is None:
        return None
    kept = remembered(workspace, before, customers)
    if kept is None:
        return LastNight(before, scores)
    tonight = _model(bundle, "")
    is_recalibrated = (
        kept.model["learner"] == tonight["learner"] and kept.model["calibrator"] != tonight["calibrator"]
    )
    return LastNight(before, scores, kept.frame.drop(CONSENTS), is_recalibrated)


def last_run_id(workspace: Workspace, day: date) -> str | None:
    """Return the run that made the scores of the night before ``day``: changes rest on it."""
    before = night_before(workspace, day)
    scores = None if before is None else published_frame(workspace, RULES["scores"], before)
    return None if scores is None else str(scores["run_id"][0])


def kept_changes(workspace: Workspace, day: date, scores: pl.DataFrame) -> pl.DataFrame | None:
    """Return what the night of ``day`` found changed, as published, of those whose risk it still explains.

    ``scores``: as a later run has them. Under another model or other data the lines do not add up to the difference of
    the risks, and are not told. None when no night told anything.
    """
    table = published_frame(workspace, RULES["changes"], day)
    before = night_before(workspace, day)
    if table is None or before is None:
        return None
    then = published_frame(workspace, RULES["scores"], before, customers=table["customer_id"].unique())
    if then is None:
        return None
    risks = scores.select("customer_id", "risk").join(
        then.select("customer_id", _then="risk"), on="customer_id"
    )
    explained = (
        table.filter(pl.col("since") == before)
        .group_by("customer_id")
        .agg(moved_pp=pl.col("effect_pp").sum())
        .join(risks, on="customer_id")
        .filter((pl.col("moved_pp") - 100 * (pl.col("risk") - pl.col("_then"))).abs() < _ROUNDING_PP)
    )
    return table.join(explained, on="customer_id", how="semi", maintain_order="left")


def told_by(workspace: Workspace, day: date, *, is_night: bool) -> list[str | None]:
    """Return the runs on which what changed rests: that of the night before and, unless a night is run, of the day's.

    They are part of a run's name.
    """
    told = [last_run_id(workspace, day)]
    if not is_night:
        found = published_frame(workspace, RULES["changes"], day)
        told.append(None if found is None or found.is_empty() else str(found["run_id"][0]))
    return told


def forget_older(workspace: Workspace) -> None:
    """Remove the inputs of all but the latest nights."""
    for folder in sorted(workspace.kept_inputs.glob("as_of=*"))[:-N_NIGHTS_KEPT]:
        shutil.rmtree(folder)


def _model(bundle: Bundle, run_id: str) -> dict[str, str]:
    segments = {} if bundle.segments is None else {"segments": bundle.segments.as_dict()}
    calibrator = json.dumps(bundle.calibrator.as_dict() | segments, sort_keys=True)
    return {
        "run_id": run_id,
        "model": bundle.identity,
        "learner": sha256(bundle.learner.text.encode()).hexdigest(),
        "calibrator": sha256(calibrator.encode()).hexdigest(),
    }


def _folder(workspace: Workspace, day: date) -> Path:
    return workspace.kept_inputs / f"as_of={day.isoformat()}"
