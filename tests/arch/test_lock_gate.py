"""The lock gate refuses a lock that would install something else than what was tested, or from somewhere else."""

import pytest

from tests.gates.lock import lock_findings, main

HASH = f"--hash=sha256:{'0a' * 32}"
PYPROJECT = """
[build-system]
requires = ["builder>=1"]
[project]
dependencies = ["polars>=2.1,<3", "Some_Thing"]
[dependency-groups]
dev = ["checker"]
"""
LOCK = f"""\
# made by make lock
builder==1.2 \\
    {HASH} \\
    {HASH}
checker==3 ; python_full_version >= '3.12' \\
    {HASH}
checker==2 ; python_full_version < '3.12' \\
    {HASH}
polars==2.1.0 \\
    {HASH}
some-thing==0.1 {HASH}
"""


def test_a_sound_lock_passes() -> None:
    assert lock_findings(LOCK, PYPROJECT) == []


def test_the_lock_of_the_project_passes() -> None:
    assert main() == 0


@pytest.mark.parametrize(
    ("before", "after", "line", "found"),
    [
        (f"some-thing==0.1 {HASH}", "some-thing==0.1", 11, "some-thing has no sha256 hash"),
        (f"some-thing==0.1 {HASH}", "some-thing==0.1 --hash=md5:00", 11, "not a requirement"),
        ("some-thing==0.1", "some-thing>=0.1", 11, "not pinned"),
        ("some-thing==0.1", "some-thing==0.*", 11, "not pinned"),
        ("some-thing==0.1", "some-thing @ file:///a/some_thing.whl", 11, "address"),
        ("some-thing==0.1", "some-thing @ git+ssh://host/some", 11, "address"),
        ("# made by make lock", "--index-url https://example.org/simple", 1, "address"),
        ("# made by make lock", "--find-links wheels", 1, "address"),
        ("# made by make lock", "-e .", 1, "address"),
        (f"polars==2.1.0 \\\n    {HASH}\n", "", None, "polars is declared but not locked"),
        ("polars==2.1.0", "polars==3.0", None, "polars<3,>=2.1 is declared, 3.0 locked"),
    ],
)  # fmt: skip
def test_a_lock_that_cannot_be_trusted_is_refused(
    before: str, after: str, line: int | None, found: str
) -> None:
    assert before in LOCK
    findings = lock_findings(LOCK.replace(before, after), PYPROJECT)
    assert any(found in finding.found and finding.line == line for finding in findings), findings
