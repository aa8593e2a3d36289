"""`python -m inspector.frames` prints the reference page, docs/frames.md."""

from inspector.frames.reference_page import reference

if __name__ == "__main__":
    print(reference(), end="")
