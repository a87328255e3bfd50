"""The settings under test: the demo's, with what makes tests quick and strict."""

import os

os.environ.setdefault("DEMO", "1")

from config.settings import *  # noqa: F403, E402 - a settings module extends another so

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
