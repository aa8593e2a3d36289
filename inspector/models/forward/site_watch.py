"""Each place of attention in a network watched while it runs: its call, and the layers around it.

What a module is given, what its linear layers are given and make, the call and what is returned
come in any order; whoever looks is shown what there is after each of them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn

from inspector.models.calls.attention_call import AttentionCall


@dataclass
class Shown:
    """What one forward of an attention module has shown so far."""

    given: dict[str, Tensor] = field(default_factory=dict)
    """Side ('query', …, 'output') → what its layer was given, the first time: some are applied to
    positions afterwards."""
    made: dict[str, Tensor] = field(default_factory=dict)
    """The same → what came of it."""
    call: AttentionCall | None = None
    args: tuple[Any, ...] = ()
    """What the module was given."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    returned: Any = None
    """What the module gave back, once it has ended."""
    ended: bool = False


class SiteWatch:
    """Hooks around the attention modules of a network and their linear layers."""

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        sites: Mapping[str, Mapping[str, str]],
        on_shown: Callable[[str, Shown], bool],
    ) -> None:
        """Watch nothing yet.

        Args:
            modules: Name → module, of the whole network.
            sites: Name of an attention module → side → name of its layer; a side that is left out
                is not watched.
            on_shown: Called with the name and what was shown; returns whether that was all it
                needs of this forward.
        """
        self._modules, self._sites, self._on_shown = modules, sites, on_shown
        self.shown: dict[str, Shown] = {}
        """Module → what it has shown that nobody has taken yet."""

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Watch as long as this lasts."""
        with ExitStack() as stack:
            stack.callback(self.shown.clear)
            for site, names in self._sites.items():
                module = self._modules[site]
                begin = partial(self._begin, site)
                stack.enter_context(module.register_forward_pre_hook(begin, with_kwargs=True))
                for side, name in names.items():
                    made = partial(self._made, site, side)
                    stack.enter_context(self._modules[name].register_forward_hook(made))
                stack.enter_context(module.register_forward_hook(partial(self._end, site)))
            yield

    def called(self, site: str, call: AttentionCall) -> None:
        """Take a call of a module into account."""
        self._of(site).call = call
        self._show(site)

    def _of(self, site: str) -> Shown:
        return self.shown.setdefault(site, Shown())

    def _begin(
        self, site: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.shown[site] = Shown(args=args, kwargs=kwargs)

    def _made(self, site: str, side: str, module: nn.Module, args: Any, output: Any) -> None:
        shown = self._of(site)
        if side in shown.made or not args or not isinstance(output, Tensor):
            return
        shown.given[side], shown.made[side] = args[0], output
        if side == "output":
            self._show(site)

    def _end(self, site: str, module: nn.Module, args: Any, output: Any) -> None:
        if site in self.shown:
            self.shown[site].returned, self.shown[site].ended = output, True
            self._show(site)

    def _show(self, site: str) -> None:
        if self._on_shown(site, self.shown[site]):
            del self.shown[site]
