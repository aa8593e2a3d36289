"""The wheel holds the package's data, and nothing of what only makes it."""

from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


def test_the_wheel_has_every_file_of_the_package_and_no_other():
    builder = WheelBuilder(str(ROOT))
    packed = {file.distribution_path for file in builder.recurse_included_files()}
    package = ROOT / "inspector"
    data = {
        str(path.relative_to(ROOT))
        for suffix in ("yaml", "conllu")
        for path in package.rglob(f"*.{suffix}")
    }
    assert len(data) >= 30
    assert data <= packed
    assert {name.split("/")[0] for name in packed} == {"inspector"}
    assert "inspector/corpora/probes/syntax.conllu" in packed
