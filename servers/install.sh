#!/bin/sh
# Run once by cloud-init: installs the mail system, fetches the agent, checks that it is the one that was meant, starts it.
# Where /etc/mailat/bake is there, no agent comes: the machine is cleaned and turns itself off, ready to be an image.
set -eu
packages="
  postfix postfix-pcre postsrsd libsasl2-modules
  dovecot-core dovecot-imapd dovecot-lmtpd dovecot-sieve dovecot-managesieved
  rspamd redis-server
  nginx php-fpm php-sqlite3 php-zip roundcube-core roundcube-sqlite3 roundcube-plugins certbot
  nftables fail2ban python3-systemd
  python3-apt python3-cryptography unattended-upgrades
  ca-certificates cron openssl zstd restic"
# None of these runs with Debian's own configuration: they wait, at each boot too, until ours is there.
daemons="postfix postsrsd dovecot rspamd redis-server nginx php8.4-fpm fail2ban"
# Of these the installed version is kept as a file, so that an update which breaks mail can be taken back.
kept="postfix|dovecot-|postsrsd|rspamd|redis-|nginx|php8|roundcube|fail2ban|nftables"

is_installed() {
  states=$(dpkg-query -W -f '${db:Status-Abbrev}\n' "$@" 2>/dev/null) || return 1
  ! echo "$states" | grep -qv '^ii'
}

be_quiet() {
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  for daemon in $daemons; do
    install -d "/etc/systemd/system/$daemon.service.d"
    printf '[Unit]\nConditionPathExists=/etc/mailat/mail\n' >"/etc/systemd/system/$daemon.service.d/mailat.conf"
  done
  debconf-set-selections <<'ANSWERS'
postfix postfix/main_mailer_type select No configuration
roundcube-core roundcube/dbconfig-install boolean false
ANSWERS
}

# A machine's first minutes belong to apt's own timers as well, so wait for their lock.
apt_get() {
  apt-get -qy -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confold --no-install-recommends "$@"
}

install_all() {
  export DEBIAN_FRONTEND=noninteractive
  dpkg --configure -a && apt_get update && apt_get upgrade --with-new-pkgs && apt_get install $packages
}

# Rspamd compiles its list of top-level domains once for the kind of processor that it runs on, ten seconds of its first
# start. This does so as soon as it can, while other packages are installed; what it is asked does not matter.
warm_up_rspamd() {
  until is_installed rspamd; do
    [ -e /usr/sbin/policy-rc.d ] || return 0
    sleep 0.5
  done
  for _time in to-compile to-lay-out; do
    runuser -u _rspamd -- rspamadm mime urls /etc/hostname || return 0
  done
}

# A mirror may be away, or be between two states.
install_mail_system() {
  be_quiet
  warm_up_rspamd >/dev/null 2>&1 &
  for pause in 5 15 30 60 120 0; do
    install_all && break
    sleep "$pause"
  done
  rm -f /usr/sbin/policy-rc.d
  is_installed $packages
  systemctl disable --now --quiet certbot.timer # certificates are renewed in one place, by the agent
  systemctl enable --quiet nftables.service     # its rules come with the first order
  find /var/cache/apt/archives -name '*.deb' -printf '%f\n' | grep -Ev "^($kept)" |
    while read -r file; do rm "/var/cache/apt/archives/$file"; done
  systemctl daemon-reload
  systemctl start cron.service # installed while nothing might start, and needed before the first reboot
}

# What a machine has to itself must not be in an image: its names, its keys, its memories. Only then is it turned off.
become_an_image() {
  cat >/usr/local/sbin/mailat-clean <<'CLEAN'
#!/bin/sh
set -eu
rm -f /var/cache/apt/*.bin
rm -rf /var/lib/apt/lists/* /etc/mailat /root/.bash_history /root/.ssh
rm -f /etc/ssh/ssh_host_* /var/lib/systemd/random-seed /usr/local/sbin/mailat-*
journalctl --quiet --rotate --vacuum-time=1s
find /var/log -type f ! -path '/var/log/journal/*' -exec truncate -s 0 {} +
cloud-init clean --logs --seed
: >/etc/machine-id
sync
systemctl poweroff
CLEAN
  chmod 755 /usr/local/sbin/mailat-clean
  systemd-run --quiet --no-block --property=After=cloud-final.service /usr/local/sbin/mailat-clean
}

fetch_agent() {
  python3 - /etc/mailat/agent.json /usr/local/lib/mailat/agent.pyz <<'PYTHON'
import hashlib, http.client, json, os, sys, time, urllib.request
config, place = json.load(open(sys.argv[1])), sys.argv[2]
for attempt in range(60):
    try:
        body = urllib.request.urlopen(config["agent_url"], timeout=30).read(8 << 20)
        if hashlib.sha256(body).hexdigest() == config["agent_sha256"]:
            break
        print("what was fetched is not the agent that was meant", flush=True)
    except (OSError, http.client.HTTPException) as error:
        print("the agent cannot be fetched yet:", error, flush=True)
    time.sleep(min(30, 2 + attempt))
else:
    sys.exit("the agent could not be fetched")
with open(place + ".new", "wb") as file:
    file.write(body)
os.chmod(place + ".new", 0o755)
os.replace(place + ".new", place)
PYTHON
}

start_agent() {
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
  systemctl enable --quiet --no-reload mailat-agent.service
  systemctl daemon-reload
  systemctl start mailat-agent.service
}

is_installed $packages || install_mail_system
if [ -e /etc/mailat/bake ]; then
  wait
  become_an_image
  exit
fi
install -d -m 0755 /usr/local/lib/mailat
install -d -m 0700 /var/lib/mailat
fetch_agent
start_agent
wait
