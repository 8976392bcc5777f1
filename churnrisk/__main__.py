"""``python -m churnrisk`` is the command line."""

from .cli import main

main()
