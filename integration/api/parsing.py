"""Reading the body of a call as strictly as JSON can be read."""

import json
from decimal import Decimal
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from integration.api.problems import Problem
from integration.enums import CallProblem


class StrictParser(Parser):
    """JSON in UTF-8, declared as such, each key once, without NaN and Infinity."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            text = "Send the body as JSON, with the header Content-Type: application/json."
            raise Problem(415, CallProblem.CONTENT_TYPE_NOT_JSON, text)
        return parse_json(request.body)


def parse_json(body: bytes) -> Any:
    """Return what the body gives. Raises Problem (400) with the reason why it cannot be read."""
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            # An exact number, of which no field accepts one that is too large.
            parse_float=Decimal,
        )
    except RecursionError as error:
        raise _problem("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise _problem("it is not UTF-8") from error
    except (json.JSONDecodeError, _NotStrict) as error:
        raise _problem(str(error)) from error
    except (ValueError, ArithmeticError) as error:
        # An exponent beyond what Decimal can have is an ArithmeticError.
        raise _problem("a number is too long") from error


class _NotStrict(ValueError):
    """A name that an object has twice, or a constant that is no number."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _NotStrict(f"the name {json.dumps(name[:100])} is in it twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _NotStrict(f"{name} is no number in JSON")


def _problem(why: str) -> Problem:
    return Problem(400, CallProblem.BODY_NOT_JSON, f"The body cannot be read as JSON: {why}.")
