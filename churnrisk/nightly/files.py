"""The files of a night that people open, staged until it is published: quarantine, lists, report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from features import FeatureSet
from scoring import call_list, with_carried

from ..ledger import crm_consents, still_allowed
from ..night_lists import ListFile, list_files
from ..night_report import Made, night_report
from ..sources import LoadedSources
from ..sources.readiness import Readiness
from ..store import Workspace
from .basis import Basis


class Files:
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


def files_of(basis: Basis, ready: Readiness, features: FeatureSet, made: Made) -> Files:
    """Write the files of a night into the folder of the run, and say where each belongs."""
    workspace, day = basis.workspace, basis.as_of.day
    folder = workspace.run_folder(basis.run_id)
    files = Files(workspace)
    for name, path in sorted(basis.loaded.quarantine.items()):
        files.add(workspace.quarantine(day) / f"{name}.parquet", path)
    for place, staged in made.kept.items():
        files.add(place, staged)
    if basis.extent.makes_lists:
        for file in _lists(basis, made):
            files.add(workspace.lists(day) / file.name, file.staged, file.label)
    if basis.extent.makes_report:
        page = night_report(
            workspace,
            basis.as_of,
            basis.bundle,
            run_id=basis.run_id,
            loaded=basis.loaded,
            ready=ready,
            features=features,
            made=made,
            list_files=[path.name for path in files.staged_places if "lists" in path.parts],
        )
        (folder / "report.html").write_text(page, "utf-8")
        files.add(workspace.report(day), folder / "report.html", "Report")
    files.places["Tables"] = workspace.published
    return files


def _lists(basis: Basis, made: Made) -> Iterator[ListFile]:
    folder, carried = basis.workspace.run_folder(basis.run_id), _carried(basis.loaded)
    to_call = call_list(made.frames["at_risk"], carried, made.left_off)
    yield from list_files("at_risk", "List", to_call, folder, basis.as_of.day)
    yield from _decided(basis, made, to_call, carried, folder)
    if made.promoters is not None:
        to_ask = with_carried(made.promoters, carried, made.promoters.columns)
        yield from list_files("promoters", "Promoters", to_ask, folder, basis.as_of.day)


ASKED = (
    "invitation_id",
    "customer_id",
    "metric",
    "occasion",
    "channel",
    "language",
    "purpose",
    "why",
    "as_of",
)
OFFERED = (
    "customer_id", "offer_id", "channel", "net_value", "low", "high", "spillover_value", "cost", "why", "priority",
    "as_of",
)  # fmt: skip


MONEY = frozenset({"net_value", "low", "high", "spillover_value", "cost"})


def _decided(
    basis: Basis, made: Made, called: pl.DataFrame, carried: pl.DataFrame | None, folder: Path
) -> Iterator[ListFile]:
    """Write who is asked and who gets which offer: rows to act on, consent looked at once more as it is now."""
    if basis.ledger is None:
        return
    for name, words, decision, columns in (
        ("survey_requests", "Survey requests", "ask", ASKED),
        ("offers", "Offers", "offer", OFFERED),
    ):
        table = "offers_ranked" if name == "offers" else name
        if table not in made.frames:
            continue
        order = "priority" if name == "offers" else "position"
        chosen = made.frames[table].filter(pl.col("decision") == decision).sort(order).drop("reason_code")
        if name == "offers":  # the team makes those of its own list
            chosen = chosen.join(
                called.select("customer_id"), on="customer_id", how="anti", maintain_order="left"
            )
        purpose = pl.lit("offer" if name == "offers" else "survey")
        asked = chosen.with_columns(
            _purpose="purpose" if "purpose" in chosen.columns else purpose, purpose=purpose
        )
        crm = crm_consents(basis.loaded.tables, basis.as_of.instant)
        allowed = still_allowed(asked, basis.ledger, datetime.now(UTC).replace(tzinfo=None), crm=crm).allowed
        plain = allowed.with_columns(
            pl.col(sorted(MONEY & set(allowed.columns))).round(2), purpose="_purpose"
        )
        listed = with_carried(plain, carried, columns)
        yield from list_files(name, words, listed, folder, basis.as_of.day)


def _carried(loaded: LoadedSources) -> pl.DataFrame | None:
    if not loaded.tables.has("carry"):
        return None
    keys = pl.read_parquet(loaded.tables.paths["keys"])
    carry = pl.read_parquet(loaded.tables.paths["carry"])
    return carry.join(keys, on="customer_key").drop("customer_key")
