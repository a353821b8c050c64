"""Benchmark of adaptation methods under equal conditions."""
