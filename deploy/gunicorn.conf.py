"""The web process: threads, because its work is waiting for Postgres; no access log, because the app writes one
that names routes instead of paths (a path may hold a sign-in token or the webhook's secret)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

wsgi_app = "mailat.wsgi"
bind = os.environ.get("BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a heartbeat file; never on a disk
timeout = 30
graceful_timeout = 25
keepalive = 75
accesslog = None
errorlog = "-"
loglevel = "warning"
# The app sees the proxy's address either way; who is believed about the scheme is settled in its settings.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
control_socket_disable = True


def on_starting(server: Any) -> None:
    """A set-up with which no worker would start is told once, instead of by one worker after the other without end.

    In a process of its own, so that this one has nothing of the app and passes nothing old on when it is told to reload.
    """
    code = subprocess.run([sys.executable, "-m", "mailat.starting"], check=False).returncode
    if code:
        sys.exit(code)
