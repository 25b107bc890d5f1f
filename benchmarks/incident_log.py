"""The event log of a service desk: features from the first event, labels from the last, learnt by April 2016, judged on May."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from crm_analysis.features.service import case_features, case_outcomes
from crm_analysis.models.service_quality.prediction import ServiceQuality, service_quality, split_cases, split_in_words
from crm_analysis.tables.datasets import Dataset, open_dataset

LEARNT_AS_OF = date(2016, 4, 30)
JUDGED_UNTIL = date(2016, 5, 31)
EXTRA = ("impact", "urgency", "subcategory", "location")
SEED = 0


def judged_in_may(dataset: Dataset) -> ServiceQuality:
    """Learn from what was known on the last of April, and judge on the cases of May as they turned out in the end."""
    first_day = LEARNT_AS_OF + timedelta(days=1)
    known, before = dataset.known(dataset.last_day), dataset.known(LEARNT_AS_OF)
    split = split_cases(
        case_features(known, extra=EXTRA),
        outcome="sla_missed",
        training_outcomes=case_outcomes(before),
        outcomes=case_outcomes(known),
        holdout_from=first_day,
        holdout_to=JUDGED_UNTIL,
    )
    print(split_in_words(split))
    return service_quality(split, seed=SEED, n_jobs=2)


def figures() -> Iterator[tuple[str, ...]]:
    """Yield every model's figures on the cases of May; the choice was made before."""
    result = judged_in_may(open_dataset("incident_log"))
    print("\n".join(result.sentences))
    print(result.selection.weightings.round(4).to_string(), result.selection.calibration.round(4).to_string(), sep="\n")
    yield ("model", "AUC", "average precision", "Brier score", "log loss", "log loss in March and April", "chosen")
    for model, row in result.all_models.iterrows():
        shown = [
            f"{row[name]:.3f} ({row[f'{name}_low']:.3f}–{row[f'{name}_high']:.3f})"
            for name in ("auc", "average_precision")
        ]
        inside = result.comparison["log_loss"][model]
        chosen = "yes" if row["is_chosen"] else ""
        yield (str(model), *shown, f"{row['brier']:.3f}", f"{row['log_loss']:.3f}", f"{inside:.3f}", chosen)
    for measure in ("auc", "average_precision"):
        row = result.measures.loc[measure]
        interval = f"{row['difference_low']:+.3f} to {row['difference_high']:+.3f}"
        yield (f"chosen less priority and category, {measure}", f"{row['difference']:+.3f}", interval, "", "", "", "")
    yield ("calibration error of the chosen", f"{result.calibration_error:.3f}", "", "", "", "", "")
