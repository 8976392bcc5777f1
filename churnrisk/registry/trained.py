"""What the registry asks of a training: the shape of its result, without knowing how models are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import polars as pl


class ModelColumn(Protocol):
    """One column the model reads."""

    @property
    def name(self) -> str:
        """Its name in the feature table."""

    @property
    def kind(self) -> str:
        """``number`` or ``category``."""

    @property
    def group(self) -> str:
        """The group it belongs to."""


class Origin(Protocol):
    """Where a model comes from."""

    @property
    def churn(self) -> Mapping[str, Any]:
        """What leaving means."""

    @property
    def trained_until(self) -> str | None:
        """ISO instant up to which outcomes were seen."""

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """Hash of the content per source."""


class SavedModel(Protocol):
    """A model that can be written to a folder."""

    @property
    def features(self) -> Sequence[ModelColumn]:
        """The columns it reads, in order."""

    @property
    def provenance(self) -> Origin:
        """Where it comes from."""

    @property
    def identity(self) -> str:
        """A hash of everything that makes its predictions."""

    def save(self, folder: Path) -> None:
        """Write it."""


class Judged(Protocol):
    """What a model is worth."""

    @property
    def kind(self) -> str:
        """Out of time or not, in words."""

    @property
    def figures(self) -> Mapping[str, float | None]:
        """Numbers by name; undefined is None."""

    @property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """Tables behind the curves; aggregates only."""

    @property
    def n_rows(self) -> int:
        """Customers judged."""

    @property
    def n_leavers(self) -> int:
        """Leavers among them."""


class Gate(Protocol):
    """One gate with its finding."""

    @property
    def gate(self) -> str:
        """Its name."""

    @property
    def is_passed(self) -> bool:
        """Whether the model passed it."""

    @property
    def needed(self) -> str:
        """What was needed."""

    @property
    def found(self) -> str:
        """What was found."""


class Gained(Protocol):
    """A difference with its 95 % interval; nan where undefined."""

    @property
    def value(self) -> float:
        """The difference."""

    @property
    def low(self) -> float:
        """Lower end."""

    @property
    def high(self) -> float:
        """Upper end."""


class Studied(Protocol):
    """An answer to a question about the data, with its figures."""

    @property
    def verdict(self) -> str:
        """The answer in a word, for a tag."""

    def sentences(self) -> tuple[str, ...]:
        """The answer in sentences."""

    def as_plain(self) -> dict[str, Any]:
        """Every figure, for JSON: an estimate is a list of value, low and high."""


class Lasting(Protocol):
    """How risks fade, beside what really happened."""

    @property
    def checks(self) -> pl.DataFrame:
        """Survival by band and month, expected and realised."""

    @property
    def totals(self) -> pl.DataFrame:
        """Months lived by band, expected and realised."""

    def figures(self) -> dict[str, float | None]:
        """Numbers by name; undefined is None."""


class TriedSettings(Protocol):
    """One trial of a search for settings."""

    @property
    def study(self) -> str:
        """Name of the search."""

    @property
    def number(self) -> int:
        """Its place in the search, from 0."""

    @property
    def state(self) -> str:
        """``complete``, ``pruned`` or ``failed``."""

    @property
    def settings(self) -> Mapping[str, float | int | bool]:
        """What was tried."""

    @property
    def loss(self) -> float | None:
        """Held-out loss; None when it was given up."""

    @property
    def n_trees(self) -> int | None:
        """Trees it was reached with."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def is_default(self) -> bool:
        """Whether it tried the defaults."""


class Look(Protocol):
    """One date that customers were looked at."""

    @property
    def as_of(self) -> str:
        """The day, ISO."""

    @property
    def use(self) -> str:
        """``train``, ``test`` or ``embargo``."""

    @property
    def is_shipped(self) -> bool:
        """Whether the shipped model learned from it."""

    @property
    def n_rows(self) -> int:
        """Customers with an outcome."""

    @property
    def n_leavers(self) -> int:
        """Leavers among them."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Customers by status."""


class Compared(Protocol):
    """How a model does beside the champion."""

    @property
    def champion(self) -> str:
        """The champion's version."""

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``no difference`` or ``not comparable``."""

    @property
    def gains(self) -> Mapping[str, Gained]:
        """New minus champion by figure, more than 0 where the new one is better."""

    def sentences(self) -> tuple[str, ...]:
        """The same in words."""

    def as_plain(self) -> dict[str, Any]:
        """Everything, for JSON."""


class Trained(Protocol):
    """A fitted model and what is known about it. Rows of customers are never asked for."""

    @property
    def bundle(self) -> SavedModel:
        """The model to ship."""

    @property
    def evaluation(self) -> Judged:
        """How it was judged."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """How it was fitted."""

    @property
    def importance(self) -> pl.DataFrame:
        """Importance per feature."""

    @property
    def dropped(self) -> Mapping[str, str]:
        """Features left out, with the reason."""

    @property
    def ablations(self) -> Mapping[str, float | None]:
        """AUC without each group."""

    @property
    def network_gain(self) -> Mapping[str, Gained]:
        """What the network adds to figures on the test rows."""

    @property
    def snapshots(self) -> Sequence[Look]:
        """The dates it looked at; empty for an extract without dates."""

    @property
    def documents(self) -> Mapping[str, str]:
        """Texts to keep with the run, by file name."""

    @property
    def comparison(self) -> Compared | None:
        """How it does beside the champion; None without one."""

    @property
    def contagion(self) -> Studied | None:
        """Whether churn spreads between customers; None when not asked."""

    @property
    def nps_figures(self) -> Mapping[str, tuple[float | None, float | None, float | None]]:
        """Figures of the predicted NPS category with their ends, undefined is None; empty where it was not judged."""

    @property
    def lifetime(self) -> Lasting | None:
        """How long customers stay; None where the data do not say over which time the risk speaks."""

    @property
    def trials(self) -> Sequence[TriedSettings]:
        """Settings that were tried; empty without a search."""

    @property
    def notes(self) -> Sequence[str]:
        """Warnings for the reader."""

    @property
    def gates(self) -> Sequence[Gate]:
        """Every gate with its finding."""

    @property
    def is_fit(self) -> bool:
        """Whether it may become champion."""
