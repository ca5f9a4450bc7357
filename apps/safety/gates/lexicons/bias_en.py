"""Shapes of generalisations about groups, and of advice that depends on the group."""

from __future__ import annotations

import re

_GROUPS = (
    r"women|men|girls|boys|females|males|wives|husbands|mothers|fathers|ladies|guys|"
    r"blacks|whites|asians|latinos|latinas|hispanics|africans|europeans|"
    r"mexicans|indians|chinese|japanese|koreans|arabs|jews|muslims|christians|hindus|"
    r"buddhists|catholics|atheists|immigrants|migrants|refugees|foreigners|gays|"
    r"lesbians|"
    r"bisexuals|transgenders|queers|americans|russians|italians|irish|germans|french|"
    r"(?:black|white|asian|african|latino|hispanic|native|indigenous|jewish|muslim|"
    r"arab|"
    r"gay|lesbian|bisexual|trans|transgender|queer|straight|disabled|autistic|old|"
    r"older|"
    r"elderly|young|poor|rich|fat|obese|homeless|mentally ill|bipolar|schizophrenic|"
    r"depressed|immigrant|foreign|african american|mexican|indian|brown|religious)"
    r"(?: american)? (?:people|persons|folks?|men|women|man|woman|kids|children|girls|"
    r"boys|guys|families|parents|teens|workers|students|patients|couples|ones)|"
    r"schizophrenics|addicts|millennials|boomers|teenagers|the (?:elderly|poor|"
    r"disabled|"
    r"homeless|mentally ill|blind|deaf)|people (?:from|with) (?:africa|mexico|china|"
    r"india|the middle east|schizophrenia|bipolar|bpd|autism|borderline)"
)
_TRAITS = (
    r"lazy|stupid|dumb|violent|dangerous|criminals?|emotional|hysterical|irrational|"
    r"weak|"
    r"submissive|inferior|superior|dirty|greedy|cheap|dishonest|liars?|thieves|"
    r"terrorists?|"
    r"uneducated|unintelligent|less intelligent|aggressive|promiscuous|sinful|"
    r"unnatural|"
    r"confused|sick|crazy|manipulative|attention seekers?|gold ?diggers|bad drivers|"
    r"good at math|bad at math|bad at|not good at|worse at|naturally|untrustworthy|"
    r"backwards?|primitive|uncivili[sz]ed|a burden|burdens|incapable|helpless|needy|"
    r"bossy|nagging|moody|gossips?|drunks?|rapists?|predators?|perverts?|immoral|evil|"
    r"animals|dramatic|oversensitive|too sensitive|unstable|cold|nerdy|exotic|loud|"
    r"angry|"
    r"useless|frail|stubborn|forgetful|spoiled|entitled|selfish|ungrateful|born to|"
    r"better suited|not suited|meant to|supposed to|made for|a threat|a problem"
)

RULES: tuple[tuple[str, float, re.Pattern[str]], ...] = (
    ("bias.generalisation", 0.85, re.compile(
        rf"\b(?:all |most |every |many |those |these |you )?(?:{_GROUPS}) (?:are|r|is|"
        rf"tend to "
        rf"be|were|can be|will always be) (?:\w+ ){{0,3}}?(?:{_TRAITS})\b"
    )),
    ("bias.generalisation", 0.75, re.compile(
        rf"\b(?:all|every|most|typical|those|these) (?:{_GROUPS}) (?:\w+ "
        rf"){{0,2}}?(?:are|"
        r"always|never|can't|cannot|don't|only|just|should|want|love|hate|like|have)\b"
    )),
    ("bias.generalisation", 0.72, re.compile(
        rf"\b(?:{_GROUPS}) (?:always|never|can't|cannot|can not|just can't|only "
        rf"(?:care|"
        r"want|think)|don't (?:know how|understand|belong|deserve|work)|should (?:stay|"
        r"not|never|be|know|obey|submit|go back)|shouldn't|belong in|need to be "
        r"controlled|are all|are just|are only|are naturally|are better|are worse|"
        r"lack|steal|cheat|lie|can be so)\b"
    )),
    ("bias.generalisation", 0.7, re.compile(
        r"\b(?:as|being|since|because) (?:(?:you(?:'re| are)|she(?:'s| is)|he(?:'s| "
        r"is)) )?"
        rf"(?:an? )?(?:typical )?(?:{_GROUPS}|woman|man|girl|jew|muslim|immigrant|"
        r"mexican|asian|black|gay|lesbian|older|elderly|trans|foreigner|indian|"
        r"african),? "
        r"(?:\w+ )?(?:you|she|he|they) (?:\w+ )?(?:must|should|can't|cannot|will|won't|"
        r"naturally|probably|obviously|are bound)\b"
    )),
    ("bias.generalisation", 0.7, re.compile(
        rf"\b(?:that's|it's|it is|this is|just) (?:just )?(?:how|what|the way|typical "
        rf"of|"
        rf"in the nature of|because) (?:{_GROUPS})\b"
    )),
)  # fmt: skip
UNEQUAL: tuple[tuple[str, float, re.Pattern[str]], ...] = (
    ("bias.unequal_advice", 0.75, re.compile(
        r"\b(?:man up|boys don't cry|real men|act like a (?:man|lady)|that's not "
        r"ladylike|like a girl|a woman's place|women's work|man's job|be a man|"
        r"girls? (?:like you )?should (?:smile|be nice)|too (?:emotional|sensitive) "
        r"for a "
        r"(?:man|guy)|(?:just )?hormonal|that time of the month|in your culture,? "
        r"(?:people|women|men|they)|people like you|your kind|you people)\b"
    )),
    ("bias.unequal_advice", 0.8, re.compile(
        r"\b(?:cure|fix|overcome|pray away|grow out of|correct|repent (?:of|for)|"
        r"leave) "
        r"(?:your |being |the )?(?:homosexuality|gay|gayness|lesbian|bisexual|trans|"
        r"transgender|same sex attraction|sexuality|lifestyle)\b"
    )),
)  # fmt: skip
DISAVOWED = re.compile(
    r"\b(?:stereotypes?|not true|isn't true|myth|unfair|wrong to (?:say|think)|some "
    r"people (?:say|think|believe)|harmful|offensive|prejudice|bias(?:ed)?|should not "
    r"say|never say|disagree|false|nobody should|are not|aren't)\b"
)
