"""Settings of the tools underneath: experiment tracking and the SQL engine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Settings


class MlflowSettings(Settings):
    """Experiment tracking."""

    tracking_uri: str | None = Field(
        None, description="MLflow tracking URI, also as env:NAME; a SQLite file in the workspace by default."
    )
    experiment: str = Field("churnrisk", description="Name of the MLflow experiment.")
    model_name: str = Field("churnrisk", description="Name of the registered model.")


class EngineSettings(Settings):
    """The SQL engine."""

    name: Literal["duckdb"] = Field("duckdb", description="Engine that runs the SQL.")
    memory_limit: str | None = Field(None, description='Memory the engine may use, e.g. "4GB".')
    threads: int | None = Field(None, ge=1, description="Threads the engine and the learner may use.")
