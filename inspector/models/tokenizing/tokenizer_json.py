"""The tokenizer that runs is the folder's own: transformers' is compared with tokenizer.json.

transformers rebuilds the tokenizers of many classes from the vocabulary alone, with the class's
rules in the place of the file's. Both are given a list of texts, made for what such rules differ
in; where they differ, the file's runs.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from inspector.errors import ModelError
from inspector.models.tokenizing.guarded import refusing, within

_TEXTS = (
    "The Quick BROWN fox's naïve café, Ångström, Straße ẞ; İstanbul ışık, ΣΊΣΥΦΟΣ.",
    "Der Hund kostet 2023 Euro, 3.14 (1,000,000) und 7½ ①②③ ٣٤٥.",
    "日本語のテキスト 中文字符。한국어 ภาษาไทย हिन्दी العربية עברית",
    "two  spaces   three\ttab\nline\r\nend \u00a0no-break\u3000wide\u200bzero\u200djoin\ufeff",
    " leading and trailing ",
    "e\u0301 = é, a\u0308\u0301, \ufb01 ligature, \u00ad soft, \ufffd \x00 \x07",
    "👍🏽 👩‍👩‍👧 🇩🇪 emoji",
    "wait... what?!?! -- 'single' \"double\" ``quoted'' “curly” «guillemets» — … co-operate",
    "http://a.b/c?d=e&f#g user@host.org snake_case camelCase HTMLParser x86_64 C++ $5.00 50%",
    "don't I'm we'll they've it's DON'T l'été",
    "<s> </s> [CLS] <unk> ##ing ▁low Ġlow </w>",
    "a" * 250,
)
_SECONDS = 10.0
# A run of one letter, alone and before another, is what makes a rule with nested repeats give up.
_RUN, _SCRIPTS = 300, "aA1 !é日я"
_MOST_STRINGS, _LONGEST_STRING = 100, 100
_N_WORDS = 40
# A step may make three bytes of a letter, a list of them not thousands of letters of one.
_MOST_GROWTH = 100
# What tokenizer_config.json may say of the tokens around a text, whatever tokenizer.json does.
_SAYS_AROUND = {"add_bos_token", "add_eos_token", "src_lang", "tgt_lang", "language", "task"}


def the_folders_own(loaded: Any, folder: Path, settings: dict[str, Any]) -> Any:
    """Return what transformers loaded, or one that makes of texts what the folder's own file does.

    Raises:
        ModelError: If tokenizer.json cannot be read, or has a rule that fails or does not end.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        return loaded
    whole = _read(path)
    if not loaded.is_fast or _differ(whole, loaded.backend_tokenizer):
        loaded = _with_rules_of(whole, loaded, folder)
    backend = loaded.backend_tokenizer
    asked = {name for name in _SAYS_AROUND if settings.get(name) is not None}
    if whole.post_processor is not None and not asked and _around(whole) != _around(backend):
        backend.post_processor = whole.post_processor
    return loaded


def _read(path: Path) -> Any:
    """Return the tokenizer of a file, seen to end on hostile texts, that cuts and pads nothing."""
    from tokenizers import Tokenizer

    with refusing(lambda said: f"{path} has a rule that fails ({said}): save the tokenizer again."):
        whole = Tokenizer.from_file(str(path))
        _cut_and_pad_nothing(whole)
        _without_chance(whole)
        within(
            _SECONDS,
            lambda: _try_hostile_texts(whole, path),
            otherwise=(
                f"{path} takes more than {_SECONDS:.0f} seconds for a text of {_RUN} characters: "
                "one of its rules does not end. Save the tokenizer again."
            ),
        )
    return whole


def _cut_and_pad_nothing(backend: Any) -> None:
    backend.no_truncation()
    backend.no_padding()


def _without_chance(backend: Any) -> None:
    """Switch off what draws tokens by chance, which is for training."""
    if getattr(backend.model, "dropout", None):
        model = backend.model
        model.dropout = None
        backend.model = model


def _try_hostile_texts(whole: Any, path: Path) -> None:
    strings = list(_strings(whole))
    letters = dict.fromkeys(_SCRIPTS + "".join(strings))
    _check_growth(whole, "".join(letters), path)
    for letter in letters:
        for text in (letter * _RUN, letter * _RUN + "!"):
            _ids(whole, text)


def _check_growth(whole: Any, text: str, path: Path) -> None:
    """Refuse a chain of rules each of which makes a text longer: its last texts fit no memory."""
    from tokenizers.normalizers import Sequence

    rules = whole.normalizer
    if not isinstance(rules, Sequence):
        rules = [rules] if rules is not None else []
    most = _MOST_GROWTH * (len(text) + 1)
    for number in range(len(rules)):
        text = rules[number].normalize_str(text)
        if len(text) > most:
            raise ModelError(
                f"normalizer in {path} makes a text more than {_MOST_GROWTH} times as long: "
                "save the tokenizer again."
            )


def _strings(backend: Any) -> Iterator[str]:
    """Yield what a tokenizer's rules before its model name: patterns, and what replaces them."""
    waiting = [
        json.loads(part.__getstate__())
        for part in (backend.normalizer, backend.pre_tokenizer)
        if part is not None
    ]
    n_strings = 0
    while waiting and n_strings < _MOST_STRINGS:
        value = waiting.pop()
        if isinstance(value, str) and len(value) <= _LONGEST_STRING:
            n_strings += 1
            yield value
        elif isinstance(value, dict | list):
            waiting += list(value.values()) if isinstance(value, dict) else value


def _differ(whole: Any, backend: Any) -> bool:
    """Return whether two tokenizers make other tokens of some text."""
    _cut_and_pad_nothing(backend)
    _without_chance(backend)
    known = whole.get_vocab()
    if not known.items() <= backend.get_vocab().items():
        return True
    return any(_ids(whole, text) != _ids(backend, text) for text in _texts(whole, backend, known))


def _texts(whole: Any, backend: Any, known: dict[str, int]) -> Iterator[str]:
    yield from _TEXTS
    for tokenizer in (whole, backend):
        for string in _strings(tokenizer):
            yield f"a{string}b {string} {string}"
        added = tokenizer.get_added_tokens_decoder().values()
        for token in islice((one.content for one in added if not one.special), _MOST_STRINGS):
            yield f"a{token}b {token} {token.upper()}"
    words = sorted(known)
    yield " ".join(words[:: max(1, len(words) // _N_WORDS)])


def _ids(backend: Any, text: str) -> list[int] | None:
    """Return token ids; None where the tokenizer has no token for what it does not know."""
    try:
        ids: list[int] = backend.encode(text, add_special_tokens=False).ids
    except Exception as error:  # the library has no kind of its own for it
        if "unk" not in str(error).lower():
            raise
        return None
    return ids


def _around(backend: Any) -> Any:
    """Return what is put around a text, and around two."""
    encoded = [backend.encode("", pair) for pair in (None, "")]
    return [(each.ids, each.type_ids) for each in encoded]


def _with_rules_of(whole: Any, loaded: Any, folder: Path) -> Any:
    """Return the tokenizer of a file, with the special tokens and settings of the one loaded."""
    from transformers import PreTrainedTokenizerFast

    special = {name: getattr(loaded, name, None) for name in loaded.SPECIAL_TOKENS_ATTRIBUTES}
    own = PreTrainedTokenizerFast(
        tokenizer_object=whole,
        name_or_path=str(folder),
        model_max_length=loaded.model_max_length,
        model_input_names=loaded.model_input_names,
        extra_special_tokens=[
            token
            for token in getattr(loaded, "extra_special_tokens", [])
            if whole.token_to_id(str(token)) is not None
        ],
        # One that the file does not know would be a token that the model has no embedding for.
        **{
            name: token
            for name, token in special.items()
            if isinstance(token, str) and whole.token_to_id(token) is not None
        },
    )
    if whole.post_processor is None and loaded.is_fast:
        own.backend_tokenizer.post_processor = loaded.backend_tokenizer.post_processor
    return own
