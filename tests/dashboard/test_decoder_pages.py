"""A decoder's pages: its roles, its probes' claims, one head, attention, and the vocabulary."""

import pytest
import yaml
from support.browser.dashboard_driver import texts
from support.planted.decoder import planted

import inspector


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Return the settings of a planted decoder and its run on two probes."""
    root = tmp_path_factory.mktemp("decoder")
    model, run = planted(root / "model"), root / "run"
    corpus = inspector.probes(str(model), ["induction", "previous-token"], documents=26)
    inspector.profile(str(model), corpus, run, ablation=False)
    file = root / "settings.yaml"
    file.write_text(yaml.safe_dump({"models": [str(model)], "run": str(run)}))
    return file


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("overview", "induction"),
        ("specialization", "Head 1-2"),
        ("head", "looks at what followed the same token before"),
        ("attention", "Attention"),
        ("weights", "In the vocabulary"),
    ],
)
def test_a_page_of_a_decoder(open_page, config, page, shown):
    app = open_page(page, config=config, layer="1", head="2")
    assert not app.exception
    assert shown in texts(app)
    if page == "weights":
        assert "copying_score" in texts(app)
