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
    """Return ``frame`` as float64 of shape (rows, features), row order kept; raise ModelUnfit on infinite numbers."""
    encoded = np.empty((frame.height, len(features)), dtype=np.float64)
    infinite: list[str] = []
    for position, feature in enumerate(features):
        encoded[:, position] = _column(frame[feature.name], feature)
        if bool(np.isinf(encoded[:, position]).any()):
            infinite.append(feature.name)
    fault = _fault("feature_infinite", infinite, "finite numbers or null", "is infinite in some rows")
    if fault is not None:
        raise ModelUnfit(fault)
    return encoded


def _column(series: pl.Series, feature: Feature) -> Floats:
    if series.dtype == pl.Null:
        return np.full(series.len(), np.nan)
    if feature.kind == "number":
        numbers: Floats = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return numbers
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
        remedy="Bring the sources back to what they were when the model was trained, or run `churnrisk train`.",
    )
