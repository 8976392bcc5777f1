"""Features: what the model sees of each customer, as of one date.

It decides what is computed from the validated tables and refuses to know labels, models and lists.
"""

from .attributes import TypedAttributes, typed_attributes
from .build import FeatureSet, build, tie_rules, ties_at
from .catalogue import Catalogue, catalogue, catalogue_markdown
from .entry import Feature
from .functions import Context, feature_function
from .library import library
from .network import NETWORK_COLUMNS, Ties
from .silence import TiesUnknownWarning, calls_missing

__all__ = [
    "NETWORK_COLUMNS",
    "Catalogue",
    "Context",
    "Feature",
    "FeatureSet",
    "Ties",
    "TiesUnknownWarning",
    "TypedAttributes",
    "build",
    "calls_missing",
    "catalogue",
    "catalogue_markdown",
    "feature_function",
    "library",
    "tie_rules",
    "ties_at",
    "typed_attributes",
]
