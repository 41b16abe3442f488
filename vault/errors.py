"""Why the vault refuses."""


class BadKeys(Exception):
    """The keys that this process was given cannot be used; the text says why and holds nothing of them."""


class NoVaultKey(Exception):
    """This process was not given the private half that it takes; only workers are given any."""


class KeyRetired(Exception):
    """This process would seal to a key that opens nothing any more: it was started before the last rotation ended."""


class Unreadable(Exception):
    """The secret does not open: shredded, its key retired, or not the ciphertext that was made for this row."""


class Taken(Exception):
    """There is a secret with this id already, and it is another one."""
