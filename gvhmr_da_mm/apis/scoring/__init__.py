"""Scores of the results of any method under the named protocols."""

from .labelled_videos import LabelledPerson, LabelledVideos
from .score_pages import write_score_pages
from .score_results import Scores, score_results

__all__ = ['LabelledPerson', 'LabelledVideos', 'Scores', 'score_results', 'write_score_pages']
