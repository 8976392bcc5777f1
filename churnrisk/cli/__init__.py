"""The command line: one command per function of the API; it decides wording and exit codes and computes nothing.

Heavy libraries load inside the command that needs them, so ``churnrisk --help`` is quick.
"""

from .commands import app
from .running import main, run

__all__ = ["app", "main", "run"]
