"""Backups of the host's mail: restic, through a door on loopback to a storage of which the host has no key."""
