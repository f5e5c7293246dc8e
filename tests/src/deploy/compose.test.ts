import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { settings } from "@hypecast/runtime/config.ts";

const root = join(import.meta.dirname, "../../..");

interface Service {
  image?: string;
  build?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  networks?: string[];
  ports?: string[];
  depends_on?: Record<string, unknown>;
  healthcheck?: { test: string[] };
  read_only?: boolean;
  cap_drop?: string[];
  deploy?: { resources?: { limits?: { cpus?: string; memory?: string } } };
}
interface Compose {
  services: Record<string, Service>;
  networks: Record<string, unknown>;
  volumes: Record<string, unknown>;
}

const compose = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);

test("every image is pinned to a version, ours is built from the Dockerfile", () => {
  for (const [name, { image, build }] of services)
    if (build === undefined) expect(image, name).toMatch(/:v?\d+\.\d+/);
  expect(ours.map(([name]) => name)).toEqual([
    "analytics",
    "sources",
    "processors",
    "media",
    "clips",
    "imports",
    "oracle",
    "moderation",
    "gateway",
  ]);
});

test("every service is bounded in CPU and memory", () => {
  for (const [name, service] of services) {
    expect(service.deploy?.resources?.limits?.cpus, name).toMatch(/^[\d.]+$/);
    expect(service.deploy?.resources?.limits?.memory, name).toMatch(/^\d+[mg]$/);
  }
});

test("our containers have a read-only root, no capabilities, a health check, and do not run as root", () => {
  for (const [name, service] of ours) {
    expect(service.read_only, name).toBe(true);
    expect(service.cap_drop, name).toEqual(["ALL"]);
    expect(service.healthcheck?.test.length, name).toBeGreaterThan(1);
  }
  expect(readFileSync(join(root, "deploy/Dockerfile"), "utf8")).toMatch(/^USER node$/m);
});

test("every file that a container starts or mounts is in the repository", () => {
  for (const [name, service] of ours) {
    expect(existsSync(join(root, service.command?.[0] ?? "")), `${name}: ${service.command?.[0]}`).toBe(true);
    const check = service.healthcheck?.test[2];
    if (check?.endsWith(".ts")) expect(existsSync(join(root, check)), check).toBe(true);
  }
  for (const [, service] of services)
    for (const volume of service.volumes ?? []) {
      const source = volume.split(":")[0] ?? "";
      // The certificate is the operator's.
      if (source.startsWith("./") && !source.endsWith("/tls"))
        expect(existsSync(join(root, source)), source).toBe(true);
      if (!source.startsWith(".")) expect(Object.keys(compose.volumes), volume).toContain(source);
    }
});

test("every setting that compose passes to our processes exists", () => {
  for (const [name, service] of ours)
    for (const setting of Object.keys(service.environment ?? {}))
      expect(Object.keys(settings), name).toContain(setting);
});

test("only nginx is open to the outside; Grafana is on loopback", () => {
  const open = services.filter(([, { ports }]) => ports?.some((port) => !port.startsWith("127.0.0.1:")));
  expect(open.map(([name]) => name)).toEqual(["nginx"]);
});

test("dependencies and networks name what exists", () => {
  for (const [name, service] of services) {
    for (const other of Object.keys(service.depends_on ?? {}))
      expect(Object.keys(compose.services), name).toContain(other);
    for (const network of service.networks ?? [])
      expect(Object.keys(compose.networks), name).toContain(network);
  }
});

test("processes that write have a place: the root is read-only", () => {
  for (const name of ["sources", "clips", "imports", "moderation", "gateway"])
    expect(compose.services[name]?.volumes, name).toEqual([`${name}:/data`, "objects:/data/objects"]);
  expect(compose.services["media"]?.volumes).toEqual(["objects:/data/objects"]);
  expect(readFileSync(join(root, "deploy/Dockerfile"), "utf8")).toMatch(
    /^RUN mkdir -p \/data\/objects && chown -R node:node \/data$/m,
  );
});

test("the image has the packages that ./hypecast installs for decoding, cutting and drawing", () => {
  const hypecast = readFileSync(join(root, "hypecast"), "utf8");
  const packages = /^RUN_PACKAGES="([^"]+)"/m.exec(hypecast)?.[1]?.split(/\s+/) ?? [];
  const needed = packages.filter((name) => /^(?:ffmpeg|gstreamer|g\+\+|pkg-config|lib|font)/.test(name));
  expect(needed.length).toBeGreaterThan(8);
  const words = readFileSync(join(root, "deploy/Dockerfile"), "utf8").split(/\s+/);
  for (const name of needed) expect(words).toContain(name);
});

test("the Dockerfile copies every workspace that the lockfile needs", () => {
  const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    workspaces: string[];
  };
  const dockerfile = readFileSync(join(root, "deploy/Dockerfile"), "utf8");
  for (const workspace of workspaces)
    expect(dockerfile).toContain(`COPY ${workspace}/package.json ${workspace}/`);
});
