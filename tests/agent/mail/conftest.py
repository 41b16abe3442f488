"""One real host for all modules that look at the whole mail system: to bring one up takes longer than most tests."""

from collections.abc import Iterator

import pytest

from tests.agent.mail.whole_host import WholeHost, whole_host


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeHost]:
    """Each module gives it to owners of its own by `begin`."""
    with whole_host(tmp_path_factory.mktemp("home")) as host:
        yield host
