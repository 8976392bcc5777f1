"""Runs a notebook from its first cell to its last in a kernel of its own: ``python -m tests.notebooks FILE FOLDER``.

A process of its own, because the kernel's client warns of things that are not ours, and every warning fails a test.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS_PER_CELL = 540


def run_notebook(notebook: Path, folder: Path) -> None:
    """Run ``notebook`` with ``folder`` as its working directory; raise CellExecutionError where a cell fails."""
    os.environ |= {
        "IPYTHONDIR": str(folder / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_RUNTIME_DIR": str(folder / ".runtime"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    cells = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(
        cells,
        timeout=SECONDS_PER_CELL,
        startup_timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()


if __name__ == "__main__":
    run_notebook(Path(sys.argv[1]), Path(sys.argv[2]))
