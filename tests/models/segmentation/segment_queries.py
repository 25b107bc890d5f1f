"""What the tests of rules as queries share: hard texts, and rules that ask for everything rules can ask for."""

import numpy as np
import pandas as pd

from crm_analysis.models.segmentation.describing.rules import fit_segment_rules

HARD_TEXTS = [
    "O'Neil's",
    'a "b"',
    "'; DROP TABLE customer_features; --",
    "常客 große",
    "back\\slash' OR 1=1",
    "50 % /* no */ -- no",
]


def rules_with_everything(rows=3000):
    """Return rules with both combinations, hard names, and customers beside and exactly at the thresholds."""
    rng = np.random.default_rng(0)
    active = rng.normal(size=rows)
    features = pd.DataFrame(
        {
            "recency_days": np.floor(np.exp(3 - active + rng.normal(scale=0.7, size=rows))).astype("int64"),
            "frequency": np.ceil(np.exp(1.5 + active + rng.normal(scale=0.5, size=rows))).astype("int64"),
            "monetary_value": np.exp(3 + rng.normal(scale=0.6, size=rows)).round(2),
            "Anteil \"Küche\" 'x'": rng.normal(scale=1e-9, size=rows),
        },
        index=pd.Index([f"c{number:05d}" for number in range(rows)], name="customer_id"),
    )
    rate = np.log(features["frequency"] / (features["recency_days"] + 1))
    value = np.log(features["frequency"] * features["monetary_value"])
    parts = np.select([rate > 0, value > 4.5, features.iloc[:, 3] > 0], [0, 1, 2], 3)
    labels = pd.Series(np.array(HARD_TEXTS[:4])[parts], index=features.index, dtype="str")
    rules = fit_segment_rules(features, labels, seed=0)
    asked = {name for _, box in rules.leaves for name in box}
    assert {"spend", "frequency_per_recency", features.columns[3]} <= asked, asked
    return rules, pd.concat([features, at_thresholds(rules, features)])


def at_thresholds(rules, features):
    """Return customers whose values are exactly those that the rules part by."""
    rows = []
    for _, box in rules.leaves:
        for name, bound in box.items():
            for end in (bound.low, bound.high):
                if np.isfinite(end):
                    row = features.iloc[len(rows)].to_dict()
                    row |= {name: end} if name in row else _combined(name, end)
                    rows.append(row)
    table = pd.DataFrame(rows, columns=features.columns).astype(features.dtypes.to_dict())
    return table.set_axis(pd.Index([f"t{number:05d}" for number in range(len(table))], name="customer_id"))


def _combined(name, end):
    """Return features that give a combination exactly this value."""
    if name == "spend":
        return {"frequency": 4, "monetary_value": end / 4}
    return {"frequency": round(end * 1000), "recency_days": 999}


def labels_by(rows, index):
    """Return labels from the rows of a query, in the order of the customers."""
    found = pd.Series(dict(rows), dtype="str", name="segment").reindex(index)
    return found.rename_axis(index.name)
