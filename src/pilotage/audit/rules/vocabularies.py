"""Words that a column of one protected attribute is made of, in several languages.

Each entry: words that tell, words that are also found beside them, and how many telling words there must be when the
column's name says nothing. Words with another use (white, black, single) stand beside, or not alone.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(word.replace("_", " ") for word in text.split())


_OPEN = (
    "other unknown unspecified none n/a na prefer_not_to_say not_stated andere sonstige unbekannt autre inconnu otro"
)

VOCABULARIES: dict[str, tuple[frozenset[str], frozenset[str], int]] = {
    "sex": (
        _words("male female man woman männlich weiblich masculin féminin homme femme hombre mujer masculino femenino"),
        _words(_OPEN + " m f w d x non-binary nonbinary diverse divers"),
        2,
    ),
    "marital-status": (
        _words(
            "married divorced widowed separated never-married never_married married-civ-spouse ledig verheiratet"
            " geschieden verwitwet marié mariée divorcé divorcée veuf veuve célibataire casado casada divorciado"
            " divorciada viudo viuda soltero soltera"
        ),
        _words(_OPEN + " single married-spouse-absent married-af-spouse civil_partnership pacs"),
        2,
    ),
    "religion": (
        _words(
            "catholic protestant muslim islam jewish judaism hindu hinduism buddhist buddhism sikh orthodox evangelical"
            " atheist roman_catholic katholisch evangelisch muslimisch jüdisch konfessionslos catholique musulman juif"
            " protestante católico católica musulmán judío christian christianity rk ev"
        ),
        _words(_OPEN + " agnostic no_religion"),
        2,
    ),
    "ethnicity": (
        _words(
            "caucasian african-american african_american hispanic latino latina native_american asian pacific_islander"
            " asian-pac-islander amer-indian-eskimo black_or_african_american american_indian african roma arab mestizo"
            " mixed_race white_british black_african"
        ),
        _words(_OPEN + " white black mixed multiracial two_or_more_races"),
        2,
    ),
}
