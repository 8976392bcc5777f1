"""One registered version, as the list of models shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

KEY_FIGURES = (
    "auc",
    "pr_auc",
    "top_decile_lift",
    "log_loss",
    "brier",
    "ece",
    "empc",
    "empc_treat_all",
    "empc_over_treat_all",
)
"""The figures by which versions are compared, in order."""


@dataclass(frozen=True)
class ModelVersion:
    """One registered version: its figures (undefined ones left out), whether it is fit and in use, how it compared.

    ``verdict`` is how it did beside the version ``compared_with`` when it was trained; both are empty for the first.
    """

    version: str
    as_of: str
    created_at: datetime
    tracking_run_id: str
    figures: Mapping[str, float]
    judged: str
    is_fit: bool
    is_champion: bool
    is_challenger: bool = False
    verdict: str = ""
    compared_with: str = ""

    @property
    def key_figures(self) -> dict[str, float]:
        """The figures by which versions are compared."""
        return {name: self.figures[name] for name in KEY_FIGURES if name in self.figures}
