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
        try:
            return json.loads(
                request.body.decode(),
                object_pairs_hook=_without_duplicates,
                parse_constant=_refuse_constant,
                # An exact number, of which no field accepts one that is too large.
                parse_float=Decimal,
            )
        except RecursionError as error:
            raise _problem("it is nested too deeply") from error
        except UnicodeDecodeError as error:
            raise _problem("it is not UTF-8") from error
        except ValueError as error:
            raise _problem(str(error)) from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _value in pairs]
    found = dict(pairs)
    if len(found) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice[:100])} is in it twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _problem(why: str) -> Problem:
    return Problem(400, CallProblem.BODY_NOT_JSON, f"The body cannot be read as JSON: {why}.")
