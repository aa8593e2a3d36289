"""Requests to a process that runs a user's code, and answers that are believed in nothing.

Whatever the process does or writes, a request ends: with an answer, or with what came instead.
"""

import json
import os
import secrets
import selectors
import struct
import time
from contextlib import suppress
from typing import Any, BinaryIO

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from inspector.text import printable, without_orders
from inspector.verification.implementation.sandbox.supervisor import LAST_WORD, Ends

LENGTHS = struct.Struct("!QQ")
"""How every message begins: the number of bytes of its plain data, and of its tensors."""


def packed(words: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> bytes:
    """Return plain data and tensors as one message."""
    text = json.dumps(words).encode()
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}) if tensors else b""
    return LENGTHS.pack(len(text), len(data)) + text + data


def unpacked(text: bytes, data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the plain data and the tensors of a message, whatever its bytes are.

    Raises:
        ValueError: If they are no message.
    """
    try:
        words = json.loads(text)
        tensors = load(data) if data else {}
    except (ValueError, RecursionError, SafetensorError, KeyError) as error:
        raise ValueError("neither plain data nor tensors") from error
    if not isinstance(words, dict):
        raise ValueError("no plain data")
    return words, tensors


def write_message(
    stream: BinaryIO, words: dict[str, Any], tensors: dict[str, Tensor] | None = None
) -> None:
    """Write plain data and tensors as one message."""
    stream.write(packed(words, tensors))
    stream.flush()


def read_message(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the plain data and the tensors of the next message of one who is trusted.

    Raises:
        EOFError: If the other side is gone.
    """
    text_length, data_length = LENGTHS.unpack(_exactly(stream, LENGTHS.size))
    return unpacked(_exactly(stream, text_length), _exactly(stream, data_length))


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the other process is gone")
    return data


_KEPT = 1000


class Printed:
    """The beginning and the end of an output of any length."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._first, self._last, self._length = b"", b"", 0

    def add(self, data: bytes) -> None:
        """Take in what was printed next."""
        self._length += len(data)
        room = _KEPT - len(self._first)
        self._first += data[:room]
        self._last = (self._last + data[room:])[-_KEPT:] if len(data) > room else self._last

    def text(self) -> str:
        r"""Return it as text that steers no terminal, its middle left out if it is long.

        Example:
            >>> printed = Printed()
            >>> printed.add(b"\x1b[31m" + 3000 * b"a" + b" end\r\n")
            >>> printed.text()[:4], printed.text()[-8:]
            ('aaaa', 'aaaa end')
            >>> "(1011 bytes left out)" in printed.text()
            True
        """
        left_out = self._length - len(self._first) - len(self._last)
        between = f"\n… ({left_out} bytes left out) …\n".encode() if left_out else b""
        text = (self._first + between + self._last).decode(errors="replace")
        lines = without_orders(text).replace("\r", "\n").expandtabs().splitlines()
        return printable("\n".join(line.rstrip() for line in lines if line.strip()))


FIRST = "start"
"""The mark of the message that is sent unasked, once the process is there."""

_AT_ONCE = 1 << 20
_MOST_WORDS = 1 << 16
_LOOK_UP_SECONDS = 1.0
_LAST_WORD_SECONDS = 6.0


class LateError(Exception):
    """There was no answer in time."""


class ForgedError(Exception):
    """What came is no answer to what was asked."""


class GoneError(Exception):
    """The process has ended; with the last word of its supervisor, if that had one."""

    def __init__(self, last_word: tuple[int, int] | None) -> None:
        """Keep the last word."""
        super().__init__(last_word)
        self.last_word = last_word


class Exchange:
    """Our ends of the pipes; what the process prints is kept."""

    def __init__(self) -> None:
        """Open the pipes; `theirs` are for the supervisor, and to be let go of here."""
        requests, answers, output, last_word, life = (os.pipe() for _ in range(5))
        self.theirs = Ends(requests[0], answers[1], output[1], last_word[1], life[0])
        self._requests, self._answers, self._output = requests[1], answers[0], output[0]
        self._last_word, self._life = last_word[0], life[1]
        self.printed = Printed()
        for end in (self._requests, self._answers, self._output):
            os.set_blocking(end, False)

    def let_go_of_theirs(self) -> None:
        """Close the supervisor's ends, which it has copies of."""
        for end in vars(self.theirs).values():
            os.close(end)

    def let_go_of_ours(self) -> None:
        """Close our ends, in a copy of this process."""
        for end in (self._requests, self._answers, self._output, self._last_word, self._life):
            os.close(end)

    def close(self) -> None:
        """Have the process ended, and take in what it printed last."""
        with suppress(OSError):  # it is gone already
            os.write(self._life, b".")
        os.close(self._life)
        with suppress(ForgedError):  # else all is ended now
            self._await_last_word()
        self._take_in_output()
        for end in (self._requests, self._answers, self._output, self._last_word):
            os.close(end)

    def ask(
        self,
        words: dict[str, Any] | None,
        tensors: dict[str, Tensor],
        most: int,
        seconds: float | None,
    ) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return the words and the tensors of the answer.

        Args:
            words: What is asked; None to wait for the first message.
            tensors: What is asked about.
            most: How many bytes the tensors of an answer can have.
            seconds: How long to wait; None for ever.

        Raises:
            LateError: If there is no answer in time.
            ForgedError: If what comes is no answer.
            GoneError: If the process has ended.
        """
        mark = FIRST if words is None else secrets.token_hex(8)
        request = b"" if words is None else packed({**words, "mark": mark}, tensors)
        text, data = self._exchange(request, most, seconds)
        try:
            words, tensors = unpacked(text, data)
        except ValueError as error:
            raise ForgedError from error
        if words.get("mark") != mark:
            raise ForgedError
        return words, tensors

    def _exchange(self, request: bytes, most: int, seconds: float | None) -> tuple[bytes, bytes]:
        end = time.monotonic() + (float("inf") if seconds is None else seconds)
        unsent, answer = memoryview(request), bytearray()
        with selectors.DefaultSelector() as ready:
            if unsent:
                ready.register(self._requests, selectors.EVENT_WRITE)
            for reading in (self._answers, self._output, self._last_word):
                ready.register(reading, selectors.EVENT_READ)
            while (missing := _missing(answer, most)) > 0:
                left = end - time.monotonic()
                if left <= 0.0:
                    raise LateError
                pipes = {key.fd for key, _ in ready.select(min(left, _LOOK_UP_SECONDS))}
                if self._output in pipes and not self._take_in_output():
                    ready.unregister(self._output)
                if self._requests in pipes:
                    unsent = self._send(unsent)
                    if not unsent:
                        ready.unregister(self._requests)
                if self._answers in pipes:
                    more = os.read(self._answers, min(missing, _AT_ONCE))
                    answer += more
                    if more:
                        continue
                if {self._answers, self._last_word} & pipes:  # closed by its end, or by the code
                    raise GoneError(self._await_last_word())
        text = LENGTHS.size + LENGTHS.unpack(answer[: LENGTHS.size])[0]
        return bytes(answer[LENGTHS.size : text]), bytes(answer[text:])

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._requests, unsent[:_AT_ONCE]) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            return unsent[:0]  # it is gone, which is told by its answers

    def _take_in_output(self) -> bool:
        """Take in what is there of the output; whether there can be more."""
        with suppress(BlockingIOError):
            for _ in range(16):  # a flood is no reason never to look elsewhere
                data = os.read(self._output, _AT_ONCE)
                self.printed.add(data)
                if not data:
                    return False
        return True

    def _await_last_word(self) -> tuple[int, int] | None:
        """Return what the supervisor said last, once it did; None if it ended and said nothing.

        Raises:
            ForgedError: If it does not end.
        """
        with selectors.DefaultSelector() as ready:
            ready.register(self._last_word, selectors.EVENT_READ)
            if not ready.select(_LAST_WORD_SECONDS):
                raise ForgedError
        said = os.read(self._last_word, LAST_WORD.size)
        return LAST_WORD.unpack(said) if len(said) == LAST_WORD.size else None


def _missing(answer: bytearray, most: int) -> int:
    """Return how many bytes an answer lacks, so far as is known.

    Raises:
        ForgedError: If it says that it is longer than it can be.
    """
    if len(answer) < LENGTHS.size:
        return LENGTHS.size - len(answer)
    text, data = LENGTHS.unpack(answer[: LENGTHS.size])
    if text > _MOST_WORDS or data > most:
        raise ForgedError
    return int(LENGTHS.size + text + data - len(answer))
