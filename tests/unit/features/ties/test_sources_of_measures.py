"""Every measure of a tie in the docs has a unit and says where it comes from."""

from __future__ import annotations

from pathlib import Path

import churnrisk
from features.ties.strength import TIE_COLUMNS

DOCS = Path(churnrisk.__file__).parent / "docs" / "science.md"
PLAIN = "contacts each way, talk"
"""What nobody had to invent."""


def test_each_measure_names_its_unit_and_its_source() -> None:
    section = DOCS.read_text("utf-8").split("## Strength of ties")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| ")
    ]
    head, _, *measures = rows
    assert head == ["measure", "formula", "unit", "source", "null when"]
    assert len(measures) == 10
    for name, formula, unit, source, *_ in measures:
        assert formula, name
        assert unit, name
        assert name == PLAIN or " 20" in source, name
    told = " ".join(row[0] for row in measures)
    for word in ("burstiness", "overlap", "reciprocity", "attention", "silence ratio", "span"):
        assert word in told
        assert any(word.replace(" ", "_") in column for column in TIE_COLUMNS), word
