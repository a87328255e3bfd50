"""The ASGI application."""

import os

import django

from web.handlers import SiteASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django.setup(set_prefix=False)
application = SiteASGIHandler()
