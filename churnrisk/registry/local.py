"""The local copies of promoted models: a folder per version, and links ``champion`` and ``challenger``.

It decides how a copy goes live in one step, and refuses to know MLflow: the night reads only this.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

CHAMPION = "champion"
"""Alias of the model in use, in MLflow and as a link in ``models/``."""

CHALLENGER = "challenger"
"""Alias of the model that is scored with beside the champion, likewise."""


def local_champion(models: Path) -> str | None:
    """Return the version that ``models/champion`` points to, or None."""
    return pointed_at(models, CHAMPION)


def pointed_at(models: Path, alias: str) -> str | None:
    """Return the version that ``models/<alias>`` points to, or None."""
    link = models / alias
    return link.readlink().name if link.is_symlink() and link.is_dir() else None


def local_versions(models: Path) -> tuple[str, ...]:
    """Return the versions copied into ``models``, as text, oldest first."""
    if not models.is_dir():
        return ()
    found = [
        path.name
        for path in models.iterdir()
        if path.is_dir() and not path.is_symlink() and path.name.isdigit()
    ]
    return tuple(sorted(found, key=int))


def install(models: Path, version: str, fill: Callable[[Path], None]) -> Path:
    """Make ``models/<version>`` from what ``fill`` puts into an empty folder; an older copy is replaced."""
    models.mkdir(parents=True, exist_ok=True)
    incoming, outgoing = models / f".incoming-{version}", models / f".outgoing-{version}"
    for leftover in (incoming, outgoing):
        shutil.rmtree(leftover, ignore_errors=True)
    incoming.mkdir()
    fill(incoming)
    target = models / version
    if target.exists():
        target.rename(outgoing)
    incoming.rename(target)
    shutil.rmtree(outgoing, ignore_errors=True)
    return target


def point(models: Path, alias: str, version: str) -> None:
    """Make ``models/<alias>`` point to ``models/<version>`` in one step; readers see the old one or the new one."""
    link = models / f".{alias}-{version}"
    link.unlink(missing_ok=True)
    link.symlink_to(version, target_is_directory=True)
    link.replace(models / alias)


def unpoint(models: Path, alias: str) -> None:
    """Take the link ``models/<alias>`` away; the copies stay."""
    (models / alias).unlink(missing_ok=True)
