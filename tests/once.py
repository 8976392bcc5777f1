"""Something costly that several test workers need, made by whichever comes first, while the others wait for it.

What is made lies in the temporary folder of this run of the tests and of no other. Only the making is shared: who gets
it may read it and copy it, never change it, or the order of tests would matter.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(name: str, places: pytest.TempPathFactory, worker: str, make: Callable[[Path], None]) -> Path:
    """Return the folder ``name`` of this run, made by ``make`` unless another worker has; what failed is made again."""
    base = places.getbasetemp()
    # pytest-xdist gives each worker a folder inside that of the run; without workers there is but that of the run
    place = (base if worker == "master" else base.parent) / f"once-{name}"
    done = place.with_suffix(".done")
    with place.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place)
            done.touch()
    return place
