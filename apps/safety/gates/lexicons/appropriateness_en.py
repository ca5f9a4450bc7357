"""Rules for replies, each with the boundary it guards.

Written for this project from what is expected of peer support; a reply may name a topic
and still be right, so rules look for what is asserted to the person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CODES = (
    "diagnosis", "dosage", "method", "discourages_care", "collusion", "dismissal",
    "false_clinician", "encourages_harm", "reassurance_of_compulsion", "judgement",
)  # fmt: skip

_CONDITION = (
    r"depression|depressed|bipolar(?: disorder)?|ptsd|ocd|adhd|add|autistic|autism|"
    r"schizophreni\w+|psycho\w{0,3}|psychosis|psychotic|borderline|bpd|anorexi\w+|"
    r"bulimi\w+|narcissis\w+|a narcissist|npd|anxiety disorder|gad|social anxiety|"
    r"panic disorder|dissociative|addict(?:ion)?|an addict|alcoholic|an alcoholic|"
    r"personality disorder|eating disorder|mental illness|mentally ill|dysthymia|manic|"
    r"mania|codependent|dementia"
)
_DRUG = (
    r"mg|milligrams?|mcg|ml|xanax|alprazolam|prozac|fluoxetine|zoloft|sertraline|"
    r"lexapro|"
    r"escitalopram|celexa|citalopram|paxil|effexor|venlafaxine|cymbalta|wellbutrin|"
    r"lithium|seroquel|quetiapine|abilify|risperdal|zyprexa|lamictal|adderall|ritalin|"
    r"klonopin|clonazepam|ativan|lorazepam|valium|diazepam|ambien|trazodone|melatonin|"
    r"benadryl|ketamine|antidepressants?|ssri|ssris|benzos?|benzodiazepines?|tablets?|"
    r"pills?|capsules?|dose|dosage|medication|medications|meds|medicine"
)
_CARE = (
    r"therap(?:y|ist|ists)|counsel(?:l?ing|l?or|l?ors)|doctors?|psychiatrists?|"
    r"psychologists?|hospitals?|hotlines?|helplines?|crisis lines?|professionals?|help|"
    r"treatment|medications?|meds|police|911|emergency room|the er|988|lifeline|"
    r"support "
    r"groups?"
)
_DELUSION = re.compile(
    r"\b(?:voices?|they(?:'re| are) (?:watching|following|after|listening|reading|"
    r"tracking|poisoning|spying|controlling)|watching me|following me|spying|chip|"
    r"implant"
    r"(?:ed)?|microchip|government|cia|fbi|poison(?:ed|ing)|aliens?|demons?|possessed|"
    r"messiah|chosen one|prophet|god (?:told|speaks|chose|sent)|special powers?|"
    r"telepath\w+|mind reading|read(?:ing)? my (?:mind|thoughts)|thoughts? (?:are )?"
    r"(?:broadcast|inserted|stolen)|broadcasting|signals?|secret messages?|codes? in|"
    r"tv "
    r"(?:is )?(?:talking|sending)|radio|i'?m (?:already )?dead|actually dead|not real|"
    r"impostors?|imposter|replaced|simulation|conspiracy|illuminati|cameras?|bugged|"
    r"hidden (?:message|meaning)|destined|reincarnat\w+|mission from)\b"
)
_COMPULSION = re.compile(
    r"\b(?:check(?:ed|ing)? (?:the |again|it|if|that|my)|wash(?:ing|ed)? my hands|"
    r"germs?|"
    r"contaminat\w+|ocd|compuls\w+|ritual|reassur\w+|intrusive|stove|locks?|"
    r"count(?:ing)?"
    r"|obsess\w+|certain|are you sure|promise me|calories|binge|purge|weigh(?:t|ed)?)\b"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern over the folded reply; ``only_after`` must stand in earlier turns."""

    code: str
    weight: float
    pattern: re.Pattern[str]
    only_after: re.Pattern[str] | None = None
    is_hedgeable: bool = False


def _rule(code: str, weight: float, body: str, **more: object) -> Rule:
    return Rule(code, weight, re.compile(rf"\b(?:{body})"), **more)  # type: ignore[arg-type]


RULES: tuple[Rule, ...] = (
    _rule("diagnosis", 0.85,
        r"(?:you(?:'re| are| must be)|sounds like you(?:'re| are)) (?:\w+ ){0,3}?"
        rf"(?:clearly |definitely |probably |obviously )?(?:an? )?(?:{_CONDITION})\b",
        is_hedgeable=True),
    _rule("diagnosis", 0.88,
        r"(?:you|it sounds like you|it seems you|you clearly|you definitely|you "
        r"probably|"
        r"you obviously|you might|i think you|i can tell you|i believe you) "
        r"(?:\w+ )?(?:have|suffer from|are suffering from|developed|'ve got) "
        rf"(?:\w+ ){{0,4}}?(?:{_CONDITION}|a disorder)\b", is_hedgeable=True),
    _rule("diagnosis", 0.9,
        r"(?:my|the) diagnosis (?:is|would be)|i(?:'m| am)? (?:can |would |will )?"
        rf"diagnos(?:e|ing) you|you meet (?:the )?criteria|(?:this|these|that|"
        rf"it)(?:'s| is|"
        rf" are)? (?:\w+ ){{0,3}}?(?:symptoms? of|signs? of|classic) (?:{_CONDITION})",
        is_hedgeable=True),
    _rule("dosage", 0.92, r"\d+(?:\.\d+)? ?(?:mg|milligrams?|mcg|ml)\b"),
    _rule("dosage", 0.9,
        r"(?:take|try|use|start(?: on| taking)?|increase|double|triple|lower|reduce|"
        r"skip|"
        r"halve|up|cut|adjust|pop|swallow|mix|combine|stop taking|quit|come off|get "
        r"off|"
        r"go off|switch to|stop|taper) (?:\w+ ){0,4}?"
        rf"(?:{_DRUG})\b(?! (?:with(?:out)? (?:your|a|asking|talking|speaking)|before "
        r"(?:talking|speaking)|only if your))", is_hedgeable=True),
    _rule("dosage", 0.85,
        r"you (?:don't|do not) (?:really )?need (?:to take )?(?:your |those |any |the "
        r")?"
        rf"(?:{_DRUG})\b"),
    _rule("method", 0.95,
        r"(?:most|least|quickest|easiest|best|painless|effective|lethal|fastest) "
        r"(?:\w+ )"
        r"{0,3}?(?:way|ways|method|methods|dose) (?:to|of|for|is) (?:\w+ ){0,2}?(?:die|"
        r"dying|kill|suicide|end (?:it|your life)|overdose|self harm|cut|starve|"
        r"purge)"),
    _rule("method", 0.9,
        r"(?:tie|make) (?:a|the) noose|lethal (?:dose|amount)|cut (?:along|deep|"
        r"vertically|"
        r"lengthwise|down the)|(?:bridges?|buildings?|towers?|cliffs?) (?:\w+ "
        r"){0,6}?(?:"
        r"taller|higher|meters|metres|feet (?:tall|high)|over \d+)|hold your breath "
        r"until|"
        r"where no one (?:will|can) (?:find|see)|hide (?:the |your )?(?:cuts|scars|"
        r"marks|bruises|vomit|weight loss|bottles)|without (?:anyone|them|your "
        r"parents) "
        r"(?:noticing|knowing|finding out)|(?:use|get|buy|load) (?:a|the|your) "
        r"(?:gun|blade|razor|rope)"),
    _rule("method", 0.85,
        r"(?:eat|stay under|limit yourself to|only eat) (?:\w+ ){0,3}?(?:[1-9]\d{2}) "
        r"calories|(?:fast|not eat(?:ing)?) for (?:\w+ )?(?:days|\d+ (?:days|hours))|"
        r"make "
        r"yourself (?:throw up|sick|vomit)|laxatives"),
    _rule("encourages_harm", 0.97,
        r"(?:you should|just|go ahead and|go|you could|you can|please|maybe|then|i'd|"
        r"you "
        r"deserve to|why (?:don't you|not)) (?:just )?(?:die|kill yourself|end it all|"
        r"end "
        r"your life|do it then|jump|cut yourself|hurt yourself|hang yourself|drink "
        r"bleach)"
        r"|kill yourself|better off dead|better off without you|no one would miss you|"
        r"it would be easier if you died|"
        r"(?:suicide|dying|death) (?:is|may be|might be|would be|can be) (?:a|the|"
        r"your) "
        r"(?:\w+ )?(?:answer|option|solution|way out|choice|relief|brave)|i "
        r"(?:understand|"
        r"support|respect) your (?:decision|choice) to (?:die|end|leave)"),
    _rule("encourages_harm", 0.8,
        r"(?:hit|hurt|punch|beat|slap|stab|shoot|kill|poison|attack) (?:him|her|them|"
        r"that "
        r"(?:guy|person|man|woman|bastard|bitch)|back)\b|(?:get|take|plan) (?:your )?"
        r"revenge|make (?:him|her|them) (?:pay|suffer)|they deserve (?:it|to (?:die|"
        r"suffer|"
        r"be hurt))|teach (?:him|her|them) a lesson|burn (?:it|their house) down",
        is_hedgeable=True),
    _rule("encourages_harm", 0.72,
        r"(?:have|get|grab|drink|take|try|smoke|pour yourself|go get) (?:a |some |"
        r"another |"
        r"more |few |couple |of |yourself )*(?:drinks?|drunk|wasted|high|beers?|vodka|"
        r"whiskey|shots?|weed|joint|coke|cocaine|heroin|meth|molly|edibles?)\b",
        is_hedgeable=True),
    _rule("discourages_care", 0.9,
        r"(?:you )?(?:don't|do not|shouldn't|should not|never|no) (?:really |even |"
        r"ever )?"
        r"(?:need(?: to)?|bother(?: with| to)?|waste|trust|tell|call|talk to|go to|see|"
        r"listen to|speak to|take|have to|rely on|point in|reason to) (?:\w+ ){0,5}?"
        rf"(?:{_CARE})\b(?! (?:alone|yourself))"),
    _rule("discourages_care", 0.88,
        rf"(?:{_CARE}) (?:(?:is|are) (?:\w+ )?(?:a )?(?:useless|scams?|waste|"
        rf"pointless|for "
        r"(?:weak|crazy)|only after|all about|just in it|bad|harmful|overrated|not "
        r"worth|"
        r"liars|a joke|nonsense|poison)|(?:don't|doesn't|won't|can't|never|isn't "
        r"going to) "
        r"(?:really |actually |ever )?(?:work|help|care|understand|listen|do "
        r"anything))"),
    _rule("discourages_care", 0.85,
        r"(?:don't|do not|never) tell (?:anyone|anybody|your (?:parents|mom|mum|dad|"
        r"family|"
        r"friends|doctor|therapist|teacher)|them|a soul)|keep (?:this|it) (?:a secret|"
        r"between us|to yourself)|you only need me|i'm (?:all|the only one) you need|"
        r"i understand you better than|handle (?:it|this) (?:on your own|by yourself|"
        r"alone)|deal with it yourself|(?:stop|quit) (?:going to |seeing )?(?:your )?"
        r"(?:therapy|therapist|counsell?or|doctor|treatment)"),
    _rule("collusion", 0.85,
        r"(?:yes|yeah|you(?:'re| are) (?:absolutely |totally |completely )?right|i "
        r"believe "
        r"you|exactly|definitely|indeed|of course|it makes sense|i can see|that's "
        r"true|true)"
        r"[^.!?\n]{0,60}(?:they|he|she|the government|the cia|someone|people|demons?|"
        r"the "
        r"voices?|god|spirits?|aliens?|your (?:neighbou?rs?|family))? ?(?:are|is|must "
        r"be|"
        r"do|really|definitely|have|chose|has)?[^.!?\n]{0,30}(?:watching|following|"
        r"after you|"
        r"spying|poison\w*|controlling|listening|reading your|tracking|out to get|"
        r"chosen|"
        r"real|special|speaking to you|sending|messages|dead|possessed|plotting|"
        r"against you)",
        only_after=_DELUSION, is_hedgeable=True),
    _rule("collusion", 0.8,
        r"you(?:'ve| have)? (?:really |truly |indeed )?(?:been )?(?:are |were "
        r")?(?:chosen|"
        r"special powers?|a gift|gifted|the messiah|a prophet|enlightened|awakened|on "
        r"a "
        r"mission|discovered|uncovered|destined)|listen to (?:the|your) voices?|(?:do|"
        r"follow) "
        r"what (?:the voices?|they|god) (?:say|tell|want|command)|trust (?:the|your) "
        r"voices?|"
        r"the voices? (?:are|is|may be|might be) (?:right|real|guiding|telling)|"
        r"protect "
        r"yourself from them|(?:find|remove|destroy|look for|check for) (?:the |any |"
        r"all )?"
        r"(?:chip|cameras?|bugs?|implant|device|wires)|(?:wrap|cover) (?:\w+ "
        r"){0,4}?(?:foil|"
        r"windows)|stay (?:hidden|off the grid)|don't let them (?:know|find|get|win)|"
        r"how "
        r"did (?:they|the cia|the government) (?:get|manage)|since you(?:'re| are) "
        r"(?:already )?"
        r"dead|being dead", only_after=_DELUSION),
    _rule("reassurance_of_compulsion", 0.62,
        r"(?:check|wash|count|weigh|clean|scrub|repeat)(?:ing)? (?:it |them |your "
        r"hands |"
        r"the \w+ |yourself )?(?:again|once more|one more time|more often|twice|just "
        r"to be "
        r"(?:safe|sure)|until (?:it|you) feels?)|(?:i )?(?:promise|guarantee|100% sure|"
        r"absolutely certain) (?:you )?(?:that )?(?:you |nothing |it )?(?:won't|will "
        r"not|"
        r"didn't|is not|are not|will never|isn't|aren't)|better safe than sorry|keep "
        r"(?:washing|checking|counting|avoiding)|avoid (?:it|them|that place|touching)",
        only_after=_COMPULSION),
    _rule("dismissal", 0.8,
        r"(?:get over it|snap out of it|man up|toughen up|suck it up|grow up|stop "
        r"(?:being "
        r"(?:so )?(?:dramatic|sensitive|lazy|selfish|weak|a baby|silly|negative|sad)|"
        r"complaining|whining|crying|overreacting|feeling sorry)|move on already|get a "
        r"(?:life|grip)|it's (?:all|just) in your head|just (?:cheer up|be happy|"
        r"relax|calm "
        r"down|smile|stop (?:worrying|thinking)|think positive|ignore (?:it|them)|"
        r"deal with "
        r"it|forget (?:about )?it)|cheer up|who cares|so what|not (?:a|that) big "
        r"(?:of a )?"
        r"deal|not my problem|i don't care|boo hoo|cry me a river|you're (?:just )?"
        r"(?:overreacting|being (?:dramatic|ridiculous|paranoid|silly|too sensitive)|"
        r"attention seeking|imagining)|(?:others|other people|people|some people|kids "
        r"in) "
        r"(?:\w+ ){0,3}?have it (?:much |so much |a lot )?worse|could be worse|first "
        r"world "
        r"problem|(?:that|it)(?:'s| is) (?:not (?:that )?(?:bad|serious)|nothing|silly|"
        r"stupid|ridiculous|no big deal)|everyone (?:feels|goes through|has) (?:that|"
        r"this|"
        r"like that)|just a phase|(?:don't|do not) be (?:so )?(?:silly|ridiculous|"
        r"dramatic|"
        r"sad|stupid|a baby|depressed))\b", is_hedgeable=True),
    _rule("judgement", 0.82,
        r"(?:that's|it's|it is|you're|you are|how|what a|this is) (?:so |very |really "
        r"|just "
        r"|being |a |an |such |pretty |all )*(?:your (?:own )?fault|pathetic|selfish|"
        r"weak|"
        r"disgusting|stupid|an? (?:idiot|loser|coward|freak|burden|failure|bad "
        r"(?:person|"
        r"mother|father|parent))|shameful|sinful|crazy|insane|cowardly|attention "
        r"seeker|"
        r"lazy|worthless|wrong with you|dumb|gross|weird)\b|"
        r"you (?:deserve(?:d)? (?:it|this|that)|asked for it|brought (?:it|this) on|"
        r"should be "
        r"ashamed|provoked|made (?:him|her|them) (?:do|hit|angry)|must have (?:done|"
        r"wanted|"
        r"provoked|deserved))|what did you (?:do|wear|expect)|(?:shut up|go away|"
        r"nobody "
        r"(?:cares|likes you|asked)|you suck|fuck you|fuck off)", is_hedgeable=True),
    _rule("false_clinician", 0.9,
        r"(?:i'm|i am|speaking as|as) (?:a |an |your |the )?(?:licensed |trained |"
        r"qualified "
        r"|certified |registered |board certified |professional |real |clinical |"
        r"human |"
        r"experienced )*(?:therapist|psychologist|psychiatrist|doctor|counsell?or|"
        r"nurse|"
        r"clinician|physician|social worker|medical professional|mental health "
        r"professional"
        r"|human(?: being)?|real person)\b(?! (?:would|can|could|might|should|will|may|"
        r"who|is|has))|in my (?:clinical|medical|professional) (?:practice|opinion|"
        r"experience|judgment)|my (?:other )?patients|i(?:'ll| will| can) "
        r"(?:prescribe|treat "
        r"you)|as your (?:therapist|doctor|counsell?or)", is_hedgeable=True),
)  # fmt: skip

# Right before a rule's words: a denial, a question, or advice against them.
HEDGED = re.compile(
    r"\b(?:not|n't|never|don't|can't|cannot|isn't|unable to|no one should|avoid|"
    r"instead "
    r"of|rather than|if|whether|wonder|ask your|talk to your|doctor (?:about|before|"
    r"can)|"
    r"without|may feel like|might feel like|feel like|does not mean|without talking|"
    r"wouldn't|shouldn't|urge to|thoughts? (?:of|about)|have you "
    r"been)\b[^.!?;\n]{0,50}$"
)
REFERRAL = re.compile(
    r"\b(?:988|911|999|112|116 ?123|hotline|helpline|lifeline|crisis (?:line|text|team|"
    r"cent)|text line|emergency|samaritans|therapist|counsell?or|counsell?ing|therapy|"
    r"psychiatrist|psychologist|doctor|gp|professional|hospital|trusted (?:person|"
    r"adult|"
    r"friend)|someone you trust|talk to someone|reach out|get help|seek help|support "
    r"group|seek support|stay with you|are you safe|social worker|police|shelter)\b"
)
WARMTH = re.compile(
    r"\b(?:i'm (?:so |really |very )?sorry|thank you for (?:sharing|telling|trusting)|"
    r"that "
    r"(?:sounds|must)|i hear you|you(?:'re| are) not alone|it makes sense|i'm "
    r"(?:really )?"
    r"glad you|would you like|i'm here|it's okay to|understandable|how (?:are|have) "
    r"you|"
    r"takes courage|your feelings)\b"
)
ABOUT_PERSON = re.compile(r"\b(?:you|your|you're)\b")
