"""Verification of a model: every stage of every layer, the whole model, coverage, controls."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import linear

from inspector.attention import LayerWeights
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
from inspector.verification.scope import Scope, check_seed

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
        >>> from inspector.models import load
        >>> from inspector.verification.layers.cases import padded_case
        >>> model = load("minilm")
        >>> verify(model, cases=[padded_case(model)]).passed
        True
    """
    say = progress or (lambda what, share: None)
    seed = check_seed(seed)
    inputs = standard_cases(model, seed) if cases is None else cases
    layers = _Layers(model, seed)
    with unchanged(model.model):
        for number, case in enumerate(inputs):
            say(f"Layers: {case.name}", 0.5 * number / len(inputs))
            layers.verify(case)
    say("Whole model", 0.5)
    whole = compare_whole_model(model, inputs)
    say("Controls", 0.7)
    controls, note = run_controls(model)
    say("Report", 1.0)
    return VerificationReport(
        model=model.name,
        dtype=model.dtype,
        frame=worst_rows(layers.rows),
        cases=typed_frame(layers.rows, VERIFICATION_COLUMNS),
        whole_model=typed_frame(whole, WHOLE_MODEL_COLUMNS),
        coverage=coverage(model, layers.reached),
        controls=controls,
        controls_note=note,
        scope=layers.scope(inputs),
    )


def follows_from_weights(model: PretrainedModel) -> bool:
    """Return whether every stage of the model's layers follows from weights and input alone.

    Not where queries and keys are rotated or normed between, nor where a bias of positions, a cap
    or sinks come in; nor where transformers has no second path, sdpa, to measure noise with.
    """
    return model.is_plain and getattr(model.model, "_supports_sdpa", True)


@dataclass
class _Layers:
    """The layers of a model, run on one case after the other, and what came of it."""

    model: PretrainedModel
    seed: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    reached: set[int] = field(default_factory=set)
    across: AcrossCases = field(default_factory=AcrossCases)
    not_asked: dict[str, str] = field(default_factory=dict)

    def verify(self, case: Case) -> None:
        """Run the layers on a case; where its scores are to be large, until they are."""
        wanted = case.largest_score
        if wanted is None:
            try:
                self.rows += self._run(case)
            except RuntimeError as error:
                # Some, as those of GPT-2, view their input, which torch refuses of such memory.
                if not case.manner.strided or "view size" not in str(error):
                    raise
                self.not_asked[case.name] = TAKES_NO_VIEWS
            return
        for _ in range(ATTEMPTS):
            self.across.enlarge(wanted)
            rows = self._run(case)
            if self.across.reached(wanted):
                break
        else:
            self.not_asked[case.name] = TOO_SMALL.format(self.across.least())
        self.rows += rows

    def _run(self, case: Case) -> list[dict[str, Any]]:
        model, across = self.model, self.across
        across.begin()
        factors = {} if case.largest_score is None else across.factors
        rows: list[dict[str, Any]] = []
        watch(
            model,
            case.batch,
            lambda call: rows.extend(self._rows(case, call)),
            within=lambda: own_layers(model.model, case.manner, factors),
        )
        return rows

    def _rows(self, case: Case, call: LayerCall) -> list[dict[str, Any]]:
        model, across = self.model, self.across
        self.reached.add(call.layer)
        weights = model.layer_weights(call.layer)
        large = None
        if case.name in FIRST or case.largest_score is not None:
            score = across.note_score(call.module, call.attention)
            large = None if case.largest_score is None else score
        if case.name in FIRST or case.row is not None:
            across.note_rows(call.module, call.attention, case.row)
        truth = our_stages(call, weights, torch.float64)
        ours = our_stages(call, weights, model.torch_dtype)
        noise = {} if case.manner.dropout_seed is not None else _noise(model, weights, call)
        judged = judge_stages(call, ours, truth, large)
        if case.manner.gradients == "asked":
            judged[GRADIENT] = judge_gradient(call, weights, model.torch_dtype, self.seed)
        left_out = int((~query_rows(call)).sum())
        return rows_of(
            call.layer, call.module, case.name, judged, rows_left_out=left_out, noise=noise
        )

    def scope(self, cases: list[Case]) -> Scope:
        """Return up to where the outcome holds."""
        model, not_asked = self.model, self.not_asked
        scope = Scope(
            model.n_heads, model.d_head, model.file_hashes, self.seed,
            alone_in_u=self.across.alone_in_u, not_asked=not_asked,
        )  # fmt: skip
        for case in cases:
            batch, length = case.batch.attention_mask.shape
            scope = scope.having(
                batch=batch,
                length=length,
                padding=kinds_of(case.batch.attention_mask.bool().cpu()),
                mode=case.manner.mode,
                gradient=length if case.manner.gradients == "asked" else 0,
                largest_score=0.0 if case.name in not_asked else case.largest_score or 0.0,
            )
        return scope


def _noise(model: PretrainedModel, weights: LayerWeights, call: LayerCall) -> dict[str, float]:
    """Return stage → max|sdpa − eager| for the stages that sdpa lets one see."""
    keep = query_rows(call)
    context = sdpa_context(call.attention)
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
