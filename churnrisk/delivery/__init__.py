"""What leaves the house: lists as CSV and XLSX that run nothing when opened, and signed messages to other systems."""

from .signatures import Secrets, Unverified
from .spreadsheets import harmless, written_csv, written_xlsx
from .webhooks import Sender, Tried, sender

__all__ = ["Secrets", "Sender", "Tried", "Unverified", "harmless", "sender", "written_csv", "written_xlsx"]
