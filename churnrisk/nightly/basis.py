"""What a night works on, read once and handed from stage to stage."""

from __future__ import annotations

from dataclasses import dataclass

from ..bundle import Bundle
from ..dates import AsOf
from ..ledger import Ledger
from ..messages import Sentences
from ..night_monitor import Past
from ..sources import LoadedSources
from ..store import Engine, Workspace
from .extent import Extent


@dataclass(frozen=True)
class Basis:
    """Where, as of when and how far; the loaded sources, the champion, earlier nights, and the name all give the run.

    ``sentences`` are in the language of the lists. ``challenger`` is the model watched beside the champion, None where
    there is none; ``challenger_note`` says why one that is wanted cannot be read. ``ledger`` is None where there is
    none and nothing is decided.
    """

    workspace: Workspace
    engine: Engine
    as_of: AsOf
    extent: Extent
    loaded: LoadedSources
    bundle: Bundle
    past: Past
    run_id: str
    sentences: Sentences
    challenger: Bundle | None = None
    challenger_note: str = ""
    ledger: Ledger | None = None
