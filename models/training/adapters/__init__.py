"""Public sets as their makers publish them, read as labelled films: one module per set, no PyTorch."""
