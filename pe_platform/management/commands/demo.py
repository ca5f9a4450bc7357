"""`manage.py demo`: the main job, once, against a running platform."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.permissions import system_actor
from apps.audit.checkpoints import write_checkpoint
from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from apps.audit.services import record_event
from apps.core.actors import Subject
from apps.core.errors import PlatformError
from pe_platform.demo import access, cast, data, people, policy, training

COMPLETED = "platform.demo_completed"


class Command(BaseCommand):
    help = "Show the whole journey from a dataset to a gated answer; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000")

    def handle(self, *args: Any, **options: Any) -> None:
        self.url = str(options["url"]).rstrip("/")
        try:
            self._govern()
            if AuditEntry.objects.filter(event=COMPLETED).exists():
                self._remind()
            else:
                self._show_first_time()
        except PlatformError as error:
            raise CommandError(f"{error.title}: {error.message}") from error

    def _say(self, line: str = "") -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _govern(self) -> None:
        people.ensure_people()
        in_force = policy.ensure_policy()
        self._say(f"Safety policy {in_force.name} v{in_force.version} is in force.")
        frozen = {}
        for wanted in (*cast.DATASETS, cast.SAFETY_SUITE):
            version = data.ensure_frozen(wanted)
            if wanted in cast.DATASETS:
                frozen[wanted.part] = version
            self._say(f"Dataset {wanted.name} is frozen: {version.row_count} rows.")
        run = training.ensure_run(frozen, self._say)
        self._say(f"Training run {run.pk} succeeded at step {run.step}.")
        served = training.ensure_production(run, self._say)
        self._say(f"In production: {served.model.name} version {served.number}.")

    def _show_first_time(self) -> None:
        raw_key = access.issue_demo_key()
        self._show_answer("An ordinary message", raw_key, cast.CALM_MESSAGE)
        self._show_answer("A message that shows risk", raw_key, cast.RISK_MESSAGE)
        passwords = people.fresh_passwords()
        entries = sum(state.entries for state in verify_chains())
        self._say(f"\nAudit: {entries} entries verified.")
        self._say(f"\nAdmin: {self.url}/admin/  (one-time passwords, shown once)")
        for username, password in passwords.items():
            self._say(f"  {username:<12} {password}")
        self._say(f"\nAPI key, shown once:\n  {raw_key}")
        self._say("\nTry it:")
        for message in (cast.CALM_MESSAGE, cast.RISK_MESSAGE):
            self._say("  " + access.curl_line(self.url, raw_key, message))
        self._next_steps()
        self._complete()

    def _complete(self) -> None:
        """Last of all: a demo killed before this shows everything again, and anew."""
        actor = system_actor("maintenance")
        with transaction.atomic():
            record_event(
                actor=actor, event=COMPLETED, subject=Subject("platform.demo", "1")
            )
        write_checkpoint(actor=actor)

    def _show_answer(self, title: str, raw_key: str, message: str) -> None:
        answer = access.ask(self.url, raw_key, message)
        if answer.status != 200:
            detail = answer.body.get("detail", "no detail")
            raise CommandError(f"The API answered {answer.status}: {detail}")
        body = answer.body
        self._say(f"\n{title}: {message!r}")
        served = f", version {body['version']}" if body["version"] else ""
        self._say(f"  decision: {body['decision']}{served}")
        for stage, verdicts in body["verdicts"].items():
            told = ", ".join(
                f"{name} {verdict['decision']}" for name, verdict in verdicts.items()
            )
            self._say(f"  {stage} gates: {told or 'not reached, no model was asked'}")
        self._say(f"  reply ({body['output']['source']}): {body['output']['text']}")
        if body.get("escalation"):
            self._say(f"  an escalation waits in the admin: {body['escalation']['id']}")

    def _remind(self) -> None:
        prefix = access.demo_key_prefix() or "(revoked)"
        self._say(
            f"\nNothing to do: the demo ran before.\nAdmin: {self.url}/admin/\n"
            f"The API key {prefix}… and the one-time passwords were shown then.\n"
            "Lost them? `manage.py issue_key` and `manage.py reset_password` give new "
            "ones."
        )
        self._next_steps()

    def _next_steps(self) -> None:
        self._say(
            "\nA second factor is optional on this machine and required in production: "
            f"{self.url}/admin/second-factor/enrol/\n"
            "\nWhere to look next:\n"
            f"  {self.url}/admin/safety/escalation/   the crisis desk (as clinician)\n"
            f"  {self.url}/admin/audit/auditentry/    the audit log (as compliance)\n"
            f"  {self.url}/docs/api/                   the API, described\n"
            "  .venv/bin/python manage.py verify_audit     check the whole chain\n"
            "  docs/                                 guides by role\n"
        )
