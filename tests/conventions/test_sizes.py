"""Nothing grows beyond what can be read at once: the hard limits, in lines."""

import ast

import pytest

from tests.conventions.sources import ROOT, functions, modules, name, templates

MODULE, SERVICE_FUNCTION, VIEW, TEMPLATE, TEST_FILE = 400, 50, 40, 150, 600


def too_long_files(paths, limit):
    lengths = {name(path): len(path.read_text().splitlines()) for path in paths}
    return {path: length for path, length in lengths.items() if length > limit}


def length(function):
    """Return how many lines a function has; what its docstring explains is not held against it."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    docstring = ast.get_docstring(function, clean=False)
    return lines if docstring is None else lines - len(docstring.split("\n"))


def too_long_functions(source, limit):
    lengths = {function.name: length(function) for function in functions(source)}
    return {function: length for function, length in lengths.items() if length > limit}


def test_modules_are_short():
    assert too_long_files(modules(), MODULE) == {}


def test_test_files_are_short():
    assert too_long_files(modules("tests"), TEST_FILE) == {}


def test_templates_are_short():
    assert too_long_files(templates(), TEMPLATE) == {}


@pytest.mark.parametrize(("layer", "limit"), [("services", SERVICE_FUNCTION), ("views", VIEW)])
def test_functions_are_short(layer, limit):
    paths = [path for path in modules() if layer in path.relative_to(ROOT).parts]

    long = {name(path): too_long_functions(path.read_text(), limit) for path in paths}

    assert {path: found for path, found in long.items() if found} == {}
    assert paths != []


def test_a_long_function_is_noticed():
    body = "\n".join("    1" for _ in range(50))

    assert too_long_functions(f"def long():\n{body}", SERVICE_FUNCTION) == {"long": 51}
    assert too_long_functions(f"def short():\n{body[6:]}", SERVICE_FUNCTION) == {}
