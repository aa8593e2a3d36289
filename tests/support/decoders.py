"""Decoders whose heads are known: planted by hand, or trained on repeats. No network is asked.

Must not know: how probes are scored.
"""

from pathlib import Path
from typing import Any

BEGIN, UNKNOWN = "<s>", "<unk>"


def drawn_words(n: int) -> list[str]:
    """Return n words of small letters, none of them English."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    return [one + two for one in syllables for two in syllables[::-1]][: n * 7 : 7]


def word_tokenizer(words: list[str], *, adds_begin: bool = True) -> Any:
    """Return a tokenizer of one token a word.

    Args:
        words: All that it knows.
        adds_begin: Whether it puts the mark of the beginning before a text, as Llama's does;
            GPT-2's has one and does not.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    known = {word: place for place, word in enumerate([BEGIN, UNKNOWN, *dict.fromkeys(words)])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if adds_begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A", special_tokens=[(BEGIN, 0)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BEGIN, unk_token=UNKNOWN, eos_token=BEGIN
    )


def trained_decoder(folder: Path, kind: str, layers: int = 2, seed: int = 0) -> float:
    """Return the last loss of a decoder that is trained on repeats and saved in a folder."""
    tokenizer = word_tokenizer(drawn_words(60), adds_begin=kind == "llama")
    network = small_decoder(kind, len(tokenizer), layers=layers, seed=seed)
    words = range(2, len(tokenizer))
    loss = train_on_repeats(network, words, seed=seed)
    print(f"{kind}, {layers} layers: {loss:.3f} nats a token at the end")
    save_decoder(folder, network, tokenizer)
    return loss


def save_decoder(folder: Path, network: Any, tokenizer: Any) -> Path:
    """Return the folder, with a network and its tokenizer in it."""
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def small_decoder(kind: str, vocabulary: int, *, layers: int = 2, seed: int = 0) -> Any:
    """Return a language model with random weights: 'llama' or 'gpt2', 4 heads of 16."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    if kind == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=vocabulary, n_positions=128, n_embd=64, n_layer=layers, n_head=4,
                bos_token_id=0, eos_token_id=0, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
            )
        )  # fmt: skip
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary, hidden_size=64, intermediate_size=128, num_hidden_layers=layers,
            num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=128,
            bos_token_id=0, eos_token_id=0, tie_word_embeddings=False,
        )
    )  # fmt: skip


def train_on_repeats(
    network: Any,
    words: range,
    *,
    steps: int = 1050,
    batch: int = 32,
    seed: int = 0,
) -> float:
    """Train a language model on [begin r r]; return the last loss.

    How long r is, is drawn for each step.

    Args:
        network: What is trained, in place.
        words: The tokens that are drawn.
        steps: Of Adam.
        batch: Texts in a step.
        seed: Of the texts.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    network.train()
    loss = torch.zeros(())
    for _ in range(steps):
        period = int(torch.randint(5, 25, (1,), generator=draw))
        part = torch.rand(batch, len(words), generator=draw).argsort(1)[:, :period] + words.start
        texts = torch.cat([torch.zeros(batch, 1, dtype=torch.long), part, part], 1)
        logits = network(input_ids=texts).logits[:, period:-1]
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), texts[:, period + 1 :].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()
    return float(loss.detach())


if __name__ == "__main__":  # kind, layers, folder, seed
    import sys

    trained_decoder(Path(sys.argv[3]), sys.argv[1], int(sys.argv[2]), int((*sys.argv, 0)[4]))
