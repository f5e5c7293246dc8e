import type { EventBody, Reply, Request } from "./http.ts";
import { followers as open } from "./metrics.ts";
import { ProblemError } from "./problems.ts";

/** Connections that read events at the same time. */
const MOST_FOLLOWERS = 2000;

/** A record as events tell it. */
export interface Told {
  readonly revision: number;
  /** Nothing more will come of it. */
  readonly isFinal: boolean;
  readonly data: unknown;
}

export interface Follow<Value> {
  /** Tells whoever follows a record how it is now; null: it is gone. */
  readonly changed: (id: string, value: Value | null) => void;
  /** The record, whole, at each change, until it is final. Null: there is no such record. Throws ProblemError. */
  reply(
    id: string,
    read: (id: string) => Value | null,
    toldOf: (value: Value) => Told,
    request: Request,
    /** Throws ProblemError unless the person may read it; asked again before each event. */
    authorise: () => void,
  ): Reply | null;
}

/** Records of one kind, whose changes are followed by server-sent events. */
export function createFollow<Value>(): Follow<Value> {
  const followers = new Map<string, Set<(value: Value | null) => void>>();
  let count = 0;
  return {
    changed(id, value) {
      for (const take of followers.get(id) ?? []) take(value);
    },
    reply(id, read, toldOf, request, authorise) {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET, HEAD" });
      authorise();
      const found = read(id);
      if (found === null) return null;
      const now = toldOf(found);
      const said = revisionIn(request.header("last-event-id"));
      // A revision that is still to come was never told: it is made up, or of another record.
      const seen = said === null || said > now.revision ? null : said;
      // To an EventSource that comes back for more this says that there is none.
      if (now.isFinal && seen === now.revision) return { status: 204 };
      if (count >= MOST_FOLLOWERS)
        throw new ProblemError("busy", `${count} connections read events`, { "Retry-After": "5" });
      const body: EventBody = {
        follow({ tell, end }) {
          let newest = seen ?? -1;
          const take = (value: Value | null): void => {
            try {
              authorise();
            } catch {
              // Their role was taken away meanwhile: who asks again is told so.
              return end();
            }
            const told = value === null ? null : toldOf(value);
            if (told === null) tell('event: removed\ndata: {"removed":true}\n\n');
            // A watch may tell of an older one than was read.
            else if (told.revision > newest) {
              newest = told.revision;
              tell(`id: ${told.revision}\ndata: ${JSON.stringify(told.data)}\n\n`);
            }
            if (told === null || told.isFinal) end();
          };
          const others = followers.get(id) ?? new Set();
          followers.set(id, others.add(take));
          count++;
          open.inc();
          // It may have changed since the request came.
          take(read(id));
          return () => {
            if (!others.delete(take)) return;
            count--;
            open.dec();
            if (others.size === 0) followers.delete(id);
          };
        },
      };
      return {
        status: 200,
        headers: {
          "Content-Type": "text/event-stream",
          "Cache-Control": "no-store",
          // Proxies that gather answers would hold events back.
          "X-Accel-Buffering": "no",
        },
        body,
      };
    },
  };
}

/** What a client says that it has seen. Anything but a revision is nothing. */
const revisionIn = (header: string): number | null => (/^\d{1,15}$/.test(header) ? Number(header) : null);
