"""Reports as HTML pages: decides what a reader is told and in what order; refuses to compute figures."""

from .content import (
    Asking,
    Circle,
    Decided,
    Evidence,
    Handed,
    ReportContent,
    RunDetails,
    Silence,
    SourceLine,
    Told,
    Watching,
)
from .evaluation_page import EvaluationContent, evaluation_html, evaluation_pictures
from .page import report_html
from .trust import has_rows

__all__ = [
    "Asking",
    "Circle",
    "Decided",
    "EvaluationContent",
    "Evidence",
    "Handed",
    "ReportContent",
    "RunDetails",
    "Silence",
    "SourceLine",
    "Told",
    "Watching",
    "evaluation_html",
    "evaluation_pictures",
    "has_rows",
    "report_html",
]
