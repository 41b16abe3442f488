"""Runs a command as a machine of the hosts' network: `python -m sandbox.internet.outside --home DIR -- COMMAND…`.

It has that machine's address, its names and whom it trusts; files, user and everything else stay as they are. The exit
status is the command's. Root on Linux only.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import tempfile

from sandbox.hosts.debian import machines
from sandbox.hosts.debian.lan import notes
from sandbox.internet import addresses

# $1 is a resolv.conf, $2 a bundle, $3 where this computer keeps its own: seen so by the command and its children only.
SCRIPT = """set -e
mount --bind "$1" "$(readlink -f /etc/resolv.conf)"
if [ -e "$3" ]; then mount --bind "$2" "$(readlink -f "$3")"; fi
rm -f "$1"
shift 3
exec "$@"
"""
OWN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
NOT_STARTED = 125  # as `env` and `nsenter` say that they could not


def main() -> int:
    wishes = _arguments()
    try:
        network = machines.noted(notes(wishes.home))
        address = addresses.read(network.network, wishes.address)
        with network.machine(address) as machine:
            os.set_inheritable(machine.namespace, True)
            _become(machine, str(network.network[1]), wishes)
    except (machines.NoLan, ValueError, OSError) as problem:
        print(f"{wishes.command[0]} was not started: {problem}", file=sys.stderr)
    return NOT_STARTED


def _arguments() -> argparse.Namespace:
    about = "Runs a command as a machine of the sandbox's network."
    parser = argparse.ArgumentParser(prog="python -m sandbox.internet.outside", description=about)
    parser.add_argument("--home", type=pathlib.Path, required=True, help="the sandbox's")
    default = f".{addresses.LAPTOP}"
    parser.add_argument("--address", default=default, help=f"which machine: .2 to .9 (default {default})")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _become(machine: machines.Machine, dns_server: str, wishes: argparse.Namespace) -> None:
    """Replaces this process, so that signals and the exit status are the command's own."""
    bundle = str(wishes.home.resolve() / "internet" / "ca-bundle.pem")
    number, resolver = tempfile.mkstemp(prefix="resolv-")
    os.write(number, f"nameserver {dns_server}\n".encode())
    os.close(number)
    apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh"]
    command = ["nsenter", f"--net=/proc/self/fd/{machine.namespace}", *apart, resolver, bundle, OWN_BUNDLE]
    told = {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle, "CURL_CA_BUNDLE": bundle}
    os.execvpe(command[0], [*command, *wishes.command], {**os.environ, **told})  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
