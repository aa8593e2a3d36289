"""One verification for every model: from its weights where that is enough, else call by call."""

from os import PathLike
from typing import Any

import torch
from torch import nn

from inspector.arguments import checked
from inspector.errors import InputError
from inspector.models import DEFAULT_MODEL, PretrainedModel
from inspector.models.any_model.any_model import AnyModel, load_to_run
from inspector.models.loading.load_model import loaded
from inspector.progress import Progress, shown
from inspector.verification.calls.verify_calls import verify_any
from inspector.verification.layers.verify_layers import follows_from_weights
from inspector.verification.layers.verify_layers import verify as verify_layers
from inspector.verification.report import VerificationReport
from inspector.verification.scope import check_seed


@checked
def verify(
    model: PretrainedModel | AnyModel | nn.Module | str | PathLike[str] = DEFAULT_MODEL,
    *,
    dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
    revision: str | None = None,
    seed: int | None = None,
    progress: Progress | bool | None = None,
) -> VerificationReport:
    """Return the proof, or disproof, that our equations compute what the model computes.

    See `inspector.verification` for the rule. `.passed`, `.frame` (a row per layer × stage),
    `.coverage` and `.controls` are what to look at; in a notebook the report shows itself. BERT
    and its relatives are verified from their weights, from query to output; every other model
    call by call: each attention call is computed again by ours on the same queries and keys.

    Args:
        model: A loaded model, what `inspector.load` takes, a folder of any model of transformers,
            or such a model in memory.
        dtype: As `inspector.load` takes it, of a model that is given by name; float32 if not given.
        device: On which it is loaded; the CPU if not given.
        revision: Branch, tag or commit of a hub id.
        seed: Of the inputs that are drawn anew in each run; reported, drawn where not given.
        progress: Called with what is being done and the share that is done; True for a bar, which
            notebooks and terminals have where nothing is given; False for none.

    Raises:
        InputError: If a model in memory is to be in another dtype, or on another device.
        ModelError: If the model cannot be loaded.

    Example:
        >>> from transformers import BertConfig, BertModel
        >>> size = {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 64}
        >>> network = BertModel(BertConfig(num_hidden_layers=2, vocab_size=99, **size))
        >>> verify(network).coverage
        {'reached': 2, 'total': 2, 'not_reached': []}
    """
    seed = check_seed(seed)
    told: dict[str, Any] = {"dtype": dtype, "device": device, "revision": revision}
    given = {name: one for name, one in told.items() if one is not None}
    with shown(progress) as show:
        if isinstance(model, (str, PathLike)):
            if show is not None:
                show("Loading", 0.0)
            model = load_to_run(model, **given)
            given = {}
        if isinstance(model, PretrainedModel):
            model = loaded(model, **given)
            if follows_from_weights(model):
                return verify_layers(model, seed=seed, progress=show)
            model = AnyModel(model.name, model.model, model.dtype, model.file_hashes)
        elif given:
            name, one = next(iter(given.items()))
            raise InputError(
                f"{name} ({one}) must be left out beside a model in memory, which is verified as "
                "it is: give its name, or what inspector.load returns."
            )
        elif not isinstance(model, AnyModel):
            model = AnyModel.of(model)
        return verify_any(model, seed=seed, ordinary_use=True, progress=show)
