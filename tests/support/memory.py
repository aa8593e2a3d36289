"""What a new process is asked to do, without a library that takes seconds to load."""

from benchmarks.fresh import peak_megabytes


def peak_of_bytes(megabytes: int) -> float:
    """Return the peak of a call that holds so many MB and frees them."""
    return peak_megabytes(lambda: bytearray(b"x") * (megabytes * 1_000_000))
