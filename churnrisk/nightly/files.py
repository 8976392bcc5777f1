"""The files of a night that people open, staged until it is published: quarantine, lists, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from features import FeatureSet

from ..confirming import how_asking_goes
from ..night_lists import list_files
from ..night_report import Made, Written, night_report
from ..report import Asking, Handed
from ..sources.readiness import Readiness
from ..store import Workspace
from .basis import Basis
from .lists import NightList, night_lists, offer_names


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
    lists = tuple(night_lists(basis, made)) if basis.extent.makes_lists else ()
    handed = {each.name: _handed(basis, each, files) for each in lists}
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
            lists=Written(handed, _withdrawn(lists), offer_names(basis.loaded)),
            asking=_asking(basis),
        )
        (folder / "report.html").write_text(page, "utf-8")
        files.add(workspace.report(day), folder / "report.html", "Report")
    files.places["Tables"] = workspace.published
    return files


def _withdrawn(lists: Sequence[NightList]) -> pl.DataFrame | None:
    return next((each.withdrawn for each in lists if each.name == "at_risk"), None)


def _handed(basis: Basis, made: NightList, files: Files) -> Handed:
    """Write one list, and say what a reader must know of it."""
    day, folder = basis.as_of.day, basis.workspace.run_folder(basis.run_id)
    written = list(list_files(made.name, made.words, made.frame, folder, day))
    for file in written:
        files.add(basis.workspace.lists(day) / file.name, file.staged, file.label)
    return Handed(
        made.frame.height,
        tuple(file.name for file in written),
        _counts(made, "channel"),
        _counts(made, "programme"),
        n_stopped=made.withdrawn.height,
        n_long_tenured=_counts(made, "is_long_tenured").get(True, 0),
    )


def _counts(made: NightList, column: str) -> dict[Any, int]:
    """Return rows by what stands in a column of ours, the most first; none where the list has no such column."""
    if column not in made.own:
        return {}
    found = made.frame[column].drop_nulls().value_counts(name="n")
    return dict(found.sort("n", column, descending=[True, False]).iter_rows())


def _asking(basis: Basis) -> Asking | None:
    if basis.ledger is None:
        return None
    tables = basis.loaded.tables
    return how_asking_goes(
        basis.workspace, basis.engine, tables, basis.ledger, basis.as_of, bundle=basis.bundle
    )
