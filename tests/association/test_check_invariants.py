"""The command `check_invariants`: what it prints, and its exit code."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from partners.models import Invitation
from tests.factories import make_associated

pytestmark = pytest.mark.django_db


def run(*arguments):
    """Return what the command prints, and its exit code."""
    output = StringIO()
    try:
        call_command("check_invariants", *arguments, stdout=output)
    except SystemExit as ended:
        return output.getvalue(), ended.code
    return output.getvalue(), 0


def test_command_without_violations():
    make_associated()
    assert run() == ("All invariants hold.\n", 0)
    output, code = run("--json")
    assert (json.loads(output), code) == ({"violations": []}, 0)


def test_command_with_violations_names_objects_by_id_and_ends_with_one():
    association = make_associated()
    Invitation.objects.update(used_count=2)
    found = {
        "invariant": "I1",
        "object": f"partners.invitation:{association.invitation_id}",
        "detail": "counts 2 uses, 1 associations cite it",
    }
    output, code = run("--json")
    assert (json.loads(output), code) == ({"violations": [found]}, 1)
    output, code = run()
    assert (output, code) == ("  ".join(found.values()) + "\n", 1)
