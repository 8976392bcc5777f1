"""What the inputs and the risks looked like when a model was trained: a histogram per feature, no row of anybody.

    reference.json   beside bundle.json: limits of the bins, and how many customers fell into each

It decides how values fall into bins, for training and for every later night alike, and refuses to judge a difference.
Models that were saved without the file load as before; there is then nothing to compare with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .encoding import Feature, Floats, Kind
from .files import json_text

REFERENCE_FILE = "reference.json"

N_BINS = 10
"""Quantile bins of a number (science, section 6)."""

MOST_VALUES = 10
"""Numbers with no more distinct values than this have a bin per value: quantiles of three values say little."""

MOST_CATEGORIES = 20
"""Categories with a bin of their own, the most frequent; the others share one. A judgement."""

RISK = "risk"
"""Name of the histogram of risks."""

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Bins:
    """Where the values of one feature fall; the last bin is for those that are missing.

    Numbers: ``cuts`` rise, bin k holds values above cut k-1 and up to cut k. Categories: one bin per text of
    ``values``, then one for all other texts.
    """

    name: str
    kind: Kind
    cuts: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def n_bins(self) -> int:
        """Bins, the one for missing values included."""
        return len(self.cuts if self.kind == "number" else self.values) + 2

    def codes(self, values: pl.Series) -> Codes:
        """Return the bin (0 to n_bins - 1) of each value, in the order given."""
        if values.dtype == pl.Null:
            return np.full(values.len(), self.n_bins - 1, dtype=np.uint8)
        if self.kind == "category":
            return self._of_texts(values.cast(pl.String))
        numbers = numbers_of(values)
        found = np.zeros(numbers.size, dtype=np.uint8)
        for cut in self.cuts:  # a comparison per cut is several times faster than a binary search per value
            found += numbers > cut
        found[np.isnan(numbers)] = self.n_bins - 1
        return found

    def counts(self, values: pl.Series, weight: Floats | None = None) -> Floats:
        """Return how many values, or what weight of them, fall into each bin."""
        return np.bincount(self.codes(values), weights=weight, minlength=self.n_bins).astype(np.float64)

    def _of_texts(self, texts: pl.Series) -> Codes:
        found: Codes = (
            texts.replace_strict(
                [*self.values, None],
                [*range(len(self.values)), self.n_bins - 1],
                default=len(self.values),
                return_dtype=pl.UInt8,
            )
        ).to_numpy()
        return found


def numbers_of(values: pl.Series) -> Floats:
    """Return numbers as float64, null as nan."""
    numbers: Floats = values.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    return numbers


def bins_of(name: str, kind: Kind, values: Iterable[pl.Series]) -> Bins:
    """Return bins that suit ``values`` (several series count as one): by distinct values when few, else by quantiles.

    >>> bins_of("wait_s", "number", [pl.Series([0, 0, 1, 5, None])]).cuts
    (0.5, 3.0)
    """
    together = pl.concat([series.cast(_TYPES[kind], strict=False).alias(name) for series in values])
    known = together.drop_nulls() if kind == "category" else together.fill_nan(None).drop_nulls()
    if kind == "category":
        counted = pl.DataFrame({"text": known}).group_by("text").len(name="n")
        ranked = counted.sort(["n", "text"], descending=[True, False])
        return Bins(name, kind, values=tuple(ranked["text"].head(MOST_CATEGORIES).to_list()))
    if known.n_unique() <= MOST_VALUES:
        distinct = known.unique().sort().to_numpy()
        return Bins(name, kind, cuts=tuple(((distinct[1:] + distinct[:-1]) / 2).tolist()))
    numbers = known.to_numpy()
    limits = np.quantile(numbers, np.arange(1, N_BINS) / N_BINS, method="inverted_cdf")
    cuts = np.unique(limits[limits < numbers.max()])
    return Bins(name, kind, cuts=tuple(cuts.tolist()))


_TYPES: Mapping[Kind, pl.DataType] = {"number": pl.Float64(), "category": pl.String()}


@dataclass(frozen=True)
class Histogram:
    """Bins and how many customers fell into each; whole numbers unless the rows carried weights."""

    bins: Bins
    counts: tuple[float, ...]

    @property
    def n(self) -> float:
        """Customers; with weights the number of independent ones that say as much."""
        return float(sum(self.counts))

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        limits = {"cuts": list(self.bins.cuts)} if self.bins.kind == "number" else {}
        texts = {"values": list(self.bins.values)} if self.bins.kind == "category" else {}
        return {"kind": self.bins.kind, **limits, **texts, "counts": list(self.counts)}

    @classmethod
    def from_dict(cls, name: str, plain: Mapping[str, Any]) -> Histogram:
        """Read what :meth:`as_dict` gave."""
        cuts, values = tuple(plain.get("cuts", ())), tuple(plain.get("values", ()))
        return cls(Bins(name, plain["kind"], cuts, values), tuple(plain["counts"]))


@dataclass(frozen=True)
class Reference:
    """The inputs of one look at all customers, each counted once, and the risks of those whom no fold had seen.

    ``as_of`` is the day of the look, empty for an extract without dates.
    """

    as_of: str
    features: Mapping[str, Histogram] = field(default_factory=dict)
    risk: Histogram | None = None

    def save(self, folder: Path) -> None:
        """Write reference.json into ``folder``; the same reference always gives the same bytes."""
        plain = {
            "as_of": self.as_of,
            "features": {name: histogram.as_dict() for name, histogram in self.features.items()},
            RISK: None if self.risk is None else self.risk.as_dict(),
        }
        (folder / REFERENCE_FILE).write_text(json_text(plain), encoding="utf-8", newline="\n")


def read_reference(folder: Path) -> Reference | None:
    """Return the reference of the model in ``folder``; None when it was saved without one."""
    path = folder / REFERENCE_FILE
    if not path.is_file():
        return None
    plain = json.loads(path.read_text("utf-8"))
    risk = plain[RISK]
    return Reference(
        plain["as_of"],
        {name: Histogram.from_dict(name, each) for name, each in plain["features"].items()},
        None if risk is None else Histogram.from_dict(RISK, risk),
    )


def reference_of(
    features: Sequence[Feature],
    frame: pl.DataFrame,
    *,
    as_of: str = "",
    weight: Floats | None = None,
    risk: pl.Series | None = None,
) -> Reference:
    """Return the reference of a model.

    Parameters
    ----------
    features : what the model reads.
    frame : a feature table with one row per customer; a feature it lacks is missing everywhere.
    as_of : its day, ISO.
    weight : shape (rows,), how much each row stands for; counts then sum to the effective number of rows.
    risk : the model's risks (0 to 1) of customers it had not learned from, one per customer.
    """
    none = pl.repeat(None, frame.height, dtype=pl.Null, eager=True)
    found = {
        each.name: histogram_of(each, frame[each.name] if each.name in frame.columns else none, weight)
        for each in features
    }
    risks = None if risk is None else histogram_of(Feature(RISK, "number"), risk)
    return Reference(as_of, found, risks)


def histogram_of(feature: Feature, values: pl.Series, weight: Floats | None = None) -> Histogram:
    """Return the histogram of one column in bins that suit it."""
    bins = bins_of(feature.name, feature.kind, [values])
    counts = bins.counts(values, weight)
    if weight is not None:
        counts *= float(weight.sum()) / float(weight @ weight)
    return Histogram(bins, tuple(counts.tolist()))
