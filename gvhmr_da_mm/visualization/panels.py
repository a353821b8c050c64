"""Common style of all charts."""

from collections.abc import Sequence
from typing import Any, Optional


def frame_panel(axis: Any, title: str, x: str, y: str) -> None:
    """Set title, axis labels and style of a panel.

    Args:
        axis (matplotlib.axes.Axes): The panel.
        title (str): Title.
        x (str): Label of the horizontal axis.
        y (str): Label of the vertical axis.
    """
    axis.set_title(title, fontsize=11)
    axis.set_xlabel(x, fontsize=9)
    axis.set_ylabel(y, fontsize=9)
    axis.tick_params(labelsize=8)
    axis.grid(True, alpha=0.25)
    for side in ('top', 'right'):
        axis.spines[side].set_visible(False)


def legend_below(axis: Any, handles: Optional[Sequence[Any]] = None) -> None:
    """Put the legend below the panel, where it hides nothing.

    Args:
        axis (matplotlib.axes.Axes): The panel.
        handles (Sequence, optional): Entries of the legend. Defaults to None: all with a label.
    """
    if handles is None:
        handles = axis.get_legend_handles_labels()[0]
    named = [handle for handle in handles if not handle.get_label().startswith('_')]
    axis.legend(
        handles=named,
        fontsize=8,
        frameon=False,
        ncols=2 if len(named) > 1 else 1,
        loc='upper center',
        bbox_to_anchor=(0.5, -0.13),
    )
