"""A restore point: a look into it, and what of it shall come back. For owners: folders have telling names."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.stepup import is_fresh, to_prove
from backups.models import Point
from dashboard import live
from dashboard.access import PersonsRequest, must_own, signed_in, the_server
from dashboard.backups import asking, boxes, folders, restoring, said, troubles
from dashboard.backups.boxes import Look, Standing
from dashboard.backups.found import Found, found_of, point_of
from dashboard.backups.restoring import RestoreForm
from dashboard.backups.running import running_of
from dashboard.mail.doing import Doing, asked_of, carry_out
from dashboard.mail.forms import PageForm
from dashboard.mail.told import mail_of
from dashboard.mail.use import use_of
from domains.models import Domain
from domains.refusals import Refusal
from servers import actions as fleet
from servers.desired import host_name

page = require_http_methods(["GET", "HEAD", "POST"])
Place = tuple[Found, Point]


def _place(request: PersonsRequest, pk: UUID, point: int) -> Place:
    """The owner's server and a restore point of it. Raises Http404 and PermissionDenied."""
    server = the_server(request.user, pk)
    must_own(request.user, server.account_id)
    found = found_of(server)
    row = point_of(found.repository, point) if found.repository else None
    if row is None:
        raise Http404
    return found, row


@signed_in
@page
def backup_point(request: PersonsRequest, pk: UUID, point: int) -> HttpResponse:
    """Which mailboxes are in it."""
    found, row = _place(request, pk, point)
    look = _look(row)
    if done := _asked_to_look(request, found, {"point": row.snapshot} | _after(request, look)):
        return done
    context = _context(request, found, row, look) | {"boxes": boxes.boxes_of(found.server, look)}
    return render(request, "backups/point.html", context)


def _look(point: Point, mailbox: str = "") -> Look:
    return boxes.look_into(point.repository, point, mailbox)


def _after(request: PersonsRequest, look: Look) -> dict[str, str]:
    """Where the next part of a long list begins."""
    return {"after": boxes.last_of(look.jobs[-1])} if look.more else {}


def _asked_to_look(request: PersonsRequest, found: Found, args: dict[str, str]) -> HttpResponse | None:
    if request.POST.get("do") != "look":
        return None
    form = PageForm(request.POST, name="look")
    act = lambda _said: _want_look(request, found, args)  # noqa: E731
    return carry_out(request, Doing(act, form), request.path) or _refused(request, form)


def _want_look(request: PersonsRequest, found: Found, args: dict[str, str]) -> str:
    asking.want(found, "look", args, f"user:{request.user.pk}")
    return _("The server is asked to look. It answers when it is next heard, usually within a minute.")


def _refused(request: PersonsRequest, form: PageForm) -> HttpResponse:
    return render(request, "backups/refused.html", {"form": form, "back": request.path}, status=422)


def _context(
    request: PersonsRequest, found: Found, row: Point, look: Look, mailbox: str = ""
) -> dict[str, Any]:
    context = {
        "found": found,
        "server": found.server,
        "host": host_name(found.server),
        "point": row,
        "look": look,
    }
    context["failed"] = troubles.failure(look.failed.why) if look.failed and not look.open else None
    context["part"] = _part(request, found, row, look, mailbox)
    return context


def _part(request: PersonsRequest, found: Found, row: Point, look: Look, mailbox: str) -> live.Part:
    """What waits for the host; when it has answered, the whole page is another."""
    fleet.watch(server=found.server)
    where = [found.home, row.pk, *([mailbox] if mailbox else [])]
    name = "backup-mailbox-live" if mailbox else "backup-point-live"
    running = running_of(found)
    says = _("The server was asked and has not answered yet.") if look.open else ""
    return live.part(
        request,
        "backups/look_live.html",
        {"found": found, "look": look, "running": running},
        key="look",
        url=reverse(name, args=where) + f"?was={_phase(look)}",
        poll=live.QUICK if look.open else live.RARE,
        says=says,
    )


def _phase(look: Look) -> str:
    return f"{len(look.jobs)}-{look.open.pk if look.open else ''}"


@signed_in
@require_safe
def backup_point_live(request: PersonsRequest, pk: UUID, point: int) -> HttpResponse:
    return _live(request, *_place(request, pk, point))


@signed_in
@require_safe
def backup_mailbox_live(request: PersonsRequest, pk: UUID, point: int, mailbox: UUID) -> HttpResponse:
    return _live(request, *_place(request, pk, point), str(mailbox))


def _live(request: PersonsRequest, found: Found, row: Point, mailbox: str = "") -> HttpResponse:
    look = _look(row, mailbox)
    if request.GET.get("was", _phase(look)) != _phase(look):
        return HttpResponseClientRefresh()
    return live.answer(request, _part(request, found, row, look, mailbox))


@signed_in
@page
def backup_mailbox(request: PersonsRequest, pk: UUID, point: int, mailbox: UUID) -> HttpResponse:
    """What of a mailbox shall come back: all, a folder, or chosen messages; into another one, somebody else reads it."""
    found, row = _place(request, pk, point)
    standing = boxes.standings(found.server, [mailbox])[mailbox]
    if standing.word != "served" and not is_fresh(request):
        return to_prove(request)
    source, look = str(mailbox), _look(row, str(mailbox))
    if done := _asked_to_look(request, found, {"point": row.snapshot, "mailbox": source}):
        return done
    context = _context(request, found, row, look, source) | _mailbox(found, row, mailbox, look, standing)
    form = RestoreForm(request.POST or None, name="restore", initial={"folder": restoring.EVERY})
    if request.method == "POST":
        do = asked_of(request, {"review": form, "restore": form})
        if form.is_valid() and (answer := _restore(request, found, row, form, context, do)):
            return answer
    context |= {"form": form, "wrong": form if form.errors else None}
    return render(request, "backups/mailbox.html", context, status=422 if form.errors else 200)


def _mailbox(found: Found, row: Point, mailbox: UUID, look: Look, standing: Standing) -> dict[str, Any]:
    """Whose it is, what is in it, and what became of it."""
    rows = [folder for job in look.jobs for folder in said.folders(job)]
    box = boxes.found_box(_look(row), mailbox)
    told = next(
        (said.clean(str(said.result_of(job).get("address", "")))[: said.ADDRESS] for job in look.jobs), ""
    )
    served = boxes.served(found.server)
    address = standing.address or told or (box.address if box else "")
    return {
        "source": mailbox,
        "address": address or str(mailbox),
        "standing": standing,
        "box": box,
        "folders": [(one, folders.shown(one.name)) for one in rows],
        "count": sum(one.messages for one in rows) if look.jobs else (box.messages if box else None),
        "bytes": sum(one.bytes for one in rows) if look.jobs else (box.bytes if box else None),
        "served": sorted(served, key=lambda one: (one.address != address, one.address)),
        "its_domain": Domain.objects.filter(home=found.home, name=address.rpartition("@")[2]).first(),
        "same": next((one for one in served if one.address == address), None),
    }


def _restore(
    request: PersonsRequest, found: Found, row: Point, form: RestoreForm, context: dict[str, Any], do: str
) -> HttpResponse | None:
    """What will happen, to be confirmed; or, when it was, the page of the restore."""
    wish = restoring.wish_of(form, str(context["source"]), context["standing"], context["served"])
    if wish is None:
        return None
    if do == "review":
        return render(request, "backups/review.html", context | _review(found, row, form, wish, context))
    try:
        args = restoring.args_of(wish, row, str(context["source"]))
        job = asking.want(found, "restore", args, f"user:{request.user.pk}")
    except Refusal as refusal:
        form.refuse(refusal)
        return None
    return redirect("backup-job", pk=found.home, job=job.pk)


def _review(
    found: Found, row: Point, form: RestoreForm, wish: restoring.Wish, context: dict[str, Any]
) -> dict[str, Any]:
    folder = next((one for one, _name in context["folders"] if one.name == wish.folder), None)
    size = folder.bytes if folder else context["bytes"] if wish.folder is None else None
    use = use_of(wish.into, mail_of(found.server))
    return {
        "form": form,
        "wish": wish,
        "new_folder": restoring.new_folder(row),
        "criteria": restoring.criteria(wish.chosen) if wish.chosen else [],
        "of_folder": folder,
        "size": size,
        "use": use,
        "too_full": bool(use and size and use.used + size > wish.into.quota),
        "same_mailbox": str(wish.into.pk) == str(context["source"]),
        "hidden": [(name, form.data.get(name, "")) for name in form.fields if form.data.get(name)],
    }
