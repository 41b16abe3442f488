"""The assistant's page: what to do while there is no way out, and what is never shown."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from audit.models import Event
from dashboard import sending_words
from domains.models import Domain, WayOut
from engine.models import Run, Signal
from sending.models import Credentials
from servers.models import Agent, Server
from tests.dashboard import mail_world, sending_world
from tests.dashboard.sending_world import refused
from tests.dashboard.test_pages import headline, text
from tests.dashboard.world import told
from vault.models import Secret

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SEAL_KEY = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="  # a public key


@pytest.fixture
def server(account: Account) -> Server:
    one = mail_world.serving(
        account, queue={"active": 1, "deferred": 2, "hold": 0, "oldest": 7300, "why": "no way"}
    )
    Agent.objects.filter(server=one).update(seal_key=SEAL_KEY)
    return one


@pytest.fixture
def firm(server: Server) -> Domain:
    return mail_world.domain(server)


def typed(firm: Domain, **changes: str) -> dict[str, str]:
    return {
        "do": "set",
        "region": "eu-central-1",
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret": SECRET,
        "sender_domain": str(firm.pk),
        "port": "587",
        **changes,
    }


def page_of(firm: Domain) -> str:
    return f"/mail/sending/{firm.home}"


def test_one_server_needs_no_list(as_alice: Client, server: Server) -> None:
    assert as_alice.get("/mail/sending")["Location"] == f"/mail/sending/{server.pk}"


def test_while_there_is_no_way_out_it_says_what_waits_and_what_to_do(as_alice: Client, firm: Domain) -> None:
    page = as_alice.get(page_of(firm))
    assert headline(page) == "Sending is not set up yet"
    assert "3 mails have not left yet." in text(page)
    assert "It leaves by itself as soon as sending is set up." in text(page)
    assert "Download the template" in text(page)


def test_without_a_domain_it_asks_for_one_first(as_alice: Client, server: Server) -> None:
    page = as_alice.get(f"/mail/sending/{server.pk}")
    assert "A domain first" in text(page)
    assert 'name="secret"' not in page.content.decode()
    assert 'name="do"' not in page.content.decode()
    assert as_alice.get(f"/mail/sending/{server.pk}/policy.json").status_code == 404
    assert as_alice.get(f"/mail/sending/{server.pk}/template.json").status_code == 404


def test_a_key_is_sealed_and_tried_and_its_secret_seen_by_nobody(as_alice: Client, firm: Domain) -> None:
    answer = as_alice.post(page_of(firm), typed(firm), follow=True)
    row = Credentials.objects.get(home=firm.home)
    assert (row.region, row.sender, row.state, row.by) == ("eu-central-1", firm, "candidate", Event.objects.get(action="credentials.given").by)  # fmt: skip
    assert Run.objects.get(subject=row.subject).program == "CheckCredentials"
    assert not WayOut.objects.exists()
    assert headline(answer) == "Your key is being tried"
    assert "The key that ends with MPLE" in text(answer)
    assert "Ask Amazon whose key it is (now)" in text(answer)
    written = [answer.content.decode(), *map(str, Event.objects.values_list("facts", flat=True))]
    assert not any(SECRET in one or row.access_key in one for one in written)
    assert SECRET.encode() not in bytes(Secret.objects.get().sealed)


@pytest.mark.parametrize("code", sorted(set(sending_words.OBSTACLES) - {"permission"}))
def test_what_amazon_refuses_is_told_with_what_to_do(as_alice: Client, firm: Domain, code: str) -> None:
    sending_world.credentials(firm, "candidate", refused(code, says="Hear <us>"))
    page = as_alice.get(page_of(firm))
    told = sending_words.told(refused(code, says="Hear <us>"))
    assert headline(page) == "Your key cannot be used yet"
    said = text(page).replace("&lt;", "<").replace("&gt;", ">").replace("&#x27;", "'")
    assert told.what in said
    assert told.did in said
    assert told.todo in said
    assert "Hear <us>" not in page.content.decode()


def test_check_again_asks_at_once_and_drop_destroys_the_secret(as_alice: Client, firm: Domain) -> None:
    row = sending_world.credentials(firm, "candidate", refused("wrong_secret"))
    sending_world.running(row)
    part = as_alice.get(f"{page_of(firm)}/live").content.decode()
    assert 'form="key-form" name="do" value="again"' in part, "they go when the key is tried no more"
    as_alice.post(page_of(firm), {"do": "again"})
    assert Signal.objects.filter(run__subject=row.subject, name="again").exists()
    answer = as_alice.post(page_of(firm), {"do": "drop"}, follow=True)
    row.refresh_from_db()
    assert (row.state, row.ended_why, bytes(row.secret.sealed)) == ("ended", "dropped", b"")
    assert headline(answer) == "Sending is not set up yet"
    assert as_alice.post(page_of(firm), {"do": "drop"}).status_code == 422
    assert as_alice.post(page_of(firm), {"do": "again"}).status_code == 422


def test_while_a_new_key_is_tried_the_old_one_goes_on(as_alice: Client, firm: Domain) -> None:
    sending_world.works(firm)
    sending_world.credentials(firm, access_key="AKIAIOSFODNN7NEWNEW2")
    page = as_alice.get(page_of(firm))
    assert headline(page) == "Mail leaves through Amazon SES"
    assert "mail goes on leaving by the key that ends with MPLE" in text(page)
    assert "The key that ends with NEW2" in text(page)


def test_when_all_works_every_step_is_done(as_alice: Client, firm: Domain) -> None:
    sending_world.works(firm)
    page = as_alice.get(page_of(firm))
    words = re.findall(r'<span class="state stage-(\w+)">', page.content.decode())
    assert words == ["done"] * 5
    said = text(page)
    assert "everybody (production)" in said
    assert "50,000 recipients, 48,796 of them left" in said
    assert "Recipients a second at most 14" in said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"production": False, "review": ""}, "In the sandbox, Amazon brings your mail only to"),
        (
            {"production": False, "review": "PENDING", "case_id": "18"},
            "It is case 18 in the AWS Support Center.",
        ),
        ({"production": False, "review": "DENIED"}, "Amazon declined your request for production."),
        ({"enforcement": "PROBATION"}, "The account is under review"),
        ({"enforcement": "SHUTDOWN"}, "Amazon has stopped all sending by this account."),
        ({"sending_enabled": False}, "Sending is switched off in your AWS account"),
        ({"max24": None}, "no limit"),
        ({"sent24": 50_001}, "quota is used up"),
    ],
)
def test_each_state_of_the_account_has_its_next_step(
    as_alice: Client, firm: Domain, fields: dict[str, object], words: str
) -> None:
    sending_world.works(firm)
    sending_world.standing(firm, **fields)
    assert words in text(as_alice.get(page_of(firm)))


@pytest.mark.parametrize("why", sorted(sending_words.LOOKS))
def test_what_amazon_found_in_the_dns_is_told_with_the_way_to_the_records(
    as_alice: Client, firm: Domain, why: str
) -> None:
    sending_world.credentials(firm, "in_use")
    sending_world.waiting(firm, why)
    page = as_alice.get(page_of(firm))
    said = text(page).replace("&#x27;", "'")
    assert "waits for its records" in said
    assert sending_words.look(why) in said
    assert f'href="/mail/domains/{firm.pk}#records"' in page.content.decode()


def test_what_watching_found_stands_on_top_with_since_when(as_alice: Client, firm: Domain) -> None:
    sending_world.works(firm)
    at = timezone.now() - timedelta(minutes=50)
    sending_world.standing(firm, trouble=refused("wrong_key"), trouble_at=at)
    page = as_alice.get(page_of(firm))
    said = text(page)
    assert headline(page) == "Amazon does not let all mail leave"
    assert "Amazon does not know this access key." in said
    assert "Mail that cannot leave waits on your server" in said
    assert said.index(f"Since {told(at)} . Amazon does not know") < said.index("How far it is")


def test_an_old_key_is_told_of(as_alice: Client, firm: Domain) -> None:
    row = sending_world.works(firm)
    assert "days old" not in text(as_alice.get(page_of(firm)))
    Credentials.objects.filter(pk=row.pk).update(added_at=timezone.now() - timedelta(days=93, hours=1))
    assert "is 93 days old. Make a new one" in text(as_alice.get(page_of(firm)))


def test_sending_is_ended_and_can_begin_again(as_alice: Client, firm: Domain) -> None:
    row = sending_world.works(firm)
    assert "You can set up sending again at any time" in text(as_alice.get(page_of(firm)))
    answer = as_alice.post(page_of(firm), {"do": "remove"}, follow=True)
    row.refresh_from_db()
    assert (row.ended_why, bytes(row.secret.sealed)) == ("removed", b"")
    assert not WayOut.objects.exists()
    assert headline(answer) == "Sending is not set up yet"


def test_several_servers_are_listed(as_alice: Client, firm: Domain, account: Account) -> None:
    mail_world.way_out(mail_world.domain(mail_world.serving(account, "office"), "office.example"))
    said = text(as_alice.get("/mail/sending"))
    assert "Not set up yet: mail to others waits. 3 mails have not left yet." in said
    assert "Through Amazon SES in eu-central-1." in said


def test_notices_leave_in_the_name_of_another_domain(as_alice: Client, firm: Domain, server: Server) -> None:
    sending_world.works(firm)
    page = page_of(firm)
    assert "Choose another sending domain" not in text(as_alice.get(page)), "there is only one"
    other = mail_world.domain(server, "office.example")
    assert "Choose another sending domain" in text(as_alice.get(page))
    answer = as_alice.post(page, {"do": "sender", "sender_domain": str(other.pk)}, follow=True)
    assert "leave in the name of office.example" in text(answer)
    assert WayOut.objects.get().sender == Credentials.objects.get().sender == other
    assert as_alice.post(page, {"do": "sender", "sender_domain": "x"}).status_code == 422
    assert WayOut.objects.get().sender == other


@pytest.mark.parametrize("name", ["bob", "charlie"])
@pytest.mark.parametrize("do", ["set", "again", "drop", "test", "sender", "remove"])
def test_who_is_no_owner_does_nothing(
    client: Client, firm: Domain, bob: User, charlie: User, name: str, do: str
) -> None:
    sending_world.works(firm)
    client.force_login({"bob": bob, "charlie": charlie}[name])
    before = list(Credentials.objects.values())
    assert client.post(page_of(firm), typed(firm, do=do)).status_code == {"bob": 403, "charlie": 404}[name]
    assert list(Credentials.objects.values()) == before


def test_a_member_sees_how_far_it_is_and_no_form(client: Client, firm: Domain, bob: User) -> None:
    sending_world.works(firm)
    client.force_login(bob)
    page = client.get(page_of(firm))
    assert headline(page) == "Mail leaves through Amazon SES"
    assert "Only an owner of the account can change this." in text(page)
    assert 'name="secret"' not in page.content.decode()
    assert 'name="do"' not in page.content.decode()
