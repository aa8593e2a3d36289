"""What surrounds nouns and verbs in generated probes: places, times, manners, states.

Prepositions name the classes of nouns that they join, times and adverbs the tenses that they
go with.
"""

# class of noun -> (preposition, class of its object) for phrases that tell which one is meant
NOUN_PHRASE_PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (
        ("from", "building"),
        ("in", "clothing"),
        ("in", "clothing"),
        ("near", "landmark"),
        ("behind", "vehicle"),
        ("beside", "animal"),
        ("with", "animal"),
    ),
    "animal": (
        ("near", "landmark"),
        ("behind", "landmark"),
        ("under", "surface"),
        ("in", "place"),
        ("beside", "person"),
    ),
    "food": (("on", "surface"), ("in", "container"), ("from", "building")),
    "text": (("about", "animal"), ("about", "place"), ("for", "person"), ("on", "surface")),
    "portable": (("on", "surface"), ("from", "building"), ("in", "container")),
    "clothing": (("on", "surface"), ("in", "container")),
    "device": (("on", "surface"), ("in", "place"), ("near", "landmark")),
    "vehicle": (("near", "landmark"), ("behind", "building")),
    "furniture": (("in", "place"), ("near", "landmark")),
    "surface": (("near", "landmark"), ("in", "place")),
    "container": (("on", "surface"), ("near", "landmark")),
    "landmark": (("behind", "building"), ("near", "building")),
    "place": (("near", "building"), ("behind", "building")),
    "building": (("near", "landmark"), ("behind", "building")),
    "event": (("at", "building"), ("in", "building")),
}

# class of agent's action -> places where it happens
ACTION_PLACES: tuple[tuple[str, str], ...] = (
    ("in", "place"),
    ("near", "building"),
    ("near", "landmark"),
    ("behind", "building"),
    ("beside", "landmark"),
    ("during", "event"),
    ("before", "event"),
    ("after", "event"),
)

# phrases that after an object can only belong to the object
SURE_PLACES = frozenset(
    {("from", "building"), ("in", "clothing"), ("about", "animal"), ("about", "place")}
)

# class of noun -> (adjective, preposition, class of its complement) said after the noun
FULL_OF: dict[str, tuple[tuple[str, str, str], ...]] = {
    "person": (
        ("afraid", "of", "animal"),
        ("proud", "of", "relative"),
        ("angry", "with", "relative"),
        ("responsible", "for", "event"),
        ("fond", "of", "animal"),
    ),
    "animal": (("fond", "of", "food"), ("afraid", "of", "person")),
    "container": (("full", "of", "food"), ("full", "of", "text")),
    "place": (("full", "of", "crowd"), ("close", "to", "landmark")),
    "building": (("full", "of", "crowd"), ("close", "to", "landmark")),
    "surface": (("close", "to", "landmark"),),
    "furniture": (("close", "to", "landmark"),),
    "text": (("full", "of", "mistake"), ("full", "of", "surprise")),
}

# tenses -> times that go with them: (preposition or "", determiner or "", noun)
_PAST_TIMES = (
    ("", "last", "week"),
    ("", "", "yesterday"),
    ("", "that", "evening"),
    ("", "last", "night"),
    ("", "one", "morning"),
    ("on", "", "Monday"),
    ("on", "", "Friday"),
    ("at", "", "noon"),
    ("before", "", "lunch"),
    ("after", "", "dinner"),
)
TIMES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "past": _PAST_TIMES,
    "past perfect": (("on", "", "Monday"), ("before", "", "lunch"), ("", "that", "morning")),
    "past progressive": (("", "", "yesterday"), ("", "that", "evening"), ("at", "", "noon")),
    "present": (
        ("", "every", "morning"),
        ("", "every", "day"),
        ("on", "", "Sundays"),
        ("", "every", "week"),
        ("after", "", "lunch"),
        ("before", "", "dinner"),
        ("in", "the", "evening"),
    ),
    "progressive": (("", "this", "morning"), ("at", "the", "moment"), ("", "this", "evening")),
    "perfect": (("", "this", "week"), ("since", "", "Monday"), ("", "this", "morning")),
    "future": (
        ("", "", "tomorrow"),
        ("", "next", "week"),
        ("on", "", "Monday"),
        ("", "", "tonight"),
    ),
    "modal": (
        ("", "", "tomorrow"),
        ("", "next", "week"),
        ("on", "", "Friday"),
        ("", "", "tonight"),
    ),
    "modal perfect": (("", "", "yesterday"), ("", "last", "night"), ("", "last", "week")),
}

MANNERS: dict[str, tuple[str, ...]] = {
    group: tuple(words.split())
    for group, words in {
        "careful": "carefully slowly patiently quickly calmly",
        "eager": "quickly slowly happily quietly eagerly",
        "warm": "warmly politely kindly cheerfully",
        "chance": "suddenly accidentally unexpectedly",
        "quiet": "quietly silently calmly patiently",
        "loud": "loudly cheerfully happily softly",
        "quick": "quickly suddenly quietly",
        "often": "gladly happily secretly",
        "dance": "gracefully happily slowly",
    }.items()
}
# adverbs between subject and verb, by tense
MIDDLES: dict[str, tuple[str, ...]] = {
    tense: tuple(words.split())
    for tense, words in {
        "past": "finally never soon also probably",
        "past perfect": "already never just recently probably",
        "past progressive": "still probably also",
        "present": "usually often always never sometimes rarely",
        "progressive": "still probably already apparently",
        "perfect": "already never just recently finally probably",
        "future": "probably certainly soon never",
        "modal": "also still soon",
        "modal perfect": "also already",
    }.items()
}
OPENERS = ("fortunately", "apparently", "surprisingly", "sadly", "luckily")
STATES = (
    "tired",
    "hungry",
    "nervous",
    "late",
    "busy",
    "sick",
    "lonely",
    "angry",
    "thirsty",
    "cold",
)
NUMBERS = ("two", "three", "four", "five", "six", "seven", "ten", "twelve")

FRONTED = (
    "quietly",
    "slowly",
    "carefully",
    "suddenly",
    "patiently",
    "quickly",
    "calmly",
    "silently",
)
ANIMAL_STATES = ("hungry", "thirsty", "sick", "tired", "cold")
STATE_MIDDLES = ("still", "often", "probably", "also")
