"""JSON of a bundle: the same values give the same bytes, and floats come back exactly; refuses nan and infinity."""

from __future__ import annotations

import json
from typing import Any


def json_text(plain: Any) -> str:
    """Return sorted, indented JSON with a final newline; Python writes the shortest text that reads back exactly."""
    return json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
