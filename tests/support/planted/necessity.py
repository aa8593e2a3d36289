"""A BERT in which what some heads find is needed, by one head alone or by either of two.

Must not know: how it is found out that heads are needed.
"""

import numpy as np
import torch

from inspector.corpora import Corpus, Relation, Sentence
from inspector.models import load
from support.tiny.models import tiny_tokenizer

N_POSITIONS, N_HEADS = 16, 12
SHARP = 40.0
SOURCE, TARGET = "dog", "rain"
FILLERS = ("cat", "town", "table", "had", "could")
WRITTEN = 0.02
"""What a head writes that has found the target: next to nothing, until the layer amplifies it."""


def planted_model(folder, follow):
    """Save a BERT of one layer and return it loaded: the heads of `follow` find the target.

    Each then writes the same small figure. The feed-forward net says yes, loudly, if there is any
    of it, and no louder if there is twice as much. All other heads write something everywhere.
    """
    from transformers import BertConfig, BertModel

    tokenizer = tiny_tokenizer("bert")
    size = len(tokenizer)
    d_model = N_HEADS * (size + N_HEADS + 4)
    d_head = d_model // N_HEADS
    config = BertConfig(
        vocab_size=size,
        hidden_size=d_model,
        num_hidden_layers=1,
        num_attention_heads=N_HEADS,
        intermediate_size=2,
        hidden_act="relu",
        max_position_embeddings=N_POSITIONS,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = BertModel(config).eval()  # else dropout decides what a state is
    source, target = tokenizer.convert_tokens_to_ids([SOURCE, TARGET])
    separator = tokenizer.sep_token_id
    found, loud = size + N_HEADS, size + N_HEADS + 1
    layer = model.encoder.layer[0]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.embeddings.word_embeddings.weight[:, :size] = torch.eye(size)
        norms = (layer.attention.output.LayerNorm, layer.output.LayerNorm)
        for norm in (model.embeddings.LayerNorm, *norms):
            norm.weight.fill_(1.0)
        state = model.embeddings(torch.arange(N_POSITIONS)[None])[0]
        alpha = float(state[0, 0] - state[0, 1])
        for head in range(N_HEADS):
            rows = slice(head * d_head, (head + 1) * d_head)
            table = torch.zeros(size, size)
            table[:, separator] = 1.0
            if head in follow:
                table[source, target] = 2.0
            query, key, value = (
                getattr(layer.attention.self, name) for name in ("query", "key", "value")
            )
            query.weight[rows, :size][:size] = table.T * SHARP * d_head**0.5 / alpha
            key.weight[rows, :size][:size] = torch.eye(size) / alpha
            seen, place, written = (
                (target, found, WRITTEN) if head in follow else (separator, size + head, 6.0)
            )
            value.weight[rows.start, seen] = 1.0 / alpha
            layer.attention.output.dense.weight[place, rows.start] = written
        for linear in (query, key, value):
            linear.bias.copy_(-float(state[0, 1]) * linear.weight.sum(1))
        # Full at a third of what one head writes; the layer norm before it divides by about 1.
        gate = layer.intermediate.dense
        gate.weight[:, found] = 100.0 / WRITTEN
        gate.weight[:, found + 2] = -100.0 / WRITTEN
        gate.bias.copy_(torch.tensor([-10.0, -30.0]))
        layer.output.dense.weight[loud] = torch.tensor([0.5, -0.5])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load(str(folder))


def planted_corpus(n_documents=60):
    """Return sentences in which the source's object is the target, somewhere among fillers."""
    rng = np.random.default_rng(7)
    sentences = []
    for number in range(2 * n_documents):
        words = [str(word) for word in rng.choice(FILLERS, size=7)]
        i, j = (int(place) for place in rng.choice(7, size=2, replace=False))
        words[i], words[j] = SOURCE, TARGET
        tags = ("NOUN",) * 7
        relation = Relation("syntax", "obj", i, j)
        name = f"d{number // 2}"
        sentences.append(Sentence(f"s{number}", name, tuple(words), tags, (relation,)))
    return Corpus("made", sentences, [], "0" * 64, "generated")
