"""Every failure of an outside service is one of three kinds, so that a program knows what to do about it."""


class ClientError(Exception):
    """Base of the three; `code` is the vendor's own word for it."""

    def __init__(self, says: str, *, code: str = "") -> None:
        super().__init__(says)
        self.code = code


class TryLater(ClientError):
    """Nothing is wrong with what was asked; ask again after `retry_after` seconds."""

    def __init__(self, says: str, *, code: str = "", retry_after: float = 10.0) -> None:
        super().__init__(says, code=code)
        self.retry_after = retry_after


class Refused(ClientError):
    """Asking again will not help: a person or another way is needed."""


class Gone(ClientError):
    """What was asked for does not exist, or exists no longer."""
