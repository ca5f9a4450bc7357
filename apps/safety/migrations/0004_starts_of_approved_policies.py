"""Policies approved before versions had a start: they started when approved."""

from django.db import migrations
from django.db.models import F


def start_when_approved(apps, schema_editor):
    policies = apps.get_model("safety", "SafetyPolicy")
    policies.objects.filter(approved_at__isnull=False, starts_at__isnull=True).update(
        starts_at=F("approved_at")
    )


class Migration(migrations.Migration):

    dependencies = [
        ('safety', '0003_policy_starts_at'),
    ]

    # Going back drops the column, so there is nothing to undo.
    operations = [
        migrations.RunPython(start_when_approved, migrations.RunPython.noop),
    ]
