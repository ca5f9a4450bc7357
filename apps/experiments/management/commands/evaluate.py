"""``manage.py evaluate support-reply 1``: measure a version, print the numbers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.permissions import system_actor
from apps.core.errors import PlatformError
from apps.datasets.selectors import version_numbered as dataset_numbered
from apps.experiments import services
from apps.models_registry.models import EvaluationReport
from apps.models_registry.selectors import version_numbered


class Command(BaseCommand):
    help = "Run evaluators over a model version and record their reports."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("number", type=int)
        parser.add_argument(
            "--evaluator", action="append", default=[], help="May be given again."
        )
        parser.add_argument(
            "--dataset", help="NAME@NUMBER or a digest; needed with --evaluator."
        )
        parser.add_argument("--seed", type=int, default=services.DEFAULT_SEED)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for report in self._reports(options):
                self._print(report)
        except PlatformError as error:
            raise CommandError(error.message) from error

    def _reports(self, options: dict[str, Any]) -> list[EvaluationReport]:
        actor = system_actor("evaluator")
        version_id = str(version_numbered(options["model"], options["number"]).pk)
        if not options["evaluator"]:
            return services.evaluate_required(actor=actor, version_id=version_id)
        if not options["dataset"]:
            raise CommandError("--evaluator needs --dataset.")
        return services.evaluate_version(
            actor=actor,
            version_id=version_id,
            evaluators=options["evaluator"],
            dataset_digest=_digest(options["dataset"]),
            seed=options["seed"],
        )

    def _print(self, report: EvaluationReport) -> None:
        self.stdout.write(f"{report.evaluator} {report.digest}")
        for metric in report.metrics:
            if metric["slice"]:
                continue
            value = "-" if metric["value"] is None else f"{metric['value']:.3f}"
            self.stdout.write(
                f"  {metric['name']:<24} {value} "
                f"[{metric['low']}, {metric['high']}] n={metric['count']} "
                f"{metric['note']}".rstrip()
            )


def _digest(name: str) -> str:
    if name.startswith("sha256:"):
        return name
    dataset, _, number = name.partition("@")
    if not number.isdigit():
        raise CommandError("--dataset is NAME@NUMBER or a digest.")
    return dataset_numbered(dataset, int(number)).digest
