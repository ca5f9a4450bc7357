"""Made-up numbers and codes of people, in the many ways they are written.

Where a number carries a check digit the digit is right, so that a detector that asks
for it is measured fairly. None was taken from a person; any likeness is chance.
"""

from __future__ import annotations

import random
import string
import tomllib
from collections.abc import Callable, Mapping
from functools import cache

from apps.safety.gates.identifiers.checksums import is_iban, is_luhn, is_nhs, is_vin
from apps.safety.training.generators.texts import FOLDER

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip
_MESES = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
    "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip
_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


@cache
def shapes() -> Mapping[str, tuple[str, ...]]:
    """For each kind the shapes of ``texts/lines/shapes.toml``."""
    content = tomllib.loads((FOLDER / "lines" / "shapes.toml").read_text("utf-8"))
    return {kind: tuple(lines) for kind, lines in content.items()}


def shaped(rng: random.Random, shape: str) -> str:
    """The shape filled, as the file of shapes explains; the first digit is not 0."""
    out: list[str] = []
    for char in shape:
        if char == "#":
            first = not any(c.isdigit() for c in out)
            out.append(rng.choice("23456789" if first else string.digits))
        elif char == "@":
            out.append(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ"))
        elif char in "%^":
            digit = rng.choice("0123456789abcdef")
            out.append(digit.upper() if char == "^" else digit)
        else:
            out.append(char)
    return "".join(out)


def of_kind(rng: random.Random, kind: str) -> str:
    return shaped(rng, rng.choice(shapes()[kind]))


def completed(
    rng: random.Random, shape: str, at: int, valid: Callable[[str], bool]
) -> str:
    """A filled shape whose character ``at`` is changed until it is valid."""
    while True:
        text = shaped(rng, shape)
        for char in "0123456789X":
            whole = text[:at] + char + text[at + 1 :]
            if valid(whole):
                return whole


def grouped(text: str, size: int, mark: str) -> str:
    return mark.join(text[i : i + size] for i in range(0, len(text), size))


def card(rng: random.Random) -> str:
    prefix, length = rng.choice((("4", 16), ("52", 16), ("54", 16), ("37", 15)))
    shape = prefix + "#" * (length - len(prefix))
    number = completed(rng, shape, length - 1, is_luhn_digits)
    if length == 15 or rng.random() < 0.4:
        return number
    return grouped(number, 4, rng.choice(" -"))


def is_luhn_digits(text: str) -> bool:
    return text.isdigit() and is_luhn(text)


def iban(rng: random.Random) -> str:
    text = of_kind(rng, "IBAN")
    check = next(c for c in range(2, 99) if is_iban(f"{text[:2]}{c:02d}{text[4:]}"))
    text = f"{text[:2]}{check:02d}{text[4:]}"
    return grouped(text, 4, " ") if rng.random() < 0.6 else text


def mrn(rng: random.Random) -> str:
    if rng.random() < 0.15:
        return completed(rng, "### ### ####", 11, _is_nhs_digits)
    return of_kind(rng, "MRN")


def _is_nhs_digits(text: str) -> bool:
    return text[-1].isdigit() and is_nhs(text)


def imei(rng: random.Random) -> str:
    return completed(rng, "35" + "#" * 13, 14, is_luhn_digits)


def provider(rng: random.Random) -> str:
    """A US national provider identifier; its check digit counts a prefix of 80840."""
    return completed(rng, "1#########", 9, lambda text: is_luhn_digits("80840" + text))


def vin(rng: random.Random) -> str:
    while True:
        body = [rng.choice(_VIN_LETTERS) for _ in range(17)]
        body[-4:] = [rng.choice(string.digits) for _ in range(4)]
        for char in "0123456789X":
            body[8] = char
            if is_vin("".join(body)):
                return "".join(body)


def national_id(rng: random.Random) -> str:
    """Spanish DNI or NIE with its letter, with and without marks between."""
    number = rng.randrange(10_000_000, 79_999_999)
    if rng.random() < 0.4:
        lead = rng.randrange(3)
        number = number % 10_000_000
        letter = _DNI_LETTERS[(lead * 10_000_000 + number) % 23]
        mark = rng.choice(("", "", "-"))
        return f"{'XYZ'[lead]}{mark}{number:07d}{mark}{letter}"
    letter, digits = _DNI_LETTERS[number % 23], str(number)
    dotted = f"{digits[:2]}.{digits[2:5]}.{digits[5:]}"
    return rng.choice((digits, digits, dotted)) + rng.choice(("", "-", "-")) + letter


def ip(rng: random.Random) -> str:
    if rng.random() < 0.7:
        first = rng.choice((10, 24, 73, 81, 92, 151, 172, 185, 192, 203, 212))
        return ".".join(map(str, (first, *(rng.randrange(256) for _ in range(3)))))
    groups = [f"{rng.randrange(1, 65536):x}" for _ in range(8)]
    groups[0] = rng.choice(("2001", "2a02", "fe80", "2604"))
    cut = rng.randrange(2, 6)
    short = ":".join(groups[:cut]) + "::" + ":".join(groups[6:])
    return rng.choice((":".join(groups), short))


def age(rng: random.Random) -> str:
    """Half of them over 89, which alone are identifiers under Safe Harbor."""
    return str(rng.randrange(90, 107) if rng.random() < 0.5 else rng.randrange(13, 90))


def full_date(rng: random.Random, first: int = 1935, last: int = 2012) -> str:
    year, month, day = rng.randrange(first, last), rng.randrange(12), rng.randrange(29)
    word, day, number = _MONTHS[month], day + 1, month + 1
    return rng.choice((
        f"{number:02d}/{day:02d}/{year}", f"{number}/{day}/{year}",
        f"{day:02d}/{number:02d}/{year}", f"{day:02d}.{number:02d}.{year}",
        f"{year}-{number:02d}-{day:02d}", f"{number}/{day}/{year % 100:02d}",
        f"{number:02d}-{day:02d}-{year}", f"{word} {day}, {year}",
        f"{word} {day}{_ending(day)}, {year}", f"{day} {word} {year}",
        f"{day}{_ending(day)} of {word} {year}", f"{word[:3]} {day}, {year}",
        f"{day}-{word[:3]}-{year}", f"{day} {word[:3]} {year}",
        f"{day} de {_MESES[month]} de {year}", f"{year}/{number:02d}/{day:02d}",
        f"{word[:3]}. {day} {year}", f"{day}. {number}. {year}",
    ))  # fmt: skip


def any_date(rng: random.Random) -> str:
    """A date of care: with its year, or only day and month."""
    if rng.random() < 0.6:
        return full_date(rng, 2015, 2027)
    day, month = rng.randrange(1, 29), rng.randrange(12)
    word = _MONTHS[month]
    return rng.choice((
        f"{word} {day}", f"{word} {day}{_ending(day)}", f"{day} {word}",
        f"the {day}{_ending(day)} of {word}", f"{word[:3]} {day}",
        f"{month + 1}/{day}", f"{word} {rng.randrange(2015, 2027)}",
    ))  # fmt: skip


def _ending(day: int) -> str:
    return {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")


def _made(kind: str) -> Callable[[random.Random], str]:
    return lambda rng: of_kind(rng, kind)


_SHAPED = (
    "SSN", "ACCOUNT", "ZIP", "LICENSE", "VEHICLE", "DEVICE", "MAC", "HEALTH_PLAN",
    "PASSPORT", "NINO", "BIOMETRIC", "PHONE",
)  # fmt: skip
NUMBERS: Mapping[str, Callable[[random.Random], str]] = {
    **{kind: _made(kind) for kind in _SHAPED},
    "AGE": age,
    "CARD": card,
    "DATE": any_date,
    "DOB": full_date,
    "IBAN": iban,
    "IMEI": imei,
    "IP": ip,
    "MRN": mrn,
    "NATIONAL_ID": national_id,
    "PROVIDER": provider,
    "VIN": vin,
}
