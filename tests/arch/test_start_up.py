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
SELDOM = ("alembic", "altair", "lightgbm", "mlflow", "scipy.optimize", "scipy.stats", "sklearn", "sqlglot")
"""What a command may do without: drawing, learning, solvers. Altair and two parts of scipy were 0.85 s of 2.3 s."""
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
    assert_none_loads(text, HEAVY)


def test_a_command_loads_drawing_learning_and_solvers_only_when_it_comes_to_them() -> None:
    assert_none_loads(
        "import churnrisk.api, churnrisk.nightly, churnrisk.checking, churnrisk.evaluating", SELDOM
    )


def assert_none_loads(text: str, names: tuple[str, ...]) -> None:
    probe = f"{text}\nimport sys\nprint('loaded:', *sorted(set({names!r}) & set(sys.modules)))"
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
