import { connect, type Socket } from "node:net";
import { Latencies } from "./measure.ts";

/** Stands before the send time (whole microseconds, 16 digits) in every event. */
export const STAMP = "@@";
const STAMP_DIGITS = 16;
const STAMP_BYTES = Buffer.from(STAMP);
const CONNECT_AT_ONCE = 100;
/** Every event of every client is counted; of every eighth client it is timed. */
const TIMED_EVERY = 8;

export const stampNow = (): string =>
  STAMP + String(Math.round(performance.now() * 1000)).padStart(STAMP_DIGITS, "0");

export interface Clients {
  readonly latencies: () => Latencies;
  /** Events that arrived since the last `reset`. */
  readonly deliveries: () => number;
  /** Websocket frames that carried at least one event, of the first client. */
  readonly framesOfOne: () => number;
  reset(): void;
  close(): void;
}

/**
 * Bare sockets that speak just enough websocket: they cost little beside the server. Events are found by their stamp, without
 * parsing; a stamp cut in two by a read is put together again.
 */
export async function openClients(
  port: number,
  count: number,
  path: string,
  first: readonly string[],
): Promise<Clients> {
  let latencies = new Latencies();
  let deliveries = 0;
  let framesOfOne = 0;
  const sockets: Socket[] = [];
  const shared = Buffer.allocUnsafe(256 * 1024);

  const open = async (index: number): Promise<void> => {
    const timed = index % TIMED_EVERY === 0;
    let upgraded = false;
    let rest = Buffer.alloc(0);
    await new Promise<void>((resolve, reject) => {
      const socket = connect({
        port,
        host: "127.0.0.1",
        onread: {
          buffer: shared,
          callback(bytes, buffer) {
            const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, bytes);
            if (!upgraded) {
              if (!chunk.includes("\r\n\r\n")) return true;
              upgraded = chunk.includes(" 101 ");
              if (!upgraded) {
                reject(new Error(chunk.toString("latin1", 0, 80)));
                return false;
              }
              for (const message of first) socket.write(frame(message));
              resolve();
              return true;
            }
            const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
            let at = data.indexOf(STAMP_BYTES);
            if (at >= 0 && index === 0) framesOfOne++;
            const nowUs = performance.now() * 1000;
            while (at >= 0 && at + STAMP.length + STAMP_DIGITS <= data.length) {
              const end = at + STAMP.length + STAMP_DIGITS;
              deliveries++;
              if (timed)
                latencies.add((nowUs - Number(data.toString("latin1", at + STAMP.length, end))) / 1000);
              at = data.indexOf(STAMP_BYTES, end);
            }
            // The last bytes may be the beginning of a stamp.
            rest =
              at >= 0
                ? Buffer.from(data.subarray(at))
                : data.at(-1) === STAMP_BYTES[0]
                  ? Buffer.from(STAMP[0] ?? "")
                  : EMPTY;
            return true;
          },
        },
      });
      socket.on("error", reject);
      socket.setNoDelay(true);
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      );
      sockets.push(socket);
    });
  };
  for (let begun = 0; begun < count; begun += CONNECT_AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(CONNECT_AT_ONCE, count - begun) }, (_none, i) => open(begun + i)),
    );
  return {
    latencies: () => latencies,
    deliveries: () => deliveries,
    framesOfOne: () => framesOfOne,
    reset() {
      latencies = new Latencies();
      deliveries = 0;
      framesOfOne = 0;
    },
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
}
const EMPTY = Buffer.alloc(0);

/** One masked client frame; the mask is zero, so the payload is itself. */
export function frame(payload: string): Buffer {
  const body = Buffer.from(payload);
  const head =
    body.length < 126
      ? Buffer.from([0x81, 0x80 | body.length])
      : Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255]);
  return Buffer.concat([head, Buffer.alloc(4), body]);
}
