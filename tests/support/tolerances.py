"""How far apart two correct computations may be, stated from rounding: the only file that says so.

Each bound is used by `torch.testing.assert_close`: |a - b| <= atol + rtol·|b|. "Used" is the
largest share of a bound that the tests of tests/attention took when this was written. A wrong
formula is off by 1e-4 and more (the controls prove that): every bound leaves mistakes no room.
"""

import torch

# u = 1.1e-16; sums of at most 30 products of numbers of order one, then a softmax: some tens
# of u. Used: 0.0015 (3.6e-15 on numbers of order ten).
FLOAT64 = {"rtol": 1e-10, "atol": 1e-12}

# u = 6.0e-8; the same sums. Used: 0.35 (7.6e-6 on bilinear scores of order one hundred).
FLOAT32 = {"rtol": 1e-5, "atol": 4e-6}

# u = 4.9e-4 and 3.9e-3; inputs are rounded before both computations, so that three roundings
# count: of the scores, the probabilities, the output. Used: 0.30 and 0.25.
FLOAT16 = {"rtol": 4 * 2.0**-11, "atol": 4 * 2.0**-11}
BFLOAT16 = {"rtol": 4 * 2.0**-8, "atol": 4 * 2.0**-8}

# Means over a corpus in float32, where its batches are cut elsewhere: u = 6.0e-8, in sums of
# another order in each layer, each of which the next one takes up. Used: 0.03 (2.6e-8 tokens of
# norm_distance_tokens, 1.0e-8 nats: minilm, 150 sentences of EWT dev, each alone against 32 at
# once; by tokens against 32 at once 2.6e-9). Counts, relations and claims are equal to the bit.
BATCHING = {"rtol": 0.0, "atol": 1e-6}

TOLERANCE = {
    torch.float64: FLOAT64,
    torch.float32: FLOAT32,
    torch.float16: FLOAT16,
    torch.bfloat16: BFLOAT16,
}
