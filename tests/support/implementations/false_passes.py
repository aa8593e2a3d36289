"""Attention that is right on a short sentence and wrong in ordinary use: kinds, and kin of each.

Some of these kinds were called the same before ordinary use was tried; the others are their kin.
"""

import math
from dataclasses import replace

import torch
from torch.nn.functional import linear


def attention(w, hidden, padding, *, scores=None, probabilities=None, softmax=None, heads=None):
    """Return plain torch attention, each step passed through another function."""

    def through(change, value):
        return value if change is None else change(value)

    b, n, _ = hidden.shape
    q, k, v = (
        linear(hidden, W, c).view(b, n, w.n_heads, -1).transpose(1, 2)
        for W, c in ((w.W_Q, w.b_Q), (w.W_K, w.b_K), (w.W_V, w.b_V))
    )
    s = q @ k.transpose(-1, -2) * w.scaling
    if padding is not None:
        s = s.masked_fill(~padding[:, None, None], float("-inf"))
    s = through(scores, s)
    p = through(probabilities, s.softmax(-1) if softmax is None else softmax(s))
    context = through(heads, p @ v).transpose(1, 2).reshape(b, n, -1)
    return linear(context, w.W_O, w.b_O)


def when(condition, **wrong):
    """Return a build that goes wrong where (hidden, padding) fulfil a condition."""

    def build(w):
        def layer(hidden, padding):
            return attention(w, hidden, padding, **(wrong if condition(hidden, padding) else {}))

        return layer

    return build


def _half(values):
    return 0.5 * values


def far_keys(first):
    def hide(s):
        return torch.cat([s[..., :first], s[..., first:] - 1e4], -1)

    return lambda s: hide(s) if s.shape[-1] > first else s


def _mask_changed(change):
    return lambda w: lambda hidden, padding: attention(w, hidden, change(padding))


def stored(dtype, **wrong):
    """Return a build that keeps weights and heads in a coarser dtype, which is no mistake."""

    def rounded(values):
        return None if values is None else values.to(dtype).to(values.dtype)

    def build(w):
        names = ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O")
        kept = replace(w, **{name: rounded(getattr(w, name)) for name in names})
        return lambda hidden, padding: attention(kept, hidden, padding, **wrong)

    return build


def _of_first_row(padding):
    return padding if padding is None or len(padding) < 5 else padding[:1].expand_as(padding)


def _lengths_only(padding):
    """Return a mask made from the number of real tokens, as if padding stood on the right."""
    if padding is None:
        return None
    return torch.arange(padding.shape[1])[None] < padding.sum(-1, keepdim=True)


def _without_leading(padding):
    return None if padding is not None and not bool(padding[:, 0].all()) else padding


def _up_to_last(padding):
    """Return a mask without holes: what is padded inside is looked at."""
    if padding is None:
        return None
    return padding | (padding.flip(-1).cumsum(-1).flip(-1) > 0) & (padding.cumsum(-1) > 0)


def leaking_nan(w):
    """A row of nothing but padding gives NaN to all others, by a mean over the batch."""

    def layer(hidden, padding):
        output = attention(w, hidden, padding)
        return output + 0.0 * output.mean(0, keepdim=True)

    return layer


def no_maximum(w):
    def softmax(s):
        exponents = torch.exp(s)
        return exponents / exponents.sum(-1, keepdim=True)

    return lambda hidden, padding: attention(w, hidden, padding, softmax=softmax)


def no_maximum_in_float64(w):
    def softmax(s):
        exponents = torch.exp(s.double())
        return (exponents / exponents.sum(-1, keepdim=True)).to(s.dtype)

    return lambda hidden, padding: attention(w, hidden, padding, softmax=softmax)


def reads_memory(w):
    """Takes the hidden states from where they begin, as if they lay in order."""

    def layer(hidden, padding):
        b, n, d = hidden.shape
        inner = hidden.as_strided((b, n, d), (n * d, d, 1))
        return attention(w, inner, padding)

    return layer


def reads_full_memory(w):
    """Takes memory that the hidden states fill as if they lay in it in order."""

    def layer(hidden, padding):
        if hidden.untyped_storage().nbytes() == hidden.numel() * hidden.element_size():
            b, n, d = hidden.shape
            hidden = hidden.as_strided((b, n, d), (n * d, d, 1))
        return attention(w, hidden, padding)

    return layer


def softmax_of_squares(w):
    """The softmax goes over the rows of the batch where these are as many as tokens."""

    def softmax(s):
        return s.softmax(0 if s.shape[0] == s.shape[-1] else -1)

    return lambda hidden, padding: attention(w, hidden, padding, softmax=softmax)


def hidden_by(value):
    """Return a build in which the scores of padding become a number instead of −∞."""

    def build(w):
        def layer(hidden, padding):
            def hide(s):
                return s if padding is None else s.masked_fill(~padding[:, None, None], value)

            return attention(w, hidden, None, scores=hide)

        return layer

    return build


def layout_guessed(w):
    """Takes the shorter of the first two axes for the batch."""

    def layer(hidden, padding):
        if hidden.shape[0] <= hidden.shape[1]:
            return attention(w, hidden, padding)
        turned = None if padding is None else padding.transpose(0, 1)
        return attention(w, hidden.transpose(0, 1), turned).transpose(0, 1)

    return layer


def heads_over_tokens(w):
    """A factor of each head lies over the keys where these are as many."""
    factors = torch.linspace(1.0, 1.1, w.n_heads)

    def scaled(s):
        return s * factors if s.shape[-1] == w.n_heads else s

    return lambda hidden, padding: attention(w, hidden, padding, scores=scaled)


class Kept:
    """Results kept by a key of the input."""

    def __init__(self, w, key):
        self.w, self.key, self.kept = w, key, {}

    def __call__(self, hidden, padding):
        key = self.key(hidden, padding)
        if key not in self.kept:
            self.kept[key] = attention(self.w, hidden, padding).detach()
        return self.kept[key]


def kept_masks(w):
    masks = {}

    def layer(hidden, padding):
        if padding is not None:
            padding = masks.setdefault(padding.shape, padding.clone())
        return attention(w, hidden, padding)

    return layer


def wrong_every_third_call(w):
    calls = []

    def layer(hidden, padding):
        calls.append(1)
        output = attention(w, hidden, padding)
        return output if len(calls) < 12 or len(calls) % 3 else 1.1 * output

    return layer


def changes_the_mask(w):
    def layer(hidden, padding):
        output = attention(w, hidden, padding)
        if padding is not None and len(padding) > 3:
            padding[0, 0] = ~padding[0, 0]
        return output

    return layer


class Scaled(torch.autograd.Function):
    """Right on the way there, half on the way back."""

    @staticmethod
    def forward(ctx, values):
        return values.clone()

    @staticmethod
    def backward(ctx, gradient):
        return 0.5 * gradient


def without_gradient(softmax_of):
    with torch.no_grad():
        return softmax_of.softmax(-1)


class Layer(torch.nn.Module):
    """A module that is wrong in one of its modes."""

    def __init__(self, w, training):
        super().__init__()
        self.w, self.wrong = w, training

    def forward(self, hidden, padding=None):
        wrong = {"heads": _half} if self.training is self.wrong else {}
        return attention(self.w, hidden, padding, **wrong)


def _in_training(w):
    return Layer(w, True).eval()


def _held_by_a_function(w):
    module = Layer(w, True).eval()
    return lambda hidden, padding: module(hidden, padding)


def hidden_too(is_hidden):
    """Return a build that takes further tokens for padding: hidden states → True where hidden."""

    def build(w):
        def layer(hidden, padding):
            real = ~is_hidden(hidden)
            return attention(w, hidden, real if padding is None else padding & real)

        return layer

    return build


def _came_before(hidden):
    same = (hidden[:, :, None] == hidden[:, None]).all(-1)
    return same.tril(-1).any(-1)


def detached_input(w):
    module = torch.nn.Parameter(w.b_O.clone())
    return lambda hidden, padding: attention(w, hidden.detach(), padding) + 0.0 * module


FALSE_PASSES = {
    "every key after the 64th hidden": when(lambda h, p: True, scores=far_keys(64)),
    "every key after the 128th hidden": when(lambda h, p: True, scores=far_keys(128)),
    "every key after the 256th hidden": when(lambda h, p: True, scores=far_keys(256)),
    "every key after the 500th hidden": when(lambda h, p: True, scores=far_keys(500)),
    **{
        f"wrong at {n} tokens": when(lambda h, p, n=n: h.shape[1] == n, heads=_half)
        for n in (16, 63, 64, 65, 128, 129)
    },
    "wrong where a multiple of 16": when(lambda h, p: h.shape[1] % 16 == 0, heads=_half),
    "wrong in batches of 5 and more": when(lambda h, p: len(h) >= 5, heads=_half),
    "wrong in batches of 8": when(lambda h, p: len(h) == 8, heads=_half),
    "wrong in batches of 16 and more": when(lambda h, p: len(h) >= 16, heads=_half),
    "softmax over the batch where square": softmax_of_squares,
    "the shorter axis taken for the batch": layout_guessed,
    "a factor of heads over the tokens": heads_over_tokens,
    "padding's scores made −100": hidden_by(-100.0),
    "the first row's mask for all": _mask_changed(_of_first_row),
    "padding on the left ignored": _mask_changed(_without_leading),
    "padding taken to stand on the right": _mask_changed(_lengths_only),
    "padding inside looked at": _mask_changed(_up_to_last),
    "tokens of zeros hidden": hidden_too(lambda h: (h == 0.0).all(-1)),
    "repeated tokens hidden": hidden_too(_came_before),
    "NaN of a padded row in all": leaking_nan,
    "no maximum": no_maximum,
    "no maximum, in float64": no_maximum_in_float64,
    "the batch's maximum": when(
        lambda h, p: True,
        softmax=lambda s: (e := torch.exp(s - s.amax())) / e.sum(-1, keepdim=True),
    ),
    "wrong where gradients are on": when(lambda h, p: torch.is_grad_enabled(), heads=_half),
    "wrong where they are asked for": when(lambda h, p: h.requires_grad, heads=_half),
    "wrong in inference mode": when(lambda h, p: torch.is_inference_mode_enabled(), heads=_half),
    "wrong in training": _in_training,
    "wrong in training, in a function": _held_by_a_function,
    "wrong in evaluation": lambda w: Layer(w, False),
    "probabilities detached": when(lambda h, p: True, probabilities=torch.Tensor.detach),
    "scores without gradient": when(lambda h, p: True, softmax=without_gradient),
    "a backward pass of half": when(lambda h, p: True, heads=Scaled.apply),
    "gradients clipped": when(
        lambda h, p: True, heads=lambda c: c.detach() + (c - c.detach()) * math.sqrt(0.5)
    ),
    "the input detached": detached_input,
    "memory read in order": reads_memory,
    "full memory read in order": reads_full_memory,
    "results kept by shape": lambda w: Kept(w, lambda h, p: (h.shape, p is None)),
    "results kept by length": lambda w: Kept(w, lambda h, p: (len(h), h.shape[1], p is None)),
    "results kept by identity": lambda w: Kept(w, lambda h, p: (id(h), id(p), h.shape)),
    "results kept by place": lambda w: Kept(w, lambda h, p: (h.data_ptr(), h.shape, p is None)),
    "results kept by text alone": lambda w: Kept(w, lambda h, p: float(h.detach().sum())),
    "masks kept by shape": kept_masks,
    "wrong every third call": wrong_every_third_call,
    "normalised over the batch": when(
        lambda h, p: len(h) > 3, heads=lambda c: c * (1 + 1e-3 * c.nan_to_num().std())
    ),
}
