"""Businesses replayed through relationship_core: the command ``relate demo``."""
