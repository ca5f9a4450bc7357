"""Common profanity in English, for optional masking; it never decides anything."""

from __future__ import annotations

PROFANITY = (
    r"fuck\w*|motherfuck\w*|shit\w*|bullshit|bitch\w*|bastards?|ass(?:hole|holes)|arse"
    r"(?:hole)?|cunts?|dick(?:head)?s?|pricks?|twats?|wank\w*|bollocks|piss(?:ed)? off|"
    r"goddamn|damn(?:it)?|crap|slut\w*|whores?|cocksuck\w*|jackass|dumbass|douche\w*"
)
