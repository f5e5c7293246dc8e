import { spawnSync } from "node:child_process";

/** What a worker may take at most. */
const DATA_BYTES = 2_000_000_000;
export const OPEN_FILES = 256;

/** Which of the fences this machine has. Whether it does is tried once, with a program that does nothing. */
export interface Fences {
  /** The worker sees no network interface. */
  network: boolean;
  /** Its memory is limited, and it can write no file. */
  memory: boolean;
  /** It dies with us, kill -9 of ours included. */
  parent: boolean;
}

const works = (command: readonly string[]): boolean =>
  spawnSync(command[0]!, [...command.slice(1), "true"], { stdio: "ignore" }).status === 0;

const NETWORK = [
  ["unshare", "--net"],
  // Without root, where user namespaces are allowed.
  ["unshare", "--map-root-user", "--net"],
];
const NOFILE = `--nofile=${OPEN_FILES}`;
const LIMITS = ["prlimit", `--data=${DATA_BYTES}`, "--fsize=0", "--core=0", NOFILE];
const LEASH = ["setpriv", "--no-new-privs", "--pdeathsig", "KILL"];

let found: { fences: Fences; prefix: string[] } | undefined;

function fenced(): { fences: Fences; prefix: string[] } {
  if (found !== undefined) return found;
  const network = NETWORK.find(works);
  const memory = works(LIMITS);
  const parent = works(LEASH);
  return (found = {
    fences: { network: network !== undefined, memory, parent },
    prefix: [...(network ?? []), ...(memory ? LIMITS : []), ...(parent ? LEASH : [])],
  });
}

export const fences = (): Fences => fenced().fences;

/** A command inside of all fences that this machine has. `openFiles`: where it has to read more of them at once than usual. */
export function isolated(
  program: string,
  args: readonly string[],
  openFiles = OPEN_FILES,
): [program: string, args: string[]] {
  const prefix = fenced().prefix.map((word) => (word === NOFILE ? `--nofile=${openFiles}` : word));
  const [first, ...rest] = [...prefix, program, ...args];
  return [first!, rest];
}

/** A command that does not outlive the process that starts it. */
export function dyingWithUs(program: string, args: readonly string[]): [program: string, args: string[]] {
  const [first, ...rest] = [...(fenced().fences.parent ? LEASH : []), program, ...args];
  return [first!, rest];
}
