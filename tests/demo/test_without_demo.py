"""Outside the demo nothing of it exists: no URL, template, password or command."""

import os
import subprocess
import sys

from tests.conventions.sources import ROOT

LOOK = """
import sys
import django
django.setup()
from django.core.management import get_commands
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import Resolver404, get_resolver, resolve

found = []
for url in ("/demo/", "/demo/log-in", "/demo/mailbox/", "/demo/mailbox/0123456789abcdef0123/"):
    try:
        found.append(resolve(url))
    except Resolver404:
        pass
for name in ("demo/tour.html", "demo/mailbox.html"):
    try:
        found.append(get_template(name))
    except TemplateDoesNotExist:
        pass
found += [name for name in get_commands() if name == "demo"]
get_resolver().url_patterns
found += [name for name in sys.modules if name == "demo" or name.startswith("demo.")]
print(found)
"""


def look(demo):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEMO": demo,
        "SECRET_KEY": "x" * 50,
        "PUBLIC_BASE_URL": "https://customers.example.com",
    }
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", LOOK],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_outside_the_demo_nothing_of_it_exists():
    assert look(demo="0") == "[]"


def test_in_the_demo_it_is_found():
    found = look(demo="1")

    assert "demo_mailbox" in found
    assert "demo.examples" in found
