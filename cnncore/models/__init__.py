"""Classifiers by name, their shapes and costs, and the classic networks."""
