"""One file per change of the tables, in their order."""
