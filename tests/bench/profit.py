"""Benchmark: expected and maximum profit on the published example, beside empulse, to nine digits.

    python -m tests.bench profit

Eight customers, of whom four leave (Verbraken, Verbeke & Baesens 2013): the figures that the formulae must give, what
churnrisk and empulse give, and how far the farther of the two is from them; 1e-9 is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version

from empulse.metrics import empc_score, mpc_score

from churnrisk import metrics

LEFT = [0, 1, 0, 1, 0, 1, 0, 1]
SCORE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9]
PUBLISHED = {
    "EMPC": 23.875593418348124,
    "share contacted for it": 0.8743700763487141,
    "MPC": 23.874999999999996,
}
ALLOWED = 1e-9

Row = Sequence[object]


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield the one table; there is no larger size."""
    del full
    expected, best = metrics.empc(LEFT, SCORE), metrics.mpc(LEFT, SCORE)
    rows = [
        _row("EMPC", expected.profit, float(empc_score(LEFT, SCORE))),
        _row("share contacted for it", expected.share_contacted, None),
        _row("MPC", best.profit, float(mpc_score(LEFT, SCORE))),
    ]
    head = ("figure", "published", "churnrisk", f"empulse {version('empulse')}", "off by", "to 1e-9")
    yield "Profit on the published example", head, rows


def _row(name: str, mine: float, theirs: float | None) -> Row:
    """Return the line of one figure; ``theirs`` is None where empulse does not tell it."""
    asked = PUBLISHED[name]
    off = max(abs(found - asked) for found in (mine, asked if theirs is None else theirs))
    told = "-" if theirs is None else repr(theirs)
    return name, repr(asked), repr(mine), told, f"{off:.0e}", "yes" if off <= ALLOWED else "NO"
