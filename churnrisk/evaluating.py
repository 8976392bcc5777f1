"""The order of judging: load, rows, judgement, page and tables, log; and where they lie. It decides no figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

import churnrisk
from features.catalogue import Catalogue
from features.library import library
from training import FitSettings
from training.audit import audit_extract
from training.extract import extract_rows
from training.judging import Judgement, Material, extract_material, judgement, material_of, shareable
from training.naming import columns_named, own_columns
from training.wanted import fit_settings

from .bundle import Bundle
from .campaigns import campaigns
from .config import SourceSettings
from .dates import AsOf
from .inputs import Inputs
from .loaded import loaded_sources
from .logs import Stages, run_context
from .pictures import Picture
from .registry import Registry
from .report import EvaluationContent, RunDetails, evaluation_html, evaluation_pictures
from .sources import LoadedSources
from .store import Engine, Workspace
from .store.code import code_fingerprint
from .store.private import kept_private, made_folder
from .store.publish import written_parquet
from .store.workspace import run_identity
from .tie_strength import learned_weights

NAMED = "named_opinions.csv"
"""Satisfied leavers and dissatisfied stayers by name: few may read it."""

TOLD = (
    "lead",
    "ranking",
    "calibration",
    "profit",
    "bands",
    "months",
    "lead_time",
    "blocks",
    "unseen",
    "lifetime",
)
"""Sections whose sentences a terminal shows; fairness, segments and the rest come after."""


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A model judged from every side; ``tables`` go by name (docs/evaluation.md), undefined is null."""

    as_of: date
    found: Judgement
    page: Path
    folder: Path
    named: Path | None
    tracking_run_id: str
    champion: str

    @property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """Every table by name."""
        return self.found.tables

    def as_dict(self) -> dict[str, Any]:
        """Give everything but names of people as plain values for ``--json``."""
        return {
            "as_of": self.as_of.isoformat(),
            "judged": self.found.judged,
            "champion": self.champion or None,
            "kind": self.found.kind,
            "n_rows": self.found.n_rows,
            "n_leavers": self.found.n_leavers,
            "looks": list(self.found.looks),
            "sentences": {name: list(said) for name, said in self.found.sentences.items()},
            "notes": list(self.found.notes),
            "tables": {name: table.to_dicts() for name, table in self.found.tables.items()},
            "page": str(self.page),
            "folder": str(self.folder),
            "named": None if self.named is None else str(self.named),
            "tracking_run_id": self.tracking_run_id,
        }

    def text(self) -> str:
        """Tell it, for a terminal."""
        said = self.found.sentences
        lines: list[str] = []
        for name in (*TOLD, *(name for name in said if name not in TOLD)):
            lines += [f"{HEADS[name]}:", *(f"  {sentence}" for sentence in said[name])]
        lines += [f"Note: {note}" for note in self.found.notes]
        lines += [f"Page: {self.page}", f"Tables: {self.folder}"]
        if self.named is not None:
            lines.append(f"By name, for those who may: {self.named}")
        return "\n".join(lines)


HEADS: Mapping[str, str] = {
    "lead": "What was judged",
    "ranking": "Ranking",
    "calibration": "Calibration",
    "profit": "Profit",
    "bands": "Bands",
    "months": "Steadiness",
    "lead_time": "Lead time",
    "leaver_kinds": "Kinds of leavers",
    "blocks": "What each kind of data adds",
    "unseen": "People never seen",
    "lifetime": "How long customers stay",
    "segments": "Segments",
    "fairness": "Treatment of groups",
    "opinions": "Satisfied leavers, dissatisfied stayers",
    "surveys": "Which question foretells leaving",
    "types": "Types of customer",
    "loyalty": "Loyalty",
    "direction": "Direction of inputs",
    "campaigns": "What offers did",
}
"""Heading of every section, in the order of the page."""


def evaluate(workspace: Workspace, as_of: AsOf, inputs: Inputs, *, by: Sequence[str] = ()) -> Evaluated:
    """Judge the champion where it has not seen the outcomes, else a twin; write page and tables; log to MLflow.

    Parameters
    ----------
    by : columns by which treatment is compared, besides [evaluation] by.

    Raises
    ------
    ConfigError
        A column is neither the user's own nor a feature.
    ModelUnfit
        Nothing can be fitted.
    """
    config = workspace.config
    with (
        workspace.held("evaluate"),
        Stages("evaluate", 5, interactive=inputs.interactive) as stages,
        workspace.engine() as engine,
    ):
        with stages.stage("load"):
            loaded = loaded_sources(workspace, engine, inputs, as_of)
        champion = Bundle.load(workspace.champion) if workspace.champion.exists() else None
        names = list(dict.fromkeys([*config.evaluation.by, *by]))
        run_id = _run_id(workspace, as_of, loaded, champion, names)
        with run_context(run_id=run_id, as_of=str(as_of), command="evaluate"):
            with stages.stage("features") as counts:
                loaded.tables.register(engine)
                settings = _settings(loaded, workspace)
                chosen = columns_named(
                    names, loaded.tables, _catalogue(workspace), where="[evaluation] by, --by"
                )
                material = _material(engine, loaded, workspace, as_of, settings)
                counts |= {"rows": len(material.tested.left)}
            with stages.stage("judge"):
                found = _judged(loaded, workspace, material, champion, settings, by=chosen)
            with stages.stage("campaigns"):
                found = _with_campaigns(found, workspace, engine, loaded, inputs=inputs, as_of=as_of)
            with stages.stage("write and log"):
                told = {column: name for name, column in own_columns(loaded.tables).items()}
                groups = [told.get(column, column) for column in chosen]
                return _written(workspace, as_of, inputs, found, groups, champion, run_id, loaded)


def _with_campaigns(
    found: Judgement,
    workspace: Workspace,
    engine: Engine,
    loaded: LoadedSources,
    *,
    inputs: Inputs,
    as_of: AsOf,
) -> Judgement:
    """Return the judgement with what campaigns brought; an extract has no dates and no campaigns."""
    if loaded.tables.has("labelled"):
        none = ("A labelled extract has no dates, so nothing is told of offers.",)
        return replace(found, sentences={**found.sentences, "campaigns": none})
    brought = campaigns(
        workspace,
        engine,
        replace(loaded.tables, kept=workspace.kept_past_pairs),
        inputs,
        as_of,
        tie_weights=learned_weights(workspace),
    )
    return replace(
        found,
        tables={**found.tables, **brought.tables},
        sentences={**found.sentences, "campaigns": brought.sentences},
    )


def _catalogue(workspace: Workspace) -> Catalogue:
    return library(workspace.root / "features").catalogue


def _settings(loaded: LoadedSources, workspace: Workspace) -> FitSettings:
    """Return how the twin is fitted: as in training, without a search for other settings."""
    own = workspace.root / "features"
    return fit_settings(workspace.config, loaded.tables, _catalogue(workspace), own=own)


def _material(
    engine: Engine, loaded: LoadedSources, workspace: Workspace, as_of: AsOf, settings: FitSettings
) -> Material:
    config = workspace.config
    if loaded.tables.has("labelled"):
        (source,) = config.sources.get("labelled", ())[:1] or (SourceSettings(),)
        rows = extract_rows(loaded.tables, true_base_rate=source.true_base_rate, zone=config.time.day_zone)
        entries = _catalogue(workspace)
        _, audited = audit_extract(rows, loaded.tables, config, lambda name: entries[name].source)
        reach_days = config.churn.gap_days + config.churn.horizon_days
        return extract_material(rows, reach_days=reach_days, notes=audited)
    return material_of(
        engine,
        replace(loaded.tables, kept=workspace.kept_past_pairs),
        config,
        as_of,
        settings,
        test_looks=max(config.evaluation.test_snapshots, config.training.test_snapshots),
        own=workspace.root / "features",
        tie_weights=learned_weights(workspace),
    )


def _judged(
    loaded: LoadedSources,
    workspace: Workspace,
    material: Material,
    champion: Bundle | None,
    settings: FitSettings,
    *,
    by: Sequence[str],
) -> Judgement:
    entries = _catalogue(workspace)
    told = {column: name for name, column in own_columns(loaded.tables).items()}
    columns = material.tested.frame.columns
    found = judgement(
        material,
        settings,
        by=[column for column in by if column in columns],
        names=told,
        readings={name: entries[name].reading for name in columns},
        champion=champion,
    )
    absent = [told.get(column, column) for column in by if column not in columns]
    if absent:
        note = f"not compared, as no tested date has it: {', '.join(absent)}"
        found = replace(found, notes=(*found.notes, note))
    return found


def _written(  # noqa: PLR0917 - what a run knows, once
    workspace: Workspace,
    as_of: AsOf,
    inputs: Inputs,
    found: Judgement,
    chosen: Sequence[str],
    champion: Bundle | None,
    run_id: str,
    loaded: LoadedSources,
) -> Evaluated:
    version = champion.model_version if champion is not None else ""
    run = RunDetails(
        run_id=run_id,
        model_version=version,
        software_version=churnrisk.__version__,
        fingerprints={**loaded.fingerprints, "settings": workspace.config.fingerprint()},
    )
    folder = workspace.evaluation(as_of.day)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(evaluation_html(_content(as_of, found, run)), "utf-8")
    for name, table in found.tables.items():
        table.write_csv(folder / "tables" / f"{name}.csv")
        written_parquet(table, folder / "tables" / f"{name}.parquet")
    named = _named(workspace, as_of, found)
    shared = shareable(found, chosen)
    content = _content(as_of, shared, run)
    tracked = Registry(workspace.config.mlflow, workspace.root, inputs.environment).log_evaluation(
        {row[0]: row[1] for row in shared.tables["figures"].iter_rows()},
        tables=shared.tables,
        pictures=dict(_files(evaluation_pictures(content))),
        documents={"index.html": evaluation_html(content)},
        tags={
            "as_of": str(as_of),
            "run_id": run_id,
            "code_version": f"{churnrisk.__version__}+{code_fingerprint()}",
            "judged": found.judged,
            "kind": found.kind,
            "champion": version,
        },
    )
    return Evaluated(as_of.day, found, page, folder / "tables", named, tracked, version)


def _named(workspace: Workspace, as_of: AsOf, found: Judgement) -> Path | None:
    if found.named.is_empty():
        return None
    place = workspace.restricted / "evaluation" / f"as_of={as_of}" / NAMED
    made_folder(place.parent, private_under=workspace.restricted)
    found.named.write_csv(place)
    return kept_private(place, private_under=workspace.restricted)


def _content(as_of: AsOf, found: Judgement, run: RunDetails) -> EvaluationContent:
    return EvaluationContent(
        as_of=as_of.day,
        run=run,
        judged=found.judged,
        kind=found.kind,
        n_rows=found.n_rows,
        n_leavers=found.n_leavers,
        looks=found.looks,
        regime=found.regime,
        titles=HEADS,
        sentences=found.sentences,
        tables=found.tables,
        notes=found.notes,
    )


def _files(pictures: Sequence[Picture]) -> Mapping[str, bytes]:
    return {
        name: content
        for picture in pictures
        for name, content in (
            (f"{picture.name}.png", picture.png()),
            (f"{picture.name}.svg", picture.svg.encode()),
        )
    }


def _run_id(
    workspace: Workspace, as_of: AsOf, loaded: LoadedSources, champion: Bundle | None, names: Sequence[str]
) -> str:
    return run_identity(
        {
            "command": "evaluate",
            "as_of": str(as_of),
            "by": sorted(names),
            "champion": None if champion is None else champion.identity,
            "tie_weights": learned_weights(workspace),
            "inputs": dict(loaded.tables.fingerprints),
            "config": workspace.config.fingerprint(),
            "code": code_fingerprint(),
        }
    )
