"""The registry of models, MLflow's only home: logs trainings, names versions, copies the champion for the night."""

from .local import CHALLENGER, CHAMPION, local_champion, local_versions
from .promotion import Forced
from .registry import Registry
from .trained import Trained
from .version import KEY_FIGURES, ModelVersion

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "KEY_FIGURES",
    "Forced",
    "ModelVersion",
    "Registry",
    "Trained",
    "local_champion",
    "local_versions",
]
