"""matplotlib by the pixel: axes are placed from measured labels, because its own layout draws a figure several times."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

DPI = 100
PAD = 10
# Heights of letters in pixels.
LARGE, MIDDLE, SMALL = 13, 12, 10
COLOUR_BAR = 110
# A name is a name, whatever dollars it has; read when a text is made.
PLAIN = {"text.parse_math": False}


def new_figure(width: int, height: int) -> Figure:
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def place_axes(figure: Figure, x: int, y: int, width: int, height: int) -> Axes:
    """Axes of so many pixels, x and y from the figure's upper left corner."""
    whole_width, whole_height = (round(side * DPI) for side in figure.get_size_inches())
    bottom = whole_height - y - height
    with rc_context(PLAIN):
        axis = figure.add_axes((x / whole_width, bottom / whole_height, width / whole_width, height / whole_height))
    axis.tick_params(labelsize=points(SMALL))
    return axis


def name_ticks(axis: Axes, down: Sequence[str], across: Sequence[str], upright: bool) -> None:
    """A name at each row and each column of an image."""
    with rc_context(PLAIN):
        axis.set_yticks(range(len(down)), down, fontsize=points(SMALL))
        axis.set_xticks(range(len(across)), across, fontsize=points(SMALL), rotation=90 if upright else 0)


def name_lines(axis: Axes, names: Sequence[str], title: str | None) -> None:
    """A legend at the right of the axes, a name for each of their lines."""
    with rc_context(PLAIN):
        axis.legend(axis.lines, names, title=title, fontsize=points(SMALL), title_fontsize=points(SMALL),
                    loc="upper left", bbox_to_anchor=(1, 1), frameon=False)  # fmt: skip


def write_values(axis: Axes, table: NDArray[np.float64], middle: float) -> None:
    """Each number into its cell, light on dark and dark on light; nothing where there is none."""
    for (row, column), value in np.ndenumerate(table):
        if np.isfinite(value):
            colour = "w" if value < middle else "k"
            axis.text(column, row, f"{value:.3f}", ha="center", va="center", fontsize=points(SMALL), color=colour)


def frame_cell(axis: Axes, row: int, column: int, cell: tuple[int, int]) -> None:
    """White around black is seen on every colour, by every eye. cell: its width and height in pixels."""
    x, y = (0.5 - 4 / side for side in cell)
    for colour, width in (("white", 5), ("black", 2)):
        axis.add_patch(Rectangle((column - x, row - y), 2 * x, 2 * y, fill=False, edgecolor=colour, lw=width))


def colour_bar(figure: Figure, x: int, y: int, height: int, scale: tuple[float, float, str]) -> None:
    """scale: what the lowest and the highest colour stand for, and the name of it all."""
    low, high, name = scale
    axis = place_axes(figure, x, y, 16, height)
    axis.imshow(np.linspace(1, 0, 256)[:, None], cmap="viridis", aspect="auto", extent=(0, 1, low, high))
    axis.set_xticks([])
    axis.yaxis.tick_right()
    axis.yaxis.set_label_position("right")
    axis.set_ylabel(name, fontsize=points(MIDDLE))


def points(pixels: int) -> float:
    """A letter's height as matplotlib counts it."""
    return pixels * 72 / DPI


def png(figure: Figure) -> bytes:
    """The same figure gives the same bytes."""
    file = io.BytesIO()
    with rc_context(PLAIN), warnings.catch_warnings():
        # A letter that the font does not have is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(file, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 4})
    return file.getvalue()
