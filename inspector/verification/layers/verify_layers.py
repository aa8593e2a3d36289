"""Verification of a model: every stage of every layer, the whole model, coverage, controls.

Must not know: corpora, how a report is shown.
"""

from typing import Any

import torch
from torch.nn.functional import linear

from inspector.models import LayerCall, PretrainedModel, sdpa_context, watch
from inspector.models.forward.unchanged import unchanged
from inspector.progress import Progress
from inspector.verification.across_cases import ATTEMPTS, TOO_SMALL, AcrossCases
from inspector.verification.conditions import FIRST
from inspector.verification.judge import judge
from inspector.verification.layers.cases import Case, standard_cases
from inspector.verification.layers.layer_controls import run_controls
from inspector.verification.layers.stages import (
    GRADIENT,
    judge_gradient,
    judge_stages,
    our_stages,
    query_rows,
    select_rows,
)
from inspector.verification.layers.whole_model import compare_whole_model
from inspector.verification.manner import own_layers
from inspector.verification.padding_places import kinds_of
from inspector.verification.report import (
    VERIFICATION_COLUMNS,
    WHOLE_MODEL_COLUMNS,
    Coverage,
    VerificationReport,
    rows_of,
    typed_frame,
    worst_rows,
)
from inspector.verification.scope import Scope, check_seed, in_order

TAKES_NO_VIEWS = "the model's own layers take their input in order in memory alone"


def verify(
    model: PretrainedModel,
    *,
    cases: list[Case] | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> VerificationReport:
    r"""Return the proof, or disproof, that our equations compute what the model computes.

    In each layer, from the layer's own input and weights: query, key, value, probabilities,
    context and output (after W_O). With truth our float64 on the same inputs, u the dtype's unit
    roundoff and scale = max|theirs|, a stage passes if max|ours − theirs| ≤ 32·u·scale,
    rms(ours − truth) ≤ 1.5·rms(theirs − truth) + 0.4·u·scale, and
    max|ours − truth| ≤ 3·max|theirs − truth| + 4·u·scale.

    Args:
        model: As `inspector.load` returned it.
        cases: Inputs; where they are not given one sentence, a padded batch, a single token, the
            longest text, random tokens with padding everywhere, of nine lengths, and of six sizes
            that are drawn; and training mode.
        seed: Of what is drawn; drawn itself where not given.
        progress: Told how far it is.

    Example:
        >>> import inspector
        >>> inspector.verify(inspector.load("minilm")).passed
        True
    """
    say = progress or (lambda what, share: None)
    seed = check_seed(seed)
    inputs = standard_cases(model, seed) if cases is None else cases
    rows: list[dict[str, Any]] = []
    reached: set[int] = set()
    across, not_asked = AcrossCases(), dict[str, str]()
    with unchanged(model.model):
        for number, case in enumerate(inputs):
            say(f"Layers: {case.name}", 0.5 * number / len(inputs))
            rows += _verify_case(model, case, reached, seed, across, not_asked)
    say("Whole model", 0.5)
    whole = compare_whole_model(model, inputs)
    say("Controls", 0.7)
    controls, note = run_controls(model)
    say("Report", 1.0)
    every = typed_frame(rows, VERIFICATION_COLUMNS)
    return VerificationReport(
        model=model.name,
        dtype=model.dtype,
        frame=worst_rows(rows),
        cases=every,
        whole_model=typed_frame(whole, WHOLE_MODEL_COLUMNS),
        coverage=coverage(model, reached),
        controls=controls,
        controls_note=note,
        scope=_scope(model, inputs, seed, across.alone_in_u, not_asked),
    )


def _scope(
    model: PretrainedModel,
    cases: list[Case],
    seed: int,
    alone_in_u: float | None,
    not_asked: dict[str, str],
) -> Scope:
    masks = [case.batch.attention_mask.bool().cpu() for case in cases]
    gradients = [case for case in cases if case.manner.gradients == "asked"]
    return Scope(
        heads=model.n_heads,
        d_head=model.d_head,
        files=model.file_hashes,
        seed=seed,
        longest=max(mask.shape[1] for mask in masks),
        largest_batch=max(len(mask) for mask in masks),
        padding=in_order(set().union(*map(kinds_of, masks))),
        gradients=bool(gradients),
        longest_gradient=max((case.batch.input_ids.shape[1] for case in gradients), default=0),
        modes=tuple(dict.fromkeys(case.manner.mode for case in cases)),
        largest_score=max(
            (case.largest_score or 0.0 for case in cases if case.name not in not_asked), default=0.0
        ),
        alone_in_u=alone_in_u,
        not_asked=not_asked,
    )


def follows_from_weights(model: PretrainedModel) -> bool:
    """Return whether every stage of the model's layers follows from weights and input alone.

    Not where queries and keys are rotated or normed between, nor where a bias of positions, a cap
    or sinks come in; nor where transformers has no second path, sdpa, to measure noise with.
    """
    return model.is_plain and getattr(model.model, "_supports_sdpa", True)


def _verify_case(
    model: PretrainedModel,
    case: Case,
    reached: set[int],
    seed: int,
    across: AcrossCases,
    not_asked: dict[str, str],
) -> list[dict[str, Any]]:
    wanted = case.largest_score
    if wanted is None:
        try:
            return _run_case(model, case, reached, seed, across)
        except RuntimeError as error:
            # Some layers, such as GPT-2's, view their input, which torch refuses of such memory.
            if not case.manner.strided or "view size" not in str(error):
                raise
            not_asked[case.name] = TAKES_NO_VIEWS
            return []
    for _ in range(ATTEMPTS):
        across.enlarge(wanted)
        rows = _run_case(model, case, reached, seed, across)
        if across.reached(wanted):
            return rows
    not_asked[case.name] = TOO_SMALL.format(across.least())
    return rows


def _run_case(
    model: PretrainedModel, case: Case, reached: set[int], seed: int, across: AcrossCases
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    across.begin()
    factors = {} if case.largest_score is None else across.factors

    def on_layer(call: LayerCall) -> None:
        reached.add(call.layer)
        weights = model.layer_weights(call.layer)
        attention, large = call.attention, 1.0
        if case.name in FIRST or case.largest_score is not None:
            score = across.note_score(call.module, attention)
            large = 1.0 if case.largest_score is None else score
        if case.name in FIRST or case.row is not None:
            across.note_rows(call.module, attention, case.row)
        truth = our_stages(call, weights, torch.float64)
        ours = our_stages(call, weights, model.torch_dtype)
        noise = {} if case.manner.dropout_seed is not None else _noise(model, call)
        judged = judge_stages(call, ours, truth, large)
        if case.manner.gradients == "asked":
            judged[GRADIENT] = judge_gradient(call, weights, model.torch_dtype, seed)
        left_out = int((~query_rows(call)).sum())
        rows.extend(
            rows_of(call.layer, call.module, case.name, judged, rows_left_out=left_out, noise=noise)
        )

    watch(model, case.batch, on_layer, within=lambda: own_layers(model.model, case.manner, factors))
    return rows


def _noise(model: PretrainedModel, call: LayerCall) -> dict[str, float]:
    """Return stage → max|sdpa − eager| for the stages that sdpa lets one see."""
    keep = query_rows(call)
    context = sdpa_context(call.attention)
    weights = model.layer_weights(call.layer)
    pairs = {
        "context": (context, call.attention.context),
        "output": (linear(context, weights.W_O, weights.b_O), call.output),
    }
    noise = {}
    for stage, (sdpa, eager) in pairs.items():
        a, b = select_rows(sdpa, stage, keep), select_rows(eager, stage, keep)
        noise[stage] = judge(a, b, b.double(), model.torch_dtype).max_abs_error
    return noise


def coverage(model: PretrainedModel, reached: set[int]) -> Coverage:
    """Return how many of the model's attention modules were reached, and which were not.

    Besides the layers that the architecture names, every module that calls itself an attention
    and holds no other attention counts.
    """
    named = {site.attention for site in model.sites}
    blocks = {name.rsplit(".", 1)[0] for name in named} | named
    others = [
        name
        for name, module in model.model.named_modules()
        if _is_attention(module) and name not in blocks and not _inside(name, named)
    ]
    missed = [site.attention for site in model.sites if site.layer not in reached]
    return Coverage(
        reached=len(reached),
        total=len(model.sites) + len(others),
        not_reached=missed + others,
    )


def _is_attention(module: torch.nn.Module) -> bool:
    kind = "Attention"
    below = [child for child in module.modules() if child is not module]
    return kind in type(module).__name__ and not any(kind in type(c).__name__ for c in below)


def _inside(name: str, parents: set[str]) -> bool:
    return any(name.startswith(f"{parent}.") for parent in parents)
