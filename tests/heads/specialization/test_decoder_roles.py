"""The decoder battery on models whose heads are known: planted, random and trained ones.

One profile of a planted model is shared; its scores are recomputed by plain loops.
"""

import numpy as np
import pytest
from support.decoders import (
    drawn_words,
    save_decoder,
    small_decoder,
    trained_decoder,
    word_tokenizer,
)
from support.planted.decoder import ROLES, battery_words, planted

import inspector
from inspector.corpora.battery.text import MATCHED
from inspector.errors import InputError
from inspector.heads.specialization.decoder_roles import DECODER_ROLES

pytestmark = pytest.mark.usefixtures("one_thread")
RESTS = {"sink", "no-op"}


def named(run):
    """Return the roles that the battery gives, by head."""
    found = {}
    for row in run.roles.itertuples():
        if row.role in DECODER_ROLES:
            found.setdefault((row.layer, row.head), set()).add(row.role)
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return inspector.load(str(planted(tmp_path_factory.mktemp("planted"))))


@pytest.fixture(scope="module")
def run(model):
    corpus = inspector.probes(model, documents=22)
    assert not corpus.left_out
    return inspector.profile(model, corpus, ablation=False)


def test_what_is_planted_is_found_and_nothing_else(run):
    found = named(run)
    for head, roles in ROLES.items():
        assert roles <= found.pop(head, set()) <= roles | RESTS, head
    # What finds nothing rests at the beginning, from where nothing is moved.
    assert all(roles <= {"no-op"} for roles in found.values()), found
    assert found.get((2, 0)) == {"no-op"}, "S-inhibition is a claim, no role"


def test_scores_equal_plain_loops(run, model):
    sentences = inspector.probes(model, documents=22).sentences
    layer, head = 1, 2
    some = [sentence for sentence in sentences if "repeats" in sentence.id]
    labels = {one.label for sentence in some for one in sentence.relations}
    sums, n = dict.fromkeys(labels, 0.0), dict.fromkeys(labels, 0)
    for sentence in some:
        maps = inspector.attend(model, sentence, layers=[layer], heads=[head]).probabilities[0, 0]
        for one in sentence.relations:  # the mark of the beginning stands before the words
            n[one.label] += 1
            sums[one.label] += maps[one.source + 1, one.target + 1]
    scores = run.frames["probe_scores"].query("layer == @layer and head == @head")
    scores = scores.set_index("probe")
    for probe in ("induction", "duplicate-token", "previous-token"):
        assert scores.loc[probe, "n"] == n[probe]
        assert scores.loc[probe, "score"] == pytest.approx(sums[probe] / n[probe], abs=1e-6)
        control = f"{probe}|{MATCHED}"
        if control in n:
            expected = sums[control] / n[control]
            assert scores.loc[probe, "control_score"] == pytest.approx(expected, abs=1e-6)


def test_vocabulary_circuits_equal_dense_ones(model):
    """The full circuits, formed: token × token, in float64, and their eigenvalues."""
    frame = inspector.vocabulary_circuits(model).set_index(["layer", "head"])
    network = model.model
    embedding = network.wte.weight.detach().double().numpy()
    from inspector.models.loading.language_head import language_head

    unembedding = language_head(model).unembedding.detach().double().numpy()
    d_model, d_head = model.d_model, model.d_head
    for layer, head in ((1, 2), (1, 3), (0, 2)):
        attention = network.h[layer].attn
        fused = attention.c_attn.weight.detach().double().numpy()
        own = slice(head * d_head, (head + 1) * d_head)
        w_q, w_k, w_v = (fused[:, i * d_model : (i + 1) * d_model][:, own] for i in range(3))
        w_o = attention.c_proj.weight.detach().double().numpy()[own]
        ov, qk = embedding @ w_v @ w_o @ unembedding.T, embedding @ w_q @ w_k.T @ embedding.T
        row = frame.loc[(layer, head)]
        for name, circuit in (("copying_score", ov), ("matching_score", qk)):
            values = np.linalg.eigvals(circuit)
            total = np.abs(values).sum()
            expected = values.real.sum() / total if total > 1e-9 else np.nan
            assert row[name] == pytest.approx(expected, abs=1e-6, nan_ok=True), name
        own_logit = ov.diagonal()[:, None]
        assert row["copying_share"] == ((ov > own_logit).sum(1) < 5).mean()
        assert row["suppression_share"] == ((ov < own_logit).sum(1) < 10).mean()
    assert frame.loc[(1, 2), "copying_score"] > 0.9 > -0.9 > frame.loc[(1, 3), "copying_score"]
    assert frame.loc[(1, 3), "suppression_share"] > 0.9


def test_a_model_without_a_head_has_no_circuits(minilm):
    with pytest.raises(InputError, match="must have its language-modelling head"):
        inspector.vocabulary_circuits(minilm)
    with pytest.raises(InputError) as caught:
        inspector.probes(minilm)
    assert str(caught.value) == (
        "model (minilm) must be a decoder for the decoder battery: it is an encoder."
    )
    with pytest.raises(InputError) as caught:
        inspector.profile("minilm", probes="encoder")
    assert str(caught.value) == (
        "probes (encoder) must be a battery that there is. Available: decoder."
    )


def random_decoder(folder, kind, seed):
    tokenizer = word_tokenizer([*drawn_words(40), *battery_words()], adds_begin=kind == "llama")
    network = small_decoder(kind, len(tokenizer), seed=seed)
    return inspector.load(str(save_decoder(folder, network, tokenizer)))


def no_roles_of_random_models(root, kinds_and_seeds):
    for kind, seed in kinds_and_seeds:
        model = random_decoder(root / f"{kind}{seed}", kind, seed)
        run = inspector.profile(model, inspector.probes(model, documents=22), ablation=False)
        assert named(run) == {}, (kind, seed)


@pytest.mark.full
def test_a_random_model_has_none(tmp_path):
    no_roles_of_random_models(tmp_path, [("llama", 1)])


@pytest.mark.full
def test_twenty_random_models_have_none(tmp_path):
    no_roles_of_random_models(tmp_path, [(k, s) for k in ("llama", "gpt2") for s in range(10)])


@pytest.mark.full
@pytest.mark.parametrize(("kind", "layers"), [("llama", 2), ("llama", 1)])
def test_trained_models(tmp_path, kind, layers):
    loss = trained_decoder(tmp_path, kind, layers)
    run = inspector.profile(str(tmp_path), probes="decoder")
    found = named(run)
    inducing = {head for head, roles in found.items() if "induction" in roles}
    before = {head for head, roles in found.items() if "previous-token" in roles}
    assert set().union(*found.values(), RESTS) - RESTS <= {
        "previous-token",
        "induction",
        "duplicate-token",
    }
    if layers == 1:
        assert loss > 1, "one layer cannot look for what followed"
        assert not inducing
        return
    assert loss < 1
    assert inducing
    assert {layer for layer, _ in inducing} == {1}
    assert before
    assert {layer for layer, _ in before} == {0}
    claim = run.claims.set_index(["relation", "direction"]).loc[("induction", "dependent_to_head")]
    assert claim["verdict"] == "supported"
    assert claim["needed"] in ("yes", "together")
    # Whoever shares the work: all who do it are needed, and that is sure.
    sets = run.frames["needed"].query(
        "relation == 'induction' and direction == 'dependent_to_head'"
    )
    assert sets["needed"].iloc[-1] == "yes"
    assert sets["q_value"].iloc[-1] < 0.01
