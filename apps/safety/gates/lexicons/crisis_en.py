"""Signs of risk in English, written for this project; weights are one phrase alone.

Signs follow the constructs that clinicians separate (wish to be dead, active thoughts,
method, intent and plan, preparation, behaviour; harm to others; abuse): see
docs/gates/crisis.md. A weight is the strength of the sign before negation, figures of
speech, other people and the past are taken into account.
"""

from __future__ import annotations

MACROS = {
    "want": (
        r"want|wanna|wants|wanted|wanting|wish|wishing|wished|hope|hoping|need|plan|"
        r"planning|intend|going|gonna|about|ready|prefer|rather|love|like|try|tempted|"
        r"desire|desperate|longing|long|urge|urges|thinking of|thinking about|"
        r"think about|thought about|thoughts of|considering|consider|contemplating"
    ),
    "to": r"to|2|of|too",
    "self": r"myself|my self|me self|meself",
    "life": r"my life|my own life|my existence|this life",
    "selfharm": (
        r"cut|cutting|burn|burning|hurt|hurting|harm|harming|punish|punishing|injure|"
        r"starve|starving|scratch|scratching|slice|slicing|stab|stabbing"
    ),
    "person": (
        r"him|her|them|my wife|my husband|my boss|my partner|my ex|my mom|my mum|my "
        r"dad|"
        r"my mother|my father|my brother|my sister|my coworkers?|my co workers?|"
        r"my neighbou?r|my roommate|my kids|my children|my baby|my son|my daughter|"
        r"my family|my stepdad|my stepfather|my teacher|my classmates?|my girlfriend|"
        r"my boyfriend|everyone|everybody|somebody|someone|people|those people|"
        r"that (?:man|woman|guy|bitch|bastard)|(?:the )?whole (?:school|family|office)"
    ),
    "abuser": (
        r"he|she|they|my (?:dad|father|mom|mum|mother|step ?dad|stepfather|stepmom|"
        r"stepmother|husband|wife|partner|boyfriend|girlfriend|ex|uncle|aunt|brother|"
        r"cousin|grandfather|grandpa|coach|teacher|boss|carer|parents|roommate)|"
        r"(?:the|a|our) (?:carer|nurse|coach|priest|babysitter|neighbou?r|teacher)"
    ),
    "kill": (
        r"*kill|*killing|*end|*ending|*off|*offing|*murder|*unalive|*unaliving|*hang|"
        r"*hanging|*shoot|*shooting|*drown|*drowning|*poison|*poisoning|*k1ll|*kil"
    ),
    "soon": r"tonight|today|now|right now|tomorrow|this (?:evening|weekend|morning)",
}

SIGNS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("active_ideation", 0.86, (
        r"<kill> <self>", r"kill *meself", r"*suiciding <self>?",
        r"(?:<want> )?<to> *unalive", r"(?:*end|*ending|*ended|*take|*taking) <life>",
        r"(?:*end|*ending) it all", r"*end it (?:tonight|now|today|for good|already)",
        r"(?:want|wanna|going|gonna|ready|ought|should|could|might|decided) (?:to )?"
        r"(?:just )?*end it(?! with| there| here| between)",
        r"(?:want|wants|wanted|wanting|wanna|wish|need|going|gonna|ready|prefer|like|"
        r"love|try|tried|deserve|"
        r"planning|plan|desire|longing|hope|prepared|intend|choose|chosen|decided|"
        r"begging|asked|pray|praying|supposed|begun|trying|beg|hoping) <to> "
        r"(?:just |really |fucking |finally |go |to |be )?(?:*die|*dead|*death|*dying)",
        r"(?:*suicide|*suicidal) .. (?:thoughts?|ideation|feelings?|urges?|plans?|"
        r"intent)",
        r"(?:thoughts?|thinking|think|ideas?|considering|contemplating|contemplate|"
        r"contemplated|considered|talk|dreaming|fantasi[sz]e|fantasi[sz]ing|research|"
        r"researching|planning|plan|attempt|attempting|committing|commit|comitting|"
        r"commiting|commited|obsessed|choose|choosing|urge) .. "
        r"(?:*suicide|*sucide|*suicid|*sewerslide|*su1cide)",
        r"(?:i'm|im|am|feel|feeling|been|very|so|really|extremely|actively|became|"
        r"become|"
        r"getting|still|always|chronically|passively) *suicidal", r"*kms", r"*ctb",
        r"(?:want|wanna|should|going|gonna|could|might|will|i'll|ready|thinking of|"
        r"about) "
        r"(?:to )?(?:do|doing|go|going) (?:through with )?(?:the )?*suicide",
        r"(?:jump|jumping|leap|throw <self>|throwing <self>) .. "
        r"(?:*bridge|*roof|*building|*balcony|*cliff|*train|*overpass|*ledge)",
        r"(?:drive|driving|crash|crashing|swerve|swerving|walk|walking|step|stepping) "
        r".. "
        r"(?:into|in front of|off) .. (?:*tree|*traffic|*train|*truck|*bus|*wall|"
        r"*bridge|*cliff|*pole|*lorry|*road|*ocean|*river)",
        r"(?:put|putting) a *bullet .. (?:head|brain|skull|mouth|me)",
        r"(?:*slit|*slitting|*slash|*cut|*cutting|*open) my (?:own )?"
        r"(?:*wrists?|*throat|*veins|*arteries)",
        r"(?:*blow|*blowing) (?:my|<self>) .. (?:brains?|head|away)",
        r"(?:take|taking|took|swallow|swallowing|swallowed|down|downing|eat) .. "
        r"(?:all|whole bottle|bottle|handful|bunch|too many|every one) .. "
        r"(?:*pills|*meds|*medication|*tablets|*paracetamol|*tylenol|*sleeping)",
        r"(?:want|wanna|going|gonna|try|trying|tried|plan|planning|thinking|thoughts|"
        r"intend|attempt|attempted|just|considering) .. (?:*overdose|*overdosing|*od)",
        r"(?:*kill|*hang|*shoot|*drown|*gas|*poison|*stab|*electrocute) "
        r"(?:<self>|my self|me "
        r"please)", r"(?:someone|somebody|please|god|just) *kill me",
        r"(?:put|putting) (?:me|<self>) out of my *misery",
        r"(?:*leave|*exit|*depart|*escape) (?:this|the) (?:world|earth|planet) "
        r"(?:for good|forever|behind|soon|tonight|by)",
        r"(?:make|making) (?:it|the pain|everything|my heart) *stop (?:forever|for "
        r"good|"
        r"permanently|beating)", r"*delete <self>", r"*check out (?:of life|for good)",
    )),
    ("passive_ideation", 0.66, (
        r"(?:do|did|does|would)(?: not|n't)? .. (?:want|wanna|wish|care|like|deserve|"
        r"need|intend|plan|see a reason|feel like|have a reason|have any reason|"
        r"have the will) .. (?:to )?(?:be |keep |go on |stay |continue )?"
        r"(?:*alive|*live|*living|*exist|*existing|*wake|*waking|*breathing|*breathe)",
        r"do(?:n't| not|nt) (?:want|wanna|wish) (?:to )?be (?:*here|*around|*alive|"
        r"in this *world|on this *earth|on this *planet|*anymore)(?! for (?:christmas|"
        r"the))",
        r"(?:never|not) (?:wake|waking) *up(?: again| tomorrow| ever)?",
        r"(?:wish|hope|hoped|wished|pray|praying|want) .. (?:i|to) .. "
        r"(?:not|never|didn't|don't|won't|could) .. (?:*wake|*woke|*born|*exist|"
        r"*existed|"
        r"*disappear|*vanish|*alive)",
        r"(?:wish|wished) i (?:was|were|had been|would|could|would've|could have) .. "
        r"(?:*dead|*die|*died|never *born|*aborted|*gone|*disappear|*vanish|*killed|"
        r"not *alive|not *exist|not *here|*asleep forever)",
        r"(?:go|fall|drift) (?:to )?*sleep and (?:never|not) (?:wake|come|open)",
        r"*better off (?:dead|without me|if i|when i'm gone|not existing|not alive)",
        r"(?:*rather|*sooner) (?:be )?(?:dead|die|not exist|not be alive)",
        r"(?:no|any|what's the|what is the|isn't a|see a|without) (?:*point|*reason|"
        r"*purpose|*meaning) .. (?:in |to |of )?(?:living|live|life|being alive|"
        r"existing|"
        r"going on|carrying on|continuing|stay alive|staying alive|staying)",
        r"(?:*nothing|*anything|*reason|*reasons) (?:left )?(?:for me )?(?:to|worth) "
        r"(?:live|living|stay alive)(?: for)?", r"life .. (?:not|isn't|aint) .. *worth",
        r"(?:tired|sick|exhausted|done|weary|hate) (?:of|with)? ?(?:being )?"
        r"(?:*alive|*living|*existing|*life)(?! with| in| at| together)",
        r"(?:can't|cannot|can not|cant|couldn't) (?:go on|do this|do life|live|take "
        r"this|"
        r"take it|carry on|keep going|keep living|bear) (?:like this )?(?:*anymore|"
        r"*any more|any *longer|*much longer)",
        r"(?:just )?(?:want|wanna|wish|need|going|like) (?:to )?(?:just )?"
        r"(?:*disappear|*vanish|*cease|stop *existing|stop *living|fade *away|"
        r"not *exist|not be *alive|not be *here|be *gone|be *erased|stop *breathing)",
        r"(?:world|everyone|everybody|they|family|kids|people|you|him|her|them|nobody|"
        r"all) .. (?:*better|*happier|*easier) .. (?:without me|off without|if i "
        r"(?:was|"
        r"were|died|wasn't|weren't|disappeared|didn't exist|never existed|just died))",
        r"(?:nobody|no one|noone|none of them|would anyone|anyone) .. "
        r"(?:*miss|*notice|*care|*cry) .. (?:if i|when i'm|me if|i was|i were|i'm) .. "
        r"(?:gone|died|dead|die|disappeared|killed|left|vanished)",
        r"if i (?:*died|*die|was *dead|were *dead|*disappeared) (?:tomorrow|tonight|"
        r"today|right now|in my sleep|no one|nobody|it would)",
        r"(?:wouldn't|would not|won't|don't) .. (?:*mind|*care) .. "
        r"(?:if i|dying|being dead|getting hit|whether i) .. ?(?:died|die|live|dead|"
        r"wake|woke|hit|killed)?", r"(?:*death|*dying) .. (?:be|is|seems?|sounds?|"
        r"feels?|looks?) .. (?:relief|peaceful|easier|only way|better|comforting|"
        r"appealing|release|way out|freedom|escape|nice|mercy)",
        r"(?:want|wanna|need|wish) (?:it|this|everything|the pain|all of it|all this) "
        r"(?:all )?(?:to )?(?:be )?*over(?! with soon)",
        r"(?:ready|prepared) (?:to|for) (?:*die|*death|*go|leave this *world)",
        r"(?:welcome|waiting for|wait for|looking forward to|pray for|praying for|"
        r"long for|longing for|crave|craving) (?:my )?*death",
        r"*never (?:have )?been born", r"(?:should|could) (?:not|n't) .. *exist",
        r"(?:don't|do not|can't|cannot|won't) (?:see|imagine|picture) (?:myself|me) .. "
        r"(?:*alive|*future|*living|next year|making it|being here)",
        r"(?:*deserve|*deserves|*deserved) to (?:die|be dead|live)",
        r"(?:*waste|wasting) of (?:space|oxygen|air|breath)",
        r"(?:want|wish|hope|hoping|wishing) (?:for )?.. (?:*cancer|*accident|*hit|"
        r"*crash|a *heart attack) .. (?:take me|kill me|me|end)",
    )),
    ("plan", 0.93, (
        r"(?:have|made|making|got|writing|wrote|written|working on|formed|set) "
        r"(?:a|my|the|up a|out my|out a) .. (?:*plan|*date|*method) .. "
        r"(?:to )?(?:kill|end|die|suicide|do it|myself|how)",
        r"(?:picked|chose|chosen|set|decided|know|figured out|planned|found) .. "
        r"(?:*date|*day|*place|*spot|*method|*way|*bridge|*when|*how) .. "
        r"(?:to (?:die|do it|end it|kill|end my)|i'll do it|i'm going to do it|"
        r"i will do it|for my suicide)",
        r"(?:wrote|writing|written|write|left|leaving|finished|drafted|typing|posted) "
        r".. "
        r"(?:suicide|goodbye|final|farewell|last) (?:*note|*notes|*letter|*letters|"
        r"*message|*messages|*text)", r"(?:my|a) *suicide (?:note|letter|plan)",
        r"(?:this|today|tonight|tomorrow) (?:is|will be|would be) (?:my|the) *last "
        r"(?:day|night|time|message|post|goodbye|week|birthday)(?! of (?:work|school|"
        r"class|the|term|my job))",
        r"(?:by the time|when) you (?:read|see|get|find) this .. .. ?(?:*gone|*dead)",
        r"(?:gave|giving|given|give) (?:away )?(?:all )?(?:my|of my) .. (?:things|"
        r"belongings|possessions|stuff|pets?|dog|cat) "
        r"*away", r"*goodbye (?:cruel )?world",
        r"(?:won't|will not|not going to|not gonna) be (?:here|around|alive) "
        r"(?:*tomorrow|*tonight|*monday|*anymore|*much longer|by *morning|next week)",
        r"(?:going to|gonna|will|i'll|about to|decided to|ready to|planning to|plan "
        r"to) "
        r"(?:do|end|finish) (?:it|this|things) *tonight",
        r"(?:nothing|nobody|no one|you) .. (?:*stop|*change|talk) .. "
        r"(?:me|my mind) .. (?:doing it|dying|killing|decided|suicide)",
    )),
    ("means", 0.9, (
        r"(?:have|got|bought|buy|buying|ordered|holding|saved|stockpiled|stockpiling|"
        r"collecting|collected|hoarding|hoarded|saving|loaded|found|keep|kept|tied|"
        r"tying|"
        r"sitting with|staring at|looking at) .. (?:a|the|my|enough|up|some|his|dad's|"
        r"all these) .. (?:*noose|*rope .. (?:neck|hang|tied|ready|closet|garage|tree)|"
        r"*gun .. (?:head|mouth|loaded|hand|temple|me|lap|ready|do it|use it)|"
        r"*pills .. (?:end|die|kill|ready|count|hand|bed|front|overdose|do it|over)|"
        r"*pistol|*shotgun|*razor .. (?:wrist|bath|ready|skin|hand)|*helium|*cyanide)",
        r"(?:*gun|*knife|*blade|*razor|*rope|*noose) .. (?:to my|against my|around my|"
        r"in my) (?:head|temple|mouth|throat|neck|wrist|chest|skin|arm)",
        r"(?:*painless|*quickest|*easiest|*quick|*fastest|*best|*surest|*effective|"
        r"*reliable|*peaceful|*least) .. (?:way|ways|method|methods) .. "
        r"(?:to )?(?:die|kill|suicide|end (?:it|my)|commit|go)",
        r"(?:how many|how much|what amount of|what dose of) .. .. (?:to )?"
        r"(?:*die|*kill|*overdose|*od|be *lethal|be *fatal|not wake *up)",
        r"*lethal (?:dose|amount|combination|combo)", r"how (?:to|do i|can i|would i|"
        r"does one|should i) .. (?:*kill|*hang|*overdose|*end) .. (?:myself|my life|"
        r"yourself|oneself|it all|a noose)", r"tie a *noose",
        r"(?:standing|sitting|stood|i'm|am) .. (?:on|at|near) .. (?:edge|ledge|side|"
        r"railing|top) .. (?:of )?.. ?(?:*bridge|*roof|*building|*cliff|*tracks|"
        r"*platform)",
    )),
    ("behaviour", 0.76, (
        r"(?:want|wanna|need|going|gonna|about|urge|urges|like|started|keep|kept|been|"
        r"relapsed|can't stop|tempted|trying|thinking|i|back|fighting) (?:and |to |of |"
        r"about |not |into )*(?:<selfharm>) (?:*myself|my *arms?|my *legs?|my *skin|"
        r"my *thighs?|my *wrists?|my *body)",
        r"(?:cut|cuts|burn|burned|scratched|carved|sliced|bruised|burnt) (?:into )?"
        r"(?:*myself|my *arms?|my *legs?|my *thighs?|my *wrists?|my *skin)"
        r"(?! (?:shaving|cooking|on the|by accident|accidentally|out of|off|some "
        r"slack))",
        r"*self ?(?:*harm|*harming|*harmed|*harms|*injury|*injuring|"
        r"*injure)", r"(?:*selfharm|*selfharming|*selfharmed)",
        r"(?:i|i'm|been|started|keep|back to|relapsed|relapsing|stop) (?:into "
        r")?*cutting"
        r"(?: again| lately| every night| since| at night| to (?:feel|cope))",
        r"(?:fresh|new|hide|hiding|my|covered in) .. (?:*cuts|*scars) .. "
        r"(?:arms?|legs?|thighs?|wrists?|sleeves|from cutting)",
        r"(?:bang|banging|hit|hitting|punch|punching) (?:my *head|*myself) .. ?"
        r"(?:wall|until|hard|"
        r"bleed)?", r"*hurt (?:<self>)(?! (?:at|in|playing|lifting))",
        r"(?:*purge|*purging|making <self> *throw up|make <self> *sick|*starving "
        r"<self>)",
    )),
    ("attempt", 0.9, (
        r"(?:tried|attempted|try|failed|survived|failing) .. (?:to )?(?:*kill|*hang|"
        r"*overdose|*suicide|*end my|*end it|*drown|*shoot|*die)",
        r"(?:my|a|another|last|second|first|previous|past|failed) *suicide attempts?",
        r"(?:i )?(?:just |already )?(?:took|taken|swallowed|drank) .. "
        r"(?:all|whole|bottle|handful|lot|bunch|pack|too many) .. "
        r"(?:*pills|*meds|*medication|*tablets|*bleach|*antifreeze)",
        r"i (?:just |already )?(?:*overdosed|*od'd)", r"(?:i'm|am|arm is|wrist is) "
        r"*bleeding .. (?:out|cut|stop|bad|everywhere)",
    )),
    ("harm_to_others", 0.84, (
        r"(?:want|wanna|going|gonna|will|i'll|planning|plan|thinking|about|urge|like|"
        r"tempted|ready|need|thoughts|fantasi[sz]e|fantasi[sz]ing|fantasies|dream|"
        r"might|"
        r"could|swear|decided) (?:to |of |about |i'll |i will |i'm going to )*"
        r"(?:just |fucking |really )?(?:*kill|*killing|*murder|*murdering|*stab|"
        r"*stabbing|*shoot|*shooting|*strangle|*strangling|*choke|*choking|*poison|"
        r"*poisoning|*hurt|*hurting|*slaughter|*bomb|*torture|*smother|*drown|*attack|"
        r"*beat) <person>", r"i (?:*killed|*stabbed|*shot|*strangled|*poisoned) "
        r"<person>",
        r"(?:*shoot|*shooting|*bomb|*burn|*blow) up (?:the|my|this|a|that) "
        r"(?:school|office|church|mosque|synagogue|place|mall|work|building|house)",
        r"(?:bring|bringing|take|taking|brought) .. (?:*gun|*knife|*rifle|*weapon|"
        r"*bomb) "
        r".. (?:to|into) (?:school|work|class|the office|church)",
        r"(?:make|making) <person> (?:*pay|*suffer|*bleed) (?:with|for|tonight|in "
        r"blood)",
        r"(?:voices?|god|demons?|he) .. (?:tell|tells|telling|told|want|wants|"
        r"command\w*) "
        r"me to .. ?(?:*kill|*hurt|*stab|*harm|*cut|*jump|*die|*end|*murder)",
        r"*homicidal (?:thoughts|urges|ideation|feelings)",
        r"(?:want|wanna|going to|gonna|will|i'll|need to) (?:*kill|*hurt|*murder|*stab|"
        r"*shoot) (?:everyone|everybody|people|someone|somebody|them all|you all)",
    )),
    ("abuse", 0.72, (
        r"<abuser> .. (?:*hits|*hit|*beats|*beat|*punched|*punches|*kicked|*kicks|"
        r"*chokes|*choked|*strangled|*strangles|*slapped|*slaps|*burned|*raped|*rapes|"
        r"*molested|*molests|*abuses|*abused|*assaulted|*threatens|*shoved|*shoves|"
        r"*hurts|*hurting|*beating|*hitting|*abusing|*raping|*threatened) "
        r"(?:on )?(?:me|us|my (?:little |own )?(?:mom|mum|mother|sister|brother|kids|"
        r"children|son|daughter|baby|grandmother|grandma|gran|nan|grandfather|grandad))"
        r"(?! (?:up|off|(?:at|in) (?:chess|cards|games?|tennis|poker|scrabble|sports?|"
        r"football|running|swimming|it|everything)|back to (?:text|reply)|with (?:a )?"
        r"(?:text|joke)))",
        r"(?:*touches|*touched|*touching) me .. (?:says|said|tells|told|made me) .. "
        r"(?:not|never|nobody|no one|anybody|anyone|secret|promise)",
        r"(?:*beats|*hits|*kicks|*chokes|*slaps) me (?:when|if|until|every|because)",
        r"<abuser> .. (?:*touches|*touched|*touching) me .. ?(?:inappropriately|down "
        r"there|"
        r"sexually|at night|places|where|when|and told|private|without)",
        r"i(?:'ve| have| am|'m| was|'s)? (?:been |being |got |getting )?(?:*raped|"
        r"*molested|*assaulted|sexually *abused|*abused|*beaten|*trafficked|*groomed|"
        r"*strangled|sexually *assaulted)(?! (?:by the boss fight|in the game))",
        r"(?:*forced|*forces|*forcing|*made|*makes) me (?:to )?(?:have sex|do sexual|"
        r"sleep "
        r"with|touch him|touch her|perform|undress|send nudes|strip)",
        r"(?:afraid|scared|terrified|fear) .. (?:of )?.. (?:*husband|*boyfriend|"
        r"*partner|"
        r"*dad|*father|*stepdad|*wife|*him|*he|*she|*they|to go *home) .. "
        r"(?:kill|hurt|hit|find|beat|angry|drunk|come|do to me)",
        r"<abuser> .. (?:*locks|*locked|*won't|*wont) .. me .. (?:room|house|leave|out|"
        r"eat|food|phone|money|basement)",
        r"(?:not|don't feel|isn't|never) *safe (?:at home|in my (?:own )?home|with "
        r"(?:him|her|them|my)|here with|in this house)",
        r"(?:said|says|threatened|threatens|going|threatening|swore|will|would) .. "
        r"(?:he'd|he'll|she'd|she'll|to|he will|they'll)? ?(?:*kill|*shoot|*stab) me",
        r"(?:*domestic|*sexual|*physical|*child) (?:violence|abuse) .. (?:me|my|at "
        r"home)",
        r"(?:in|from|leave|leaving|escape|escaping|left) an? *abusive "
        r"(?:relationship|marriage|home|household|husband|partner|family|boyfriend)",
    )),
    ("burden", 0.5, (
        r"(?:i'm|im|am|i|just|being|become|feel like|such) (?:just |only |such |"
        r"nothing "
        r"but )?a (?:huge |total |complete |constant )?*burden(?: to| on)?",
        r"(?:no one|nobody|noone|who) .. (?:*needs|*wants|*loves|*love) me(?: around| "
        r"here|"
        r" alive)?", r"(?:i) (?:feel |am |'m )?(?:completely |totally |so |utterly )?"
        r"*trapped .. (?:way out|escape|no end|forever|life)",
        r"(?:no|only|any) (?:other )?(?:*way|*escape) out(?: of this| of my| left)?",
    )),
    ("distress", 0.36, (
        r"(?:i|i'm|feel|feeling|everything|life|it's|so|completely|utterly|situation) "
        r".. "
        r"(?:*hopeless|*worthless|*pointless|*unbearable|*meaningless|*helpless)",
        r"(?:*hate|*loathe|*despise|*hating) (?:<self>|my life|being me|who i am|"
        r"living)",
        r"(?:*giving|*give|*gave|*given) up (?:on (?:life|myself|everything|living)|"
        r"completely|hope|all hope)", r"*hopeless", r"*worthless",
        r"(?:can't|cannot|cant) (?:*cope|*handle|*bear|*stand) .. (?:anymore|any "
        r"longer|"
        r"any more|this pain|life|it all|the pain)", r"(?:lost|losing) (?:all )?*hope",
        r"(?:so much|too much|this|unbearable|constant|endless) (?:emotional )?*pain "
        r".. "
        r"(?:end|stop|anymore|inside|live|every day)",
        r"(?:at|hit|reached|reaching|past) (?:my|the|rock) (?:*breaking|*bottom|"
        r"*limit) "
        r"?(?:point)?", r"(?:*numb|*empty|*broken) inside",
        r"(?:don't|do not|dont) *care (?:anymore )?(?:what happens to me|if i live)",
        r"i'm a *failure", r"(?:*panic|*anxiety) attacks? .. (?:every|constant|daily)",
    )),
    ("mention", 0.3, (
        r"*suicide",
        r"*suicidal", r"(?:*die|*dying|*death|*dead) .. (?:i|me|my|myself)",
        r"i .. (?:*die|*dead|*dying)", r"*overdose", r"*hang <self>", r"*unalive",
        r"*kys", r"*sewerslide",
    )),
    ("other_language", 0.86, (
        r"(?:quiero|quisiera|deseo|prefiero|ganas de) (?:*morir|*morirme|*matarme|"
        r"*suicidarme)", r"(?:no quiero|ya no quiero) (?:seguir )?(?:*vivir|*viviendo)",
        r"(?:voy a|pienso en|pensando en) (?:*matarme|*suicidarme|quitarme la *vida)",
        r"(?:je veux|j'ai envie de|envie de) (?:*mourir|me *tuer|en *finir|me "
        r"*suicider)",
        r"(?:ich will|ich mochte|will ich) (?:nicht mehr *leben|*sterben|mich "
        r"*umbringen)",
        r"(?:eu )?(?:quero|vou|queria) (?:*morrer|me *matar|me *suicidar)",
        r"(?:voglio|vorrei) (?:*morire|*uccidermi|*ammazzarmi|farla *finita)",
        r"(?:ik wil|wil ik) (?:*dood|niet meer *leven)",
    )),
)  # fmt: skip
