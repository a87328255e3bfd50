"""The settings for django-migration-linter, a development tool that must be an installed app."""

from config.settings import *

INSTALLED_APPS += ["django_migration_linter"]
MIGRATION_LINTER_OPTIONS = {
    # Django's and allauth's migrations are theirs. First migrations run before the system does.
    "exclude_apps": ["account", "mfa", "auth", "contenttypes", "sessions", "admin", "sites"],
    "ignore_initial_migrations": True,
    "ignore_name": [
        # Its unique constraint replaces a stricter one, so no row and no running node can break it.
        # A partner's customers ask seldom: the table is small.
        "0011_what_frozen_customers_ask",
        # Their indexes are made beside writers, for columns that no row has filled; longer texts
        # rewrite nothing.
        "0013_external_ids_online",
        "0005_one_key_per_subject",
    ],
    "no_cache": True,
    "warnings_as_errors_tests": ["CREATE_INDEX", "NOT_NULL", "ALTER_COLUMN", "DROP_COLUMN"],
}
