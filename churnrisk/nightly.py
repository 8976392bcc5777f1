"""The order of the stages of a night, and nowhere else: load, check, features, risk, list, report, publish.

It decides what happens in which order and what a night leaves behind, and refuses to compute anything itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import polars as pl

from features import FeatureSet, build, library
from features.network import tells_of_others
from scoring import (
    approach_list,
    at_risk,
    call_list,
    changes,
    consents_in_force,
    promoters,
    ranked_with_influence,
    reasons,
    scores,
    shadow_scores,
    with_carried,
    with_influence,
)
from scoring.monitor import Monitored, Tonight, monitored, refuse

from .bundle import Bundle
from .dates import AsOf
from .errors import ChurnriskError, Fault, GateRefused
from .inputs import Inputs
from .learning import champion_bundle
from .logs import Stages, logger, run_context
from .messages import Sentences
from .night_lists import ListFile, list_files
from .night_memory import forget_older, last_night, last_run_id, staged_memory
from .night_monitor import Past, past_of, watch_of
from .night_report import Made, night_report
from .promotion import challenger_of
from .sources import LoadedSources, load, refuse_before_data
from .sources.readiness import TIES_UNKNOWN, Readiness, readiness
from .store import Engine, Workspace
from .store.code import code_fingerprint
from .store.publish import Edition, publish, published_days, recover, staged_edition
from .store.workspace import run_identity
from .tables.published import RULES
from .tie_strength import rules_of


@dataclass(frozen=True)
class Night:
    """What a night left behind: rows per published table, warnings, and where people find the files."""

    as_of: date
    run_id: str
    model_version: str
    rows: Mapping[str, int]
    warnings: tuple[str, ...]
    places: Mapping[str, Path]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        return {
            "as_of": self.as_of.isoformat(),
            "run_id": self.run_id,
            "model_version": self.model_version,
            "rows": dict(self.rows),
            "warnings": list(self.warnings),
            "places": {name: str(path) for name, path in self.places.items()},
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }


@dataclass(frozen=True)
class Extent:
    """How far a run goes: ``score`` writes no report, ``backfill`` neither report nor lists."""

    command: str
    makes_lists: bool = True
    makes_report: bool = True


NIGHTLY = Extent("nightly")
SCORE = Extent("score", makes_report=False)
BACKFILL = Extent("backfill", makes_lists=False, makes_report=False)


def run_night(
    workspace: Workspace, as_of: AsOf, inputs: Inputs, *, extent: Extent = NIGHTLY, started_at: datetime
) -> Night:
    """Run one night and publish it; on any error the tables published before stay as they are.

    Parameters
    ----------
    workspace : Workspace
        Where everything lies.
    as_of : AsOf
        Limit of knowledge.
    inputs : Inputs
        Frames instead of files, secrets, terminal.
    extent : Extent
        How far to go.
    started_at : datetime
        The clock at the start, naive UTC; only run_log holds it.

    Raises
    ------
    ChurnriskError
        With the exit code of what went wrong; a row of run_log says so too when the run got as far as having an id.
    """
    with workspace.held(extent.command), Stages(extent.command, 7, interactive=inputs.interactive) as stages:
        recover(workspace)
        with workspace.engine() as engine:
            night = _Night(
                workspace, as_of, inputs, extent, stages=stages, engine=engine, started_at=started_at
            )
            return night.run()


@dataclass(frozen=True)
class _Read:
    """What a night works on: the loaded sources, the champion, earlier nights, and the name all give the run."""

    loaded: LoadedSources
    bundle: Bundle
    past: Past
    run_id: str


class _Night:
    """One night under way."""

    def __init__(
        self,
        workspace: Workspace,
        as_of: AsOf,
        inputs: Inputs,
        extent: Extent,
        *,
        stages: Stages,
        engine: Engine,
        started_at: datetime,
    ) -> None:
        self.workspace, self.as_of, self.inputs, self.extent = workspace, as_of, inputs, extent
        self.stages, self.engine, self.started_at = stages, engine, started_at
        self.began = perf_counter()
        self.sentences = Sentences.of(workspace.config.lists.language)
        self.challenger, self.challenger_note = (None, "") if extent is BACKFILL else challenger_of(workspace)

    def run(self) -> Night:
        with self.stages.stage("load") as counts:
            loaded = load(
                self.workspace, self.engine, environment=self.inputs.environment, frames=self.inputs.frames
            )
            counts |= {name: report.n_kept for name, report in loaded.reports.items()}
            refuse_before_data(loaded, self.as_of)
        bundle = champion_bundle(self.workspace)
        past = past_of(self.workspace, self.as_of, bundle)
        read = _Read(loaded, bundle, past, self._run_id(loaded, bundle, past))
        with run_context(run_id=read.run_id, as_of=str(self.as_of), command=self.extent.command):
            try:
                return self._published(read)
            except ChurnriskError as error:
                self._record_failure(read, error)
                raise
            finally:
                # what was published lies there; nothing with ids or names stays behind in the lake
                shutil.rmtree(self.workspace.run_folder(read.run_id), ignore_errors=True)

    def _published(self, read: _Read) -> Night:
        loaded, bundle, run_id = read.loaded, read.bundle, read.run_id
        with self.stages.stage("check"):
            ready = readiness(loaded, self.engine, self.workspace.config, self.as_of)
            ready.refuse_stale()
        with self.stages.stage("features") as counts:
            features = self._features(read)
            counts |= {"customers": features.frame.height, "features": len(features.names)}
            self._refuse_nobody(features)
        with self.stages.stage("score") as counts:
            made = self._scored(read, features)
            counts |= {name: frame.height for name, frame in made.frames.items()}
        with self.stages.stage("monitor") as counts:
            seen = self._watched(read, ready, features, made)
            counts |= {"watched": seen.frame.height, "findings": len(seen.findings)}
            stamped = seen.frame.with_columns(as_of=pl.lit(self.as_of.day), run_id=pl.lit(run_id))
            made = replace(made, frames={**made.frames, "monitoring": stamped}, monitored=seen)
        made = replace(
            made,
            notes=(*seen.warnings, *loaded.warnings, *self._remarks(ready), *features.notes, *made.notes),
        )
        with self.stages.stage("lists and report"):
            files = self._files(read, ready, features, made)
        rows = {name: frame.height for name, frame in made.frames.items()}
        with self.stages.stage("publish"):
            frames = {**made.frames, "run_log": self._log_row(read, rows, made.notes)}
            edition = staged_edition(
                self.workspace,
                RULES,
                frames,
                run_id=run_id,
                as_of=self.as_of.day,
                n_expected={"scores": features.frame.height},
            )
            withdrawn = tuple(name for name in RULES if name not in frames and not RULES[name].is_log)
            publish(
                self.workspace,
                Edition(run_id, self.as_of.day, edition.tables, files.staged, withdrawn),
                RULES,
            )
            forget_older(self.workspace)
        return Night(
            self.as_of.day,
            run_id,
            bundle.model_version,
            rows,
            made.notes,
            files.places,
            dict(self.stages.seconds),
        )

    def _remarks(self, ready: Readiness) -> tuple[str, ...]:
        """What the check remarks; that sources reach beyond a past date is what a backfill is about.

        Of ties that are not known the features tell more.
        """
        expected = {TIES_UNKNOWN, "ahead"} if self.extent is BACKFILL else {TIES_UNKNOWN}
        return tuple(remark.text for remark in ready.remarks if remark.code not in expected)

    def _refuse_nobody(self, features: FeatureSet) -> None:
        if features.frame.is_empty():
            raise GateRefused(
                Fault(
                    code="nobody_to_score",
                    where=f"customers as of {self.as_of}",
                    expected="at least one customer who has joined and has not left",
                    found="none: all left, are in notice, joined later, or were inactive",
                    remedy="Check --as-of, joined_on and left_on with `churnrisk check`.",
                )
            )

    def _run_id(self, loaded: LoadedSources, bundle: Bundle, past: Past) -> str:
        return run_identity(
            {
                "as_of": str(self.as_of),
                "inputs": dict(loaded.fingerprints),
                "config": self.workspace.config.fingerprint(),
                "code": code_fingerprint(),
                "model": bundle.identity,
                "past": past.as_dict(),
                "challenger": self.challenger and (self.challenger.model_version, self.challenger.identity),
                "has_lists": self.extent.makes_lists,
                "has_report": self.extent.makes_report,
                "compared_with": last_run_id(self.workspace, self.as_of.day)
                if self.extent.makes_lists
                else None,
            }
        )

    def _features(self, read: _Read) -> FeatureSet:
        kinds = {feature.name: feature.kind for feature in read.bundle.features}
        is_past = self.extent is BACKFILL
        kept = self.workspace.kept_past_pairs if is_past else self.workspace.kept_pairs
        tables = replace(read.loaded.tables, kept=kept)
        return build(
            self.engine,
            tables,
            self.as_of,
            self.workspace.config.churn,
            consent_as_of=self.as_of,
            kinds=kinds,
            rules=rules_of(self.workspace, read.bundle),
            own=self.workspace.root / "features",
        )

    def _scored(self, read: _Read, features: FeatureSet) -> Made:
        config, bundle, run_id = self.workspace.config, read.bundle, read.run_id
        scored = scores(features.frame, bundle, config.value, as_of=self.as_of, run_id=run_id)
        consents = consents_in_force(self.engine, read.loaded.tables, self.as_of.instant)
        ranked, around = ranked_with_influence(
            features.ties, scored, consents, config.team.daily_capacity, config.influence
        )
        listed = features.frame.filter(pl.col("customer_id").is_in(ranked.customer_ids))
        words = library(self.workspace.root / "features").catalogue
        told: dict[str, Any] = {
            "as_of": self.as_of,
            "run_id": run_id,
            "consents": consents,
            "known_features": words,
        }
        why = reasons(listed, bundle, self.sentences, scored=scored, **told)
        stamp = (pl.lit(self.as_of.day).alias("as_of"), pl.lit(run_id).alias("run_id"))
        frames = {
            "scores": scored,
            "reasons": why,
            # what the model saw and no more: a column it left aside may be a name or a telephone number; and not what
            # others did, which exact figures over several windows and directions would give away (decision 11)
            "features": features.frame.select(
                "customer_id",
                *(each.name for each in bundle.features if not tells_of_others(each.name, each.group)),
            ).with_columns(*stamp),
        }
        if features.network is not None:
            network = features.network
            if around is not None:
                network = with_influence(network, scored, around, features.opinions)
            frames["network"] = network.with_columns(*stamp)
        if features.ties is not None and config.privacy.publish_ties:
            frames["ties"] = features.ties.table(self.as_of.zone).with_columns(*stamp)
        if self.extent.makes_lists:
            last = last_night(self.workspace, self.as_of.day, bundle, ranked.customer_ids)
            frames["changes"] = changes(listed, scored, bundle, self.sentences, last, **told)
        frames["at_risk"] = at_risk(ranked, why, self.sentences, run_id=run_id, moved=frames.get("changes"))
        notes = around.notes if around is not None else ()
        asked = self._promoters(features, frames, consents)
        if self.challenger is not None:
            beside, self.challenger_note = shadow_scores(
                features.frame, self.challenger, bundle, as_of=self.as_of, run_id=run_id
            )
            frames |= {} if beside is None else {"shadow_scores": beside}
        notes = (*notes, *filter(None, [self.challenger_note]))
        kept = {}
        if self.extent.makes_lists:
            kept = staged_memory(
                self.workspace,
                self.as_of.day,
                features=features,
                published=frames["features"],
                consents=consents,
                words=words,
                bundle=bundle,
                run_id=run_id,
            )
        return Made(frames, (*_unused(features, bundle), *ranked.notes, *notes), asked, around, kept)

    def _watched(self, read: _Read, ready: Readiness, features: FeatureSet, made: Made) -> Monitored:
        """Compare the night with earlier ones; on alarms that the settings name nothing is published."""
        catalogue = library(self.workspace.root / "features").catalogue

        def source_of(name: str) -> str:
            entry = catalogue.find(name)
            return entry.source if entry is not None else ""

        risk, names = made.frames["scores"]["risk"], read.bundle.features
        tonight = Tonight(self.as_of.day, features.frame, risk, names, read.bundle.model_version, source_of)
        watch = watch_of(
            self.workspace,
            self.as_of,
            read.bundle,
            read.past,
            engine=self.engine,
            loaded=read.loaded,
            ready=ready,
        )
        settings = self.workspace.config.monitoring
        seen = monitored(tonight, watch, settings)
        if self.extent is not BACKFILL:
            refuse(seen.findings, settings)
        return seen

    def _promoters(
        self, features: FeatureSet, frames: Mapping[str, pl.DataFrame], consents: pl.DataFrame
    ) -> pl.DataFrame | None:
        """Those to approach, within consent and capacity; None without surveys."""
        if features.opinions is None:
            return None
        config = self.workspace.config
        ranked = promoters(
            frames["scores"],
            features.frame,
            frames.get("network"),
            features.opinions,
            long_tenure_days=config.lists.long_tenure_days,
        )
        return approach_list(ranked, consents, config.team.promoter_capacity)

    def _files(self, read: _Read, ready: Readiness, features: FeatureSet, made: Made) -> _Files:
        day, folder = self.as_of.day, self.workspace.run_folder(read.run_id)
        files = _Files(self.workspace)
        for name, path in sorted(read.loaded.quarantine.items()):
            files.add(self.workspace.quarantine(day) / f"{name}.parquet", path)
        for place, staged in made.kept.items():
            files.add(place, staged)
        if self.extent.makes_lists:
            for file in self._lists(read, made):
                files.add(self.workspace.lists(day) / file.name, file.staged, file.label)
        if self.extent.makes_report:
            page = night_report(
                self.workspace,
                self.as_of,
                read.bundle,
                run_id=read.run_id,
                loaded=read.loaded,
                ready=ready,
                features=features,
                made=made,
                list_files=[path.name for path in files.staged_places if "lists" in path.parts],
            )
            (folder / "report.html").write_text(page, "utf-8")
            files.add(self.workspace.report(day), folder / "report.html", "Report")
        files.places["Tables"] = self.workspace.published
        return files

    def _lists(self, read: _Read, made: Made) -> Iterator[ListFile]:
        folder, carried = self.workspace.run_folder(read.run_id), self._carried(read.loaded)
        to_call = call_list(made.frames["at_risk"], carried)
        yield from list_files("at_risk", "List", to_call, folder, self.as_of.day)
        if made.promoters is not None:
            to_ask = with_carried(made.promoters, carried, made.promoters.columns)
            yield from list_files("promoters", "Promoters", to_ask, folder, self.as_of.day)

    def _carried(self, loaded: LoadedSources) -> pl.DataFrame | None:
        if not loaded.tables.has("carry"):
            return None
        keys = pl.read_parquet(loaded.tables.paths["keys"])
        carry = pl.read_parquet(loaded.tables.paths["carry"])
        return carry.join(keys, on="customer_key").drop("customer_key")

    def _log_row(
        self, read: _Read, rows: Mapping[str, int], warnings: tuple[str, ...], outcome: str = "published"
    ) -> pl.DataFrame:
        row = {
            "run_id": read.run_id,
            "as_of": self.as_of.day,
            "command": self.extent.command,
            "outcome": outcome,
            "started_at": self.started_at,
            "seconds": perf_counter() - self.began,
            "n_rows": json.dumps(dict(rows), sort_keys=True),
            "fingerprints": json.dumps(dict(read.loaded.fingerprints), sort_keys=True),
            "model_version": read.bundle.model_version,
            "warnings": json.dumps(list(warnings), ensure_ascii=False),
        }
        return pl.DataFrame([row], schema_overrides={"started_at": pl.Datetime("us")})

    def _record_failure(self, read: _Read, error: ChurnriskError) -> None:
        """Leave a row in run_log; the tables published before stay as they are, and the log says of which date."""
        faults = tuple(fault.sentence() for fault in error.faults)
        failed = self._log_row(read, {}, faults, outcome="failed")
        edition = staged_edition(
            self.workspace, RULES, {"run_log": failed}, run_id=read.run_id, as_of=self.as_of.day
        )
        publish(self.workspace, edition, RULES)
        days = published_days(self.workspace, "scores")
        logger().warning("night failed", still_published=str(days[-1]) if days else "nothing")


def _unused(features: FeatureSet, bundle: Bundle) -> tuple[str, ...]:
    """Warn of features that came after the model was trained; a model of one labelled extract knows attributes only."""
    known = {*(feature.name for feature in bundle.features), *bundle.ignored}
    new = sorted(set(features.names) - known)
    if not new or bundle.provenance.churn.get("kind") == "label":
        return ()
    return (
        f"{len(new)} features are new since the model was trained and not used: train again to use {new[0]} ...",
    )


class _Files:
    """Files waiting to be put in place, by their place relative to the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._root = workspace.root
        self.staged: dict[str, Path] = {}
        self.places: dict[str, Path] = {}

    @property
    def staged_places(self) -> list[Path]:
        """Where the files will lie."""
        return [self._root / place for place in self.staged]

    def add(self, target: Path, staged: Path, label: str | None = None) -> None:
        """Note that ``staged`` belongs at ``target``; a ``label`` shows the place to the user."""
        self.staged[target.relative_to(self._root).as_posix()] = staged
        if label is not None:
            self.places[label] = target
