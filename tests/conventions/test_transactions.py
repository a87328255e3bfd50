"""A service that makes a transaction runs again after a deadlock."""

import ast

from tests.conventions.sources import ROOT

# What the worker does is tried again at its next round, retention too; the snapshot only reads.
RUN_ONCE = {
    "association/services/last_day_reminders.py: remind_of_last_day",
    "association/services/invariants/checking.py: _snapshot",
    "outbox/services/queue.py: claim_messages",
    "partners/services/batches.py: make_batches",
    "partners/services/mailings.py: mail_batches",
}


def test_services_with_a_transaction_run_again_after_a_deadlock():
    files = [*ROOT.glob("*/services/**/*.py"), *ROOT.glob("*/services.py")]
    once = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        if path.name != "retention.py"
        for name in functions_that_run_once(path.read_text())
    }
    assert once == RUN_ONCE


def functions_that_run_once(source):
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return [
        function.name
        for function in functions
        if "transaction.atomic" in ast.unparse(function)
        and "whole_transaction" not in map(ast.unparse, function.decorator_list)
    ]


def test_a_service_that_would_run_once_is_found():
    source = (
        "@whole_transaction\n@transaction.atomic\ndef good():\n    pass\n"
        "def bad():\n    with transaction.atomic():\n        pass\n"
        "@transaction.atomic\ndef worse():\n    pass\n"
        "def plain():\n    pass\n"
    )
    assert functions_that_run_once(source) == ["bad", "worse"]
