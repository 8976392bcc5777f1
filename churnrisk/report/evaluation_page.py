"""A judgement as one self-contained page: puts sentences, pictures and tables into sections. It computes no figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from ..pictures import Picture
from .content import RunDetails
from .evaluation_tables import TABLES
from .evaluation_views import PICTURES
from .page import filled
from .parts import Page, Part, Section, Stat
from .wording import FIGURE_WORDS, UNKNOWN, counted, figure

HEADLINE = ("auc", "top_decile_lift", "observed_over_expected", "empc")
"""Figures at the head of the page."""

LEAD = "lead"

TOLD_BY_TABLE = frozenset({"bands", "surveys", "types"})
"""Sections whose table says all that their sentences say, in a terminal."""


@dataclass(frozen=True, eq=False)
class EvaluationContent:
    """What the page is made of.

    ``judged`` is champion, twin or folds; ``looks`` the tested days (ISO; one empty text for an extract without dates).
    ``titles`` are the headings by section, in the order of the page; ``sentences`` what is said in each; ``tables`` the
    tables of a judgement by name (docs/evaluation.md): one that is missing or empty makes no part.
    """

    as_of: date
    run: RunDetails
    judged: str
    kind: str
    n_rows: int
    n_leavers: int
    looks: tuple[str, ...]
    regime: str
    titles: Mapping[str, str]
    sentences: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, pl.DataFrame]
    notes: tuple[str, ...] = ()


def evaluation_html(content: EvaluationContent) -> str:
    """Return the page: HTML with neither network nor script; the same content gives the same bytes."""
    return filled(
        "evaluation.html",
        Page(
            title=f"How good is the risk? As of {content.as_of}",
            lead=_lead(content),
            as_of=content.as_of.isoformat(),
            software_version=content.run.software_version,
            stats=tuple(_stats(content)),
            lines=content.sentences.get(LEAD, ()),
            warnings=content.notes,
            sections=(*_sections(content), _figures(content), _run(content)),
        ),
    )


def evaluation_pictures(content: EvaluationContent) -> list[Picture]:
    """Return every picture of the page, in its order."""
    return [part.picture for section in _sections(content) for part in section.parts if part.picture]


def _lead(content: EvaluationContent) -> str:
    whose = {"champion": "the model in use", "twin": "a twin of the model", "folds": "models of folds"}
    return (
        f"{content.kind.capitalize()}: {whose[content.judged]} on {counted(content.n_rows, 'row')}, "
        f"{counted(content.n_leavers, 'leaver')}."
    )


def _stats(content: EvaluationContent) -> list[Stat]:
    rows = {row["figure"]: row for row in content.tables["figures"].iter_rows(named=True)}
    found = []
    for name in HEADLINE:
        words, style, _ = FIGURE_WORDS[name]
        row = rows[name]
        if row["value"] is None:
            found.append(Stat(words, UNKNOWN, "undefined here"))
            continue
        ends = ""
        if row["low"] is not None and row["high"] is not None:
            ends = f"95 % interval {figure(row['low'], style)} to {figure(row['high'], style)}"
        found.append(Stat(words, figure(row["value"], style), ends))
    return found


def _sections(content: EvaluationContent) -> list[Section]:
    found = []
    for key, title in content.titles.items():
        if key == LEAD:
            continue
        views = PICTURES[key](content.tables) if key in PICTURES else []
        tables = TABLES[key](content.tables) if key in TABLES else []
        parts = [*views, *(Part(table=table, is_wide=True) for table in tables)]
        lines = () if key in TOLD_BY_TABLE and tables else content.sentences.get(key, ())
        found.append(Section(key.replace("_", "-"), title, lines, tuple(parts), is_paired=bool(views)))
    return found


def _figures(content: EvaluationContent) -> Section:
    parts = [Part(table=table, is_wide=True) for table in TABLES["figures"](content.tables)]
    return Section("figures", "All figures", (), tuple(parts))


def _run(content: EvaluationContent) -> Section:
    looks = ", ".join(day for day in content.looks if day) or "none: an extract without dates"
    terms = (
        ("Run", content.run.run_id),
        ("Model in use", f"version {content.run.model_version}" if content.run.model_version else "none"),
        ("Fitted now", content.regime or "by folds"),
        ("Tested dates", looks),
        ("Software", content.run.software_version),
    )
    inputs = tuple((name, digest[:16]) for name, digest in sorted(content.run.fingerprints.items()))
    return Section(
        "run",
        "Where it comes from",
        (),
        (Part(terms=terms), Part(terms=inputs, is_code=True)),
        is_paired=True,
    )
