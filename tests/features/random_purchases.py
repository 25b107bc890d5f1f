"""Random purchases of some forty customers over two hundred days, a leap day and returns among them."""

from __future__ import annotations

import numpy as np
import pandas as pd


def many_purchases(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, 600), unit="D")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 40, 600).astype(str),
            "occurred_at": days.astype(str),
            "amount": rng.normal(20, 15, 600).round(2),
        }
    )
