"""Trainings and model versions in MLflow: which runs there are, what a version is called, which one is champion.

It refuses to know how models are fitted or used. No row of a customer goes in: figures, curves, names of features and
hashes of the data do (``logged``, ``artifacts``).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from churnrisk import __version__

from ..config import MlflowSettings
from ..errors import Fault, GateRefused, ModelUnfit
from .artifacts import defined_figures, write_artifacts
from .judgements import write_judgement
from .local import CHALLENGER, CHAMPION, install, point, pointed_at, unpoint
from .logged import log_inputs, log_parameters, log_trials, parameter_text, signature_of, tags_of
from .nested import TAG, log_looks
from .promotion import Forced, promotion_faults
from .tracking import Tracking
from .trained import Trained
from .version import ModelVersion

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as TrackedVersion

LOADER_MODULE = "scoring.served"
"""The module with which MLflow loads a registered model; named here, imported by MLflow."""

Prepare = Callable[[Path, str], None]
"""Works on the copied folder of a version before it goes live."""

_BUNDLE = "bundle"


class Registry:
    """The trainings and models of one workspace.

    Parameters
    ----------
    settings : MlflowSettings
        The [mlflow] table.
    root : Path
        The workspace: ``mlflow.db`` and ``mlartifacts/`` lie here unless a tracking URI is set, and ``models/`` always.
    environment : mapping
        Where ``env:NAME`` is looked up.
    """

    def __init__(self, settings: MlflowSettings, root: Path, environment: Mapping[str, str]) -> None:
        self._tracking = Tracking(settings, root, environment)
        self._name = settings.model_name
        self._models = self._tracking.root / "models"

    @property
    def tracking_uri(self) -> str:
        """The URI that ``mlflow ui --backend-store-uri`` takes. It may hold a password: do not log it."""
        return self._tracking.uri

    def log_training(
        self,
        result: Trained,
        *,
        as_of: date,
        run_id: str,
        code_version: str,
        pictures: Mapping[str, bytes] | None = None,
    ) -> ModelVersion:
        """Log a training and register its model as a new version; it is not promoted.

        Parameters
        ----------
        result : Trained
            The model and what is known about it.
        as_of : date
            The day whose end is the limit of what it learned from.
        run_id : str
            Our run: hash of as_of, inputs, settings and code.
        code_version : str
            The version of churnrisk, or of the code around it.
        pictures : mapping of file name (with .svg or .png) to content, optional
            Curves of the evaluation.
        """
        tags = tags_of(result, as_of=as_of, run_id=run_id, code_version=code_version)
        with self._tracking.opened() as (mlflow, client), TemporaryDirectory(prefix="churnrisk-") as scratch:
            experiment_id = self._experiment_id(client)
            with mlflow.start_run(
                experiment_id=experiment_id, run_name=f"as of {as_of}", tags=tags, nested=True
            ) as run:
                log_parameters(client, run.info.run_id, result)
                log_inputs(client, run.info.run_id, result.bundle.provenance.fingerprints)
                write_artifacts(Path(scratch) / "artifacts", result, pictures or {})
                client.log_artifacts(run.info.run_id, str(Path(scratch) / "artifacts"))
                result.bundle.save(Path(scratch) / _BUNDLE)
                model = mlflow.pyfunc.log_model(
                    name=self._name,
                    loader_module=LOADER_MODULE,
                    data_path=str(Path(scratch) / _BUNDLE),
                    signature=signature_of(result),
                    pip_requirements=[f"churnrisk=={__version__}"],
                )
                mlflow.log_metrics(defined_figures(result), model_id=model.model_id)
                log_looks(client, experiment_id, run.info.run_id, result)
                log_trials(client, experiment_id, run.info.run_id, result.trials)
            self._ensure_registered(client)
            tracked = client.create_model_version(
                self._name,
                source=model.model_uri,
                run_id=run.info.run_id,
                tags=tags,
                description="\n".join(result.notes),
                model_id=model.model_id,
            )
            return self._version_of(tracked, client, self._aliases(client))

    def log_ties(
        self, figures: Mapping[str, float], *, parameters: Mapping[str, object], tags: Mapping[str, str]
    ) -> str:
        """Log a fit of tie strength to the experiment ``<experiment>-ties``; return the id of its run."""
        with self._tracking.opened() as (mlflow, client):
            experiment_id = self._experiment_id(client, "-ties")
            marks = {f"{TAG}{name}": value for name, value in tags.items()}
            with mlflow.start_run(
                experiment_id=experiment_id, run_name=f"as of {tags['as_of']}", tags=marks, nested=True
            ) as run:
                mlflow.log_params({name: parameter_text(value) for name, value in parameters.items()})
                mlflow.log_metrics(dict(figures))
                return str(run.info.run_id)

    def log_evaluation(
        self,
        figures: Mapping[str, float | None],
        *,
        tables: Mapping[str, pl.DataFrame],
        pictures: Mapping[str, bytes],
        documents: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> str:
        """Log a judgement to the experiment ``<experiment>-evaluations``; return the id of its run.

        Tables are aggregates, never rows of customers; documents and pictures go by file name.
        """
        with self._tracking.opened() as (mlflow, client), TemporaryDirectory(prefix="churnrisk-") as scratch:
            experiment_id = self._experiment_id(client, "-evaluations")
            marks = {f"{TAG}{name}": value for name, value in tags.items()}
            with mlflow.start_run(
                experiment_id=experiment_id, run_name=f"as of {tags['as_of']}", tags=marks, nested=True
            ) as run:
                mlflow.log_metrics({name: value for name, value in figures.items() if value is not None})
                write_judgement(Path(scratch), tables, pictures, documents)
                client.log_artifacts(run.info.run_id, scratch)
                return str(run.info.run_id)

    def models(self) -> list[ModelVersion]:
        """Return every registered version, newest first."""
        with self._tracking.opened() as (_, client):
            aliases = self._aliases(client)
            found = client.search_model_versions(f"name = '{self._name}'")
            versions = [self._version_of(tracked, client, aliases) for tracked in found]
        return sorted(versions, key=lambda version: int(version.version), reverse=True)

    def champion_version(self) -> str | None:
        """Return the version that carries the alias ``champion`` in MLflow, or None.

        The night asks :func:`churnrisk.registry.local_champion` instead, which needs no server.
        """
        with self._tracking.opened() as (_, client):
            return self._aliases(client).get(CHAMPION)

    def fetch(self, version: str, folder: Path) -> None:
        """Copy the bundle of a registered version, with what lies beside it, into ``folder``."""
        with self._tracking.opened() as (mlflow, _), TemporaryDirectory(prefix="churnrisk-") as scratch:
            fetched = mlflow.artifacts.download_artifacts(
                artifact_uri=f"models:/{self._name}/{version}",
                dst_path=scratch,
                tracking_uri=self.tracking_uri,
            )
            shutil.copytree(Path(fetched) / "data" / _BUNDLE, folder, dirs_exist_ok=True)

    def promote(self, version: str, *, prepare: Prepare | None = None, forced: Forced | None = None) -> Path:
        """Make ``version`` champion: copy its bundle to ``models/<version>``, move the alias, point ``champion`` at it.

        A version that was champion before is taken back without a comparison: that is a rollback.

        Parameters
        ----------
        version : str
            The version, as ``models`` lists it.
        prepare : callable taking the copied folder and the version, optional
            Runs on the copy before it goes live: to write the version into it, to see whether it loads.
        forced : Forced, optional
            Promote whatever speaks against it; why, when, and what spoke against it are kept as tags of the version.

        Returns
        -------
        Path
            The local copy.

        Raises
        ------
        ModelUnfit
            There is no such version.
        GateRefused
            The version did not pass its gates, did worse than the champion, or was compared with another one.
        """
        with self._tracking.opened() as (_, client):
            tracked, aliases = self._tracked(client, version), self._aliases(client)
            faults = promotion_faults(self._name, version, tracked.tags, aliases.get(CHAMPION))
            if faults and forced is None:
                raise GateRefused(faults)
            copy = self._install(version, prepare)
            for name, value in ({} if forced is None else forced.tags(faults)).items():
                client.set_model_version_tag(self._name, version, f"{TAG}{name}", value)
            client.set_model_version_tag(self._name, version, f"{TAG}was_champion", "true")
            client.set_registered_model_alias(self._name, CHAMPION, version)
        point(self._models, CHAMPION, version)
        return copy

    def challenge(self, *, prepare: Prepare | None = None) -> str | None:
        """Make the newest fit version above the champion's the challenger, with a local copy; return it, or None.

        Without a champion, or without a newer fit version, there is no challenger, and one that was is none any more.
        """
        with self._tracking.opened() as (_, client):
            aliases = self._aliases(client)
            champion = aliases.get(CHAMPION)
            all_versions = {
                str(each.version): each.tags
                for each in client.search_model_versions(f"name = '{self._name}'")
            }
            fit = [
                int(version)
                for version, tags in all_versions.items()
                if tags.get(f"{TAG}is_fit") == "true"
                and champion is not None
                and int(version) > int(champion)
            ]
            version = str(max(fit)) if fit else None
            before = pointed_at(self._models, CHALLENGER)
            if before not in {None, version}:
                unpoint(self._models, CHALLENGER)
                if all_versions.get(str(before), {}).get(f"{TAG}was_champion") != "true":
                    shutil.rmtree(self._models / str(before))
            if version is None:
                if CHALLENGER in aliases:
                    client.delete_registered_model_alias(self._name, CHALLENGER)
                return None
            self._install(version, prepare)
            client.set_registered_model_alias(self._name, CHALLENGER, version)
        point(self._models, CHALLENGER, version)
        return version

    def _install(self, version: str, prepare: Prepare | None) -> Path:
        def fill(folder: Path) -> None:
            self.fetch(version, folder)
            if prepare is not None:
                prepare(folder, version)

        return install(self._models, version, fill)

    def _experiment_id(self, client: MlflowClient, ending: str = "") -> str:
        name = self._tracking.settings.experiment + ending
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(client.create_experiment(name, artifact_location=self._tracking.artifact_location))

    def _ensure_registered(self, client: MlflowClient) -> None:
        if not client.search_registered_models(f"name = '{self._name}'"):
            client.create_registered_model(self._name, description="Risk that a customer leaves: churnrisk.")

    def _aliases(self, client: MlflowClient) -> dict[str, str]:
        found = client.search_registered_models(f"name = '{self._name}'")
        return {alias: str(version) for alias, version in found[0].aliases.items()} if found else {}

    def _tracked(self, client: MlflowClient, version: str) -> TrackedVersion:
        found = {str(each.version): each for each in client.search_model_versions(f"name = '{self._name}'")}
        if version not in found:
            raise ModelUnfit(
                Fault(
                    code="model_unknown",
                    where=f"model {self._name}",
                    expected="a registered version",
                    found=f"no version {version!r}",
                    remedy="Run `churnrisk models` to list them, or `churnrisk train` to make one.",
                    available=tuple(sorted(found, key=int)),
                )
            )
        return found[version]

    def _version_of(
        self, tracked: TrackedVersion, client: MlflowClient, aliases: Mapping[str, str]
    ) -> ModelVersion:
        metrics = client.get_run(tracked.run_id).data.metrics if tracked.run_id else {}
        return ModelVersion(
            version=str(tracked.version),
            as_of=tracked.tags.get(f"{TAG}as_of", ""),
            created_at=datetime.fromtimestamp(tracked.creation_timestamp / 1000, UTC),
            tracking_run_id=tracked.run_id or "",
            figures=dict(sorted(metrics.items())),
            judged=tracked.tags.get(f"{TAG}judged", ""),
            is_fit=tracked.tags.get(f"{TAG}is_fit") == "true",
            is_champion=str(tracked.version) == aliases.get(CHAMPION),
            is_challenger=str(tracked.version) == aliases.get(CHALLENGER),
            verdict=tracked.tags.get(f"{TAG}verdict", ""),
            compared_with=tracked.tags.get(f"{TAG}compared_with", ""),
        )
