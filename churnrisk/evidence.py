"""What a training found out, kept beside the bundle so that the night's report can show it without a server.

It decides how the evidence is written and read, and refuses to know how it was won or how it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import isnan, nan
from pathlib import Path
from typing import Any

import polars as pl

from churnrisk.metrics import Contagion, Interval
from training import TrainingResult
from training.card import CARD_FILE

from .bundle import Bundle, read_lifetime
from .report import Evidence
from .tables.lake import ATTRIBUTE_PREFIX

EVIDENCE_FILE = "evidence.json"

TWIN_FOLDER = "twin"
"""Where the model that was judged lies, beside the shipped one."""

REPORTED_FIGURES = (
    "auc",
    "top_decile_lift",
    "pr_auc",
    "observed_over_expected",
    "calibration_slope",
    "ece",
    "log_loss",
    "log_loss_margin",
    "brier",
    "empc",
)
"""Figures that the report explains, in its order; MLflow has all."""


def evidence_of(result: TrainingResult) -> Evidence:
    """Return what the report shows of a training: figures with intervals and the tables behind the curves."""
    judged = result.evaluation
    shipped = [use for use in result.snapshots if use.is_shipped]
    tested = sorted(use.as_of for use in result.snapshots if use.use == "test")
    trained = sorted(use.as_of for use in shipped)
    is_dated = not judged.kind.startswith("cross")
    without = result.ablations.get("network")
    return Evidence(
        protocol="out_of_time" if is_dated else "cross_validated",
        learner=result.regime,
        n_training_rows=sum(use.n_rows for use in shipped) or judged.n_rows,
        n_training_leavers=sum(use.n_leavers for use in shipped) or judged.n_leavers,
        n_test_rows=judged.n_rows,
        n_test_leavers=judged.n_leavers,
        trained_from=_day(trained, 0),
        trained_until=_seen_until(result.bundle),
        tested_from=_day(tested, 0),
        tested_until=_day(tested, -1),
        figures=_intervals(judged.figures),
        figures_without_network={"auc": Interval(without, nan, nan)} if without is not None else None,
        network_gain=result.network_gain.get("auc"),
        contagion=result.contagion,
        treat_all_per_customer=judged.figures.get("empc_treat_all"),
        reliability=judged.tables.get("reliability"),
        gains=judged.tables.get("gain"),
        profits=judged.tables.get("profit"),
        bands=_band_rows(result.bundle),
        importance=result.importance.rename({"importance": "share"}),
        calibrated_apart=_calibrated_apart(result.bundle),
    )


class EvidencedBundle:
    """A bundle that, when saved, takes all that was found along: evidence, reference, lifetimes, twin, responses."""

    def __init__(self, result: TrainingResult, card: str = "") -> None:
        self._bundle = result.bundle
        self._evidence = evidence_of(result)
        self._reference = result.reference
        self._lifetime = result.lifetime
        self._twin = result.twin
        self._nps = result.nps
        self._responses = result.responses
        self._card = card
        self.features = self._bundle.features
        self.provenance = self._bundle.provenance
        self.identity = self._bundle.identity

    def save(self, folder: Path) -> None:
        """Write the bundle and what goes with it into ``folder``; of the rest only what is there."""
        self._bundle.save(folder)
        if self._card:
            (folder / CARD_FILE).write_text(self._card, encoding="utf-8", newline="\n")
        if self._twin is not None:
            self._twin.save(folder / TWIN_FOLDER)
        write_evidence(self._evidence, folder)
        if self._reference is not None:
            self._reference.save(folder)
        if self._nps is not None:
            self._nps.save(folder)
        if self._lifetime is not None:
            self._lifetime.save(folder)
        if self._responses is not None:
            self._responses.save(folder)


def write_evidence(evidence: Evidence, folder: Path) -> None:
    """Write ``evidence`` as JSON into ``folder``."""
    kept = (name for name in evidence.__dataclass_fields__ if name != "lifetime")  # has a file of its own
    plain = {name: _plain(getattr(evidence, name)) for name in kept}
    (folder / EVIDENCE_FILE).write_text(json.dumps(plain, indent=1, sort_keys=True), "utf-8")


def read_evidence(folder: Path) -> Evidence | None:
    """Return the evidence in ``folder``; None for a bundle that was made without."""
    path = folder / EVIDENCE_FILE
    if not path.is_file():
        return None
    plain = json.loads(path.read_text("utf-8"))
    found = Evidence(**{name: _restored(name, value) for name, value in plain.items()})
    return replace(found, lifetime=read_lifetime(folder))


_FRAMES = frozenset({"reliability", "gains", "profits", "bands", "importance"})
_DAYS = frozenset({"trained_from", "trained_until", "tested_from", "tested_until"})
_INTERVALS = frozenset({"figures", "figures_without_network"})


def _plain(value: object) -> Any:
    if isinstance(value, pl.DataFrame):
        return value.to_dict(as_series=False)
    if isinstance(value, Interval):
        return [None if isnan(end) else end for end in (value.value, value.low, value.high)]
    if isinstance(value, Contagion):
        return value.as_plain()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, date) else value


def _restored(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _FRAMES:
        return pl.DataFrame(value)
    if name in _DAYS:
        return date.fromisoformat(value)
    if name in _INTERVALS:
        return {key: _interval(item) for key, item in value.items()}
    if name == "contagion":
        return Contagion.from_plain(value)
    return _interval(value) if name == "network_gain" else value


def _interval(ends: Sequence[float | None]) -> Interval:
    return Interval(*(nan if end is None else end for end in ends))


def _intervals(figures: Mapping[str, float | None]) -> dict[str, Interval]:
    found: dict[str, Interval] = {}
    for name in REPORTED_FIGURES:
        value = figures.get(name)
        if value is not None:
            low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
            found[name] = Interval(value, nan if low is None else low, nan if high is None else high)
    return found


def _band_rows(bundle: Bundle) -> pl.DataFrame:
    names = ("n", "realised_rate", "realised_low", "realised_high")
    rows = [{"band": band.name, **{name: getattr(band, name) for name in names}} for band in bundle.bands]
    kinds = {"band": pl.String, "n": pl.Int64, **dict.fromkeys(names[1:], pl.Float64)}
    return pl.DataFrame(rows, schema=kinds)


def _calibrated_apart(bundle: Bundle) -> str:
    """Name the column by which risks are calibrated, by the user's own name, and the values with enough leavers."""
    if bundle.segments is None:
        return ""
    return f"{bundle.segments.feature.removeprefix(ATTRIBUTE_PREFIX)}: {', '.join(bundle.segments.parts)}"


def _seen_until(bundle: Bundle) -> date | None:
    """The last day whose outcomes the shipped model saw; None for an extract without dates."""
    until = bundle.provenance.trained_until
    return None if until is None else (datetime.fromisoformat(until) - timedelta(microseconds=1)).date()


def _day(days: Sequence[str], position: int) -> date | None:
    return date.fromisoformat(days[position]) if days else None
