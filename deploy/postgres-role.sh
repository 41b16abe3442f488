#!/bin/sh
# Run once by the Postgres image, when its data is new: the product's role owns its database and is no superuser.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/postgres-mailat)" <<'SQL'
CREATE ROLE mailat LOGIN PASSWORD :'password';
CREATE DATABASE mailat OWNER mailat;
SQL
