"""Studies for the judges: wrapped test images and real files, what was answered, every object made of it."""
