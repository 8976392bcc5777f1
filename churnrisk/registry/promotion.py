"""What speaks against a promotion, and what is kept of one that was forced; refuses to know MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..errors import Fault

_TAG = "churnrisk."
_REMEDY = "Train again, promote another version, or give --force and --reason."


@dataclass(frozen=True)
class Forced:
    """A promotion against the rules: why, in words, and when, naive UTC."""

    reason: str
    at: datetime

    def tags(self, faults: Sequence[Fault]) -> dict[str, str]:
        """Return what the version carries from now on; ``faults`` spoke against it."""
        return {
            "forced_by_reason": self.reason,
            "forced_at": self.at.isoformat(timespec="seconds") + "Z",
            "forced_against": ", ".join(fault.code for fault in faults) or "nothing",
        }


def promotion_faults(
    name: str, version: str, tags: Mapping[str, str], champion: str | None
) -> tuple[Fault, ...]:
    """Return what speaks against making ``version`` champion.

    Parameters
    ----------
    name : the registered model.
    version : the version to promote.
    tags : its tags.
    champion : the version in use, None without one.

    Notes
    -----
    A former champion, the champion itself and a model that could not be compared pass: nothing is known against them.
    """
    if tags.get(f"{_TAG}was_champion") == "true" or version == champion:
        return ()
    where = f"model {name} version {version}"
    faults: list[Fault] = []
    if tags.get(f"{_TAG}is_fit") == "false":
        faults.append(
            Fault(
                code="model_unfit",
                where=where,
                expected="a model that passed its gates when it was trained",
                found="one that did not; gates.json of its run in MLflow says which",
                remedy="Train again with more or better data, promote another version, or give --force and --reason.",
            )
        )
    compared_with = tags.get(f"{_TAG}compared_with")
    if compared_with is None or champion is None:
        return tuple(faults)
    if compared_with != champion:
        faults.append(
            Fault(
                code="model_compared_with_another",
                where=where,
                expected=f"a comparison with the champion, version {champion}",
                found=f"one with version {compared_with}, champion when it was trained",
                remedy=_REMEDY,
            )
        )
    elif tags.get(f"{_TAG}verdict") == "worse":
        faults.append(
            Fault(
                code="model_worse",
                where=where,
                expected=f"a model that is not worse than the champion, version {champion}, on the same rows",
                found="one that is, beyond chance; comparison.json of its run in MLflow says by how much",
                remedy=_REMEDY,
            )
        )
    return tuple(faults)
