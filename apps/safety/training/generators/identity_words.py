"""Made-up people, places and organisations, and what is spelt from their names."""

from __future__ import annotations

import random
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from apps.safety.training.generators.identity_numbers import of_kind, shaped
from apps.safety.training.generators.texts import FOLDER

LINES = FOLDER / "lines"
_TITLES = (
    "Dr.", "Dr", "Mr.", "Mrs.", "Ms.", "Miss", "Prof.", "Professor", "Sgt.", "Rev.",
    "Nurse", "Officer", "Judge",
)  # fmt: skip
_HOSTS = (
    "gmail.com", "yahoo.com", "outlook.com", "proton.me", "icloud.com", "hotmail.co.uk",
    "web.de", "mail.ru", "example.org", "correo.es", "uni-mail.edu",
)  # fmt: skip
_SITES = (
    "facebook.com", "instagram.com", "linkedin.com/in", "www.tumblr.com", "medium.com",
    "soundcloud.com", "www.{host}.org/people", "{host}.net", "blog.{host}.com",
    "www.{host}.co.uk/staff", "tinyurl.com", "{host}.de/forum",
)  # fmt: skip
_SPICE = ("moon", "cat", "sad", "pixel", "storm", "lost", "tiny", "blue", "wolf")


@dataclass(frozen=True)
class Culture:
    """Given and family names that occur together."""

    given: tuple[str, ...]
    family: tuple[str, ...]


@cache
def cultures() -> tuple[Culture, ...]:
    content = tomllib.loads((LINES / "names.toml").read_text(encoding="utf-8"))
    return tuple(
        Culture(tuple(item["given"]), tuple(item["family"]))
        for item in content["culture"]
    )


@cache
def places() -> Mapping[str, tuple[str, ...]]:
    """Every list of the file; those of organisations under their own names too."""
    content = tomllib.loads((LINES / "places.toml").read_text(encoding="utf-8"))
    lists = {**content, **content.pop("organisations")}
    return {name: tuple(lists[name]) for name in lists if name != "organisations"}


def _one(rng: random.Random, name: str) -> str:
    return rng.choice(places()[name])


def first_name(rng: random.Random) -> str:
    given = rng.choice(rng.choice(cultures()).given)
    return f"{given[0]}." if rng.random() < 0.02 else given


def last_name(rng: random.Random) -> str:
    family = rng.choice(rng.choice(cultures()).family)
    if rng.random() < 0.06:
        return f"{family}-{rng.choice(rng.choice(cultures()).family)}"
    return family


_NAME_FORMS = {
    "{given} {family}": 66,
    "{given} {initial}. {family}": 8,
    "{first}. {family}": 6,
    "{family}, {given}": 6,
    "{given} {second} {family}": 4,
    "{first}. {initial}. {family}": 3,
    "{given} {upper}": 3,
    "{given} {family} Jr.": 2,
    "{given} {family} III": 2,
}


def person(rng: random.Random) -> str:
    """A full name; sometimes with initials, hyphens, or the family name first."""
    culture = rng.choice(cultures())
    given, family = rng.choice(culture.given), rng.choice(culture.family)
    if rng.random() < 0.12:
        family = last_name(rng)
    (form,) = rng.choices(tuple(_NAME_FORMS), tuple(_NAME_FORMS.values()))
    return form.format(
        given=given,
        family=family,
        first=given[0],
        initial=rng.choice("ABCDEFGHJKLMNPRSTVW"),
        second=rng.choice(culture.given),
        upper=family.upper(),
    )


def title(rng: random.Random) -> str:
    """Nothing, most often, or a title with a space; not part of the name."""
    return f"{rng.choice(_TITLES)} " if rng.random() < 0.12 else ""


def town(rng: random.Random) -> str:
    form = rng.random()
    if form < 0.3:
        return _one(rng, "cities_us")
    if form < 0.45:
        return _one(rng, "cities_uk")
    if form < 0.8:
        return _one(rng, "cities_world")
    return _one(rng, "village_heads") + _one(rng, "village_tails")


def location(rng: random.Random) -> str:
    form = rng.random()
    if form < 0.55:
        return town(rng)
    if form < 0.70:
        return _one(rng, "countries")
    if form < 0.80:
        state, short = _one(rng, "states").split(":")
        return f"{_one(rng, 'cities_us')}, {rng.choice((state, short))}"
    if form < 0.88:
        return _one(rng, "areas")
    if form < 0.94:
        return f"{_one(rng, 'cities_world')}, {_one(rng, 'countries')}"
    return _one(rng, "states").split(":")[0]


def address(rng: random.Random) -> str:
    """A street and number, with or without flat, town, state and postal code."""
    form = rng.random()
    if form < 0.5:
        return _address_us(rng)
    if form < 0.78:
        return _address_uk(rng)
    if form < 0.84:
        return f"PO Box {rng.randrange(10, 9999)}, {town(rng)}"
    number = str(rng.randrange(1, 240))
    street, code = _one(rng, "streets_abroad"), shaped(rng, "#####")
    return rng.choice((
        f"{street} {number}", f"{street} {number}, {code} {town(rng)}",
        f"{number} {street}", f"{street}, {number}",
    ))  # fmt: skip


def _address_us(rng: random.Random) -> str:
    lead = rng.choice(("", "", "", "N. ", "W ", "SE ", "North "))
    street = f"{lead}{_one(rng, 'streets')} {_one(rng, 'kinds_us')}"
    if rng.random() < 0.1:
        street = f"{rng.randrange(2, 99)}th {_one(rng, 'kinds_us')}"
    base = f"{rng.randrange(1, 19999)} {street}"
    if rng.random() < 0.3:
        base += rng.choice((", Apt {}", " Apt. {}", ", Unit {}", " #{}")).format(
            rng.choice(("4B", "12", "3", "207", "C"))
        )
    short = _one(rng, "states").split(":")[1]
    city, code = _one(rng, "cities_us"), shaped(rng, "#####")
    return base + rng.choice(("", f", {city}", f", {city}, {short} {code}"))


def _address_uk(rng: random.Random) -> str:
    number = rng.choice((str(rng.randrange(1, 300)), f"{rng.randrange(1, 90)}b"))
    flat = rng.choice(("", "", f"Flat {rng.randrange(1, 30)}, "))
    base = f"{flat}{number} {_one(rng, 'streets')} {_one(rng, 'kinds_uk')}"
    city, code = _one(rng, "cities_uk"), shaped(rng, "@@## #@@")
    return base + rng.choice(("", f", {city}", f", {city} {code}", f", {city}, {code}"))


_ORGANISATION_FORMS = {
    "{head} {care}": 30,
    "{head} {school}": 12,
    "{town} {school}": 8,
    "{head} {firm}": 20,
    "{town} {agency}": 8,
    "University of {town}": 6,
    "{bare}": 8,
    "{acronym}": 8,
}


def organization(rng: random.Random) -> str:
    """A clinic, school, firm, agency or acronym."""
    forms = _ORGANISATION_FORMS
    (form,) = rng.choices(tuple(forms), tuple(forms.values()))
    letters = rng.choices("ABCDEFGHKLMNPRSTVW", k=rng.choice((3, 4)))
    return form.format(
        head=_one(rng, "heads") if rng.random() < 0.7 else last_name(rng),
        town=town(rng),
        care=_one(rng, "care"),
        school=_one(rng, "schools"),
        firm=_one(rng, "firms"),
        agency=_one(rng, "agencies"),
        bare=_one(rng, "bare"),
        acronym="".join(letters),
    )


def _plain(name: str) -> str:
    """The letters a to z of a name, as people spell it in addresses."""
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(char for char in decomposed if "a" <= char <= "z") or "anon"


def email(rng: random.Random) -> str:
    given, family = _plain(first_name(rng)), _plain(last_name(rng))
    local = rng.choice((
        f"{given}.{family}", f"{given}{rng.randrange(1, 99)}", f"{given[0]}{family}",
        f"{family}_{given}", f"{given}+notes", f"{rng.choice(_SPICE)}.{given}",
    ))  # fmt: skip
    host = rng.choice(_HOSTS)
    if rng.random() < 0.25:
        host = f"{_plain(_one(rng, 'heads'))}.{rng.choice(('org', 'com', 'co.uk'))}"
    return f"{local}@{host}"


def username(rng: random.Random) -> str:
    given, number = _plain(first_name(rng)), rng.randrange(1, 2000)
    spice = rng.choice(_SPICE)
    return rng.choice((
        f"{given}{number}", f"{spice}_{given}", f"{given}_{spice}{number}",
        f"{spice}{given}{number % 100}", f"{given}.{_plain(last_name(rng))}",
        f"x{given}x", f"The{spice.title()}{given.title()}", f"{spice}{number}",
    ))  # fmt: skip


def url(rng: random.Random) -> str:
    site = rng.choice(_SITES).replace("{host}", _plain(_one(rng, "heads")))
    start = rng.choice(("https://", "https://", "http://", ""))
    if start and site.startswith("www.") and rng.random() < 0.3:
        start = ""
    return f"{start}{site}/{username(rng)}"


def photo(rng: random.Random) -> str:
    given = _plain(first_name(rng))
    named = (f"selfie-{given}.png", f"{given}_face.jpg")
    return rng.choice((of_kind(rng, "PHOTO"), of_kind(rng, "PHOTO"), *named))


WORDS: Mapping[str, Callable[[random.Random], str]] = {
    "ADDRESS": address,
    "EMAIL": email,
    "FIRST_NAME": first_name,
    "LAST_NAME": last_name,
    "LOCATION": location,
    "ORGANIZATION": organization,
    "PERSON": person,
    "PHOTO": photo,
    "URL": url,
    "USERNAME": username,
}
