"""Turns a feature table into the numbers a learner reads, and refuses a table that is not the one it was taught.

A number stays a number; a text becomes its code, the position among the texts seen in training, or (where texts are
too many for that) the rate of leaving that training found for it. Missing is missing (nan). **A text that training
did not see** says nothing that was learned: nan as a code, the average as a rate. Texts that training saw too seldom
for a place of their own share one, apart from both. Nothing but float64 leaves here, since LightGBM aborts the whole
process on Enum and Categorical columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import Fault, ModelUnfit

Floats = NDArray[np.float64]

KEY_COLUMNS: tuple[str, ...] = ("customer_key", "customer_id")
"""Columns of a feature table that say whose row it is and are never features."""

Kind = Literal["number", "category"]

ROWS_AT_ONCE = 20_000
"""Rows laid out, and handed to a learner, in one piece, so that memory stays flat."""


@dataclass(frozen=True)
class Feature:
    """One column the model reads; ``categories`` in the order of their codes, empty for numbers."""

    name: str
    kind: Kind
    group: str = ""
    categories: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    """Digests of texts that share the code after the last category: too seldom to be named."""
    rates: tuple[float, ...] = ()
    """Read instead of codes: log-odds of leaving per category, then of the rare, then of new texts."""

    @property
    def is_coded(self) -> bool:
        """Whether the learner reads codes, whose order means nothing."""
        return self.kind == "category" and not self.rates

    @property
    def n_codes(self) -> int:
        """Codes that training gave: one per category, and one for the rare where there are any."""
        return len(self.categories) + bool(self.rare)

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        plain: dict[str, Any] = {"name": self.name, "kind": self.kind, "group": self.group}
        if self.kind == "category":
            plain["categories"] = list(self.categories)
        return plain | {name: list(getattr(self, name)) for name in ("rare", "rates") if getattr(self, name)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Feature:
        """Read what :meth:`as_dict` gave."""
        texts = (tuple(plain.get(name, ())) for name in ("categories", "rare", "rates"))
        return cls(plain["name"], plain["kind"], plain["group"], *texts)


def digest_of(text: str) -> str:
    """Return what stands for a rare text: 48 bits of its hash."""
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def kind_of(dtype: pl.DataType) -> Kind | None:
    """Return what a column of ``dtype`` can be to a learner; None when nothing (dates, lists ...)."""
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):
        return "number"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "category"
    return None


def table_faults(
    frame: pl.DataFrame, features: Sequence[Feature], ignored: Sequence[str], *, allow_extra: bool
) -> list[Fault]:
    """Return what makes ``frame`` another table than the one learned: columns missing, extra, of another type."""
    known = {feature.name for feature in features}
    missing = [feature.name for feature in features if feature.name not in frame.columns]
    extra = [name for name in frame.columns if name not in {*known, *ignored, *KEY_COLUMNS}]
    faults = [
        _fault("feature_missing", missing, "every feature the model was taught", "is missing"),
        _fault(
            "feature_extra", [] if allow_extra else extra, "no feature that the model does not know", "is new"
        ),
    ]
    for feature in features:
        dtype = frame.schema.get(feature.name)
        if dtype is not None and dtype != pl.Null and kind_of(dtype) != feature.kind:
            faults.append(_fault("feature_retyped", [feature.name], f"a {feature.kind}", f"is {dtype}"))
    return [fault for fault in faults if fault is not None]


def matrix(frame: pl.DataFrame, features: Sequence[Feature]) -> Floats:
    """Return ``frame`` as float64 of shape (rows, features), row order kept; raise ModelUnfit on infinite numbers.

    Numbers are turned from columns to rows all together, ``ROWS_AT_ONCE`` rows at a time (column by column takes two
    to three times as long), and a table of several pieces is not put together first.
    """
    numbers = frame.select(
        pl.col(feature.name).cast(pl.Float64)
        if feature.kind == "number"
        else pl.repeat(np.nan, pl.len(), dtype=pl.Float64).alias(feature.name)
        for feature in features
    )
    if not features:
        return np.empty((frame.height, 0))
    if frame.height <= ROWS_AT_ONCE:
        encoded: Floats = numbers.to_numpy(order="c", writable=True)
    else:
        encoded = np.empty((frame.height, len(features)), dtype=np.float64)
        for start in range(0, frame.height, ROWS_AT_ONCE):
            encoded[start : start + ROWS_AT_ONCE] = numbers.slice(start, ROWS_AT_ONCE).to_numpy(order="c")
    for position, feature in enumerate(features):
        if feature.kind == "category":
            encoded[:, position] = _category(frame[feature.name], feature)
    _refuse_infinite(encoded, features)
    return encoded


def _refuse_infinite(encoded: Floats, features: Sequence[Feature]) -> None:
    is_infinite = np.zeros(len(features), dtype=bool)
    for start in range(0, len(encoded), ROWS_AT_ONCE):
        found = np.isinf(encoded[start : start + ROWS_AT_ONCE])
        if found.any():
            is_infinite |= found.any(axis=0)
    names = [feature.name for feature, found in zip(features, is_infinite, strict=True) if found]
    fault = _fault("feature_infinite", names, "finite numbers or null", "is infinite in some rows")
    if fault is not None:
        raise ModelUnfit(fault)


def _category(series: pl.Series, feature: Feature) -> Floats:
    if series.dtype == pl.Null:
        return np.full(series.len(), np.nan)
    found = codes(series, feature)
    if feature.rates:
        known = ~np.isnan(found)
        found[known] = np.asarray(feature.rates)[found[known].astype(np.intp)]
    else:
        found[found >= feature.n_codes] = np.nan
    return found


def codes(series: pl.Series, feature: Feature) -> Floats:
    """Return the code of each text: of its category, then one for the rare, then one for new texts; nan for none."""
    texts = pl.DataFrame({"text": series.cast(pl.String)})
    named = pl.DataFrame(
        {"text": list(feature.categories), "code": np.arange(len(feature.categories), dtype=np.float64)},
        schema={"text": pl.String, "code": pl.Float64},
    )
    others = texts["text"].unique().drop_nulls()
    if others.len() and (feature.rare or feature.rates):
        others = others.filter(~others.is_in(named["text"].implode()))
        rare = frozenset(feature.rare)
        seldom = [float(feature.n_codes - (digest_of(text) in rare)) for text in others.to_list()]
        named = pl.concat(
            [named, pl.DataFrame({"text": others, "code": seldom}, schema_overrides={"code": pl.Float64})]
        )
    found = texts.join(named, on="text", how="left", maintain_order="left")["code"]
    return found.fill_null(np.nan).to_numpy(writable=True)


def _fault(code: str, names: Sequence[str], expected: str, verb: str) -> Fault | None:
    if not names:
        return None
    return Fault(
        code=code,
        where="features " + ", ".join(names) if len(names) > 1 else f"feature {names[0]}",
        expected=expected,
        found=f"{len(names)} column(s) where this {verb}" if len(names) > 1 else f"one that {verb}",
        remedy="Bring the sources back to what they were when the model was trained, or run `churnrisk train`: a "
        "column moved into `[lists] carry`, `exclude` or `constant`, or out of them, needs a new training.",
    )
