"""Rows for the console's lists, made by SQL from numbers, the same each time.

Ten of each hundred numbers belong to another partner. Moments are spread over two years in another
order than the rows; one link has a third of the attempts.
"""

from dataclasses import dataclass

from django.db import connection

from accounts.models import User
from association.models import Association
from association.services.customer_status import DERIVED
from partners.enums import PartnerRole
from partners.models import Partner, PartnerMember
from partners.tokens import new_token


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of numbers; every so many are the manager's, wait for a budget, or have a request."""

    first: int
    last: int
    own: int
    waiting: int
    side: int


SMALL = Scale(first=1, last=1_000, own=5, waiting=5, side=5)
LARGE = Scale(first=1_001, last=1_000_000, own=200, waiting=50, side=100)

# A customer's name has one of each, so that each is in every sixteenth name.
FIRST_WORDS = (
    "Alder Birch Cedar Dogwood Elm Fir Ginkgo Hazel Ivy Juniper Kapok Linden Maple Nutmeg Oak"
    " Poplar"
)
SECOND_WORDS = (
    "Antiques Bakery Carpets Dental Energy Films Garage Hotels Imports Joinery Kitchens Laundry"
    " Motors Nursery Optics Printing"
)

# Smaller keys are left for rows that the ORM inserts.
BASE = 1_000_000_000

NUMBERS = """
CREATE TEMPORARY TABLE made AS
SELECT n, {base} + n AS key, md5(n::text)::uuid AS walk, n / 5 AS i,
    CASE WHEN n % 100 < 10 THEN {other} ELSE {partner} END AS partner,
    CASE WHEN n % 100 < 10 THEN NULL WHEN n / 100 % {own} = 0 THEN {manager_user}
        ELSE {administrator_user} END AS maker,
    CASE WHEN n % 100 >= 10 AND n / 100 % {own} = 0 THEN {manager} END AS manager,
    now() - interval '730 days'
        * (('x' || left(md5('m' || n), 7))::bit(28)::int / 2.0 ^ 28) AS moment,
    n % 5 = 1 AS joined, n % 100 = 31 AS referral
FROM generate_series({first}::bigint, {last}) n
"""

STATEMENTS = (
    """
INSERT INTO partners_invitation (id, partner_id, channel, association_type, token, label, note,
    subject, language, country, recipient, recipient_name, is_bound, max_uses, used_count,
    expires_at, mailed_at, revoked_at, created_at, created_by_id)
SELECT key, partner, CASE WHEN n % 4 = 0 THEN 'email' ELSE 'link' END,
    CASE WHEN referral THEN 'referral' ELSE 'reseller' END,
    left(md5(n::text) || md5('t' || n), 26),
    CASE WHEN n % 250000 = 77 THEN 'Needle ' || n ELSE 'Campaign ' || n % 1000 END,
    '', '', 'en', 'IE', CASE WHEN n % 4 = 0 THEN 'guest' || n || '@bench.example' ELSE '' END,
    '', false, CASE WHEN n % 4 = 0 THEN 1 WHEN n % 4 = 1 THEN 100 END,
    CASE WHEN n % 4 = 0 THEN n / 4 % 2 ELSE n % 50 END,
    CASE WHEN n % 3 > 0 THEN moment + interval '365 days' END,
    CASE WHEN n % 4 = 0 THEN moment END, CASE WHEN n % 50 = 7 THEN now() END, moment, maker
FROM made
""",
    """
INSERT INTO accounts_user (id, password, is_superuser, account_name, email, email_original,
    language, is_active, is_staff, created_at)
SELECT key, '!', false, 'customer' || n, 'customer' || n || '@bench.example',
    'customer' || n || '@bench.example', 'en', true, false, moment FROM made WHERE joined
""",
    """
INSERT INTO accounts_customeraccount (id, owner_id, account_type, registration_site, country,
    registered_at, services_enabled_at, is_internal)
SELECT key, key, 'individual', 'international', 'IE', moment, moment, false
FROM made WHERE joined
""",
    """
INSERT INTO association_attempt (id, invitation_id, partner_id, invited_by_id, channel,
    association_type, browser_hash, language, started_at,
    registration_email, registration_country, account_id, entered_at, registered_at,
    refusal_codes, decided_at, refused_at, deferred_at, associated_at)
SELECT walk, followed.id, partner, created_by_id, channel, association_type,
    md5('b' || n), 'en', moment,
    CASE WHEN n % 5 = 3 THEN 'visitor' || n || '@bench.example' ELSE '' END, '',
    account, CASE WHEN account IS NOT NULL THEN moment END,
    CASE WHEN joined AND i % 2 = 0 THEN moment END,
    (CASE WHEN n % 10 > 0 THEN '[]' WHEN n % 100000 = 550 THEN '["is_partner"]'
        ELSE '["registered_too_long"]' END)::jsonb,
    CASE WHEN account IS NOT NULL THEN moment END, CASE WHEN n % 10 = 0 THEN moment END,
    CASE WHEN n % 1000 = 84 THEN moment END, CASE WHEN joined THEN moment END
FROM (SELECT *, CASE WHEN joined THEN key WHEN n % 10 = 0 AND n < {last} THEN key + 1
    WHEN n % 10 = 0 THEN key - 4 WHEN n % 1000 = 84 THEN key - 3 END AS account FROM made) made
JOIN partners_invitation followed
    ON followed.id = CASE WHEN n % 3 = 0 AND n % 100 >= 10 THEN {base} + 110 ELSE key END
""",
    """
INSERT INTO association_association (id, account_id, partner_id, association_type, invitation_id,
    attempt_id, manager_id, associated_at, coupons_pay_before, eligibility, end_reason,
    customer_name, reference, shown_name, sort_name, search_names, search_address)
SELECT key, key, partner, CASE WHEN referral THEN 'referral' ELSE 'reseller' END, key, walk,
    manager, moment, CASE WHEN NOT referral THEN moment END, '[]'::jsonb, '',
    name, 'R-' || n, name, lower(name),
    lower(concat_ws(chr(10), name, 'customer' || n, 'r-' || n)), 'customer' || n || '@bench.example'
FROM (SELECT *, concat_ws(' ', (string_to_array('{first_words}', ' '))[1 + i % 16],
    (string_to_array('{second_words}', ' '))[1 + i / 16 % 16], n) AS name FROM made) made
WHERE joined
""",
    # The association froze every reseller customer; most have a budget now.
    """
INSERT INTO association_budget (association_id, amount, period, on_exhaustion, set_at, replaced_at)
SELECT key, 500, 'monthly', 'freeze', moment, CASE WHEN old THEN moment END
FROM made, (VALUES (true), (false)) AS copies (old)
WHERE joined AND NOT referral AND i % {waiting} > 0 AND (NOT old OR i % 10 = 3)
""",
    """
INSERT INTO accounts_freeze (account_id, scope, cause, reason, frozen_at, unfrozen_at,
    unfreeze_reason)
SELECT key, 'account', 'association', '', moment,
    CASE WHEN i % {waiting} > 0 AND i % (10 * {waiting}) <> 3 THEN now() END, ''
FROM made WHERE joined AND NOT referral
UNION ALL
SELECT key, 'account', CASE WHEN i % (2 * {waiting}) = 1 THEN 'budget_exhausted' ELSE 'partner' END,
    '', moment, NULL, ''
FROM made WHERE joined AND NOT referral AND i % (2 * {waiting}) IN (1, 2)
""",
    """
INSERT INTO association_budgetrequest (association_id, asked_at, asked_on)
SELECT key, now(), now()::date FROM made
WHERE joined AND NOT referral AND i % (4 * {waiting}) = 2
""",
    """
INSERT INTO accounts_spending (source, external_id, account_id, amount, occurred_at)
SELECT 'bench', n || '-' || k, key, 3, now() - interval '1 day' * k
FROM made, generate_series(1, 2) k WHERE joined
""",
    """
INSERT INTO partners_invitationrequest (id, partner_id, invitation_id, address, language,
    requested_at, closed_at, dismiss_reason)
SELECT key, partner, key, 'asks' || n || '@bench.example', 'en', moment,
    CASE WHEN n / {side} % 2 = 0 THEN moment END, '' FROM made WHERE n % {side} = 0 OR n % 500 = 77
""",
    """
INSERT INTO partners_invitationbatch (id, partner_id, channel, association_type, label, subject,
    note, language, country, is_bound, size, done_count, refused_count, created_at, created_by_id,
    started_at, finished_at, stop_reason)
SELECT key, partner, 'link', 'reseller', 'Leaflet ' || n, '', '', 'en', '', false, 100, 100, 0,
    moment, maker, moment, moment, '' FROM made WHERE n % {side} = 0 OR n % 500 = 77
""",
    """
INSERT INTO outbox_outboxmessage (id, kind, recipient, language, about_label, about_id, data,
    message_id, created_at, deadline_at, next_try_at, is_bulk, tries, last_error, sent_at,
    dropped_at, drop_reason, dead_at)
SELECT key, 'partners.invitation', 'guest' || n || '@bench.example', 'en', 'partners.invitation',
    key, '{{}}'::jsonb, '<' || n || '@bench.example>', moment, moment + interval '3 days', moment,
    false, 1, '', CASE WHEN n % 2000 > 0 THEN moment END, NULL, '',
    CASE WHEN n % 2000 = 0 THEN moment END
FROM made WHERE n % 4 = 0
""",
    """
INSERT INTO audit_auditevent (occurred_at, actor_id, acted_for, action, object_label, object_id,
    request_id)
SELECT moment, maker, CASE WHEN maker IS NOT NULL THEN partner END,
    CASE WHEN n % 50 = 7 THEN 'invitation.revoked' ELSE 'invitation.created' END,
    'partners.invitation', key, '' FROM made
""",
)


def make_members() -> dict[str, PartnerMember]:
    """Add two partners; return an administrator and a manager, of 52 members, of the first."""
    partner, _other = (
        Partner.objects.create(
            name=name, slug=f"bench-{new_token()[:12]}", legal_name=f"{name} Ltd.", country="IE",
            support_email="support@bench.example", allows_referral=True,
        )
        for name in ("Bench & Sons", "Another")
    )  # fmt: skip
    names = ["administrator", "manager", *(f"colleague{number}" for number in range(50))]
    made = {
        name: PartnerMember.objects.create(
            partner=partner,
            user=User.objects.create_user(name, f"{name}@bench.example"),
            role=PartnerRole.ADMINISTRATOR if name == "administrator" else PartnerRole.MANAGER,
        )
        for name in names
    }
    return {name: made[name] for name in ("administrator", "manager")}


def fill(scale: Scale, members: dict[str, PartnerMember]) -> None:
    """Insert the rows of one scale, and update PostgreSQL's statistics."""
    administrator, manager = members["administrator"], members["manager"]
    other = Partner.objects.exclude(pk=manager.partner_id).latest("pk")
    values = {
        "base": BASE,
        "first": scale.first,
        "last": scale.last,
        "own": scale.own,
        "waiting": scale.waiting,
        "side": scale.side,
        "partner": manager.partner_id,
        "other": other.pk,
        "first_words": FIRST_WORDS,
        "second_words": SECOND_WORDS,
        "manager": manager.pk,
        "manager_user": manager.user_id,
        "administrator_user": administrator.user_id,
    }
    with connection.cursor() as cursor:
        for statement in (NUMBERS, *STATEMENTS):
            cursor.execute(statement.format(**values))
        cursor.execute("DROP TABLE made")
    Association.objects.update(**DERIVED)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
