"""A night that is killed and run again leaves what a night leaves that nobody killed, and contacts nobody twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.bench.killed import Receiver, trial
from tests.hooks import server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_killed_while_writing_and_sending_it_ends_as_if_it_had_not_been(
    own_telco: Path, tmp_path: Path
) -> None:
    receiver = Receiver()
    with server(receiver.answer) as url:
        nights = trial(
            own_telco, tmp_path, url, receiver, ["writing", "sending", "time"], np.random.default_rng(5)
        )
        whole, killed = nights
    assert not whole.faults
    assert whole.n_messages > 10
    # later ones may find the night done
    assert killed.kills.total() >= 1
    assert not killed.faults
    assert killed.n_messages == whole.n_messages
