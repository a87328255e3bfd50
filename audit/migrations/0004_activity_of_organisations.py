from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # The indexes are added while the system runs.
    atomic = False

    dependencies = [
        ('audit', '0003_acted_for'),
    ]

    operations = [
        AddIndexOnline(
            model_name='auditevent',
            index=models.Index(
                fields=['acted_for', 'occurred_at', 'id'],
                condition=models.Q(('acted_for__isnull', False)),
                name='audit_by_organisation',
            ),
        ),
        AddIndexOnline(
            model_name='auditevent',
            index=models.Index(
                fields=['acted_for', 'actor', 'occurred_at', 'id'],
                condition=models.Q(('acted_for__isnull', False)),
                name='audit_by_org_and_actor',
            ),
        ),
        AddIndexOnline(
            model_name='auditevent',
            index=models.Index(
                fields=['acted_for', 'action', 'occurred_at', 'id'],
                condition=models.Q(('acted_for__isnull', False)),
                name='audit_by_org_and_action',
            ),
        ),
    ]
