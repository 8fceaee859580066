"""Campaigns as a whole: where each is in its life, who moved it there, and test messages."""
