"""Every code of a refusal has its sentence, and no two say the same."""

from partners.enums import (
    BulkRefusal,
    InvitationProblem,
    InvitationRequestRefusal,
    ListProblem,
    LogoRefusal,
    MailingRefusal,
    MemberRefusal,
    NameRefusal,
    PartnerRefusal,
    RowProblem,
)
from partners.refusals import SENTENCES


def test_every_code_has_a_sentence_of_its_own():
    assert set(SENTENCES) == {
        *BulkRefusal,
        *InvitationProblem,
        *ListProblem,
        *LogoRefusal,
        *MailingRefusal,
        *MemberRefusal,
        *InvitationRequestRefusal,
        *PartnerRefusal,
        *RowProblem,
        *NameRefusal,
    }
    sentences = [str(sentence) for sentence in SENTENCES.values()]
    assert len(set(sentences)) == len(sentences)
