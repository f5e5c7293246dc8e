import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { openJournal } from "@hypecast/runtime/journal.ts";
import { openClipJobs, openVodJobs } from "@hypecast/runtime/jobs.ts";
import { serveMetrics } from "@hypecast/runtime/metrics.ts";
import { openObjects } from "@hypecast/runtime/objects-open.ts";
import { reportHealth } from "@hypecast/runtime/report.ts";
import { run } from "@hypecast/runtime/run.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { helixModeration } from "@hypecast/runtime/twitch/helix.ts";
import { twitchId } from "@hypecast/runtime/twitch/id.ts";
import { openAccountTokens } from "@hypecast/runtime/twitch/tokens.ts";
import { fetchVodSegment } from "@hypecast/runtime/vod-fetch.ts";
import { createAccess } from "./access.ts";
import { createApi } from "./api.ts";
import { watchAnswers } from "./answers.ts";
import { createAsk } from "./ask.ts";
import { openCache } from "./cache.ts";
import { watchChannels, type Channels } from "./channels.ts";
import { watchClips } from "./clips.ts";
import { serveEmotes } from "./emotes/emotes.ts";
import { collectMetrics } from "./exposition.ts";
import { feedAll, type Feeds } from "./feeds/all.ts";
import { feedBuckets } from "./feeds/buckets.ts";
import { gatewayHealth, watchBus } from "./health.ts";
import { createIdempotency } from "./idempotency.ts";
import { serveHttp } from "./http.ts";
import { watchLayouts } from "./layouts.ts";
import { createLimits } from "./limits.ts";
import { followKeptVideo } from "./media/kept.ts";
import { serveMedia } from "./media/media.ts";
import { requests } from "./metrics.ts";
import { createAccountAge } from "./mod/account-age.ts";
import { openMod } from "./mod/mod.ts";
import { watchMoments } from "./moments.ts";
import { openApi } from "./openapi.ts";
import { allowedTopics } from "./push/allowed.ts";
import { watchPrivacy } from "./privacy/privacy.ts";
import { Hub } from "./push/hub.ts";
import { serveSockets } from "./push/sockets.ts";
import { listen } from "./server.ts";
import { serveShared } from "./shared.ts";
import { createSite } from "./site.ts";
import { rolesFrom } from "./roles.ts";
import { watchAccounts } from "./sign-in/accounts.ts";
import { auditOf } from "./sign-in/audit.ts";
import { disconnecting, revokeSealed } from "./sign-in/disconnect.ts";
import { forgetPeople } from "./sign-in/forget.ts";
import { serveSignIn } from "./sign-in/flow.ts";
import { watchSessions } from "./sign-in/sessions.ts";
import { signInSettings } from "./sign-in/settings.ts";
import { followTwitchRoles } from "./sign-in/twitch-roles.ts";
import { placesOf } from "./places.ts";
import { serveReports } from "./report/report.ts";
import type { Parts } from "./routes/handlers.ts";
import { createFollowing, serveEvents } from "./routes/events.ts";
import { loadUws } from "./uws.ts";
import { isUpload, serveUploads } from "./uploads/tus.ts";
import { isWhole, watchUploads } from "./uploads/records.ts";
import { watchVideoStates, withVods } from "./video-states.ts";
import { watchVods } from "./vods.ts";
import { loadWebApp } from "./web-app.ts";
import { deliverWebhooks } from "./webhooks/deliver.ts";
import { watchWebhooks } from "./webhooks/webhooks.ts";

const root = join(import.meta.dirname, "../..");
const VERSION = "1";

await run("gateway", async ({ config, log, instance, own }) => {
  // Before anything else: where the settings would let strangers in, nothing is started.
  createAccess(config);
  const settings = signInSettings(config);
  const secret = openSecret(config);
  const { uws, build } = loadUws();
  const web = loadWebApp(join(root, "web/build"));
  const app = uws.App();

  const nc = await connectBus(config, "gateway");
  own({ close: () => nc.drain() });
  await ensureStreams(nc, config.HYPECAST_NATS_REPLICAS);
  own(serveMetrics(nc, "gateway", instance));
  const bus = watchBus(nc);
  const cache = own(openCache(config.HYPECAST_REDIS_URL, log));

  const hub = new Hub({
    wire: { publish: (group, frame) => void app.publish(group, frame) },
    epoch: randomUUID(),
    build: web.build,
    watched: (topic, watched) => feeds.watched(topic, watched),
    columnOf: (topic) => feeds.columnOf(topic),
    allowed: {
      part: (person, topic) => allowed.part(person, topic),
      narrow: (topic, part) => allowed.narrow(topic, part),
    },
  });
  /** Until all is there that says what people may, nobody has come in. */
  const people = { changed: (_userId: string | null): void => undefined };
  const channels: Channels = own(
    await watchChannels(
      nc,
      (id) => feeds.now(id),
      (login) => feeds.forget(login),
      () => people.changed(null),
      log,
    ),
  );
  const feeds: Feeds = own(feedAll(nc, hub, channels, VERSION, log));
  const told = feedBuckets(hub);
  const following = createFollowing();
  const uploads = own(await watchUploads(nc, log));
  const vodJobs = own(openVodJobs(config.HYPECAST_REDIS_URL, log));
  const vods = own(
    await watchVods(nc, vodJobs, { isWhole: (id) => isWhole(uploads, id) }, log, (id, stream, isNews) => {
      told.stream(id, stream, isNews);
      following.streams.changed(id, stream);
    }),
  );
  const accounts = own(await watchAccounts(nc, log, (userId) => people.changed(userId)));
  const sessions = own(await watchSessions(nc, log, (userId) => people.changed(userId)));
  const roles = rolesFrom({
    account: (userId) => accounts.of.get(userId),
    grant: accounts.grant,
    grantsOf: (userId) => accounts.grantsOf(userId),
    channels,
    vods,
    nowMs: Date.now,
  });
  const allowed = allowedTopics(roles, vods);
  const access = createAccess(config, {
    sessions,
    account: (userId) => accounts.of.get(userId),
    markOf: (person) => secret.hash("roles", JSON.stringify(roles.placesOf(person))),
    hash: (token) => secret.hash("token", token),
  });
  const journal = await openJournal(nc, secret);
  const audit = auditOf(journal, secret, cache, log);
  const id = twitchId(config);
  const helix = helixModeration(config);
  const tokens = await openAccountTokens(config, nc);
  const twitchRoles = own(
    followTwitchRoles({
      ...{ accounts, sessions, helix, id, cache, log },
      tokens,
      open: () => hub.people(),
    }),
  );
  if (settings !== null)
    own(
      forgetPeople({
        ...{ accounts, sessions, roles, log },
        revoke: (sealed) => revokeSealed({ secret, id }, sealed),
      }),
    );
  // Where everybody is the operator there is nothing to look over.
  if (access.signIn !== "none")
    people.changed = (userId) => {
      if (userId !== null) twitchRoles.changed(userId);
      hub.recheck(userId, (who) => access.again(who), Date.now());
    };
  const answers = own(await watchAnswers(nc, log, following.answers.changed));
  const webhooks = own(await watchWebhooks(nc, config.HYPECAST_WEBHOOK_PRIVATE, log));
  const videoStates = withVods(own(await watchVideoStates(nc, log, told.video)), vods);
  const moments = own(await watchMoments(nc, log, told.decision));
  const layouts = own(await watchLayouts(nc, log));
  const objects = own(openObjects(config));
  const kept = own(followKeptVideo({ nc, objects }, log));
  const jobs = own(openClipJobs(config.HYPECAST_REDIS_URL, log));
  const clips = own(
    await watchClips(nc, jobs, objects, log, (id, clip, isNews) => {
      told.clip(id, clip, isNews);
      following.clips.changed(id, clip);
    }),
  );
  own(reportHealth(nc, "gateway", instance, gatewayHealth(hub, cache.shared)));

  const ask = createAsk(nc, cache);
  const mod = own(
    await openMod({
      ...{ nc, journal, secret, ask, cache, hub, channels, log },
      accountAge: createAccountAge(helix, tokens),
      rawHours: config.HYPECAST_RAW_HOURS,
    }),
  );
  const parts: Parts = {
    channels,
    ask,
    mod,
    system: feeds.system,
    videoStates,
    kept,
    moments,
    layouts,
    clips,
    vods,
    answers,
    webhooks,
    filesAllowed: access.signIn === "none",
    ...{ roles, accounts, journal, signIn: access.signIn },
    privacy: own(await watchPrivacy(nc, { secret, journal, ask }, log)),
    disconnect: disconnecting({ accounts, sessions, secret, id, audit }),
  };
  own(
    deliverWebhooks({
      nc,
      webhooks,
      redisUrl: config.HYPECAST_REDIS_URL,
      allowPrivate: config.HYPECAST_WEBHOOK_PRIVATE,
      placesOf: (hits) => placesOf(parts, hits),
      log,
    }),
  );
  const uploadServer = own(
    serveUploads({
      uploads,
      objects,
      isUsed: (id) => (vods.ready() ? vods.uses(id) : null),
      mostBytes: config.HYPECAST_UPLOAD_GB * 1e9,
      roles,
      log,
    }),
  );
  serveHttp(
    app,
    createSite({
      ...{ access, roles, audit },
      signIn:
        settings === null
          ? null
          : serveSignIn({ settings, access, accounts, secret, cache, id, helix, audit }),
      freshen: (person) => twitchRoles.freshen(person),
      limits: createLimits(cache),
      api: createApi(parts, createIdempotency(cache)),
      events: serveEvents(parts, following),
      uploads: uploadServer,
      openapi: JSON.stringify(openApi()),
      web,
      emotes: serveEmotes(config, log),
      media: serveMedia({
        ...{ objects, kept, videoStates, clips, roles },
        fetchSegment: (channelId, seq) => fetchVodSegment(nc, channelId, seq),
      }),
      report: serveReports(parts),
      shared: serveShared(clips, objects),
      notReady: () =>
        !bus.connected()
          ? "NATS is away"
          : !channels.ready()
            ? "the channel list is being read"
            : sessions.ready() && accounts.ready()
              ? null
              : "who is signed in is being read",
      metrics: () => collectMetrics(nc),
    }),
    isUpload,
    log,
    ({ route, status, seconds }) =>
      requests.observe({ route, status: `${Math.floor(status / 100)}xx` }, seconds),
  );
  const sockets = serveSockets(app, uws, hub, access);
  const server = own(await listen(app, uws, config.HYPECAST_HOST, config.HYPECAST_PORT));
  own(sockets);
  log.info({ host: config.HYPECAST_HOST, port: server.port, uws: build }, "serving");
});
