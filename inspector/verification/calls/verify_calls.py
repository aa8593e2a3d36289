"""Any model of transformers, verified call by call beside its own attention.

No weights need be known. What is not reached, or not reached by a rule that ours has, is never
passed: it is named, with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from inspector.errors import UnsupportedModelError
from inspector.models import AttentionCall
from inspector.models.any_model.any_model import AnyModel
from inspector.models.any_model.call_watch import (
    Pass,
    attention_modules,
    idle_parts,
    not_reached,
    passes,
    watch_calls,
)
from inspector.models.custom_attention.hooks import other_mathematics
from inspector.models.forward.unchanged import unchanged
from inspector.models.weight_checks.network_check import COMPLAINTS
from inspector.models.weight_checks.projection_calls import ProjectedCall, Projections
from inspector.progress import Progress
from inspector.verification.across_cases import ATTEMPTS, TOO_SMALL, AcrossCases
from inspector.verification.calls.call_comparison import (
    draws,
    judge_call,
    judge_call_gradient,
    rows_left_out,
    some_queries,
    with_large_scores,
)
from inspector.verification.calls.call_controls import CallControls
from inspector.verification.calls.model_conditions import ModelConditions
from inspector.verification.calls.projection_comparison import judge_projections
from inspector.verification.conditions import DROPOUT, FIRST, Condition
from inspector.verification.judge import Judgement
from inspector.verification.layers.stages import GRADIENT, STAGES
from inspector.verification.padding_places import kinds_of
from inspector.verification.report import (
    VERIFICATION_COLUMNS,
    WHOLE_MODEL_COLUMNS,
    Coverage,
    Route,
    VerificationReport,
    rows_of,
    typed_frame,
    worst_rows,
)
from inspector.verification.scope import Scope, some

_ORDER = (*STAGES, GRADIENT)
_NOT_SEEN = "autograd does not see what is computed there"
_NO_DROPOUT = "no call was seen to drop attention weights"


def verify_any(
    model: AnyModel,
    *,
    inputs: dict[str, Tensor] | None = None,
    seed: int = 0,
    ordinary_use: bool = False,
    progress: Progress | None = None,
) -> VerificationReport:
    r"""Return the proof, or disproof, that our attention computes what any model computes.

    The model runs with its own eager attention. At each call ours is evaluated on the same
    queries, keys, values and mask, in the model's dtype and in float64 (the truth), and judged by
    the rule of `inspector.verification.verify` on its probabilities and its context. Where the
    module's own numbers prove in which layers its weights are, query, key, value and output are
    judged, too, from what these layers were given: `.not_from_weights` names the other modules.
    All attention modules must be reached; modules with mathematics of their own count as reached
    only where ours has their score term and hooks prove that probabilities · values is the
    context.

    Args:
        model: As `load_any` or `AnyModel.of` returned it.
        inputs: Keyword arguments of its forward; random ones that suit it where not given.
        seed: Of the random inputs.
        ordinary_use: Whether it is run under all `conditions`, too.
        progress: Told how far it is.

    Example:
        >>> from inspector.models.tiny_models import configuration
        >>> verify_any(AnyModel.of(configuration("gemma2").build())).passed
        True
    """
    say = progress or (lambda what, share: None)
    findings = _Findings(model, seed)
    with unchanged(model.model):
        for one in passes(model, inputs, seed):
            say(f"Calls: {one.name}", 0.1)
            findings.run(model, one)
        idle = idle_parts(model, findings.ran)
        for name, part in idle:
            for one in passes(part, seed=seed):
                say(f"Calls of {name}: {one.name}", 0.2)
                findings.run(part, one, prefix=f"{name}.")
        if ordinary_use and findings.layers:
            for prefix, part in [("", model), *((f"{name}.", part) for name, part in idle)]:
                say(f"Ordinary use{' of ' + prefix if prefix else ''}", 0.3)
                findings.use(part, prefix)
    say("Controls", 0.8)
    controls, note = findings.controls.finish()
    say("Report", 1.0)
    every = typed_frame(findings.rows, VERIFICATION_COLUMNS)
    return VerificationReport(
        model=model.name,
        dtype=model.dtype,
        frame=worst_rows(sorted(findings.rows, key=lambda row: _ORDER.index(row["stage"]))),
        cases=every,
        whole_model=typed_frame([], WHOLE_MODEL_COLUMNS),
        coverage=findings.coverage(),
        controls=controls,
        controls_note=note,
        route=findings.route(),
        reason=findings.reason(),
        not_run=tuple(findings.complaints),
        not_from_weights=findings.not_from_weights(),
        scope=findings.whole_scope(),
    )


@dataclass
class _Findings:
    """What the passes of one model have shown so far."""

    model: AnyModel
    seed: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    layers: dict[str, int] = field(default_factory=dict)
    """Module that calls → its number, in the order of the first calls."""
    own_terms: set[str] = field(default_factory=set)
    """Those of the modules that were reached by hooks around their own mathematics."""
    ran: set[str] = field(default_factory=set)
    refused: str | None = None
    complaints: list[str] = field(default_factory=list)
    runs: int = 0
    """How many passes were begun."""
    controls: CallControls = field(default_factory=CallControls)
    across: AcrossCases = field(default_factory=AcrossCases)
    not_asked: dict[str, str] = field(default_factory=dict)
    """What was not tried → why."""
    without_gradient: set[str] = field(default_factory=set)
    """The modules of which no gradient could be taken."""
    projections: dict[str, Projections] = field(default_factory=dict)
    """What stands before the names of a part's modules → the linear layers of that part."""

    def __post_init__(self) -> None:
        """Begin with a scope of nothing."""
        self.scope = Scope(0, 0, self.model.file_hashes, self.seed, modes=("evaluation",))

    def use(self, model: AnyModel, prefix: str) -> None:
        """Run a model under all conditions of ordinary use."""
        tried = ModelConditions(model, self.seed)
        self.not_asked |= {f"{prefix}{what}": why for what, why in tried.not_asked.items()}
        self.across = AcrossCases(alone_in_u=self.across.alone_in_u)
        for condition in tried:
            wanted = condition.largest_score
            for _ in range(ATTEMPTS):
                self.across.begin()
                if wanted is not None:
                    self.across.enlarge(wanted)
                factors = {} if wanted is None else self.across.factors
                self.run(model, tried.run_of(condition, factors), prefix, condition)
                if wanted is None or self.across.reached(wanted):
                    break
            else:
                reason = TOO_SMALL.format(self.across.least())
                self.not_asked[f"{prefix}{condition.name}"] = reason

    def run(
        self, model: AnyModel, one: Pass, prefix: str = "", condition: Condition | None = None
    ) -> None:
        """Take one pass into account."""

        def on_call(name: str, call: AttentionCall) -> None:
            if condition is None:
                self._judge(f"{prefix}{name}", call, one.name)
            else:
                self._judge_use(prefix, name, call, condition)

        def on_projected(name: str, projected: ProjectedCall) -> None:
            self._add_rows(
                f"{prefix}{name}", projected.call, one.name, judge_projections(projected)
            )
            if condition is None:
                self.controls.try_projections(self.layers[f"{prefix}{name}"], projected)

        ran: set[str] = set()
        self.runs += 1
        watched = self.projections.setdefault(prefix, Projections(model.model))
        watched.dropping = condition is not None and condition.manner.dropout_seed is not None
        try:
            watch_calls(model, one.run, on_call, ran, (watched, on_projected))
        except UnsupportedModelError as error:
            self.refused = str(error)
        except COMPLAINTS as error:
            said = " ".join(str(error).split())[:200]
            self.complaints.append(f"{prefix}{one.name}: {type(error).__name__} {said}")
        self.ran |= {f"{prefix}{name}" for name in ran}

    def _judge(self, name: str, call: AttentionCall, case: str) -> None:
        layer = self._layer(name, call)
        self._add_rows(name, call, case, judge_call(call))
        self.controls.try_on(layer, call)

    def _judge_use(
        self, prefix: str, module: str, call: AttentionCall, condition: Condition
    ) -> None:
        """Judge a call under a condition; its gradient, and its large scores, where asked for."""
        name, manner = f"{prefix}{module}", condition.manner
        self._layer(name, call)
        if manner.dropout_seed is not None and not draws(call):
            return
        n_queries, call = call.query.shape[2], some_queries(call, self.seed)
        largest: float | None = None
        if condition.largest_score is not None:
            large = with_large_scores(call, condition.largest_score)
            if large is not None:
                call, largest = large, condition.largest_score
            else:  # the hidden states are multiplied, in as many passes as it takes
                largest = self.across.note_score(module, call)
        if condition.name in FIRST and call.own_term is not None:
            self.across.note_score(module, call)
        if condition.name in FIRST or condition.row is not None:
            self.across.note_rows(name, call, condition.row)
        judged = judge_call(call, large=largest)
        gradient = None
        if manner.gradients == "asked":
            gradient = judge_call_gradient(call, self.seed)
            if gradient is None:
                self.without_gradient.add(name)
            else:
                judged[GRADIENT] = gradient
        self._add_rows(name, call, condition.name, judged)
        self.scope = self.scope.having(
            mode=manner.mode,
            gradient=call.key.shape[2] if gradient is not None else 0,
            largest_score=condition.largest_score or 0.0,
            queries=None if call.query.shape[2] == n_queries else call.query.shape[2],
        )

    def _layer(self, name: str, call: AttentionCall) -> int:
        """Return the number of the module that calls, and take the call into the scope."""
        batch, n_heads, _, d_head = call.query.shape
        mask, scope = call.mask, self.scope
        of_texts = mask is not None and mask.ndim == 4 and len(mask) == batch
        self.scope = replace(
            scope, heads=scope.heads or n_heads, d_head=scope.d_head or d_head
        ).having(
            batch=batch,
            length=call.key.shape[2],
            padding=kinds_of(mask.any(1).any(1)) if mask is not None and of_texts else (),
        )
        if call.own_term is not None:
            self.own_terms.add(name)
        return self.layers.setdefault(name, len(self.layers))

    def _add_rows(
        self, name: str, call: AttentionCall, case: str, judged: dict[str, Judgement]
    ) -> None:
        left_out = rows_left_out(call)
        self.rows += rows_of(self.layers[name], name, case, judged, rows_left_out=left_out)

    def not_from_weights(self) -> dict[str, str]:
        """Return module → why its query, key, value and output were not judged."""
        return {
            f"{prefix}{name}": reason
            for prefix, watched in self.projections.items()
            for name, reason in watched.not_proved().items()
        }

    def coverage(self) -> Coverage:
        """Return how many attention modules were reached, and which were not."""
        missed = not_reached(self.model.model, set(self.layers))
        return Coverage(
            reached=len(self.layers), total=len(self.layers) + len(missed), not_reached=missed
        )

    def whole_scope(self) -> Scope:
        """Return up to where the outcome holds, and what was not asked."""
        not_asked = dict(self.not_asked)
        if self.without_gradient:
            not_asked[f"gradient of {some(sorted(self.without_gradient))}"] = _NOT_SEEN
        if len(self.scope.modes) > 1 and DROPOUT.mode not in self.scope.modes:
            not_asked[DROPOUT.mode] = _NO_DROPOUT
        return replace(self.scope, alone_in_u=self.across.alone_in_u, not_asked=not_asked)

    def route(self) -> Route:
        """Return how ours was put beside theirs."""
        if not self.layers:
            return "none"
        if not self.own_terms:
            return "backend"
        through = set(self.layers) - self.own_terms
        return "backend and custom score term" if through else "custom score term"

    def reason(self) -> str | None:
        """Return why the model is not verified, where no figure says it."""
        if self.refused is not None:
            return self.refused
        modules = attention_modules(self.model.model)
        if not modules:
            told = _told(self.model.model.modules())
            kind = type(self.model.model).__name__
            return f"{kind} has no attention module{told}: nothing to verify."
        missed = not_reached(self.model.model, set(self.layers))
        if not missed:
            return None
        kinds = {type(modules[name]).__name__ for name in missed if name in self.ran}
        said = f" The model said: {self.complaints[0]}." if self.complaints else ""
        if kinds:
            told = _told(modules[name] for name in missed)
            # It may be that alone which is odd, where the model refused all that it was run on.
            said = said if len(self.complaints) == self.runs else ""
            return (
                f"{some(sorted(kinds))} computes attention by mathematics of its own{told}, in "
                f"which inspector's function has no part.{said}"
            )
        return f"{some(sorted(missed))} did not run on the inputs that inspector can make.{said}"


def _told(modules: Iterable[nn.Module]) -> str:
    known = "; ".join(other_mathematics(modules))
    return f" ({known})" if known else ""
