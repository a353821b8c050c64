"""Compares methods of adaptation under equal conditions."""
