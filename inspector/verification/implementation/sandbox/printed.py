"""What a program prints, kept in little space: how it began and how it ended.

Must not know: which program.
"""

from inspector.text import printable, without_orders

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
