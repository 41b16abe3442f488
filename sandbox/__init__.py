"""The outside world on one machine: stand-ins that speak the protocols of the services Mailat works with."""
