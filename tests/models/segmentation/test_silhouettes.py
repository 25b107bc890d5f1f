"""Silhouettes are those of scikit-learn, in order, and tell nothing of few customers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from crm_analysis.models.segmentation.describing.silhouettes import segment_silhouettes


def clouds(sizes, *, seed=0):
    rng = np.random.default_rng(seed)
    points = np.vstack([rng.normal(4.0 * at, 1.0, (size, 2)) for at, size in enumerate(sizes)])
    labels = np.repeat([f"s{at}" for at in range(len(sizes))], sizes)
    return pd.DataFrame(points, columns=["x", "y"]), pd.Series(labels)


def test_every_customer_stands_there_once_in_falling_order():
    points, labels = clouds([30, 20])
    table = segment_silhouettes(points, labels, seed=0)
    expected = silhouette_samples(points, labels)
    for segment, part in table.groupby("segment"):
        np.testing.assert_allclose(part["silhouette"], np.sort(expected[labels == segment])[::-1])
        assert part["place"].iloc[-1] == 1
        assert part["place"].is_monotonic_increasing


def test_noise_is_left_out_and_one_segment_has_no_silhouette():
    points, labels = clouds([30, 20, 5])
    told = segment_silhouettes(points, labels.replace("s2", "noise"), seed=0)
    assert set(told["segment"]) == {"s0", "s1"}
    assert segment_silhouettes(points, pd.Series(["s"] * 55), seed=0).empty
    assert segment_silhouettes(points.iloc[:2], pd.Series(["a", "b"]), seed=0).empty


def test_rows_are_means_of_enough_customers_and_small_segments_are_not_there():
    points, labels = clouds([40, 20, 3])
    told = segment_silhouettes(points, labels, seed=0, min_cell=5)
    assert (told["customers"] >= 5).all()
    assert set(told["segment"]) == {"s0"}  # s1 would give s2 away
    assert told["place"].is_monotonic_increasing
    weights = told["customers"]
    own = silhouette_samples(points, labels)[labels == "s0"]
    assert np.average(told["silhouette"], weights=weights) == pytest.approx(own.mean())


def test_neither_order_nor_names_of_customers_matter():
    points, labels = clouds([1500, 900])
    order = np.random.default_rng(1).permutation(len(points))
    one = segment_silhouettes(points, labels, seed=0)
    other = segment_silhouettes(points.iloc[order], labels.iloc[order], seed=0)
    pd.testing.assert_frame_equal(one, other)


def test_where_no_feature_varies_there_is_no_silhouette():
    labels = pd.Series(["a"] * 5 + ["b"] * 5)
    assert segment_silhouettes(pd.DataFrame(index=labels.index), labels, seed=0).empty
