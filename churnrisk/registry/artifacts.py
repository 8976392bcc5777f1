"""What of a training becomes figures and files in MLflow; refuses to know the server. No row of a customer goes in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from .trained import Studied, Trained


def defined_figures(result: Trained) -> dict[str, float]:
    """Return the figures that are defined; figures.json holds the others as null."""
    judged = result.evaluation
    counts = {"n_judged": float(judged.n_rows), "n_judged_leavers": float(judged.n_leavers)}
    without = {f"auc_without_{group}": value for group, value in result.ablations.items()}
    gained = {
        f"network_gain_{name}{end}": value
        for name, gain in result.network_gain.items()
        for end, value in (("", gain.value), ("_low", gain.low), ("_high", gain.high))
    }
    found = {
        **judged.figures,
        **without,
        **gained,
        **_studied(result),
        **_compared(result),
        **_silent(result),
        **({} if result.lifetime is None else result.lifetime.figures()),
    }
    return counts | {
        name: value for name, value in found.items() if value is not None and math.isfinite(value)
    }


def _studied(result: Trained) -> dict[str, float | None]:
    """Return the estimates of contagion with their ends, the controls' z and the p of the shuffle test."""
    if result.contagion is None:
        return {}
    plain = result.contagion.as_plain()
    ends = ("", "_low", "_high")
    ratios = {
        name: plain[name] for name in ("ratio", "measured", "naive", "future") if plain[name] is not None
    }
    return {
        **{
            f"contagion_{name}{end}": value
            for name, found in ratios.items()
            for end, value in zip(ends, found, strict=True)
        },
        **{f"contagion_z_{name}": value for name, value in plain["controls"].items()},
        "contagion_shuffle_p": plain["shuffle_p"],
    }


def _compared(result: Trained) -> dict[str, float]:
    """Return what the model gains over the champion, with ends."""
    if result.comparison is None:
        return {}
    return {
        f"over_champion_{name}{end}": value
        for name, gain in result.comparison.gains.items()
        for end, value in (("", gain.value), ("_low", gain.low), ("_high", gain.high))
    }


def _silent(result: Trained) -> dict[str, float | None]:
    """Return how predictions of what silent customers would answer were judged, with ends."""
    return {
        f"nps_{name}{end}": value
        for name, ends in result.nps_figures.items()
        for end, value in zip(("", "_low", "_high"), ends, strict=True)
    }


def _contagion_table(found: Studied) -> pl.DataFrame:
    """Return one row per estimate: estimate, ratio, low, high; undefined is null."""
    plain = found.as_plain()
    rows = {name: plain[name] for name in ("ratio", "measured", "naive", "future")} | plain["weaker"]
    return pl.DataFrame(
        [(name, *ends) for name, ends in rows.items() if ends is not None],
        schema={"estimate": pl.String, "ratio": pl.Float64, "low": pl.Float64, "high": pl.Float64},
        orient="row",
    )


def write_artifacts(folder: Path, result: Trained, pictures: Mapping[str, bytes]) -> None:
    (folder / "tables").mkdir(parents=True)
    tables = {**result.evaluation.tables, "importance": result.importance}
    if result.lifetime is not None:
        tables |= {"survival": result.lifetime.checks, "lifetime": result.lifetime.totals}
    for name, table in tables.items():
        table.write_csv(folder / "tables" / f"{name}.csv")
    if pictures:
        (folder / "pictures").mkdir()
    for name, content in pictures.items():
        (folder / "pictures" / name).write_bytes(content)
    if result.contagion is not None:
        _contagion_table(result.contagion).write_csv(folder / "tables" / "contagion.csv")
    documents: dict[str, Any] = {
        "figures": dict(result.evaluation.figures),
        "features": [
            {"name": column.name, "kind": column.kind, "group": column.group}
            for column in result.bundle.features
        ],
        "dropped": dict(result.dropped),
        "fingerprints": dict(result.bundle.provenance.fingerprints),
        "notes": list(result.notes),
        "contagion": None if result.contagion is None else result.contagion.as_plain(),
        "comparison": None if result.comparison is None else result.comparison.as_plain(),
        "gates": [
            {"gate": gate.gate, "is_passed": gate.is_passed, "needed": gate.needed, "found": gate.found}
            for gate in result.gates
        ],
    }
    for name, document in documents.items():
        text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=False, default=str)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    for name, text in result.documents.items():
        (folder / name).write_text(text, encoding="utf-8")
