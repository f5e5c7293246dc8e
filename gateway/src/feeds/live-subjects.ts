import { LIVE_PARTITIONS, subjectFilter, type EventType } from "@hypecast/contracts/event.ts";

/** An event's subjects of live channels alone: what an import publishes, as fast as it can, is not even sent here. */
export const liveSubjects = (type: EventType): string[] =>
  Array.from({ length: LIVE_PARTITIONS }, (_, partition) => subjectFilter(type, partition));
