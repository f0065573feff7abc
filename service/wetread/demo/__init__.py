"""The demo: the whole road on one machine, with a modality and a PACS played here."""
