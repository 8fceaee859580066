"""How a request fails without an answer."""


class UnreachableError(Exception):
    """There is no connection, so that nothing was said."""


class UnansweredError(Exception):
    """Something was said, and no answer came that ends."""
