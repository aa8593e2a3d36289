"""The counts behind the two doubts of docs/findings.md: run from the root, a minute.

Must not know: how the claims were made.
"""

import inspector
from inspector.corpora.annotation.annotated_corpus import read_annotated
from inspector.corpora.annotation.document_windows import corpus_windows
from inspector.heads.specialization.head_examples import head_predictions
from inspector.heads.specialization.split import is_for_selection
from inspector.models import token_counts

model, data = inspector.load("minilm"), "../shared/data/"


def judged(texts, *asked):
    """Return a head's predictions on the documents on which no head was chosen."""
    texts = [text for text in texts if not is_for_selection(text.document)]
    return head_predictions(model, texts, *asked)


def edges(text, start, end):
    """Count the edges of the tree between two words."""
    tree = [{r.source, r.target} for r in text.relations if r.kind == "syntax"]
    reached, count = {start}, 0
    while end not in reached:
        grown = reached.union(*(pair for pair in tree if pair & reached))
        if grown == reached:
            return -1
        reached, count = grown, count + 1
    return count


[ewt] = read_annotated(
    data + "ud-english-ewt/en_ewt-ud-dev.conllu", [data + "up-english-ewt/srl-ewt-v2.16-dev.tsv"]
)
for asked in (
    (3, 1, "role:ARG1", "head_to_dependent"),
    (2, 3, "role:ARG0", "dependent_to_head"),
):
    pairs = judged(ewt.sentences, *asked)
    near = [p for p in pairs if edges(p.sentence, p.relation.source, p.relation.target) == 2]
    print(*asked, [(len(one), sum(p.is_hit for p in one)) for one in (pairs, near)])

[gum] = read_annotated(data + "ud-english-gum/en_gum-ud-dev.conllu")
lengths, n_special = token_counts(model, [one.words for one in gum.sentences])
windows = corpus_windows(gum, lengths, 512 - n_special).texts
forms = [
    "i me my mine myself", "we us our ours ourselves", "you your yours yourself yourselves",
    "he him his himself", "she her hers herself", "it its itself",
    "they them their theirs themselves 'em",
]  # fmt: skip
form_of = {form: number for number, line in enumerate(forms) for form in line.split()}
for asked in (
    (2, 4, "coref:pronoun:mentions", "dependent_to_head"),
    (2, 4, "coref:pronoun", "dependent_to_head"),
    (1, 3, "coref:pronoun", "dependent_to_head"),
    (1, 0, "coref:pronoun", "attended_by_head"),
):
    pairs, rule, without, before = judged(windows, *asked), 0, [], 0
    for p in pairs:
        source, right = p.relation.source, p.relation.targets
        of = [form_of.get(word.lower(), -1) for word in p.sentence.words]
        same = [i for i in range(source) if of[i] == of[source] >= 0]
        rule += bool(same) and same[-1] in right
        if not any(of[i] == of[source] >= 0 for i in right):
            without.append(p)
            earlier = [i for i in p.relation.among if i < source]
            before += bool(earlier) and max(earlier) in right
    found = [(len(one), sum(p.is_hit for p in one)) for one in (pairs, without)]
    print(*asked, found, "rule", rule, "mention before", before)
