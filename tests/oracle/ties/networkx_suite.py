"""networkx's own tests run against the compiled measures: which, what must fail and why, and the page that says so.

``python -m tests.oracle.ties.networkx_suite`` runs them and writes the table of churnrisk/docs/networkx.md;
test_networkx_suite runs them and compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx

from churnrisk.networkx_info import BACKEND, MEASURES

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "churnrisk" / "docs" / "networkx.md"
TABLE_STARTS, TABLE_ENDS = "<!-- coverage: made by a test run -->\n", "<!-- end of coverage -->\n"

TESTED = (
    "algorithms/approximation/tests/test_kcomponents.py",
    "algorithms/assortativity/tests",
    "algorithms/centrality/tests/test_degree_centrality.py",
    "algorithms/centrality/tests/test_eigenvector_centrality.py",
    "algorithms/centrality/tests/test_katz_centrality.py",
    "algorithms/community/tests/test_leiden.py",
    "algorithms/community/tests/test_louvain.py",
    "algorithms/community/tests/test_quality.py",
    "algorithms/components/tests",
    "algorithms/link_analysis/tests",
    "algorithms/shortest_paths/tests/test_unweighted.py",
    "algorithms/tests/test_cluster.py",
    "algorithms/tests/test_core.py",
    "algorithms/tests/test_link_prediction.py",
    "algorithms/tests/test_reciprocity.py",
    "algorithms/tree/tests/test_mst.py",
    "tests/test_convert_scipy.py",
)
"""networkx's test files for the covered functions; those of whole folders where neighbours call them too."""

_PINNED = "pins the partition that networkx's visiting order reaches; ours visits nodes in another order"

EXPECTED_FAILURES: dict[str, tuple[str, str]] = {
    "algorithms/community/tests/test_louvain.py::test_karate_club_partition": (
        "louvain_communities",
        _PINNED,
    ),
    "algorithms/community/tests/test_louvain.py::test_none_weight_param": ("louvain_communities", _PINNED),
    "algorithms/community/tests/test_louvain.py::test_undirected_selfloops": ("louvain_communities", _PINNED),
    "algorithms/components/tests/test_strongly_connected.py::TestStronglyConnected::"
    "test_condensation_mapping_and_members": (
        "strongly_connected_components",
        "pins the order of the parts through condensation (there: as Tarjan's walk leaves them; ours: by first node)",
    ),
}
"""Test of networkx -> covered function and why the test fails for a right answer."""

_LEVELS = "pins the number of levels of networkx's Leiden; ours has two passes, and these found the same"
if nx.__version__.startswith("3.7"):
    EXPECTED_FAILURES |= {
        "algorithms/community/tests/test_leiden.py::test_comms_change_after_aggregation": (
            "leiden_partitions",
            _LEVELS,
        ),
        "algorithms/community/tests/test_leiden.py::test_weights_matter[modularity]": (
            "leiden_partitions",
            _LEVELS,
        ),
        "algorithms/community/tests/test_louvain.py::test_petersen": ("louvain_communities", _PINNED),
    }


@dataclass(frozen=True)
class Run:
    """What came out: pytest's exit code and text, and what the plugin wrote."""

    code: int
    said: str
    record: dict[str, Any]

    @property
    def calls(self) -> dict[str, int]:
        """Calls that each covered function answered."""
        found: dict[str, int] = self.record["calls"]
        return found


def run_suite(spoil: dict[str, str] | None = None) -> Run:
    """Run networkx's tests with the backend in a process of their own.

    ``spoil``: test -> function to make wrong in it; only those tests run then.
    """
    place = Path(nx.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        asked, record = Path(folder, "asked.json"), Path(folder, "record.json")
        expected = {test: reason for test, (_, reason) in EXPECTED_FAILURES.items()}
        asked.write_text(json.dumps({"expected": expected, "spoil": spoil or {}}), "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-rfEx", "--tb=short", "-p", "no:cacheprovider"]
        command += ["-p", "tests.oracle.ties.networkx_calls", "-c", os.devnull, f"--rootdir={place}"]
        environment = {
            **os.environ,
            "NETWORKX_TEST_BACKEND": BACKEND,
            "NETWORKX_FALLBACK_TO_NX": "True",
            "PYTHONHASHSEED": "0",
            "CHURNRISK_ASKED": str(asked),
            "CHURNRISK_RECORD": str(record),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        done = subprocess.run(
            [*command, *(str(place / name) for name in TESTED)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=environment,
            timeout=280,
        )
        if not record.exists():
            raise RuntimeError(done.stdout[-4000:] + done.stderr[-4000:])
        return Run(done.returncode, done.stdout, json.loads(record.read_text("utf-8")))


def table(calls: dict[str, int]) -> str:
    """Render what is covered."""
    lines = [
        f"Tests of networkx {nx.__version__}, {sum(calls.values()):,} calls answered from sparse rows.",
        "",
        "| function | directed | weighted | parallel edges | calls reached | notes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, measure in sorted(MEASURES.items()):
        marks = ["yes" if mark else "no" for mark in measure[1:]]
        lines.append(f"| `{name}` | {' | '.join(marks)} | {calls.get(name, 0)} | {measure.note} |")
    lines += [
        "",
        "Tests of networkx that fail for a right answer:",
        "",
        "| test | function | reason |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{test}` | `{name}` | {why} |" for test, (name, why) in sorted(EXPECTED_FAILURES.items())]
    return "\n".join(lines) + "\n"


def has_tested_version() -> bool:
    """Tell whether the page was written with the networkx that is installed; counts differ between versions."""
    return f"Tests of networkx {nx.__version__}," in PAGE.read_text("utf-8")


def written_table() -> str:
    """Give the table as the page has it."""
    return PAGE.read_text("utf-8").split(TABLE_STARTS)[1].split(TABLE_ENDS)[0]


def main() -> int:
    """Run, write the table, say what failed."""
    done = run_suite()
    before, rest = PAGE.read_text("utf-8").split(TABLE_STARTS)
    after = rest.split(TABLE_ENDS)[1]
    PAGE.write_text(before + TABLE_STARTS + table(done.calls) + TABLE_ENDS + after, "utf-8")
    sys.stdout.write(done.said[-6000:])
    return done.code


if __name__ == "__main__":
    sys.exit(main())
