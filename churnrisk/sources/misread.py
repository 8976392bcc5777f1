"""Columns of a source that nobody mapped and that look like ours, a consent above all: an error, or a word about it.

It decides which names look like ours, and refuses to know values: a refusal under a misspelt name is a refusal lost.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..config import CONSENTS, SourceSettings
from ..errors import Fault
from ..tables.contracts import SourceTable
from .header import NEAR, FirstRow
from .mapping import ColumnMap, first_row
from .raw import RawTable

ALIKE = 0.85
"""Folded names at least so alike (difflib) are one name misspelt. A judgement: it finds comment in coment, may_contact
in may_kontact, and lets contract (beside may_contact), gender (sender) and language_code through."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")
_OF_CONSENT = re.compile(
    r"(?:^|_)(?:consent[^_]*|opt(?:ed)?_?(?:in|out)s?(?=_|$)|unsubscrib[^_]*|do_?not(?:_|$|call|contact|mail|email|sms))"
)


class Misread(NamedTuple):
    """What is to be told of columns that look like ours: as errors, or as warnings."""

    faults: list[Fault]
    warnings: list[str]


def name_words(name: str) -> list[str]:
    """Return the words of a name, in lower case.

    >>> name_words("mayContact"), name_words("DO-NOT call"), name_words("left_on ")
    (['may', 'contact'], ['do', 'not', 'call'], ['left', 'on'])
    """
    return _WORD.findall(_CAMEL.sub(" ", name).casefold())


def nearest_consent(name: str, absent: Collection[str]) -> str | None:
    """Return the consent that a name is nearly, or holds; None where it is like none.

    A name that begins with ``may`` needs to be less alike, since few others do.

    >>> [nearest_consent(name, ["may_contact"]) for name in ("may_contct", "May Contact flag", "Contract")]
    ['may_contact', 'may_contact', None]
    """
    words = name_words(name)
    plain = "".join(words)
    holding = [ours for ours in absent if _folded(ours) in plain]
    return holding[0] if holding else _most_alike(plain, absent, NEAR if words[:1] == ["may"] else ALIKE)


def sounds_like_consent(name: str) -> bool:
    """Say whether a word of the name is one of consents: consent, opt in, opt out, unsubscribed, do not.

    >>> [
    ...     name
    ...     for name in ("optIn", "email-consent", "DoNotCall", "options", "donation")
    ...     if sounds_like_consent(name)
    ... ]
    ['optIn', 'email-consent', 'DoNotCall']
    """
    return _OF_CONSENT.search("_".join(name_words(name))) is not None


def misread_columns(
    table: SourceTable,
    settings: SourceSettings,
    raw: RawTable,
    mapping: ColumnMap,
    *,
    carry: Sequence[str],
    filled: Collection[str],
) -> Misread:
    """Judge the columns of one file that the settings do not name.

    Parameters
    ----------
    carry : sequence of str
        Columns that lists show: they are named, but that does not say that they are no consents.
    filled : collection of str
        Consents for which the settings say what a missing one means.
    """
    row = first_row(table, settings, raw, carry)
    unread = _unread(table, settings, row, mapping)
    absent = [name for name in table.columns if not mapping.gives(name) and name not in table.required]
    consents = [name for name in absent if name in CONSENTS]
    further = [name for name in absent if name not in CONSENTS]
    open_ = [name for name in consents if name in filled]
    told = _Wording(table, row, raw.name)
    faults, wordy, alike = [], [], {}
    for name in unread:
        if ours := nearest_consent(name, consents):
            faults.append(told.misspelt_consent(name, ours, consents))
        elif ours := _most_alike(_folded(name), further, 1.0):
            faults.append(told.written_otherwise(name, ours))
        elif open_ and sounds_like_consent(name):
            wordy.append(name)
        elif name not in carry and (ours := _most_alike(_folded(name), further, ALIKE)):
            alike[name] = ours
    return Misread(faults, [*told.wordy(wordy, open_), *told.alike(alike)])


def lost_consents(
    table: SourceTable, settings: SourceSettings, raw: RawTable, mapping: ColumnMap
) -> Iterator[str]:
    """Yield what is to be said of consents in a file that customers are made from: they are made without any."""
    row = first_row(table, settings, raw, ())
    unread = _unread(table, settings, row, mapping)
    lost = [name for name in unread if nearest_consent(name, CONSENTS) or sounds_like_consent(name)]
    if lost:
        yield (
            f"{raw.name}: not read as a consent: {', '.join(map(row.called, lost))}. Customers made from {table.name} "
            "have none, and missing_consent fills them all: give [sources.customers] a file with consents, or name the "
            "column in exclude, text or constant."
        )


def _unread(table: SourceTable, settings: SourceSettings, row: FirstRow, mapping: ColumnMap) -> Sequence[str]:
    """Return the columns that are neither ours nor named in the settings; none where the file has no header."""
    if not settings.header:
        return ()
    named = {name.strip() for name in (*settings.exclude, *settings.constant, *settings.text)}
    renamed = {mapping.extras[ours] for ours in settings.columns if ours in mapping.extras}
    used = {*named, *renamed, *mapping.taken.values(), *table.columns}
    return [name for name in row.names if name and name not in used]


def _folded(name: str) -> str:
    return "".join(name_words(name))


def _most_alike(plain: str, ours: Collection[str], cutoff: float) -> str | None:
    by_fold = {_folded(each): each for each in ours}
    near = difflib.get_close_matches(plain, list(by_fold), n=1, cutoff=cutoff)
    return by_fold[near[0]] if near else None


@dataclass(frozen=True)
class _Wording:
    """Words the verdicts on one file; a name that may be somebody's is told by its position."""

    table: SourceTable
    row: FirstRow
    where: str

    def misspelt_consent(self, name: str, ours: str, absent: Sequence[str]) -> Fault:
        return Fault(
            "column_unknown",
            self.where,
            f"{ours}, or no column that is nearly called so",
            self.row.called(name),
            f"Did you mean {ours!r}? Then write {self._mapped(ours, name)} in {self._section}: else nobody heeds the "
            f"refusals in it. If it is no consent, say so: {self._excluded(name)}{self._kept}.",
            tuple(absent),
        )

    def written_otherwise(self, name: str, ours: str) -> Fault:
        return Fault(
            "column_unknown",
            self.where,
            f"{ours}, written so",
            self.row.called(name),
            f"Did you mean {ours!r}? Then write {self._mapped(ours, name)} in {self._section}. If it is something "
            f"else, say so: {self._excluded(name)}{self._kept}.",
        )

    def wordy(self, names: Sequence[str], filled: Sequence[str]) -> Iterator[str]:
        if names:
            yield (
                f"{self.where}: not read as a consent: {', '.join(map(self.row.called, names))}; missing_consent fills "
                f"{', '.join(filled)}. Where yes means that it is allowed, map it to the one that it is: "
                f"{self._mapped('<consent>', names[0])} in {self._section}; where yes means no, turn it round in the "
                "extract first; where it is no consent, name it in exclude, text or constant."
            )

    def alike(self, meant: Mapping[str, str]) -> Iterator[str]:
        if meant:
            told = ", ".join(
                f"{self.row.called(name)} (did you mean {ours!r}?)" for name, ours in meant.items()
            )
            yield (
                f"{self.where}: not read as columns of {self.table.name}: {told}. Map them in {self._section} columns, "
                f"or say that they are something else: name them in exclude{self._kept}."
            )

    @property
    def _section(self) -> str:
        return f"[sources.{self.table.name}]"

    @property
    def _kept(self) -> str:
        """Say how a column stays an input, where a source has inputs of the users' own."""
        return (
            f" (in text or constant, where it is to stay an {self.table.extra})"
            if self._has_attributes
            else ""
        )

    @property
    def _has_attributes(self) -> bool:
        return self.table.extra == "attribute"

    def _mapped(self, ours: str, name: str) -> str:
        position = str(list(self.row.names).index(name) + 1)
        return f"columns = {{ {ours} = {_quoted(name) if self.row.may_tell(name) else position} }}"

    def _excluded(self, name: str) -> str:
        return f"exclude = [{_quoted(name) if self.row.may_tell(name) else 'its name'}]"


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
