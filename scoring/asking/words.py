"""Why somebody is asked and what each answer would change, in words; it decides no value.

Every number comes from the candidate's row; sentences stand in the language files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from churnrisk.bundle import NPS_CATEGORIES
from churnrisk.messages import Sentences

from .candidates import INFORMATION


def asking_words(row: Mapping[str, Any], sentences: Sentences) -> str:
    """Return the text of one candidate (a row of ``CANDIDATE_SCHEMA``): why, then what each answer would change."""
    details: Mapping[str, Any] = row["details"]
    numbers = sentences.numbers
    words = {
        "risk": _percent(row["risk"], sentences),
        "value": _money(row["value_of_asking"], sentences),
        "cost": numbers.money(float(row["cost"])),
        "about": str(details["about_id"] or ""),
        "occasion": str(row["occasion"]),
    }
    parts = [sentences.asking(row["why"], **words)]
    if row["purpose"] in {"confirm", "random"}:
        parts += [part for name in NPS_CATEGORIES if (part := _change(name, row, sentences))]
    return sentences.joined(parts)


def with_words(candidates: pl.DataFrame, sentences: Sentences) -> pl.DataFrame:
    """Return the candidates with ``why`` in words: for those on lists, thousands, not for the base."""
    told = [asking_words(row, sentences) for row in candidates.iter_rows(named=True)]
    return candidates.with_columns(why=pl.Series(told, dtype=pl.String))


def _change(name: str, row: Mapping[str, Any], sentences: Sentences) -> str:
    details = row["details"]
    after, before = details[f"risk_{name}"], row["risk"]
    if after is None or _percent(after, sentences) == _percent(before, sentences):
        return ""
    offer, present = details[f"offer_{name}"], details["offer_before"]
    kind = "raises" if after > before else "lowers"
    if row["basis"] != INFORMATION:
        what = "only"
    elif offer is not None and offer != present:
        what = "to_offer"
    elif offer is None and present is not None:
        what = "to_none"
    else:
        what = "same"
    told = {
        "answer": sentences.asking(name),
        "risk": _percent(after, sentences),
        "offer": str(offer or present or ""),
    }
    return sentences.asking(f"{kind}_{what}", **told)


def _percent(share: float | None, sentences: Sentences) -> str:
    return "" if share is None else sentences.numbers.percent(float(share))


def _money(value: float | None, sentences: Sentences) -> str:
    return "" if value is None else sentences.numbers.money(float(value))
