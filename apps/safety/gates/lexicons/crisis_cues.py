"""Words around a sign that change what it means: negation, others, past, talk about.

Each is a regular expression over the folded text of one sentence before or after a
match. They soften a sign; only an idiom takes nearly all of it away.
"""

from __future__ import annotations

import re

NEGATED = re.compile(
    r"\b(?:not|never|no longer|n't|dont|didnt|wouldnt|wont|isnt|wasnt|havent|aint|"
    r"without|nor|neither|stopped|no|deny|denies|denied|denying|don't|didn't|wouldn't|"
    r"won't|isn't|wasn't|haven't|hasn't|ain't|anti)(?:[^\w.!?;\n]+[\w']+){0,4}"
    r"[^\w.!?;\n]*$"
)
NOT_A_NEGATION = re.compile(
    r"\b(?:not (?:going to|gonna) lie|not only|why not|not sure|not joking|not kidding|"
    r"can't (?:stop|help)|cant (?:stop|help)|couldn't stop|don't (?:know|care|think i "
    r"can|"
    r"see)|dont (?:know|care|think i can|see)|no (?:joke|one|doubt|point|reason|way|"
    r"hope|"
    r"idea|friends|other|matter|lie|escape)|not be able|don't (?:tell|worry|judge|hate|"
    r"try|stop)|if i don't|if i dont|"
    r"wouldn't (?:mind|care)|not (?:afraid|scared) (?:of|to)|it's not that|nothing)\b"
)
OTHER_PERSON = re.compile(
    r"\b(?:(?:my|his|her|their|our|a|the|this|that|an?other|some) (?:\w+ )?(?:friend|"
    r"friends|bestie|roommate|brother|sister|son|daughter|kid|mom|mum|mother|dad|"
    r"father|"
    r"cousin|wife|husband|partner|girlfriend|boyfriend|student|classmate|colleague|"
    r"coworker|neighbou?r|client|patient|teen|teenager|uncle|aunt|nephew|niece|bf|gf|"
    r"ex|man|woman|girl|boy|guy|person|child|someone|somebody|people|character|singer|"
    r"actor|author|protagonist)|he|she|they|someone|somebody|people|who|anyone|others|"
    r"shes|hes|she's|he's|they're|veterans|teens|you|"
    # Spanish, folded.
    r"(?:mi|su|tu|una?|el|la) (?:mejor )?(?:amig[ao]|hij[ao]|herman[ao]|novi[ao]|"
    r"marido|mujer|espos[ao]|madre|padre|mama|papa|prim[ao]|ti[ao]|alumn[ao]|"
    r"compa|companer[ao]|vecin[ao]|abuel[ao]|ex|pareja|jefe)|ell[ao]s?|alguien)\b"
)
FIRST_PERSON = re.compile(
    r"\b(?:i|i'm|im|i've|ive|i'd|i'll|me|my|myself|mine|yo|"
    r"conmigo|mis)\b"
)
PAST = re.compile(
    r"\b(?:used to|years? ago|months? ago|in the past|back (?:in|then|when)|when i was|"
    r"last (?:year|summer|winter|spring|fall|decade)|as a (?:teen|teenager|kid|child)|"
    r"once|previously|formerly|at \d{1,2} years old|in (?:19|20)\d\d|in high ?school|"
    r"in college|before i got|have been sober|since recovered|in recovery|recovered|"
    r"a decade ago|long ago|survived|survivor|years clean|months clean|"
    r"getting better now|doing (?:much |so much )?better now|glad i didn't|"
    r"glad i'm (?:still )?(?:here|alive)|no longer|"
    r"hace (?:\w+ )?(?:anos|meses|tiempo)|antes|de (?:nin[ao]|adolescente)|"
    r"el ano pasado)\b"
)
TALK_ABOUT = re.compile(
    r"\b(?:movie|film|book|novel|song|lyrics?|episode|season|show|series|documentary|"
    r"podcast|anime|manga|poem|paper|article|essay|thesis|study|studies|research|"
    r"statistics|rates|news|headline|training|course|class|lecture|exam|awareness|"
    r"prevention|charity|fundraiser|fiction|story|plot|character|video ?game|game|"
    r"boss fight|define|definition|meaning of|what does|what is|what are|signs of|"
    r"how (?:can|do) (?:i|we|you) (?:help|support|talk to|comfort)|help (?:a|my) "
    r"friend|"
    r"lost (?:my|a|his|her) (?:\w+ )?to|passed away|funeral|anniversary|"
    r"pelicula|libro|novela|serie|cancion|capitulo|documental|articulo|tesis|trabajo "
    r"de clase|estudio psicologia|prevencion|que significa|que es|videojuego|duelo)\b"
)
LAUGHTER = re.compile(
    r"(?:\b(?:lol|lmao|lmfao|rofl|haha\w*|hehe\w*|jk|just kidding|kidding|omg|"
    r"ja(?:ja)+|"
    r"es broma|tbh "
    r"lol)\b|"
    r"[😂🤣😅😆😹💀😭]{1,9}\s*$|\bxd\b|:d\b|😂|🤣)"
)
URGENT = re.compile(
    r"\b(?:tonight|right now|now|today|tomorrow|this (?:evening|morning|afternoon|"
    r"weekend|week)|in (?:an?|a few|ten|\d+) (?:hour|hours|minutes?|min)|immediately|"
    r"any minute|before (?:morning|midnight|they get home|sunrise)|already took|"
    r"just took|goodbye|this is it|final(?:ly)? time|"
    r"esta noche|hoy|ahora|ahorita|manana|ya mismo|adios|acabo de|en \w+ minutos)\b"
)
SUPPORTIVE = re.compile(
    r"\b(?:988|116 ?123|hotline|helpline|lifeline|crisis line|text line|crisis team|"
    r"emergency (?:services|number|room|department)|findahelpline|samaritans|911|999|"
    r"112|"
    r"therapist|counsell?or|doctor|professional|you(?:'re| are) not alone|reach out|"
    r"i'm (?:really |so |very )?(?:sorry|glad you|concerned|worried)|stay(?:ing)? safe|"
    r"are you (?:safe|thinking|having)|have you (?:thought|had)|support|help|024|"
    r"telefono de la esperanza|linea de (?:ayuda|la vida)|psicolog[ao]|terapeuta|"
    r"no estas sol[ao]|pedir ayuda|urgencias)\b"
)
URGING = re.compile(
    r"\b(?:(?:you|u) (?:should|ought to|could|can|need to|must|deserve to|may as well|"
    r"might as well) (?:just |really |go |probably )?(?:die|kill (?:yourself|urself)|"
    r"end (?:it|your life)|hang yourself|jump|cut yourself|hurt yourself|overdose|"
    r"do it|commit suicide|disappear)|(?:go|just|please|then|now) (?:and )?"
    r"(?:kill (?:yourself|urself|ur self)|die|hang yourself|jump off|neck yourself|"
    r"cut yourself|drink bleach|end your(?:self| life))|kys|kill (?:yourself|urself)|"
    r"(?:world|everyone|we|they)(?:'d| would| will) be better (?:off )?without you|"
    r"(?:no one|nobody) (?:would|will) miss you|hope you die|do the world a favou?r|"
    r"deberias (?:matarte|morirte|suicidarte)|(?:matate|muerete|suicidate)(?: ya)?|"
    r"(?:hazlo|tirate) de una vez|estariamos mejor sin ti|nadie te extranaria)\b"
)
