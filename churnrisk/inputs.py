"""What comes into a command from outside: frames instead of files, the environment, a terminal. It decides nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Inputs:
    """``frames`` stand in for files (source name -> Polars, Arrow or pandas frame); ``environment`` holds secrets."""

    frames: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    interactive: bool = False
