"""Files and folders that only their owner may read, whatever the umask: all that is made under ``restricted/``.

It decides modes and refuses to know what lies in a file. Folders that are there keep the mode they have: whoever opened
one to a group meant to.
"""

from __future__ import annotations

from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def made_folder(folder: Path, *, private_under: Path) -> Path:
    """Make ``folder`` with those above it and return it; those at or under ``private_under`` are the owner's alone."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        if each.is_relative_to(private_under):
            each.chmod(FOLDER_MODE)
    return folder


def kept_private(path: Path, *, private_under: Path) -> Path:
    """Let only the owner read and write the file at ``path`` if it lies under ``private_under``; return ``path``."""
    if path.is_relative_to(private_under):
        path.chmod(FILE_MODE)
    return path
