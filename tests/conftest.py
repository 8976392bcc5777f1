"""How every test runs: which Hypothesis profile, and nothing that only one kind of test needs."""

import os
from datetime import timedelta

from hypothesis import HealthCheck, settings

# Deadlines measure the machine (two cores, several workers), not the code: the suite has a time limit per test instead.
# "dev" explores anew each time and remembers what it broke; "ci" draws the same examples for everybody.
settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=50,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", deadline=timedelta(minutes=1), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))

# MLflow reports home unless told otherwise before it is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
