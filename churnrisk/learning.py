"""The order of the stages of learning: load, check, train, log, register, and the first champion; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

import churnrisk
from training import TrainingResult, Trial, train
from training.card import CARD_FILE, model_card
from training.compare import Champion

from .bundle import Bundle
from .config import CONFIG_NAME, Config
from .dates import AsOf
from .errors import Fault, ModelUnfit
from .evidence import EvidencedBundle, evidence_of
from .inputs import Inputs
from .loaded import loaded_sources
from .logs import Stages, run_context
from .pictures import Picture, calibration, feature_importance, gain, profit
from .promotion import champion_to_beat, choose_challenger, make_champion
from .registry import ModelVersion, Registry
from .report import Evidence, has_rows
from .responses import responses
from .sources import LoadedSources, refuse_before_data
from .store import Workspace
from .store.code import code_fingerprint
from .store.workspace import run_identity
from .tie_strength import learned_weights

SHOWN_FIGURES = (
    "auc",
    "pr_auc",
    "top_decile_lift",
    "log_loss",
    "log_loss_margin",
    "brier",
    "ece",
    "ece_null_mean",
    "calibration_slope",
    "observed_over_expected",
    "empc",
    "empc_treat_all",
    "base_rate",
)
"""Figures printed after a training, in order; MLflow has all."""

MOST_IMPORTANT = 25
"""Features in the picture of importance; the table in MLflow has all."""


@dataclass(frozen=True)
class Learned:
    """What a training brought: the registered version, its figures beside the champion's, and whether it took over."""

    version: ModelVersion
    result: TrainingResult
    champion_before: ModelVersion | None
    became_champion: bool
    warnings: tuple[str, ...]
    is_challenger: bool = False

    @property
    def is_fit(self) -> bool:
        """Whether every gate was passed."""
        return self.result.is_fit

    def text(self) -> str:
        """Tell what was learned, beside the champion, for a terminal."""
        judged = self.result.evaluation
        before = self.champion_before
        lines = [
            f"Version {self.version.version} as of {self.version.as_of}: {self.result.regime}",
            f"Judged {judged.kind} on {judged.n_rows:,} customers, {judged.n_leavers:,} of them leavers",
            "",
            f"  {'figure':<24}{'this version':>14}{'interval':>20}"
            + (f"{'champion ' + before.version:>16}" if before else ""),
        ]
        for name in SHOWN_FIGURES:
            value = judged.figures.get(name)
            if value is not None:
                beside = before.figures.get(name) if before else None
                lines.append(
                    f"  {name:<24}{value:>14.4f}{_interval_words(judged.figures, name):>20}"
                    + ("" if beside is None else f"{beside:>16.4f}")
                )
        for group, value in self.result.ablations.items():
            if value is not None:
                lines.append(f"  {'auc without ' + group:<24}{value:>14.4f}")
        gain = self.result.network_gain.get("auc")
        if gain is not None:
            ends = f"[{gain.low:.4f}, {gain.high:.4f}]"
            lines.append(f"  {'auc gained by network':<24}{gain.value:>14.4f}{ends:>20}")
        if before and before.as_of != self.version.as_of:
            lines.append("  The champion was judged on other dates: the columns are not the same test.")
        if self.result.comparison is not None:
            lines += ["", *self.result.comparison.sentences()]
        lines += [
            *self._beside(),
            "",
            *(
                f"Not passed: {gate.gate}: needed {gate.needed}, found {gate.found}"
                for gate in self.result.gates
                if not gate.is_passed
            ),
        ]
        lines += [f"Warning: {warning}" for warning in self.warnings]
        return "\n".join([*lines, *self._use()])

    def _beside(self) -> Iterator[str]:
        """Tell what was found beside the risk."""
        if self.result.contagion is not None:
            yield from ("", "Does churn spread between customers?", *self.result.contagion.sentences())
        if self.result.nps is not None:
            yield from ("", self.result.nps.findings.sentence())
        if self.result.lifetime is not None:
            yield from ("", "How long do customers stay?", *self.result.lifetime.sentences())
        if self.result.responses is not None:
            yield from ("", "What do answers say, and what do offers do?", *self.result.responses.sentences())

    def _use(self) -> Iterator[str]:
        """Say what becomes of the version."""
        name = self.version.version
        if self.is_challenger:
            yield f"Version {name} is challenger: each night scores it too, beside."
        if self.became_champion:
            yield f"Version {name} is champion."
        elif self.is_fit and self.version.verdict == "worse":
            yield "Registered, but worse than the champion: promoting it takes --force and --reason."
        elif self.is_fit:
            yield f"Not champion yet: churnrisk promote {name}"
        else:
            yield "Registered, but unfit: promoting it takes --force and --reason."

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        return {
            "version": self.version.version,
            "as_of": self.version.as_of,
            "judged": self.result.evaluation.kind,
            "regime": self.result.regime,
            "is_fit": self.is_fit,
            "became_champion": self.became_champion,
            "is_challenger": self.is_challenger,
            "comparison": None if self.result.comparison is None else self.result.comparison.as_plain(),
            "figures": dict(self.result.evaluation.figures),
            "champion_before": self.champion_before.version if self.champion_before else None,
            "champion_figures": dict(self.champion_before.figures) if self.champion_before else None,
            "ablations": {f"auc_without_{name}": value for name, value in self.result.ablations.items()},
            "network_gain": {
                name: [gain.value, gain.low, gain.high] for name, gain in self.result.network_gain.items()
            },
            "nps_predicted": None if self.result.nps is None else self.result.nps.findings.as_dict(),
            "contagion": self.result.contagion.as_plain() if self.result.contagion else None,
            "lifetime": self.result.lifetime.as_dict() if self.result.lifetime else None,
            "responses": self.result.responses.as_dict() if self.result.responses else None,
            "snapshots": [vars(use) | {"counts": dict(use.counts)} for use in self.result.snapshots],
            "gates": [vars(gate) for gate in self.result.gates],
            "dropped": dict(self.result.dropped),
            "warnings": list(self.warnings),
        }


class _Logged:
    """A training as the registry sees it: the same, with a model that takes its evidence along."""

    def __init__(self, result: TrainingResult, trials: Sequence[Trial], as_of: AsOf) -> None:
        self.trials = tuple(trials)
        card = model_card(result, as_of=str(as_of))
        self.documents = {CARD_FILE: card}
        self.bundle = EvidencedBundle(result, card)
        self.snapshots = result.snapshots
        self.evaluation = result.evaluation
        self.parameters: Mapping[str, Any] = result.parameters
        self.importance = result.importance
        self.dropped = result.dropped
        self.ablations = result.ablations
        self.notes = result.notes
        self.gates = result.gates
        self.is_fit = result.is_fit
        self.contagion = result.contagion
        self.comparison = result.comparison
        self.network_gain = result.network_gain
        self.nps_figures = {} if result.nps is None else result.nps.findings.figures
        self.lifetime = result.lifetime


def learn(workspace: Workspace, as_of: AsOf, inputs: Inputs, *, tune_minutes: float | None = None) -> Learned:
    """Train as of a date and register the model; the first that passes its gates becomes champion.

    So does the first that learned, where a rule prior is champion.

    ``tune_minutes`` stands in for the setting of that name.

    Raises
    ------
    GateRefused
        The leakage audit found a column that knows the outcome.
    ModelUnfit
        Nothing can be fitted. A model that was fitted but fails a gate is registered, and is not fit.
    """
    config = workspace.config
    if tune_minutes is not None:
        config = config.model_copy(
            update={"training": config.training.model_copy(update={"tune_minutes": tune_minutes})}
        )
    trials: list[Trial] = []
    with (
        workspace.held("train"),
        Stages("train", 5, interactive=inputs.interactive) as stages,
        workspace.engine() as engine,
    ):
        with stages.stage("load"):
            loaded = loaded_sources(workspace, engine, inputs, as_of)
            refuse_before_data(loaded, as_of)
            registry = Registry(config.mlflow, workspace.root, inputs.environment)
            champion = champion_to_beat(registry, workspace)
        run_id = _run_id(workspace, config, as_of, loaded)
        with run_context(run_id=run_id, as_of=str(as_of), command="train"):
            with stages.stage("features and fit") as counts:
                result = train(
                    engine,
                    replace(loaded.tables, kept=workspace.kept_past_pairs),
                    config,
                    as_of,
                    own=workspace.root / "features",
                    tie_weights=learned_weights(workspace),
                    trials=workspace.trials,
                    on_trial=trials.append,
                    champion=champion,
                )
                counts |= {"rows": result.evaluation.n_rows, "is_fit": result.is_fit}
            with stages.stage("answers and offers"):
                said = responses(
                    workspace,
                    engine,
                    replace(loaded.tables, kept=workspace.kept_past_pairs),
                    inputs,
                    as_of,
                    tie_weights=learned_weights(workspace),
                )
                result = replace(result, responses=said)
            with stages.stage("log"):
                before = _champion(registry)
                version = registry.log_training(
                    _Logged(result, trials, as_of),
                    as_of=as_of.day,
                    run_id=run_id,
                    code_version=f"{churnrisk.__version__}+{code_fingerprint()}",
                    pictures=dict(_pictures(evidence_of(result))),
                )
            with stages.stage("promote"):
                becomes = takes_over(result, champion)
                if becomes:
                    make_champion(registry, version.version)
                challenger = choose_challenger(registry, workspace)
    return Learned(
        version,
        result,
        before,
        becomes,
        (*loaded.warnings, *result.notes, *said.notes),
        is_challenger=challenger == version.version,
    )


def takes_over(result: TrainingResult, champion: Champion | None) -> bool:
    """Say whether a new model becomes champion by itself: the first fit one, and the first learned after a rule."""
    if not result.is_fit or (result.comparison is not None and result.comparison.verdict == "worse"):
        return False
    return champion is None or (champion.shipped.is_prior and not result.bundle.is_prior)


def champion_bundle(workspace: Workspace) -> Bundle:
    """Return the champion's local bundle; raise ModelUnfit when there is none."""
    if not workspace.champion.exists():
        raise ModelUnfit(
            Fault(
                code="model_missing",
                where=f"{workspace.models.name}/champion beside {CONFIG_NAME}",
                expected="a champion",
                found="no model",
                remedy="Run `churnrisk train`, or `churnrisk promote VERSION` after `churnrisk models`.",
            )
        )
    return Bundle.load(workspace.champion)


def _pictures(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """Yield file name and content of every curve of an evaluation, as PNG and SVG; without leavers some are empty."""
    kinds: tuple[tuple[pl.DataFrame | None, tuple[str, ...], Callable[[pl.DataFrame], Picture]], ...] = (
        (evidence.reliability, ("mean_risk", "realised_rate"), calibration),
        (evidence.gains, ("share_contacted", "share_of_leavers_reached"), gain),
        (evidence.profits, ("share_contacted", "profit_per_customer"), profit),
        (
            evidence.importance,
            ("feature", "share"),
            lambda frame: feature_importance(frame.head(MOST_IMPORTANT)),
        ),
    )
    for frame, columns, drawn in kinds:
        if has_rows(frame, *columns):
            picture = drawn(frame)
            yield f"{picture.name}.png", picture.png()
            yield f"{picture.name}.svg", picture.svg.encode()


def _interval_words(figures: Mapping[str, float | None], name: str) -> str:
    low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
    return "" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"


def _champion(registry: Registry) -> ModelVersion | None:
    return next((version for version in registry.models() if version.is_champion), None)


def _run_id(workspace: Workspace, config: Config, as_of: AsOf, loaded: LoadedSources) -> str:
    return run_identity(
        {
            "command": "train",
            "as_of": str(as_of),
            "tie_weights": learned_weights(workspace),
            "inputs": dict(loaded.tables.fingerprints),
            "config": config.fingerprint(),
            "code": code_fingerprint(),
        }
    )
