"""Figures as a reader meets them: percent, counts, money, dates; undefined is said in words, never as 0."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime

from ..metrics import VERBRAKEN, Interval

UNKNOWN = "not known"
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
SPACE = "\N{NO-BREAK SPACE}"
JOINER = "\N{WORD JOINER}"

LARGE_AMOUNT = 1000
"""Amounts from here on are given without decimals."""

FIGURE_WORDS: Mapping[str, tuple[str, str, str]] = {
    "auc": (
        "AUC",
        "plain3",
        "How often a leaver had a higher risk than a stayer: 0.5 is chance, 1 is always.",
    ),
    "top_decile_lift": (
        "Lift in the top tenth",
        "times",
        "Leavers among the riskiest tenth, as a multiple of the same number of customers taken at random.",
    ),
    "pr_auc": (
        "PR-AUC",
        "plain3",
        "Precision averaged over all lengths of list; chance is the share of leavers in the test.",
    ),
    "observed_over_expected": (
        "Leavers observed over expected",
        "plain2",
        "1 means as many left as predicted; above 1, the risks are too low.",
    ),
    "calibration_slope": (
        "Calibration slope",
        "plain2",
        "1 is right; below 1, high risks are too high and low ones too low.",
    ),
    "ece": (
        "Calibration error",
        "points",
        (
            "Mean distance between predicted and realised rate over 15 groups of equal size. Chance alone makes some: "
            "the interval takes that off, so the figure may lie above it."
        ),
    ),
    "log_loss": ("Log loss", "plain4", "Penalty for confident mistakes; lower is better."),
    "log_loss_margin": (
        "Log loss gained",
        "plain4",
        "How much better than giving everyone the same risk; above 0 the model knows something.",
    ),
    "brier": ("Brier score", "plain4", "Mean squared error of the risk; lower is better."),
    "empc": (
        "Expected profit (EMPC)",
        "money",
        (
            "Per customer of the base, averaged over how many leavers may accept an offer, the best share contacted "
            "for each; at the costs of the literature."
        ),
    ),
}
"""Evaluation figures in the order shown: name, how to write it, what it says."""

CURVE_AND_EMPC = (
    f"The curve supposes that {VERBRAKEN.acceptance:.0%} of leavers accept the offer. The expected profit (EMPC) "
    "averages over acceptances around that, with the best share for each, and is never below the curve's best."
).replace("%", f"{SPACE}%")
"""Why the two figures of profit differ; said under the curve."""


def is_known(value: float | None) -> bool:
    """Say whether there is a value."""
    return value is not None and not math.isnan(value)


def percent(share: float | None) -> str:
    """Return a share in percent with about two digits, its sign kept on the same line.

    >>> [percent(share).replace(SPACE, " ") for share in (0.0834, 0.34, 0.0004, 0.9999, None)]
    ['8.3 %', '34 %', '0.04 %', '99.9 %', 'not known']
    """
    if share is None or math.isnan(share):
        return UNKNOWN
    value = 100 * share
    if 99 < value < 100:  # noqa: PLR2004 - rounding may not turn nearly all into all
        return f"{math.floor(value * 10) / 10:.1f}{SPACE}%"
    size = abs(value)
    digits = 0 if size >= 10 or size == 0 else 1 if size >= 1 else 2  # noqa: PLR2004
    return f"{value:.{digits}f}{SPACE}%".replace("-", MINUS)


def percent_range(low: float, high: float) -> str:
    """Return an interval of shares, never broken over two lines.

    >>> percent_range(0.002, 0.44).replace(SPACE, " ").split(DASH + JOINER)
    ['0.20', '44 %']
    """
    return f"{percent(low).removesuffix(f'{SPACE}%')}{DASH}{JOINER}{percent(high)}"


def count(number: float | None) -> str:
    """Return a whole number with separators."""
    return UNKNOWN if number is None or math.isnan(number) else f"{number:,.0f}".replace("-", MINUS)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1, "customer"), counted(1200, "customer"), counted(0, "person", "people")
    ('1 customer', '1,200 customers', '0 people')
    """
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def money(amount: float | None, currency: str = "") -> str:
    """Return an amount with its currency when that is known."""
    if amount is None or math.isnan(amount):
        return UNKNOWN
    digits = 0 if abs(amount) >= LARGE_AMOUNT else 2
    return f"{amount:,.{digits}f}{SPACE + currency if currency else ''}".replace("-", MINUS)


def day(value: date | datetime | None) -> str:
    """Return a day as ISO text."""
    return UNKNOWN if value is None else value.isoformat()[:10]


def span(first: date | datetime | None, last: date | datetime | None) -> str:
    """Return a period."""
    if first is None and last is None:
        return UNKNOWN
    return day(last) if first == last or first is None else f"{day(first)} to {day(last)}"


def figure(value: float, style: str, currency: str = "") -> str:
    """Return an evaluation figure in the ``style`` its entry in :data:`FIGURE_WORDS` names."""
    if math.isnan(value):
        return UNKNOWN
    if style == "money":
        return money(value, currency)
    if style == "points":
        return f"{100 * value:.2f}{SPACE}points".replace("-", MINUS)
    if style == "times":
        return f"{value:.1f}{SPACE}times"
    return f"{value:.{int(style.removeprefix('plain'))}f}".replace("-", MINUS)


def has_interval(given: Interval) -> bool:
    """Say whether an interval was made: bounds that are undefined, or both the value itself, say nothing."""
    return is_known(given.low) and is_known(given.high) and not given.low == given.value == given.high


_HYPHEN_AS_MINUS = re.compile(r"(?<![0-9A-Za-z\u00c0-\u024f\u0370-\u052f_.,/\-])-(?=\d)")


def signed(sentence: str) -> str:
    """Return a sentence with a true minus before its negative numbers; dates, ranges and names keep their hyphens.

    >>> signed("-1.5: from 2026-06-30, 0-6, sms-5") == f"{MINUS}1.5: from 2026-06-30, 0-6, sms-5"
    True
    """
    return _HYPHEN_AS_MINUS.sub(MINUS, sentence)


def capitalised(sentence: str) -> str:
    """Return a sentence with its first letter upper case."""
    return sentence[:1].upper() + sentence[1:]


def interval(given: Interval, style: str, currency: str = "") -> str:
    """Return the 95 % interval of a figure, a dash where there is none."""
    if not has_interval(given):
        return DASH
    return f"{figure(given.low, style, currency)} to {figure(given.high, style, currency)}"


def listing(parts: list[str]) -> str:
    """Return parts as a sentence would list them.

    >>> listing(["calls"]), listing(["calls", "usage"]), listing(["a", "b", "c"])
    ('calls', 'calls and usage', 'a, b and c')
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
