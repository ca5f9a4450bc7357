"""Django configuration of the composition package: it registers system checks."""

from __future__ import annotations

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "pe_platform"
    label = "pe_platform"
    verbose_name = "Platform"

    def ready(self) -> None:
        # celery: so that tasks sent from the web and from commands find the broker;
        # sessions: so that the first sign-in of a process is stamped too.
        from pe_platform import celery, checks, sessions, task_metrics  # noqa: F401
