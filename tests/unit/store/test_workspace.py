"""The workspace names its folders and lets one run write at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from churnrisk.errors import ConfigError, WorkspaceBusy
from churnrisk.store import Workspace
from churnrisk.store.workspace import run_identity


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text("[team]\ndaily_capacity = 3\n")
    return Workspace.open(tmp_path)


def test_a_second_writer_is_told_who_holds_the_workspace(workspace: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from churnrisk.store import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])).held('train'):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(workspace.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(WorkspaceBusy, match="found train"), workspace.held("nightly"):
            pass
        other.kill()
    with workspace.held("nightly"):
        pass


def test_the_hash_key_is_made_once_and_readable_by_its_owner_only(workspace: Workspace) -> None:
    first = workspace.contact_hash_key({})
    assert workspace.contact_hash_key({}) == first
    assert (workspace.lake / "hash.key").stat().st_mode & 0o077 == 0


def test_a_hash_key_named_in_the_settings_must_be_set(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text('[privacy]\nhash_key = "env:CONTACT_KEY"\n')
    workspace = Workspace.open(tmp_path)
    assert workspace.contact_hash_key({"CONTACT_KEY": "k"}) == "k"
    with pytest.raises(ConfigError, match="CONTACT_KEY"):
        workspace.contact_hash_key({})


def test_the_same_parts_give_the_same_run_id_in_any_order() -> None:
    assert run_identity({"a": 1, "b": 2}) == run_identity({"b": 2, "a": 1})
    assert run_identity({"a": 1}) != run_identity({"a": 2})
