"""Files that people act on: lists as CSV and XLSX that open in a spreadsheet without changing or running anything."""

from .spreadsheets import harmless, written_csv, written_xlsx

__all__ = ["harmless", "written_csv", "written_xlsx"]
