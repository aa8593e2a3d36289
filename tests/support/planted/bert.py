"""A BERT whose heads do what was planted in their weights.

Words and positions are embedded as one-hot vectors, so that a head's scores can be written down
as a table: from token to token, from position to position. Must not know: how roles are found.
"""

import torch

from inspector.models import load
from support.tiny.models import tiny_tokenizer

N_POSITIONS = 32
SHARP = 40.0


def scores(kind, tokenizer):
    """Return the planted scores: (token → token, position → position)."""
    content = torch.zeros(len(tokenizer), len(tokenizer))
    place = torch.zeros(N_POSITIONS, N_POSITIONS)
    if kind == "previous":
        place = torch.eye(N_POSITIONS).roll(-1, dims=1)
    elif kind == "separator":
        content[:, tokenizer.sep_token_id] = 1.0
    elif kind == "same":
        # Another occurrence before the token itself, and that before anything else.
        content, place = 2 * torch.eye(len(tokenizer)), -torch.eye(N_POSITIONS)
    elif kind == "before":
        place = torch.tril(torch.ones(N_POSITIONS, N_POSITIONS))
    return content, place


def plant(folder, kinds):
    """Save a one-layer BERT of these heads and return it loaded."""
    from transformers import BertConfig, BertModel

    tokenizer = tiny_tokenizer("bert")
    d_head = len(tokenizer) + N_POSITIONS
    d_model = len(kinds) * d_head
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=d_model,
        num_hidden_layers=1,
        num_attention_heads=len(kinds),
        intermediate_size=8,
        max_position_embeddings=N_POSITIONS,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = BertModel(config)
    # A one for the token and a one for its position, after the layer norm: α x + β.
    deviation = (2 / d_model * (1 - 2 / d_model) + config.layer_norm_eps) ** 0.5
    alpha, beta = 1 / deviation, -2 / d_model / deviation
    attention = model.encoder.layer[0].attention
    with torch.no_grad():
        for parameter in (*model.embeddings.parameters(), *attention.parameters()):
            parameter.zero_()
        model.embeddings.LayerNorm.weight.fill_(1.0)
        attention.output.LayerNorm.weight.fill_(1.0)
        words, places = slice(0, len(tokenizer)), slice(len(tokenizer), d_head)
        model.embeddings.word_embeddings.weight[:, words] = torch.eye(len(tokenizer))
        model.embeddings.position_embeddings.weight[:, places] = torch.eye(N_POSITIONS)
        for head, kind in enumerate(kinds):
            rows = slice(head * d_head, (head + 1) * d_head)
            content, place = scores(kind, tokenizer)
            table = torch.block_diag(content, place) * SHARP * d_head**0.5
            attention.self.query.weight[rows, :d_head] = table.T / alpha
            attention.self.key.weight[rows, :d_head] = torch.eye(d_head) / alpha
            attention.self.value.weight[rows, :d_head] = torch.eye(d_head)
            attention.output.dense.weight[:d_head, rows] = torch.eye(d_head)
        for linear in (attention.self.query, attention.self.key):
            linear.bias.copy_(-beta * linear.weight.sum(1))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load(str(folder))
