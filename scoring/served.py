"""The model as MLflow serves it: takes a pandas frame of features, gives the risk of each row.

It decides nothing about the risk, which is the bundle's, and is imported by MLflow alone
(``mlflow.pyfunc.load_model("models:/churnrisk@champion")``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Bundle


class ServedModel:
    """A bundle behind MLflow's ``predict``."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> NDArray[np.float64]:
        """Return the calibrated risk (0 to 1) of each row of a pandas frame; columns beyond the features are not read.

        Raises ModelUnfit when a feature is missing or of another type.
        """
        del params
        frame = model_input if isinstance(model_input, pl.DataFrame) else pl.from_pandas(model_input)
        return self.bundle.predict(frame, allow_extra=True)["risk"].to_numpy()


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load the bundle in ``data_path``; MLflow finds this function by its name."""
    return ServedModel(Bundle.load(Path(data_path)))
