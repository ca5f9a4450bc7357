"""Check digits of numbers that carry them, from their published definitions."""

from __future__ import annotations

_NHS_WEIGHTS = range(10, 1, -1)
_ABA_WEIGHTS = (3, 7, 1) * 3
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)),
        strict=True)
)  # fmt: skip

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def digits_of(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")


def is_luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B, over the digits of ``number``."""
    total = 0
    for position, char in enumerate(reversed(digits_of(number))):
        value = int(char) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(number: str) -> bool:
    """ISO 13616: rearranged, letters as 10 to 35, remainder 1 modulo 97."""
    compact = number.replace(" ", "").replace("-", "").upper()
    if not (15 <= len(compact) <= 34 and compact.isascii() and compact.isalnum()):
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def is_ssn(number: str) -> bool:
    """US social security number: areas and groups that were never issued excluded."""
    digits = digits_of(number)
    if len(digits) != 9:
        return False
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and group != "00" and serial != "0000"


def is_nhs(number: str) -> bool:
    """NHS number (England): weighted modulus 11."""
    digits = digits_of(number)
    if len(digits) != 10:
        return False
    total = sum(
        int(char) * weight for char, weight in zip(digits, _NHS_WEIGHTS, strict=False)
    )
    return (11 - total % 11) % 11 == int(digits[9])


def is_aba(number: str) -> bool:
    """US bank routing number: weights 3, 7, 1 modulo 10."""
    digits = digits_of(number)
    if len(digits) != 9 or digits[:2] > "32":
        return False
    total = sum(
        int(char) * weight for char, weight in zip(digits, _ABA_WEIGHTS, strict=True)
    )
    return total % 10 == 0


def is_vin(number: str) -> bool:
    """ISO 3779 vehicle number with the North American check character."""
    text = number.upper()
    if len(text) != 17 or not text.isascii() or set(text) & set("IOQ"):
        return False
    values = [int(c) if c.isdigit() else _VIN_VALUES.get(c, 0) for c in text]
    total = sum(
        value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True)
    )
    return text[8] == "0123456789X"[total % 11]


def is_dni(number: str) -> bool:
    """Spanish DNI or NIE: the control letter is the number modulo 23."""
    compact = number.upper().replace("-", "").replace(".", "").replace(" ", "")
    if compact[:1] in {"X", "Y", "Z"}:
        compact = f"{'XYZ'.index(compact[0])}{compact[1:]}"
    body, letter = compact[:-1], compact[-1:]
    if not (body.isascii() and body.isdigit() and 7 <= len(body) <= 8):
        return False
    return letter == _DNI_LETTERS[int(body) % 23]
