"""What is known as of a date: the user's sources, and the ledger's surveys and treatments merged into them by id, with
what customers said on the use of their answers.

It decides where the two meet, and refuses to know what either holds. Nothing that the ledger learned at or after the
as-of instant takes part, so a date read again later is read alike, whatever was recorded since.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from .at_once import following
from .dates import AsOf
from .inputs import Inputs
from .ledger import Ledger, merged
from .ledger.taking import AnswerRules, Taken, adopt_answers
from .sources import LoadedSources, load
from .store import Engine, Workspace

ROW_GROUP = 122_880

KEPT_VERSIONS = 3
"""Versions of a merged table that stay on disk. A guess; an older one is made again when asked for."""


def loaded_sources(
    workspace: Workspace, engine: Engine, inputs: Inputs, as_of: AsOf, *, adopted_at: datetime | None = None
) -> LoadedSources:
    """Load the sources, and merge what the ledger knew as of the date into their surveys and treatments.

    With ``adopted_at`` (the clock, naive UTC) answers in the source of surveys that belong to invitations of the ledger
    are written there first: a night that decides needs those to confirmation surveys, which are no features.

    Raises
    ------
    ContractError
        As `churnrisk.sources.load`; ConfigError as `Ledger.open`.
    """
    loaded = load(workspace, engine, environment=inputs.environment, frames=inputs.frames)
    if adopted_at is not None:
        adopt(workspace, loaded, inputs.environment, adopted_at)
    return with_ledger(workspace, loaded, inputs.environment, as_of)


def adopt(
    workspace: Workspace, loaded: LoadedSources, environment: Mapping[str, str], now: datetime
) -> Taken:
    """Write answers that the source of surveys alone brings to the ledger's invitations into the ledger."""
    paths = loaded.tables.paths
    if not {"keys", "surveys"} <= set(paths) or not Ledger.is_there(workspace):
        return Taken(0, 0)
    with Ledger.open(workspace, environment) as ledger, ledger.writing() as db:
        return adopt_answers(
            db,
            pl.scan_parquet(paths["surveys"]),
            _known_keys(paths["keys"]),
            AnswerRules.of(workspace.config),
            now=now,
            following=following(workspace),
        )


def _known_keys(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path).filter(pl.col("customer_id").is_not_null())


def with_ledger(
    workspace: Workspace, loaded: LoadedSources, environment: Mapping[str, str], as_of: AsOf
) -> LoadedSources:
    """Return the sources with the ledger's rows in them; as they are where the ledger has none, or is not there.

    The fingerprint of a table that the ledger alone fills is called ``ledger_surveys`` or ``ledger_treatments``.
    """
    paths = dict(loaded.tables.paths)
    if "keys" not in paths or not Ledger.is_there(workspace):
        return loaded
    keys = _known_keys(paths["keys"])
    with Ledger.open(workspace, environment) as ledger, ledger.reading() as db:
        ours = {
            "surveys": merged.survey_rows(db, keys, as_of.instant),
            "treatments": merged.treatment_rows(db, keys, as_of.instant),
        }
        withheld = merged.withheld_invitations(db, as_of.instant)
        customers = pl.scan_parquet(paths["customers"]) if "customers" in paths else None
        said = (
            None
            if customers is None
            else merged.words_on_answers(db, customers, keys, as_of.instant, ledger.zone)
        )
    fingerprints = dict(loaded.tables.fingerprints)
    for name, rows in ours.items():
        source = pl.scan_parquet(paths[name]) if name in paths else None
        out = _inside(source, withheld) if name == "surveys" else withheld.clear()
        if rows.is_empty() and out.is_empty():
            continue
        fingerprint = _fingerprint(fingerprints.get(name, ""), rows, out)
        table = (
            merged.merged_surveys(source, rows, out)
            if name == "surveys"
            else merged.merged_treatments(source, rows)
        )
        paths[name] = _written(workspace.lake / "merged" / name, fingerprint, table)
        # a model trained with it must not miss a source of that name in the nights after
        fingerprints[name if source is not None else f"ledger_{name}"] = fingerprint
    if customers is not None and said is not None and not said.is_empty():
        fingerprint = _fingerprint(fingerprints.get("customers", ""), said)
        table = merged.merged_customers(customers, said)
        paths["customers"] = _written(workspace.lake / "merged" / "customers", fingerprint, table)
        fingerprints["customers"] = fingerprint
    return replace(loaded, tables=replace(loaded.tables, paths=paths, fingerprints=fingerprints))


def _inside(source: pl.LazyFrame | None, withheld: pl.DataFrame) -> pl.DataFrame:
    """Return which invitations withheld stand in the source: others change nothing, and no fingerprint either."""
    if source is None or withheld.is_empty():
        return withheld.clear()
    return (
        source.select("invitation_id")
        .unique()
        .join(withheld.lazy(), on="invitation_id", how="semi")
        .sort("invitation_id")
        .collect()
    )


def _fingerprint(source: str, *frames: pl.DataFrame) -> str:
    digest = hashlib.sha256(source.encode())
    for frame in frames:
        digest.update(frame.write_csv().encode())
    return digest.hexdigest()


def _written(folder: Path, fingerprint: str, table: pl.LazyFrame) -> Path:
    """Write a merged table once per fingerprint, keep the newest few, and return its file."""
    place = folder / fingerprint[:32]
    path = place / "part-0.parquet"
    if not path.is_file():
        place.mkdir(parents=True, exist_ok=True)
        half = place / f"half.{os.getpid()}"
        table.collect().write_parquet(half, compression="zstd", row_group_size=ROW_GROUP)
        half.replace(path)
    place.touch()
    versions = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime_ns, reverse=True)
    for old in versions[KEPT_VERSIONS:]:
        shutil.rmtree(old, ignore_errors=True)
    return path
