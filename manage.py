#!/usr/bin/env python3
"""Django's command line for Mailat."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailat.settings")
    from django.core.management import execute_from_command_line

    from mailat import starting

    starting.command(sys.argv)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
