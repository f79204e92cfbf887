"""Scores, error split and decision thresholds."""
