"""The stand-in and its keys are those of its own tests."""

from tests.sandbox.aws.conftest import endpoint, key, place

__all__ = ["endpoint", "key", "place"]
