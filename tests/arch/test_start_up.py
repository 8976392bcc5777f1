"""What loads when: a command line that answers --help must not wait for a database, a graph or a model library."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "altair",
    "dataframely",
    "duckdb",
    "fastapi",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "networkx",
    "numba",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "vl_convert",
    "xlsxwriter",
)
HELP = """
import sys
from churnrisk.cli import main
sys.argv = ["churnrisk", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize("text", ["import churnrisk", HELP], ids=["import churnrisk", "churnrisk --help"])
def test_no_heavy_library_loads_before_it_is_needed(text: str) -> None:
    probe = f"{text}\nimport sys\nprint('loaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"
