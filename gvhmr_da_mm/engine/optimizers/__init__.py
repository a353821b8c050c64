"""Optimisers."""

from .muon import Muon

__all__ = ['Muon']
