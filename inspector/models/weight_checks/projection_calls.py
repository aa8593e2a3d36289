"""What the linear layers around attention are given and make, call by call, and by which weights.

Where a module keeps its weights is proved on its first call that shows all of them; from then on
each call is handed over with them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inspector.attention import LayerWeights
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.forward.site_watch import Shown, SiteWatch
from inspector.models.weight_layouts.call_check import Entry, SeenCall, prove_entry
from inspector.models.weight_layouts.layout import SIDES, Layout, Side, attention_sites

_LAYERS = ("Linear", "Conv1D")
_HALF_TYPES = (torch.bfloat16, torch.float16)
_NO_LAYOUT = "the table of layouts has none for it"
_NO_LAYER = "what projects there is no layer by itself, Linear or Conv1D, that could be watched"
_NOT_SEEN = "its layers were not seen to project, token by token, what it attends with"
_HALF = "half precision rounds too much to prove where its weights are"


@dataclass(frozen=True)
class ProjectedCall:
    """One attention call, and what the layers around it were given and made."""

    call: AttentionCall
    weights: LayerWeights
    """Proved on the module's first call."""
    given: Mapping[str, Tensor]
    """'query', 'key', 'value', 'output', those that ran → (batch, token, …) that it was given."""
    made: Mapping[str, Tensor]
    """The same → (batch, token, …) that came of it; heads, where there are any, in their order.

    Of queries, keys and values those of the call, where nothing stands between; else what the
    layer itself made, before a rotation or a norm.
    """


OnProjected = Callable[[str, ProjectedCall], None]
"""Called with the name of the module, and what was seen."""


class Projections:
    """The linear layers around the attention of a network, watched while it runs."""

    def __init__(self, network: nn.Module) -> None:
        """Look where the table says that they are; nothing is watched yet."""
        self.entries: dict[str, Entry] = {}
        """Module → its entry of the table, once a call has proved or disproved it."""
        self._modules = dict(network.named_modules())
        self._declared = dict(attention_sites(network))
        self._sites = dict(_watchable_sites(self._declared, self._modules))
        self.dropping = False
        """Whether something is dropped between the layers and the module's result."""
        self._same: dict[tuple[str, str], bool] = {}
        """(module, what) → whether it was the same inside and outside when the module first ran."""
        self._called: set[str] = set()
        self._on_projected: OnProjected = lambda name, projected: None
        names = {site: layouts[0].names(site) for site, layouts in self._sites.items()}
        self._watch = SiteWatch(self._modules, names, self._finish)

    @contextmanager
    def watched(self, on_projected: OnProjected) -> Iterator[None]:
        """Show each call with what is around it, as long as this lasts."""
        self._on_projected = on_projected
        with self._watch.hooked():
            yield

    def called(self, name: str, call: AttentionCall) -> None:
        """Take a call into account."""
        self._called.add(name)
        if name in self._sites:
            self._watch.called(name, call)

    def not_proved(self) -> dict[str, str]:
        """Return module that called → why it is not known by which weights."""
        found = {}
        for name in sorted(self._called):
            entry = self.entries.get(name)
            if name not in self._sites:
                found[name] = _NO_LAYER if name in self._declared else _NO_LAYOUT
            elif entry is None:
                found[name] = _NOT_SEEN
            elif not entry.proved:
                found[name] = entry.reason or _NOT_SEEN
        return found

    def _finish(self, site: str, shown: Shown) -> bool:
        # What stands outside the module ends after it.
        inside = self._sites[site][0].names(site)["output"].startswith(f"{site}.")
        if shown.call is None or "output" not in shown.made or (inside and not shown.ended):
            return False
        if not self.dropping:
            self._take_outer(site, shown, shown.call, inside)
        entry = self.entries.get(site)
        if entry is None and _shows_all(shown, shown.call):
            entry = self.entries[site] = self._proved(site, shown, shown.call)
        if entry is not None and entry.weights is not None:
            self._on_projected(site, _projected(entry, entry.weights, shown, shown.call))
        return True

    def _take_outer(self, site: str, seen: Shown, call: AttentionCall, inside: bool) -> None:
        """Let what the module was given and gave stand for what its layers were given and made.

        Where they were the same when it first ran they must be always: what else a module does to
        them is a mistake, which the layers by themselves do not show.
        """

        def outer(what: str, outside: Tensor | None, inside: Tensor) -> Tensor:
            if outside is None or outside.shape != inside.shape:
                return inside
            if (site, what) not in self._same:
                self._same[site, what] = torch.equal(outside, inside)
            return outside if self._same[site, what] else inside

        states = (each for each in (*seen.args, *seen.kwargs.values()) if _is_states(each))
        entered = next(states, None)
        back = (
            seen.returned[0]
            if isinstance(seen.returned, tuple) and seen.returned
            else seen.returned
        )
        returned = back if inside and _is_states(back) else None
        hidden = seen.given.get("query")
        for side in ("query", "key", "value"):  # some are given states of their own
            if hidden is not None and seen.given.get(side) is hidden:
                seen.given[side] = outer(side, entered, seen.given[side])
        seen.given["output"] = outer("context", call.context, seen.given["output"])
        seen.made["output"] = outer("returned", returned, seen.made["output"])

    def _proved(self, site: str, seen: Shown, call: AttentionCall) -> Entry:
        if call.query.dtype in _HALF_TYPES:
            return Entry(reason=_HALF)
        shown = SeenCall(seen.given, seen.given["output"], seen.made["output"], call)
        return prove_entry(self._modules, site, self._sites[site], shown)


def _is_states(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.ndim > 2


def _watchable_sites(
    declared: dict[str, tuple[Layout, ...]], modules: dict[str, nn.Module]
) -> Iterator[tuple[str, tuple[Layout, ...]]]:
    """Yield name → layouts of the modules whose projections are layers that can be watched."""
    for site, layouts in declared.items():
        names = layouts[0].names(site)
        same = tuple(
            layout for layout in layouts if layout.kind in _LAYERS and layout.names(site) == names
        )
        if same and set(names.values()) <= set(modules):
            yield site, same


def _shows_all(seen: Shown, call: AttentionCall) -> bool:
    """Return whether all layers ran, each on the tokens that the call is about."""
    n_texts, _, n_queries, _ = call.query.shape
    tokens = {"query": n_queries, "key": call.key.shape[2], "value": call.key.shape[2]}
    return (
        len(seen.made) == len(SIDES)
        and call.context.shape[:2] == (n_texts, n_queries)
        and all(
            tensor.ndim == 3 and tensor.shape[:2] == (n_texts, tokens.get(side, n_queries))
            for tensors in (seen.given, seen.made)
            for side, tensor in tensors.items()
        )
    )


def _projected(
    entry: Entry, weights: LayerWeights, seen: Shown, call: AttentionCall
) -> ProjectedCall:
    made: dict[str, Tensor] = {}
    for side in SIDES:
        found = _made(entry, side, seen, call) if side in seen.made else None
        if found is not None:
            made[side] = found
    given = {side: seen.given[side] for side in made}
    return ProjectedCall(call, weights, given, made)


def _made(entry: Entry, side: Side, seen: Shown, call: AttentionCall) -> Tensor | None:
    """Return what is to be compared with a projection; None where it cannot be distinguished."""
    made = seen.made[side]
    if side == "output":
        return made
    as_projected = {
        "query": entry.query == "as projected",
        "key": entry.key == "as projected",
        "value": entry.value_factor == 1.0,
    }
    heads: Tensor = getattr(call, side)
    n_texts, n_given = made.shape[:2]
    if as_projected[side] and heads.shape[0] == n_texts and heads.shape[2] >= n_given:
        return heads[:, :, heads.shape[2] - n_given :].transpose(1, 2)  # the rest was cached
    return _own_rows(entry, side, made)


def _own_rows(entry: Entry, side: Side, made: Tensor) -> Tensor | None:
    """Return the part of a layer's result that is of one side, where the layer holds several."""
    layout, sizes = entry.layout, entry.sizes
    if layout is None or sizes is None:
        return None
    if {"query": layout.query_bias, "value": layout.value_bias}.get(side):
        return None  # the layer has not added it
    return layout.rows(made.movedim(-1, 0), side, sizes).movedim(0, -1)
