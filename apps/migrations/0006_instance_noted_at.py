"""When what was seen of an instance was written down, so that an older look does not overwrite it."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("apps", "0005_app_service_files")]
    operations = [migrations.AddField("instance", "noted_at", models.DateTimeField(db_default=Now()))]
