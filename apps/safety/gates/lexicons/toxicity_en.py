"""Directed insults, threats and dehumanising phrases, as a backstop to the classifier.

Phrases, not lists of slurs: a word alone does not say who is attacked, and people quote
and reclaim words.
"""

from __future__ import annotations

_YOU = (
    r"(?:you|u|your|ur|you're|youre|ya)(?:'re| are| r)?(?: such)?"
    r"(?: (?:a|an|all|just|so|fucking|stupid|dumb|little|total|absolute))*"
)

DIRECTED: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("insult", 0.8, (
        _YOU + r" (?:*idiot|*idiots|*moron|*morons|*loser|*losers|*pathetic|*worthless|"
        r"*stupid|*dumbass|*scum|*trash|*garbage|*retard|*retarded|*imbecile|*cretin|"
        r"*disgusting|*ugly|*clown|*fool|*vermin|*parasite|*asshole|*bitch|*cunt|*twat|"
        r"*prick|*dickhead|*bastard|*whore|*slut|*pig)",
        r"*fuck (?:you|off|u|yourself|urself)", r"*screw you", r"go to *hell",
        r"*shut (?:the (?:fuck|hell) "
        r")?up", r"*stfu", r"piece of *shit", r"kiss my *ass",
        r"*suck (?:my|a) (?:dick|cock|"
        r"balls)", r"what an? (?:*idiot|*moron|*loser|*bitch)",
        r"no one (?:likes|*cares about|wants) you", r"*hate you",
    )),
    ("hate", 0.82, (
        r"(?:all|these|those|the|most|you|damn|fucking|dirty|filthy) (?:\w+ "
        r")?(?:*blacks|"
        r"*jews|*muslims|*gays|*women|*immigrants|*arabs|*mexicans|*asians|*whites|"
        r"*christians|*refugees|*lesbians|*trans|*transgenders|*foreigners|*indians|"
        r"*africans|*disabled) (?:people )?(?:are|r|should|deserve|must|need to|ruin|"
        r"destroy|belong) (?:all |just |nothing but |a |be )?(?:scum|trash|animals|"
        r"vermin|filth|disgusting|evil|inferior|subhuman|parasites|rapists|terrorists|"
        r"criminals|stupid|lazy|die|gassed|deported|shot|hanged|killed|disease|"
        r"plague|dogs|rats|cockroaches|the problem|everything|in the kitchen|monsters|"
        r"thieves|exterminated|burned|burn|freaks|sick|mentally ill)",
        r"(?:*gas|*exterminate|*deport|*kill|*hang|*lynch|*shoot|*burn) (?:all |every |"
        r"the )*(?:blacks|jews|muslims|gays|women|immigrants|arabs|mexicans|"
        r"whites|refugees|trans|foreigners|faggots|niggers|kikes|trannies)",
        r"(?:*niggers?|*kikes?|*faggots?|*tranny|*trannies|*spics?|*wetbacks?|*chinks?|"
        r"*ragheads?|*sandniggers?|*gooks?|*dykes?|*coons?|*pakis?)",
        r"(?:go *back to (?:your|ur) (?:own )?(?:country|africa|mexico|china|kitchen))",
    )),
    ("sexual", 0.8, (
        r"(?:*suck|*lick|*fuck|*ride|*touch|*show) (?:my|me|your|ur) (?:dick|cock|"
        r"pussy|"
        r"tits|boobs|ass|nudes|clit|balls|naked|"
        r"hard)", r"*send (?:me )?(?:nudes|pics of "
        r"your)", r"(?:wanna|want to|let's|will you) (?:have *sex|*fuck|*bang|make "
        r"*love)",
        r"(?:i'm|im|so|you) (?:so )?*horny", r"*blow ?job", r"*cum (?:on|in|all)",
        r"what are you *wearing", r"your (?:*tits|*boobs|*pussy)",
    )),
)  # fmt: skip

THREATS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("threat", 0.85, (
        r"(?:i'll|i will|i'm going to|im gonna|i'm gonna|gonna|going to|ima|imma|we "
        r"will|"
        r"we'll|i want to|i wanna|i'd like to) (?:fucking |come and |come |find you "
        r"and |"
        r"find and |personally )?(?:*kill|*murder|*stab|*shoot|*beat|*rape|*hurt|"
        r"*destroy|"
        r"*strangle|*burn|*slit|*break|*smash|*punch) (?:you|u|your|ur|ya|them all|"
        r"him|her)",
        r"(?:you|u|they)(?:'re| are|'ll| will)? (?:going to|gonna|will|deserve to|"
        r"should|"
        r"need to|must) (?:*die|be *killed|be *shot|*suffer|*bleed|*burn|*pay for|"
        r"*hang)",
        r"i know where you "
        r"*live", r"*watch your back", r"*hope you (?:die|get raped|rot|"
        r"get cancer|burn|choke|suffer)", r"(?:*kill|*hang|*neck) (?:yourself|urself)",
    )),
    ("violence", 0.8, (
        r"how (?:to|do i|can i|would i) .. (?:make|build|construct|get away) .. "
        r"(?:*bomb|*explosive|*murder|*poison|*grenade|*silencer|*molotov)",
        r"(?:*torture|*behead|*dismember|*mutilate|*disembowel) (?:him|her|them|a|the|"
        r"someone|people)", r"(?:*mass|school) *shooting",
    )),
)  # fmt: skip
