"""Small closed word classes that change what the words around them mean.

Who is spoken of, negation, report, and words for groups of people. A word for a group
is never weighed by itself (that would punish people for naming themselves); only what
is said about the group is. Slurs are not in these lists and stay visible.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]

BASE = 0x01000193
PLAIN, NEGATION, REPORT, FIRST_PRONOUN = -1, 0, 1, 2

_NEGATIONS = (
    "not no never dont didnt doesnt isnt wasnt arent wont cant cannot wouldnt couldnt "
    "shouldnt havent hasnt hadnt aint without nobody none nothing neither nor hardly"
)
_REPORTS = (
    "say says said saying call calls called calling wrote writes tell tells telling "
    "think thinks claim claims claiming quote quoted heard hear phrase word words "
    "slogan comment comments post shouted shouting yelled joke jokes meme song lyrics "
    "hashtag statement sentence shirt belief idea myth"
)
_PRONOUNS = (
    "i im ive id ill me my mine myself",
    "you your youre u ur yours yourself youve",
    "he she him her his hers himself herself",
    "they them their theyre these those theirs",
    "we us our were ours",
    "it its itself",
)
FIRST_GROUP = FIRST_PRONOUN + len(_PRONOUNS)
GROUPS: dict[str, str] = {
    "women": (
        "woman women girl girls female females lady ladies wife wives mother "
        "mothers daughter daughters sister sisters feminist feminists housewife "
        "housewives"
    ),
    "men": (
        "man men boy boys male males guy guys husband husbands father fathers son "
        "sons brother brothers gentleman gentlemen"
    ),
    "trans": (
        "trans transgender transgendered transsexual transsexuals transwoman "
        "transwomen transman transmen nonbinary genderqueer intersex enby"
    ),
    "gay": (
        "gay gays lesbian lesbians bisexual bisexuals bi queer queers homosexual "
        "homosexuals lgbt lgbtq lgbtqia homosexuality asexual pansexual straight "
        "heterosexual heterosexuals"
    ),
    "black": (
        "black blacks african africans nigerian nigerians somali somalis kenyan haitian"
    ),
    "white": "white whites caucasian caucasians european europeans",
    "asian": (
        "asian asians chinese japanese korean koreans vietnamese filipino "
        "filipinos thai oriental orientals"
    ),
    "south asian": (
        "indian indians pakistani pakistanis bangladeshi hindu hindus sikh sikhs"
    ),
    "latino": (
        "latino latinos latina latinas latinx hispanic hispanics mexican mexicans "
        "cuban cubans brazilian brazilians colombian puerto rican ricans"
    ),
    "native": "native natives indigenous aboriginal aboriginals maori inuit",
    "arab": (
        "muslim muslims islam islamic arab arabs arabic iraqi iraqis iranian "
        "iranians syrian syrians turkish turks afghan afghans palestinian "
        "palestinians moroccan"
    ),
    "jewish": "jew jews jewish judaism israeli israelis hebrew",
    "christian": (
        "christian christians catholic catholics protestant protestants mormon "
        "mormons evangelical evangelicals christianity"
    ),
    "other faith": "buddhist buddhists atheist atheists pagan pagans taoist",
    "migrant": (
        "immigrant immigrants migrant migrants refugee refugees foreigner "
        "foreigners immigration asylum"
    ),
    "disabled": (
        "disabled disability disabilities handicapped blind deaf autistic autism "
        "wheelchair paralyzed amputee amputees dyslexic epileptic"
    ),
    "mental illness": "schizophrenic schizophrenics bipolar borderline depressed",
    "age": (
        "old elderly older young younger teenager teenagers boomer boomers millennial"
    ),
    "body": "fat overweight obese skinny short tall",
    "nation": (
        "american americans british english irish french german germans italian "
        "italians polish poles russian russians ukrainian ukrainians canadian "
        "canadians australian greek greeks romanian romanians gypsy gypsies roma "
        "spanish swedish dutch"
    ),
    "poor": "poor homeless unemployed rich working",
}


def word_hash(word: str) -> int:
    """The hash a word has inside a passage."""
    total = sum(ord(c) * pow(BASE, i, 1 << 32) for i, c in enumerate(word))
    return total & 0xFFFFFFFF


def _table() -> tuple[Codes, NDArray[np.int64]]:
    lists = (_NEGATIONS, _REPORTS, *_PRONOUNS, *GROUPS.values())
    known = {word_hash(w): n for n, words in enumerate(lists) for w in words.split()}
    hashes = sorted(known)
    return np.array(hashes, np.uint32), np.array([known[h] for h in hashes], np.int64)


_HASHES, _CLASSES = _table()


def classes_of(hashes: Codes) -> NDArray[np.int64]:
    """PLAIN, NEGATION, REPORT, a pronoun class, or FIRST_GROUP and up for groups."""
    found = np.searchsorted(_HASHES, hashes)
    found[found == len(_HASHES)] = 0
    return np.where(_HASHES[found] == hashes, _CLASSES[found], PLAIN)
