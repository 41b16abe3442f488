"""Real Debian 13 hosts: systemd as process 1, cloud-init, a network of their own, on one shared kernel."""
