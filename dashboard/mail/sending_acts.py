"""The forms of the assistant, and what each of them does."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from dashboard.access import PersonsRequest
from dashboard.mail.assistant import Found
from dashboard.mail.doing import Fields
from dashboard.mail.forms import PageForm, SenderForm, TestMailForm, WayOutForm
from dashboard.mail.permission import region_of
from dashboard.mail.testers import is_known
from domains import actions as domains
from domains.models import Domain
from domains.names import good_address, shown
from domains.refusals import Refusal
from domains.ses import PORTS
from sending import actions, testers
from sending.way import choose_sender

Acts = dict[str, Callable[[Fields], str]]


def forms_of(request: PersonsRequest, found: Found) -> dict[str, PageForm]:
    do = request.POST.get("do", "")
    data = lambda *names: request.POST if do in names else None  # noqa: E731
    test = TestMailForm(
        data("test", "tester"),
        name="test",
        initial={"to": request.user.email, "from_domain": _sender(found)},
    )
    forms = {
        "set": WayOutForm(data("set"), initial=_initial(request, found)),
        "sender": SenderForm(data("sender"), name="sender", initial={"sender_domain": _sender(found)}),
        "test": test,
        "tester": test,
        **{name: PageForm(data(name), name=name) for name in ("again", "drop", "remove")},
    }
    choices = [(str(row.pk), shown(row.name)) for row in found.domains]
    for form, name in (("set", "sender_domain"), ("sender", "sender_domain"), ("test", "from_domain")):
        forms[form].fields[name].choices = choices  # type: ignore[attr-defined]
    return forms


def _initial(request: PersonsRequest, found: Found) -> dict[str, object]:
    newest = found.candidate or found.in_use or found.way
    return {
        "region": region_of(request, found.region),
        "sender_domain": _sender(found),
        "port": newest.port if newest else PORTS[0],
    }


def _sender(found: Found) -> str:
    newest = found.candidate or found.way
    first = found.domains[0].pk if found.domains else ""
    return str((newest and newest.sender_id) or first)


def acts_of(found: Found, by: str) -> Acts:
    home = cast(UUID, found.server.pk)
    return {
        "set": lambda said: _propose(found, said, by),
        "again": lambda said: _again(found, by),
        "drop": lambda said: _drop(home, by),
        "sender": lambda said: _send_as(found, said, by),
        "test": lambda said: _test(found, said, by),
        "tester": lambda said: _ask_tester(found, said, by),
        "remove": lambda said: _remove(home, by),
    }


def _chosen(found: Found, key: str, field: str) -> Domain:
    sender = next((one for one in found.domains if str(one.pk) == key), None)
    if sender is None:
        raise Refusal(_("Choose one of the domains of this server."), field)
    return sender


@sensitive_variables("said")
def _propose(found: Found, said: Fields, by: str) -> str:
    actions.propose(
        account=found.server.account,
        home=cast(UUID, found.server.pk),
        region=said["region"],
        access_key=said["access_key"],
        secret_key=said["secret"],
        sender_domain=_chosen(found, said["sender_domain"], "sender_domain"),
        port=int(said["port"]),
        by=by,
    )
    return _("The key is sealed, and is being tried. You can watch it here, or leave this page.")


def _again(found: Found, by: str) -> str:
    if found.candidate is None:
        raise Refusal(_("There is no key that is being tried any more."))
    actions.check_again(row=found.candidate, by=by)
    return _("Amazon is being asked once more.")


def _drop(home: UUID, by: str) -> str:
    if not actions.drop_candidate(home=home, by=by):
        raise Refusal(_("There is no key that is being tried any more."))
    return _("The key was dropped, and its secret destroyed.")


def _send_as(found: Found, said: Fields, by: str) -> str:
    domain = _chosen(found, said["sender_domain"], "sender_domain")
    way = choose_sender(home=cast(UUID, found.server.pk), sender_domain=domain, by=by)
    return _("Notices without a sender of their own leave in the name of %s.") % shown(way.sender.name)


def _test(found: Found, said: Fields, by: str) -> str:
    if not found.way:
        raise Refusal(_("Mail cannot leave yet: a key must be tried first."))
    sender = _chosen(found, said["from_domain"], "from_domain")
    home, to = cast(UUID, found.server.pk), good_address(said["to"], "to")
    testers.refuse_own(home, to)
    if testers.must_prove(found.standing, home, to):
        raise Refusal(
            _(
                "Amazon does not bring mail to this address yet, as far as we know: the account is in the sandbox, and the "
                "address has not proven itself. Choose “Ask Amazon to write to this address”."
            ),
            "to",
        )
    domains.ask_letter(
        account=found.server.account,
        home=home,
        to=to,
        sender=f"postmaster@{sender.name}",
        by=by,
    )
    return _("The server sends it within a minute. Amazon's answer will stand here.")


def _ask_tester(found: Found, said: Fields, by: str) -> str:
    sender = _chosen(found, said["from_domain"] or _sender(found), "from_domain")
    home = cast(UUID, found.server.pk)
    row = testers.ask(account=found.server.account, home=home, address=said["to"], sender=sender, by=by)
    if is_known(found.server, row.address):
        says = _(
            "Amazon is being asked to write to %s. Follow the link in its letter; the test mail then goes."
        )
    else:
        says = _(
            "Amazon is being asked to write to %s. That is nobody's of your account: tell its reader that a letter of Amazon's "
            "comes, and that they need not follow its link."
        )
    return says % row.address


def _remove(home: UUID, by: str) -> str:
    actions.remove(home=home, by=by)
    return _("Sending was ended. Mail to others waits on the server until there is a way out again.")
