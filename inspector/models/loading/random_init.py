"""A model's random twin: the same architecture and tokenizer, weights that have learnt nothing.

Must not know: what it is compared in.
"""

from copy import deepcopy
from dataclasses import replace
from threading import RLock
from typing import Any

import torch

from inspector.models.loading.load_model import reader_of
from inspector.models.log_level import quiet
from inspector.models.pretrained import PretrainedModel


def random_twin(model: PretrainedModel, seed: int) -> PretrainedModel:
    """Return the same architecture with random weights, drawn as transformers initialises it.

    What such a model scores is what the architecture and the tokenizer give away by themselves.

    Args:
        model: Whose architecture, tokenizer, device and dtype the twin has.
        seed: Of the weights; the generator's state is restored.
    """
    from transformers import AutoModel

    trained: Any = model.model
    config = deepcopy(trained.config)
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        network = AutoModel.from_config(config, attn_implementation="eager", dtype=torch.float32)
    reader = reader_of(model.architecture, network).eval()
    reader.to(device=model.device, dtype=model.torch_dtype)
    return replace(model, name=f"{model.name}, random {seed}", model=reader, lock=RLock())
