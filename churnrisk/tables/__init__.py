"""Contracts of tables: one declaration gives check, documentation and test data."""
