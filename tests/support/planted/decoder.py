"""A GPT-2 of four layers whose heads do by hand what the decoder battery asks.

Tokens, positions and what heads hand on have dimensions of their own, so that a head's scores can
be written down. Must not know: how probes are scored.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from inspector.corpora.battery.words import LISTS
from support.decoders import BEGIN, drawn_words, save_decoder, word_tokenizer

N_POSITIONS, N_HEADS, N_LAYERS = 50, 4, 4
SHARP = 60.0
ROLES = {
    (0, 0): {"previous-token"},
    (0, 2): {"duplicate-token"},
    (0, 3): {"successor"},
    (1, 0): {"sink"},
    (1, 1): {"no-op"},
    (1, 2): {"induction"},
    (1, 3): {"induction", "copy-suppression"},
    (2, 1): {"induction", "retrieval"},
    (3, 0): {"name-mover"},
}
"""What was planted, by layer and head; 0-1 hands on the token two before, 2-0 is S-inhibition. 2-1
finds what stood two after the word before: in a repeat that is what followed the same word."""


NAMES, ORDER = LISTS.names[:6], LISTS.orders["days"]


def battery_words() -> list[str]:
    """Return words that let every probe be asked."""
    sentences = (LISTS.indirect_objects[1], LISTS.needle, LISTS.question)
    return [*ORDER, *NAMES, *LISTS.towns[:2], *" ".join(sentences).split(), "of"]


class Spaces:
    """Which dimensions stand for what."""

    def __init__(self, tokens: dict[str, int]) -> None:
        """Lay the spaces out one after the other."""
        self.tokens, size = tokens, len(tokens)
        self.start, at = {}, 0
        for name, width in (
            ("token", size), ("position", N_POSITIONS), ("previous", size), ("second", size),
            ("inhibited", size), ("written", size), ("repeated", 1), ("rest", 1),
        ):  # fmt: skip
            self.start[name] = at
            at += width
        self.d_head = size + N_POSITIONS + 4
        self.d_model = N_HEADS * self.d_head
        assert at <= self.d_model

    def all_of(self, name: str) -> torch.Tensor:
        """Return rows that read a whole space."""
        width = N_POSITIONS if name == "position" else len(self.tokens)
        return torch.eye(self.d_model)[self.start[name] : self.start[name] + width]

    def one(self, name: str) -> torch.Tensor:
        """Return the row that reads a single dimension."""
        return torch.eye(self.d_model)[self.start[name]][None]

    def words(self, words: list[str]) -> torch.Tensor:
        """Return the row that says whether the token is one of these."""
        places = [self.start["token"] + self.tokens[word] for word in words]
        return torch.eye(self.d_model)[places].sum(0, keepdim=True)


def planted(folder: Path, *, adds_begin: bool = False) -> Path:
    """Return the folder, with the model and its tokenizer in it."""
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = word_tokenizer([*drawn_words(21), *battery_words()], adds_begin=adds_begin)
    spaces = Spaces(tokenizer.get_vocab())
    size = len(tokenizer)
    network = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=size, n_positions=N_POSITIONS, n_embd=spaces.d_model, n_layer=N_LAYERS,
            n_head=N_HEADS, n_inner=4, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0,
        )
    )  # fmt: skip
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.fill_(1.0) if "ln_" in name and "weight" in name else parameter.zero_()
        network.transformer.wte.weight.copy_(spaces.all_of("token"))
        network.transformer.wpe.weight.copy_(spaces.all_of("position"))
        network.lm_head.weight.copy_(spaces.all_of("written"))
        for (layer, head), (channels, moved, to) in _heads(spaces).items():
            _plant(network.transformer.h[layer].attn, spaces, head, channels, moved, to)
    return save_decoder(folder, network, tokenizer)


def _heads(of: Spaces) -> dict[tuple[int, int], Any]:
    """Return, by layer and head: (what asks, what is asked for, how strongly) …, moved, to where.

    None asks always. What finds nothing rests at the beginning, from where nothing is moved.
    """
    token, position, begin = of.all_of("token"), of.all_of("position"), of.words([BEGIN])
    no_begin = token - torch.outer(begin[0, : len(token)], begin[0])
    names = of.words(list(NAMES))
    follows = torch.zeros_like(token)
    for before, after in pairwise(ORDER):
        follows[of.tokens[before], of.start["token"] + of.tokens[after]] = 1
    to = of.words(["to"])
    junk = of.one("rest")

    def rest(strength: float) -> tuple[Any, Any, float]:
        return (None, begin, strength)

    induct = [(token, of.all_of("previous"), 2.0), rest(1.0)]
    return {
        (0, 0): ([(position, position.roll(1, 0), 1.0)], no_begin, of.all_of("previous")),
        (0, 1): ([(position, position.roll(2, 0), 1.0)], no_begin, of.all_of("second")),
        (0, 2): (
            [(token, no_begin, 2.0), (position, position, -2.0), rest(0.8)],
            no_begin.sum(0, keepdim=True),
            of.one("repeated"),
        ),
        (0, 3): ([(follows, token, 2.0), rest(1.0)], no_begin.sum(0, keepdim=True), junk),
        (1, 0): ([rest(2.0)], token.sum(0, keepdim=True), junk),
        (1, 1): ([rest(2.0)], no_begin.sum(0, keepdim=True), junk),
        (1, 2): (induct, no_begin, of.all_of("written")),
        (1, 3): (induct, -no_begin, of.all_of("written")),
        (2, 0): (
            [(None, names, 1.0), (None, of.one("repeated"), 1.0), rest(1.5)],
            no_begin,
            of.all_of("inhibited"),
        ),
        (2, 1): (
            [(of.all_of("previous"), of.all_of("second"), 2.0), rest(1.0)],
            no_begin,
            of.all_of("written"),
        ),
        (3, 0): (
            [(to, names, 2.0), (of.all_of("inhibited"), token, -3.0), rest(1.0)],
            no_begin,
            of.all_of("written"),
        ),
    }


def _plant(
    attention: Any, of: Spaces, head: int, channels: Any, moved: torch.Tensor, to: torch.Tensor
) -> None:
    """Write one head into the fused matrices of GPT-2's attention."""
    # After the layer norm a one is √(d_model / ones): of the two to five ones a token has.
    size = (of.d_model / 4) ** 0.5
    weight, bias = attention.c_attn.weight, attention.c_attn.bias
    own = head * of.d_head
    at = 0
    for asks, found, strength in channels:
        width = len(found)
        query = slice(own + at, own + at + width)
        key = slice(of.d_model + own + at, of.d_model + own + at + width)
        scale = strength * SHARP * of.d_head**0.5 / size
        if asks is None:
            bias[query] = scale
        else:
            weight[:, query] = asks.T * scale / size
        weight[:, key] = found.T
        at += width
    value = slice(2 * of.d_model + own, 2 * of.d_model + own + len(moved))
    weight[:, value] = moved.T
    # The layer norm takes the mean, two ones of all, from every dimension: what the beginning
    # brings of it is put back.
    bias[value] = moved.sum(1) * (2 / of.d_model) ** 0.5
    attention.c_proj.weight[own : own + len(moved)] = to / size
