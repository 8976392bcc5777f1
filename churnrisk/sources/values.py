"""Reads values as they stand in a source into text, numbers, flags and UTC instants, a column of a batch at a time.

It decides which spellings are understood, and refuses to guess a zone or an order of day and month. Every reading
returns what could be read and a mask of what could not; nothing is ever replaced by a default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import polars as pl

from ..config import SourceSettings, TimeSettings
from ..dates import ONE_MICROSECOND, local_midnight, zone_named
from ..tables.columns import MOST_WHOLE

TRUE_WORDS = ("true", "t", "yes", "y", "1", "on", "да", "是", "ja", "oui", "si", "sí", "sim")
FALSE_WORDS = ("false", "f", "no", "n", "0", "off", "нет", "否", "nein", "non", "não")
"""Spellings of yes and no that are understood, upper and lower case alike."""

NAIVE_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
ZONED_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
)
DAY_FORMATS = ("%Y-%m-%d", "%Y%m%d")
"""ISO 8601 as it is met in extracts."""

GROUPED = r"^[+-]?\d{1,3}([ '\u{2019}\u{a0}\u{202f}GROUP]\d{3})+(DECIMAL\d+)?$"
"""A number with its thousands set apart."""

EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
MOST_SECONDS = 1e11
"""Beyond it a number of seconds is no time of this millennium, and would overflow microseconds."""


@dataclass(frozen=True)
class Fault:
    """A mask of the values of one column that broke a rule of reading."""

    code: str
    mask: pl.Series


@dataclass(frozen=True)
class Read:
    """Values read, with what was wrong; ``ends`` are instants at which a value that has only a date ends."""

    values: pl.Series
    faults: tuple[Fault, ...] = ()
    ends: pl.Series | None = None
    needs_zone: bool = False


@dataclass(frozen=True)
class Spelling:
    """How one source writes its values."""

    settings: SourceSettings
    time: TimeSettings
    missing_everywhere: frozenset[str] = field(default=frozenset({""}))

    @property
    def zone(self) -> str | None:
        """The zone of local times, None when it is not declared."""
        return self.settings.zone or self.time.zone

    @property
    def day_zone(self) -> str:
        """The zone in which a date alone begins and ends."""
        return self.zone or self.time.day_zone

    @cached_property
    def origin(self) -> datetime | None:
        """The instant from which numbers of seconds count, naive UTC."""
        given = self.settings.time_origin
        if given is None or given.tzinfo is None:
            if given is not None and self.zone is not None:
                return given.replace(tzinfo=zone_named(self.zone)).astimezone(UTC).replace(tzinfo=None)
            return given
        return given.astimezone(UTC).replace(tzinfo=None)

    def missing(self, *names: str) -> frozenset[str]:
        """Return the values that mean unknown in a column known under ``names``; empty text always does."""
        declared = self.settings.missing
        if isinstance(declared, dict):
            found = [item for name in names for item in declared.get(name, ())]
        else:
            found = list(declared)
        return frozenset(item.strip() for item in found) | {""}


def stripped(raw: pl.Series, missing: frozenset[str]) -> pl.Series:
    """Return the values without blanks around them, with those that mean unknown as null; numbers stay numbers."""
    if raw.dtype == pl.Null:
        return raw.cast(pl.String)
    if raw.dtype in {pl.Categorical, pl.Enum} or isinstance(raw.dtype, pl.Enum):
        raw = raw.cast(pl.String)
    if raw.dtype.is_decimal():
        raw = raw.cast(pl.Float64)
    if raw.dtype.is_float():
        raw = raw.fill_nan(None)
    plain = raw.str.strip_chars() if raw.dtype == pl.String else raw
    compared = plain if plain.dtype == pl.String else (as_text(plain) if missing - {""} else None)
    if compared is None:
        return plain
    is_missing = compared == "" if missing == {""} else compared.is_in(list(missing))
    return plain.set(is_missing.fill_null(value=False), None) if is_missing.any() else plain


def as_text(values: pl.Series) -> pl.Series:
    """Write values as text: whole numbers without a decimal point, times in ISO 8601."""
    if values.dtype == pl.String:
        return values
    if values.dtype.is_float():
        whole = (values == values.floor()) & (values.abs() < MOST_WHOLE)
        as_whole = values.set((~whole).fill_null(value=False), None).cast(pl.Int64).cast(pl.String)
        return as_whole.fill_null(values.cast(pl.String)) if not whole.all() else as_whole
    if values.dtype == pl.Binary:
        return values.cast(pl.String, strict=False)
    return values.cast(pl.String)


def read_id(values: pl.Series, digits: int | None, prefix: str = "") -> Read:
    """Read ids as text: 00123 stays; a whole float loses its point; ``digits`` pads those written as numbers."""
    faults: tuple[Fault, ...] = ()
    if values.dtype.is_float():
        bad = ((values != values.floor()) | (values.abs() >= MOST_WHOLE)).fill_null(value=False)
        faults = (Fault("id_unreadable", bad),)
        values = values.set(bad, None)
    text = as_text(values)
    if digits is not None:
        numeric = text.str.contains(r"^\d+$").fill_null(value=False)
        text = text.str.zfill(digits).zip_with(numeric, text)
    return Read(prefix + text if prefix else text, faults)


def read_number(values: pl.Series, decimal: str) -> Read:
    """Read decimal numbers; spaces and the other sign may set thousands apart."""
    if values.dtype.is_numeric():
        return Read(values.cast(pl.Float64))
    if values.dtype == pl.Boolean:
        return Read(values.cast(pl.Float64))
    text = as_text(values)
    plain = text.str.replace_all(",", ".", literal=True) if decimal == "," else text
    numbers = plain.cast(pl.Float64, strict=False)
    if decimal == ",":
        numbers = numbers.set((text.str.contains(".", literal=True)).fill_null(value=False), None)
    left = _left(text, numbers)
    if left.any():
        group, mark = (r"\.", ",") if decimal == "," else (",", r"\.")
        grouped = GROUPED.replace("GROUP", group).replace("DECIMAL", mark)
        rest = text.filter(left)
        fits = rest.str.contains(grouped).fill_null(value=False)
        cleaned = rest.str.replace_all(r"[ '\u{2019}\u{a0}\u{202f}" + group + "]", "")
        cleaned = cleaned.str.replace(",", ".", literal=True) if decimal == "," else cleaned
        found = cleaned.cast(pl.Float64, strict=False).set(~fits, None)
        numbers = numbers.scatter(left.arg_true(), found)
    finite = numbers.is_finite().fill_null(value=True)
    numbers = numbers.set(~finite, None)
    return Read(numbers, (Fault("number_unreadable", _left(text, numbers)),))


def read_whole(values: pl.Series, decimal: str) -> Read:
    """Read whole numbers; 3.0 is whole, 3.5 is not."""
    if values.dtype.is_integer():
        return Read(values.cast(pl.Int64))
    if values.dtype == pl.String:
        quick = values.cast(pl.Int64, strict=False)
        if quick.null_count() == values.null_count():
            return Read(quick)
    numbers = read_number(values, decimal)
    off = ((numbers.values != numbers.values.floor()) | (numbers.values.abs() >= MOST_WHOLE)).fill_null(
        value=False
    )
    return Read(numbers.values.set(off, None).cast(pl.Int64), (*numbers.faults, Fault("not_whole", off)))


def read_flag(values: pl.Series) -> Read:
    """Read yes and no."""
    if values.dtype == pl.Boolean:
        return Read(values)
    text = as_text(values).str.to_lowercase()
    flags = text.replace_strict(
        [*TRUE_WORDS, *FALSE_WORDS],
        [True] * len(TRUE_WORDS) + [False] * len(FALSE_WORDS),
        default=None,
        return_dtype=pl.Boolean,
    )
    return Read(flags, (Fault("boolean_unreadable", _left(text, flags)),))


def _left(text: pl.Series, found: pl.Series) -> pl.Series:
    return text.is_not_null() & found.is_null()


def read_instant(values: pl.Series, spelling: Spelling, *, is_day: bool = False) -> Read:
    """Read dates and times into naive UTC instants.

    A time with an offset becomes UTC; one without is meant in the declared zone; a date alone begins at local
    midnight and ends a microsecond before the next one. A local time that occurs twice is the earlier of the two; one
    that the clocks skipped is a fault. ``is_day`` keeps the local day only.
    """
    found = _found_times(values, spelling)
    if is_day:
        found = _as_days(found, spelling.day_zone)
    instants, skipped = _in_utc(found.local, spelling.zone or "UTC")
    starts, ends = _day_bounds(found.days, spelling.day_zone)
    instants = instants.fill_null(found.utc).fill_null(starts)
    unread = (found.present & instants.is_null()) & ~skipped
    return Read(
        instants,
        (Fault("date_unreadable", unread), Fault("time_nonexistent", skipped)),
        ends.fill_null(instants),
        needs_zone=spelling.zone is None and found.local.null_count() < len(values),
    )


@dataclass(frozen=True)
class _Times:
    """What values said: a local time, a time in UTC, or a day; at most one of them per row."""

    local: pl.Series
    utc: pl.Series
    days: pl.Series
    present: pl.Series


def _found_times(values: pl.Series, spelling: Spelling) -> _Times:
    size = len(values)
    local, days = _nulls(pl.Datetime("us"), size), _nulls(pl.Date(), size)
    utc = local
    present = values.is_not_null()
    settings = spelling.settings
    if isinstance(values.dtype, pl.Datetime):
        if values.dtype.time_zone is not None:
            utc = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
        else:
            local = values.cast(pl.Datetime("us"))
    elif values.dtype == pl.Date:
        days = values
    elif settings.time_origin is not None or settings.date_format in EPOCHS:
        utc = _counted(values, settings, spelling.origin)
    elif values.dtype.is_numeric() and settings.date_format is None:
        pass
    elif settings.date_format is not None:
        local, utc, days = _parsed(as_text(values), (settings.date_format,))
    else:
        local, utc, days = _iso(as_text(values))
    return _Times(local, utc, days, present)


def _nulls(dtype: pl.DataType, size: int) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, size)


def _counted(values: pl.Series, settings: SourceSettings, origin: datetime | None) -> pl.Series:
    scale = EPOCHS.get(settings.date_format or "epoch_s", 1_000_000)
    if values.dtype == pl.String:
        whole = values.cast(pl.Int64, strict=False)
        values = whole if whole.null_count() == values.null_count() else values.cast(pl.Float64, strict=False)
    if values.dtype.is_float():
        values = values.set((~values.is_finite()).fill_null(value=False), None)
    far = (values.abs() > MOST_SECONDS * (1_000_000 / scale)).fill_null(value=False)
    ticks = values.set(far, None) * scale
    if ticks.dtype.is_float():
        ticks = ticks.round()
    start = origin if origin is not None else datetime(1970, 1, 1)
    return ticks.cast(pl.Int64).cast(pl.Duration("us")) + pl.Series([start], dtype=pl.Datetime("us"))


Parts = tuple[pl.Series, pl.Series, pl.Series]


def _iso(text: pl.Series) -> Parts:
    if text.null_count() == len(text):
        return _parsed(text, ())
    first = text.drop_nulls()[0]
    formats = (*NAIVE_FORMATS, *ZONED_FORMATS, *DAY_FORMATS)
    if text.str.ends_with("Z").any():
        text = text.str.replace(r"Z$", "+00:00")
        first = first.replace("Z", "+00:00")
    probe = pl.Series([first])
    ordered = sorted(formats, key=lambda form: _to_datetime(probe, form).null_count())
    return _parsed(text, ordered)


def _parsed(text: pl.Series, formats: Sequence[str]) -> Parts:
    size = len(text)
    local, days = _nulls(pl.Datetime("us"), size), _nulls(pl.Date(), size)
    utc = local
    for position, form in enumerate(formats):
        left = text.is_not_null() & local.is_null() & utc.is_null() & days.is_null()
        if not left.any():
            break
        found = _to_datetime(text if position == 0 else text.filter(left), form)
        if "z" in form:
            utc = _merged(utc, left, found.dt.replace_time_zone(None), whole=position == 0)
        elif _has_time(form):
            local = _merged(local, left, found, whole=position == 0)
        else:
            days = _merged(days, left, found.cast(pl.Date), whole=position == 0)
    return local, utc, days


def _merged(into: pl.Series, left: pl.Series, found: pl.Series, *, whole: bool) -> pl.Series:
    return found if whole else into.clone().scatter(left.arg_true(), found)


def _to_datetime(text: pl.Series, form: str) -> pl.Series:
    if _has_time(form):
        return text.str.to_datetime(form, strict=False, time_unit="us")
    return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))


def _has_time(form: str) -> bool:
    return any(mark in form for mark in ("%H", "%I", "%T", "%R", "%X", "%s", "%c", "%k", "%l", "%+"))


def _as_days(found: _Times, zone: str) -> _Times:
    from_utc = found.utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
    days = found.days.fill_null(found.local.dt.date()).fill_null(from_utc)
    nothing = _nulls(pl.Datetime("us"), len(days))
    return _Times(nothing, nothing, days, found.present)


def _in_utc(local: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    if zone == "UTC" or local.null_count() == len(local):
        return local, pl.Series([False]).new_from_index(0, len(local))
    shifted = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    instants = shifted.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return instants, local.is_not_null() & instants.is_null()


def _day_bounds(days: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    distinct: list[date] = days.drop_nulls().unique().to_list()
    starts = [_begin(day, zone) for day in distinct]
    ends = [_end(day, zone) for day in distinct]
    kind = pl.Datetime("us")
    if not distinct:
        nothing = _nulls(kind, len(days))
        return nothing, nothing
    return (
        days.replace_strict(distinct, starts, default=None, return_dtype=kind),
        days.replace_strict(distinct, ends, default=None, return_dtype=kind),
    )


def _begin(day: date, zone: str) -> datetime:
    return local_midnight(max(date(2, 1, 1), min(day, date(9999, 12, 30))), zone_named(zone))


def _end(day: date, zone: str) -> datetime:
    return (
        _begin(max(date(2, 1, 1), min(day, date(9999, 12, 29))) + timedelta(days=1), zone) - ONE_MICROSECOND
    )


def end_of_day(day: date, zone: str) -> datetime:
    """Return the last microsecond of a local day, naive UTC."""
    return _end(day, zone)
