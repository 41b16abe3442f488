#!/bin/sh
# Run once by cloud-init: fetches the agent, checks that it is the one that was meant, and starts it.
set -eu
config=/etc/mailat/agent.json
python3 -c 'import cryptography' 2>/dev/null || {
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-cryptography
}
install -d -m 0755 /usr/local/lib/mailat
install -d -m 0700 /var/lib/mailat
python3 - "$config" /usr/local/lib/mailat/agent.pyz <<'PYTHON'
import hashlib, json, os, sys, time, urllib.request
config, place = json.load(open(sys.argv[1])), sys.argv[2]
for attempt in range(60):
    try:
        body = urllib.request.urlopen(config["agent_url"], timeout=30).read(8 << 20)
        break
    except OSError as error:
        print("the agent cannot be fetched yet:", error, flush=True)
        time.sleep(min(30, 2 + attempt))
else:
    sys.exit("the agent could not be fetched")
if hashlib.sha256(body).hexdigest() != config["agent_sha256"]:
    sys.exit("what was fetched is not the agent that was meant")
with open(place + ".new", "wb") as file:
    file.write(body)
os.chmod(place + ".new", 0o755)
os.replace(place + ".new", place)
PYTHON
cat >/etc/systemd/system/mailat-agent.service <<'UNIT'
[Unit]
Description=Mailat agent
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/mailat/agent.pyz --config /etc/mailat/agent.json --state /var/lib/mailat
Restart=always
RestartSec=5
RestartPreventExitStatus=0

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --now mailat-agent.service
