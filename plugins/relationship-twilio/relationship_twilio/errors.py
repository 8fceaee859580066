"""How a request fails without an answer."""


class UnreachableError(Exception):
    """There is no connection, so that nothing was said."""


class UnansweredError(Exception):
    """Something was said, and no answer came that ends."""


class RefusedError(Exception):
    """Twilio answered that it does not do it.

    Attributes:
        status: the status of HTTP.
        code: Twilio's code of the error; None where it gave none.
    """

    def __init__(self, status: int | None, code: int | None) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
