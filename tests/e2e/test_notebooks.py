"""Every notebook of the documentation runs as it stands, and none is kept with the output of somebody's machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "churnrisk" / "docs" / "notebooks").glob("*.ipynb"))


def test_there_is_a_notebook_on_own_features_and_objectives() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["own_feature_and_objective"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(notebook: Path) -> None:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    kept = [cell for cell in cells if cell["cell_type"] == "code"]
    assert kept
    assert [cell for cell in kept if cell["outputs"] or cell["execution_count"] is not None] == []


@pytest.mark.e2e
@pytest.mark.timeout(900)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.notebooks", str(notebook), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-4000:]
