"""Tasks: work for people, from the message that becomes one to what came of it."""
