"""An address that passes to another person opens nothing of the first: not mail, address book, counters or bounces."""

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.mailat_agent.mail import addresses, dovecot, owners, traces
from agent.mailat_agent.mail.apply import Key, MailSystem
from agent.mailat_agent.mail.change import NotDone
from agent.mailat_agent.mail.commands import Failed
from agent.mailat_agent.mail.owners import closed, served
from agent.mailat_agent.mail.part import File, Host, Part
from agent.mailat_agent.mail.state import Mail, read
from tests.agent.mail.small_store import ADDRESS, ANNA, BERTA, SmallStore, box, wanted
from tests.agent.orders import mail, mailbox

PROGRAM = """#!/bin/sh
echo "$(basename "$0")" "$@" >>"$0.asked"
case "$(basename "$0")" in
postqueue) cat "$0.says" ;;
postcat) echo "named_attribute: sasl_username=$(cat "$0.says")" ;;
postsuper) cat >>"$0.asked" ;;
esac
"""


@pytest.fixture
def here(tmp_path: Path) -> SmallStore:
    """Anna has the address and uses webmail."""
    here = SmallStore(tmp_path)
    here.owners.hand_over(wanted((ADDRESS, ANNA)))
    here.serve((ADDRESS, ANNA))
    here.use(ADDRESS, "Zacharias")
    return here


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Postfix' programs, which write down what they are asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("postqueue", "postcat", "postsuper"):
        (folder / name).write_text(PROGRAM)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def test_each_owner_of_an_address_has_a_home_of_their_own() -> None:
    host = Host("post.servers.test", ())

    def users(owner: str) -> dict[str, str]:
        files = {file.path: file.text for file in dovecot.files(wanted((ADDRESS, owner)), host)}
        lines = [line.split(":") for line in files["dovecot/users"].splitlines()]
        return {line[0]: line[5] for line in lines}

    assert users(ANNA)[ADDRESS] == f"/srv/mail/firm.test/anna/{ANNA}"
    assert users(BERTA)[ADDRESS] == f"/srv/mail/firm.test/anna/{BERTA}"
    assert users(ANNA)["canary@post.servers.test"] == "/srv/mail/post.servers.test/canary/service"


@pytest.mark.parametrize("local", ["anna", "anna.berg", "o'neil", "_x", "a+b", "{x}"])
def test_a_directorys_name_tells_whose_it_is(local: str) -> None:
    assert addresses.local_part(addresses.file_name(local)) == local
    assert "/" not in addresses.file_name(local)


def test_while_the_owner_is_served_nothing_of_theirs_is_touched(here: SmallStore) -> None:
    assert here.owners.leaving(wanted((ADDRESS, BERTA))) == {ADDRESS: ANNA}
    assert here.owners.hand_over(wanted((ADDRESS, BERTA))) == [ADDRESS]
    assert here.friends(ADDRESS) == ["Zacharias"]


def test_whoever_gets_the_address_begins_with_nothing(here: SmallStore) -> None:
    here.serve((ADDRESS, BERTA))

    assert here.owners.hand_over(wanted((ADDRESS, BERTA))) == []

    assert (here.friends(ADDRESS), here.sent(ADDRESS), here.sessions()) == ([], 0, 0)
    assert here.owners.leaving(wanted((ADDRESS, BERTA))) == {}
    assert not here.owners.known(ANNA)


def test_whoever_comes_back_finds_everything(here: SmallStore) -> None:
    here.serve()
    here.owners.hand_over(wanted())
    assert (here.friends(ANNA), here.friends(ADDRESS)) == (["Zacharias"], [])

    here.owners.hand_over(wanted((ADDRESS, ANNA)))

    assert (here.friends(ADDRESS), here.sent(ADDRESS)) == (["Zacharias"], 7)


def test_so_does_who_comes_back_after_another_had_the_address(here: SmallStore) -> None:
    here.serve((ADDRESS, BERTA))
    here.owners.hand_over(wanted((ADDRESS, BERTA)))
    here.use(ADDRESS, "Yvonne")
    here.serve()
    here.owners.hand_over(wanted((ADDRESS, ANNA)))

    assert (here.friends(ADDRESS), here.friends(BERTA)) == (["Zacharias"], ["Yvonne"])


def test_a_mailbox_may_move_to_another_address_with_all_that_is_its(here: SmallStore) -> None:
    here.serve()
    here.owners.hand_over(wanted(("anna.berg@firm.test", ANNA)))

    assert (here.friends("anna.berg@firm.test"), here.friends(ADDRESS)) == (["Zacharias"], [])


def test_if_the_disk_lost_who_had_what_those_in_force_have_it(here: SmallStore) -> None:
    (here.home / owners.FILE).unlink()

    assert here.owners.leaving(wanted((ADDRESS, BERTA))) == {ADDRESS: ANNA}
    assert here.owners.hand_over(wanted((ADDRESS, BERTA))) == [ADDRESS]


def test_until_then_nobody_can_sign_in_and_mail_is_taken() -> None:
    order = wanted((ADDRESS, BERTA))
    with_password = closed(order, [])
    assert with_password == order

    shut = box(closed(wanted((ADDRESS, BERTA)), [ADDRESS]))

    assert (shut.password, shut.app_passwords, shut.suspended) == (None, (), False)
    assert shut.id == BERTA


def test_the_queue_keeps_nothing_of_the_last_owner_for_the_next(here: SmallStore, programs: Path) -> None:
    waiting = [
        {"queue_id": "AAA1", "sender": "anna+x@firm.test", "recipients": [{"address": "bo@out.test"}]},
        {"queue_id": "BBB2", "sender": "bo@out.test", "recipients": [{"address": ADDRESS}]},
        {"queue_id": "CCC3", "sender": "bo@out.test", "recipients": [{"address": "carl@firm.test"}]},
    ]
    (programs / "postqueue.says").write_text("".join(f"{json.dumps(each)}\n" for each in waiting))
    (programs / "postcat.says").write_text("")
    here.serve((ADDRESS, BERTA))

    here.owners.hand_over(wanted((ADDRESS, BERTA)))

    asked = (programs / "postsuper.asked").read_text().splitlines()
    assert asked == ["postsuper -d -", "AAA1", "postsuper -f -", "BBB2"]


def test_what_was_written_in_the_name_of_an_alias_is_theirs_too(programs: Path) -> None:
    waits = {"queue_id": "AAA1", "sender": "info@firm.test", "recipients": [{"address": "bo@out.test"}]}
    (programs / "postqueue.says").write_text(f"{json.dumps(waits)}\n")
    (programs / "postcat.says").write_text(ADDRESS)

    traces.clear_queue(ADDRESS)

    assert (programs / "postsuper.asked").read_text().splitlines() == ["postsuper -d -", "AAA1"]


def test_whoever_comes_back_keeps_what_waits(here: SmallStore, programs: Path) -> None:
    here.serve()
    here.owners.hand_over(wanted())
    here.owners.hand_over(wanted((ADDRESS, ANNA)))

    assert not (programs / "postqueue.asked").exists()


PASSWORD = "{SSHA512}" + "h" * 88


def system_of(here: SmallStore, *, refusing: bool = False) -> MailSystem:
    """A mail system of Dovecot's files alone, as its users have no other daemon here."""
    user = here.root.owner()

    def files(order: Mail, host: Host) -> list[File]:
        rendered = {file.path: file.text for file in dovecot.files(order, host)}
        names = ("dovecot/users", "dovecot/passwords")
        return [File(name, rendered[name], owner=user, group=here.root.group()) for name in names]

    part = Part("dovecot", files, check=(("false",),) if refusing else ())
    system = MailSystem(Key("server", X25519PrivateKey.generate()), store=here.generations, parts=[part])
    if refusing:
        system.change.check = lambda *_args: refuse()
    return system


def refuse() -> None:
    raise Failed("the checker says no")


def order_for(owner: str) -> Mail:
    boxes = [mailbox(ADDRESS, id=owner, password=PASSWORD)] if owner else []
    return read(mail(mailboxes=boxes))


def may_sign_in(here: SmallStore, number: int) -> bool:
    return PASSWORD in (here.generations.place(number) / "dovecot/passwords").read_text()


def test_an_order_that_changes_the_owner_shuts_the_door_before_it_opens_to_the_next(tmp_path: Path) -> None:
    here = SmallStore(tmp_path)
    host = Host("post.servers.test", (), here.home)
    system_of(here)._bring(order_for(ANNA), host)
    here.use(ADDRESS, "Zacharias")

    system_of(here)._bring(order_for(BERTA), host)

    assert here.generations.numbers() == [1, 2, 3]
    assert [may_sign_in(here, number) for number in (1, 2, 3)] == [True, False, True]
    assert served(here.generations.place(2))[ADDRESS] == BERTA, "mail is taken all the while"
    assert here.friends(ADDRESS) == []


def test_an_order_that_changes_no_owner_makes_one_generation(tmp_path: Path) -> None:
    here = SmallStore(tmp_path)
    host = Host("post.servers.test", (), here.home)
    for owner in (ANNA, ANNA, "", ANNA):
        system_of(here)._bring(order_for(owner), host)
    assert here.generations.numbers() == [1, 2, 3]


def test_where_the_door_cannot_be_shut_the_address_does_not_pass(tmp_path: Path) -> None:
    here = SmallStore(tmp_path)
    host = Host("post.servers.test", (), here.home)
    system_of(here)._bring(order_for(ANNA), host)
    here.use(ADDRESS, "Zacharias")

    with pytest.raises(NotDone, match="the checker says no"):
        system_of(here, refusing=True)._bring(order_for(BERTA), host)

    assert here.owners.in_force()[ADDRESS] == ANNA
    assert here.friends(ADDRESS) == ["Zacharias"]
