"""A year of real purchases, replayed through relationship_core: the command ``relate demo``."""
