"""The same registry against an MLflow tracking server that is started here and ended here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from churnrisk import for_model
from churnrisk.bundle import Bundle
from churnrisk.config import MlflowSettings
from churnrisk.errors import GateRefused
from churnrisk.registry import Forced, Registry, local_champion
from churnrisk.registry.tracking import Tracking
from tests.drawn_models import DrawnTraining, DrawnTrial
from training.compare import Comparison

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SECONDS_TO_START = 240
"""Eleven on an idle machine; a busy one takes its time."""


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with its own database and its own artifacts; its process group is ended afterwards."""
    root = tmp_path_factory.mktemp("server")
    address = f"http://127.0.0.1:{_free_port()}"
    command = [
        sys.executable, "-m", "mlflow", "server", "--workers", "1",
        "--backend-store-uri", f"sqlite:///{root / 'server.db'}", "--artifacts-destination", str(root / "kept"),
        "--host", "127.0.0.1", "--port", address.rpartition(":")[2],
    ]  # fmt: skip
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (root / "server.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=root, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not _answers(address):
            assert process.poll() is None, (root / "server.log").read_text("utf-8")
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


def test_a_training_is_logged_promoted_and_served_through_a_server(server: str, tmp_path: Path) -> None:
    import pandas as pd

    settings = MlflowSettings(tracking_uri="env:TRACKING")
    registry = Registry(settings, tmp_path, {"TRACKING": server})
    tried = DrawnTrial(0, "complete", 0.3, is_default=True)
    logged = [
        registry.log_training(result, as_of=date(2026, 6, 30), run_id="r", code_version="0.1.0")
        for result in (
            replace(DrawnTraining(), trials=(tried,)),
            replace(DrawnTraining(), comparison=Comparison("1", "worse")),
        )
    ]
    copy = registry.promote("1", prepare=lambda folder, _: Bundle.load(folder).save(folder))
    assert (copy.name, local_champion(tmp_path / "models"), registry.challenge()) == ("1", "1", "2")
    with pytest.raises(GateRefused, match="worse"):
        registry.promote("2")
    registry.promote("2", forced=Forced("a trial", datetime(2026, 7, 1)))
    registry.promote("1")  # rollback
    assert [(each.version, each.is_champion, each.verdict) for each in registry.models()] == [
        ("2", False, "worse"),
        ("1", True, ""),
    ]
    with Tracking(settings, tmp_path, {"TRACKING": server}).opened() as (mlflow, client):
        experiment = client.get_experiment_by_name("churnrisk")
        assert experiment is not None
        below = client.search_runs(
            [experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{logged[0].tracking_run_id}'"
        )
        assert sorted(run.data.tags["churnrisk.kind"] for run in below) == ["snapshot", "snapshot", "trial"]
        assert client.get_model_version("churnrisk", "2").tags["churnrisk.forced_by_reason"] == "a trial"
        artifacts = {each.path for each in client.list_artifacts(logged[0].tracking_run_id)}
        assert "card.md" in artifacts
        model = mlflow.pyfunc.load_model("models:/churnrisk@champion")
        whole = pd.DataFrame({"wait_s": [1, 3], "tenure_days": [1, 0]})
        risk = model.predict(for_model(whole, model))["risk"]
    assert risk.tolist() == pytest.approx([0.5, 0.731058578])
    # nothing of the server's lies in the workspace
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models"]
