"""churnrisk: churn risk from what customers say, what they do and whom they know.

>>> import churnrisk
>>> callable(churnrisk.open)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from features.ties import tie_graph
    from scoring.served import for_model

    from .api import ChurnWorkspace
    from .api import open_workspace as open  # noqa: A004

__all__ = ["ChurnWorkspace", "for_model", "open", "tie_graph"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the front door only when somebody comes in: ``import churnrisk`` alone stays cheap."""
    if name == "open":
        from .api import open_workspace

        return open_workspace
    if name == "ChurnWorkspace":
        from .api import ChurnWorkspace

        return ChurnWorkspace
    if name == "tie_graph":
        from features.ties import tie_graph

        return tie_graph
    if name == "for_model":
        from scoring.served import for_model

        return for_model
    msg = f"module 'churnrisk' has no attribute {name!r}"
    raise AttributeError(msg)
