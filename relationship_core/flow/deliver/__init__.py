"""Deliver: the outbox in; rendered messages handed to channels, one receipt each, out.

A message is committed as attempting before its channel is called, so that whatever dies in between leaves at
most one message per channel of which nobody knows whether it went out. Such a message is never sent again by
itself: a channel that can look afterwards settles it, otherwise it stays unknown and is listed.
"""
