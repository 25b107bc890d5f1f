"""
Movement between segments from one day to a later one, and how much of it chance would have done.

Segments come from a fixed rule learned elsewhere; pictures are in :mod:`crm_analysis.figures.movement`.
"""

from crm_analysis.models.segmentation.movement.chance import Chance
from crm_analysis.models.segmentation.movement.pairing import order_by_value
from crm_analysis.models.segmentation.movement.result import Movement, no_movement, segment_movement
from crm_analysis.models.segmentation.movement.windows import leaving_day, movement_windows
from crm_analysis.models.segmentation.movement.wording import movement_results, movement_verdict

__all__ = [
    "Chance",
    "Movement",
    "leaving_day",
    "movement_results",
    "movement_verdict",
    "movement_windows",
    "no_movement",
    "order_by_value",
    "segment_movement",
]
