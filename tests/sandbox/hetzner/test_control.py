"""The page and the JSON by which people and tests look into the stand-in."""

import re

import pytest
import requests


def test_the_page_says_plainly_what_a_machine_is(standin, ordered):
    page = requests.get(standin.sandbox, timeout=10).text
    assert "alice.example.test" in page
    assert "only the API answers" in page


def test_machines_are_told_without_their_user_data(standin, order):
    order(user_data="#cloud-config\n# secret-token-4711\n")
    answer = requests.get(f"{standin.sandbox}/machines", timeout=10)
    assert answer.json()["kind"] == "none"
    machine = answer.json()["machines"][0]
    assert machine["user_data"] is True
    assert {"id", "name", "kind", "state", "ip", "created"} <= set(machine)
    assert "secret-token-4711" not in answer.text + requests.get(standin.sandbox, timeout=10).text


def test_calls_are_counted_with_their_template(standin, client, ordered):
    requests.delete(f"{standin.sandbox}/calls", timeout=10)
    client.servers.get_by_id(ordered.id)
    client.servers.get_all()
    answer = requests.get(f"{standin.sandbox}/calls", timeout=10).json()
    assert answer["count"] == 2
    assert [(call["method"], call["template"], call["status"]) for call in answer["calls"]] == [
        ("GET", "/v1/servers/<int:id>", 200),
        ("GET", "/v1/servers", 200),
    ]
    last = answer["calls"][0]["id"]
    assert requests.get(f"{standin.sandbox}/calls?since={last}", timeout=10).json()["count"] == 1


def test_a_fault_set_on_the_page_happens(standin, client):
    form = {"kind": "server_error", "operation": "", "times": "always", "seconds": "", "status": "503"}
    back = requests.post(f"{standin.sandbox}/faults", data=form, timeout=10)
    assert back.url == standin.sandbox
    assert "server_error" in back.text
    assert standin.call("GET", "/servers").status_code == 503
    clear = re.search(r'action="([^"]+/faults/\d+/clear)"', back.text)
    requests.post(standin.root + clear[1], data={}, timeout=10)
    assert requests.get(f"{standin.sandbox}/faults", timeout=10).json() == {"faults": []}


@pytest.mark.parametrize("path", ["/faults", "/limits", "/faults/clear", "/machines/1/power"])
def test_a_page_from_elsewhere_changes_nothing(standin, path):
    headers = {"Origin": "https://stranger.example"}
    form = {"kind": "locked", "server_limit": "0"}
    answer = requests.post(standin.sandbox + path, data=form, headers=headers, timeout=10)
    assert answer.status_code == 403
    assert requests.get(f"{standin.sandbox}/faults", timeout=10).json() == {"faults": []}


def test_power_is_cut_and_given_back(standin, ordered, client, hosts):
    power = f"{standin.sandbox}/machines/{ordered.id}/power"
    requests.post(power, json={"on": False}, timeout=10)
    assert client.servers.get_by_id(ordered.id).status == "off"
    assert not hosts.alive(ordered.id)
    requests.post(power, json={"on": True}, timeout=10)
    assert client.servers.get_by_id(ordered.id).status == "running"
    assert hosts.alive(ordered.id)


def test_power_of_no_machine_is_not_found(standin):
    assert (
        requests.post(f"{standin.sandbox}/machines/1/power", json={"on": True}, timeout=10).status_code == 404
    )


def test_the_page_takes_the_frame_of_the_whole_sandbox(standin, tmp_path):
    import flask

    from sandbox.hetzner import blueprint
    from sandbox.hosts import choose

    frame = tmp_path / "templates"
    frame.mkdir()
    (frame / "sandbox.html").write_text(
        "<title>{% block title %}{% endblock %}</title>FRAME{% block main %}{% endblock %}"
    )
    app = flask.Flask("whole", template_folder=str(frame))
    app.register_blueprint(
        blueprint(tmp_path / "whole", "t", choose("none", tmp_path, 1)), url_prefix="/hetzner"
    )
    assert "FRAME" in app.test_client().get("/hetzner/sandbox").text
