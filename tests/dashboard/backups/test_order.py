"""Whatever a form of backups asks, the agent takes: an order that it does not understand would be refused as a whole."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account
from agent.mailat_agent.backup import wanted
from backups import actions
from backups.models import Job, Point
from dashboard.backups import said
from tests.dashboard import backups_world, mail_world
from tests.dashboard.backups.test_point import page_of

OLD = "6f5c3a52-7d0e-4c1b-9a53-0d4f6c7b8a90"
folder_names = st.text(max_size=300) | st.sampled_from(
    ["", ".", "..", ".a", "./", ".\0", "." * 250, "." * 251]
)


@given(folder_names)
def test_a_folder_is_what_the_agent_takes_for_one(name: str) -> None:
    assert said.is_folder(name) == wanted._is_folder(name)


FORMS: list[dict[str, str]] = [
    {"which": "all"},
    {"which": "folder", "folder": ""},
    {"which": "folder", "folder": "." + "x" * 249},
    {"which": "chosen", "folder": "*", "since": "1970-01-01"},
    {"which": "chosen", "folder": "*", "until": "2100-12-31"},
    {"which": "chosen", "folder": ".Sent", "since": "2026-11-02", "until": "2026-11-02"},
    {
        "which": "chosen",
        "folder": "",
        "sender": "ö" * 200,
        "subject": "\u2028 \"'\\ \U0001f4ee",
        "recipient": "\ud7ff",
    },
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zone", ["Europe%2FBerlin", "Pacific%2FKiritimati", "America%2FSt_Johns"])
def test_what_is_asked_is_read_by_the_agent_as_it_was_meant(
    as_alice: Client, account: Account, settings: Any, form: dict[str, str], zone: str
) -> None:
    backups_world.is_set_up(settings)
    firm = backups_world.firm(account)
    point = Point.objects.filter(repository=firm.home).latest("stored_at")
    into = mail_world.mailbox(firm, "dora")
    as_alice.cookies["zone"] = zone
    as_alice.post(page_of(point), {"do": "look"})
    as_alice.post(page_of(point, into.pk), {"do": "look"})
    for box in (OLD, into.pk):
        answer = as_alice.post(page_of(point, box), {"do": "restore", "into": str(into.pk), **form})  # type: ignore[arg-type]
        assert answer.status_code == 302
    as_alice.post(
        answer["Location"].partition("/jobs")[0],
        {"do": "limits", "first": "23", "last": "0", "megabits": "0.1"},
    )
    order = actions.wanted(firm.home)
    assert order
    read = wanted.read(order)
    jobs = {job.id: job for job in read.jobs}
    assert set(jobs) == {str(pk) for pk in Job.objects.filter(state="wanted").values_list("pk", flat=True)}
    assert (read.hours, read.kib_s) == ((23, 0), 12)
    restores = [job for job in read.jobs if job.do == "restore"]
    assert {(job.mailbox, job.into) for job in restores} == {(OLD, str(into.pk)), (str(into.pk), "")}
    assert {job.point for job in read.jobs} == {point.snapshot}
    assert all((job.chosen is not None) == (form["which"] == "chosen") for job in restores)
    assert all(job.folder == (form.get("folder") if form.get("folder") != "*" else None) for job in restores)
