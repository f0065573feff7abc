"""Synthetic quality-control radiographs, drawn by code: no patient and no pixel of one."""
