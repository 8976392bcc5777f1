"""What of a training goes into its run as tags, parameters, inputs, signature and nested trials.

It knows MLflow's limits and refuses to know versions and aliases. No row and no path of the data goes in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from .nested import PARENT, TAG
from .trained import Trained, TriedSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

OUTPUTS = ("risk", "risk_low", "risk_high")
"""What the served model returns of each row: the risk and its interval, 0 to 1."""

_PARAMETERS_AT_ONCE = 100
_LONGEST_PARAMETER = 6000
"""Limits of MLflow's tracking API."""


def tags_of(result: Trained, *, as_of: date, run_id: str, code_version: str) -> dict[str, str]:
    """Return what a run and its version are found by."""
    verdict = "true" if result.is_fit else "false"
    tags = {
        f"{TAG}as_of": as_of.isoformat(),
        f"{TAG}run_id": run_id,
        f"{TAG}code_version": code_version,
        f"{TAG}judged": result.evaluation.kind,
        f"{TAG}is_fit": verdict,
        f"{TAG}bundle": result.bundle.identity,
    }
    if result.contagion is not None:
        tags[f"{TAG}contagion"] = result.contagion.verdict
    if result.comparison is not None:
        tags[f"{TAG}compared_with"] = result.comparison.champion
        tags[f"{TAG}verdict"] = result.comparison.verdict
    return tags


def signature_of(result: Trained) -> ModelSignature:
    """Return the signature made from the feature list alone, not from rows; whole numbers may be missing: doubles."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    kinds = {"number": "double", "category": "string"}
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(kinds[column.kind], column.name) for column in result.bundle.features
    ]
    outputs: list[ColSpec | TensorSpec] = [ColSpec("double", name) for name in OUTPUTS]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def log_parameters(client: MlflowClient, run_id: str, result: Trained) -> None:
    """Log how the model was fitted, cut to what MLflow takes."""
    from mlflow.entities import Param

    origin = result.bundle.provenance
    plain = {f"churn.{name}": value for name, value in origin.churn.items()}
    plain |= {"trained_until": origin.trained_until, "n_features": len(result.bundle.features)}
    plain |= dict(result.parameters)
    listed = [
        Param(name, parameter_text(value)[:_LONGEST_PARAMETER]) for name, value in sorted(plain.items())
    ]
    for start in range(0, len(listed), _PARAMETERS_AT_ONCE):
        client.log_batch(run_id, params=listed[start : start + _PARAMETERS_AT_ONCE])


def log_trials(
    client: MlflowClient, experiment_id: str, run_id: str, trials: Sequence[TriedSettings]
) -> None:
    """Log each trial of a search for settings as a run nested in the training's."""
    from mlflow.entities import Metric, Param

    ended = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
    for place, trial in enumerate(trials):
        tags = {
            PARENT: run_id,
            f"{TAG}kind": "trial",
            f"{TAG}search": trial.study,
            f"{TAG}trial": str(trial.number),
            f"{TAG}trial_state": trial.state,
            f"{TAG}is_default": "true" if trial.is_default else "false",
        }
        name = f"trial {trial.number}" + (" (defaults)" if trial.is_default else "")
        nested = client.create_run(experiment_id, tags=tags, run_name=name)
        figures = {"loss": trial.loss, "n_trees": trial.n_trees, "seconds": trial.seconds}
        client.log_batch(
            nested.info.run_id,
            metrics=[
                Metric(name, float(value), nested.info.start_time, place)
                for name, value in figures.items()
                if value is not None
            ],
            params=[Param(name, parameter_text(value)) for name, value in sorted(trial.settings.items())],
        )
        client.set_terminated(nested.info.run_id, ended[trial.state])


def parameter_text(value: object) -> str:
    """Return a parameter as text: JSON, but for what is text already."""
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    )


def log_inputs(client: MlflowClient, run_id: str, fingerprints: Mapping[str, str]) -> None:
    """Log each source as a dataset by its hash: which data, without a row or a path of it."""
    from mlflow.entities import Dataset, DatasetInput

    inputs = [
        DatasetInput(Dataset(name, digest[:36], "fingerprint", json.dumps({"fingerprint": digest})))
        for name, digest in sorted(fingerprints.items())
    ]
    if inputs:
        client.log_inputs(run_id, inputs)
