"""What an earlier turn is about, coarsely, so that a reply can be read against it.

"That sounds right, do it" is fine or terrible depending on the turn before. Each topic
lets the reply's words be weighed separately under it. The lists are cues for a weight,
never a decision by themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.safety.runtime.classes import Codes, word_hash

TOPICS: dict[str, str] = {
    "risk": (
        "suicide suicidal die dying dead death kill killing killed hurt hurting "
        "harm cut cutting cuts overdose pills bridge rope jump goodbye ending end "
        "burden alive unalive kms hopeless worthless disappear razor blade scars "
        "wrists hang hanging"
    ),
    "unreal": (
        "voices voice fbi cia government agents spying spy watching watched "
        "following followed chip chips implanted implant cameras camera signals "
        "radio poison poisoned poisoning chosen prophet god jesus messiah demons "
        "demon satellite satellites conspiracy plot mind thoughts controlled "
        "controlling messages secret hidden code aliens alien neighbours "
        "neighbors bugged microphones replaced impostor simulation powers mission "
        "tv dead rotting reptilian"
    ),
    "compulsion": (
        "check checking checked recheck wash washing washed germs contaminated "
        "dirty stove oven locked lock locks door ritual rituals count counting "
        "tapping tap order symmetrical even intrusive thought ocd reassurance "
        "sure certain clean cleaning bleach handle touch touched repeat confess "
        "hoarding"
    ),
    "medicine": (
        "medication medications meds medicine pill dose doses dosage mg "
        "milligrams prescription prescribed antidepressant antidepressants ssri "
        "lithium xanax zoloft prozac lexapro sertraline fluoxetine adderall "
        "valium seroquel insulin ibuprofen tylenol paracetamol opioids oxycodone "
        "doctor psychiatrist diagnosis diagnosed symptoms bipolar adhd fever pain "
        "cough covid virus"
    ),
    "body": (
        "eat eating food calories weight fat skinny thin purge purging binge "
        "vomit starve starving fasting laxatives diet mirror pounds kilos meal "
        "meals"
    ),
    "substance": (
        "drink drinking drunk alcohol sober relapse relapsed heroin cocaine meth "
        "weed high addicted addiction gambling gamble bet using clean"
    ),
    "violence": (
        "hit hits hitting punch beat beats beating stab shoot gun knife attack "
        "revenge rape raped abuse abused abuses abusive assault assaulted choke "
        "threatened threatens afraid scared weapon murder fight"
    ),
    "people": (
        "black white asian jewish jews muslim muslims gay lesbian trans women "
        "woman men immigrants immigrant mexican mexicans christian religion race "
        "racist sexist disabled girls feminists lgbt liberals trump police"
    ),
}


def _table() -> tuple[Codes, NDArray[np.int64]]:
    bits: dict[int, int] = {}
    for position, words in enumerate(TOPICS.values()):
        for word in words.split():
            key = word_hash(word)
            bits[key] = bits.get(key, 0) | 1 << position
    keys = sorted(bits)
    return np.array(keys, np.uint32), np.array([bits[k] for k in keys], np.int64)


_HASHES, _BITS = _table()


def topics_of(hashes: Codes) -> list[int]:
    """Numbers of the topics that words with these hashes touch, ascending."""
    if not len(hashes):
        return []
    found = np.searchsorted(_HASHES, hashes)
    found[found == len(_HASHES)] = 0
    mask = int(
        np.bitwise_or.reduce(np.where(_HASHES[found] == hashes, _BITS[found], 0))
    )
    return [number for number in range(len(TOPICS)) if mask >> number & 1]
