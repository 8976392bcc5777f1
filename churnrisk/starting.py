"""What a workspace begins with: commented settings, a simulated telco, a demonstration of everything.

It decides what is written where nothing is yet, and never overwrites a ``churnrisk.toml``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from .api import open_workspace
from .config import CONFIG_NAME
from .errors import Fault, UsageError

if TYPE_CHECKING:
    from .nightly import Night


def new_workspace(directory: Path) -> Path:
    """Write a commented ``churnrisk.toml`` into ``directory`` and return its path; never overwrites one."""
    path = directory / CONFIG_NAME
    if path.exists():
        raise UsageError(
            Fault(
                code="workspace_exists",
                where=str(path),
                expected="a folder without churnrisk.toml",
                found="one",
                remedy="Edit it, or choose another folder.",
            )
        )
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text((files(__package__) / "template.toml").read_text("utf-8"), "utf-8")
    return path


def simulated(
    directory: Path,
    *,
    customers: int,
    days: int,
    seed: int,
    contagion: float,
    homophily: float,
    file_format: str,
    has_programme: bool = False,
) -> dict[str, int]:
    """Write a simulated telco into ``directory/data`` and a fitting ``churnrisk.toml`` beside; return rows per table.

    A ``churnrisk.toml`` that is there already is left as it is. ``has_programme``: a retention team makes offers every
    week, and leaves some alone to measure by.
    """
    from .simulate import Programme, WorldSettings, simulate, workspace_config

    settings = WorldSettings(
        customers=customers, days=days, seed=seed, contagion=contagion, homophily=homophily,
        programme=Programme() if has_programme else None,
    )  # fmt: skip
    if file_format == "csv":
        settings = replace(settings, file_format={"calls": "csv"})
    elif file_format != "parquet":
        raise UsageError(
            Fault(
                "format_unknown",
                "--format",
                "csv or parquet",
                repr(file_format),
                "Choose one.",
                ("csv", "parquet"),
            )
        )
    world = simulate(directory / "data", settings)
    config = directory / CONFIG_NAME
    if not config.exists():
        config.write_text(workspace_config(settings), "utf-8")
    return dict(world.rows)


def demonstration(
    directory: Path, *, customers: int, seed: int, interactive: bool, tell: Callable[[str], None]
) -> Night:
    """Simulate a telco in ``directory``, check it, train on it and run one night; return that night."""
    from .simulate import WorldSettings

    tell(f"Simulating {customers:,} customers in {directory} ...")
    plain = WorldSettings(customers=customers, seed=seed)
    simulated(
        directory,
        customers=customers,
        days=plain.days,
        seed=seed,
        contagion=plain.contagion,
        homophily=plain.homophily,
        file_format="parquet",
    )
    workspace = open_workspace(directory, interactive=interactive)
    tell(workspace.check(as_of=plain.end_on).text())
    learned = workspace.train(as_of=plain.end_on)
    tell(learned.text())
    if not learned.became_champion and learned.is_fit:
        # another world may lie here from before: its champion knows nothing of this one
        workspace.promote(learned.version.version, force_reason="the demo was made anew")
    return workspace.nightly(as_of=plain.end_on)
