#!/usr/bin/env python
"""Command line of the platform: `manage.py help` lists what operators can do."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    from pe_platform.local_env import ensure_local_env

    ensure_local_env(Path(__file__).resolve().parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pe_platform.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.configured or settings.INSTALLED_APPS  # noqa: B018
    except ImproperlyConfigured as error:
        # Django would say that the command is unknown.
        sys.exit(f"The settings cannot be used: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
