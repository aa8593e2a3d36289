"""Behaviour in numpy, all heads of a sentence at once: fast enough for a corpus.

Shares nothing with inspector but the model, and is itself checked against plain loops.
"""

from collections import defaultdict

import numpy as np
import torch

from support.slow.observers import read_in_text


def seen(model, sentence):
    """Return (maps, the same by norm, token ids, word of each token) of a sentence, in float64."""
    encoded, word_ids = read_in_text(model.tokenizer, sentence)
    with torch.inference_mode():
        out = model.model(**encoded, output_attentions=True, output_hidden_states=True)
    maps = torch.stack(out.attentions)[:, 0].double().numpy()
    by_norm = np.stack(
        [
            _by_norm(model, layer, maps[layer], out.hidden_states[layer][0])
            for layer in range(len(maps))
        ]
    )
    return maps, by_norm, encoded["input_ids"][0].numpy(), word_ids


def _by_norm(model, layer, maps, hidden):
    """Return ‖p_ij f(x_j)‖ shared out over j, f(x) = (x W_V + b_V) W_O of each head."""
    weights = model.layer_weights(layer)
    w_v, b_v, w_o, x = (
        tensor.double().numpy() for tensor in (weights.W_V, weights.b_V, weights.W_O, hidden)
    )
    value = (x @ w_v.T + b_v).reshape(len(x), weights.n_heads, -1)
    brought = np.einsum("jhd,ohd->hjo", value, w_o.reshape(len(w_o), weights.n_heads, -1))
    moved = maps * np.linalg.norm(brought, axis=-1)[:, None, :]
    return moved / moved.sum(-1, keepdims=True)


class NumpyBehaviour:
    """Sums of the behaviour frame's quantities over sentences."""

    def __init__(self, model):
        tokenizer = model.tokenizer
        self._special = list(tokenizer.all_special_ids)
        self._separator = tokenizer.sep_token_id
        self._sums, self._jumps = defaultdict(float), []
        self._n = self._repeated = 0

    def add(self, maps, ids, word_ids, upos):
        place = np.arange(len(ids))
        content = ~np.isin(ids, self._special)
        own = place[content]
        punctuation = np.array([w is not None and upos[w] == "PUNCT" for w in word_ids])
        again = (ids[own][:, None] == ids) & content & (own[:, None] != place)
        looks = maps[:, :, own]
        on_content = np.where(content, looks, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = -np.where(looks > 0, looks * np.log(looks), 0.0).sum(-1)
        following = np.where(own + 1 < len(ids), own + 1, 0)
        values = {
            "entropy_nats": entropy,
            "entropy_share": entropy / np.log(len(ids)),
            "confidence": on_content.max(-1),
            "first_mass": looks[..., 0],
            "separator_mass": looks[..., ids == self._separator].sum(-1),
            "special_mass": looks[..., ~content].sum(-1),
            "self_mass": maps[:, :, own, own],
            "previous_mass": np.where(own > 0, maps[:, :, own, own - 1], 0.0),
            "next_mass": np.where(own + 1 < len(ids), maps[:, :, own, following], 0.0),
            "punctuation_mass": looks[..., punctuation].sum(-1),
            "duplicate_mass": (looks * again).sum(-1),
            "distance_tokens": (on_content * np.abs(own[:, None] - place)).sum(-1)
            / on_content.sum(-1),
        }
        for name, each in values.items():
            self._sums[name] = self._sums[name] + each.sum(-1)
        best = np.where(content, looks, -1.0).argmax(-1)
        self._jumps.append(best - own)
        self._n += len(own)
        self._repeated += int(again.any(-1).sum())

    def columns(self):
        """Return column → (layer, head)."""
        n = {"duplicate_mass": self._repeated}
        found = {name: total / n.get(name, self._n) for name, total in self._sums.items()}
        jumps = np.concatenate(self._jumps, axis=-1)
        modes = np.zeros(jumps.shape[:2])
        for layer, head in np.ndindex(*modes.shape):
            values, counts = np.unique(jumps[layer, head], return_counts=True)
            most = values[counts == counts.max()]
            modes[layer, head] = min(most, key=lambda offset: (abs(offset), offset))
        found["offset_mode"] = modes
        found["offset_share"] = (jumps == modes[..., None]).mean(-1)
        return found


def numpy_behaviour(model, sentences):
    """Return column → (layer, head) over sentences, by weight and by norm, and the queries."""
    plain, norms = NumpyBehaviour(model), NumpyBehaviour(model)
    for sentence in sentences:
        maps, by_norm, ids, word_ids = seen(model, sentence)
        plain.add(maps, ids, word_ids, sentence.upos)
        norms.add(by_norm, ids, word_ids, sentence.upos)
    by_norm = {f"norm_{name}": values for name, values in norms.columns().items()}
    return plain.columns() | by_norm, plain._n
