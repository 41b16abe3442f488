#!/bin/sh
# A secret is a file named like its setting. So it stands neither in the compose file nor in what docker inspect shows.
set -eu
for file in /run/secrets/[A-Z]*; do
    if [ -f "$file" ]; then
        name=$(basename "$file")
        value=$(cat "$file")
        export "$name=$value"
    fi
done
exec "$@"
