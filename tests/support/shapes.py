"""Shapes in signatures are checked where a call can be new, not at each of thousands alike.

jaxtyping's import hook (see pyproject.toml) decorates every function of the rooms it is told.
Checking a call costs more than tiny tensors cost to compute, and a function inside a function is
compiled anew whenever it is reached: nine tenths of the CPU time of some tests. So in every test
(and every case of a joined one) the first calls of each function are checked, then one in many:
a check takes 100 µs, and of a function that takes ten itself one in 64 was half of its time; and a
check is compiled when it is first needed.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jaxtyping

FIRST, ONE_IN = 2, 512
_checked = jaxtyping.jaxtyped
_period = 0


def begin() -> None:
    """Count calls from none again: what comes is a test, or a case, of its own."""
    global _period
    _period += 1


def install() -> None:
    """Let jaxtyping's hook decorate with `jaxtyped` below; before inspector is imported."""
    jaxtyping.jaxtyped = jaxtyped


def jaxtyped(fn: Any = None, *, typechecker: Any = None) -> Any:
    """Return what `jaxtyping.jaxtyped` returns, checked at a sample of its calls."""
    if fn is None:
        return functools.partial(jaxtyped, typechecker=typechecker)
    if inspect.isclass(fn):  # of dataclasses the construction is checked
        bare = fn.__init__
        whole = _checked(fn, typechecker=typechecker)
        if whole.__init__ is not bare:
            init = whole.__init__
            whole.__init__ = _sampled(lambda: init, bare)
        return whole
    if not inspect.isfunction(fn):  # properties, static and class methods: seldom in a loop
        return _checked(fn, typechecker=typechecker)
    if "<locals>" in fn.__qualname__:
        return fn
    return _sampled(functools.cache(lambda: _checked(fn, typechecker=typechecker)), fn)


def _sampled(checked: Callable[[], Any], bare: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is checked at a sample of its calls; made so at the first of them."""
    period = count = 0

    @functools.wraps(bare)
    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal period, count
        if period != _period:
            period, count = _period, 0
        count += 1
        if count <= FIRST or count % ONE_IN == 0:
            return checked()(*args, **kwargs)
        return bare(*args, **kwargs)

    return call
