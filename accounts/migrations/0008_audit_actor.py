"""Finds what somebody did, however long the record is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_sessions_and_resets")]
    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["actor_guid", "-created_at"], name="audit_actor"),
        ),
    ]
