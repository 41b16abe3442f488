"""The pages and the JSON of the mailbox."""

from __future__ import annotations

import pathlib
from typing import Any

import flask

from sandbox.mail.letters import headers, html_of, linked, links, parsed, text_of
from sandbox.mail.server import FAULTS, Faults, listen
from sandbox.mail.store import Store

TARGET = '<base target="_top">'
MOST_TIMES = 1000
NUMBER = f"<int(max={2**53}):number>"
# A letter is shown in a frame of its own, where nothing runs and nothing is fetched.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-top-navigation-by-user-activation"


class Office:
    """The SMTP server and its pages; `blueprint` is mounted at /mail."""

    def __init__(self, home: pathlib.Path, smtp_port: int = 0) -> None:
        self.store, self.faults = Store(home), Faults()
        self._controller = listen(self.store, self.faults, smtp_port)
        self.smtp = f"127.0.0.1:{self._controller.port}"
        self.blueprint = self._pages()

    def close(self) -> None:
        self._controller.stop()

    def _pages(self) -> flask.Blueprint:
        doors = flask.Blueprint("mail", __name__, template_folder="templates")
        doors.add_url_rule("/", view_func=self.list_page)
        doors.add_url_rule(f"/{NUMBER}", view_func=self.letter_page)
        doors.add_url_rule(f"/{NUMBER}/html", view_func=self.letter_html)
        doors.add_url_rule("/api/messages", view_func=self.messages)
        doors.add_url_rule("/api/messages", view_func=self.clear, methods=["DELETE"])
        doors.add_url_rule("/api/newest", view_func=self.newest)
        doors.add_url_rule("/api/faults", view_func=self.show_faults)
        doors.add_url_rule("/api/faults", view_func=self.add_fault, methods=["POST"])
        doors.add_url_rule("/api/faults", view_func=self.clear_faults, methods=["DELETE"])
        return doors

    def list_page(self) -> str:
        to = flask.request.args.get("to", "")
        return flask.render_template(
            "mail/list.html", messages=self.store.all(to), to=to, newest=self.store.newest()
        )

    def letter_page(self, number: int) -> str:
        row = self.store.one(number) or flask.abort(404)
        message = parsed(row["raw"])
        return flask.render_template(
            "mail/letter.html",
            row=row,
            text=linked(text_of(message)),
            has_html=bool(html_of(message)),
            headers=headers(message),
        )

    def letter_html(self, number: int) -> flask.Response:
        row = self.store.one(number) or flask.abort(404)
        page = flask.Response(with_links_on_top(html_of(parsed(row["raw"]))))
        page.headers["Content-Security-Policy"] = LETTER_POLICY
        return page

    def messages(self) -> flask.Response:
        found = self.store.all(flask.request.args.get("to", ""))
        return flask.jsonify({"messages": [told(row) for row in found]})

    def clear(self) -> flask.Response:
        self.store.clear()
        return flask.jsonify({"messages": []})

    def newest(self) -> flask.Response:
        return flask.jsonify({"newest": self.store.newest()})

    def show_faults(self) -> flask.Response:
        return flask.jsonify({"faults": self.faults.all(), "kinds": FAULTS})

    def add_fault(self) -> flask.typing.ResponseReturnValue:
        wish = flask.request.get_json(silent=True)
        wish = wish if isinstance(wish, dict) else {}
        kind, times = wish.get("kind"), wish.get("times", 1)
        if not isinstance(kind, str) or kind not in FAULTS:
            return flask.jsonify({"error": f"kind must be one of {', '.join(FAULTS)}"}), 400
        if not isinstance(times, int) or not 0 < times <= MOST_TIMES:
            return flask.jsonify({"error": f"times must be a whole number from 1 to {MOST_TIMES}"}), 400
        self.faults.add(kind, times)
        return flask.jsonify({"faults": self.faults.all()}), 201

    def clear_faults(self) -> flask.Response:
        self.faults.clear()
        return flask.jsonify({"faults": {}})


def with_links_on_top(html: str) -> str:
    """A link in the letter opens in the window; within the frame most sites refuse to be shown."""
    head, tag, rest = html.partition("<head>")
    return f"{head}{tag}{TARGET}{rest}" if tag else TARGET + html


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A message as JSON."""
    message = parsed(row["raw"])
    text = text_of(message)
    kept = {
        name: row[name]
        for name in ("id", "recipient", "sender", "subject", "message_id", "received", "deliveries")
    }
    return {
        **kept,
        "to": row["recipient"],
        "text": text,
        "html": html_of(message),
        "links": links(text),
    }
