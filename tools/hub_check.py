"""Published values of GPT-2 small beside the decoder battery's: needs the model hub, or a cache.

`make hub-check`. The induction scores are those of a public repository (mean p[i, j+1] on fifty
random tokens repeated); ours are drawn with other lengths, so that they agree to a few points.
"""

import sys

import inspector

PUBLISHED = {(5, 5): 0.932, (6, 9): 0.913, (7, 10): 0.910, (5, 1): 0.908, (7, 2): 0.833}
TOLERANCE = 0.06
NAMED = {"previous-token": (4, 11), "name-mover": (9, 9), "copy-suppression": (10, 7)}


def main() -> int:
    """Return 0 where every published value is met, 1 where one is not."""
    model = inspector.load("gpt2")
    corpus = inspector.probes(model)
    run = inspector.profile(model, corpus, ablation=False, progress=True)
    scores = run.frames["probe_scores"]
    own = scores[scores["probe"] == "induction"].set_index(["layer", "head"])["score"]
    apart = []
    for head, published in PUBLISHED.items():
        holds = abs(own[head] - published) <= TOLERANCE
        apart.append(not holds)
        print(f"induction {head[0]}-{head[1]}: {own[head]:.3f}, published {published:.3f}, {holds}")
    for role, (layer, number) in NAMED.items():
        rows = run.roles.query("layer == @layer and head == @number and role == @role")
        print(f"{role} {layer}-{number}: {'named' if len(rows) else 'not named'}")
    return int(any(apart))


if __name__ == "__main__":
    sys.exit(main())
