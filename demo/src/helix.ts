import { BROOK_ID, FERN_ID, PEPEL_ID } from "./chatters.ts";
import type { Answer } from "./answer.ts";
import { whoHasId, whoIs } from "./directory.ts";
import type { EventSubServer } from "./eventsub.ts";
import type { Faults } from "./faults.ts";
import type { Access, Grants } from "./grants.ts";
import { moderation, problem, userRow, withFault, type ModerationWorld } from "./helix-moderation.ts";
import { hash32 } from "./random.ts";
import { floodRate, floodRoomId, positionAt, ANCHOR_MS } from "./schedule.ts";
import { QUIET_CHANNELS } from "./irc.ts";
import { GAME, PERIOD_MS, RUNS_PER_BROADCAST } from "./world.ts";
import { VOD_CREATED_AT_MS, VOD_ID, VOD_S, VOD_TITLE } from "./vod.ts";
import { spoken } from "./wire.ts";

/** The application that the demo's settings name. */
export const DEMO_CLIENT = { id: "hypecast-demo", secret: "hypecast-demo-secret" } as const;
/** The token of a broadcaster who allows clips to be made; it ends with the others. */
export const DEMO_CLIP_TOKEN = "demo-broadcaster-clips-edit";
/** Points a minute of a token. */
const POINTS = 800;
const TOKEN_S = 5_000_000;

interface Token {
  readonly expiresAtMs: number;
  /** None: an application's. */
  readonly scopes: readonly string[];
  points: number;
  filledAtMs: number;
}

interface User {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly about: string;
  readonly live: {
    readonly title: string;
    readonly game: string;
    readonly gameId: string;
    readonly viewers: number;
  } | null;
  readonly language: string;
}

const KNOWN: readonly User[] = [
  {
    id: PEPEL_ID,
    login: "pepel_lamp",
    name: "pepel_lamp",
    about: "Прохожу замки, пока не пройду.",
    language: "ru",
    live: { title: `«${GAME}», попытка {attempt}`, game: GAME, gameId: "1469308723", viewers: 1840 },
  },
  {
    id: FERN_ID,
    login: "nightfern",
    name: "nightfern",
    about: "Quiet drawing, rain and tea.",
    language: "en",
    live: { title: "drawing the map of an ashen castle", game: "Art", gameId: "509660", viewers: 212 },
  },
  {
    id: BROOK_ID,
    login: "tihiy_ruchey",
    name: "tihiy_ruchey",
    about: "Рыбалка у ручья.",
    language: "ru",
    live: { title: "рыбалка, тишина", game: "Always On", gameId: "499973", viewers: 9 },
  },
  {
    id: QUIET_CHANNELS["offline_mila"] ?? "",
    login: "offline_mila",
    name: "offline_mila",
    about: "",
    language: "ru",
    live: null,
  },
  {
    id: "655310942",
    login: "koshka_v_plashe",
    name: "koshka_v_plashe",
    about: "Готовлю и мурчу.",
    language: "ru",
    live: null,
  },
];

function flood(rate: number): User {
  return {
    id: floodRoomId(rate),
    login: `flood_${rate}`,
    name: `flood_${rate}`,
    about: `${rate} lines a second`,
    language: "en",
    live: {
      title: `${rate} lines a second`,
      game: "Software and Game Development",
      gameId: "1469308723",
      viewers: rate,
    },
  };
}
function userBy(key: "id" | "login", value: string): User | null {
  const known = KNOWN.find((user) => user[key] === value);
  if (known !== undefined) return known;
  const rate = floodRate(key === "login" ? value : `flood_${Number(value) - 900_000_000}`);
  return rate === null ? null : flood(rate);
}

/** What the calls in a person's name need. */
export interface HelixWorld extends ModerationWorld {
  readonly grants: Grants;
  readonly eventSub: Pick<EventSubServer, "ask">;
  readonly faults: Pick<Faults, "moderation">;
}
const PEOPLE_CALLS = /^(?:moderation|chat|eventsub)\//;

/** Helix and its token server. */
export class Helix {
  readonly counts = { tokens: 0, requests: 0, unauthorized: 0, limited: 0, clips: 0 };
  private readonly tokens = new Map<string, Token>();
  private readonly now: () => number;
  private readonly world: HelixWorld;
  /** A person's calls count together, whichever token they are made with. */
  private readonly people = new Map<string, Pick<Token, "points" | "filledAtMs">>();

  constructor(world: HelixWorld) {
    this.world = world;
    this.now = world.now;
    this.issue(DEMO_CLIP_TOKEN, ["clips:edit"]);
  }

  /** Every token is worth nothing from here on, as after a secret was changed. */
  revokeTokens(): void {
    this.tokens.clear();
  }

  /** POST /oauth2/token, client credentials. Twitch's errors here have no `error` field. */
  token(form: URLSearchParams): Answer {
    const refused = (status: number, message: string): Answer => ({ status, json: { status, message } });
    if (form.get("client_id") === null) return refused(400, "missing client id");
    if (form.get("client_secret") === null) return refused(400, "missing client secret");
    if (form.get("grant_type") !== "client_credentials") return refused(400, "invalid grant type");
    if (form.get("client_id") !== DEMO_CLIENT.id) return refused(400, "invalid client");
    if (form.get("client_secret") !== DEMO_CLIENT.secret) return refused(403, "invalid client secret");
    this.counts.tokens++;
    const token = [0, 1, 2, 3, 4]
      .map((i) => hash32(this.counts.tokens, i, this.now()).toString(36).padStart(7, "0"))
      .join("")
      .slice(0, 30);
    this.issue(token, []);
    return { status: 200, json: { access_token: token, expires_in: TOKEN_S, token_type: "bearer" } };
  }

  private issue(token: string, scopes: readonly string[]): void {
    const nowMs = this.now();
    this.tokens.set(token, {
      expiresAtMs: nowMs + TOKEN_S * 1000,
      scopes,
      points: POINTS,
      filledAtMs: nowMs,
    });
  }

  /** GET /oauth2/validate */
  validate(authorization: string | undefined): Answer {
    const known = this.tokens.get(authorization?.replace(/^(?:OAuth|Bearer) /, "") ?? "");
    if (known === undefined || known.expiresAtMs < this.now())
      return { status: 401, json: { status: 401, message: "invalid access token" } };
    return {
      status: 200,
      json: {
        client_id: DEMO_CLIENT.id,
        scopes: known.scopes,
        expires_in: Math.floor((known.expiresAtMs - this.now()) / 1000),
      },
    };
  }

  /** /helix/… */
  ask(
    method: string,
    path: string,
    query: URLSearchParams,
    headers: { authorization: string | undefined; clientId: string | undefined },
    body: string,
  ): Answer {
    this.counts.requests++;
    const access = this.world.grants.read("access", headers.authorization?.replace(/^Bearer /, "") ?? "");
    const refused = this.refusal(headers, access);
    if (refused !== null) {
      this.counts.unauthorized++;
      return refused;
    }
    const nowMs = this.now();
    const token = this.tokens.get(headers.authorization?.slice(7) ?? "");
    const bucket = access === null ? token : this.bucketOf(access.userId, nowMs);
    if (bucket === undefined) return problem(401, "Unauthorized", "Invalid OAuth token");
    bucket.points = Math.min(POINTS, bucket.points + ((nowMs - bucket.filledAtMs) * POINTS) / 60_000);
    bucket.filledAtMs = nowMs;
    const limited = bucket.points < 1;
    if (!limited) bucket.points -= 1;
    const limits = {
      "Ratelimit-Limit": String(POINTS),
      "Ratelimit-Remaining": String(Math.floor(bucket.points)),
      "Ratelimit-Reset": String(Math.ceil((nowMs + ((POINTS - bucket.points) * 60_000) / POINTS) / 1000)),
    };
    if (limited) {
      this.counts.limited++;
      return {
        ...problem(429, "Too Many Requests", "You have exceeded your request limit"),
        headers: limits,
      };
    }
    const answer = PEOPLE_CALLS.test(path)
      ? this.inAName(method, path, query, body, access)
      : method === "POST"
        ? path === "clips"
          ? this.clip(query, access?.scopes ?? token?.scopes ?? [])
          : problem(404, "Not Found", "")
        : this.answer(path, query, access);
    return { ...answer, headers: { ...limits, ...answer.headers } };
  }

  /** What people have allowed the application to do for them. */
  private inAName(
    method: string,
    path: string,
    query: URLSearchParams,
    body: string,
    access: Access | null,
  ): Answer {
    if (path === "eventsub/subscriptions") return this.world.eventSub.ask(method, query, body, access);
    const { faults } = this.world;
    const done = (): Answer =>
      moderation({ method, path, query, body, access }, this.world) ?? problem(404, "Not Found", "");
    const fault = faults.moderation;
    if (fault === null || method === "GET") return done();
    if (--fault.count <= 0) faults.moderation = null;
    return withFault(fault, done, this.now());
  }

  private bucketOf(userId: string, nowMs: number): Pick<Token, "points" | "filledAtMs"> {
    const known = this.people.get(userId) ?? { points: POINTS, filledAtMs: nowMs };
    this.people.set(userId, known);
    return known;
  }

  private refusal(
    {
      authorization,
      clientId,
    }: {
      authorization: string | undefined;
      clientId: string | undefined;
    },
    access: Access | null,
  ): Answer | null {
    if (authorization === undefined) return problem(401, "Unauthorized", "OAuth token is missing");
    if (clientId === undefined) return problem(401, "Unauthorized", "Client ID is missing");
    const token = this.tokens.get(authorization.replace(/^Bearer /, ""));
    const good = access !== null || (token !== undefined && token.expiresAtMs >= this.now());
    if (!authorization.startsWith("Bearer ") || !good)
      return problem(401, "Unauthorized", "Invalid OAuth token");
    return clientId === DEMO_CLIENT.id
      ? null
      : problem(401, "Unauthorized", "Client ID and OAuth token do not match");
  }

  private answer(path: string, query: URLSearchParams, access: Access | null): Answer {
    const found = (ids: string, logins: string): User[] | null => {
      const asked = [
        ...query.getAll(ids).map((id) => ["id", id] as const),
        ...query.getAll(logins).map((login) => ["login", login.toLowerCase()] as const),
      ];
      if (asked.length > 100) return null;
      return asked.map(([key, value]) => userBy(key, value)).filter((user) => user !== null);
    };
    const tooMany = problem(400, "Bad Request", "The maximum number of parameters was exceeded: 100");
    switch (path) {
      case "users": {
        const asked = [
          ...query.getAll("id").map((id) => ({ user: userBy("id", id), who: whoHasId(id) })),
          ...query.getAll("login").map((login) => ({
            user: userBy("login", login.toLowerCase()),
            who: whoIs(login),
          })),
        ];
        if (asked.length > 100) return tooMany;
        if (query.size === 0) {
          if (access === null) return problem(400, "Bad Request", "Must provide an ID, Login or OAuth Token");
          asked.push({ user: userBy("id", access.userId), who: whoHasId(access.userId) });
        }
        const rows = asked.flatMap(({ user, who }) => {
          if (this.world.gone.has(user?.id ?? who?.userId ?? "")) return [];
          return user !== null ? [this.user(user)] : who !== null ? [userRow(who, this.now())] : [];
        });
        return { status: 200, json: { data: rows } };
      }
      case "streams": {
        const users = found("user_id", "user_login");
        if (users === null) return tooMany;
        const live = (query.size === 0 ? [...KNOWN] : users).filter((user) => user.live !== null);
        return { status: 200, json: { data: live.map((user) => this.stream(user)), pagination: {} } };
      }
      case "videos": {
        const ids = query.getAll("id");
        if (ids.length === 0 && !query.has("user_id"))
          return problem(400, "Bad Request", "Must provide one of id, user_id or game_id.");
        if (ids.length > 0 && !ids.includes(VOD_ID))
          return problem(404, "Not Found", "No videos were found for the specified IDs.");
        const found = ids.length > 0 || query.get("user_id") === PEPEL_ID ? [this.video()] : [];
        return { status: 200, json: { data: found, pagination: {} } };
      }
      case "search/channels": {
        const text = query.get("query")?.toLowerCase() ?? "";
        if (text === "") return problem(400, "Bad Request", 'Missing required parameter "query"');
        const users = KNOWN.filter(
          (user) => user.login.includes(text) && (query.get("live_only") !== "true" || user.live !== null),
        );
        return { status: 200, json: { data: users.map((user) => this.found(user)), pagination: {} } };
      }
      default:
        return problem(404, "Not Found", "");
    }
  }

  /** Create Clip: Twitch says where the clip will be before it is there. */
  private clip(query: URLSearchParams, scopes: readonly string[]): Answer {
    if (!scopes.includes("clips:edit")) return problem(401, "Unauthorized", "Missing scope: clips:edit");
    const id = query.get("broadcaster_id");
    if (id === null || id === "")
      return problem(400, "Bad Request", 'Missing required parameter "broadcaster_id"');
    const user = userBy("id", id);
    if (user === null)
      return problem(400, "Bad Request", "The ID in broadcaster_id is not a broadcaster's ID.");
    if (user.live === null)
      return problem(404, "Not Found", "Clipping is not possible for an offline channel.");
    this.counts.clips++;
    const slug = `AshenCastle${this.counts.clips}-${hash32("clip", id, this.now()).toString(36)}`;
    return {
      status: 202,
      json: { data: [{ id: slug, edit_url: `https://clips.twitch.tv/${slug}/edit` }] },
    };
  }

  private user(user: User): object {
    return {
      id: user.id,
      login: user.login,
      display_name: user.name,
      type: "",
      broadcaster_type: user.live === null ? "" : "partner",
      description: user.about,
      profile_image_url: "",
      offline_image_url: "",
      view_count: 0,
      created_at: "2019-11-21T10:00:00Z",
    };
  }

  /** A broadcast is `RUNS_PER_BROADCAST` runs long. */
  private startedAt(): string {
    const { loop } = positionAt(this.now());
    const first = ANCHOR_MS + (loop - (loop % RUNS_PER_BROADCAST)) * PERIOD_MS;
    return new Date(first).toISOString().replace(/\.\d+Z/, "Z");
  }

  private stream(user: User): object {
    const { live } = user;
    return {
      id: String(40_000_000_000 + hash32("stream", user.login, this.startedAt())),
      user_id: user.id,
      user_login: user.login,
      user_name: user.name,
      game_id: live?.gameId,
      game_name: live?.game,
      type: "live",
      title: spoken(live?.title ?? "", positionAt(this.now()).loop),
      viewer_count: live?.viewers,
      started_at: this.startedAt(),
      language: user.language,
      thumbnail_url: "",
      tag_ids: [],
      tags: [],
      is_mature: false,
    };
  }

  /** The one finished stream that there is. */
  private video(): object {
    const user = userBy("id", PEPEL_ID);
    const createdAt = new Date(VOD_CREATED_AT_MS).toISOString().replace(/\.\d+Z/, "Z");
    return {
      id: VOD_ID,
      stream_id: String(40_000_000_000 + hash32("stream", "pepel_lamp", createdAt)),
      user_id: PEPEL_ID,
      user_login: user?.login,
      user_name: user?.name,
      title: VOD_TITLE,
      description: "",
      created_at: createdAt,
      published_at: createdAt,
      url: `https://www.twitch.tv/videos/${VOD_ID}`,
      thumbnail_url: "",
      viewable: "public",
      view_count: 1204,
      language: "ru",
      type: "archive",
      duration: `${Math.floor(VOD_S / 60)}m${VOD_S % 60}s`,
      muted_segments: null,
    };
  }

  private found(user: User): object {
    return {
      broadcaster_language: user.language,
      broadcaster_login: user.login,
      display_name: user.name,
      game_id: user.live?.gameId ?? "",
      game_name: user.live?.game ?? "",
      id: user.id,
      is_live: user.live !== null,
      tag_ids: [],
      tags: [],
      thumbnail_url: "",
      title: spoken(user.live?.title ?? "", positionAt(this.now()).loop),
      started_at: user.live === null ? "" : this.startedAt(),
    };
  }
}
