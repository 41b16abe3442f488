"""Who belongs to my account, and what may they do?"""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import access, actions, invitations, limits, recovery, roles
from accounts.models import Account, Membership
from accounts.open import Invitation
from accounts.stepup import fresh
from dashboard.access import PersonsRequest, must_own, signed_in
from dashboard.views.account_forms import InviteForm, RoleForm

ways = require_http_methods(["GET", "HEAD", "POST"])


@signed_in
@ways
@fresh
def account_people(request: PersonsRequest) -> HttpResponse:
    at = access.account_of(request)
    must_own(request.user, at.pk)
    if request.method != "POST":
        return _page(request, at, InviteForm())
    if request.POST.get("do") in ("again", "withdraw"):
        _answer_for(request, at)
        return redirect("account-people")
    form = InviteForm(request.POST)
    if form.is_valid():
        if wait := limits.seconds_to_wait(request, "invite", key=str(at.pk)):
            return limits.too_often(request, wait)
        if _invite(request, at, form):
            return redirect("account-people")
    return _page(request, at, form)


def _page(request: PersonsRequest, at: Account, form: InviteForm) -> HttpResponse:
    members = list(at.memberships.select_related("user").order_by("since", "pk")[:200])
    context = {
        "account": at,
        "form": form,
        "people": [(one, recovery.vouchable(one.user, request.user)) for one in members],
        "invitations": list(Invitation.objects.unanswered().filter(account=at).order_by("-sent_at", "pk")),
        "life": settings.INVITATION_LIFE,
    }
    return render(request, "dashboard/account_people.html", context, status=422 if form.errors else 200)


def _invite(request: PersonsRequest, at: Account, form: InviteForm) -> bool:
    given = form.cleaned_data
    try:
        row = invitations.invite(account=at, email=given["email"], role=given["role"], by=request.user)
    except invitations.AlreadyThere:
        form.add_error("email", _("They belong to this account already."))
    except invitations.TooMany:
        form.add_error(None, _("Too many invitations wait for an answer. Withdraw some of them first."))
    else:
        messages.success(request, _("The invitation goes to %(to)s.") % {"to": row.email})
    return not form.errors


def _answer_for(request: PersonsRequest, at: Account) -> None:
    try:
        pk = UUID(request.POST.get("one", ""))
    except ValueError:
        return
    row = get_object_or_404(Invitation, account=at, pk=pk)
    if request.POST["do"] == "withdraw":
        done = invitations.withdraw(invitation=row, by=f"user:{request.user.pk}")
        said = _("The invitation of %(to)s was withdrawn; its link opens nothing any more.")
    elif limits.seconds_to_wait(request, "invite", key=str(at.pk)):
        messages.error(request, _("That was often. Wait an hour before you send more invitations."))
        return
    else:
        done = invitations.send_again(invitation=row, by=request.user)
        said = _("The invitation goes to %(to)s once more.")
    messages.success(request, said % {"to": row.email} if done else _("It was answered meanwhile."))


@signed_in
@ways
@fresh
def account_person(request: PersonsRequest, pk: int) -> HttpResponse:
    """One person of the account: what they may do, and the ways to end it."""
    mine = Membership.objects.filter(account__memberships__user=request.user).select_related(
        "account", "user"
    )
    one = get_object_or_404(mine.distinct(), pk=pk)
    must_own(request.user, one.account_id)
    if request.method == "POST":
        return _act(request, one)
    return _person(request, one)


def _person(request: PersonsRequest, one: Membership, error: str = "") -> HttpResponse:
    context = {
        "one": one,
        "error": error,
        "vouchable": recovery.vouchable(one.user, request.user),
        "himself": one.user_id == request.user.pk,
    }
    return render(request, "dashboard/account_person.html", context, status=422 if error else 200)


def _act(request: PersonsRequest, one: Membership) -> HttpResponse:
    acts = {"role": _set_role, "remove": _remove, "vouch": _vouch}
    act = acts.get(request.POST.get("do", ""))
    try:
        return act(request, one) if act else _person(request, one)
    except actions.LastOwner:
        return _person(request, one, _("The last owner stays: make somebody else an owner first."))
    except recovery.CannotVouch:
        return _person(request, one, _("There is nothing to vouch for any more."))


def _set_role(request: PersonsRequest, one: Membership) -> HttpResponse:
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _person(request, one, _("Choose one of the two."))
    role = form.cleaned_data["role"]
    roles.change_role(account=one.account, user=one.user, role=role, by=f"user:{request.user.pk}")
    messages.success(request, _("%(who)s: %(role)s.") % {"who": one.user.email, "role": role})
    return _back(request, one)


def _remove(request: PersonsRequest, one: Membership) -> HttpResponse:
    actions.remove_member(account=one.account, user=one.user, by=f"user:{request.user.pk}")
    messages.success(request, _("%(who)s is no longer in the account.") % {"who": one.user.email})
    return _back(request, one)


def _vouch(request: PersonsRequest, one: Membership) -> HttpResponse:
    recovery.vouch(user=one.user, by=request.user)
    messages.success(
        request, _("You vouched for %(who)s, who hears of it by letter.") % {"who": one.user.email}
    )
    return _back(request, one)


def _back(request: PersonsRequest, one: Membership) -> HttpResponse:
    """Whoever has just lost their own part in it has no business on the list."""
    mine = Membership.objects.filter(account=one.account_id, user=request.user).first()
    return redirect("account-people" if mine and mine.role == Membership.Role.OWNER else "overview")


@signed_in
@ways
@fresh
def account_leave(request: PersonsRequest) -> HttpResponse:
    """A person ends their own part in the account that they are at."""
    at, error = access.account_of(request), ""
    if request.method == "POST":
        try:
            actions.remove_member(account=at, user=request.user, by=f"user:{request.user.pk}")
        except actions.LastOwner:
            error = _("You are the last owner: make somebody else an owner first.")
        else:
            return _left(request, at)
    others = [one for one in access.accounts_of(request) if one != at]
    context = {"account": at, "error": error, "others": others}
    return render(request, "dashboard/account_leave.html", context, status=422 if error else 200)


def _left(request: PersonsRequest, at: Account) -> HttpResponse:
    """Nobody is left without an account of their own."""
    if not request.user.memberships.exists():
        actions.ensure_account(email=request.user.email, by=f"user:{request.user.pk}")
    messages.success(request, _("You left “%(name)s”.") % {"name": at.name})
    return redirect("overview")
