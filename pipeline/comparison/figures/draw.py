"""Every picture of a comparison, as PNG. The same numbers give the same bytes. Without a screen, and without matplotlib."""

import numpy as np
from numpy.typing import NDArray

from .confusions import draw_confusions
from .disagreements import draw_disagreements
from .dots import dots
from .heatmap import as_grid, heat_map
from .kernels import kernels
from .layout import Study
from .losses import losses
from .y_hat import MOST_POINTS, read_y_hat, y_hat


def draw(study: Study, images: NDArray[np.generic] | None) -> dict[str, bytes | None]:
    """Each picture by its name, None where there is nothing to draw. images: (N, H, W), all of the best point's data, or None
    where they are not at hand.

    FileError for a damaged record.
    """
    grid = as_grid(study)
    shown = {row.points[0] for row in (*study.first(MOST_POINTS), study.best)}
    vectors = {name: read_y_hat(record) for name, record in study.records.items() if name in shown}
    return {
        "heatmap": heat_map(study, grid) if grid else dots(study),
        "losses": losses(study),
        "y_hat": y_hat(study, vectors),
        "disagreements": draw_disagreements(study, vectors, images),
        "confusions": draw_confusions(study, vectors[study.best.points[0]]),
        "kernels": kernels(study),
    }
