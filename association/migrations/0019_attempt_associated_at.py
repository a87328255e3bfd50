from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("association", "0018_fill_stored_facts")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="associated_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="associated at"),
        ),
    ]
