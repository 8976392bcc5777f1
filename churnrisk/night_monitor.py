"""Gathers what a night is compared with: the last night, what has matured, the training; decides no verdict.

It reads published tables of earlier nights and the champion's folder, and refuses to know how anything is judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import polars as pl

from scoring.monitor import ENOUGH_EXPECTED, MOST_WINDOWS, Before, Matured, Watch, windows
from training.censoring import FEWEST_CONTROL_LEAVERS
from training.labels import labels_of
from training.snapshots import Snapshot

from .bundle import Bundle, read_reference
from .bundle.reference import REFERENCE_FILE
from .config import SOURCE_NAMES, ChurnSettings
from .dates import AsOf
from .evidence import read_evidence
from .sources import LoadedSources
from .sources.readiness import Readiness
from .store import Engine, Workspace
from .store.publish import published_days, published_frame, published_parts
from .tables.published import RULES

MATURED_COLUMNS = ("risk", "band", "left", "weight", "is_control")


@dataclass(frozen=True)
class Past:
    """The published nights that a night is compared with, by day with the run that made each."""

    last: date | None
    matured: tuple[date, ...]
    runs: Mapping[str, str]
    reference: str
    """Hash of the champion's reference."""

    def as_dict(self) -> dict[str, Any]:
        """Give what the run's identity depends on."""
        return {"runs": dict(self.runs), "reference": self.reference}


def past_of(workspace: Workspace, as_of: AsOf, bundle: Bundle) -> Past:
    """Return which published nights a night will be compared with."""
    days = [day for day in published_days(workspace, "scores") if day < as_of.day]
    last = max(days, default=None)
    reach = _reach(bundle, workspace.config.churn)
    matured = (
        () if reach is None else tuple(islice(_matured_days(workspace, days, as_of, reach), MOST_WINDOWS))
    )
    wanted = sorted({*matured, *([last] if last is not None else [])})
    runs = {str(day): str(_scores(workspace, day, "run_id", n=1).item()) for day in wanted}
    path = workspace.champion / REFERENCE_FILE
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
    return Past(last, matured, runs, digest)


def _matured_days(
    workspace: Workspace, days: Sequence[date], as_of: AsOf, reach: tuple[int, int]
) -> Iterator[date]:
    """Yield nights of one model whose outcomes are known by now and were not when it learned."""
    versions: list[str] = []

    def is_usable(day: date) -> bool:
        version, is_hindsight = _scores(workspace, day, "model_version", "is_hindsight", n=1).row(0)
        if is_hindsight is not False or (versions and version != versions[0]):
            return False
        versions.append(version)
        return True

    yield from windows(days, as_of.day, reach_days=sum(reach), outcome_days=reach[1], is_usable=is_usable)


def watch_of(
    workspace: Workspace,
    as_of: AsOf,
    bundle: Bundle,
    past: Past,
    *,
    engine: Engine,
    loaded: LoadedSources,
    ready: Readiness,
) -> Watch:
    """Return everything a night is compared with; what is not there is None."""
    evidence = read_evidence(workspace.champion)
    return Watch(
        reference=read_reference(workspace.champion),
        before=None if past.last is None else _before(workspace, past.last, past.runs[str(past.last)]),
        matured=_matured(workspace, as_of, bundle, past, engine=engine, loaded=loaded),
        trained_with=tuple(name for name in bundle.provenance.fingerprints if name in SOURCE_NAMES),
        facts=_facts(ready),
        tested={} if evidence is None else evidence.figures,
        importance=None
        if evidence is None or evidence.importance is None
        else dict(evidence.importance.select("feature", "share").iter_rows()),
    )


def _facts(ready: Readiness) -> dict[str, float]:
    """Facts known as of the date, rows where facts have no date."""
    return {
        item.source: float(item.n_kept if item.n_known is None else item.n_known) for item in ready.sources
    }


def _before(workspace: Workspace, day: date, run_id: str) -> Before:
    scores = _scores(workspace, day, "customer_id", "risk", "model_version")
    parts = published_parts(workspace, RULES["features"], day)
    watched = published_frame(workspace, RULES["monitoring"], day)
    facts: dict[str, float] = {}
    if watched is not None:
        rows = watched.filter(pl.col("kind") == "source").drop_nulls("observed")
        facts = dict(rows.select("name", "observed").iter_rows())
    features = pl.scan_parquet(parts, hive_partitioning=False) if parts else None
    return Before(
        day, run_id, str(scores["model_version"][0]), scores.select("customer_id", "risk"), features, facts
    )


def _scores(workspace: Workspace, day: date, *columns: str, n: int | None = None) -> pl.DataFrame:
    parts = published_parts(workspace, RULES["scores"], day)
    return pl.read_parquet(parts, columns=list(columns), n_rows=n, hive_partitioning=False)


def _reach(bundle: Bundle, churn: ChurnSettings) -> tuple[int, int] | None:
    """Return the days of gap and of outcome window that the risks are about; None where leaving has no date."""
    meant = bundle.provenance.churn
    if meant.get("kind", churn.kind) == "label" or churn.kind == "label":
        return None
    return int(meant.get("gap_days", churn.gap_days)), int(meant.get("horizon_days", churn.horizon_days))


def _matured(
    workspace: Workspace,
    as_of: AsOf,
    bundle: Bundle,
    past: Past,
    *,
    engine: Engine,
    loaded: LoadedSources,
) -> Matured | None:
    """Return the newest matured predictions of one model, and older ones until there are enough leavers to judge."""
    reach = _reach(bundle, workspace.config.churn)
    if reach is None:
        return None
    parts: list[pl.DataFrame] = []
    days: list[date] = []
    version, n_treated, expected = "", 0, 0.0
    for day in past.matured:
        scores = _scores(workspace, day, "customer_id", "risk", "band", "model_version")
        version = str(scores["model_version"][0])
        found, treated = _came_true(
            scores, AsOf(day, as_of.zone), as_of, reach, workspace=workspace, engine=engine, loaded=loaded
        )
        parts.append(found)
        days.append(day)
        n_treated += treated
        expected += float(found["risk"].to_numpy().sum())
        if expected >= ENOUGH_EXPECTED:
            break
    if not parts:
        return None
    return Matured(pl.concat(parts), tuple(days), version, n_treated, loaded.tables.has("treatments"))


def _came_true(
    scores: pl.DataFrame,
    made: AsOf,
    as_of: AsOf,
    reach: tuple[int, int],
    *,
    workspace: Workspace,
    engine: Engine,
    loaded: LoadedSources,
) -> tuple[pl.DataFrame, int]:
    """Return risk, band, left, weight and is_control of those scored whom no action reached, and how many were."""
    gap, outcome = reach
    window = (made.days_before(-gap), made.days_before(-gap - outcome))
    snapshot = Snapshot(made, *window, "test", is_shipped=False)
    loaded.tables.register(engine)
    labels = labels_of(engine, loaded.tables, snapshot, workspace.config.churn, as_of)
    keys = pl.read_parquet(loaded.tables.paths["keys"])
    scored = scores.join(keys, on="customer_id")
    judged = scored.join(labels.frame, on="customer_key").sort("customer_id")
    if labels.followed is None:
        plain = judged.with_columns(weight=pl.lit(1.0), is_control=pl.lit(value=False))
        return plain.select(MATURED_COLUMNS), 0
    treated = scored.join(labels.followed.filter("is_treated"), on="customer_key", how="semi").height
    chances = labels.followed.select("customer_key", "log_control_chance")
    known = judged.join(chances, on="customer_key", how="left", maintain_order="left")
    return known.with_columns(_weight(known)).select(MATURED_COLUMNS), treated


def _weight(judged: pl.DataFrame) -> pl.Expr:
    """Let randomised controls stand for those picked with them, where their chances tell enough; else for themselves.

    The same rule as in training (``training.censoring``): recorded chances, from so many controls who left.
    """
    controls = judged.filter("is_control")
    is_told = (
        not controls["log_control_chance"].null_count() and controls["left"].sum() >= FEWEST_CONTROL_LEAVERS
    )
    chance = pl.when(pl.col("is_control")).then(pl.col("log_control_chance").exp()).otherwise(1.0)
    return (1 / chance if is_told else pl.lit(1.0)).alias("weight")
