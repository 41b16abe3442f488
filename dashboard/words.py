"""What happened, in plain words: a sentence for each action that is recorded."""

import re
from collections import defaultdict
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from accounts.models import User
from dashboard.backups.events import ACTIONS as BACKUPS
from dashboard.backups.events import readable

STATES = {
    "being made": lazy("Being made"),
    "working": lazy("Working"),
    "attention": lazy("Needs attention"),
    "down": lazy("Down"),
    "ending": lazy("Ending"),
    "gone": lazy("Gone"),
}

# `record("noun.verb", …)`; a fact in brackets is filled in where the event has it.
ACTIONS = {
    **BACKUPS,
    "account.opened": lazy("The account was opened"),
    "address.change_asked": lazy("Asked for a change of their address"),
    "address.change_ended": lazy("A change of address ended: %(how)s"),
    "address.changed": lazy("The address of a person was changed"),
    "address.confirmed": lazy("An address said yes to being changed"),
    "agent.enrolled": lazy("The server called us for the first time"),
    "alarm.closed": lazy("Our staff looked at an alarm: %(reason)s"),
    "alias.added": lazy("Made the alias %(address)s, which goes to %(targets)s"),
    "alias.changed": lazy("The alias %(address)s now goes to %(targets)s"),
    "alias.removed": lazy("Removed the alias %(address)s"),
    "app_password.added": lazy("Made the app password “%(label)s” for %(address)s"),
    "app_password.revoked": lazy("Revoked the app password “%(label)s” of %(address)s"),
    "code.spent": lazy("A recovery code was used; left: %(left)s"),
    "codes.made": lazy("Made new recovery codes"),
    "credentials.checked_again": lazy("Asked Amazon once more about the key"),
    "credentials.ended": lazy(
        "The key that ends in %(key)s is used no more (%(why)s), and its secret was destroyed"
    ),
    "credentials.given": lazy("Gave the access key that ends in %(key)s, for %(region)s"),
    "credentials.in_use": lazy("Mail leaves by the key that ends in %(key)s"),
    "credentials.not_proven": lazy(
        "The server could not sign in to Amazon with the key that ends in %(key)s"
    ),
    "credentials.sealed_anew": lazy("Sealed the password for sending anew, because the server has a new key"),
    "credentials.refused": lazy("Amazon does not let the key be used yet"),
    "destruction.begun": lazy("The deletion began"),
    "destruction.called_off": lazy("The deletion was called off"),
    "destruction.finished": lazy("The deletion was finished, and its receipt written"),
    "destruction.put_off": lazy("Our staff put the deletion off by days: %(days)s. %(reason)s"),
    "destruction.removed": lazy("Deletion: %(what)s – %(answer)s"),  # noqa: RUF001
    "destruction.scheduled": lazy("The deletion of the server was scheduled"),
    "domain.added": lazy("Added the domain %(name)s"),
    "domain.catch_all_set": lazy("What nobody else at %(name)s gets goes to %(mailbox)s"),
    "domain.left": lazy("The domain %(name)s went with its server"),
    "domain.mta_sts_set": lazy("MTA-STS of %(name)s was set to “%(mode)s”"),
    "domain.records_changed": lazy("Amazon wants other records to stand in the DNS of %(name)s"),
    "domain.removed": lazy("Removed the domain %(name)s with all its mailboxes and aliases"),
    "export.deleted": lazy("Deleted the export of %(address)s"),
    "export.downloaded": lazy("Fetched the export of %(address)s"),
    "export.lost": lazy("The export of %(address)s was lost from the storage"),
    "export.made": lazy("The server made an export of %(address)s, messages: %(messages)s"),
    "gumroad.asked_to_tell": lazy("Gumroad was asked to tell us of events, kinds: %(kinds)s"),
    "gumroad.reconcile_asked": lazy("What Gumroad tells was compared with what we know"),
    "image.machine_dropped": lazy("A machine that was to become an image was given back"),
    "image.machine_ordered": lazy("A machine was rented, to become an image of the mail system"),
    "image.made": lazy("A new image of the mail system was made"),
    "image.removed": lazy("An old image of the mail system was removed"),
    "invitation.declined": lazy("%(address)s said no to the invitation"),
    "invitation.sent": lazy("Invited %(address)s to the account, as %(role)s"),
    "invitation.withdrawn": lazy("The invitation of %(address)s was withdrawn"),
    "key.added": lazy("Added a passkey or an app to sign in with"),
    "key.refused": lazy("A wrong code was typed as the second step"),
    "key.removed": lazy("Removed a passkey or an app"),
    "key.renamed": lazy("Renamed a passkey"),
    "letter.answered": lazy("The server told what Amazon answered to a test mail: %(code)s"),
    "letter.asked": lazy("The server was asked to send a test mail to %(to)s"),
    "letter.sent_again": lazy("Our staff sent a letter to you once more: %(reason)s"),
    "link.asked": lazy("A link to sign in was asked for"),
    "link.used": lazy("Read a mail with a link to sign in; a second step was asked for"),
    "link.sent": lazy("A link to sign in was sent"),
    "mailbox.added": lazy("Made the mailbox %(address)s of %(quota)s"),
    "mailbox.changed": lazy(
        "Changed the mailbox %(address)s: %(quota)s, %(per_hour)s recipients an hour, %(per_day)s a day"
    ),
    "mailbox.erased": lazy("The mail of %(address)s is deleted, as its server told"),
    "mailbox.erasure_ordered": lazy("The server was told to delete the mail of %(address)s"),
    "mailbox.forward_set": lazy("Mail for %(address)s is forwarded to %(targets)s"),
    "mailbox.invited": lazy("Sent an invitation to choose the password of %(address)s to %(to)s"),
    "mailbox.password_set": lazy("The password of %(address)s was chosen"),
    "mailbox.purged": lazy("The removed mailbox %(address)s can no longer be brought back"),
    "mailbox.released": lazy("%(address)s may send again"),
    "mailbox.removed": lazy("Removed the mailbox %(address)s"),
    "mailbox.restored": lazy("Brought the mailbox %(address)s back"),
    "mailbox.resumed": lazy("The owner of %(address)s can sign in again"),
    "mailbox.slowed": lazy("%(address)s may write to few people an hour for now: %(why)s"),
    "mailbox.suspended": lazy("Suspended the mailbox %(address)s"),
    "mailbox.unslowed": lazy("%(address)s may write to as many people as before"),
    "mailbox.vacation_ended": lazy("Ended the out-of-office answer of %(address)s"),
    "mailbox.vacation_set": lazy("Set the out-of-office answer of %(address)s"),
    "person.joined": lazy("A person joined the account"),
    "person.left": lazy("A person left the account"),
    "person.renamed": lazy("Changed their name"),
    "person.role_changed": lazy("A person of the account became its %(role)s"),
    "person.signed_in": lazy("Signed in"),
    "person.signed_out": lazy("Signed out"),
    "ping.read_again": lazy("A message from Gumroad was read once more"),
    "run.retried": lazy("Our staff had a step tried again: %(reason)s"),
    "run.woken": lazy("Our staff had everything that waits looked at again: %(reason)s"),
    "proof.asked": lazy("A mail was asked for, to show who sits at the browser"),
    "recovery.asked": lazy("Somebody said that a person's second factor is lost"),
    "recovery.confirmed": lazy("An address said yes to taking a second factor away"),
    "recovery.done": lazy("The second factor of a person was taken away"),
    "recovery.ended": lazy("Taking a second factor away came to nothing: %(how)s"),
    "recovery.vouched": lazy("Vouched for a person who lost their second factor"),
    "recovery_address.asked": lazy("Asked for a second address"),
    "recovery_address.removed": lazy("A second address was removed"),
    "recovery_address.set": lazy("A second address said yes"),
    "secret.kept": lazy("Something secret was sealed into the vault"),
    "secret.read": lazy("A program opened a secret: %(why)s"),
    "secret.shredded": lazy("A secret was destroyed: %(why)s"),
    "secret.unreadable": lazy("A program tried to open a secret, and could not: %(why)s"),
    "sending.resumed": lazy("Our staff let mail leave the server again. %(reason)s"),
    "sending.suspended": lazy("Our staff let no mail leave the server: %(reason)s"),
    "sending.trouble_began": lazy("Something is wrong with sending: %(says)s"),
    "sending.trouble_ended": lazy("Over: %(says)s"),
    "server.back_on_old_machine": lazy("The server is on its old machine again, as it was"),
    "server.back_wanted": lazy("Asked to go back to the old machine"),
    "server.going_back": lazy("The server goes back to its old machine: %(why)s"),
    "server.heard_again": lazy("The server reports again"),
    "server.late": lazy("A report of the server was late"),
    "server.lost": lazy("The server fell silent"),
    "server.machine_dropped": lazy("A machine that did not start was given back"),
    "server.machine_retired": lazy("The old machine was turned off, and waits until the new one is proven"),
    "server.machine_ordered": lazy("A machine of the type %(type)s was rented"),
    "server.mail_closed": lazy("The old machine takes no mail any more, so that none is left behind"),
    "server.old_machine_deleted": lazy("The old machine was deleted"),
    "server.old_machine_gone": lazy("The old machine is not there any more"),
    "server.old_machine_released": lazy("Said that the old machine is not needed any more"),
    "server.ordered_to_be": lazy("The server was told how to set itself up"),
    "server.plan_change_begun": lazy("The server began to change from %(before)s to %(after)s"),
    "server.plan_change_failed": lazy(
        "The change of the plan could not be done yet; the server is as before"
    ),
    "server.plan_change_time_set": lazy("Chose when the server changes its plan"),
    "server.plan_change_wanted": lazy(
        "The plan %(after)s is paid for: the server will change to it from %(before)s"
    ),
    "server.plan_change_withdrawn": lazy("The plan %(before)s is paid for again: the server stays as it is"),
    "server.plan_changed": lazy("The server changed from %(before)s to %(after)s"),
    "server.proven": lazy("The server was checked, and works"),
    "server.ready": lazy("The server was handed over"),
    "server.reboot_window_set": lazy("Chose when the server may restart"),
    "server.rebuild_wanted": lazy("Asked for the whole server on another machine"),
    "server.rebuilt": lazy("The whole server is on another machine, proven"),
    "server.restore_chosen": lazy("The restore point from which the whole server comes back was chosen"),
    "server.restore_failed": lazy("Mail could not be brought to the new machine: %(why)s"),
    "server.restored": lazy("Mail was brought to the new machine (messages: %(messages)s)"),
    "server.trouble_began": lazy("Something is wrong: %(says)s"),
    "server.trouble_ended": lazy("It is well again: %(says)s"),
    "server.type_refused": lazy("Hetzner had no machine of the type %(type)s at this time"),
    "server.wanted": lazy("Ordered the server “%(name)s”"),
    "session.all_ended": lazy("Signed out everywhere else (browsers: %(n)s)"),
    "session.ended": lazy("Signed out %(device)s"),
    "staff.made": lazy("A person joined the staff of Mailat"),
    "subscription.another_plan_paid": lazy(
        "The plan %(plan)s is paid for; the machine is that of %(server_is)s"
    ),
    "subscription.asked_again": lazy("Staff had Gumroad asked about the subscription"),
    "subscription.began": lazy("The subscription began"),
    "subscription.ended": lazy("The subscription ended"),
    "subscription.ending": lazy("The subscription was cancelled, and runs to its end"),
    "subscription.money_kept": lazy("The newest charge stands again"),
    "subscription.money_returned": lazy("The newest charge was given back, or is disputed"),
    "subscription.plan_announced": lazy("Gumroad announced the plan %(plan)s for the next charge"),
    "subscription.plan_changed": lazy("The plan was changed from %(before)s to %(after)s"),
    "subscription.resumed": lazy("The subscription goes on"),
    "subscription.server_kept": lazy("The server “%(name)s” stays, and is paid for by another subscription"),
    "subscription.server_lost": lazy(
        "The subscription goes on, but its server “%(name)s” was already deleted"
    ),
    "suppression.allow_asked": lazy("Asked that Amazon let an address be written to again"),
    "suppression.allowed": lazy("Amazon lets an address be written to again"),
    "suppression.asked": lazy("Asked to see Amazon's suppression list"),
    "suppression.forgotten": lazy("Amazon's suppression list was removed here (addresses: %(n)s)"),
    "suppression.not_allowed": lazy("Amazon did not let an address be written to again"),
    "suppression.read": lazy("A program read Amazon's suppression list (addresses: %(n)s)"),
    "suppression.refused": lazy("Amazon did not show its suppression list"),
    "tester.asked": lazy("Asked Amazon to write to %(address)s, so that a test mail can go there"),
    "tester.proven": lazy("%(address)s has proven itself to Amazon"),
    "tester.refused": lazy("Amazon does not let the key have %(address)s prove itself"),
    "topic.confirmed": lazy("Amazon tells us of bounces and complaints from now on"),
    "vault.key_added": lazy("Secrets are sealed to another key of the vault"),
    "vault.key_retired": lazy("A key of the vault opens nothing any more"),
    "vault.rotation_begun": lazy("The vault began to seal its secrets to a new key"),
    "vault.rotation_finished": lazy("The vault sealed all its secrets to the new key"),
    "vault.rotation_wanted": lazy("The vault was told to seal its secrets to a new key"),
    "way_out.removed": lazy("Ended sending through Amazon SES"),
    "way_out.sender_set": lazy("Mail without a sender leaves in the name of %(name)s"),
    "way_out.set": lazy(
        "Set up sending through Amazon SES in %(region)s, with the access key that ends in %(key)s"
    ),
}


def sentence(action: str, facts: Mapping[str, object]) -> str:
    """What the event says to a person; the action's own name where there is no sentence for it."""
    words = ACTIONS.get(action)
    if words is None:
        return re.sub(r"[._]+", " ", action).capitalize()
    return str(words) % defaultdict(lambda: "…", readable(facts))


def who(by: str, reader: User, people: Mapping[int, User]) -> str:
    """Who did it; people of other accounts are never named."""
    kind, _colon, number = by.partition(":")
    if kind == "user" and number.isdigit():
        return _person(int(number), reader, people)
    if kind == "staff":
        return _("Mailat staff")
    if kind == "gumroad":
        return "Gumroad"
    if kind == "mailbox":
        return _("The owner of the mailbox")
    return _("Mailat, by itself")


def _person(number: int, reader: User, people: Mapping[int, User]) -> str:
    if number == reader.pk:
        return _("You")
    person = people.get(number)
    return (person.name or person.email) if person else _("Somebody who has left")


def state(word: str) -> str:
    return str(STATES.get(word, word))
