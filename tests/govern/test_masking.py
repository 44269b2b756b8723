"""Masks: what people may still see, and what they may not."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pilotage.govern.rules.masking import GAP, HIDDEN, masked, masked_rows, masked_text, partial
from pilotage.govern.rules.traces import traces

SECRET = b"a secret of this installation"
TEXTS = st.text(max_size=60)
DIGITS = st.text("0123456789 -+().@:", max_size=30)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("jane.doe@example.org", "j…e@…le.org"),
        ("jo@le.org", "j…@….org"),
        ("+49 30 1234567", "+49…67"),
        ("4111 1111 1111 1111", "4…1111"),
        ("378282246310005", "3…0005"),
        ("DE89 3704 0044 0532 0130 00", "DE…00"),
        ("66.187.233.211", "66.…"),
        ("2001:db8::8a2e:370:7334", "2001:…"),
        ("536-90-4399", "…99"),
        ("Miguel Hernández", "M… H…"),
        ("Li Wu", "… …"),
        ("1947-04-18", "1947-…"),
        ("N14228", "N…"),
        ("13085", "1…"),
        ("Ann", "…"),
        ("", ""),
    ],
)
def test_the_ends_let_a_person_recognise_the_kind(value: str, shown: str) -> None:
    assert masked(value, "partial", SECRET) == shown


def test_no_mask_shows_the_value_and_hiding_shows_nothing_of_it() -> None:
    assert masked("anything", "none", SECRET) == "anything"
    assert masked("anything", "hide", SECRET) == masked("", "hide", SECRET) == HIDDEN


def test_a_pseudonym_is_stable_for_its_secret_and_another_for_another() -> None:
    first = masked("jane.doe@example.org", "pseudonym", SECRET)
    assert first == masked("jane.doe@example.org", "pseudonym", SECRET)
    assert first != masked("jane.doe@example.org", "pseudonym", b"another")
    assert first != masked("jane.doe@example.com", "pseudonym", SECRET)
    assert first.startswith("p_") and len(first) == 12


def test_a_pseudonym_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="wants a secret"):
        masked("13085", "pseudonym", b"")


@given(st.one_of(TEXTS, DIGITS, st.emails()))
@example("aaaa")
@example("    ab")
@example("a b c d")
def test_no_value_of_four_characters_or_more_is_seen_whole(value: str) -> None:
    assume(len(value.strip()) >= 4)
    shown = partial(value)
    assert value.strip() not in shown
    assert len(shown) <= max(len(value), 4)
    assert sum(character != GAP for character in shown if not character.isspace()) < len(value)


@given(st.one_of(TEXTS, DIGITS), st.sampled_from(["none", "partial", "pseudonym", "hide"]))
def test_a_mask_gives_the_same_each_time(value: str, mask: str) -> None:
    assert masked(value, mask, SECRET) == masked(value, mask, SECRET)  # type: ignore[arg-type]


@given(st.emails(), st.text("abc .,\n", max_size=30))
def test_no_common_address_in_a_text_stays_readable(email: str, around: str) -> None:
    assume(all(character.isalnum() or character in "@.-_+" for character in email))
    text = f"{around} {email} {around}"
    assume(any(trace.kind == "email" for trace in traces(text)))
    assert email not in masked_text(text)


def test_what_leads_to_a_person_is_masked_inside_a_text() -> None:
    text = (
        "Customer 12345 paid 99.50 on 2020-01-01 from 10.0.0.5, mail a.b@cde.de, tel +44 20 7946 0958, "
        "card 4111-1111-1111-1111, IBAN DE89 3704 0044 0532 0130 00 BANK."
    )
    assert masked_text(text) == (
        "Customer 12345 paid 99.50 on 2020-01-01 from 10.…, mail a…@….de, tel +44…58, card 4…1111, IBAN DE…00 BANK."
    )


@pytest.mark.parametrize(
    "text",
    [
        "1377090000",  # seconds since 1970
        "2013-02-05 05:36:53",
        "12.05.2013 14:30",
        "0.5309136012499991",
        "Order 123456789 shipped, qty 100 20 3000",
        "UA1545 N14228 EWR IAH 1400",
        "85123A WHITE HANGING HEART T-LIGHT HOLDER",
        "logo@2x.png, std::vector, 07:36:16 -0400, 1/2/2013",
        "550e8400-e29b-41d4-a716-446655440000",
        "5105105105105101",  # a check digit that is wrong
    ],
)
def test_times_identifiers_and_plain_numbers_stay_as_they_are(text: str) -> None:
    assert masked_text(text) == text


def test_half_a_number_at_the_end_of_a_cut_text_is_masked_too() -> None:
    begun = "A sentence that is just as long as needed, so that the number is cut: "
    assert masked_text((begun + "4111 1111 1111 1111")[:80]).endswith("cut: …")
    assert masked_text((begun + "jane.doe@example.org")[:83]).endswith("…@…")


def test_rows_are_masked_column_by_column_and_texts_without_a_mask_as_well() -> None:
    rows = [{"name": "Miguel Hernández", "id": "13085", "note": "call jane.doe@example.org", "origin": "EWR"}]
    shown = masked_rows(rows, {"name": "partial", "id": "pseudonym"}, SECRET)[0]
    assert shown["name"] == "M… H…"
    assert shown["id"].startswith("p_")
    assert shown["note"] == "call j…e@…le.org"
    assert shown["origin"] == "EWR"


@pytest.mark.parametrize("piece", ["1", "1 ", ":", "a@", "(", "a.", "1.1.", "0 ", "+1(2)", "AB12", "tel ", "1:"])
def test_hostile_texts_take_no_time(piece: str) -> None:
    assert isinstance(masked_text(piece * (20_000 // len(piece))), str)
