"""Report: reads all of it and never writes."""
