"""Watches a night: what moved, what came true, what tonight's risks promise, and what should be done."""

from .compared import Before, Tonight
from .drift import independent_shift, move_table, paired_shift, psi, psi_by_chance, q_values
from .estimated import promised
from .findings import Finding, findings, refuse
from .matured import ENOUGH_EXPECTED, MOST_WINDOWS, Matured, matured_rows, windows
from .watch import Monitored, Watch, monitored

__all__ = [
    "ENOUGH_EXPECTED",
    "MOST_WINDOWS",
    "Before",
    "Finding",
    "Matured",
    "Monitored",
    "Tonight",
    "Watch",
    "findings",
    "independent_shift",
    "matured_rows",
    "monitored",
    "move_table",
    "paired_shift",
    "promised",
    "psi",
    "psi_by_chance",
    "q_values",
    "refuse",
    "windows",
]
