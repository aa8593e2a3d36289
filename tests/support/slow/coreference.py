"""Coreference scored by plain loops over the model's own maps: windows, right words, predictions.

Shares with inspector the sentences, the mentions and the model; the rest is written again.
"""

from collections import Counter, defaultdict
from types import SimpleNamespace

import torch

from support.slow.observers import read_in_text


def _text(sentence):
    return sentence.text or " ".join(sentence.words)


def _window_text(sentences, window):
    """Return the text of a window: a space between sentences unless the last word denies it."""
    parts = []
    for i in window:
        glued = "SpaceAfter=No" in sentences[i].misc[-1]
        parts.append(_text(sentences[i]) + ("" if glued else " "))
    return "".join(parts).strip()


def slow_windows(model, sentences, documents, limit):
    """Return lists of sentence numbers: as many of a document as fit, with the special tokens."""
    windows, size = [], 0
    for i, sentence in enumerate(sentences):
        ids = model.tokenizer([_text(sentence)])["input_ids"][0]
        special = sum(token in model.tokenizer.all_special_ids for token in ids)
        tokens = len(ids) - special
        if windows and documents[i] == documents[i - 1] and size + tokens <= limit:
            windows[-1].append(i)
        else:
            windows.append([i])
            size = special
        size += tokens
    return windows


def slow_relations(sentences, window, mentions):
    """Return (words, [(label, source, right words)], heads) of a window.

    Args:
        sentences: All of the corpus.
        window: The numbers of those that are read together.
        mentions: (sentence, entity, head word) of each mention, in the order of the text.
    """
    words, tags, start = [], [], {}
    for i in window:
        start[i] = len(words)
        words += sentences[i].words
        tags += sentences[i].upos
    here = [(entity, start[i] + head) for i, entity, head in mentions if i in start]
    found = []
    for number, (entity, source) in enumerate(here):
        right = {word for other, word in here[:number] if other == entity and word != source}
        if not right:
            continue
        kind = {"PRON": "pronoun", "PROPN": "proper"}.get(tags[source], "nominal")
        same = any(words[word].casefold() == words[source].casefold() for word in right)
        found.append((f"coref-same-string:{kind}" if same else f"coref:{kind}", source, right))
    return words, found, sorted({word for _, word in here})


def word_maps(model, words, text):
    """Return attention from word to word, [layer, head, word, word], and the words with tokens."""
    given = SimpleNamespace(words=words, text=text)
    encoded, word_ids = read_in_text(model.tokenizer, given)
    with torch.inference_mode():
        out = model.model(**encoded, output_attentions=True)
    maps = torch.stack(out.attentions)[:, 0].double()
    tokens = defaultdict(list)
    for token, word in enumerate(word_ids):
        if word is not None:
            tokens[word].append(token)
    present = sorted(tokens)
    to_words = torch.stack([maps[..., tokens[word]].sum(-1) for word in present], -1)
    return torch.stack([to_words[..., tokens[w], :].mean(-2) for w in present], -2), present


def slow_scores(model, sentences, documents, mentions, limit):
    """Return n[label], correct[label, direction] by layer and head, offsets[label, offset]."""
    n, offsets, correct = Counter(), Counter(), {}
    for window in slow_windows(model, sentences, documents, limit):
        words, found, heads = slow_relations(sentences, window, mentions)
        if not found:
            continue
        maps, present = word_maps(model, words, _window_text(sentences, window))
        for ending, candidates in (("", present), (":mentions", heads)):
            places = [present.index(word) for word in candidates if word in present]
            among = [present[place] for place in places]
            small = maps[:, :, places][:, :, :, places].clone()
            for place in range(len(places)):
                small[:, :, place, place] = -1.0
            looks_at, looked_from = small.argmax(-1), small.argmax(-2)
            for name, source, right in found:
                label = name + ending
                here, there = among.index(source), [among.index(word) for word in right]
                n[label] += 1
                for place in there:
                    offset = place - here if ending else among[place] - source
                    offsets[label, offset] += 1
                hits = {
                    "dependent_to_head": sum(looks_at[:, :, here] == place for place in there),
                    "head_to_dependent": sum(looks_at[:, :, place] == here for place in there),
                    "attended_by_head": sum(looked_from[:, :, here] == place for place in there),
                }
                for direction, hit in hits.items():
                    total = correct.setdefault((label, direction), torch.zeros_like(hit))
                    total += hit > 0
    return n, correct, offsets
