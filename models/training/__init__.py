"""How the shipped model bundles were made: from a manifest of labelled radiographs to a bundle."""
