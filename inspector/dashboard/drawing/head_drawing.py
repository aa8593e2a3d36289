"""The steps of one head, from hidden states to the weighted sum of the values."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from inspector.attention import AdditiveScore, GeneralScore, capped_scores
from inspector.attention.functional import ScoreFunction
from inspector.dashboard.drawing.panes import Pane, Step, encoded
from inspector.dashboard.walkthrough import HeadSteps, products

_UNTRAINED = {
    "dot": r"s_{ij} = q_i \cdot k_j",
    "general": r"s_{ij} = q_i^\top W k_j",
    "additive": r"s_{ij} = v^\top \tanh(W q_i + U k_j)",
}


def head_drawing(
    done: HeadSteps,
    target: Sequence[str],
    source: Sequence[str],
    score: ScoreFunction | None = None,
    score_name: str = "scaled",
) -> list[Step]:
    """Return the steps of a head, each with its matrices and what its cells are made of.

    Args:
        done: Every stage.
        target: The tokens that look.
        source: The tokens that are looked at.
        score: In the place of the layer's own.
        score_name: Of it, one of `walkthrough.SCORES`.
    """
    return list(_Drawing(done, target, source).steps(score, score_name))


class _Drawing:
    def __init__(self, done: HeadSteps, target: Sequence[str], source: Sequence[str]) -> None:
        self.done, self.target, self.source = done, target, source
        self.crossed = done.target is not done.source
        self.scores_name = "S"

    def steps(self, score: ScoreFunction | None, score_name: str) -> Iterator[Step]:
        done = self.done
        x_target, x_source = ("X_t", "X_s") if self.crossed else ("X", "X")
        hidden = [Pane(x_target, done.target, ("query", "d_model"), self.target)]
        if self.crossed:
            hidden.append(Pane(x_source, done.source, ("key", "d_model"), self.source))
        yield Step("hidden", "X", "", tuple(hidden))
        yield self._projected(hidden, x_target, x_source)
        query, key = self._of_query(done.query, "Q"), self._of_key(done.key, "K")
        if done.compared is not None:
            query = self._of_query(done.compared[0], "Q̃")
            key = self._of_key(done.compared[1], "K̃")
            yield Step("turn", "Q̃ K̃", "", (query, key))
        if score is not None:
            yield self._other(query, key, score, score_name)
        else:
            yield from self._own(query, key)
        if not self.crossed:
            yield self._masked()
        yield self._softmax()
        mixing = {"kind": "product", "left": "P", "right": "V", "by": "column"}
        panes = self._square("P", done.probabilities), self._of_key(done.value, "V")
        sum_of_values = Pane("Z", done.output, ("query", "d_head"), self.target, made=mixing)
        yield Step("output", "Z = P·V", r"z_i = \sum_j p_{ij}\, v_j", (*panes, sum_of_values))

    def _of_query(self, values: Tensor, name: str, made: Any = None) -> Pane:
        return Pane(name, values, ("query", "d_head"), self.target, made=made)

    def _of_key(self, values: Tensor, name: str, made: Any = None) -> Pane:
        return Pane(name, values, ("key", "d_head"), self.source, made=made)

    def _square(self, name: str, values: Tensor, made: Any = None) -> Pane:
        return Pane(name, values, ("query", "key"), self.target, self.source, made)

    def _projected(self, hidden: list[Pane], x_target: str, x_source: str) -> Step:
        weights, panes = self.done.weights, list(hidden)
        for name, of, values, make in (
            ("Q", x_target, self.done.query, self._of_query),
            ("K", x_source, self.done.key, self._of_key),
            ("V", x_source, self.done.value, self._of_key),
        ):
            bias: Tensor | None = getattr(weights, f"b_{name}")
            made = {
                "kind": "product", "left": of, "right": f"W_{name}", "by": "row",
                "bias": None if bias is None else encoded(bias),
            }  # fmt: skip
            panes.append(Pane(f"W_{name}", getattr(weights, f"W_{name}"), ("d_head", "d_model")))
            panes.append(make(values, name, made))
        formula = (
            rf"Q = {x_target} W_Q + b_Q \qquad K = {x_source} W_K + b_K \qquad "
            rf"V = {x_source} W_V + b_V"
        )
        return Step("project", "Q, K, V", formula, tuple(panes))

    def _own(self, query: Pane, key: Pane) -> Iterator[Step]:
        """Yield the layer's own score: products, scale, and what else there is."""
        weights, dots = self.done.weights, products(self.done)
        q, k = query.name, key.name
        made: dict[str, Any] = {"kind": "product", "left": q, "right": k, "by": "row"}
        tilde = r"\tilde " if self.done.compared is not None else ""
        formula = rf"d_{{ij}} = {tilde}q_i \cdot {tilde}k_j"
        panes: tuple[Pane, ...] = (query, key, self._square("D", dots, made))
        yield Step("products", f"D = {q}·{k}ᵀ", formula, panes)
        scaled, factor = dots * weights.scaling, weights.scaling
        by_root = math.isclose(factor, weights.d_head**-0.5, rel_tol=1e-6)
        root = weights.d_head if by_root else None
        made = {"kind": "scale", "of": "D", "factor": factor, "root": root}
        by = rf"d_{{ij}} / \sqrt{{{root}}}" if by_root else rf"{factor:.4g}\, d_{{ij}}"
        panes = (self._square("D", dots), self._square("S", scaled, made))
        yield Step("scale", "S = D/√d" if by_root else "S = c·D", f"s_{{ij}} = {by}", panes)
        if weights.softcap is not None:
            capped, cap = capped_scores(scaled, weights.softcap), weights.softcap
            made = {"kind": "cap", "of": "S", "cap": cap}
            formula = rf"s'_{{ij}} = {cap:g} \tanh(s_{{ij}} / {cap:g})"
            panes = (self._square("S", scaled), self._square("S′", capped, made))
            yield Step("cap", "S′ = c·tanh(S/c)", formula, panes)
            scaled, self.scores_name = capped, "S′"
        if self.done.bias is not None:
            name, self.scores_name = self.scores_name, f"{self.scores_name}′"
            made = {"kind": "add", "of": [name, "B"]}
            panes = (
                self._square(name, scaled),
                self._square("B", self.done.bias),
                self._square(self.scores_name, self.done.scores, made),
            )
            symbol = f"{self.scores_name} = {name} + B"
            yield Step("bias", symbol, r"s_{ij} \leftarrow s_{ij} + b_{ij}", panes)

    def _other(self, query: Pane, key: Pane, score: ScoreFunction, name: str) -> Step:
        """Return the step of another score than the layer's own."""
        made: dict[str, Any] = {"kind": "product", "left": query.name, "right": key.name}
        made["by"] = "row"
        operands: tuple[Pane, ...] = (query, key)
        with torch.no_grad():
            if isinstance(score, GeneralScore):
                left = self._of_query(query.values @ score.weight, "Q·W")
                operands, made["left"] = (left, key), "Q·W"
            elif isinstance(score, AdditiveScore):
                left = self._of_query(query.values @ score.query_weight.T, "Q·Wᵀ")
                right = self._of_key(key.values @ score.key_weight.T, "K·Uᵀ")
                operands = (left, right)
                made = {"kind": "additive", "left": left.name, "right": right.name}
                made["vector"] = encoded(score.vector)
        scores = self._square("S", self.done.scores, made)
        return Step("scores", "S", _UNTRAINED[name], (*operands, scores))

    def _masked(self) -> Step:
        """Return the mask, ones where the layer hides nothing, and the scores under it."""
        scores, allowed = self.done.scores, self.done.allowed
        allowed = torch.ones_like(scores, dtype=torch.bool) if allowed is None else allowed
        made = {"kind": "mask", "of": self.scores_name, "mask": "M"}
        panes = (
            self._square(self.scores_name, scores),
            self._square("M", allowed.to(torch.int8)),
            self._square("S_M", self._hidden(scores), made),
        )
        formula = r"s_{ij} \leftarrow -\infty \;\text{ where } m_{ij} = 0"
        return Step("mask", "S_M", formula, panes)

    def _hidden(self, scores: Tensor) -> Tensor:
        allowed = self.done.allowed
        return scores if allowed is None else scores.masked_fill(~allowed, -math.inf)

    def _softmax(self) -> Step:
        sinks = self.done.weights.sinks
        of = "S" if self.crossed else "S_M"
        sink = None if sinks is None else float(sinks[0])
        made = {"kind": "softmax", "of": of, "sink": sink}
        more = " + e^{t}" if sinks is not None else ""
        formula = rf"p_{{ij}} = \frac{{e^{{s_{{ij}}}}}}{{\sum_{{j'}} e^{{s_{{ij'}}}}{more}}}"
        panes = (
            self._square(of, self._hidden(self.done.scores)),
            self._square("P", self.done.probabilities, made),
        )
        return Step("softmax", f"P = softmax({of})", formula, panes)
