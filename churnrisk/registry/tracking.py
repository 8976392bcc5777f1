"""The way to MLflow: which server or file, with its chatter switched off, its errors turned into one message.

It decides where a workspace's tracking lies and refuses to know what is logged there. MLflow takes seconds to import
and prints, warns and reports home on its own account: everything of it is reached through :meth:`Tracking.opened`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ..config import MlflowSettings, resolved_secret
from ..errors import ConfigError, Fault

if TYPE_CHECKING:
    from types import ModuleType

    from mlflow import MlflowClient

DATABASE_NAME = "mlflow.db"
ARTIFACTS_NAME = "mlartifacts"

_SERVER_SCHEMES = {"http", "https", "databricks", "uc", "databricks-uc"}
_QUIET_ENVIRONMENT = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
_QUIET_LOGGERS = ("mlflow", "alembic")
_ARTIFACT_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""Where MLflow 3.17 keeps absolute places of artifacts in its database."""


class Opened(NamedTuple):
    """MLflow, ready: the module and a client of the workspace's server or file."""

    mlflow: ModuleType
    client: MlflowClient


class Tracking:
    """Where a workspace tracks its trainings.

    Parameters
    ----------
    settings : MlflowSettings
        The [mlflow] table.
    root : Path
        The workspace; without a tracking URI everything lies in it.
    environment : mapping
        Where ``env:NAME`` is looked up.
    """

    def __init__(self, settings: MlflowSettings, root: Path, environment: Mapping[str, str]) -> None:
        self.settings = settings
        self.root = root.resolve()
        given = resolved_secret(settings.tracking_uri, environment, "[mlflow] tracking_uri")
        self.uri = f"sqlite:///{self.root / DATABASE_NAME}" if given is None else _within(given, self.root)

    @property
    def artifact_location(self) -> str | None:
        """Where new experiments keep their files; None leaves it to the server."""
        is_server = urlsplit(self.uri).scheme in _SERVER_SCHEMES
        return None if is_server else (self.root / ARTIFACTS_NAME).as_uri()

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Give MLflow, quiet, pointed at this place; afterwards the process points where it did before.

        Raises ConfigError when MLflow cannot do what it is asked there.
        """
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        mlflow = _imported()
        from mlflow.exceptions import MlflowException

        with _quiet():
            self._follow_a_moved_workspace()
            before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
            try:
                mlflow.set_tracking_uri(self.uri)
                yield Opened(mlflow, mlflow.MlflowClient(self.uri, self.uri))
            except MlflowException as error:
                raise self._refused(error.error_code) from error
            finally:
                mlflow.set_tracking_uri(before)

    def _refused(self, error_code: str) -> ConfigError:
        place = urlsplit(self.uri)
        return ConfigError(
            Fault(
                code="tracking_refused",
                where="churnrisk.toml [mlflow] tracking_uri",
                expected="an MLflow tracking server or database that does what it is asked",
                found=f"{place.scheme}://{place.hostname or Path(place.path).name} answered {error_code}",
                remedy="See whether it runs, and whether its version fits MLflow 3.17; --debug shows all of it.",
            )
        )

    def _follow_a_moved_workspace(self) -> None:
        """Correct the places of artifacts when the workspace's own database was moved along with them."""
        database = self.root / DATABASE_NAME
        here = self.artifact_location
        if here is None or self.uri != f"sqlite:///{database}" or not database.is_file():
            return
        with closing(sqlite3.connect(database)) as connection, connection:
            tables = {
                row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")
            }
            if "experiments" not in tables:
                return
            places = connection.execute(
                "select distinct artifact_location from experiments where artifact_location like ?",
                (f"file:///%/{ARTIFACTS_NAME}",),
            ).fetchall()
            for (place,) in places:
                if place != here:
                    for table, column in _ARTIFACT_COLUMNS:
                        connection.execute(
                            f"update {table} set {column} = ? || substr({column}, ?) "  # noqa: S608 - names above
                            f"where {column} = ? or substr({column}, 1, ?) = ?",
                            (here, len(place) + 1, place, len(place) + 1, f"{place}/"),
                        )


def _within(uri: str, root: Path) -> str:
    """Read a relative SQLite path from the workspace, not from wherever the command was started."""
    prefix = "sqlite:///"
    path = uri.removeprefix(prefix)
    is_relative = uri.startswith(prefix) and not Path(path).is_absolute() and not path.startswith(":memory:")
    return f"{prefix}{root / path}" if is_relative else uri


def _imported() -> ModuleType:
    """Import MLflow before its loggers are hushed: importing sets their levels."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*Any type hint is inferred as AnyType")
        import mlflow
        import mlflow.pyfunc

    return mlflow


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's notices, progress bars and warnings about its own taste to itself."""
    loggers = [logging.getLogger(name) for name in _QUIET_LOGGERS]
    levels = [each.level for each in loggers]
    environment = {name: os.environ.get(name) for name in _QUIET_ENVIRONMENT}
    os.environ.update(_QUIET_ENVIRONMENT)
    try:
        with warnings.catch_warnings():
            # none is given on purpose: real rows would stay in the tracking store
            warnings.filterwarnings("ignore", message="(?s).*An input example was not provided")
            for each in loggers:
                each.setLevel(logging.ERROR)
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
