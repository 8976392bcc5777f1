"""What another rule would have earned: unbiased over repeats, row by row as its formula, and thin where it is thin."""

from typing import Any

import numpy as np
import pytest

from churnrisk.metrics import policy_value


def logged(seed: int, n: int = 2_000) -> dict[str, Any]:
    """Decisions of a rule that prefers action 1 by a feature; action 2 pays most for those with little of it."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    shares = np.column_stack((np.full(n, 0.3), 0.2 + 0.4 * x, 0.5 - 0.4 * x))
    action = (rng.random(n)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    mean = np.column_stack((np.zeros(n), 2 * x, 1 - x))
    reward = mean[np.arange(n), action] + rng.normal(0, 1, n)
    wanted = np.eye(3)[np.where(x > 1 / 3, 1, 2)]
    propensity = shares[np.arange(n), action]
    return {"reward": reward, "action": action, "propensity": propensity, "wanted": wanted, "predicted": mean}


def test_each_estimator_is_its_formula() -> None:
    given = logged(0, n=40)
    found = policy_value(**given, n_resamples=100)
    w = [given["wanted"][i, a] / given["propensity"][i] for i, a in enumerate(given["action"])]
    assert found.ips.value == pytest.approx(sum(w * given["reward"]) / 40)
    assert found.snips.value == pytest.approx(sum(w * given["reward"]) / sum(w))
    by_hand = [
        given["predicted"][i] @ given["wanted"][i] + w[i] * (given["reward"][i] - given["predicted"][i, a])
        for i, a in enumerate(given["action"])
    ]
    assert found.dr.value == pytest.approx(np.mean(by_hand))
    assert found.n_effective == pytest.approx(sum(w) ** 2 / sum(np.square(w)))
    assert found.is_thin


def test_all_three_come_out_at_the_truth_and_the_interval_holds_it() -> None:
    # E[max over the rule] = integral of 1 - x up to 1/3 and of 2 x beyond
    truth = (1 / 3 - 1 / 18) + (1 - 1 / 9)
    told = [policy_value(**logged(seed), n_resamples=100) for seed in range(60)]
    for name in ("ips", "snips", "dr"):
        values = [getattr(each, name).value for each in told]
        assert np.mean(values) == pytest.approx(truth, abs=0.03)
        assert sum(getattr(e, name).low <= truth <= getattr(e, name).high for e in told) >= 52
    assert np.std([e.dr.value for e in told]) < np.std([e.ips.value for e in told])


def test_the_rule_that_was_logged_is_worth_what_it_earned() -> None:
    given = logged(1)
    n = len(given["reward"])
    given["wanted"] = np.zeros((n, 3))
    given["wanted"][np.arange(n), given["action"]] = 1.0
    found = policy_value(given["reward"], given["action"], np.ones(n), given["wanted"], n_resamples=100)
    assert found.ips.value == pytest.approx(given["reward"].mean())
    assert found.n_effective == pytest.approx(n)
    assert np.isnan(found.dr.value)
    assert not found.is_thin


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"propensity": np.zeros(40)}, "over 0"),
        ({"wanted": np.full((40, 3), 0.5)}, "sum to 1"),
        ({"reward": np.ones(3)}, "n rewards"),
    ],
)
def test_what_cannot_be_weighed_is_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        policy_value(**{**logged(0, n=40), **changed})
