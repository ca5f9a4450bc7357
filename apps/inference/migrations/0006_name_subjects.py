"""Name the person of each earlier record and case, so that their words can be sealed
under a key of their own by the next `manage.py rotate_keys`.

Going back leaves the names: the column they stand in goes with the migration before.
"""

import hashlib

from django.db import migrations

BATCH = 500


def name_subjects(apps, schema_editor):
    records = apps.get_model("inference", "InferenceRecord")
    cases = apps.get_model("safety", "Escalation")
    unnamed = records.objects.filter(subject="").exclude(participant_digest="")
    rows = unnamed.only("pk", "key_family_id", "participant_digest")
    for row in rows.iterator(chunk_size=BATCH):
        # As apps.core.keys.subjects.subject_name, frozen here.
        named = f"{row.key_family_id}|{row.participant_digest}".encode()
        subject = hashlib.sha256(named).hexdigest()
        records.objects.filter(pk=row.pk).update(subject=subject)
        cases.objects.filter(correlation_id=row.pk).update(subject=subject)


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0005_subjects"),
        ("safety", "0007_escalation_subject"),
    ]
    operations = [migrations.RunPython(name_subjects, migrations.RunPython.noop)]
