"""What a layer does for the sake of places, and the same layer without it."""

from dataclasses import replace

from inspector.attention import LayerWeights


def counts_places(weights: LayerWeights) -> bool:
    """Return whether it matters to a layer where in its text a token stands."""
    tables = (weights.window, weights.relative_bias, weights.rotary_cos)
    return weights.causal or any(table is not None for table in tables)


def between_sentences(weights: LayerWeights) -> LayerWeights:
    """Return the weights of a layer that counts no places: two sentences share none."""
    return replace(
        weights,
        causal=False,
        window=None,
        relative_bias=None,
        rotary_cos=None,
        rotary_sin=None,
        rotary_neighbours=False,
        norm_after_rotation=False,
    )


def is_turned(weights: LayerWeights) -> bool:
    """Return whether a norm or a rotation stands between projections and scores."""
    return any(
        each is not None for each in (weights.rotary_cos, weights.query_norm, weights.key_norm)
    )
