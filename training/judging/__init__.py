"""Judges a model from every side on rows it did not learn from: tables, figures with intervals, sentences."""

from .judgement import Judgement, judgement, shareable
from .material import Material, extract_material, material_of

__all__ = ["Judgement", "Material", "extract_material", "judgement", "material_of", "shareable"]
