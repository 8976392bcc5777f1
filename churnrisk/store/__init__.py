"""DuckDB and the disk: runs one-select SQL files with parameters, lays out the workspace, publishes atomically."""

from .engine import Engine
from .statements import Column, Statement
from .workspace import Workspace

__all__ = ["Column", "Engine", "Statement", "Workspace"]
