import type { ChannelSummary, SystemState } from "@hypecast/contracts/push.ts";
import { ClipStore } from "./clips/store.svelte.ts";
import { LiveSocket, type Link } from "./live/socket.ts";

/** What every page shares: the one websocket, the list of channels, how the parts are. */
class App {
  link = $state.raw<Link>({ state: "connecting", attempt: 0 });
  /** Null until the gateway has said. */
  channels = $state.raw<readonly ChannelSummary[] | null>(null);
  system = $state.raw<SystemState | null>(null);
  /** When the page last was connected; for "9 s ago". */
  openUntilMs = $state(0);
  nowMs = $state(Date.now());
  readonly clips = new ClipStore();

  readonly socket = new LiveSocket(
    {
      open: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`),
      now: () => Date.now(),
      random: () => Math.random(),
      later: (run, ms) => window.setTimeout(run, ms),
      cancel: (timer) => window.clearTimeout(timer),
    },
    (link) => {
      this.link = link;
    },
  );

  /** Called once by the layout; returns the end. */
  start(): () => void {
    const stops = [
      this.socket.subscribe("channels", {
        message: ({ d }) => {
          this.channels = d as ChannelSummary[];
        },
      }),
      this.socket.subscribe("sys", {
        message: ({ d }) => {
          this.system = d as SystemState;
        },
      }),
      this.clips.follow(this.socket),
    ];
    const back = (): void => {
      if (document.visibilityState === "visible") this.socket.connectNow();
    };
    const second = setInterval(() => {
      this.nowMs = Date.now();
      if (this.link.state === "open") this.openUntilMs = this.nowMs;
    }, 1000);
    window.addEventListener("online", back);
    document.addEventListener("visibilitychange", back);
    this.socket.start();
    return () => {
      clearInterval(second);
      window.removeEventListener("online", back);
      document.removeEventListener("visibilitychange", back);
      for (const stop of stops) stop();
      this.socket.close();
    };
  }

  /** Undefined: the list has come and the channel is not in it. Null: the list has not come yet. */
  summary(login: string): ChannelSummary | null | undefined {
    return this.channels === null ? null : this.channels.find((channel) => channel.login === login);
  }
}

export const app = new App();
