"""Everyday speech in which words of death mean no risk; written for this project.

A sign inside one of these hardly counts.
"""

from __future__ import annotations

FIGURATIVE: tuple[str, ...] = (
    r"(?:*dying|*die|*died|*dead|*killing|*kill|*kills|*killed) (?:of|from|with|me "
    r"with) "
    r"(?:laughter|laughing|boredom|embarrassment|curiosity|cringe|cuteness|"
    r"thirst|hunger|shame|happiness|excitement|jealousy|envy|secondhand|heat|"
    r"awkwardness)",
    r"(?:*die|*dying|*died|*dead) (?:laughing|inside lol|of laugh\w*|over this|at "
    r"this)",
    r"(?:almost|nearly|literally|just|about to|could have|i) (?:*died|*die|*dying) "
    r"(?:laughing|of (?:laughter|embarrassment|boredom|shame)|when (?:he|she|they|i|"
    r"you|"
    r"my|the) (?:saw|said|told|realized|realised|heard|called|tripped|posted|sent))",
    r"to *die for", r"*dying to (?:see|know|meet|try|hear|get|go|eat|watch|read|play|"
        r"tell|"
    r"find|visit|be back|buy|ask|show|finish|learn|have)",
    r"(?:*dying|*dead|*die) (?:lol|lmao|lmfao|haha\w*|rofl|omg)",
    r"(?:my|the|this|these|those|that|his|her|your|work|school|traffic|heat|homework|"
    r"gym) "
    r"(?:\w+ )?(?:is|are|was|were|'s|literally|just|has been)? ?(?:literally |just |"
    r"absolutely |really |slowly )?(?:*killing|*kills|*killed|*kill) me",
    r"(?:it|that|you|this|they|he|she)(?:'s|'re| is| are| was)? (?:just |literally |"
    r"always )?(?:*killing|*kills|*slays|*kill) me",
    r"(?:could|would|i'd|might|gonna|going to|will|want to|wanna|i'll) (?:just |"
    r"literally |seriously )?(?:*kill|*murder|*die) for (?:a|an|some|one|this|that|"
    r"those|these|the|my|another|your|her|his|sushi|pizza|coffee|ice)",
    r"*kill (?:time|the (?:mood|vibe|engine|lights|music|process|boss|dragon|zombies?|"
    r"enem\w+|weeds|buzz|germs|bacteria|switch|mosquito\w*|bugs?|spiders?|server|job|"
    r"program|thread|task|power|bill|deal|pain)|two birds|it (?:at|on|in|out|with|"
    r"today|"
    r"tonight at|this))", r"*killed it", r"*killing it", r"*killer (?:workout|app|deal|"
    r"outfit|song|headache|recipe|view)", r"dressed to *kill", r"over my *dead body",
    r"*dead (?:tired|serious|wrong|end|line|lift|weight|battery|phone|center|ringer|"
    r"heat|on my feet|sexy|"
    r"body)", r"(?:phone|battery|car|laptop|plant|plants|controller|"
    r"wifi|signal|game|character|goldfish|grass) .. (?:is|was|just|are|about to|keeps|"
    r"'s)? ?(?:*dead|*died|*dying|*die)", r"*drop dead gorgeous", r"old habits *die",
    r"*die hard", r"(?:*shoot|*hit|*kill|*shoots) me (?:an?|now lol|a (?:text|message|"
    r"email))", r"*shoot me (?:now )?(?:if|lol|haha)", r"*suicide (?:squad|door|doors|"
    r"prevention|awareness|hotline|lifeline|squeeze|mission|bomber|bombing|burnout|"
    r"rates?|"
    r"statistics|research|vest|king|silence|boys)", r"(?:career|political|social|"
    r"commercial|financial|brand) "
    r"*suicide", r"(?:*cut|*cutting) (?:myself|me) (?:some|a) "
    r"(?:slack|break|piece|slice)", r"(?:*cut|*cutting|*burn|*burned|*hurt|*injured) "
    r"(?:myself|my (?:finger|thumb|hand|leg|knee|ankle|tongue|toe)) (?:on|while|"
    r"shaving|cooking|making|with the|at the gym|playing|chopping|opening|running|"
    r"slicing|by accident|accidentally|lifting|working out)",
    r"(?:i'm|im|am|we're) (?:so |literally |absolutely |actually )?(?:*dead|*deceased|"
    r"*dying)(?= ?(?:lol|lmao|haha|omg|rn|at|this|that|she|he|from|over|😂|💀|🤣))",
    r"(?:boss|mom|mum|wife|husband|dad|teacher|parents|girlfriend|boyfriend|she|he|"
    r"they|"
    r"coach|roommate|sister) (?:is|are|'s|'re)? ?(?:will|would|going to|gonna|'ll|'d)? "
    r"?(?:so |definitely |totally )?(?:*kill|*murder|*killing) (?:me|us) (?:if|when|"
    r"for|"
    r"because|once|over|lol|haha)", r"(?:going|gonna|wanna|want|ready) to *die "
    r"(?:of|from|on this hill|laughing|in this (?:game|heat|level|class|meeting))",
    r"*death (?:metal|note|star|stare|valley|eaters?|match|penalty|row|trap)",
    r"*deadlines? (?:is|are)? ?(?:killing|murder)", r"i'd rather *die than (?:eat|wear|"
    r"watch|listen|go to|drink|use|miss|admit|talk to|work|sit|date|lose|play|pay|do "
    r"that)",
    r"(?:*end|*ending) (?:it|things) with (?:him|her|them|my|this)", r"*killjoy",
    r"(?:legs|feet|back|arms|head|knees|eyes|abs|allergies|cramps|boots|shoes|heels) "
    r"(?:are|is|'re)? ?(?:absolutely |literally )?(?:*killing|*dying|*dead)",
    r"(?:*die|*dying|*dead|*died|*suicide|*kill|*killed|*killing|*kills) .. (?:in|on|"
    r"playing) .. "
    r"(?:minecraft|"
    r"fortnite|elden ring|dark souls|zelda|the game|this game|level|raid|dungeon|"
    r"ranked|"
    r"valorant|cod|call of duty|hardcore mode|d&d|"
    r"sims)", r"(?:*kill|*kills|*killing|*killed) (?:it|the "
    r"vibe|streak|count)", r"*self *harm awareness", r"*dead inside lol",
    r"*jump (?:off|from) the (?:high dive|diving board|swing|couch|bandwagon)",
)  # fmt: skip
