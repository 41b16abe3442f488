"""What the store refuses, in sentences for people."""


class Refusal(ValueError):
    """What was asked for cannot be done as things stand."""


class Wrong(ValueError):
    """What was asked for cannot be at all."""


class Missing(LookupError):
    """There is no such thing."""
