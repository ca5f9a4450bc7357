"""`manage.py verify_audit`: recompute the whole chain; exit 1 at the first bad link."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.audit.errors import ChainBroken
from apps.audit.selectors import verify_chains


class Command(BaseCommand):
    help = "Verify every audit chain, its head and the signed checkpoints."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            states = verify_chains()
        except ChainBroken as error:
            if options["json"]:
                self.stdout.write(json.dumps({"verified": False, "error": str(error)}))
            else:
                self.stderr.write(f"BROKEN: {error}")
            sys.exit(1)
        if options["json"]:
            chains = {state.name: state.sequence for state in states}
            self.stdout.write(json.dumps({"verified": True, "chains": chains}))
            return
        for state in states:
            self.stdout.write(f"{state.name}: verified to entry {state.sequence}")
        total = sum(state.entries for state in states)
        self.stdout.write(f"Verified {total} entries in {len(states)} chains.")
