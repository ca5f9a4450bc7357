"""Languages: foreign text is told from English chat, and is never a pass."""

from __future__ import annotations

import time

import pytest

from apps.safety.contracts import Decision
from apps.safety.gates.crisis_signs import read_signs
from apps.safety.languages.answering import answer_locale, is_only_language
from apps.safety.languages.identify import identify, languages_of
from apps.safety.pipeline import GateRunner
from apps.safety.policy import default_policy
from apps.safety.windows import WINDOW_CHARS
from tests.safety.support import kit, replied, said
from tests.safety.test_gate_contract import GATES

KNOWN = default_policy().locales

FOREIGN = {
    "no puedo dormir y me siento muy sola": "es",
    "¿por qué nadie me entiende en esta casa?": "es",
    "je n'arrive plus à dormir et je me sens seul": "fr",
    "ich fühle mich heute sehr allein und traurig": "de",
    "estou muito cansada e não quero falar com ninguém": "pt",
    "sono molto stanco e non riesco a dormire": "it",
    "ik voel me zo alleen vandaag": "nl",
    "jestem bardzo smutny i nie mogę spać": "pl",
    "çok yalnız hissediyorum ve uyuyamıyorum": "tr",
    "tôi cảm thấy rất buồn và cô đơn": "vi",
    "saya merasa sangat sedih dan sendirian": "id",
    "мне очень грустно сегодня вечером": "und",
    "今日はとても悲しくて眠れません": "und",
}
CHAT = (
    "", " ", "ok", "k", "lol", "hi", "no", "haha", "?!", "😭😭😭", "Maria", "12 5",
    "idk man im tired af", "ngl thats kinda sus bruh", "smh tbh rn", "cant slep agian",
    "wen r u comin ova 2nite", "omg i cnt evn", "ugh meh whatevs", "hola", "gracias",
    "my therapist Dr. Juan de la Cruz says hi", "I moved from Los Angeles to San Jose",
    "we had crème brûlée at a café, so cliché", "que sera sera i guess lol",
    "i luv my abuela so much", "Ana and Jose Garcia called me yesterday",
    "asap pls dm me", "u up?", "xoxo", "RIP my dog", "c'est la vie i suppose",
    "the word schadenfreude is german for being glad at bad luck", "ffs", "bae",
    "meu friend said it hurts but i am ok", "e.g. this, i.e. that, etc.",
)  # fmt: skip


@pytest.fixture(scope="module")
def runner() -> GateRunner:
    return GateRunner([gate(kit()) for gate in GATES], default_policy())


@pytest.mark.parametrize(("text", "language"), FOREIGN.items())
def test_another_language_is_told(text: str, language: str) -> None:
    assert identify(text) == language


@pytest.mark.parametrize("text", CHAT)
def test_short_english_slang_names_and_loans_are_not_foreign(text: str) -> None:
    assert identify(text) in {None, "en"}


@pytest.mark.parametrize("text", FOREIGN)
def test_foreign_text_is_no_pass_on_any_gate(text: str, runner: GateRunner) -> None:
    for inspection in (said(text), replied(text)):
        result = runner.run(inspection)

        assert result.decision is Decision.ESCALATE
        assert all(verdict.failed for verdict in result.verdicts)


def test_foreign_words_behind_much_english_are_seen(runner: GateRunner) -> None:
    english = "We went to the market and it was a quiet day for all of us. "
    text = english * (WINDOW_CHARS // len(english) + 2) + " ".join(
        ["je me sens seul et je ne veux plus parler avec les gens de ma famille"] * 40
    )

    assert {"en", "fr"} <= languages_of(text)
    assert runner.run(said(text)).decision is Decision.ESCALATE


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("en", "no puedo dormir y me siento muy sola", "es"),
        ("en-US", "no puedo dormir y me siento muy sola", "es-US"),
        ("en-GB", "no puedo dormir y me siento muy sola", "es"),
        ("es-MX", "no puedo dormir y me siento muy sola", "es-MX"),
        ("en-GB", "je me sens tellement seul ce soir", "fr"),
        ("en-US", "tôi cảm thấy rất buồn và cô đơn", "en-US"),
        ("en-US", "I could not sleep again and I feel alone", "en-US"),
        ("es", "ok", "es"),
    ],
)
def test_the_answer_is_in_the_text_s_language_and_the_locale_s_country(
    locale: str, text: str, expected: str
) -> None:
    assert answer_locale(locale, text, KNOWN) == expected


@pytest.mark.parametrize(
    ("text", "is_only"),
    [
        ("je me sens bien et je vais au marché avec ma famille", True),
        ("ya no quiero vivir, quiero matarme esta noche", False),
        ("je veux mourir, je ne veux plus vivre avec cette douleur", False),
        ("I walked to the market today", False),
    ],
)
def test_a_sign_of_risk_is_never_taken_for_mere_language(
    text: str, is_only: bool, runner: GateRunner
) -> None:
    result = runner.run(said(text))

    assert is_only_language(result.decision, result.verdicts) is is_only


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("me quiero morir", "active_ideation"),
        ("ojalá no despertara mañana", "passive_ideation"),
        ("esta noche me mato", "plan"),
        ("me tomé todas las pastillas", "attempt"),
        ("volví a cortarme anoche", "behaviour"),
        ("mi marido me pega", "abuse"),
        ("voy a matar a mi jefe", "harm_to_others"),
    ],
)
def test_signs_of_risk_are_read_in_spanish(text: str, kind: str) -> None:
    signs = read_signs(text)

    assert kind in signs.kinds(0.3)
    assert signs.strength >= 0.5


@pytest.mark.parametrize(
    "text",
    ["me muero de risa", "me muero de hambre", "mi madre me va a matar si llego tarde",
     "matando el rato", "se me murió la batería"],
)  # fmt: skip
def test_figures_of_speech_in_spanish_hardly_count(text: str) -> None:
    assert read_signs(text).strength < 0.3


@pytest.mark.parametrize("locale", KNOWN)
def test_who_cannot_be_read_is_told_where_help_is(locale: str) -> None:
    told = default_policy().texts(locale).language

    helped = ("findahelpline.com", "988", "116 123", "024", "800 911 2000")
    assert sum(help_ in told for help_ in helped) == 1


def test_no_gate_claims_a_language_that_was_not_shown_to_work() -> None:
    assert {code for gate in GATES for code in gate.languages} == {"en"}


def test_telling_a_language_takes_next_to_no_time() -> None:
    text = "I could not sleep again and my head is loud. " * 6
    identify(text)
    started = time.process_time()

    for _ in range(200):
        identify(text)

    assert (time.process_time() - started) / 200 < 0.001
