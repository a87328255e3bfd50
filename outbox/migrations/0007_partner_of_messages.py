from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbox", "0006_messages_by_moment")]

    operations = [
        migrations.AddField(
            model_name="outboxmessage",
            name="partner_id",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="partner"),
        ),
        migrations.AlterField(
            model_name="event",
            name="partner_id",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="partner"),
        ),
    ]
