"""Why something cannot be done, each with a sentence for the person who tried."""


class Refusal(ValueError):
    """It cannot be done; the text says why, to people. `field` names what they typed wrongly, or nothing."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class BadName(Refusal):
    """This is no name for a domain, a mailbox or an alias."""


class Taken(Refusal):
    """Something else has this name."""


class TooMany(Refusal):
    """There is room for no more."""


class NotEmpty(Refusal):
    """Something would be lost; the text says what. Saying so again with `confirmed` does it."""


class InUse(Refusal):
    """Something else needs it."""


class Loop(Refusal):
    """Mail would run in a circle."""


class BadPassword(Refusal):
    """Too easily guessed, or too short."""


class BadCredentials(Refusal):
    """With these nothing can be sent."""


class Spent(Refusal):
    """A link that opens nothing any more."""
