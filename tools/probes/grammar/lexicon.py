"""The words of generated probes: everyday nouns, adjectives, adverbs, and what goes with what.

Nouns fall into classes of meaning; adjectives, prepositions and verbs name the classes they
go with, so that bakers read letters and no letter eats a baker. No names of persons.
Must not know: how sentences are built.
"""

# class -> nouns; "singular/plural" where the plural is irregular
NOUNS: dict[str, tuple[str, ...]] = {
    kind: tuple(words.split())
    for kind, words in {
        "person": "baker teacher nurse farmer girl boy neighbor doctor student gardener singer "
        "driver painter cook waiter child/children woman/women man/men tailor librarian pilot "
        "lawyer visitor artist engineer actor tourist soldier carpenter dentist clerk",
        "animal": "dog cat horse goat puppy kitten parrot rabbit duck cow monkey owl pony",
        "food": "apple cake sandwich pancake pear cookie orange pie sausage egg salad",
        "text": "letter book story report poem recipe article message essay newspaper",
        "portable": "key cup umbrella basket box photo ring bag wallet ticket bottle envelope "
        "blanket knife/knives vase mirror",
        "clothing": "coat hat jacket shirt scarf/scarves sweater uniform apron dress",
        "device": "radio lamp heater television computer alarm printer fan",
        "vehicle": "car bus truck bicycle van boat tractor",
        "relative": "friend neighbor uncle aunt cousin sister brother daughter son colleague "
        "doctor teacher lawyer dentist",
        "furniture": "table chair door bench desk cupboard",
        "surface": "table shelf/shelves bench desk chair counter",
        "container": "box basket bag drawer suitcase",
        "landmark": "door window fence gate bridge wall fountain",
        "place": "kitchen garden school market library office park station church village museum "
        "restaurant hospital bakery attic hotel theater",
        "building": "library office church museum restaurant hospital bakery hotel theater school",
        "mistake": "mistake",
        "crowd": "visitor tourist student guest soldier child/children",
        "surprise": "surprise joke secret",
        "event": "meeting party concert lesson wedding exam interview lecture",
    }.items()
}

# class -> adjectives by rank in a row of adjectives: opinion, size, age, color, material
ADJECTIVES: dict[str, tuple[tuple[str, ...], ...]] = {
    kind: tuple(tuple(rank.split()) for rank in ranks)
    for kind, ranks in {
        "person": (
            (
                "tired nervous cheerful kind clever quiet proud honest friendly hungry patient "
                "famous angry polite lonely tall"
            ),
            "",
            "young old elderly",
        ),
        "animal": (
            "hungry friendly lazy clever noisy shy thirsty gentle",
            "small big tiny",
            "young old",
            "brown black white gray",
        ),
        "food": ("delicious fresh cold tasty", "large small enormous"),
        "text": ("boring funny interesting famous important strange sad", "long short", "old new"),
        "portable": (
            "beautiful expensive cheap heavy ugly elegant",
            "small large",
            "old new",
            "red blue green yellow",
        ),
        "clothing": (
            "warm elegant expensive dirty",
            "",
            "old new",
            "red blue green gray",
            "woolen",
        ),
        "device": ("expensive noisy cheap ugly", "small large", "old new", "", "electric"),
        "vehicle": ("fast expensive noisy dirty", "small large", "old new", "red blue yellow"),
        "furniture": (
            "heavy beautiful ugly dusty",
            "small large",
            "old new",
            "white green brown",
            "wooden",
        ),
        "place": ("quiet crowded sunny dusty beautiful", "small large", "old new"),
        "building": "library office church museum restaurant hospital bakery hotel theater school",
        "event": ("boring important noisy interesting exciting", "short long"),
        "landmark": ("beautiful ugly", "small large", "old new", "white green gray"),
    }.items()
}
for _kind, _like in (
    ("surface", "furniture"),
    ("container", "portable"),
    ("relative", "person"),
    ("building", "place"),
):
    ADJECTIVES[_kind] = ADJECTIVES[_like]

UNGRADABLE = frozenset({"electric", "woolen", "wooden", "enormous", "delicious", "tiny"})
DEGREES = ("very", "rather", "quite", "really", "extremely", "fairly", "unusually")

# head noun -> nouns that modify it by use, and by material
COMPOUNDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    head: (tuple(use.split()), tuple(material.split()))
    for head, (use, material) in {
        "door": ("kitchen garden cellar office", "glass oak steel"),
        "window": ("kitchen bathroom attic shop", ""),
        "key": ("car house office garage", ""),
        "chair": ("kitchen garden office", "plastic oak"),
        "table": ("kitchen garden picnic", "oak glass"),
        "wall": ("garden kitchen castle", "stone brick"),
        "fence": ("garden school farm", "wire steel"),
        "gate": ("garden park farm", "iron steel"),
        "driver": ("bus truck taxi", ""),
        "teacher": ("music history science art", ""),
        "student": ("law art music history", ""),
        "ticket": ("train concert museum theater", ""),
        "bag": ("school shopping travel", "leather canvas"),
        "shelf": ("kitchen bathroom office", "glass metal oak"),
        "report": ("weather police school", ""),
        "bench": ("park garden", "stone oak"),
        "box": ("tool lunch jewelry", "metal plastic"),
        "cup": ("coffee tea", "china plastic"),
        "knife": ("kitchen bread fish", "steel"),
        "bottle": ("water milk wine", "glass plastic"),
        "jacket": ("ski summer winter", "leather cotton"),
        "coat": ("winter summer", "wool leather"),
        "scarf": ("winter summer", "silk wool cotton"),
        "lamp": ("desk bedroom kitchen", "brass glass"),
        "basket": ("bread fruit laundry picnic", "wire"),
        "cake": ("birthday wedding", "chocolate lemon"),
        "sandwich": ("lunch breakfast", "cheese ham chicken"),
        "salad": ("lunch dinner", "tomato potato"),
        "counter": ("kitchen shop", "marble"),
        "drawer": ("kitchen desk", ""),
    }.items()
}

# nouns whose material a compound names
MADE_OF = frozenset(head for head, (_, materials) in COMPOUNDS.items() if materials)

# parts that a noun can be told by ("the bag with the broken handle")
PARTS: dict[str, tuple[str, ...]] = {
    head: tuple(parts.split())
    for head, parts in {
        "bag": "handle pocket lock",
        "basket": "handle lid",
        "box": "lid lock label",
        "cup": "handle",
        "umbrella": "handle",
        "coat": "pocket button collar",
        "jacket": "pocket zipper collar",
        "shirt": "button collar pocket",
        "table": "leg drawer",
        "desk": "drawer lamp",
        "book": "cover",
        "car": "mirror seat window",
        "van": "mirror window",
        "bus": "window seat",
        "lamp": "switch shade",
        "radio": "button switch",
        "church": "tower bell",
        "school": "clock garden",
        "hotel": "balcony garden",
        "dog": "collar tail",
        "cat": "collar tail",
        "horse": "saddle tail",
    }.items()
}
PART_ADJECTIVES = ("broken", "strange", "small", "unusual", "loose", "old", "dirty")

# nouns that say how old somebody is, or should not
AGELESS = frozenset(("boy", "girl", "child", "puppy", "kitten"))
# adjectives that nobody joins
CLASHES = frozenset(
    frozenset(pair)
    for pair in (
        ("cheerful", "angry"),
        ("cheerful", "lonely"),
        ("cheerful", "nervous"),
        ("patient", "angry"),
        ("polite", "angry"),
        ("lazy", "noisy"),
        ("shy", "noisy"),
        ("beautiful", "ugly"),
        ("expensive", "cheap"),
        ("elegant", "ugly"),
        ("elegant", "cheap"),
        ("elegant", "dirty"),
        ("boring", "interesting"),
        ("boring", "funny"),
        ("boring", "exciting"),
        ("boring", "important"),
        ("sad", "funny"),
        ("beautiful", "dusty"),
        ("quiet", "crowded"),
        ("quiet", "noisy"),
        ("cold", "fresh"),
    )
)
