"""Countries as people write them: by code, or by a name in one of the languages of our readers."""

from collections.abc import Mapping
from functools import cache

from django.utils import translation
from django_countries import countries
from django_countries.data import COUNTRIES

from partners.contact_lists.words import squashed

# Those of `django_countries` among the languages in which the product is offered or will be, and
# German, in which exports have been seen.
_LANGUAGES = ("en", "de", "fr", "es", "pt-br", "pt-pt", "zh-hans", "zh-hant", "ar")
# Names in daily use that no list of ISO 3166 has.
_ALIASES = {
    "AE": "UAE | Emirates | VAE | EAU | Émirats",
    "BA": "Bosnia",
    "BO": "Bolivia",
    "CD": "DR Congo | DRC | Congo-Kinshasa | Democratic Republic of the Congo",
    "CG": "Republic of the Congo | Congo-Brazzaville",
    "CH": "Helvetia | Suisse | Svizzera",
    "CI": "Ivory Coast | Elfenbeinküste",
    "CN": "China | PRC | People's Republic of China | Mainland China | VR China | 中国大陆",
    "CV": "Cape Verde",
    "CZ": "Czech Republic | Tschechische Republik | République tchèque | República Checa",
    "DE": "BRD | Federal Republic of Germany | Bundesrepublik Deutschland",
    "GB": "UK | United Kingdom | Great Britain | Britain | England | Scotland | Wales"
    " | Northern Ireland | Großbritannien"
    " | Grande-Bretagne | Gran Bretaña | Grã-Bretanha | Inglaterra | Angleterre",
    "HK": "Hong Kong SAR | Hongkong",
    "KP": "North Korea | DPRK | 朝鲜",
    "KR": "South Korea | Korea | Republic of Korea | 韩国 | 南韩",
    "LA": "Laos",
    "MK": "Macedonia",
    "MM": "Burma",
    "MO": "Macao | Macau SAR",
    "NL": "Holland | The Netherlands | Holanda | Pays-Bas",
    "PS": "Palestine",
    "RU": "Russian Federation",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Turkey | Türkei",
    "TW": "Taiwan ROC | Taiwan R.O.C.",
    "US": "United States | USA | U.S. | U.S.A. | America | United States of America"
    " | Vereinigte Staaten | États-Unis | Estados Unidos | EE. UU. | EUA | 美國",
    "VA": "Vatican | Vatican City",
    "VN": "Viet Nam",
    "XK": "XKX",
}


def code_of_country(text: str) -> str | None:
    """Return the ISO 3166 code of the country, or None for one that is not known."""
    return _codes().get(squashed(text))


@cache
def _codes() -> Mapping[str, str]:
    """Return the codes by name. A name that translations give to two countries is left out."""
    found: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        with translation.override(language):
            # The short names of our own lists, then the official ones.
            for code, name in (*countries, *COUNTRIES.items()):
                found.setdefault(squashed(str(name)), set()).add(code)
    names = {name: codes.copy().pop() for name, codes in found.items() if len(codes) == 1}
    for code, aliases in _ALIASES.items():
        names |= {squashed(alias): code for alias in aliases.split("|")}
    for code, _name in countries:
        names |= {squashed(key): code for key in (code, countries.alpha3(code)) if key}
    return names
