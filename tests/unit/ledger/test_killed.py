"""A process killed while it writes the decisions of a date leaves nothing of them; the next one writes all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from churnrisk.ledger import Ledger, decided, record_decisions
from churnrisk.ledger.facts import contacts, invitations, whole
from churnrisk.ledger.schema import OUTBOX
from churnrisk.store import Workspace
from tests.unit.ledger.test_replay import DAY, END, NOW, night

DYING = """
import os, signal, sys
from pathlib import Path
from churnrisk.ledger import Ledger, record_decisions, replay
from churnrisk.store import Workspace
from tests.unit.ledger.test_replay import DAY, END, NOW, night

left = int(sys.argv[2])
add = replay.add

def dying(*arguments):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return add(*arguments)

replay.add = dying
with Ledger.open(Workspace.open(Path(sys.argv[1])), dict(os.environ)) as ledger:
    record_decisions(ledger, DAY, END, night(), NOW)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("dies_at", [2, 5, 7])
def test_what_a_killed_process_had_begun_is_not_there(
    workspace: Workspace, environment: dict[str, str], dies_at: int
) -> None:
    assert kill(workspace, environment, dies_at) == -signal.SIGKILL
    with Ledger.open(workspace, environment) as ledger:
        with ledger.reading() as db:
            assert decided(db, DAY) is None
            assert [frame.height for frame in (contacts(db), invitations(db), whole(db, OUTBOX))] == [0, 0, 0]
        assert not record_decisions(ledger, DAY, END, night("after"), NOW).is_replay


def test_what_was_decided_before_the_kill_stays(workspace: Workspace, environment: dict[str, str]) -> None:
    assert kill(workspace, environment, 99) == -signal.SIGKILL
    with Ledger.open(workspace, environment) as ledger:
        again = record_decisions(ledger, DAY, END, night("after", "xyz"), NOW)
        assert (again.is_replay, again.run_id) == (True, "run")
        with ledger.reading() as db:
            assert [frame.height for frame in (contacts(db), invitations(db), whole(db, OUTBOX))] == [2, 2, 2]


def kill(workspace: Workspace, environment: dict[str, str], dies_at: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", DYING, str(workspace.root), str(dies_at)],
        env={**os.environ, **environment},
        check=False,
        timeout=120,
    )
    return done.returncode
