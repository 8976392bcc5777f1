"""How a number is written in one language, by its unit: 13 months, 42 %, 1 204,50; it knows no sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Value = float | int | str | bool | None

_UNIT_KINDS: tuple[tuple[str, str], ...] = (
    ("1 yes, 0 no", "flag"),
    ("flag", "flag"),
    ("days", "days"),
    ("seconds", "seconds"),
    ("share", "share"),
    ("ratio", "share"),
    ("the customer's currency", "money"),
)
"""How the unit of the catalogue begins, and how its numbers are written; everything else is a plain number."""

DAYS_IN_MONTH = 30.44
_MONTHS_FROM_DAYS, _YEARS_FROM_DAYS = 90, 730
_MINUTES_FROM_S, _HOURS_FROM_S = 120, 7200
_PERCENT_IN_TENTHS_BELOW = 0.095
_POINTS_IN_TENTHS_FROM = 0.095


def kind_of_unit(unit: str) -> str:
    """Return flag, days, seconds, share, money or number for a unit as the catalogue writes it."""
    return next((kind for start, kind in _UNIT_KINDS if unit.startswith(start)), "number")


def _one_other(number: float) -> int:
    return 0 if number == 1 else 1


def _east_slavic(number: float) -> int:
    if number != int(number):
        return 1
    tens, ones = int(number) % 100, int(number) % 10
    if ones == 1 and tens != 11:  # noqa: PLR2004 - the grammar of Russian
        return 0
    return 1 if ones in {2, 3, 4} and tens not in {12, 13, 14} else 2


PLURALS: Mapping[str, Callable[[float], int]] = {
    "one-other": _one_other,
    "east-slavic": _east_slavic,
    "none": lambda _: 0,
}
"""Rules that pick the form of a word for a number (Unicode CLDR: en; ru, uk, be; zh, ja, vi)."""


@dataclass(frozen=True)
class NumberStyle:
    """Signs, words and plural forms of one language."""

    plural: str
    decimal: str
    group: str
    percent_form: str
    yes: str
    no: str
    units: Mapping[str, Sequence[str]]

    def written(self, value: float | str | bool, unit: str) -> str:
        """Return ``value`` as it stands in a sentence; text stays as it is."""
        if isinstance(value, str):
            return value
        kind = kind_of_unit(unit)
        if kind == "flag":
            return self.yes if value else self.no
        writers = {
            "days": self.days,
            "seconds": self.seconds,
            "share": self.percent,
            "money": self.money,
            "number": self.number,
        }
        return writers[kind](float(value))

    def signed(self, value: float | str | bool, unit: str) -> str:
        """Return ``value`` with its sign, + included."""
        text = self.written(value, unit)
        return f"+{text}" if not isinstance(value, str) and value > 0 else text

    def number(self, number: float) -> str:
        """Return a number with three significant digits at least, whole ones whole."""
        if number == int(number) or abs(number) >= 100:  # noqa: PLR2004 - three digits before the sign already
            return self._localised(f"{number:,.0f}")
        return self._localised(f"{number:.3g}")

    def money(self, amount: float) -> str:
        """Return an amount with two decimals; its currency is the customer's."""
        return self._localised(f"{amount:,.2f}")

    def tenths(self, number: float) -> str:
        """Return a number with one decimal."""
        return self._localised(f"{number:,.1f}")

    def percent(self, share: float) -> str:
        """Return a share of 1 in percent, small ones with a decimal."""
        places = 1 if 0 < abs(share) < _PERCENT_IN_TENTHS_BELOW else 0
        return self.percent_form.replace("{n}", self._localised(f"{100 * share:,.{places}f}"))

    def points(self, points: float) -> str:
        """Return percentage points with their sign: one decimal, two where one would leave nothing of them."""
        places = 1 if abs(points) >= _POINTS_IN_TENTHS_FROM else 2
        text = self._localised(f"{points:,.{places}f}")
        return f"+{text}" if points > 0 and round(points, places) > 0 else text

    def days(self, days: float) -> str:
        """Return a length of time in days, months or years."""
        if abs(days) < _MONTHS_FROM_DAYS:
            return self._quantity("days", round(days))
        if abs(days) < _YEARS_FROM_DAYS:
            return self._quantity("months", round(days / DAYS_IN_MONTH))
        return self._quantity("years", round(days / (12 * DAYS_IN_MONTH), 1))

    def seconds(self, seconds: float) -> str:
        """Return a length of time in seconds, minutes or hours."""
        if abs(seconds) < _MINUTES_FROM_S:
            return self._quantity("seconds", round(seconds))
        if abs(seconds) < _HOURS_FROM_S:
            return self._quantity("minutes", round(seconds / 60))
        return self._quantity("hours", round(seconds / 3600, 1))

    def _quantity(self, unit: str, number: float) -> str:
        forms = self.units[unit]
        form = forms[min(PLURALS[self.plural](number), len(forms) - 1)]
        return form.replace("{n}", self.number(number))

    def _localised(self, text: str) -> str:
        text = text.removeprefix("-") if float(text.replace(",", "")) == 0 else text
        return "".join({",": self.group, ".": self.decimal}.get(sign, sign) for sign in text)
