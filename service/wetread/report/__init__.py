"""The room that turns findings into DICOM result objects, and checks them before they leave."""
