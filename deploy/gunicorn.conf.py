"""The web process: threads, because its work is waiting for Postgres; no access log, because the app writes one
that names routes instead of paths (a path may hold a sign-in token or the webhook's secret)."""

import os
from pathlib import Path

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
