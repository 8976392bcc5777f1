"""Plays a world from its lead-in to its last day, month by month, and writes what a company would have of it.

It decides where files lie and what becomes of those of an earlier world; the order of things is that of ``play``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Fault, UsageError
from . import truth
from .play import Play
from .settings import DEFAULT_FORMATS, WorldSettings

Progress = Callable[[str, int, int], None]
"""Called with what is being made, how many months are done, and how many there are."""

UNFINISHED = "unfinished"
"""Lies in the truth's folder while a world is being written: a world that was cut off can be made again."""


@dataclass(frozen=True)
class World:
    """A written world: the file or glob of each table, the rows in it, and the truth in numbers."""

    directory: Path
    settings: WorldSettings
    paths: Mapping[str, Path]
    rows: Mapping[str, int]
    truth: Mapping[str, Any]
    truth_paths: Mapping[str, Path]


def simulate(directory: str | Path, settings: WorldSettings, progress: Progress | None = None) -> World:
    """Write a simulated telco to ``directory``, its truth to ``truth/`` in it; replace an earlier world there.

    Time and files grow with customers x days; memory with customers and ties only.

    Raises
    ------
    UsageError
        When files of these names lie there that no earlier simulation wrote.
    """
    root = Path(directory)
    _clear(root)
    marker = root / truth.FOLDER / UNFINISHED
    marker.parent.mkdir(parents=True)
    marker.touch()
    with ExitStack() as stack:
        play = Play(root, settings, stack)
        months = list(play.clock.months())
        for number, month in enumerate(months):
            if progress is not None:
                progress(month.name, number, len(months))
            play.month(month)
        play.finish()
        marker.unlink()
        if progress is not None:
            progress("done", len(months), len(months))
    return _written(play)


def _written(play: Play) -> World:
    """Return what was written."""
    return World(
        directory=play.root,
        settings=play.settings,
        paths={table: sink.path for table, sink in play.sinks.items()},
        rows=play.rows(),
        truth=play.summary(),
        truth_paths={
            **{table: sink.path for table, sink in play.truths.items()},
            "parameters": play.root / truth.FOLDER / truth.PARAMETERS,
        },
    )


def _clear(root: Path) -> None:
    """Remove an earlier world, so that no part of it mixes with the new one; refuse to touch anything else."""
    ours = [root / truth.FOLDER, *(root / f"{table}.csv" for table in DEFAULT_FORMATS)]
    ours += [root / table for table in DEFAULT_FORMATS]
    there = [path for path in ours if path.exists()]
    marks = [root / truth.FOLDER / name for name in (truth.PARAMETERS, UNFINISHED)]
    if there and not any(mark.is_file() for mark in marks):
        raise UsageError(
            Fault(
                code="directory_taken",
                where=str(root),
                expected="an empty folder, or one with an earlier simulated world",
                found=", ".join(sorted(path.name for path in there)),
                remedy="Name another folder; nothing was changed.",
            )
        )
    # The folder with the marks goes last: cut off here, the rest can still be removed.
    for path in reversed(there):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
