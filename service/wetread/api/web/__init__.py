"""The reading room: server-rendered pages, their style, and two small scripts."""
