"""What may be done about domains, mailboxes and the way out; each change, its event and the knock on its server together.

Each raises a `domains.refusals.Refusal` with a sentence for people where it cannot be done.
"""

from domains.actions.alias import add_alias, change_alias, remove_alias
from domains.actions.domain import add_domain, remove_domain, set_catch_all, set_mta_sts, what_is_lost
from domains.actions.erasure import (
    bring_back,
    confirm_erased,
    forget_erasures,
    look_for_late_erasures,
    order_erasures,
    purge_mailboxes,
)
from domains.actions.home import forget_home
from domains.actions.invitation import forget_invitations, invite, open_invitation, set_password
from domains.actions.letter import ask_letter, forget_letters, note_letters
from domains.actions.limits import Most
from domains.actions.mailbox import (
    add_mailbox,
    change_mailbox,
    release_mailbox,
    remove_mailbox,
    restore_mailbox,
    resume_mailbox,
    slow_mailbox,
    suspend_mailbox,
    unslow_mailbox,
)
from domains.actions.person import add_app_password, revoke_app_password, set_forward, set_vacation
from domains.actions.records import hand_over_records
from domains.actions.way_out import remove_way_out, set_sender, set_way_out

__all__ = [
    "Most",
    "add_alias",
    "add_app_password",
    "add_domain",
    "add_mailbox",
    "ask_letter",
    "bring_back",
    "change_alias",
    "change_mailbox",
    "confirm_erased",
    "forget_erasures",
    "forget_home",
    "forget_invitations",
    "forget_letters",
    "hand_over_records",
    "invite",
    "look_for_late_erasures",
    "note_letters",
    "open_invitation",
    "order_erasures",
    "purge_mailboxes",
    "release_mailbox",
    "remove_alias",
    "remove_domain",
    "remove_mailbox",
    "remove_way_out",
    "restore_mailbox",
    "resume_mailbox",
    "revoke_app_password",
    "set_catch_all",
    "set_forward",
    "set_mta_sts",
    "set_password",
    "set_sender",
    "set_vacation",
    "set_way_out",
    "slow_mailbox",
    "suspend_mailbox",
    "unslow_mailbox",
    "what_is_lost",
]
