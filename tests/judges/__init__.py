"""Programs written elsewhere, from Debian, that judge what Wetread makes; and which complaints are known.

`bench.judge` runs all of them over a folder's worth of cases. Each judge is one function from a file to
what it says against it; `allowed.py` explains what is let pass.
"""
