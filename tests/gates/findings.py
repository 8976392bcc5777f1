"""How a gate says what it found: file, line, fault, remedy; knows nothing of what is being checked."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One fault, told so that it can be mended without opening the gate's source."""

    file: str
    line: int | None
    found: str
    remedy: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.found}; {self.remedy}"


def report(gate: str, findings: Sequence[Finding], checked: str) -> int:
    """Exit code of a gate, having printed its findings, or in one line what it looked at."""
    for finding in sorted(findings, key=lambda f: (f.file, f.line or 0, f.found)):
        print(finding)
    print(f"{gate}: {checked}, {len(findings)} {'fault' if len(findings) == 1 else 'faults'}")
    return 1 if findings else 0
