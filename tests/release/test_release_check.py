"""What is not fit to be released is named."""

import subprocess
from zipfile import ZipFile

import pytest

from tools.release_check import (
    LeftToDoError,
    NotSoError,
    check_changelog,
    check_tag,
    check_urls,
    check_version,
    check_wheel,
)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "inspector").mkdir()
    (tmp_path / "inspector/__init__.py").write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CITATION.cff").write_text("title: t\nversion: 1.2.3\nlicense: l\n")
    (tmp_path / "CHANGELOG.md").write_text(
        "## [Unreleased]\n- a\n## [1.2.3] - 2026-11-28\n\n- b\n- c\n## [1.2.2] - 2026-01-01\n- d\n"
    )
    return tmp_path


def test_what_is_fit(project):
    assert check_version(project) == "1.2.3"
    assert check_changelog(project) == "2 lines"
    (project / "pyproject.toml").write_text('[project]\nurls = {Source = "https://a.example"}\n')
    assert check_urls(project) == "Source"


@pytest.mark.parametrize(
    ("file", "text", "check", "said"),
    [
        ("inspector/__init__.py", '__version__ = "1.2"\n', check_version, "such as 1.2.3"),
        ("inspector/__init__.py", "", check_version, "has no line"),
        ("CITATION.cff", "version: 1.2.2\n", check_version, "CITATION.cff must have the line"),
        ("CHANGELOG.md", "## [Unreleased]\n## [1]\n- a\n", check_changelog, r"must have a section"),
        ("CHANGELOG.md", "## [1.2.3] - 2026-11-28\n", check_changelog, "says nothing of 1.2.3"),
        (
            "pyproject.toml",
            '[project.urls]\nSource = "git@a"\n',
            check_urls,
            r"not Source \(git@a\)",
        ),
    ],
)
def test_what_is_not(project, file, text, check, said):
    (project / file).write_text(text)
    with pytest.raises(NotSoError, match=said):
        check(project)


def test_what_is_left_to_whoever_releases(project):
    def git(*words):
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)

    (project / "CHANGELOG.md").write_text("# Changes\n\n## [Unreleased]\n\nText.\n\n- a\n## [1]\n")
    with pytest.raises(LeftToDoError, match=r"call the section \[Unreleased\] .* `## \[1.2.3\] - "):
        check_changelog(project)
    (project / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(LeftToDoError, match=r"give it in pyproject.toml as `Source`"):
        check_urls(project)
    git("init", "--quiet")
    for number in "12":
        git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", number)
        if number == "1":
            with pytest.raises(LeftToDoError, match=r"`git tag v1\.2\.3`"):
                check_tag(project)
            git("tag", "v1.2.3")
            assert check_tag(project) == "v1.2.3"
    with pytest.raises(NotSoError, match=r"tag v1\.2\.3 stands at another commit"):
        check_tag(project)


def test_a_wheel_that_lacks_a_file(project):
    wheel = project / "a.whl"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("inspector/__init__.py", "")
        archive.writestr("attention_inspector-1.dist-info/METADATA", "")
    assert check_wheel(wheel, project) == "1 files"
    (project / "inspector/words.yaml").write_text("")
    with pytest.raises(NotSoError, match=r"differs from the package in .*words\.yaml"):
        check_wheel(wheel, project)
