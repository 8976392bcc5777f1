"""The files of a night that people open, staged until it is published: quarantine, lists, report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from features import FeatureSet
from scoring import call_list, with_carried

from ..confirming import how_asking_goes
from ..ledger import crm_consents, still_allowed
from ..night_lists import ListFile, list_files
from ..night_report import Made, night_report
from ..report import Asking
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
            asking=_asking(basis),
        )
        (folder / "report.html").write_text(page, "utf-8")
        files.add(workspace.report(day), folder / "report.html", "Report")
    files.places["Tables"] = workspace.published
    return files


def _asking(basis: Basis) -> Asking | None:
    if basis.ledger is None:
        return None
    tables = basis.loaded.tables
    return how_asking_goes(
        basis.workspace, basis.engine, tables, basis.ledger, basis.as_of, bundle=basis.bundle
    )


def _lists(basis: Basis, made: Made) -> Iterator[ListFile]:
    folder, carried = basis.workspace.run_folder(basis.run_id), _carried(basis.loaded)
    to_call = call_list(made.frames["at_risk"], carried, made.left_off)
    yield from list_files("at_risk", "List", to_call, folder, basis.as_of.day)
    yield from _decided(basis, made, to_call, carried, folder)
    if made.promoters is not None:
        to_ask = with_carried(made.promoters, carried, made.promoters.columns)
        yield from list_files("promoters", "Promoters", to_ask, folder, basis.as_of.day)


class _Sheet(NamedTuple):
    """One file of rows to act on: its name, what people call it, and which rows of which table it holds."""

    name: str
    words: str
    table: str
    decision: str
    order: str
    columns: tuple[str, ...]


SHEETS = (
    _Sheet(
        "survey_requests", "Survey requests", "survey_requests", "ask", "position",
        ("invitation_id", "customer_id", "metric", "occasion", "channel", "language", "purpose", "why", "as_of"),
    ),
    _Sheet(
        "offers", "Offers", "offers_ranked", "offer", "priority",
        ("treatment_id", "customer_id", "offer_id", "channel", "net_value", "low", "high", "spillover_value", "cost",
         "why", "priority", "as_of"),
    ),
    _Sheet(
        "proactive", "Proactive contacts", "approaches", "approach", "position",
        ("customer_id", "programme", "message", "channel", "purpose", "as_of"),
    ),
)  # fmt: skip
MONEY = ("net_value", "low", "high", "spillover_value", "cost")


def _decided(
    basis: Basis, made: Made, called: pl.DataFrame, carried: pl.DataFrame | None, folder: Path
) -> Iterator[ListFile]:
    """Write who is asked and who gets which offer: rows to act on, consent looked at once more as it is now."""
    if basis.ledger is None:
        return
    for sheet in SHEETS:
        if sheet.table not in made.frames:
            continue
        rows = made.frames[sheet.table].filter(pl.col("decision") == sheet.decision).sort(sheet.order)
        if sheet.name == "offers":  # the team makes those of its own list
            rows = rows.join(
                called.select("customer_id"), on="customer_id", how="anti", maintain_order="left"
            )
        if sheet.name == "proactive":  # promoters have a list of their own
            rows = rows.filter(kind="proactive")
            if rows.is_empty():
                continue
        allowed = _allowed(basis, rows, sheet.name).with_columns(
            pl.selectors.by_name(*MONEY, require_all=False).round(2)
        )
        yield from list_files(
            sheet.name, sheet.words, with_carried(allowed, carried, sheet.columns), folder, basis.as_of.day
        )


def _allowed(basis: Basis, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows that may still go out as consents and suppressions are now."""
    if basis.ledger is None:
        return rows
    named = {"survey_requests": pl.lit("survey"), "offers": pl.lit("offer"), "proactive": pl.col("purpose")}
    # by the row: what is looked at has columns of its own
    looked_at = rows.select("customer_id", "channel", purpose=named[name]).with_row_index("_row")
    transactional = basis.workspace.config.contacts.transactional
    crm = crm_consents(basis.loaded.tables, basis.as_of.instant)
    now = datetime.now(UTC).replace(tzinfo=None)
    kept = still_allowed(looked_at, basis.ledger, now, crm=crm, transactional=transactional).allowed
    return rows[kept["_row"]]


def _carried(loaded: LoadedSources) -> pl.DataFrame | None:
    if not loaded.tables.has("carry"):
        return None
    keys = pl.read_parquet(loaded.tables.paths["keys"])
    carry = pl.read_parquet(loaded.tables.paths["carry"])
    return carry.join(keys, on="customer_key").drop("customer_key")
