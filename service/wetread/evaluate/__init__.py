"""`wetread evaluate`: a bundle measured on labelled images by the road the service takes."""
