"""The night's report as one HTML page: decides what a reader is told and in what order; refuses to compute figures."""

from .content import Circle, Evidence, ReportContent, RunDetails, SourceLine, Told, Watching
from .page import report_html

__all__ = [
    "Circle",
    "Evidence",
    "ReportContent",
    "RunDetails",
    "SourceLine",
    "Told",
    "Watching",
    "report_html",
]
