"""What can go wrong, one class per kind of trouble; each carries the sentence that users read.

The command line turns a class into its exit code, the dashboard into a message on the page.
Must not know: anything of inspector.
"""


class InspectorError(Exception):
    """A trouble that the user can mend; its text says how."""

    exit_code = 2


class InputError(InspectorError, ValueError):
    """A text, a name or a setting that cannot be used."""


class ModelError(InspectorError):
    """A model that cannot be loaded or must not be trusted."""

    exit_code = 3


class UnsupportedModelError(ModelError):
    """A model whose architecture inspector does not know."""


class OutputError(InspectorError, OSError):
    """A file that cannot be read or written."""

    exit_code = 4


class Interrupted(InspectorError):
    """Work that was stopped on purpose, and can be gone on with."""

    exit_code = 130
