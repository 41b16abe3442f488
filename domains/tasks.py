"""What the clock asks of this room."""

from celery import shared_task

from domains import actions


@shared_task(name="domains.purge", ignore_result=True)
def purge() -> None:
    """Mailboxes removed a week ago leave and their mail is ordered to be deleted; so do old invitations
    and test letters."""
    actions.purge_mailboxes()
    actions.order_erasures()
    actions.look_for_late_erasures()
    actions.forget_erasures()
    actions.forget_invitations()
    actions.forget_letters()
