import type { z } from "zod";
import type { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import { ask } from "../live/api.ts";

/** Calls about imported streams and questions to them. Types alone come from the contract: pages stay light. */
type Routes = typeof vodRoutes;
type BodyOf<Name extends keyof Routes> = z.input<Routes[Name]["body"]>;
type QueryOf<Name extends keyof Routes> = z.input<Routes[Name]["query"]>;
export type ResultOf<Name extends keyof Routes> = z.output<Routes[Name]["result"]>;

export type StreamQuery = Omit<QueryOf<"listStreams">, "before" | "after" | "limit"> & {
  before?: number | undefined;
  after?: number | undefined;
  limit?: number | undefined;
};
export type StreamChange = BodyOf<"changeStream">;
export type StreamWish = BodyOf<"addStream">;
export type RenderWish = BodyOf<"render">;
export type QuestionWish = BodyOf<"ask">;
/** An answer with its places, as the API tells it. */
export type Told = ResultOf<"getAnswer">;

export const listStreams = (query: StreamQuery = {}): Promise<ResultOf<"listStreams">> =>
  ask("GET", "/api/v1/streams", { query });
export const getStream = (id: string): Promise<ResultOf<"getStream">> =>
  ask("GET", "/api/v1/streams/{id}", { id });
export const addStream = (body: StreamWish): Promise<ResultOf<"addStream">> =>
  ask("POST", "/api/v1/streams", { body });
export const changeStream = (id: string, body: StreamChange): Promise<ResultOf<"changeStream">> =>
  ask("PATCH", "/api/v1/streams/{id}", { id, body });
export const removeStream = (id: string): Promise<ResultOf<"removeStream">> =>
  ask("DELETE", "/api/v1/streams/{id}", { id });

export const search = (body: BodyOf<"search">): Promise<ResultOf<"search">> =>
  ask("POST", "/api/v1/search", { body });
export const askOracle = (body: QuestionWish): Promise<Told> => ask("POST", "/api/v1/answers", { body });
export const getAnswer = (id: string): Promise<Told> => ask("GET", "/api/v1/answers/{id}", { id });
export const judgeAnswer = (id: string, body: BodyOf<"judgeAnswer">): Promise<Told> =>
  ask("POST", "/api/v1/answers/{id}/feedback", { id, body });
export const stopAnswer = (id: string): Promise<ResultOf<"stopAnswer">> =>
  ask("DELETE", "/api/v1/answers/{id}", { id });

/** `task_ids` are the ids of clips: their progress comes with the topic `clips`. */
export const render = (body: RenderWish): Promise<ResultOf<"render">> =>
  ask("POST", "/api/v1/render", { body });

export const reportPath = (id: string): string => `/s/${id}`;
export const streamPath = (id: string, atS?: number): string =>
  `/vod/${id}${atS === undefined ? "" : `?t=${Math.max(0, Math.floor(atS))}`}`;
/** A watched channel's login and an imported stream's id look alike; only the latter begins so. */
export const isStreamId = (login: string): boolean => login.startsWith("_");
