"""The look that all charts share."""

from collections.abc import Sequence
from typing import Any, Optional


def frame_panel(axis: Any, title: str, x: str, y: str) -> None:
    """Give a panel its title and axes.

    Args:
        axis (matplotlib.axes.Axes): The panel.
        title (str): Its title.
        x (str): What the horizontal axis shows.
        y (str): What the vertical axis shows.
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
        handles (Sequence, optional): What it names. Defaults to None: all that have a label.
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
