"""Decides whether requirements.lock can be trusted: all pinned and hashed, no address, nothing declared left out.

It asks no index, so it does not know whether newer versions exist.
"""

import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.gates.findings import Finding, report

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"[a-z+]+://|\s@\s|^\s*-(?!-hash=)|--(index|extra|find|trusted)", re.IGNORECASE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def lock_entries(text: str) -> list[tuple[int, str]]:
    """Logical lines of a requirements file with the number of their first physical line; comments are no entries."""
    entries: list[tuple[int, str]] = []
    pending = ""
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first or number
        pending += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        if pending.strip() and not pending.lstrip().startswith("#"):
            entries.append((first, pending.strip()))
        pending, first = "", 0
    return entries


def declared(pyproject: str) -> list[Requirement]:
    """Everything that pyproject.toml asks for by name: to run, to develop, to build."""
    project = tomllib.loads(pyproject)
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for group in project.get("dependency-groups", {}).values():
        asked += [item for item in group if isinstance(item, str)]
    return [Requirement(item) for item in asked]


def lock_findings(lock: str, pyproject: str, name: str = "requirements.lock") -> list[Finding]:
    findings = []
    locked: dict[str, list[Version]] = defaultdict(list)
    for line, entry in lock_entries(lock):
        if ADDRESS.search(entry):
            findings.append(
                Finding(name, line, "address or option", "lock names, versions and hashes only: make lock")
            )
            continue
        bare = HASH.sub("", entry).strip()
        try:
            requirement = Requirement(bare)
        except InvalidRequirement:
            findings.append(Finding(name, line, f"not a requirement: {bare[:60]}", "make lock"))
            continue
        pins = [pin for pin in requirement.specifier if pin.operator == "=="]
        if not pins or "*" in pins[0].version:
            findings.append(Finding(name, line, f"{requirement.name} is not pinned with ==", "make lock"))
            continue
        locked[canonicalize_name(requirement.name)].append(Version(pins[0].version))
        if not HASH.search(entry):
            findings.append(Finding(name, line, f"{requirement.name} has no sha256 hash", "make lock"))
    for requirement in declared(pyproject):
        versions = locked.get(canonicalize_name(requirement.name), [])
        outside = [v for v in versions if not requirement.specifier.contains(v, prereleases=True)]
        if not versions:
            findings.append(
                Finding(name, None, f"{requirement.name} is declared but not locked", "make lock")
            )
        elif outside:
            found = ", ".join(map(str, outside))
            findings.append(
                Finding(
                    name, None, f"{requirement} is declared, {found} locked", "make lock, or widen the range"
                )
            )
    return findings


def main() -> int:
    lock, pyproject = (
        (ROOT / file).read_text(encoding="utf-8") for file in ("requirements.lock", "pyproject.toml")
    )
    return report("lock", lock_findings(lock, pyproject), f"{len(lock_entries(lock))} versions")


if __name__ == "__main__":
    sys.exit(main())
