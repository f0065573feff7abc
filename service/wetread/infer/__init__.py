"""The room that reads pixels: bundles, decoding, preparation, inference, interpretation."""
