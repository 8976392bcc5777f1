"""The model as MLflow serves it: takes a pandas frame of features, gives risk and interval of each row.

It decides nothing about the risk, which is the bundle's, and is imported by MLflow
(``mlflow.pyfunc.load_model("models:/churnrisk@champion")``) and for :func:`for_model`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from churnrisk.bundle import Bundle
from churnrisk.errors import Fault, ModelUnfit


class ServedModel:
    """A bundle behind MLflow's ``predict``."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return a pandas frame with risk, risk_low and risk_high (0 to 1) of each row of a pandas or Polars frame.

        Columns beyond the features are not read; the rows keep the index of the frame given. Raises ModelUnfit when a
        feature is missing or of another type.
        """
        del params
        frame = model_input if isinstance(model_input, pl.DataFrame) else pl.from_pandas(model_input)
        found = self.bundle.predict(frame, allow_extra=True).to_pandas()
        if not isinstance(model_input, pl.DataFrame):
            found.index = model_input.index
        return found


def for_model(frame: Any, model: Any) -> Any:
    """Return the columns that a model loaded through MLflow reads, in its order and types, as a pandas frame.

    MLflow compares a frame with the signature before the model sees it, and refuses whole numbers of 64 bits where
    numbers are declared. They are declared so because a count is a whole number until one is missing. Score thus::

        model = mlflow.pyfunc.load_model("models:/churnrisk@champion")
        risk = model.predict(churnrisk.for_model(workspace.features(), model))

    Parameters
    ----------
    frame : Polars, Arrow or pandas frame
        Features, e.g. of ``workspace.features()``; further columns are left out. The published table ``features`` does
        only for a model without network inputs: what others did is not published (decision 11).
        Keep them beside: rows stay in their order.
    model : the loaded model
        What ``mlflow.pyfunc.load_model`` returned.

    Raises
    ------
    ModelUnfit
        A column is missing, or is text where a number is declared; the message names all of them.
    """
    given: pl.DataFrame = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)
    declared = {column.name: str(column.type) for column in model.metadata.get_input_schema().inputs}
    missing = [name for name in declared if name not in given.columns]
    faults = [_missing(missing, sorted(set(given.columns) - set(declared)))] if missing else []
    faults += [
        Fault(
            "feature_retyped",
            f"column {name}",
            "numbers",
            f"{given.schema[name]}",
            "Convert it, or train again if it has become text.",
        )
        for name, kind in declared.items()
        if name in given.columns and "string" not in kind and not _is_number(given.schema[name])
    ]
    if faults:
        raise ModelUnfit(faults)
    kinds = {name: pl.String if "string" in kind else pl.Float64 for name, kind in declared.items()}
    return given.select(pl.col(name).cast(kind) for name, kind in kinds.items()).to_pandas()


def _missing(names: list[str], unused: list[str]) -> Fault:
    return Fault(
        "feature_missing",
        f"column {names[0]}" if len(names) == 1 else f"columns {', '.join(names)}",
        "every column of the model's signature",
        f"{len(names)} missing",
        "Build the features with the sources the model was trained with, by workspace.features(): the published table "
        "features leaves out what others did.",
        tuple(unused[:10]),
    )


def _is_number(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in {pl.Boolean, pl.Null}


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load the bundle in ``data_path``; MLflow finds this function by its name."""
    return ServedModel(Bundle.load(Path(data_path)))
