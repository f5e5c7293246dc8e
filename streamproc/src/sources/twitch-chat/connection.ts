import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";
import { splitLines } from "./lines.ts";

/** A frame of Twitch has a few lines; this is what an ill-behaved server may send at most in one. */
const FRAME_BYTES = 1024 * 1024;

export interface Transport {
  /** One command without its line end. Lost when the connection is gone: the caller hears `closed`. */
  send(command: string): void;
  close(): void;
}

export interface TransportEvents {
  open: () => void;
  /** Some bytes came, whatever they say. Called before their lines. */
  heard: () => void;
  line: (text: string, from: number, to: number) => void;
  /** Lines thrown away for their length. */
  tooLong: (lines: number) => void;
  /** A `Date` header of the server. */
  dated: (atMs: number) => void;
  /** Once, and nothing after it. */
  closed: (reason: string) => void;
}

/** Opens Twitch chat at `url`: `wss:` and `ws:` speak IRC in text frames, `ircs:` and `irc:` over TCP. */
export function openTransport(url: string, events: TransportEvents): Transport {
  const splitter = splitLines();
  let over = false;
  let longBefore = 0;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    events.closed(reason);
  };
  const heard = (chunk: Buffer): void => {
    if (over) return;
    events.heard();
    splitter.push(chunk, events.line);
    if (splitter.tooLong > longBefore) {
      events.tooLong(splitter.tooLong - longBefore);
      longBefore = splitter.tooLong;
    }
  };
  const open = (): void => {
    if (!over) events.open();
  };
  return /^wss?:/.test(url)
    ? overWebSocket(url, open, heard, end, events.dated)
    : overTcp(url, open, heard, end);
}

function overWebSocket(
  url: string,
  open: () => void,
  heard: (chunk: Buffer) => void,
  end: (reason: string) => void,
  dated: (atMs: number) => void,
): Transport {
  const socket = new WebSocket(url, "irc", {
    maxPayload: FRAME_BYTES,
    handshakeTimeout: 10_000,
    perMessageDeflate: false,
    // Broken UTF-8 is ours to replace; refusing the frame would cost every line in it and the connection.
    skipUTF8Validation: true,
  });
  socket.on("upgrade", (response) => {
    const date = Date.parse(response.headers.date ?? "");
    if (!Number.isNaN(date)) dated(date);
  });
  socket.on("open", open);
  socket.on("message", (data) => {
    const chunk = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    // A frame holds whole lines; the last may lack its end.
    heard(chunk[chunk.length - 1] === 10 ? chunk : Buffer.concat([chunk, Buffer.from("\n")]));
  });
  socket.on("pong", () => heard(Buffer.alloc(0)));
  socket.on("error", (error) => end(error.message));
  socket.on("close", (code, reason) =>
    end(`closed by the server (${code}${reason.length > 0 ? ` ${reason.toString()}` : ""})`),
  );
  return {
    send: (command) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(`${command}\r\n`);
    },
    close: () => {
      socket.terminate();
      end("closed");
    },
  };
}

function overTcp(
  url: string,
  open: () => void,
  heard: (chunk: Buffer) => void,
  end: (reason: string) => void,
): Transport {
  const { hostname: host, port, protocol } = new URL(url);
  const tls = protocol === "ircs:";
  const at = { host, port: Number(port || (tls ? 6697 : 6667)) };
  const socket: Socket = tls ? connectTls({ ...at, servername: host }, open) : connectTcp(at, open);
  socket.setNoDelay(true);
  socket.on("data", heard);
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("closed by the server"));
  return {
    send: (command) => {
      if (!socket.destroyed) socket.write(`${command}\r\n`);
    },
    close: () => {
      socket.destroy();
      end("closed");
    },
  };
}
