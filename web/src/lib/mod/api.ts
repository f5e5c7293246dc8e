import type { z } from "zod";
import type { CaseAct, modRoutes } from "@hypecast/contracts/api-mod.ts";
import { ask } from "../live/api.ts";

/** Calls of a moderator's screen. Types alone come from the contract: pages stay light. */
type Routes = typeof modRoutes;
export type ResultOf<Name extends keyof Routes> = z.output<Routes[Name]["result"]>;
type QueryOf<Name extends keyof Routes> = z.input<Routes[Name]["query"]>;

export type DeskNow = ResultOf<"modDesk">;
export type CaseDetail = ResultOf<"modCase">;
export type Context = ResultOf<"modContext">;
export type ContextLine = Context["lines"][number];
export type AllowPreview = ResultOf<"previewAllow">;
export type SpikeNow = DeskNow["spikes"][number];
export type Counts = DeskNow["counts"];
export type ActName = CaseAct["act"];
export type ChannelActName = "slow" | "followers" | "subscribers" | "shield" | "snooze" | "resolve";
/** What is done, without whom it is done to. */
export interface ActWish {
  act: ActName;
  durationS?: number;
  reason?: string;
  words?: string;
}
export interface MeasureWish {
  act: ChannelActName;
  durationS?: number;
  spikeId?: string | null;
  words?: string;
}
export type CasesQuery = Omit<QueryOf<"modCases">, "limit"> & { limit?: number };

/** The same key twice is one act: a call that is sent again changes nothing. */
export const newKey = (): string => crypto.randomUUID();

export const getDesk = (login: string): Promise<DeskNow> => ask("GET", "/api/v1/mod/{login}", { login });
export const listCases = (login: string, query: CasesQuery): Promise<ResultOf<"modCases">> =>
  ask("GET", "/api/v1/mod/{login}/cases", { login, query: { ...query } });
export const getCase = (login: string, id: string): Promise<CaseDetail> =>
  ask("GET", "/api/v1/mod/{login}/cases/{id}", { login, id });
export const getContext = (
  login: string,
  query: { lineId: string; atMs: number; before: number; after: number },
): Promise<Context> => ask("GET", "/api/v1/mod/{login}/context", { login, query });
export const getUser = (login: string, userId: string): Promise<ResultOf<"modUser">> =>
  ask("GET", "/api/v1/mod/{login}/users/{userId}", { login, userId });
export const claimCase = (
  login: string,
  id: string,
  how: { release?: boolean; steal?: boolean } = {},
): Promise<ResultOf<"modClaim">> =>
  ask("POST", "/api/v1/mod/{login}/cases/{id}/claim", { login, id, body: how });
export const actOn = (
  login: string,
  { ids, ...call }: { key: string; ids: readonly string[]; over: readonly string[] },
  wish: ActWish,
): Promise<ResultOf<"modAct">> =>
  ask("POST", "/api/v1/mod/{login}/acts", {
    login,
    body: { key: call.key, caseIds: [...ids], over: [...call.over], ...wish },
  });
export const takeMeasure = (
  login: string,
  key: string,
  wish: MeasureWish,
): Promise<ResultOf<"modChannelAct">> =>
  ask("POST", "/api/v1/mod/{login}/measures", { login, body: { key, ...wish } });
export const undoActs = (login: string, key: string, entryIds: string[]): Promise<ResultOf<"modUndo">> =>
  ask("POST", "/api/v1/mod/{login}/undo", { login, body: { key, entryIds } });
export const previewAllow = (login: string, phrase: string): Promise<AllowPreview> =>
  ask("GET", "/api/v1/mod/{login}/policy/allow", { login, query: { phrase } });
export const getEffect = (login: string): Promise<ResultOf<"modEffect">> =>
  ask("GET", "/api/v1/mod/{login}/effect", { login });
