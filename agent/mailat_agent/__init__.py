"""The program on a mail server: it reports to the control plane and obeys signed orders (PROTOCOL.md)."""

__version__ = "1.0.0"
