"""`wetread conformance`: what this installation does over DICOM, told from its code and settings."""
