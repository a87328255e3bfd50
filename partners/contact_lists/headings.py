"""How programs name the columns of people, in the languages of their users."""

from collections.abc import Mapping

from partners.contact_lists.words import squashed
from partners.enums import ListColumn

_EMAIL = """
    E-mail | Mail | E-mail address | Mail address | Primary email | Secondary email | Work email
    Home email | Business email | Personal email | Other email | Contact email | Customer email
    E-mail 1 - Value | Recipient email
    E-Mail-Adresse | Mailadresse | E-Mail 2: Adresse | Primäre E-Mail-Adresse
    Sekundäre E-Mail-Adresse | Weitere E-Mail-Adresse | E-Mail geschäftlich | E-Mail privat
    Adresse e-mail | Adresse mail | Adresse de messagerie | Adresse électronique
    Adresse de courriel | Courriel | Adresse courriel | Mél | Adresse e-mail principale
    Correo electrónico | Correo | Dirección de correo electrónico | Dirección de correo
    Dirección de email | Correo electrónico principal
    Endereço de e-mail | Endereço de correio eletrónico | Endereço de correio eletrônico
    Correio eletrónico | Correio eletrônico | Endereço eletrônico | E-mail principal
    电子邮件 | 电子邮件地址 | 邮箱 | 邮箱地址 | 电子邮箱 | 电邮 | 电邮地址 | 邮件地址 | 主要电子邮件
    電子郵件 | 電子郵件地址 | 電郵 | 電郵地址 | 電子信箱
    البريد الإلكتروني | بريد إلكتروني | عنوان البريد الإلكتروني | الإيميل | إيميل
"""
_NAME = """
    Name | Display name | Full name | Contact name | Contact | Person | Recipient name
    Anzeigename | Vollständiger Name | Nom complet | Nom affiché | Nom d’affichage | Nom à afficher
    Nombre completo | Nombre para mostrar | Nombre y apellidos | Nome completo | Nome de exibição
    Nome para exibição | Nome a apresentar | 姓名 | 名称 | 全名 | 显示名称 | 顯示名稱 | 名稱
    الاسم | الاسم الكامل | اسم العرض
"""
_FIRST = """
    First name | Given name | Forename | Vorname | Prénom | Nombre | Nombre de pila | Nome
    Primeiro nome | Nome próprio | 名 | 名字 | الاسم الأول
"""
_LAST = """
    Last name | Family name | Surname | Nachname | Familienname | Zuname | Nom | Nom de famille
    Apellido | Apellidos | Primer apellido | Apelido | Sobrenome | Último nome | 姓 | 姓氏
    اسم العائلة | الاسم الأخير | اللقب | الكنية
"""
_COUNTRY = """
    Country | Country code | Country/Region | Country or region | Country/Territory | Home country
    Work country | Business country | Business country/region | Home country/region
    Other country/region | Mailing country | Mailing country/territory | Billing country
    Mailing country code | Billing country code | Address 1 - Country
    Land | Staat | Land/Region | Land/Region geschäftlich | Land/Region privat
    Weiteres/r Land/Region | Ländercode | Pays | Pays/Région | Pays ou région | Code pays
    Pays/Région (bureau) | Pays/Région (domicile) | País | País/Región | País o región
    País o región del trabajo | País o región particular | País/Região | País ou região
    País/Região comercial | País/Região residencial | Código do país | Código de país
    国家 | 国家/地区 | 国家或地区 | 國家 | 國家/地區 | 國家或地區
    البلد | الدولة | البلد/المنطقة
"""
_NOTE = (
    "Note | Note to customer | Note to the customer | Message to customer | Message to the customer"
)
# Where address books keep what their owner alone reads.
_PRIVATE_NOTE = """
    Notes | Comment | Comments | Notiz | Notizen | Bemerkung | Bemerkungen | Kommentar | Kommentare
    Remarque | Remarques | Commentaire | Commentaires | Nota | Notas | Comentario | Comentarios
    Observaciones | Observação | Observações | Comentário | Comentários | 备注 | 附注 | 便笺 | 注释
    備註 | 附註 | ملاحظة | ملاحظات
"""
_REFERENCE = """
    Reference | Your reference | Customer reference | Customer number | Customer ID | Referenz
    Kundennummer | Référence | Référence client | Numéro de client | Referencia
    Referencia del cliente | Número de cliente | Referência | Referência do cliente
    Número do cliente | 客户编号 | 参考号 | 客戶編號 | رقم العميل | المرجع | الرقم المرجعي
"""
# What our own downloads add, and their readers know.
_OURS = frozenset({"row", "reason", "remark"})
_FIELDS: Mapping[str, ListColumn] = {
    squashed(heading): field
    for field, headings in (
        (ListColumn.EMAIL, _EMAIL),
        (ListColumn.NAME, _NAME),
        (ListColumn.FIRST_NAME, _FIRST),
        (ListColumn.LAST_NAME, _LAST),
        (ListColumn.COUNTRY, _COUNTRY),
        (ListColumn.NOTE, _NOTE),
        (ListColumn.PRIVATE_NOTE, _PRIVATE_NOTE),
        (ListColumn.REFERENCE, _REFERENCE),
    )
    for line in headings.strip().splitlines()
    for heading in line.split("|")
}


def column_of(heading: str) -> ListColumn | None:
    """Return what a column with this heading contains; None for what is not read."""
    return _FIELDS.get(squashed(heading))


def is_ours(heading: str) -> bool:
    return squashed(heading) in _OURS
