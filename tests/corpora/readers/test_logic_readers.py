"""Negation, condition, coordination, comparison and quantifiers, read from trees."""

from support.each import each
from support.texts.small_trees import (
    carried,
    corpus_of,
    counted,
    pairs,
    raw_sentences,
    reasons,
    tree,
)

from inspector.corpora import read_conllu

ALL = negations, conditions, coordinations, comparisons, quantifiers = [
    carried(name)
    for name in ("negation", "conditions", "coordination", "comparison", "quantifiers")
]

SHE_DID_NOT = "She PRON 4 nsubj; did AUX 4 aux; not PART 4 advmod; come VERB 0 root"
NO_DOG = (
    "No DET 2 det; dog NOUN 6 nsubj; of ADP 4 case; hers PRON 2 nmod; ever ADV 6 advmod; "
    "barked VERB 0 root; at ADP 8 case; nobody PRON 6 obl"
)
NEITHER = "Neither CCONJ 2 cc:preconj; dogs NOUN 0 root; nor CCONJ 4 cc; cats NOUN 2 conj"
NO = "No INTJ 0 root; , PUNCT 1 punct; none NOUN 1 parataxis"


@each(
    ("rows", "expected"),
    [
        (SHE_DID_NOT, {("neg:scope", "not3", "come4")}),
        (
            NO_DOG,
            {
                ("neg:scope", "No1", "dog2"),
                ("neg:predicate", "No1", "barked6"),
                ("neg:predicate", "nobody8", "barked6"),
            },
        ),
        (NEITHER, {("neg:scope", "Neither1", "dogs2"), ("neg:scope", "nor3", "cats4")}),
        (NO, set()),
    ],
)
def test_negation(rows, expected):
    assert pairs(negations, tree(rows)) == expected


def test_words_that_negate_in_other_languages(write):
    """By Polarity=Neg where it modifies; a verb that has it is negated, and negates nothing."""
    rows = [
        "1\tEr\ter\tPRON\t_\t_\t2\tnsubj\t_\t_",
        "2\tkam\tkommen\tVERB\t_\tPolarity=Neg\t0\troot\t_\t_",
        "3\tnicht\tnicht\tPART\t_\tPolarity=Neg\t2\tadvmod\t_\t_",
        "4\tnicht\tnicht\tPART\t_\tPolarity=Neg\t2\tdiscourse\t_\t_",
    ]
    corpus = read_conllu(write("# sent_id = a\n" + "\n".join(rows) + "\n\n"))
    assert pairs(negations, *corpus.sentences) == {("neg:scope", "nicht3", "kam2")}


def test_an_answer_negates_no_word_and_is_counted():
    corpus = negations(corpus_of(tree(NO, id="a"), tree(NO, id="b")))
    (row,) = corpus.left_out
    assert (row.annotation, row.count, row.examples) == ("negation", 4, ("a", "b"))
    assert row.reason == "a negating word that modifies none (an answer such as 'no')"


IF = "If SCONJ 3 mark; it PRON 3 nsubj; rains VERB 6 advcl; , PUNCT 3 punct; we PRON 6 nsubj; "
IF += "stay VERB 0 root"
UNLESS = "Stay VERB 0 root; unless SCONJ 4 mark; it PRON 4 nsubj; rains VERB 1 advcl"
AS_IF = "Run VERB 0 root; as SCONJ 5 mark; if SCONJ 5 mark; lions NOUN 5 nsubj; chased VERB 1 advcl"
WHETHER = "Ask VERB 0 root; if SCONJ 4 mark; it PRON 4 nsubj; rains VERB 1 ccomp"


@each(
    ("rows", "expected"),
    [
        (
            IF,
            {
                ("condition:consequence", "rains3", "stay6"),
                ("condition:cue", "If1", "stay6"),
            },
        ),
        (
            UNLESS,
            {
                ("condition:consequence", "rains4", "Stay1"),
                ("condition:cue", "unless2", "Stay1"),
            },
        ),
        (AS_IF, set()),
        (WHETHER, set()),
    ],
)
def test_condition(rows, expected):
    assert pairs(conditions, tree(rows)) == expected


def test_condition_from_constructions():
    element = "CxnElt=3:Conditional-Reduced"
    sentence = tree(
        "Asked VERB 3 acl; she PRON 3 nsubj; sings VERB 0 root",
        w1=f"{element}.Protasis,1:Resultative.Result",
        w3=f"Cxn=Conditional-Reduced|{element}.Apodosis",
    )
    assert pairs(conditions, sentence) == {("condition:consequence", "Asked1", "sings3")}


def test_half_a_construction_is_counted():
    sentence = tree("Go VERB 0 root", w1="CxnElt=1:Conditional-Reduced.Protasis")
    corpus = conditions(corpus_of(sentence))
    assert reasons(corpus) == {"a condition without its consequence in the sentence": 1}


LIST = "Tea NOUN 0 root; , PUNCT 3 punct; milk NOUN 1 conj; and CCONJ 5 cc; bread NOUN 1 conj"
BUT = "He PRON 2 nsubj; sang VERB 0 root; but CCONJ 5 cc; she PRON 5 nsubj; slept VERB 2 conj"


@each(
    ("rows", "expected"),
    [
        (
            LIST,
            {
                ("coordination:and", "and4", "milk3"),
                ("coordination:conjuncts", "milk3", "Tea1"),
                ("coordination:conjuncts", "bread5", "milk3"),
            },
        ),
        (
            BUT,
            {
                ("coordination:but", "but3", "sang2"),
                ("coordination:conjuncts", "slept5", "sang2"),
            },
        ),
        ("And CCONJ 2 cc; go VERB 0 root", set()),
    ],
)
def test_coordination(rows, expected):
    assert pairs(coordinations, tree(rows)) == expected


def test_conjunctions_without_a_conjunct_or_of_another_kind_are_counted():
    corpus = coordinations(
        corpus_of(
            tree("And CCONJ 2 cc; go VERB 0 root"),
            tree("Two NUM 0 root; plus CCONJ 3 cc; two NUM 1 conj"),
        )
    )
    assert reasons(corpus) == {
        "a conjunction whose other conjunct is not in its sentence": 1,
        "a conjunction other than and, or, but": 1,
    }


TALLER = "Oaks NOUN 3 nsubj; are AUX 3 cop; taller ADJ 0 root; than ADP 6 case; the DET 6 det; "
TALLER += "house NOUN 3 obl"
MORE = "More ADJ 2 amod; people NOUN 3 nsubj; came VERB 0 root; than SCONJ 6 mark; she PRON 6 "
MORE += "nsubj; asked VERB 3 advcl"
AS_OLD = "She PRON 4 nsubj; is AUX 4 cop; as ADV 4 advmod; old ADJ 0 root; as ADP 6 case; he PRON "
AS_OLD += "4 obl"
AS_COOK = "She PRON 2 nsubj; works VERB 0 root; as ADP 5 case; a DET 5 det; cook NOUN 2 obl"
MORE_ADJ = "More ADV 2 advmod; useful ADJ 0 root; than ADP 4 case; gold NOUN 2 obl"


@each(
    ("rows", "expected"),
    [
        (
            TALLER,
            {("comparison:standard", "house6", "taller3"), ("comparison:cue", "than4", "taller3")},
        ),
        (MORE, {("comparison:standard", "asked6", "More1"), ("comparison:cue", "than4", "More1")}),
        (AS_OLD, {("comparison:standard", "he6", "old4"), ("comparison:cue", "as5", "old4")}),
        (
            MORE_ADJ,
            {("comparison:standard", "gold4", "useful2"), ("comparison:cue", "than3", "useful2")},
        ),
        (AS_COOK, set()),
    ],
)
def test_comparison(rows, expected):
    assert pairs(comparisons, tree(rows)) == expected


def test_a_than_that_compares_nothing_is_counted():
    corpus = comparisons(corpus_of(tree("Go VERB 0 root; than ADP 3 case; us PRON 1 obl")))
    assert reasons(corpus) == {"a 'than' without a word that compares": 1}


EVERY = "Every DET 2 det; cup NOUN 5 nsubj; of ADP 4 case; tea NOUN 2 nmod; helps VERB 0 root"
SOME_OF = "Some DET 4 nsubj; of ADP 3 case; us PRON 1 nmod; went VERB 0 root"
LOT = "A DET 2 det; lot NOUN 0 root; of ADP 4 case; tea NOUN 2 nmod"


@each(
    ("rows", "expected"),
    [
        (EVERY, {("quantifier:noun", "Every1", "cup2"), ("quantifier:scope", "Every1", "helps5")}),
        (SOME_OF, {("quantifier:partitive", "Some1", "us3")}),
        (LOT, {("quantifier:partitive", "lot2", "tea4")}),
        ("Cups NOUN 2 nsubj; all ADV 0 root", set()),
    ],
)
def test_quantifiers(rows, expected):
    assert pairs(quantifiers, tree(rows)) == expected


def test_syntax_stays_first_and_as_it_is_and_twice_is_once():
    before = corpus_of(tree(IF), tree(LIST), tree(EVERY))
    after = before
    for read in (*ALL, *ALL):
        after = read(after)
    for old, new in zip(before.sentences, after.sentences, strict=True):
        assert new.relations[: len(old.relations)] == old.relations
        assert len(set(new.relations)) == len(new.relations)
    once = before
    for read in ALL:
        once = read(once)
    assert once == after
    assert len(once.sentences[0].relations) > len(before.sentences[0].relations)


def test_words_without_a_tree_stay_as_they_are(write):
    from inspector.corpora import read_text

    corpus = read_text(write("Do not go. If not, stay.", "a.txt"))
    for read in ALL:
        assert read(corpus) == corpus


# --- gold data, counted independently by plain loops over the file -------------------------


def base(row) -> str:
    return row[7].split(":")[0]


def negating_words(rows) -> int:
    found = 0
    for row in rows:
        neg = "PronType=Neg" in row[5] and row[3] in ("PRON", "DET", "ADV")
        listed = row[2].lower() in ("not", "n't", "nt", "never", "no", "neither", "nor") or row[
            2
        ].lower() in ("nobody", "nothing", "none", "no-one", "noone")
        found += (neg or listed) and base(row) in ("advmod", "det", "cc", "neg")
    return found


def if_clauses(rows) -> int:
    found = 0
    for row in rows:
        below = [other for other in rows if other[6] == row[0] and base(other) == "mark"]
        lemmas = {other[2].lower() for other in below}
        found += base(row) == "advcl" and bool(lemmas & {"if", "unless"}) and "as" not in lemmas
    return found


def joined(rows, lemmas) -> int:
    found = 0
    for row in rows:
        if row[7] != "cc:preconj" and base(row) == "cc" and row[2].lower() in lemmas:
            found += base(rows[int(row[6]) - 1]) == "conj"
    return found


@each("treebank", ["ewt", "gum"])
def test_counts_on_gold_treebanks(gold_file, treebank):
    path = gold_file(treebank)
    raw = [rows for _, rows in raw_sentences(path)]
    corpus = read_conllu(path)
    logic = corpus
    for read in ALL:
        logic = read(logic)
    found = counted(logic)
    assert found["neg:scope"] == sum(map(negating_words, raw)) > 200
    assert found["condition:cue"] == sum(map(if_clauses, raw)) > 50
    assert found["coordination:or"] == sum(joined(rows, {"or"}) for rows in raw) > 50
    assert found["coordination:but"] == sum(joined(rows, {"but", "yet"}) for rows in raw) > 50
    assert found["coordination:and"] == sum(joined(rows, {"and", "&"}) for rows in raw) > 400
    assert found["coordination:conjuncts"] == sum(base(r) == "conj" for rows in raw for r in rows)
    assert min(found[name] for name in ("comparison:cue", "quantifier:partitive")) >= 25
    assert counted(corpus) == {}
    syntax = {key: n for key, n in logic.relation_counts().items() if key[0] == "syntax"}
    assert syntax == corpus.relation_counts()


def test_an_operator_never_points_at_its_own_head(gold_file):
    logic = read_conllu(gold_file("ewt"))
    for read in ALL:
        logic = read(logic)
    afar = {
        *("condition:cue", "comparison:cue", "quantifier:scope"),
        *("coordination:and", "coordination:or", "coordination:but"),
    }
    direct = [
        (sentence.id, relation)
        for sentence in logic.sentences
        for heads in [sentence.heads]
        for relation in sentence.relations
        if relation.label in afar
        and (heads[relation.source] == relation.target or heads[relation.target] == relation.source)
    ]
    assert direct == []
