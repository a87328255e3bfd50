"""Two browsers use one invitation in random order; the invariants are kept after every step."""

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from accounts.models import User, VerificationCode
from association.models import Association
from partners.models import Invitation
from tests.factories import BillFactory, CustomerAccountFactory, InvitationFactory
from tests.journeys.walk import EVERY_ACTION, EVERY_STEP, Walk, newest_code
from tests.tables import tables

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

WHO = st.sampled_from([0, 1])
STEPS = st.sampled_from(["", *EVERY_STEP, *EVERY_ACTION])
TICK = st.sampled_from(["", "on", "off"])
DATA = st.fixed_dictionaries(
    {},
    optional={
        "instructions": TICK,
        "letter_of_authorization": TICK,
        "agreement": TICK,
        "choice": st.sampled_from(["register", "login", "ask", "continue", "switch", "x"]),
        "country": st.sampled_from(["DE", "CN", ""]),
        "email": st.sampled_from(["one@example.org", "two@example.org", "none"]),
        "password": st.sampled_from(["correct horse battery staple", "short"]),
        "code": st.sampled_from(["000000", "newest"]),
    },
)


class Walks(RuleBasedStateMachine):
    """One reseller or referral invitation, two browsers, one existing account."""

    ever_associated = 0

    def __init__(self):
        super().__init__()
        self.frame = transaction.atomic()
        self.frame.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.frame.__exit__(None, None, None)

    @initialize(referral=st.booleans(), is_email=st.booleans())
    def invite(self, referral, is_email):
        self.account = CustomerAccountFactory.create()
        recipient = {"email": True, "recipient": self.account.owner.email} if is_email else {}
        limit = {} if is_email else {"max_uses": 2}
        self.invitation = InvitationFactory.create(referral=referral, **recipient, **limit)
        self.walks = [Walk(self.invitation, Client()) for _ in range(2)]

    def answered(self, response):
        assert response.status_code < 500
        return response

    @rule(who=WHO, step=STEPS)
    def look(self, who, step):
        before = tables()
        self.answered(self.walks[who].get(step))
        assert tables() == before

    @rule(who=WHO)
    def look_at_the_link(self, who):
        before = tables()
        for address in (f"/i/{self.invitation.token}", "/account/", "/account/partner/"):
            self.answered(self.walks[who].client.get(address))
        assert tables() == before

    @rule(who=WHO)
    def begin(self, who):
        self.answered(self.walks[who].begin())

    @rule(who=WHO, step=st.sampled_from([*EVERY_STEP, *EVERY_ACTION]), data=DATA)
    def post_anything(self, who, step, data):
        if data.get("code") == "newest":
            data |= {"code": newest_code() if VerificationCode.objects.exists() else "000000"}
        self.answered(self.walks[who].client.post(self.walks[who].url(step), data))

    @rule(who=WHO, address=st.sampled_from(["one@example.org", "two@example.org"]))
    def register(self, who, address):
        self.answered(self.walks[who].send_code(address))
        if VerificationCode.objects.exists():
            self.answered(self.walks[who].register(address))

    @rule(who=WHO)
    def log_in(self, who):
        self.answered(self.walks[who].log_in(self.account.owner))

    @rule(who=WHO)
    def log_out(self, who):
        self.answered(self.walks[who].client.post("/account/logout/"))

    @rule(who=WHO, final=st.sampled_from(["enable", "confirm"]))
    def finish(self, who, final):
        data = {"country": "DE", "agreement": "on"}
        self.answered(self.walks[who].post(final, **data))

    @rule(who=WHO)
    def associate(self, who):
        walk = self.walks[who]
        self.answered(walk.begin())
        self.answered(walk.log_in(self.account.owner))
        self.answered(walk.enable())

    @rule()
    def owe_money(self):
        BillFactory.create(account=self.account)

    @rule(swap=st.booleans())
    def take_the_others_attempt(self, swap):
        first, second = self.walks
        if swap:
            first.attempt_id, second.attempt_id = second.attempt_id, first.attempt_id
        else:
            first.attempt_id = second.attempt_id

    @invariant()
    def invariants_are_kept(self):
        if not hasattr(self, "invitation"):
            return
        made = Association.objects.select_related("account")
        accounts = [association.account_id for association in made if not association.ended_at]
        assert len(accounts) == len(set(accounts))
        invitation = Invitation.objects.get(pk=self.invitation.pk)
        assert invitation.used_count == len(made) <= (invitation.max_uses or len(made))
        type(self).ever_associated += len(made)
        for association in made:
            frozen = association.account.freezes.open().exists()
            assert frozen == association.is_reseller
        addresses = User.objects.values_list("email", flat=True)
        assert len(addresses) == len(set(addresses))


def test_random_walks_keep_the_invariants():
    run_machine(
        Walks,
        settings=settings(
            max_examples=40,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Walks.ever_associated > 0  # otherwise no walk has reached the end
