import pytest
import torch

from inspector.models.loading.model_names import model_folder


@pytest.fixture(scope="session")
def random_bert_base_folder(tmp_path_factory):
    """Return a folder with a BertModel of full size (12 layers, 768) and random weights."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    folder = tmp_path_factory.mktemp("random-bert-base")
    torch.manual_seed(0)
    BertModel(BertConfig()).save_pretrained(folder)
    AutoTokenizer.from_pretrained(model_folder("minilm")).save_pretrained(folder)
    return folder
