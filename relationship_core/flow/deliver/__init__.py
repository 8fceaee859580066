"""Deliver: the outbox in; rendered messages handed to channels, one receipt each, out.

The messages of a call are committed as attempting before the channel is called, so that whatever dies in between leaves
at most the messages of one call of which nobody knows whether they went out. Such a message is never simply sent
again: a channel that can look afterwards settles it, a provider that knows its id gets it again, otherwise it stays
unknown.
"""
