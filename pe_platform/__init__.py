"""Composition: settings, URLs, Celery, admin site, health, telemetry."""
