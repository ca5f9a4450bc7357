"""`manage.py evidence_key`: the public key that evidence is verified with."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.core.signing import public_key


class Command(BaseCommand):
    help = "Print the public key of checkpoints, exports and certificates."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(public_key())
