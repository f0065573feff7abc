"""What the listener accepts: storage classes and transfer syntaxes (PS3.4 B.5, PS3.5 chapter 10)."""

from __future__ import annotations

from pynetdicom.presentation import PresentationContext, build_context

from wetread.deliver.commitment import STORAGE_COMMITMENT

VERIFICATION = "1.2.840.10008.1.1"

# Radiographic classes are read; the rest of a mixed study is taken so that it gets its explained answer.
STORAGE_CLASSES: dict[str, str] = {
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography Image Storage",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray Image Storage - For Presentation",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "Digital X-Ray Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.1.2": "Digital Mammography X-Ray Image Storage - For Presentation",
    "1.2.840.10008.5.1.4.1.1.1.2.1": "Digital Mammography X-Ray Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.1.3": "Digital Intra-Oral X-Ray Image Storage - For Presentation",
    "1.2.840.10008.5.1.4.1.1.1.3.1": "Digital Intra-Oral X-Ray Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.12.1": "X-Ray Angiographic Image Storage",
    "1.2.840.10008.5.1.4.1.1.12.2": "X-Ray Radiofluoroscopic Image Storage",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image Storage",
    "1.2.840.10008.5.1.4.1.1.2": "CT Image Storage",
}

# In order of preference: what needs no decoding to be checked comes first.
TRANSFER_SYNTAXES: dict[str, str] = {
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline (Process 1)",
    "1.2.840.10008.1.2.4.51": "JPEG Extended (Process 2 and 4)",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless (Process 14)",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless (Process 14, Selection Value 1)",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-Lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.5": "RLE Lossless",
}


def supported_contexts() -> list[PresentationContext]:
    """Every context the listener accepts, verification and the reports of storage commitment included."""
    syntaxes = list(TRANSFER_SYNTAXES)
    contexts = [build_context(uid, syntaxes) for uid in STORAGE_CLASSES]
    reports = build_context(STORAGE_COMMITMENT, syntaxes[:2])
    # An archive that opens an association for its report proposes itself as SCP (PS3.4 J.3.3, PS3.7 D.3.3.4).
    reports.scu_role = reports.scp_role = True
    return [build_context(VERIFICATION, syntaxes[:2]), reports, *contexts]
