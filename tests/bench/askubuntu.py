"""Ask Ubuntu, out of time: what the network block adds where people fall silent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import churnrisk

NAME = "sx-askubuntu-a2q.txt.gz"
CONFIG = Path(__file__).parents[1] / "data" / "askubuntu" / "churnrisk.toml"
AS_OF = "2016-03-05"
"""The last whole day of the data."""

Tables = Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]


def data_file() -> Path | None:
    """Return the file of answers, which is too large for the repository; None where it is absent.

    Looked for beside its configuration, in the folder that CHURNRISK_DATA names, and in ``shared/data`` beside the
    repository.
    """
    beside = Path(__file__).parents[3] / "shared" / "data"
    folders = [CONFIG.parent, *map(Path, filter(None, [os.environ.get("CHURNRISK_DATA")])), beside]
    places = [folder / part for folder in folders for part in (NAME, f"askubuntu/{NAME}")]
    return next((path for path in places if path.is_file()), None)


def workspace_in(folder: Path, changes: str = "") -> Path:
    """Copy configuration and data into ``folder`` and return it."""
    data = data_file()
    if data is None:
        msg = f"{NAME} is not here; see churnrisk/docs/real-data.md"
        raise FileNotFoundError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "churnrisk.toml").write_text(CONFIG.read_text("utf-8") + changes, "utf-8")
    shutil.copyfile(data, folder / NAME)
    return folder


def tables(full: bool) -> Tables:
    """Train once and give the figures with and without the network."""
    del full
    if data_file() is None:
        yield "Ask Ubuntu: the file is not here, see churnrisk/docs/real-data.md", ["figure"], []
        return
    with tempfile.TemporaryDirectory() as folder:
        learned = churnrisk.open(workspace_in(Path(folder) / "workspace")).train(AS_OF)
    judged = learned.result.evaluation
    figures = judged.figures
    gain = learned.result.network_gain["auc"]
    rows: list[tuple[object, ...]] = [
        ("AUC with the network block", figures["auc"], figures["auc_low"], figures["auc_high"]),
        ("AUC without it", learned.result.ablations["network"], "", ""),
        ("the network adds, before calibration", gain.value, gain.low, gain.high),
        (
            "log loss better than the constant by",
            *(figures[f"log_loss_margin{end}"] for end in ("", "_low", "_high")),
        ),
        ("observed / expected", *(figures[f"observed_over_expected{end}"] for end in ("", "_low", "_high"))),
    ]
    yield (
        f"Ask Ubuntu, inactive for 180 days, {judged.kind}: {judged.n_rows:,} people, {judged.n_leavers:,} fell silent",
        ["figure", "value", "low", "high"],
        rows,
    )
