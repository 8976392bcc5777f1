"""Runs nested in a training's run: one per date that customers were looked at; refuses to know how they are used."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .trained import Look, Trained

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "churnrisk."
PARENT = "mlflow.parentRunId"
"""The tag by which MLflow shows a run below another."""

CONTEXT = "mlflow.data.context"
"""The tag by which MLflow says what a dataset was used for."""


def log_looks(client: MlflowClient, experiment_id: str, run_id: str, result: Trained) -> None:
    """Log each look as a run below ``run_id``: its date, use and counts, the dataset it is, and figures if it judged.

    The dataset is named and hashed, by the sources' fingerprints and the date: no row and no path of it.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric

    tested = [look for look in result.snapshots if look.use == "test"]
    for look in result.snapshots:
        tags = {
            PARENT: run_id,
            f"{TAG}kind": "snapshot",
            f"{TAG}as_of": look.as_of,
            f"{TAG}use": look.use,
            f"{TAG}is_shipped": "true" if look.is_shipped else "false",
        }
        nested = client.create_run(experiment_id, tags=tags, run_name=f"look at {look.as_of} ({look.use})")
        figures = _figures(look) | (_defined(result.evaluation.figures) if tested == [look] else {})
        client.log_batch(
            nested.info.run_id,
            metrics=[Metric(name, value, nested.info.start_time, 0) for name, value in figures.items()],
        )
        context = InputTag(CONTEXT, "testing" if look.use == "test" else "training")
        client.log_inputs(nested.info.run_id, [DatasetInput(Dataset(*_dataset(look, result)), [context])])
        client.set_terminated(nested.info.run_id)


def _figures(look: Look) -> dict[str, float]:
    counts = {f"n_{name}": float(count) for name, count in look.counts.items()}
    return {"n_rows": float(look.n_rows), "n_leavers": float(look.n_leavers), **counts}


def _defined(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None and math.isfinite(value)}


def _dataset(look: Look, result: Trained) -> tuple[str, str, str, str, None, str]:
    """Name, digest, kind, source, schema and profile of the rows of one date."""
    source = {"as_of": look.as_of, "fingerprints": dict(result.bundle.provenance.fingerprints)}
    text = json.dumps(source, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:36]
    profile = json.dumps({"n_rows": look.n_rows, "n_leavers": look.n_leavers})
    return (f"customers as of {look.as_of}", digest, "fingerprint", text, None, profile)
