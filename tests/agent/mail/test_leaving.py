"""What forwarded mail loses is all that the sending service refuses, and nothing of what a reader needs."""

from agent.mailat_agent.mail import leaving
from sandbox.internet import ses_rules


def test_each_field_that_may_stand_only_once_is_seen_to() -> None:
    seen_to = {name.lower() for name in (*leaving.GONE, *leaving.ONCE)}

    assert seen_to >= ses_rules.ONCE - {"auto-submitted"}  # which Dovecot lets no script touch


def test_only_signatures_traces_and_orders_to_the_service_are_taken_away_altogether() -> None:
    readers = {"from", "to", "cc", "subject", "date", "message-id", "list-unsubscribe", "content-type"}

    assert not readers & {name.lower() for name in leaving.GONE}
