import { z } from "zod";
import { fnv1a } from "./fnv1a.ts";
import { LOGIN } from "./login.ts";

/** Live channels are spread over this many partitions. Fixed for the life of a log: changing it moves channels between subjects. */
export const LIVE_PARTITIONS = 32;
/** Imported streams have partitions of their own behind those: what is read as fast as it can be never stands before what happens now. */
const VOD_PARTITIONS = 8;
export const PARTITIONS = LIVE_PARTITIONS + VOD_PARTITIONS;
/** How the id of an imported stream's channel begins (contracts/src/vod.ts). No live channel's does. */
export const VOD_CHANNEL = "vod-";
export const isVodPartition = (partition: number): boolean => partition >= LIVE_PARTITIONS;

/** Twitch's numeric user id of a broadcaster, as text: the key of everything that belongs to a channel. */
export const channelId = z
  .string()
  .regex(/^[0-9A-Za-z_-]{1,64}$/, "a channel id has 1 to 64 letters, digits, _ or -");
/** A Twitch login: what stands after twitch.tv/. */
export const login = z.string().regex(LOGIN, "a Twitch login has 1 to 25 lower-case letters, digits or _");

/** The partition (0 … PARTITIONS − 1) that carries a channel: order is kept inside it, work spreads across them. */
export const partitionOf = (channel: string): number =>
  channel.startsWith(VOD_CHANNEL)
    ? LIVE_PARTITIONS + (fnv1a(channel) % VOD_PARTITIONS)
    : fnv1a(channel) % LIVE_PARTITIONS;

export interface EventType<Schema extends z.ZodType = z.ZodType> {
  /** The first two tokens of the subject, and the only place that they are spelled. */
  readonly name: string;
  /** `channel`: `<name>.<partition>.<channelId>`; `partition`: `<name>.<partition>`, many channels in one message. */
  readonly per: "channel" | "partition";
  readonly schema: Schema;
}

export type Payload<Type extends EventType> = z.infer<Type["schema"]>;

/** One constant for an event's subject, schema and type. */
export function defineEvent<Schema extends z.ZodType>(
  name: `${string}.${string}`,
  per: EventType["per"],
  schema: Schema,
): EventType<Schema> {
  return { name, per, schema };
}

/** Where an event of a channel is published; `per: "partition"` events of all its channels share one subject. */
export function subjectOf(type: EventType, channel: string): string {
  const partition = partitionOf(channel);
  return type.per === "channel" ? `${type.name}.${partition}.${channel}` : `${type.name}.${partition}`;
}

/** The subjects of one partition, or of all with `"*"`, for a consumer's filter or a stream's declaration. */
export function subjectFilter(type: EventType, partition: number | "*"): string {
  return type.per === "channel" ? `${type.name}.${partition}.*` : `${type.name}.${partition}`;
}
