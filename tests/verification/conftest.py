import pytest
import torch

from inspector.models.loading.model_names import model_folder


@pytest.fixture
def random_bert_folder(tmp_path, n_layers):
    """Return a folder with a BertModel of BERT-base's width (768) and random weights."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    folder = tmp_path / "random-bert"
    torch.manual_seed(0)
    BertModel(BertConfig(num_hidden_layers=n_layers)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(model_folder("minilm")).save_pretrained(folder)
    return folder
