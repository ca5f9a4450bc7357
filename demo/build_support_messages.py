"""Builds the demo dataset of support messages, always the same bytes.

Why this exists: the demo needs several hundred labelled messages that no real person
wrote. The fragments in ``demo/fragments`` were written by hand for this project; this
script combines a situation and a reflection, in one of three registers. It must never
let a fragment stand in two splits: that would be leakage, and the platform's own
validator would rightly refuse the result.

A fragment line may hold ``[one|two|three]``: each register takes another option, so the
three renderings of a situation differ in fact and not only in tone.

    python demo/build_support_messages.py            # writes support_messages.jsonl
    python demo/build_support_messages.py --check    # exits 1 if the file differs
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE / "support_messages.jsonl"
SEED = "support-messages-1"
LICENCE = "CC0-1.0"

Row = dict[str, str]

AGES = ("teen", "adult", "older_adult")
REGISTERS = ("formal", "casual", "second_language")
# Twelve situations per age and category, thirty-six reflections per category.
SITUATIONS = {"train": 8, "dev": 1, "test": 3}
REFLECTIONS = {"train": 24, "dev": 3, "test": 9}

OPENERS = {
    "formal": (
        "Good evening. ", "Hello, I would like to ask you something. ", "Good day. ",
        "I hope it is all right to write about this. ", "", "", "", "", "",
    ),
    "casual": (
        "hey, ", "ok so ", "hi again. ", "not sure where to start lol. ", "ugh. ",
        "so, ", "", "", "", "",
    ),
    "second_language": (
        "Hello, sorry for my English. ", "Good evening, I try to explain. ",
        "Hello, I write first time. ", "I am from other country. ", "", "", "", "", "",
    ),
}  # fmt: skip
CLOSERS = {
    "formal": (
        " Thank you for reading this.", " I would appreciate your thoughts.",
        " May I talk with you about it?", "", "", "", "", "",
    ),
    "casual": (
        " idk", " just needed to say that", " does that make sense?", " anyway yeah",
        "", "", "", "", "",
    ),
    "second_language": (
        " Maybe you understand me.", " What you think?", " Thank you for your answer.",
        "", "", "", "", "",
    ),
}  # fmt: skip

# A person often names the matter: "{}" takes a phrase of demo/topics.json.
FRAMES = {
    "formal": (
        "I am writing about {}. ", "It concerns {}. ", "My question is about {}. ",
        "I wish to speak about {}. ", "The matter is {}. ", "This is about {}. ",
    ),
    "casual": (
        "can we talk about {}? ", "it's about {} again. ", "so yeah, {}. ",
        "{}, that's the topic today. ", "guess it's {}. ", "kinda about {}. ",
    ),
    "second_language": (
        "I want to speak about {}. ", "My topic is {}. ", "It is about {}. ",
        "I write you because of {}. ", "My problem or news is {}. ", "Is about {}. ",
    ),
}  # fmt: skip
FRAME_CHANCE = 0.85

EXPANSIONS = (
    (r"\bcan't\b", "cannot"), (r"\bCan't\b", "Cannot"), (r"\bwon't\b", "will not"),
    (r"n't\b", " not"), (r"\bI'm\b", "I am"), (r"'ve\b", " have"),
    (r"'ll\b", " will"), (r"'re\b", " are"),
    (r"\b([Ii])'d (like|love|give|pay|never|fail)\b", r"\1 would \2"),
    (r"\b([Ii]t|[Tt]here|[Tt]hat|[Ww]hat|[Hh]e|[Ss]he)'s been\b", r"\1 has been"),
    (r"\b([Ii]t|[Tt]here|[Tt]hat|[Ww]hat|[Hh]e|[Ss]he)'s\b", r"\1 is"),
)  # fmt: skip
CASUAL = (
    (r"\bI\b", "i"), (r"\bbecause\b", "cause"), (r"\bgoing to\b", "gonna"),
    (r"\bwant to\b", "wanna"), (r"\bgot to\b", "gotta"), (r"\breally\b", "rly"),
    (r"\bpeople\b", "ppl"), (r"\bbefore\b", "b4"), (r"\beveryone\b", "everyone"),
    (r"\bprobably\b", "prob"), (r"\byou\b", "u"), (r"\bthough\b", "tho"),
    (r"\bwithout\b", "w/o"), (r"n't\b", "nt"), (r"\bi'm\b", "im"),
)  # fmt: skip
CASUAL_CHANCE = 0.6
SECOND_LANGUAGE = (
    (r"\bI have been (\w+ing)\b", r"I am \1"), (r"\bSince I\b", "From when I"),
    (r"\bfor (two|three|four|five) (days|months|years)\b", r"since \1 \2"),
    (r"\bnobody\b", "no person"), (r"\bany more\b", "more"),
    (r"\bhow to\b", "how I can"),
    (r"\bI would like\b", "I like"), (r"\bon the\b", "in the"),
)  # fmt: skip
ARTICLE = re.compile(r"\b(the|a|an) (?=[a-z])")
ARTICLE_CHANCE = 0.4
SLOT = re.compile(r"\[([^\]]+)\]")


def read_fragments(path: Path) -> dict[str, list[str]]:
    """Lines of a fragment file by heading: the ages, and ``reflections``."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            current = sections.setdefault(line[3:].strip(), [])
        elif line.strip():
            current.append(line.strip())
    return sections


def seeded(key: str) -> random.Random:
    """The same choices on every run; nothing here is a secret."""
    return random.Random(f"{SEED}:{key}")  # noqa: S311


def divide(lines: list[str], sizes: dict[str, int], key: str) -> dict[str, list[str]]:
    """The lines dealt out to splits: every line in exactly one."""
    if len(lines) != sum(sizes.values()):
        raise ValueError(f"{key}: expected {sum(sizes.values())} lines")
    dealt = seeded(key).sample(lines, len(lines))
    parts, start = {}, 0
    for split, size in sizes.items():
        parts[split] = dealt[start : start + size]
        start += size
    return parts


def fill(line: str, choice: int) -> str:
    """The line with the option numbered ``choice`` in each of its slots."""
    return SLOT.sub(lambda match: match[1].split("|")[choice], line)


def _rewrite(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text


def formal(text: str, rng: random.Random) -> str:
    return _rewrite(text, EXPANSIONS)


def casual(text: str, rng: random.Random) -> str:
    for pattern, replacement in CASUAL:
        if rng.random() < CASUAL_CHANCE:
            text = re.sub(pattern, replacement, text)
    if rng.random() < CASUAL_CHANCE:
        text = text.lower()
    return text.rstrip(".") if rng.random() < CASUAL_CHANCE else text


def second_language(text: str, rng: random.Random) -> str:
    text = _rewrite(_rewrite(text, EXPANSIONS), SECOND_LANGUAGE)
    return ARTICLE.sub(
        lambda match: "" if rng.random() < ARTICLE_CHANCE else match[0], text
    )


VOICES = {"formal": formal, "casual": casual, "second_language": second_language}


def compose(parts: list[str], topic: str, register: str, rng: random.Random) -> str:
    """One message of a situation and a reflection; now and then the other way."""
    if rng.random() < 0.25 and not parts[-1].startswith(("Thank", "It's", "How")):
        parts = parts[::-1]
    body = VOICES[register](" ".join(parts), rng)
    opener = rng.choice(OPENERS[register])
    if rng.random() < FRAME_CHANCE:
        frame = rng.choice(FRAMES[register]).format(VOICES[register](topic, rng))
        opener = frame if opener.endswith(("so ", ", ")) else opener + frame
    closer = "" if body.endswith("?") else rng.choice(CLOSERS[register])
    return f"{opener}{body}{closer}".strip()


def row(text: str, category: str, age: str, register: str, split: str) -> Row:
    return {
        "text": text,
        "category": category,
        "subgroup": f"{age}_{register}",
        "split": split,
        "license": LICENCE,
    }


def category_rows(path: Path, topics: list[str]) -> Iterator[Row]:
    """All rows of one category, without ids; no pair of fragments meets twice."""
    category, sections = path.stem, read_fragments(path)
    reflections = divide(sections["reflections"], REFLECTIONS, f"{category}:r")
    dealt = {
        age: divide(sections[age], SITUATIONS, f"{category}:{age}") for age in AGES
    }
    for split, size in SITUATIONS.items():
        scenes = [(age, line) for age in AGES for line in dealt[age][split]]
        for number, register in enumerate(REGISTERS):
            rng = seeded(f"{category}:{split}:{register}")
            pool = reflections[split][number * size :] + reflections[split]
            for (age, line), reflection in zip(scenes, pool, strict=False):
                parts = [fill(line, number), fill(reflection, number)]
                text = compose(parts, rng.choice(topics), register, rng)
                yield row(text, category, age, register, split)


def build() -> str:
    """The whole file: shuffled, numbered, one JSON object a line."""
    topics = json.loads((HERE / "topics.json").read_text(encoding="utf-8"))
    rows = [
        message
        for path in sorted((HERE / "fragments").glob("*.txt"))
        for message in category_rows(path, topics[path.stem])
    ]
    seeded("order").shuffle(rows)
    lines = (
        json.dumps({"id": f"msg-{number:04d}", **message}, ensure_ascii=False)
        for number, message in enumerate(rows, start=1)
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the demo messages.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    content = build()
    if parser.parse_args().check:
        return int(TARGET.read_text(encoding="utf-8") != content)
    TARGET.write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
