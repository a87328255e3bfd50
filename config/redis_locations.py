"""Which numbered database of Redis an address names."""

from urllib.parse import parse_qsl, urlencode, urlsplit

# Database 0 is the one of a server that runs beside the tests.
FIRST = 1


def redis_location(location: str | list[str], number: int) -> str | list[str]:
    """Return the address of the database that is `number` after the one that this address names.

    An address without a number names `FIRST`. For redis-py `?db=` comes before the path.
    """
    if not isinstance(location, str):
        return [str(redis_location(one, number)) for one in location]
    parts = urlsplit(location)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    named = options.pop("db", parts.path.strip("/"))
    path = f"/{(int(named) if named else FIRST) + number}"
    return parts._replace(path=path, query=urlencode(options)).geturl()
