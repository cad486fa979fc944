from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("services", "0005_binding_place"),
    ]

    operations = [
        migrations.AddField(
            model_name="offering",
            name="dashboard_client",
            field=models.CharField(blank=True, default="", max_length=255),
        ),
    ]
