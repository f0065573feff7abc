"""Studies as the HTTP door tells them, gathered from the ledger: the same for programs and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from wetread.api.schemas import (
    AnalysisOut,
    BoxOut,
    CodeOut,
    DeliveryOut,
    FindingOut,
    FindingSummary,
    HeldObjectOut,
    ImageOut,
    ModelRef,
    ObjectOut,
    OperatingPointsOut,
    PatientOut,
    ReasonOut,
    RevisionOut,
    StepOut,
    StudyLineOut,
    StudyOut,
)
from wetread.domain import (
    NEVER,
    Analysis,
    AnalysisState,
    Code,
    Delivery,
    DeliveryState,
    Finding,
    Instance,
    InstanceId,
    OperatingPoints,
    Outcome,
    Report,
    StudyUid,
    Zone,
)
from wetread.errors import NotFound
from wetread.ledger import Ledger
from wetread.ledger.held import Held
from wetread.ledger.studies import Step
from wetread.ledger.views import StudyLine

Analyses = Mapping[InstanceId, Sequence[Analysis]]


def list_worklist(ledger: Ledger, *, limit: int, offset: int) -> list[StudyLineOut]:
    """Lines in triage order, each with its worst findings."""
    lines = ledger.views.worklist(limit=limit, offset=offset)
    return [_to_line(line, ledger.analyses.of_study(line.study)) for line in lines]


def find_study(ledger: Ledger, uid: str) -> StudyOut:
    """All that is known of one study. Raises NotFound."""
    study = StudyUid(uid)
    line = ledger.views.study(study)
    if line is None:
        raise NotFound("no such study here")
    analyses = ledger.analyses.of_study(study)
    instances = ledger.instances.of_study(study)
    steps = [*_arrivals(instances), *ledger.studies.timeline(study)]
    return StudyOut(
        **dict(_to_line(line, analyses)),
        images=_to_images(instances, analyses),
        revisions=[_to_revision(report) for report in ledger.reports.revisions(study)],
        timeline=[_to_step(step, since=line.first_image_at) for step in sorted(steps, key=lambda s: s.at)],
        deliveries=list_deliveries(ledger, uid),
        held=[to_held_out(held) for held in ledger.held.of_study(study)],
    )


def list_images(ledger: Ledger, uid: str) -> list[ImageOut]:
    """A study's images with what was found on them, in order of arrival."""
    study = StudyUid(uid)
    return _to_images(ledger.instances.of_study(study), ledger.analyses.of_study(study))


def list_deliveries(ledger: Ledger, uid: str) -> list[DeliveryOut]:
    """What is owed and done of a study's results."""
    return [to_delivery_out(delivery) for delivery in ledger.deliveries.of_study(StudyUid(uid))]


def to_delivery_out(delivery: Delivery) -> DeliveryOut:
    """One delivery; when the next try is due only where there will be one."""
    is_owed = delivery.state in (DeliveryState.PENDING, DeliveryState.REFUSED)
    is_waiting = is_owed and delivery.next_attempt_at < NEVER
    return DeliveryOut(
        id=delivery.id,
        StudyInstanceUID=delivery.study,
        SOPInstanceUID=delivery.object.SOPInstanceUID,
        kind=delivery.object.kind,
        destination=delivery.destination,
        state=delivery.state,
        attempts=delivery.attempts,
        next_attempt_at=to_time(delivery.next_attempt_at) if is_waiting else None,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        sent_at=None if delivery.sent_at is None else to_time(delivery.sent_at),
    )


def to_held_out(held: Held) -> HeldObjectOut:
    """One object held back."""
    return HeldObjectOut(
        id=held.id,
        at=to_time(held.at),
        StudyInstanceUID=held.study,
        revision=held.revision,
        kind=held.kind,
        SOPInstanceUID=held.SOPInstanceUID,
        source=held.source,
        reason=held.reason,
    )


def to_time(at: float) -> datetime:
    """Epoch seconds as a time in UTC."""
    return datetime.fromtimestamp(at, UTC)


def to_code_out(code: Code) -> CodeOut:
    """A coded concept."""
    return CodeOut(value=code.value, scheme=code.scheme, meaning=code.meaning)


def to_points_out(points: OperatingPoints) -> OperatingPointsOut:
    """Two thresholds."""
    return OperatingPointsOut(sensitive=points.sensitive, specific=points.specific)


def _to_line(line: StudyLine, analyses: Analyses) -> StudyLineOut:
    patient = PatientOut(
        id=line.patient_id, name=line.patient_name, birth_date=line.patient_birth_date, sex=line.patient_sex
    )
    return StudyLineOut(
        StudyInstanceUID=line.study,
        state="concluded" if line.state == "concluded" else "open",
        revision=line.revision,
        outcome=Outcome(line.outcome) if line.outcome else None,
        zone=Zone(line.worst_zone) if line.worst_zone else None,
        is_urgent=line.is_urgent,
        first_image_at=to_time(line.first_image_at),
        last_image_at=to_time(line.last_image_at),
        concluded_at=None if line.concluded_at is None else to_time(line.concluded_at),
        image_count=line.image_count,
        unread_image_count=line.image_count - sum(map(_is_read, analyses.values())),
        patient=patient,
        accession_number=line.accession_number,
        study_date=line.study_date,
        study_time=line.study_time,
        study_description=line.study_description,
        findings=_summarise(analyses.values()),
        problem=line.problem,
    )


def _is_read(analyses: Sequence[Analysis]) -> bool:
    return any(analysis.state is AnalysisState.DONE for analysis in analyses)


def _summarise(analyses: Iterable[Sequence[Analysis]]) -> list[FindingSummary]:
    """Each concept once, where it is most probable; the most alarming zone first."""
    worst: dict[str, Finding] = {}
    found = (finding for group in analyses for analysis in group for finding in analysis.findings)
    for finding in sorted(found, key=lambda finding: finding.probability):
        worst[finding.code.value] = finding
    order = list(Zone)
    ranked = sorted(worst.values(), key=lambda f: (order.index(f.zone), -f.probability, f.label))
    return [FindingSummary(label=f.label, probability=f.probability, zone=f.zone) for f in ranked]


def _to_images(instances: Sequence[Instance], analyses: Analyses) -> list[ImageOut]:
    return [_to_image(instance, analyses.get(instance.id, ())) for instance in instances]


def _to_image(instance: Instance, analyses: Sequence[Analysis]) -> ImageOut:
    header = instance.header
    study, uid = header.StudyInstanceUID, header.SOPInstanceUID
    return ImageOut(
        SOPInstanceUID=uid,
        SOPClassUID=header.SOPClassUID,
        modality=header.Modality,
        body_part=header.body_part,
        view=header.view,
        laterality=header.laterality,
        rows=header.Rows,
        columns=header.Columns,
        size_bytes=instance.size_bytes,
        received_at=to_time(instance.received_at),
        calling_aet=instance.calling_aet,
        is_conflicting=instance.is_conflicting,
        rendered=f"/api/v1/studies/{study}/instances/{uid}/rendered",
        analyses=[_to_analysis(analysis) for analysis in analyses],
    )


def _to_analysis(analysis: Analysis) -> AnalysisOut:
    model = analysis.model
    reason = ReasonOut(code=analysis.reason, text=analysis.reason_text) if analysis.reason else None
    return AnalysisOut(
        model=ModelRef(name=model.name, version=model.version, digest=model.digest),
        state=analysis.state,
        reason=reason,
        provider=analysis.provider,
        attempts=analysis.attempts,
        findings=[_to_finding(finding) for finding in analysis.findings],
    )


def _to_finding(finding: Finding) -> FindingOut:
    return FindingOut(
        code=to_code_out(finding.code),
        label=finding.label,
        probability=finding.probability,
        zone=finding.zone,
        operating_points=to_points_out(finding.operating_points),
        boxes=[
            BoxOut(left=b.left, top=b.top, right=b.right, bottom=b.bottom, probability=b.probability)
            for b in finding.boxes
        ],
        has_heat_map=finding.heat_map is not None,
    )


def _to_revision(report: Report) -> RevisionOut:
    objects = [
        ObjectOut(
            SOPInstanceUID=item.SOPInstanceUID,
            SOPClassUID=item.SOPClassUID,
            SeriesInstanceUID=item.SeriesInstanceUID,
            kind=item.kind,
            size_bytes=item.size_bytes,
            source=item.source,
            href=f"/api/v1/studies/{report.study}/objects/{item.SOPInstanceUID}",
        )
        for item in report.objects
    ]
    return RevisionOut(
        revision=report.revision,
        outcome=report.outcome,
        created_at=to_time(report.created_at),
        objects=objects,
    )


def _arrivals(instances: Sequence[Instance]) -> list[Step]:
    """Arrival is kept with each image, not in the timeline."""
    return [
        Step("received", instance.received_at, 0.0, instance.header.SOPInstanceUID) for instance in instances
    ]


def _to_step(step: Step, *, since: float) -> StepOut:
    return StepOut(
        step=step.step,
        at=to_time(step.at),
        since_first_ms=round(1000 * (step.at - since), 1),
        duration_ms=round(step.duration_ms, 1),
        SOPInstanceUID=step.instance,
        revision=step.revision,
        detail=step.detail,
    )
