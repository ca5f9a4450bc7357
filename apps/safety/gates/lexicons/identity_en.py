"""Words around names, places and organisations in English."""

from __future__ import annotations

import re

INTRODUCTIONS = re.compile(
    r"\b(?:(?i:my (?:full |real |first |last |legal )?name(?:'s| is|:)|"
    r"(?:the )?name(?:'s| is|:)|name:|i go by|call me|known as|"
    r"(?:patient|client|member|participant|contact|guardian|spouse) name:?|"
    r"(?:patient|client|participant):|signed,?|sincerely,?|regards,?|"
    r"(?:hi|hello|hey),? (?:i'm|i am|im|this is)|named|"
    r"(?:his|her|their) name (?:is|was))\s{1,2}"
    r"([^\W\d_][\w'\u2019-]{1,20}(?:\s[A-Z][\w'\u2019.-]{0,20}){0,3})"
    r"|(?i:this is|i'm|i am|"
    r"it's)\s([A-Z][a-z'\u2019-]{1,20}(?:\s[A-Z][\w'\u2019.-]{1,20}){1,2}))"
)
PERSON_LINKS = re.compile(
    r"\b(?i:my (?:\w+ )?(?:friend|bestie|brother|sister|son|daughter|mom|mum|mother|"
    r"dad|"
    r"father|cousin|wife|husband|partner|girlfriend|boyfriend|boss|manager|therapist|"
    r"counsell?or|psychiatrist|psychologist|doctor|teacher|roommate|neighbou?r|ex|"
    r"uncle|"
    r"aunt|niece|nephew|coworker|colleague|fianc[eé]e?|stepdad|stepmom|sponsor|"
    r"caseworker|"
    r"social worker|nurse|landlord|supervisor|classmate|grandson|granddaughter|kid|"
    r"baby|"
    r"husband's name is|dog|cat)|"
    r"(?:friend|brother|sister|son|daughter|husband|wife|partner|spouse|mother|father|"
    r"therapist|counsell?or|roommate|caseworker|psychiatrist|patient|client|"
    r"participant|"
    r"member|resident|student|employee|manager|ceo|president|actor|actress|singer|"
    r"colleague|boss)|named|called|dear|hi|hello|hey|met|"
    r"told|texted|called|texting|dating|married|divorced|asked|with|by|for|and|from|"
    r"thanks|thank you|regards|signed|contact|ask for|attn|cc|to)[,:]?\s{1,2}$"
)
PLACE_LINKS = re.compile(
    r"\b(?i:(?:live|lives|living|lived|moved?|moving|born|raised|grew up|based|located|"
    r"staying|stay|settled|reside|resides|stationed|hometown is|visiting|visit|"
    r"traveled|"
    r"travelled|flew|flying|fly|trip) (?:\w+ )?(?:in|to|from|near|at|around|outside)?|"
    r"from|in|near|outside|visiting|city of|town of|at|to)\s(?:the\s)?$"
)
ORG_LINKS = re.compile(
    r"\b(?i:(?:work|works|worked|working|employed|job|intern|internship|student|study|"
    r"studying|studied|teach|enrolled|admitted|discharged|treated|volunteer|hired|"
    r"fired|"
    r"manager|engineer|nurse) (?:\w+ )?(?:at|by|for|with|from)|go to|went to|attends?|"
    r"attending|invested in|founded|acquired|company|employer is|at)\s(?:the\s)?$"
)
