"""Finds the files of a source, opens them whatever their packing, and tells what bytes they hold.

It decides what a pattern means, how a character set is found and how a cut file is noticed, and refuses to know
columns.
"""

from __future__ import annotations

import codecs
import difflib
import gzip
import hashlib
import io
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ..errors import Fault
from .raw import SourceFault

CHUNK = 4 * 1024 * 1024
SAMPLE = 256 * 1024

CANDIDATE_ENCODINGS = [
    "cp1251", "koi8_r", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
    "cp1252", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874",
]  # fmt: skip
"""Character sets of extracts that are not Unicode; few on purpose: rare look-alikes win on short samples."""

MOST_BROKEN_SHARE = 0.05
"""A file in which at most this share of the non-ASCII characters is broken UTF-8 is UTF-8 with bad rows. A guess."""

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip


@dataclass(frozen=True)
class TextFacts:
    """What one pass over the bytes of a text file found."""

    fingerprint: str
    encoding: str
    is_exact: bool
    """The bytes are valid in ``encoding`` from end to end."""
    has_bom: bool
    ends_line: bool
    """The last byte ends a line."""
    has_quotes: bool
    is_detected: bool = False


def located_files(patterns: tuple[str, ...], root: Path, where: str) -> list[Path]:
    """Return the files that fit the patterns, sorted by name, each once; raise SourceFault for those that fit none."""
    found: list[Path] = []
    faults = []
    for pattern in patterns:
        path = Path(pattern)
        base, inner = (
            (Path(path.anchor), str(path.relative_to(path.anchor))) if path.is_absolute() else (root, pattern)
        )
        exact = base / inner
        fits = [exact] if exact.is_file() else sorted(item for item in base.glob(inner) if item.is_file())
        if not fits:
            faults.append(_nothing_fits(pattern, exact, where))
        found += [item for item in fits if item not in found]
    if faults:
        raise SourceFault(*faults, is_missing=True)
    return found


def _nothing_fits(pattern: str, exact: Path, where: str) -> Fault:
    folder = next(
        (parent for parent in exact.parents if parent.is_dir() and "*" not in str(parent)), exact.parent
    )
    names = sorted(item.name for item in folder.iterdir() if item.is_file())[:20] if folder.is_dir() else []
    near = difflib.get_close_matches(exact.name, names, n=1, cutoff=0.75)
    return Fault(
        code="file_missing",
        where=where,
        expected=f"a file {pattern!r}",
        found=f"none in {folder}",
        remedy=f"Did you mean {near[0]!r}?"
        if near
        else "Put the file there, or correct path in churnrisk.toml.",
        available=tuple(names),
    )


def is_parquet(path: Path) -> bool:
    """Say whether a file is Parquet, by its first bytes; an empty or unreadable one is not."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def is_spreadsheet(path: Path) -> bool:
    """Say whether a file is a workbook of a spreadsheet program (xlsx, ods, xls), by its first bytes."""
    with path.open("rb") as file:
        return file.read(8).startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


@contextmanager
def opened_bytes(path: Path, where: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacking gzip; raise SourceFault when the packing is damaged or ends too early."""
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                file.seek(0)
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            else:
                file.seek(0)
                yield file
    except EOFError as error:
        raise SourceFault(cut_fault(where, "a gzip file that ends in the middle")) from error
    except (OSError, zlib.error) as error:
        raise SourceFault(
            Fault(
                "file_unreadable",
                where,
                "a readable file",
                type(error).__name__,
                "Copy or export it again.",
            )
        ) from error


def cut_fault(where: str, found: str) -> Fault:
    """Return the fault of a file that ends too early."""
    return Fault("file_cut", where, "a complete file", found, "The file was cut: export or copy it again.")


def text_facts(
    path: Path, *, encoding: str | None, quote: str, where: str, hints: Collection[str] = ()
) -> TextFacts:
    """Read a text file once and tell its hash, character set and how it ends.

    ``hints`` are column names that are expected: a character set in which they all stand in the file is the one.
    """
    named = _known_encoding(encoding, where) if encoding is not None else None
    digest = hashlib.sha256()
    strict = codecs.getincrementaldecoder("utf-8")()
    is_utf8, has_quotes, last, head = True, False, b"", b""
    with opened_bytes(path, where) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            head = head or chunk[:SAMPLE]
            last = chunk[-4:]
            has_quotes = has_quotes or (bool(quote) and quote.encode("ascii", "ignore") in chunk)
            if is_utf8:
                try:
                    strict.decode(chunk)
                except UnicodeDecodeError:
                    is_utf8 = False
        if is_utf8:
            try:
                strict.decode(b"", final=True)
            except UnicodeDecodeError:
                is_utf8 = False
    bom = next((name for mark, name in BOMS if head.startswith(mark)), None)
    chosen = (
        named or bom or ("utf-8" if is_utf8 and b"\0" not in head else _guessed(path, head, where, hints))
    )
    return TextFacts(
        fingerprint=digest.hexdigest(),
        encoding=chosen,
        is_exact=chosen == "utf-8" and is_utf8,
        has_bom=bom is not None,
        ends_line=last.rstrip(b"\0").endswith((b"\n", b"\r")) or last.endswith((b"\n\0", b"\0\n")),
        has_quotes=has_quotes,
        is_detected=named is None and bom is None and chosen != "utf-8",
    )


def _known_encoding(name: str, where: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError as error:
        raise SourceFault(
            Fault(
                "encoding_unknown",
                where,
                "a known character set",
                repr(name),
                "Write e.g. utf-8, cp1251, gb18030.",
            )
        ) from error
    return "utf-8" if found in {"utf-8", "utf-8-sig", "ascii"} else found


def _guessed(path: Path, head: bytes, where: str, hints: Collection[str]) -> str:
    zeros = (head[0::2].count(0), head[1::2].count(0))
    if max(zeros) > len(head) // 8:
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    foreign = [name for name in hints if not name.isascii()]
    for candidate in CANDIDATE_ENCODINGS if foreign else ():
        text = head.decode(candidate, errors="replace")
        if all(name in text for name in foreign):
            return candidate
    sample = _telling_lines(path, where)
    decoded = sample.decode("utf-8", errors="replace")
    n_broken = decoded.count("\ufffd")
    n_foreign = sum(ord(letter) > 127 for letter in decoded)  # noqa: PLR2004 - the end of ASCII
    if n_broken <= MOST_BROKEN_SHARE * n_foreign:
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=CANDIDATE_ENCODINGS).best()
    if best is None:
        raise SourceFault(
            Fault(
                "encoding_unknown",
                where,
                "text in a character set that can be told",
                "none fits",
                "Name encoding.",
            )
        )
    return best.encoding


def _telling_lines(path: Path, where: str) -> bytes:
    """Return the lines with characters beyond ASCII, up to the size of a sample."""
    kept = bytearray()
    with opened_bytes(path, where) as file:
        for line in file:
            if not line.isascii():
                kept += line[:SAMPLE]
            if len(kept) >= SAMPLE:
                break
    return bytes(kept)


class Transcoded(io.RawIOBase):
    """A stream of UTF-8 made from a stream in another character set; what cannot be decoded becomes U+FFFD.

    A delimiter that is not one ASCII character is replaced by ``unit`` on the way.
    """

    unit = "\x1f"

    def __init__(self, source: IO[bytes], encoding: str, delimiter: str = "") -> None:
        super().__init__()
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._delimiter = delimiter
        self._held = ""
        self._ready = b""
        self._first = True
        self._done = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill ``buffer`` with the next bytes of UTF-8; return how many."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._ready and not self._done:
            self._ready = self._next()
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _next(self) -> bytes:
        chunk = self._source.read(CHUNK)
        self._done = not chunk
        text = self._held + self._decoder.decode(chunk, final=self._done)
        self._held = ""
        if self._first and text:
            text = text.removeprefix("\ufeff")
            self._first = False
        if self._delimiter:
            keep = 0 if self._done else len(self._delimiter) - 1
            if keep and not text.endswith(self._delimiter):
                text, self._held = text[:-keep], text[-keep:]
            text = text.replace(self._delimiter, self.unit)
        return text.encode("utf-8")
