"""What every table of ``churnrisk.toml`` has in common: nothing is guessed, nothing changes once read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

CONFIG_NAME = "churnrisk.toml"


class Settings(BaseModel):
    """One table of ``churnrisk.toml``; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
