"""The registry of models, MLflow's only home: logs trainings, names versions, copies the champion for the night."""

from .local import CHAMPION, local_champion, local_versions
from .registry import KEY_FIGURES, ModelVersion, Registry
from .trained import Trained

__all__ = [
    "CHAMPION",
    "KEY_FIGURES",
    "ModelVersion",
    "Registry",
    "Trained",
    "local_champion",
    "local_versions",
]
