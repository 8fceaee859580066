"""The SQLite store: one file, one writer at a time, safe to kill at any moment."""
