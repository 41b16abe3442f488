"""A mail server that files what it is given, and a page that shows it: everybody's mailbox on this machine."""

from sandbox.mail.office import Office

__all__ = ["Office"]
