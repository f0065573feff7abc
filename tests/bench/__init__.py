"""Measurements, each a command of its own (`make bench`); what CI runs of them asserts no time."""
