"""The one family of errors that users see: what was expected, what was found, where, and what to do.

It knows exit codes and wording, and refuses to know who raises them. No message may hold a person's data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    ``code`` is a stable snake_case name for machines; ``where`` names file, table, column or row; ``expected``
    and ``found`` are short phrases; ``remedy`` says what to do; ``available`` lists what would have been right.
    """

    code: str
    where: str
    expected: str
    found: str
    remedy: str
    available: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Give the fault as one line of prose for a terminal."""
        text = f"{self.where}: expected {self.expected}, found {self.found}. {self.remedy}"
        if self.available:
            text += f" Available: {', '.join(self.available)}."
        return text


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Ask for the known names nearest to ``name``, case aside; nothing where none is so alike (difflib's ratio).

    >>> did_you_mean("Contrakt", ["contract", "plan"]), did_you_mean("x", ["plan"])
    ("Did you mean 'contract'?", '')
    """
    by_case = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.strip().casefold(), list(by_case), n=2, cutoff=cutoff)
    return f"Did you mean {' or '.join(repr(by_case[each]) for each in near)}?" if near else ""


class ChurnriskError(Exception):
    """Base of every error a user can cause or mend; carries all faults found in one go."""

    exit_code: ClassVar[int] = 1

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        if not self.faults:
            msg = "an error needs at least one fault"
            raise ValueError(msg)
        super().__init__(str(self))

    def __str__(self) -> str:
        """Join the faults, one a line."""
        return "\n".join(fault.sentence() for fault in self.faults)

    @property
    def codes(self) -> Sequence[str]:
        """The distinct fault codes, in the order found."""
        return tuple(dict.fromkeys(fault.code for fault in self.faults))

    def as_dict(self) -> dict[str, object]:
        """Give the error as plain values for ``--json``."""
        return {
            "error": type(self).__name__,
            "exit_code": self.exit_code,
            "faults": [asdict(fault) for fault in self.faults],
        }


class UsageError(ChurnriskError):
    """The command was called in a way it does not understand (exit 2)."""

    exit_code = 2


class ConfigError(ChurnriskError):
    """``churnrisk.toml`` is missing, unreadable or says something impossible (exit 10)."""

    exit_code = 10


class ContractError(ChurnriskError):
    """Data break the contract of their table (exit 11)."""

    exit_code = 11


class SourceMissing(ChurnriskError):
    """A source that the command needs is not there, or too old (exit 12)."""

    exit_code = 12


class ModelUnfit(ChurnriskError):
    """There is no model, or it does not fit these data (exit 13)."""

    exit_code = 13


class GateRefused(ChurnriskError):
    """An audit or gate refused to publish or promote (exit 14)."""

    exit_code = 14


class WorkspaceBusy(ChurnriskError):
    """Another run holds the workspace (exit 15)."""

    exit_code = 15


EXIT_CODES: dict[int, str] = {
    0: "ok; warnings go to run_log",
    1: "a bug in churnrisk",
    **{
        error.exit_code: (error.__doc__ or "").split(" (exit")[0]
        for error in (
            UsageError,
            ConfigError,
            ContractError,
            SourceMissing,
            ModelUnfit,
            GateRefused,
            WorkspaceBusy,
        )
    },
}
"""Every exit code of the command line and its meaning; the documentation is made from it."""
