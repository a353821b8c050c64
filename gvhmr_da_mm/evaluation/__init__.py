"""Protocols, metrics and tables of the evaluation."""
