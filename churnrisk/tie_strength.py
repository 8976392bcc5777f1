"""The order of learning tie strength: load, fit, log, store; and which strength a run uses.

It decides where learned weights lie, and refuses to know how they are found (training.persistence).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import churnrisk
from features import tie_rules
from features.ties.blend import DEFAULT_WEIGHTS
from features.ties.rules import TieRules
from training.persistence import PersistenceFit, fit_persistence

from .bundle import Bundle
from .dates import AsOf
from .inputs import Inputs
from .logs import Stages, run_context
from .registry import Registry
from .sources import load, refuse_before_data
from .store import Workspace
from .store.code import code_fingerprint
from .store.workspace import run_identity


@dataclass(frozen=True)
class TiesFitted:
    """What fitting tie strength brought: the fit, and the run of MLflow that holds it."""

    fit: PersistenceFit
    tracking_run_id: str

    def text(self) -> str:
        """Tell it, for a terminal."""
        return self.fit.text()

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        return {
            "learned_as_of": self.fit.cuts[0],
            "judged_as_of": self.fit.cuts[1],
            "days": self.fit.days,
            "is_better": self.fit.is_better,
            "figures": self.fit.figures(),
            "weights": self.fit.weights or dict(DEFAULT_WEIGHTS),
            "tracking_run_id": self.tracking_run_id,
        }


def fit_ties(workspace: Workspace, as_of: AsOf, inputs: Inputs, *, days: int) -> TiesFitted:
    """Learn tie strength from whether ties persist, log it, and store it for the next training if it is better.

    When the default is as good, stored weights of an earlier fit are removed.
    """
    config = workspace.config
    with (
        workspace.held("ties fit"),
        Stages("ties fit", 2, interactive=inputs.interactive) as stages,
        workspace.engine() as engine,
    ):
        with stages.stage("load"):
            loaded = load(workspace, engine, environment=inputs.environment, frames=inputs.frames)
            refuse_before_data(loaded, as_of)
        run_id = run_identity(
            {
                "command": "ties fit",
                "as_of": str(as_of),
                "days": days,
                "inputs": dict(loaded.tables.fingerprints),
                "config": config.fingerprint(),
                "code": code_fingerprint(),
            }
        )
        with run_context(run_id=run_id, as_of=str(as_of), command="ties fit"), stages.stage("fit"):
            fit = fit_persistence(
                engine, loaded.tables, config.churn, as_of, rules=tie_rules(config.ties), days=days
            )
            registry = Registry(config.mlflow, workspace.root, inputs.environment)
            tracked = registry.log_ties(
                fit.figures(),
                parameters={"days": days, "learned_as_of": fit.cuts[0], "judged_as_of": fit.cuts[1]},
                tags={
                    "as_of": str(as_of),
                    "run_id": run_id,
                    "code_version": f"{churnrisk.__version__}+{code_fingerprint()}",
                    "is_better": str(fit.is_better).lower(),
                },
            )
            _store(workspace, fit)
    return TiesFitted(fit, tracked)


def learned_weights(workspace: Workspace) -> dict[str, float] | None:
    """Return the weights that the last fit stored; None = the default strength."""
    if not workspace.tie_weights.is_file():
        return None
    plain = json.loads(workspace.tie_weights.read_text("utf-8"))
    return {name: float(value) for name, value in plain["weights"].items()}


def rules_of(workspace: Workspace, bundle: Bundle | None = None) -> TieRules:
    """Return what counts as a tie, with the strength that ``bundle`` was trained with; by default the champion's."""
    if bundle is None and workspace.champion.exists():
        bundle = Bundle.load(workspace.champion)
    return tie_rules(workspace.config.ties, None if bundle is None else bundle.tie_weights)


def _store(workspace: Workspace, fit: PersistenceFit) -> None:
    path, weights = workspace.tie_weights, fit.weights
    if weights is None:
        path.unlink(missing_ok=True)
        return
    plain: Mapping[str, object] = {"judged_as_of": fit.cuts[1], "figures": fit.figures(), "weights": weights}
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", "utf-8")
    half.replace(path)
