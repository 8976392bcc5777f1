"""What may be in the repository at all: nothing that only one machine has, nothing large, one command per gate."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MACHINE_PATH = re.compile(r"(?<![\w.~*-])/(?:home|root|Users|work|opt|private)/[\w.-]+")
REGISTRY = re.compile(
    r"https?://[^\s\"'>)]*(?:pythonhosted|pypi\.org/simple|registry\.npmjs|/simple/)", re.IGNORECASE
)
FREE_OF_ADDRESSES = ("requirements.lock", "pyproject.toml", "Makefile", ".ci/run", ".ci/set-up")


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing is tracked")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def lines_matching(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    hits = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                hits.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return hits


def test_no_tracked_file_names_a_path_of_one_machine_or_a_registry() -> None:
    paths = [path for path in tracked() if path != Path(__file__)]
    assert lines_matching(MACHINE_PATH, paths) == []
    assert lines_matching(REGISTRY, paths) == []


def test_what_installs_names_no_address_at_all() -> None:
    assert lines_matching(re.compile(r"https?://"), [ROOT / name for name in FREE_OF_ADDRESSES]) == []


def test_no_tracked_file_is_larger_than_a_mebibyte() -> None:
    assert [path.name for path in tracked() if path.stat().st_size > 2**20] == []


def test_no_workspace_is_tracked() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert names & {"demo", "lake", "published", "mlartifacts"} == set()
    assert {path.suffix for path in tracked()} & {".db", ".duckdb", ".pkl", ".joblib"} == set()


def test_top_level_holds_the_four_packages_and_what_builds_them() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert folders == {"churnrisk", "features", "training", "scoring", "tests", ".ci"}


def test_hook_and_ci_call_the_command_that_a_developer_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert re.search(r"^make check$", ci, re.MULTILINE)
    assert re.search(r"^(\w+=\w+ )?make test$", ci, re.MULTILINE)
    assert "entry: make check" in (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")


def test_make_help_names_every_target_that_people_call() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    for target in ("demo", "test", "check", "bench", "bench-full", "docs", "lock", "help"):
        assert re.search(rf"^  make {target} ", said, re.MULTILINE), target
