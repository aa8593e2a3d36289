"""A report in a Trainer's log: the figures are those of the profile of the model as it is then."""

import warnings

import pytest

import inspector
from inspector.errors import InputError

TEXTS = ["The cat sat.", "A dog ran.", "The dog sat on a cat."]


@pytest.fixture(scope="module")
def trained(tiny_folder, tmp_path_factory):
    """Return the callback of a small training, its Trainer, and the trained model."""
    pytest.importorskip("accelerate", reason="transformers' Trainer needs accelerate")
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        Trainer,
        TrainingArguments,
    )

    folder = tiny_folder("bert")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    rows = [dict(tokenizer(text), labels=place % 2) for place, text in enumerate(TEXTS)]
    callback = inspector.trainer_callback(TEXTS)
    arguments = TrainingArguments(
        str(tmp_path_factory.mktemp("trainer")), max_steps=2, eval_strategy="steps", eval_steps=1,
        per_device_train_batch_size=3, learning_rate=0.05, use_cpu=True, report_to=[],
        save_strategy="no", disable_tqdm=True, logging_strategy="no",
    )  # fmt: skip
    trainer = Trainer(
        model, arguments, train_dataset=rows, eval_dataset=rows, processing_class=tokenizer,
        callbacks=[callback],
    )  # fmt: skip
    with warnings.catch_warnings(action="ignore"):  # torch's and accelerate's own
        trainer.train()
    return callback, trainer, model, tokenizer


def test_each_evaluation_adds_a_report_to_the_log(trained):
    callback, trainer, model, tokenizer = trained
    assert [row["step"] for row in callback.reports] == [1, 2]
    logged = [row for row in trainer.state.log_history if "inspector/roles" in row]
    assert logged == callback.reports
    one, two = (row["inspector/entropy_nats"] for row in callback.reports)
    assert one != two  # the model has learned between the two
    now = inspector.report(model, TEXTS, tokenizer=tokenizer)
    assert {"step": 2, **now} == callback.reports[-1]
    run = inspector.profile(inspector.load(model, tokenizer), TEXTS, ablation=False)
    assert now == {
        "inspector/roles": len(run.roles),
        "inspector/heads_with_roles": len(run.roles.groupby(["layer", "head"])),
        "inspector/supported_claims": 0,
        "inspector/entropy_nats": run.behaviour["entropy_nats"].mean(),
    }
    assert inspector.report(model, TEXTS, tokenizer=tokenizer, before=run) == {
        **now,
        "inspector/lost_roles": 0,
    }


def test_attend_takes_the_tokenizer_of_a_model_in_memory(trained):
    _, _, model, tokenizer = trained
    maps = inspector.attend(model, TEXTS[0], tokenizer=tokenizer)
    ready = inspector.load(model, tokenizer, "mine")
    assert (maps.probabilities == inspector.attend(ready, TEXTS[0]).probabilities).all()
    with pytest.raises(InputError) as caught:
        inspector.attend("minilm", TEXTS[0], tokenizer=tokenizer)
    assert str(caught.value).startswith("tokenizer (BertTokenizer) must be left out beside a model")
