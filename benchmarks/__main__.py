"""Run the benchmarks named on the command line, else all, and print their figures as Markdown tables."""

from __future__ import annotations

import sys

from benchmarks import (
    business_series,
    database_reading,
    dataset_intake,
    demo_suite,
    forecasting_accuracy,
    incident_log,
    lifetime_value,
    movement_chance,
    purchase_features,
    segmentation_scale,
    segmentation_truth,
    service_effects,
    service_measures,
    service_money,
    service_quality,
    support_vectors,
    topics,
)

BENCHMARKS = {
    "purchase_features": purchase_features.figures,
    "dataset_intake": dataset_intake.figures,
    "database_reading": database_reading.figures,
    "demo_suite": demo_suite.figures,
    "segmentation_truth": segmentation_truth.figures,
    "segmentation_scale": segmentation_scale.figures,
    "movement_chance": movement_chance.figures,
    "lifetime_value": lifetime_value.figures,
    "support_vectors": support_vectors.figures,
    "business_series": business_series.figures,
    "business_series_shops": business_series.shops,
    "forecasting_accuracy": forecasting_accuracy.figures,
    "forecasting_accuracy_every_model": forecasting_accuracy.every_model,
    "service_measures": service_measures.figures,
    "service_quality": service_quality.figures,
    "service_quality_calibration": service_quality.calibration,
    "incident_log": incident_log.figures,
    "service_effects": service_effects.figures,
    "service_effects_drivers": service_effects.drivers,
    "service_money": service_money.figures,
    "service_money_generator": service_money.generator,
    "service_volume": service_money.volume,
    "topics": topics.figures,
    "topics_speed": topics.speed,
}


def main() -> None:
    """Print one table a benchmark."""
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n## {name}\n")
        for row_number, row in enumerate(BENCHMARKS[name]()):
            print("| " + " | ".join(row) + " |", flush=True)
            if row_number == 0:
                print("|" + "---|" * len(row))


if __name__ == "__main__":
    main()
