"""Every coded concept the result objects use, each with where it is defined.

DCM values: DICOM PS3.16 annex D. SCT values: SNOMED CT, as the DICOM context groups (CID) name them.
No scheme of our own: readers know none of it, so what has no standard code is said in text.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from wetread.domain import Code, Zone

# Document: CID 7021 titles, CID 100 procedures, TID 1500 row 12, CID 7162 algorithm families.
IMAGING_MEASUREMENT_REPORT: Final = Code("126000", "DCM", "Imaging Measurement Report")
RADIOGRAPHY_PROCEDURE: Final = Code("43468-8", "LN", "XR unspecified body region")
QUALITATIVE_EVALUATIONS: Final = Code("C0034375", "UMLS", "Qualitative Evaluations")
DEVICE: Final = Code("121007", "DCM", "Device")  # CID 270 observer types
ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")
# Observer: TID 1002, TID 1004.
OBSERVER_TYPE: Final = Code("121005", "DCM", "Observer Type")
OBSERVER_UID: Final = Code("121012", "DCM", "Device Observer UID")
OBSERVER_NAME: Final = Code("121013", "DCM", "Device Observer Name")
CONCLUSION: Final = Code("121077", "DCM", "Conclusion")
COMMENT: Final = Code("121106", "DCM", "Comment")

# Measurement group: TID 1410, TID 1419, CID 219 geometric purposes.
FINDING: Final = Code("121071", "DCM", "Finding")
PROBABILITY: Final = Code("122157", "DCM", "Probability")
PERCENT: Final = Code("%", "UCUM", "Percent")
GEOMETRIC_PURPOSE: Final = Code("130400", "DCM", "Geometric purpose of region")
BOUNDED_BY: Final = Code("75958009", "SCT", "Bounded by")
FINDING_SITE: Final = Code("363698007", "SCT", "Finding Site")
LATERALITY: Final = Code("272741003", "SCT", "Laterality")
ALGORITHM_FAMILY: Final = Code("111000", "DCM", "Algorithm Family")
ALGORITHM_NAME: Final = Code("111001", "DCM", "Algorithm Name")
ALGORITHM_VERSION: Final = Code("111003", "DCM", "Algorithm Version")
ALGORITHM_PARAMETERS: Final = Code("111002", "DCM", "Algorithm Parameters")
IMAGING_MEASUREMENTS: Final = Code("126010", "DCM", "Imaging Measurements")
IMAGE_REGION: Final = Code("111030", "DCM", "Image Region")
MEASUREMENT_GROUP: Final = Code("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER: Final = Code("112039", "DCM", "Tracking Identifier")
TRACKING_UID: Final = Code("112040", "DCM", "Tracking Unique Identifier")

# CID 240: whether a finding is there.
PRESENT: Final = Code("52101004", "SCT", "Present")
ABSENT: Final = Code("272519000", "SCT", "Absent")
UNDETERMINED: Final = Code("373068000", "SCT", "Undetermined")
PRESENCE: Final = Code("705057003", "SCT", "Presence")

PRESENCE_OF_ZONE: Final = MappingProxyType(
    {Zone.POSITIVE: PRESENT, Zone.DOUBTFUL: UNDETERMINED, Zone.NEGATIVE: ABSENT}
)

# CID 6047: what became of the algorithms, by (how many succeeded, any finding).
CAD_SUMMARY: Final = Code("111017", "DCM", "CAD Processing and Findings Summary")
ALL_WITHOUT_FINDINGS: Final = Code("111241", "DCM", "All algorithms succeeded; without findings")
ALL_WITH_FINDINGS: Final = Code("111242", "DCM", "All algorithms succeeded; with findings")
SOME_WITHOUT_FINDINGS: Final = Code("111243", "DCM", "Not all algorithms succeeded; without findings")
SOME_WITH_FINDINGS: Final = Code("111244", "DCM", "Not all algorithms succeeded; with findings")
NONE_SUCCEEDED: Final = Code("111245", "DCM", "No algorithms succeeded; without findings")

# CID 244 laterality, by the value of (0020,0060) Laterality or (0020,0062) Image Laterality.
LATERALITY_OF: Final = MappingProxyType(
    {
        "R": Code("24028007", "SCT", "Right"),
        "L": Code("7771000", "SCT", "Left"),
        # The meaning that judges of every age know; the standard's newer one is "Right and left".
        "B": Code("51440002", "SCT", "Bilateral"),
    }
)

# CID 6042 status of results, CID 3114 image quality: what stands where a finding would.
NOT_ATTEMPTED: Final = Code("111225", "DCM", "Not Attempted")
FAILED: Final = Code("111224", "DCM", "Failed")
IMAGE_QUALITY: Final = Code("111101", "DCM", "Image Quality")
UNUSABLE: Final = Code("111235", "DCM", "Unusable - Quality renders image unusable")

# CID 7203 image derivations.
SPATIAL_RESAMPLING: Final = Code("113085", "DCM", "Spatial resampling")

# CID 7202 source image purposes, CID 7005 contributing equipment (the AI one is IHE's: profile AI Results).
SOURCE_IMAGE: Final = Code("121322", "DCM", "Source image for image processing operation")
PROCESSING_ALGORITHM: Final = Code("Newcode1", "99IHE", "Processing Algorithm")

# Key objects: CID 7010 titles, TID 2010.
OF_INTEREST: Final = Code("113000", "DCM", "Of Interest")
KEY_OBJECT_DESCRIPTION: Final = Code("113012", "DCM", "Key Object Description")

# Heat maps: CID 7469 quantities, CID 7181 units. CID 7203 has no derivation by a neural network.
CLASS_ACTIVATION: Final = Code("130402", "DCM", "Class activation")
NO_UNITS: Final = Code("1", "UCUM", "no units")
UNSPECIFIED_METHOD: Final = Code("112187", "DCM", "Unspecified method of calculation")

# Anatomic sites by normalised (0018,0015) Body Part Examined; PS3.16 annex L and CID 4030.
SITE_OF: Final = MappingProxyType(
    {
        "ANKLE": Code("70258002", "SCT", "Ankle joint"),
        "ARM": Code("40983000", "SCT", "Upper arm"),
        "CALCANEUS": Code("80144004", "SCT", "Calcaneus"),
        "CHEST": Code("816094009", "SCT", "Chest"),
        "CLAVICLE": Code("51299004", "SCT", "Clavicle"),
        "ELBOW": Code("16953009", "SCT", "Elbow joint"),
        "EXTREMITY": Code("66019005", "SCT", "Extremity"),
        "FEMUR": Code("71341001", "SCT", "Femur"),
        "FIBULA": Code("87342007", "SCT", "Fibula"),
        "FINGER": Code("7569003", "SCT", "Finger"),
        "FOOT": Code("56459004", "SCT", "Foot"),
        "FOREARM": Code("14975008", "SCT", "Forearm"),
        "HAND": Code("85562004", "SCT", "Hand"),
        "HIP": Code("24136001", "SCT", "Hip joint"),
        "HUMERUS": Code("85050009", "SCT", "Humerus"),
        "KNEE": Code("49076000", "SCT", "Knee joint"),
        "LEG": Code("30021000", "SCT", "Lower leg"),
        "LOWERLEG": Code("30021000", "SCT", "Lower leg"),
        "LUNG": Code("39607008", "SCT", "Lung"),
        "PATELLA": Code("64234005", "SCT", "Patella"),
        "PELVIS": Code("816092008", "SCT", "Pelvis"),
        "RADIUS": Code("131190003", "SCT", "Radius"),
        "RIB": Code("113197003", "SCT", "Rib"),
        "SCAPULA": Code("79601000", "SCT", "Scapula"),
        "SHOULDER": Code("16982005", "SCT", "Shoulder"),
        "THIGH": Code("68367000", "SCT", "Thigh"),
        "THORAX": Code("816094009", "SCT", "Chest"),
        "THUMB": Code("76505004", "SCT", "Thumb"),
        "TIBIA": Code("12611008", "SCT", "Tibia"),
        "TIBIA/FIBULA": Code("30021000", "SCT", "Lower leg"),
        "TOE": Code("29707007", "SCT", "Toe"),
        "ULNA": Code("23416004", "SCT", "Ulna"),
        "UPPERARM": Code("40983000", "SCT", "Upper arm"),
        "WRIST": Code("74670003", "SCT", "Wrist joint"),
    }
)
