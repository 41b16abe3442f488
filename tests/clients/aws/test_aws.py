"""The client against the stand-in that really checks: who a key is, every refusal, and no secret anywhere."""

import logging
import os
import subprocess
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from clients import aws_calls
from clients import aws_errors as reasons
from clients.aws import Aws, Credentials, regions
from clients.errors import Refused, TryLater
from tests.sandbox.aws.place import OFF, REGION


def aws(place, key, region=REGION, **other):
    return Aws(
        Credentials(other.get("access_key", key["access_key"]), other.get("secret", key["secret"]), region),
        place.api,
    )


def calls(client):
    """One call of each service."""
    return [
        client.identity,
        client.ses.account,
        lambda: client.sns.delete_topic(f"arn:aws:sns:{REGION}:123456789012:t"),
    ]


def test_a_user_is_known_by_account_and_name(place, key):
    found = aws(place, key).user()
    assert (found.account, found.arn, found.kind) == (key["account"], key["arn"], "user")


def test_the_accounts_own_key_is_refused(place):
    root = place.key(kind="root")
    assert aws(place, root).identity().kind == "root"
    with pytest.raises(reasons.RootKey):
        aws(place, root).user()


def test_a_temporary_key_is_refused_without_asking(place):
    temporary = place.key(kind="temporary")
    for call in calls(
        Aws(Credentials(temporary["access_key"], temporary["secret"], REGION), "http://127.0.0.1:1")
    ):
        with pytest.raises(reasons.TemporaryKey):
            call()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_wrong_half_of_a_key_is_named(place, key, number):
    with pytest.raises(reasons.WrongSecret):
        calls(aws(place, key, secret=key["secret"][::-1]))[number]()
    with pytest.raises(reasons.WrongKey):
        calls(aws(place, key, access_key="AKIA" + "A" * 16))[number]()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_wrong_clock_is_no_fault_of_the_keys(place, key, number):
    place.post("clock", seconds=3600)
    try:
        with pytest.raises(reasons.ClockSkew):
            calls(aws(place, key))[number]()
    finally:
        place.post("clock", seconds=0)


def test_a_region_that_is_off_is_told_from_a_wrong_key(place, key):
    client = aws(place, key, OFF)
    assert client.user().account == key["account"]
    with pytest.raises(reasons.RegionNotEnabled):
        client.ses.account()
    with pytest.raises(reasons.RegionNotEnabled):
        client.sns.delete_topic(f"arn:aws:sns:{OFF}:{key['account']}:t")
    with pytest.raises(reasons.WrongKey):
        aws(place, key, OFF, access_key="AKIA" + "A" * 16).ses.account()


def test_too_many_calls_are_asked_again_later(place, key):
    place.choose(key, "throttled")
    with pytest.raises(reasons.Throttled):
        aws(place, key).ses.account()
    with pytest.raises(reasons.Throttled):
        aws(place, key).sns.ensure_topic("t", account=key["account"], configuration_set="s")


def test_where_nobody_answers_it_is_tried_again_later(key):
    with pytest.raises(TryLater) as caught:
        Aws(Credentials(key["access_key"], key["secret"], REGION), "http://127.0.0.1:1").identity()
    assert caught.value.code == "network"


@pytest.fixture
def strange():
    """A server that says something else than Amazon; `say` is what."""

    class Handler(BaseHTTPRequestHandler):
        say = (200, b"<html>proxy</html>")

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(self.say[0])
            self.send_header("Content-Length", str(len(self.say[1])))
            self.end_headers()
            self.wfile.write(self.say[1])

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    Handler.url = f"http://127.0.0.1:{server.server_port}"
    yield Handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "say",
    [
        (200, b"<html>"),
        (502, b"<html>bad gateway</html>"),
        (500, b""),
        (200, b"\x00"),
        (429, b"{}"),
        (503, b"<a/>"),
    ],
)
def test_an_answer_that_is_none_of_amazons_is_tried_again_later(strange, say):
    strange.say = say
    client = Aws(Credentials("AKIA" + "A" * 16, "s" * 40, REGION), strange.url)
    with pytest.raises(TryLater):
        client.identity()
    with pytest.raises(TryLater):
        client.ses.account()


def test_a_silent_server_is_not_waited_for_long(monkeypatch):
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(aws_calls, "READ", 0.2)
    aws_calls._config.cache_clear()
    try:
        with pytest.raises(TryLater) as caught:
            Aws(
                Credentials("AKIA" + "A" * 16, "s" * 40, REGION),
                f"http://127.0.0.1:{listener.getsockname()[1]}",
            ).identity()
        assert caught.value.code == "timeout"
    finally:
        aws_calls._config.cache_clear()
        listener.close()


def test_production_has_the_time_outs_that_were_decided():
    settings = aws_calls._config()
    assert (settings.connect_timeout, settings.read_timeout) == (3, 10)
    assert settings.retries["total_max_attempts"] == 1


def test_a_secret_is_in_no_log_and_no_error(place, key, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="botocore")
    secret = key["secret"]
    wrong, failed = secret[::-1], []
    clients = aws(place, key), aws(place, key, secret=wrong), aws(place, key, OFF), aws(place, key, "mars-1")
    for call in (call for client in clients for call in calls(client)):
        try:
            call()
        except Exception as error:
            failed.append(error)
    text = caplog.text + "".join(
        "".join(traceback.format_exception(one)) + repr(one.__dict__) for one in failed
    )
    assert len(failed) > 6
    assert key["access_key"] in text
    assert secret not in text
    assert wrong not in text
    assert [one for one in failed if one.__context__ or holders(one, secret, wrong)] == []


def test_signatures_are_in_no_log_even_where_everything_is_logged(place, key, caplog):
    caplog.set_level(logging.DEBUG)
    aws(place, key).ses.account()
    assert "Signature" not in caplog.text


def holders(error, *secrets):
    """Frames of ours below the call, whose variables show a secret as a collector of errors would write them down."""
    found, trace = [], error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename.startswith(os.path.dirname(aws_calls.__file__)):
            shown = repr(trace.tb_frame.f_locals)
            found += [trace.tb_frame.f_code.co_name for secret in secrets if secret in shown]
        trace = trace.tb_next
    return found


def test_what_stands_in_the_environment_is_not_the_customers(place, key, tmp_path):
    """A profile that is not there, another endpoint and other keys would all change what the library does by itself."""
    script = (
        "from clients.aws import Aws, Credentials; import sys;"
        f"print(Aws(Credentials({key['access_key']!r}, sys.stdin.read(), {REGION!r}), {place.api!r}).user().account)"
    )
    (tmp_path / "config").write_text("[default]\nregion = mars\nretry_mode = nonsense\n")
    env = {
        **os.environ, "AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "AKIAX",
        "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "x", "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-c", script],
        input=key["secret"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.strip() == key["account"], run.stderr


def test_nothing_that_is_kept_for_the_process_knows_a_key(place, key):
    aws(place, key).user()
    assert aws_calls._session().get_credentials() is None


def test_regions_are_those_of_the_library():
    assert {"eu-central-1", "us-east-1", "eu-south-1"} <= set(regions())
    assert not any(region.startswith("cn-") for region in regions())


def test_a_region_that_is_no_name_is_refused(place, key):
    with pytest.raises(Refused):
        Aws(Credentials(key["access_key"], key["secret"], "a.b/c"), place.api).ses.account()
