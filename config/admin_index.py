"""What the rows of each table are, in one sentence: for the first page of the admin."""

from typing import Any

from django.utils.translation import gettext_lazy as _

SUMMARIES: dict[str, Any] = {
    # audit
    "audit.auditevent": _("Who did what to which object, and when. It cannot be changed."),
    # outbox
    "outbox.event": _("What happened, as programs read it by API and webhooks."),
    "outbox.outboxmessage": _("E-mails to customers, members and administrators, sent or waiting."),
    "outbox.suppression": _("Who does not want the invitations of which partner."),
    # accounts
    "accounts.user": _("People who log in: customers, partner members and administrators."),
    "accounts.customeraccount": _("What joins a partner: owner, country and type."),
    "accounts.freeze": _("When an account was stopped, by whom and why."),
    "accounts.contract": _("Fact: contracts with the provider. Most keep from joining."),
    "accounts.bill": _("Fact: bills and what was paid. An unpaid one keeps from joining."),
    "accounts.cashexpenditure": _("Fact: what was paid in cash. Any amount keeps from joining."),
    "accounts.reservedinstance": _("Fact: resources that are paid for a fixed time."),
    "accounts.enterpriserelation": _("Fact: which account is a member of which enterprise master."),
    "accounts.coupon": _("Fact: cash coupons with their balance."),
    "accounts.resource": _("Fact: what an account runs, and whether that costs money."),
    "accounts.spending": _("What an account spent: it uses up the partner's budget."),
    "accounts.connectedlogin": _("Log-ins at an issuer, and the user that each belongs to."),
    "accounts.verificationcode": _("Codes that were mailed to prove an address, never the digits."),
    "account.emailaddress": _("Which user has proven which e-mail address."),
    "mfa.authenticator": _(
        "Apps and recovery codes that users log in with. Delete a lost one here."
    ),
    "auth.group": _("What a group of administrators may do in this admin."),
    # partners
    "partners.partner": _("The organisations that invite customers."),
    "partners.partnermember": _("Who acts for a partner, as administrator or manager."),
    "partners.memberinvitation": _("Who was asked to act for a partner."),
    "partners.partnerlogo": _("Pictures that partners show on their pages and in e-mails."),
    "partners.invitation": _("Links and e-mails with which partners invite customers."),
    "partners.invitationbatch": _("Many invitations that were made together."),
    "partners.batchrow": _("One line of a partner's list, and what came of it."),
    "partners.invitationrequest": _(
        "People with an account who asked for an invitation by e-mail."
    ),
    "partners.bulkaction": _("What a member did to many invitations or customers at once."),
    "partners.bulkactionrow": _("What came of it for each of them."),
    "partners.notificationchoice": _("Which e-mails a member wants at once, once a day or never."),
    "partners.digestentry": _("What a member reads in the next daily e-mail."),
    "partners.memberdigest": _("The daily e-mails that a member got."),
    # association
    "association.association": _("Which account is, or was, the customer of which partner."),
    "association.attempt": _("Who opened an invitation and how far they came."),
    "association.consent": _("Who agreed to which document. It cannot be changed."),
    "association.legaldocument": _("Instructions, letter of authorization, agreement, privacy."),
    "association.authorization": _("Whether a partner may order and operate for a customer."),
    "association.budget": _("How much a partner lets a customer spend."),
    "association.budgetalert": _("When much of a budget was used."),
    "association.budgetrequest": _(
        "Customers who asked their partner for a budget or to unfreeze."
    ),
    "association.endrequest": _("Requests of one side to end an association, and the answers."),
    "association.partnertold": _("Refused customers who told the partner."),
    "association.partnermessage": _("What partners wrote to people who did not join."),
    "association.resumeemail": _("E-mails that lead back to an attempt that was put off."),
    "association.resumereminder": _("Who was reminded of the last day to join."),
    # integration
    "integration.apikey": _("With which keys programs call the API. Make the provider's here."),
    "integration.idempotentanswer": _("What a call with an Idempotency-Key was answered."),
    "integration.webhookendpoint": _("Where partners' programs receive events."),
    "integration.webhookdelivery": _("Which event was sent to which endpoint, and the answer."),
}
