/** A record that is written while one looks: server-sent events, each the whole record, its id the revision. */
export interface Recorded {
  readonly revision: number;
}

/** The newer of two states of one record, whichever came last. */
export const newer = <Kind extends Recorded>(known: Kind | null | undefined, news: Kind): Kind =>
  known !== null && known !== undefined && known.revision > news.revision ? known : news;

/** Streams by id after news of some. */
export function withNews<Kind extends Recorded & { readonly id: string }>(
  known: ReadonlyMap<string, Kind>,
  news: readonly Kind[],
): ReadonlyMap<string, Kind> {
  const next = new Map(known);
  for (const one of news) next.set(one.id, newer(next.get(one.id), one));
  return next;
}

const LOST_AFTER_MS = 2500;

/**
 * Reads a record's events until `done` says that nothing more will come, or the returned function is called. The browser
 * comes back by itself after a cut connection and says which revision it has; `lost` hears of it when that takes longer.
 */
export function followRecord<Kind extends Recorded>(
  address: string,
  more: {
    take: (record: Kind) => void;
    done: (record: Kind) => boolean;
    lost?: (lost: boolean) => void;
    gone?: () => void;
  },
): () => void {
  const events = new EventSource(address);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = (): void => {
    clearTimeout(timer);
    events.close();
  };
  events.addEventListener("message", (event) => {
    clearTimeout(timer);
    timer = undefined;
    more.lost?.(false);
    const record = JSON.parse(event.data) as Kind;
    more.take(record);
    if (more.done(record)) close();
  });
  events.addEventListener("removed", () => {
    close();
    more.gone?.();
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) more.lost?.(true);
    else timer ??= setTimeout(() => more.lost?.(true), LOST_AFTER_MS);
  });
  return close;
}
