"""Measures a function in a process of its own: wall seconds and peak memory, so that contenders do not share a heap."""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any


@dataclass(frozen=True)
class Measure:
    """What one contender took: ``seconds`` of wall time, ``busy_seconds`` of all processors together (other programs
    hardly change those), ``peak_mb`` of resident memory, and what it returned.
    """

    seconds: float
    busy_seconds: float
    peak_mb: float
    result: dict[str, Any]


def measured(
    function: str,
    arguments: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Measure:
    """Run ``module:function(**arguments)`` in a fresh process; the function returns a dict that JSON can hold.

    The seconds are those inside the function; starting Python and importing its module are not counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [
            python,
            "-m",
            "tests.bench.measure",
            function,
            json.dumps(dict(arguments)),
            str(answer),
        ]
        process = subprocess.Popen(command, env={**os.environ, **(environment or {})})
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, command)
        plain = json.loads(answer.read_text("utf-8"))
    return Measure(plain["seconds"], plain["busy_seconds"], plain["peak_mb"], plain["result"])


def _answer(function: str, arguments: str, path: str) -> None:
    module, name = function.split(":")
    call = getattr(importlib.import_module(module), name)
    started, busy = perf_counter(), process_time()
    result = call(**json.loads(arguments))
    seconds, busy_seconds = perf_counter() - started, process_time() - busy
    plain = {"seconds": seconds, "busy_seconds": busy_seconds, "peak_mb": _peak_mb(), "result": result}
    Path(path).write_text(json.dumps(plain, default=str), "utf-8")


def _peak_mb() -> float:
    """Peak resident memory of this process alone; ``ru_maxrss`` would begin at its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _answer(*sys.argv[1:])
