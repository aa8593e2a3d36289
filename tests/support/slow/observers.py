"""What the observers measure, by plain loops over the model's own attention maps."""

import math
from collections import Counter, defaultdict

import numpy as np
import torch

from inspector.heads.counts import DIRECTIONS


def read_in_text(tokenizer, sentence):
    """Return what the tokenizer makes of a sentence's text, and the word of each token.

    For text in which each word is spelled as its form, with spaces between them or none.
    """
    text = sentence.text or " ".join(sentence.words)
    holders, at = {}, 0
    for word, form in enumerate(sentence.words):
        at = text.index(form, at)
        holders |= dict.fromkeys(range(at, at + len(form)), word)
        at += len(form)
    encoded = tokenizer([text], return_offsets_mapping=True, return_tensors="pt")
    offsets = encoded.pop("offset_mapping")[0].tolist()
    first = [start + (text[start:end][:1] == " ") for start, end in offsets]
    # A space by itself is of no word.
    special = [not text[start:end].strip() for start, end in offsets]
    pairs = zip(first, special, strict=True)
    return encoded, [None if none else holders[place] for place, none in pairs]


def attention_of(model, sentence):
    """Return (maps as float64 [layer, head, query, key], word of each token, token ids)."""
    encoded, word_ids = read_in_text(model.tokenizer, sentence)
    with torch.inference_mode():
        out = model.model(**encoded, output_attentions=True)
    maps = torch.stack(out.attentions)[:, 0].double().numpy()
    return maps, word_ids, encoded["input_ids"][0].tolist(), out


def word_map(token_map, word_ids, n_words):
    """Return word → word attention as nested dictionaries: sum over keys, mean over queries."""
    tokens = defaultdict(list)
    for token, word in enumerate(word_ids):
        if word is not None:
            tokens[word].append(token)
    return {
        a: {
            b: sum(sum(float(token_map[i, j]) for j in tokens[b]) for i in tokens[a])
            / len(tokens[a])
            for b in tokens
        }
        for a in tokens
    }


def predictions(maps, word_ids):
    """Return (the words that have tokens, what each looks at most, what looks at it most).

    Both are word numbers, [layer, head, place of the word].
    """
    words = sorted({word for word in word_ids if word is not None})
    tokens = [[p for p, of in enumerate(word_ids) if of == word] for word in words]
    to_words = np.stack([maps[..., keys].sum(-1) for keys in tokens], axis=-1)
    between = np.stack([to_words[..., queries, :].mean(-2) for queries in tokens], axis=-2)
    here = np.arange(len(words))
    between[..., here, here] = -np.inf
    numbers = np.array(words)
    return words, numbers[between.argmax(-1)], numbers[between.argmax(-2)]


def slow_relation_counts(model, sentences, heads=None, *, causal=False):
    """Return Counters n[label], correct[layer, head, label, direction], offsets[label, offset].

    Of some (layer, head), or of all. Of a causal model n[label, direction]: of the pairs whose
    right word comes before the one that looks.
    """
    n, correct, offsets = Counter(), Counter(), Counter()
    left_out = 0
    for sentence in sentences:
        maps, word_ids, _, _ = attention_of(model, sentence)
        present = {word for word in word_ids if word is not None}
        relations = []
        for relation in sentence.relations:
            if relation.source in present and relation.target in present:
                relations.append(relation)
            else:
                left_out += 1
        asked = {}
        for relation in relations:
            back = relation.target < relation.source
            asked[relation] = (back, not back, not back) if causal else (True, True, True)
            if causal:
                for direction, counts in zip(DIRECTIONS, asked[relation], strict=True):
                    n[relation.label, direction] += counts
            else:
                n[relation.label] += 1
            offsets[relation.label, relation.target - relation.source] += 1
        for layer, head in heads or np.ndindex(maps.shape[:2]):
            words = word_map(maps[layer, head], word_ids, len(sentence.words))
            row, column = best_words(words, causal=causal)
            for relation in relations:
                hits = (
                    row[relation.source] == relation.target,
                    row[relation.target] == relation.source,
                    column[relation.source] == relation.target,
                )
                for direction, hit, counts in zip(DIRECTIONS, hits, asked[relation], strict=True):
                    correct[layer, head, relation.label, direction] += hit and counts
    return n, correct, offsets, left_out


def best_words(words, *, causal):
    """Return the word that each word looks at most, and the one that looks at it most."""
    row, column = {}, {}
    for a in sorted(words):
        others = [b for b in sorted(words) if b != a]
        before = [b for b in others if b < a] if causal else others
        after = [b for b in others if b > a] if causal else others
        row[a] = max(before, key=lambda b: (words[a][b], -b), default=None)
        column[a] = max(after, key=lambda b: (words[b][a], -b), default=None)
    return row, column


def norm_weights(model, layer, probabilities, hidden):
    """Return the maps of one layer by norm, ‖p_ij f(x_j)‖ shared out over j, in float64."""
    weights = model.layer_weights(layer)
    d_head = weights.d_head
    out = np.zeros_like(probabilities)
    x = hidden.double().numpy()
    for head in range(weights.n_heads):
        rows = slice(head * d_head, (head + 1) * d_head)
        w_v = weights.W_V.double().numpy()[rows]
        b_v = weights.b_V.double().numpy()[rows]
        w_o = weights.W_O.double().numpy()[:, rows]
        for i in range(len(x)):
            norms = [
                np.linalg.norm(probabilities[head, i, j] * (w_o @ (w_v @ x[j] + b_v)))
                for j in range(len(x))
            ]
            out[head, i] = np.array(norms) / sum(norms)
    return out


def slow_behaviour(model, sentences, maps_of):
    """Return {(layer, head): {column: value}} by loops; `maps_of(sentence)` gives the maps."""
    sums, n, repeated = defaultdict(float), 0, 0
    modes = defaultdict(Counter)
    special = set(model.tokenizer.all_special_ids)
    for sentence in sentences:
        maps, word_ids, ids = maps_of(sentence)
        size = len(ids)
        content = [j for j in range(size) if ids[j] not in special]
        described = getattr(sentence, "described", None)
        for i in content:
            if described and word_ids[i] not in range(*described):
                continue
            n += 1
            repeats = [j for j in content if j != i and ids[j] == ids[i]]
            repeated += bool(repeats)
            for layer in range(maps.shape[0]):
                for head in range(maps.shape[1]):
                    p = [float(value) for value in maps[layer, head, i]]
                    entropy = -math.fsum(value * math.log(value) for value in p if value > 0)
                    best = max(content, key=lambda j: (p[j], -j))
                    on_content = math.fsum(p[j] for j in content)
                    values = {
                        "entropy_nats": entropy,
                        "entropy_share": entropy / math.log(size),
                        "confidence": p[best],
                        "first_mass": p[0],
                        "separator_mass": math.fsum(
                            p[j] for j in range(size) if ids[j] == model.tokenizer.sep_token_id
                        ),
                        "special_mass": math.fsum(p[j] for j in range(size) if ids[j] in special),
                        "self_mass": p[i],
                        "previous_mass": p[i - 1] if i else 0.0,
                        "next_mass": p[i + 1] if i + 1 < size else 0.0,
                        "punctuation_mass": math.fsum(
                            p[j]
                            for j in content
                            if word_ids[j] is not None and sentence.upos[word_ids[j]] == "PUNCT"
                        ),
                        "duplicate_mass": math.fsum(p[j] for j in repeats),
                        "distance_tokens": math.fsum(p[j] * abs(i - j) for j in content)
                        / on_content,
                    }
                    for name, value in values.items():
                        sums[layer, head, name] += value
                    modes[layer, head][best - i] += 1
    frame = {}
    for (layer, head, name), total in sums.items():
        count = repeated if name == "duplicate_mass" else n
        row = frame.setdefault((layer, head), {"queries": n})
        row[name] = total / count if count else math.nan
    for place, counter in modes.items():
        most = max(counter.values())
        mode = min((o for o, c in counter.items() if c == most), key=lambda o: (abs(o), o))
        frame[place]["offset_mode"] = mode
        frame[place]["offset_share"] = most / n
    return frame


def slow_js(maps_of, sentences, model):
    """Return the mean Jensen–Shannon divergence of every pair of heads, (head, head)."""
    special = set(model.tokenizer.all_special_ids)
    total, n = None, 0
    for sentence in sentences:
        maps, _, ids = maps_of(sentence)
        flat = maps.reshape(-1, *maps.shape[2:])
        if total is None:
            total = np.zeros((len(flat), len(flat)))
        for i in range(len(ids)):
            if ids[i] in special:
                continue
            n += 1
            rows = flat[:, i]

            def entropy(p):
                return -sum(value * math.log(value) for value in p if value > 0)

            own = [entropy(p) for p in rows]
            for a in range(len(rows)):
                for b in range(a + 1, len(rows)):
                    middle = [(x + y) / 2 for x, y in zip(rows[a], rows[b], strict=True)]
                    total[a, b] += entropy(middle) - (own[a] + own[b]) / 2
    return total / n
