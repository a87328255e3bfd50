"""What is evidence here: consents and published documents; triggers keep both."""

from audit.evidence import Evidence

CONSENTS = Evidence(
    table="association_consent",
    sentence="A consent is evidence: it is not changed or deleted.",
    address="network_address",
)
DOCUMENTS = Evidence(
    table="association_legaldocument",
    sentence="A published document is evidence: it is not changed or deleted.",
    final_since="published_at",
)
