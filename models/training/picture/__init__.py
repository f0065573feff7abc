"""How the applicability guard is made: it says what kind of picture an image is."""
