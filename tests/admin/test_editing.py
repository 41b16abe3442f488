"""No row is added, changed or deleted by hand, in any list that there is or that a library brings."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from audit.staff_lists import StaffList
from tests.admin.conftest import LISTS, World

pytestmark = pytest.mark.django_db
SITES = sorted(admin.site._registry.items(), key=lambda one: one[0]._meta.label)
WRITES = ("INSERT", "UPDATE", "DELETE")


def named(model: type) -> str:
    return model._meta.label_lower.replace(".", "/")  # type: ignore[attr-defined]


def test_every_list_is_one_of_ours_and_in_the_tests() -> None:
    assert {named(model) for model, _site in SITES} == set(LISTS)
    assert all(isinstance(site, StaffList) for _model, site in SITES)


@pytest.mark.parametrize(
    ("model", "site"), SITES, ids=lambda one: getattr(getattr(one, "_meta", None), "label", "")
)
def test_who_may_do_everything_may_not_edit(model: type, site: StaffList, stella: User, world: World) -> None:
    request = RequestFactory().get("/")
    request.user = stella
    row = Event.objects.latest("pk") if named(model) == "audit/event" else world[named(model)]
    for one in (None, row):
        assert not site.has_add_permission(request)
        assert not site.has_change_permission(request, one)
        assert not site.has_delete_permission(request, one)
    assert site.has_view_permission(request, row)
    assert not site.list_editable
    assert not site.get_inline_instances(request, row)
    assert "delete_selected" not in site.get_actions(request)


@pytest.mark.parametrize("name", LISTS)
def test_no_form_of_a_row_writes(staff_site: Client, world: World, name: str) -> None:
    row = Event.objects.latest("pk") if name == "audit/event" else world[name]
    fields = {field.name: "1" for field in row._meta.concrete_fields}
    tries = [
        (f"/admin/{name}/add/", fields),
        (f"/admin/{name}/{row.pk}/change/", {**fields, "_save": "Save"}),
        (f"/admin/{name}/{row.pk}/delete/", {"post": "yes"}),
        (f"/admin/{name}/", {**fields, "_save": "Save", "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1"}),
        (
            f"/admin/{name}/",
            {"action": "delete_selected", "_selected_action": row.pk, "index": "0", "post": "yes"},
        ),
    ]
    for address, data in tries:
        with CaptureQueriesContext(connection) as seen:
            staff_site.post(address, data)
        wrote = [one["sql"] for one in seen if one["sql"].startswith(WRITES)]
        assert [sql for sql in wrote if "session" not in sql] == [], address
    assert not LogEntry.objects.exists()


def test_no_password_can_be_set_here(staff_site: Client, world: World) -> None:
    """Django's admin brings a page for one's own."""
    person = world["accounts/user"]
    before = set(User.objects.values_list("pk", "password"))
    passwords = {"old_password": "x", "new_password1": "y8Kq0-zW", "new_password2": "y8Kq0-zW"}
    for address in ("/admin/password_change/", f"/admin/accounts/user/{person.pk}/password/"):
        staff_site.post(address, {**passwords, "password1": "y8Kq0-zW", "password2": "y8Kq0-zW"})
    assert set(User.objects.values_list("pk", "password")) == before
