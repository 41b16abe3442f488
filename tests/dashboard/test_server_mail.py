"""What a server's page says of its mail and of its upkeep."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from audit.models import Event
from dashboard.mail.health import canary_verdict, queue_of
from servers.models import Server
from tests.dashboard import mail_world, world
from tests.dashboard.test_pages import text
from tests.dashboard.world import told

HOUR = 3600


def page(client: Client, account: Account, **mail: Any) -> str:
    return text(client.get(f"/servers/{mail_world.serving(account, **mail).pk}"))


def pending(*hours: float, security: bool = True) -> dict[str, Any]:
    now = time.time()
    fixes = [
        {"package": f"p{n}", "from": "1", "to": "2", "security": security, "published_at": now - ago * HOUR}
        for n, ago in enumerate(hours)
    ]
    return mail_world.patches(pending=fixes)


def test_mail_works_because_a_mail_came_back(as_alice: Client, account: Account) -> None:
    said = page(as_alice, account)
    assert re.search(r"A test mail went out (today|yesterday) at", said)
    assert "and came back in 3.2 s." in said


@pytest.mark.parametrize(
    ("canary", "word"),
    [
        ({}, "unknown"),
        ({"at": 1.79e9, "seconds": 2.0, "misses": 0}, "good"),
        ({"at": 1.79e9, "seconds": None, "misses": 1}, "warn"),
        ({"at": 1.79e9, "seconds": None, "misses": 2}, "bad"),
    ],
)
def test_one_miss_warns_and_two_are_bad(canary: dict[str, Any], word: str) -> None:
    assert canary_verdict(canary).word == word


def test_a_mail_that_did_not_come_back_is_told_with_the_servers_reason(
    as_alice: Client, account: Account
) -> None:
    canary = {"at": time.time(), "seconds": None, "misses": 3, "way": "relay", "error": "535 from SES"}
    assert "The last 3 test mails did not come back. The server says: “535 from SES”." in page(
        as_alice, account, canary=canary
    )


def test_a_probe_that_fails_says_why(as_alice: Client, account: Account) -> None:
    probes = {**mail_world.FINE, "imaps": "connection refused"}
    assert "Reading (port 993): connection refused" in page(as_alice, account, probes=probes)


def test_an_attackers_ban_is_seen(as_alice: Client, account: Account) -> None:
    said = page(as_alice, account)
    assert "1 address is kept out now, because somebody there guessed passwords." in said
    assert re.search(
        r"198\.51\.100\.7 reading · (today|yesterday) at [\d:]+ · until to(day|morrow) at [\d:]+", said
    )


@pytest.mark.parametrize(("until", "says"), [(-60, " · over"), (None, "")])
def test_a_ban_that_is_over_says_so_and_one_without_an_end_says_nothing(
    as_alice: Client, account: Account, until: int | None, says: str
) -> None:
    now = time.time()
    ban = {"address": "198.51.100.9", "jail": "dovecot", "at": now, "until": until and now + until}
    said = page(as_alice, account, bans={"now": 0, "latest": [ban]})

    at = re.escape(told(datetime.fromtimestamp(now, UTC)))
    assert re.search(rf"198\.51\.100\.9 reading · {at}{says}(?! ·)", said)


def test_certificates_count_their_days(as_alice: Client, account: Account) -> None:
    said = page(as_alice, account)
    assert "post.mailat.test : 61 days left" in said
    ended = [{"name": "firm.example", "until": time.time() - 90, "names": ["mail.firm.example"]}]
    assert "firm.example : It has ended" in page(as_alice, account, name="office", certificates=ended)


def test_what_waits_is_told_with_the_oldest_and_the_reason(as_alice: Client, account: Account) -> None:
    queue = {"active": 1, "deferred": 4, "hold": 0, "oldest": 2 * HOUR, "why": "454 Throttling failure"}
    said = page(as_alice, account, queue=queue)
    assert "5 mails have not left yet. The oldest is from" in said
    assert "“454 Throttling failure”" in said


def test_the_oldest_mail_is_of_the_same_minute_however_late_the_page_is_opened() -> None:
    looked = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    queue = {"active": 1, "deferred": 0, "hold": 0, "oldest": 600, "why": ""}
    seen = queue_of({"probed_at": looked.timestamp(), "queue": queue})
    assert seen
    assert seen.since == looked - timedelta(minutes=10)


@pytest.mark.parametrize(
    ("patches", "answer"),
    [
        ({}, "Not known yet: it has not looked for updates."),
        (mail_world.patches(), "Yes: no known security fix is waiting."),
        (pending(3, 30), "Not yet: 2 security fixes are waiting."),
        (pending(3, security=False), "Yes: no known security fix is waiting."),
        (mail_world.patches(reboot_needed=True), "takes effect with the next restart"),
    ],
)
def test_is_it_patched_is_answered_in_one_line(
    as_alice: Client, account: Account, patches: dict[str, Any], answer: str
) -> None:
    said = page(as_alice, account, patches=patches)
    assert answer in said.partition("Is it patched?")[2][:160]


def test_the_patch_clock_tells_the_time_from_published_to_applied(as_alice: Client, account: Account) -> None:
    said = page(as_alice, account)
    assert "1 hour 30 minutes after it was published" in said


def test_an_update_that_was_taken_back_is_told(as_alice: Client, account: Account) -> None:
    back: list[dict[str, Any]] = [
        {"package": "rspamd", "version": "3.12.1-2", "why": "smtp did not answer", "at": time.time()}
    ]
    said = page(as_alice, account, patches=mail_world.patches(taken_back=back))
    assert f"rspamd 3.12.1-2 was taken back {told(datetime.fromtimestamp(back[0]['at'], UTC))}" in said
    assert "smtp did not answer" in said


def test_the_chart_of_the_canary_is_one_line_although_it_is_measured_rarely(
    as_alice: Client, account: Account
) -> None:
    one = mail_world.serving(account)
    mail_world.flown(one)
    html = as_alice.get(f"/servers/{one.pk}/charts").content.decode()
    chart = html.partition('id="chart-canary"')[2].partition("</figure>")[0]
    assert chart.count('class="line"') == 1
    assert "Time: from 2." in chart


def test_two_missed_canaries_are_a_gap(as_alice: Client, account: Account) -> None:
    one = mail_world.serving(account)
    mail_world.flown(one)
    now = timezone.now()
    one.metric_set.filter(at__gt=now - timedelta(minutes=40), at__lt=now - timedelta(minutes=20)).delete()
    html = as_alice.get(f"/servers/{one.pk}/charts").content.decode()
    assert html.partition('id="chart-canary"')[2].partition("</figure>")[0].count('class="line"') == 2


def test_the_overview_has_a_sentence_about_mail(as_alice: Client, account: Account) -> None:
    mail_world.serving(account)
    assert re.search(r"A test mail went out (today|yesterday) at", text(as_alice.get("/overview")))


def test_mail_that_waits_for_a_way_out_is_said_on_the_overview(as_alice: Client, account: Account) -> None:
    queue = {"active": 0, "deferred": 2, "hold": 0, "oldest": 60, "why": ""}
    canary = {"at": time.time(), "seconds": 1.0, "misses": 0, "way": "direct", "error": ""}
    mail_world.serving(account, queue=queue, canary=canary)
    assert "Mail arrives; 2 mails wait until sending is set up." in text(as_alice.get("/overview"))


def test_a_server_without_a_mail_system_says_nothing_of_it(as_alice: Client, account: Account) -> None:
    assert "Does its mail work?" not in text(as_alice.get(f"/servers/{world.running(account).pk}"))


def test_the_time_for_a_restart_is_chosen(as_alice: Client, account: Account) -> None:
    one = mail_world.serving(account)
    answer = as_alice.post(
        f"/servers/{one.pk}/window", {"days": ["5", "6"], "hour": "1", "hours": "3"}, follow=True
    )
    one.refresh_from_db()
    assert (one.reboot_days, one.reboot_hour, one.reboot_hours) == ([5, 6], 1, 3)
    assert "Saturday, Sunday, " in text(answer)
    assert "01:00 – 04:00 UTC" in text(answer)  # noqa: RUF001
    assert Event.objects.filter(action="server.reboot_window_set", subject=one.subject).count() == 1


def test_no_day_is_refused_and_the_rest_kept_as_typed(as_alice: Client, account: Account) -> None:
    one = mail_world.serving(account)
    answer = as_alice.post(f"/servers/{one.pk}/window", {"hour": "7", "hours": "99"})
    assert answer.status_code == 422
    assert "Choose at least one day." in text(answer)
    assert "Choose one of the lengths." in text(answer)
    assert '<option value="7" selected>' in answer.content.decode()
    assert Server.objects.get(pk=one.pk).reboot_hour == 3


def test_what_a_server_could_not_tell_is_not_made_up(as_alice: Client, account: Account) -> None:
    said = page(as_alice, account, queue=None, bans=None)
    assert "What waits Not looked at yet." in said
    assert "Who was kept out The server could not tell." in said
