"""Where a user wants a file: says beforehand whether it can be written there, and in which format.

It decides by name and folder only, and refuses to write content.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from pathlib import Path

from .errors import Fault, UsageError

TABLE_SUFFIXES = (".parquet", ".csv")
"""What a table that a user asks for can be written as."""


def table_place(path: Path) -> Path:
    """Return ``path`` when a table can be written there.

    Raises
    ------
    UsageError
        Its suffix is none of `TABLE_SUFFIXES`, or its folder is not there.
    """
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise UsageError(
            Fault(
                code="format_unknown",
                where="--output",
                expected="a file name that ends in .parquet or .csv",
                found=repr(path.suffix) if path.suffix else "no suffix",
                remedy="Choose one of the two; a spreadsheet opens .csv.",
                available=TABLE_SUFFIXES,
            )
        )
    return existing_folder(path, "--output")


def drawing_place(path: Path, option: str = "--svg") -> Path:
    """Return ``path`` when a picture can be written there; raise UsageError when it is no .svg, or has no folder."""
    if path.suffix.lower() != ".svg":
        raise UsageError(
            Fault(
                code="format_unknown",
                where=option,
                expected="a file name that ends in .svg",
                found=repr(path.suffix) if path.suffix else "no suffix",
                remedy="Name it so; a browser opens it.",
                available=(".svg",),
            )
        )
    return existing_folder(path, option)


def nameless_place(folder: Path, stem: str, suffix: str, *, about: str, key: str) -> Path:
    """Return the place ``stem-<mark>.suffix`` in ``folder``, the same for the same ``about``, which it does not tell.

    The mark is a keyed hash (HMAC-SHA-256, 48 bits): a bare one would tell who it is about to whoever tries all ids.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark = hmac.new(key.encode(), f"{stem}\0{about}".encode(), sha256).hexdigest()[:12]
    return folder / f"{stem}-{mark}{suffix}"


def existing_folder(path: Path, option: str) -> Path:
    """Return ``path`` when its folder is there; raise UsageError when it is not, or when ``path`` is a folder."""
    if not path.parent.is_dir():
        raise UsageError(
            Fault(
                "folder_missing",
                option,
                "a folder that exists",
                f"no {path.parent}",
                "Make it, or correct it.",
            )
        )
    if path.is_dir():
        raise UsageError(
            Fault("file_is_folder", option, "a file name", "a folder", "Add the name of the file.")
        )
    return path
