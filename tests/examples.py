"""What tests with hypothesis' examples share."""

from hypothesis import HealthCheck

# The examples of one test use the same database on purpose, and a busy machine makes examples slowly; a list of its own
# takes the place of the one of the profile in conftest.py, so that this says it again.
ONE_WORLD = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
