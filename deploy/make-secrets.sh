#!/bin/sh
# Makes the secrets of a new installation in deploy/secrets; what is there already stays as it is.
#
# The directory is closed to all but its owner. The files in it can be read by all, because each is mounted alone into the
# containers that need it, where another user reads it.
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"

keep() { # keep NAME: the standard input, unless the file is there
    if [ -e "$folder/$1" ]; then cat >/dev/null; else cat >"$folder/$1"; fi
}
random() { openssl rand -base64 48 | tr -d '\n=' | tr '+/' '-_'; }

random | keep SECRET_KEY
random | keep GUMROAD_WEBHOOK_SECRET
printf '' | keep GUMROAD_WEBHOOK_SECRET_BEFORE
random | keep postgres-superuser
random | keep postgres-mailat
printf 'postgresql://mailat:%s@postgres/mailat' "$(cat "$folder/postgres-mailat")" | keep DATABASE_URL
openssl genpkey -algorithm ed25519 | keep signing-key.pem
openssl pkey -in "$folder/signing-key.pem" -pubout | keep signing-public-keys.pem
openssl genpkey -algorithm x25519 | keep vault-private-keys.pem
openssl pkey -in "$folder/vault-private-keys.pem" -pubout | keep vault-public-keys.pem
chmod 0444 "$folder"/*

for name in HETZNER_TOKEN GUMROAD_TOKEN EMAIL_URL STORAGE_ACCESS_KEY STORAGE_SECRET_KEY; do
    if [ ! -e "$folder/$name" ]; then
        : >"$folder/$name"
        chmod 0644 "$folder/$name"
        echo "Write the $name into $folder/$name"
    fi
done
echo "Turn click tracking off at the mail provider of EMAIL_URL: it would hold every link that signs somebody in"
echo "At Gumroad, under Settings, Advanced: enter your BASE_URL with /hooks/gumroad/ and what stands in"
echo "$folder/GUMROAD_WEBHOOK_SECRET as the Ping endpoint, where sales are told. Make an application there, and a token for it"
echo "with the scope view_sales: by that GUMROAD_TOKEN Mailat asks to be told of everything else, without your help."
