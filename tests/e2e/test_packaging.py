"""The wheel holds the four packages with their SQL and docs, nothing else, and works where only its libraries are."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from configparser import ConfigParser
from datetime import date
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest

from churnrisk.config import MlflowSettings
from churnrisk.registry import Registry
from tests.drawn_models import DrawnTraining

ROOT = Path(__file__).parents[2]
PACKAGES = ("churnrisk", "features", "training", "scoring")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], check=True, cwd=ROOT
    )
    (built,) = out.glob("*.whl")
    return built


def of_packages() -> set[str]:
    """Files of the four packages that git does not ignore."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PACKAGES]
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: cannot tell what belongs to the packages")
    listed = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def test_wheel_holds_the_four_packages_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert inside == of_packages()


def test_wheel_holds_sql_docs_and_the_type_marker(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {PurePosixPath(name) for name in archive.namelist()}
    assert {path.parts[0] for path in inside if path.suffix == ".sql"} >= {"features", "training"}
    assert PurePosixPath("churnrisk/docs/commands.md") in inside
    assert PurePosixPath("churnrisk/py.typed") in inside
    assert PurePosixPath("churnrisk/ledger/migrations/versions/r0001_first_tables.py") in inside
    assert any(path.name == "LICENSE" for path in inside)


def test_metadata_gives_ranges_and_no_pins(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    needed = metadata.get_all("Requires-Dist") or []
    assert needed
    # an extra is named with ==, which is no pin
    plain = [requirement.split(";")[0] for requirement in needed]
    assert [requirement for requirement in plain if "==" in requirement or "@" in requirement] == []
    assert metadata["Requires-Python"] == "<3.14,>=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"


def test_networkx_finds_the_backend_by_the_entry_points_of_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        entries = ConfigParser()
        entries.read_string(archive.read(name).decode())
    assert dict(entries["networkx.backends"]) == {"churnrisk": "features.ties.backend.interface:backend"}
    assert dict(entries["networkx.backend_info"]) == {"churnrisk": "churnrisk.networkx_info:backend_info"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the wheel, and sees the locked libraries but not this checkout."""
    place = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
    ]
    subprocess.run([*pip, str(wheel)], check=True)
    libraries = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # a line in a .pth file adds a folder to the path without reading the .pth files in it: the checkout stays out
    (Path(libraries) / "locked.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return place


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=place.parent, env=environment
    )


def test_the_installed_packages_are_not_the_checkout(installed: Path) -> None:
    text = "import churnrisk, features, training, scoring; print(churnrisk.__file__, features.__file__)"
    done = run(installed, str(installed / "bin" / "python"), "-c", text)
    assert done.returncode == 0, done.stderr
    assert all(Path(path).is_relative_to(installed) for path in done.stdout.split())


def test_networkx_runs_our_measures_once_the_wheel_is_installed(installed: Path) -> None:
    text = (
        "import networkx as nx; print(*nx.config.backends, nx.config.backend_priority.algos); "
        "G = nx.complete_graph(4); print(nx.triangles(G, backend='churnrisk'), nx.triangles(G)); "
        "import sys; print('features.ties.triangles' in sys.modules)"
    )
    done = run(installed, str(installed / "bin" / "python"), "-W", "error", "-c", text)
    assert done.returncode == 0, done.stderr
    each = dict.fromkeys(range(4), 3)
    assert done.stdout.splitlines() == ["churnrisk []", f"{each} {each}", "True"]


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_the_installed_wheel_runs_the_demo(installed: Path) -> None:
    done = run(installed, str(installed / "bin" / "churnrisk"), "demo", "telco", "--customers", "1200")
    assert done.returncode == 0, done.stdout + done.stderr
    workspace = installed.parent / "telco"
    assert list(workspace.glob("published/scores/as_of=*/part-0.parquet"))
    assert list(workspace.glob("lists/*/at_risk.csv"))
    assert list(workspace.glob("reports/*/index.html"))


SCORED_ELSEWHERE = """
import sys
import mlflow
import pandas as pd
import churnrisk

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/churnrisk@champion")
whole = pd.DataFrame({"customer_id": ["a", "b"], "wait_s": [1, 3], "tenure_days": [1, 0]})
risks = model.predict(churnrisk.for_model(whole, model))
print(list(risks.columns), [round(risk, 3) for risk in risks["risk"]])
"""


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_registered_model_scores_where_only_mlflow_and_the_wheel_are(
    installed: Path, tmp_path: Path
) -> None:
    registry = Registry(MlflowSettings(), tmp_path, {})
    registry.log_training(DrawnTraining(), as_of=date(2026, 6, 30), run_id="r", code_version="0.1.0")
    registry.promote("1")
    python = str(installed / "bin" / "python")
    done = run(installed, python, "-c", SCORED_ELSEWHERE, registry.tracking_uri)
    assert done.returncode == 0, done.stderr
    # log-odds -2 + 1 + 1, and -2 + 0 + 3
    assert done.stdout.splitlines()[-1] == "['risk', 'risk_low', 'risk_high'] [0.5, 0.731]"
