"""Run the benchmarks named on the command line, else all, and print their figures as Markdown tables."""

from __future__ import annotations

import sys

from benchmarks import (
    database_reading,
    dataset_intake,
    demo_suite,
    movement_chance,
    purchase_features,
    segmentation_scale,
    segmentation_truth,
)

BENCHMARKS = {
    "purchase_features": purchase_features.figures,
    "dataset_intake": dataset_intake.figures,
    "database_reading": database_reading.figures,
    "demo_suite": demo_suite.figures,
    "segmentation_truth": segmentation_truth.figures,
    "segmentation_scale": segmentation_scale.figures,
    "movement_chance": movement_chance.figures,
}


def main() -> None:
    """Print one table a benchmark."""
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n## {name}\n")
        for row_number, row in enumerate(BENCHMARKS[name]()):
            print("| " + " | ".join(row) + " |")
            if row_number == 0:
                print("|" + "---|" * len(row))


if __name__ == "__main__":
    main()
