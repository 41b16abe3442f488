"""Run on a Debian host by the tests: puts the web's parts in force, or takes a turn of their chore, or dies in it.

`drive_web.py apply|turn|die FILE`, where FILE holds {"hostname", "addresses", "mail"}; prints what the chore reports.
"""

import json
import os
import signal
import sys

sys.path.insert(0, "/root/agent.pyz")

from mailat_agent.mail import certificates, nginx, roundcube, state, tls
from mailat_agent.mail.change import Change
from mailat_agent.mail.chore import Situation
from mailat_agent.mail.generations import Store
from mailat_agent.mail.part import Host

PARTS = (nginx.PART, roundcube.PART)


def apply(mail, host):
    store = Store()
    store.ready()
    for part in PARTS:
        part.ready(mail, host)
    rendered = {part.name: part.files(mail, host) for part in PARTS}
    Change(PARTS, lambda _names: {}, store).bring(rendered)


def die_between_order_and_adoption():
    adopt = tls.adopt

    def die(home, name):
        if tls.whole(tls.kept(home, name) / tls.NEXT):
            os.kill(os.getpid(), signal.SIGKILL)
        return adopt(home, name)

    tls.adopt = die


def main(what, path):
    with open(path) as file:
        told = json.load(file)
    mail, host = state.read(told["mail"]), Host(told["hostname"], tuple(told["addresses"]))
    if what == "apply":
        return apply(mail, host)
    if what == "die":
        die_between_order_and_adoption()
    print(json.dumps(certificates.run(Situation(mail, host, lambda: apply(mail, host)))))
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
