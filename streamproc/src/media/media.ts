import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import { isPictureChannel, vodIdOf } from "@hypecast/contracts/vod.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { assign } from "../partitions/assign.ts";
import type { Members } from "../partitions/members.ts";
import { startChannel, type ChannelWork } from "./channel-work.ts";
import type { CutModel } from "./cut-model.ts";
import { fences } from "./isolation.ts";
import { mediaMeters as meters } from "./media-meters.ts";
import { addedAt } from "./priority.ts";
import type { SegmentLog } from "./segment-log.ts";
import { CHECK_EVERY_MS, nothingShed, stepShed } from "./shed.ts";
import type { Workers } from "./workers.ts";

export interface MediaOptions {
  readonly log: SegmentLog;
  readonly objects: Objects;
  readonly workers: Workers;
  /** For imported streams: they give way to everything live, and of one stream so many segments are measured at once. */
  readonly vodWorkers: { readonly workers: Pick<Workers, "measure">; readonly atOnce: number };
  readonly cutModel: Pick<CutModel, "isThere" | "chances">;
  readonly instance: string;
  /** A wait that grows above this leaves channels out (see shed.ts); Infinity: never. */
  readonly behindMostMs: number;
  readonly logger: Logger;
}

export interface Media {
  /** Call whenever the members may have changed. */
  settle(members: Members): void;
  health(): Health;
  close(): Promise<void>;
}

const AGAIN_MS = 500;
/** An imported stream of which nothing has come for so long is let go; with its next segment it is taken up again. */
const VOD_IDLE_MS = 120_000;

/**
 * Owns this process's share of the channels that have video and measures their segments. As with partitions, who owns what is an
 * optimisation: the log takes each segment's measurement once.
 */
export function startMedia(nc: NatsConnection, options: MediaOptions): Media {
  const { log, logger, workers, instance } = options;
  const closing = new AbortController();
  const channels = new Set<string>();
  const works = new Map<string, ChannelWork>();
  const leaving = new Map<string, Promise<void>>();
  let members: Members | null = null;
  let shed = nothingShed(Date.now());
  let priorities = new Map<string, number>();

  const live = { ...options, atOnce: 1, isShed: (channelId: string) => shed.shed.has(channelId) };
  const imported = { ...options, ...options.vodWorkers, isShed: () => false };
  const isLive = (id: string): boolean => vodIdOf(id) === null;
  /** When something of an imported stream was last seen. */
  const seenMs = new Map<string, number>();
  const forgetIdle = (nowMs: number): void => {
    for (const [id, atMs] of seenMs) {
      if (nowMs - atMs < VOD_IDLE_MS || (works.get(id)?.backlog() ?? 0) > 0) continue;
      seenMs.delete(id);
      channels.delete(id);
      const work = works.get(id);
      if (work !== undefined) leave(id, work);
    }
  };
  const liveWorks = (): [string, ChannelWork][] => [...works].filter(([id]) => isLive(id));
  // Said only when it changes: what members say makes everybody settle again.
  let said = "";
  const say = (): void => {
    const holds = [...new Set([...works.keys(), ...leaving.keys()])].toSorted();
    if (holds.join() === said) return;
    said = holds.join();
    members?.say(holds);
  };
  const leave = (id: string, work: ChannelWork): void => {
    works.delete(id);
    const left = work.close().finally(() => {
      leaving.delete(id);
      if (!closing.signal.aborted) settle();
    });
    leaving.set(id, left);
  };

  function settle(): void {
    if (members === null || closing.signal.aborted) return;
    const alive = members.alive();
    if (alive === null) {
      // Nobody hears us: others may have taken over.
      for (const [id, work] of works) leave(id, work);
      say();
      return;
    }
    const owners = assign([...channels], alive);
    const others = alive.filter((id) => id !== instance);
    for (const id of channels) {
      const mine = owners.get(id) === instance;
      const work = works.get(id);
      if (!mine && work !== undefined) leave(id, work);
      const held = leaving.has(id) || others.some((other) => members?.holds(other).includes(id));
      if (mine && work === undefined && !held) works.set(id, startChannel(id, isLive(id) ? live : imported));
    }
    say();
  }

  const discovering = (async () => {
    while (!closing.signal.aborted) {
      // A reader stalls after a restart of the server: each connection has its own.
      const connection = new AbortController();
      const signal = AbortSignal.any([closing.signal, connection.signal]);
      const lost = onReconnect(nc, () => connection.abort());
      try {
        for await (const id of log.channels(signal)) {
          if (!isLive(id)) {
            if (!isPictureChannel(id)) continue;
            seenMs.set(id, Date.now());
          }
          if (channels.has(id)) continue;
          channels.add(id);
          settle();
        }
      } catch (error) {
        if (!closing.signal.aborted) logger.warn({ err: error }, "the log cannot be read yet");
      }
      lost();
      await sleep(AGAIN_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  })();

  const checking = setInterval(() => {
    // Before anybody can work nobody is too slow.
    if (workers.decoder() === null) return;
    const nowMs = Date.now();
    forgetIdle(nowMs);
    const before = shed.shed;
    shed = stepShed(
      shed,
      liveWorks().map(([id, work]) => ({
        id,
        priority: priorities.get(id) ?? 0,
        behindMs: work.behindMs(nowMs),
      })),
      nowMs,
      options.behindMostMs,
    );
    for (const id of shed.shed)
      if (!before.has(id))
        logger.warn({ channel: id, behindMs: shed.worstMs }, "left out: measuring is behind");
    for (const id of before) if (!shed.shed.has(id)) logger.info({ channel: id }, "measured again");
    if (shed.worstMs > CHECK_EVERY_MS)
      addedAt(nc).then(
        (found) => (priorities = found),
        (error: unknown) => logger.warn({ err: error }, "who was added last cannot be read"),
      );
  }, CHECK_EVERY_MS);

  return {
    settle(known) {
      members = known;
      settle();
    },
    health() {
      const nowMs = Date.now();
      const all = liveWorks().map(([, work]) => work);
      const vods = [...works].filter(([id]) => !isLive(id));
      const behindS = Math.max(0, ...all.map((work) => work.behindMs(nowMs))) / 1000;
      const backlog = all.reduce((sum, work) => sum + work.backlog(), 0);
      const { network, memory } = fences();
      meters.backlog.set(backlog);
      meters.behindSeconds.set(behindS);
      meters.shed.set(shed.shed.size);
      const figures = {
        channels: all.length,
        backlog,
        behindS,
        shed: shed.shed.size,
        ...workers.figures(),
        imported: vods.length,
        importedBacklog: vods.reduce((sum, [, work]) => sum + work.backlog(), 0),
        cutOff: network && memory ? 1 : 0,
      };
      const reason = reasonOf([...works.values()], behindS, backlog);
      const down = members !== null && members.alive() === null;
      return { status: down ? "down" : reason === null ? "ok" : "degraded", reason, figures };
    },
    async close() {
      closing.abort();
      clearInterval(checking);
      await Promise.all([...works.values()].map(async (work) => work.close()));
      await Promise.all(leaving.values());
      await discovering;
    },
  };

  function reasonOf(all: readonly ChannelWork[], behindS: number, backlog: number): string | null {
    if (members !== null && members.alive() === null)
      return "not connected to the log: nothing is measured until it is back";
    if (workers.decoder() === null) return "no media worker is ready yet: nothing is measured";
    const trouble = all.map((work) => work.trouble()).find((said) => said !== null);
    if (trouble !== undefined) return `files cannot be read or stored: ${trouble}`;
    if (shed.shed.size > 0)
      return `${shed.shed.size} channels are left out because measuring is behind; the others are live`;
    if (behindS > 5)
      return `working off a backlog of ${backlog} segments, ${behindS.toFixed(0)} s old; live values follow`;
    return null;
  }
}

function onReconnect(nc: NatsConnection, tell: () => void): () => void {
  let over = false;
  void (async () => {
    for await (const { type } of nc.status()) {
      if (over) return;
      if (type === "reconnect") tell();
    }
  })();
  return () => void (over = true);
}
