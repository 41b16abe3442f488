"""Windows into the dashboard."""

import pytest
from django.test import Client

from accounts.models import User


@pytest.fixture
def as_alice(alice: User) -> Client:
    """Alice's browser; she is signed in and lives in Berlin."""
    client = Client()
    client.force_login(alice)
    client.cookies["zone"] = "Europe%2FBerlin"
    return client
