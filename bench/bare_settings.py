"""The product's settings with one address more."""

from mailat.settings import *  # noqa: F403

ROOT_URLCONF = "bench.bare"
