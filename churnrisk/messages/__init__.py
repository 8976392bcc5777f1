"""Sentences for staff, in their language: a feature and the customer's own number become plain words."""

from ..config import LANGUAGES
from .numbers import NumberStyle, kind_of_unit
from .sentences import Sentences

__all__ = ["LANGUAGES", "NumberStyle", "Sentences", "kind_of_unit"]
