"""One small simulated telco, checked, trained and run for a night through the command line, for all e2e tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from churnrisk.cli import run
from tests.once import made_once

HERE = Path(__file__).parent
AS_OF = "2026-06-30"


@dataclass(frozen=True)
class Said:
    """What a command answered: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def plain(self) -> Any:
        """The answer of --json."""
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process."""

    def said(*arguments: str | Path) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return said


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one file make the telco, those that need none go beside it, and the others find it made."""
    here = [place for place, item in enumerate(items) if item.path.parent == HERE]
    found = [items[place] for place in here]
    readers = list(dict.fromkeys(item.path for item in found if "telco" in getattr(item, "fixturenames", ())))
    turn = dict.fromkeys(readers, 2) | dict.fromkeys(readers[:1], 0)
    for place, item in zip(here, sorted(found, key=lambda item: turn.get(item.path, 1)), strict=True):
        items[place] = item


def _made_telco(folder: Path) -> None:
    root = folder / "workspace"
    assert run(["simulate", str(root), "--customers", "1200", "--days", "400", "--seed", "3"]) == 0
    assert run(["-q", "-w", str(root), "train", "--as-of", AS_OF]) == 0
    assert run(["-q", "-w", str(root), "nightly", "--as-of", AS_OF]) == 0


@pytest.fixture(scope="session")
def telco(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A workspace with a simulated telco, a champion and one published night; tests only read it.

    A copy for each worker, since a workspace is held by one process at a time.
    """
    made = made_once("telco", tmp_path_factory, worker_id, _made_telco)
    return shutil.copytree(made / "workspace", tmp_path_factory.mktemp("telco") / "workspace", symlinks=True)


@pytest.fixture
def own_telco(telco: Path, tmp_path: Path) -> Path:
    """A copy of the telco's workspace that a test may change."""
    root = tmp_path / "workspace"
    shutil.copytree(telco, root, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"))
    return root
