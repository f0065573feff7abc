"""What every result object carries beside its content: who made it, when, by which networks."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from wetread.domain import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, SOFTWARE_VERSION, Analysis
from wetread.report import codes, identity
from wetread.report.items import concept
from wetread.report.source import lend_identity, local_time


def stamp(ds: Dataset, *, source: Dataset, at: float) -> None:
    """Write patient, study, maker, moment and file meta information over whatever stands there.

    `at` is seconds since the epoch; the times are in the source's time zone. No clock is read, so the
    same input gives the same object.
    """
    lend_identity(ds, source)
    moment = local_time(at, source)
    date, time = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")
    ds.InstanceCreationDate = ds.ContentDate = date
    ds.InstanceCreationTime = ds.ContentTime = time
    ds.TimezoneOffsetFromUTC = moment.strftime("%z")[:5]
    ds.InstanceCreatorUID = identity.OBSERVER_UID
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.Manufacturer = identity.MANUFACTURER
    ds.ManufacturerModelName = identity.MODEL_NAME
    ds.SoftwareVersions = SOFTWARE_VERSION
    ds.file_meta = _file_meta(ds)


def add_equipment(ds: Dataset, analyses: Iterable[Analysis]) -> None:
    """One contributing equipment item per network, with its own device UID (PS3.3 C.12.1.1.5)."""
    models = {identity.device_uid(a.model): a.model for a in analyses}
    items = []
    for uid, model in sorted(models.items(), key=lambda pair: (pair[1].name, pair[1].version, pair[0])):
        item = Dataset()
        item.Manufacturer = identity.MANUFACTURER
        item.ManufacturerModelName = model.name[:64]
        item.SoftwareVersions = model.version[:64]
        item.DeviceUID = uid
        item.ContributionDescription = (
            f"Neural network, SHA-256 {model.digest}" if model.digest else "Neural network"
        )
        item.PurposeOfReferenceCodeSequence = [concept(codes.PROCESSING_ALGORITHM)]
        items.append(item)
    if items:
        ds.ContributingEquipmentSequence = items
    elif "ContributingEquipmentSequence" in ds:
        del ds.ContributingEquipmentSequence


def _file_meta(ds: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
