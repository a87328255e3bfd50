"""The WSGI application for gunicorn."""

import os

import django

from web.handlers import SiteWSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django.setup(set_prefix=False)
application = SiteWSGIHandler()
