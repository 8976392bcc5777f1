"""How a ledger comes from one version of its tables to the next; run at opening, from Python."""
