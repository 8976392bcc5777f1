"""The identity of the software itself: a hash of its source, so that a run knows which code made it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("churnrisk", "features", "training", "scoring")
SOURCE_ENDINGS = frozenset({".py", ".sql", ".toml", ".html", ".css", ".j2"})


@cache
def code_fingerprint() -> str:
    """Return a hash of every source file of the four packages, the same wherever they are installed."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path, name in sorted(_sources(package), key=lambda found: found[1]):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _sources(package: str) -> Iterator[tuple[Path, str]]:
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for path in Path(folder).rglob("*"):
            if path.suffix in SOURCE_ENDINGS:
                yield path, f"{package}/{path.relative_to(folder).as_posix()}"
