"""Which attributes an object may have, in each kind and in each sequence: what is not listed does not leave.

A viewer shows what it finds. An attribute that nobody compares may turn the picture, hide a part of it, or
name another physician.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from pydicom.datadict import tag_for_keyword

from wetread.domain import ObjectKind
from wetread.report.source import IDENTITY

_COMMON: Final = (
    *IDENTITY, "SpecificCharacterSet", "InstanceCreationDate", "InstanceCreationTime", "InstanceCreatorUID",
    "SOPClassUID", "SOPInstanceUID", "Modality", "Manufacturer", "ManufacturerModelName", "SoftwareVersions",
    "TimezoneOffsetFromUTC", "SeriesDescription", "ContributingEquipmentSequence", "StudyInstanceUID",
    "SeriesInstanceUID", "SeriesNumber", "InstanceNumber",
)  # fmt: skip
_DOCUMENT: Final = (
    *_COMMON, "ContentDate", "ContentTime", "ReferencedPerformedProcedureStepSequence", "ValueType",
    "ConceptNameCodeSequence", "ContinuityOfContent", "CurrentRequestedProcedureEvidenceSequence",
    "ContentTemplateSequence", "ContentSequence",
)  # fmt: skip
_REPORT: Final = (
    *_DOCUMENT, "PerformedProcedureCodeSequence", "CompletionFlag", "VerificationFlag", "PreliminaryFlag",
    "ReferencedRequestSequence", "PredecessorDocumentsSequence",
)  # fmt: skip
_IMAGE: Final = (
    *_COMMON, "ContentDate", "ContentTime", "ImageType", "SourceImageSequence", "BodyPartExamined",
    "ImageLaterality", "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated",
    "BurnedInAnnotation", "LossyImageCompression", "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)  # fmt: skip
_CAPTURE: Final = (
    *_IMAGE, "ConversionType", "DerivationDescription", "DerivationCodeSequence", "PatientOrientation",
    "SecondaryCaptureDeviceManufacturer", "SecondaryCaptureDeviceManufacturerModelName",
    "SecondaryCaptureDeviceSoftwareVersions", "ImageComments", "PlanarConfiguration", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelSpacing", "PixelSpacingCalibrationType",
    "PixelSpacingCalibrationDescription", "PixelData",
)  # fmt: skip
_STATE: Final = (
    *_COMMON, "PresentationCreationDate", "PresentationCreationTime", "ContentLabel", "ContentDescription",
    "ContentCreatorName", "BodyPartExamined", "Laterality", "ReferencedSeriesSequence",
    "SoftcopyVOILUTSequence", "RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence",
    "PresentationLUTShape", "DisplayedAreaSelectionSequence", "GraphicAnnotationSequence",
    "GraphicLayerSequence",
)  # fmt: skip
_MAP: Final = (
    *_IMAGE, "ReferencedSeriesSequence", "PixelPresentation", "DeviceSerialNumber", "ContentQualification",
    "ContentLabel", "ContentDescription", "FrameOfReferenceUID", "PositionReferenceIndicator",
    "DimensionOrganizationSequence", "DimensionIndexSequence", "NumberOfFrames", "RecognizableVisualFeatures",
    "AcquisitionContextSequence", "PresentationLUTShape", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "FloatPixelData",
)  # fmt: skip
_ROOT: Final[Mapping[ObjectKind, tuple[str, ...]]] = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: _REPORT,
        ObjectKind.COMPREHENSIVE_REPORT: _REPORT,
        ObjectKind.KEY_OBJECT: _DOCUMENT,
        ObjectKind.CAPTURE: _CAPTURE,
        ObjectKind.HEAT_MAP_CAPTURE: _CAPTURE,
        ObjectKind.PRESENTATION_STATE: _STATE,
        ObjectKind.HEAT_MAP: _MAP,
    }
)
_CODE: Final = ("CodeValue", "LongCodeValue", "URNCodeValue", "CodingSchemeDesignator", "CodeMeaning")
_REFERENCE: Final = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")
_LUT: Final = ("LUTDescriptor", "LUTData")
# The same sequence has the same items wherever it stands.
_ITEM: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "AcquisitionContextSequence": (),
        "ConceptCodeSequence": _CODE,
        "ConceptNameCodeSequence": _CODE,
        "ContentSequence": (
            "RelationshipType", "ValueType", "ConceptNameCodeSequence", "ConceptCodeSequence",
            "ContentSequence", "TextValue", "UID", "GraphicData", "GraphicType", "ReferencedSOPSequence",
            "MeasuredValueSequence", "ContinuityOfContent", "ContentTemplateSequence",
        ),
        "ContentTemplateSequence": ("MappingResource", "TemplateIdentifier"),
        "ContributingEquipmentSequence": (
            "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceUID",
            "ContributionDescription", "PurposeOfReferenceCodeSequence",
        ),
        "CurrentRequestedProcedureEvidenceSequence": ("StudyInstanceUID", "ReferencedSeriesSequence"),
        "DerivationCodeSequence": _CODE,
        "DerivationImageSequence": (
            "DerivationDescription", "DerivationCodeSequence", "SourceImageSequence",
        ),
        "DimensionIndexSequence": (
            "DimensionOrganizationUID", "DimensionIndexPointer", "FunctionalGroupPointer",
            "DimensionDescriptionLabel",
        ),
        "DimensionOrganizationSequence": ("DimensionOrganizationUID",),
        "DisplayedAreaSelectionSequence": (
            "ReferencedImageSequence", "DisplayedAreaTopLeftHandCorner", "DisplayedAreaBottomRightHandCorner",
            "PresentationSizeMode", "PresentationPixelSpacing", "PresentationPixelAspectRatio",
        ),
        "FrameContentSequence": ("DimensionIndexValues",),
        "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction"),
        "GraphicAnnotationSequence": (
            "ReferencedImageSequence", "GraphicLayer", "TextObjectSequence", "GraphicObjectSequence",
        ),
        "GraphicLayerSequence": (
            "GraphicLayer", "GraphicLayerOrder", "GraphicLayerRecommendedDisplayGrayscaleValue",
            "GraphicLayerRecommendedDisplayCIELabValue", "GraphicLayerDescription",
        ),
        "GraphicObjectSequence": (
            "GraphicAnnotationUnits", "GraphicDimensions", "NumberOfGraphicPoints", "GraphicData",
            "GraphicType", "GraphicFilled",
        ),
        "MeasuredValueSequence": ("NumericValue", "FloatingPointValue", "MeasurementUnitsCodeSequence"),
        "MeasurementUnitsCodeSequence": _CODE,
        "ModalityLUTSequence": (*_LUT, "ModalityLUTType"),
        "ParametricMapFrameTypeSequence": ("FrameType",),
        "PerFrameFunctionalGroupsSequence": (
            "DerivationImageSequence", "FrameContentSequence", "PlanePositionSequence",
        ),
        "PerformedProcedureCodeSequence": (),
        "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
        "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
        "PlaneOrientationSequence": ("ImageOrientationPatient",),
        "PlanePositionSequence": ("ImagePositionPatient",),
        "PredecessorDocumentsSequence": ("StudyInstanceUID", "ReferencedSeriesSequence"),
        "PurposeOfReferenceCodeSequence": _CODE,
        "QuantityDefinitionSequence": ("ValueType", "ConceptNameCodeSequence", "ConceptCodeSequence"),
        "RealWorldValueMappingSequence": (
            "DoubleFloatRealWorldValueFirstValueMapped", "DoubleFloatRealWorldValueLastValueMapped",
            "LUTExplanation", "LUTLabel", "MeasurementUnitsCodeSequence", "QuantityDefinitionSequence",
            "RealWorldValueIntercept", "RealWorldValueSlope",
        ),
        "ReferencedImageSequence": _REFERENCE,
        "ReferencedInstanceSequence": _REFERENCE,
        "ReferencedPerformedProcedureStepSequence": (),
        "ReferencedRequestSequence": (
            "StudyInstanceUID", "ReferencedStudySequence", "AccessionNumber", "RequestedProcedureID",
            "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest",
            "RequestedProcedureDescription", "RequestedProcedureCodeSequence",
            "ReasonForTheRequestedProcedure",
        ),
        "ReferencedSOPSequence": _REFERENCE,
        "ReferencedSeriesSequence": (
            "SeriesInstanceUID", "ReferencedSOPSequence", "ReferencedImageSequence",
            "ReferencedInstanceSequence",
        ),
        "ReferencedStudySequence": (),
        "RequestedProcedureCodeSequence": (*_CODE, "CodingSchemeVersion"),
        "SharedFunctionalGroupsSequence": (
            "FrameVOILUTSequence", "ParametricMapFrameTypeSequence", "PixelMeasuresSequence",
            "PixelValueTransformationSequence", "PlaneOrientationSequence", "RealWorldValueMappingSequence",
        ),
        "SoftcopyVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
        "SourceImageSequence": (*_REFERENCE, "PurposeOfReferenceCodeSequence"),
        "TextObjectSequence": (
            "BoundingBoxAnnotationUnits", "BoundingBoxTopLeftHandCorner", "BoundingBoxBottomRightHandCorner",
            "BoundingBoxTextHorizontalJustification", "UnformattedTextValue", "AnchorPointAnnotationUnits",
            "AnchorPoint", "AnchorPointVisibility",
        ),
        "VOILUTSequence": _LUT,
    }
)  # fmt: skip
_OF_SEVERAL: Final = frozenset(
    {
        "ContentSequence", "ContributingEquipmentSequence", "CurrentRequestedProcedureEvidenceSequence",
        "DimensionIndexSequence", "GraphicAnnotationSequence", "GraphicLayerSequence",
        "GraphicObjectSequence", "PredecessorDocumentsSequence", "QuantityDefinitionSequence",
        "ReferencedRequestSequence", "ReferencedSOPSequence", "ReferencedSeriesSequence",
        "RequestedProcedureCodeSequence",
    }
)  # fmt: skip


def _tags(keywords: Iterable[str]) -> frozenset[int]:
    return frozenset(tag for tag in map(tag_for_keyword, keywords) if tag is not None)


ROOT_TAGS: Final = MappingProxyType({kind: _tags(keywords) for kind, keywords in _ROOT.items()})
ITEM_TAGS: Final = MappingProxyType({tag_for_keyword(name): _tags(inside) for name, inside in _ITEM.items()})
# All others have one item at most: of two codes a reader sees the one, a machine takes the other.
OF_SEVERAL: Final = _tags(_OF_SEVERAL)
