import type { TemplatedApp, us_listen_socket } from "@uwsjs/core";
import type { Uws } from "./uws.ts";

/** Binds, or throws a sentence that names the port and what to change. `close` stops listening and ends every connection. */
export async function listen(
  app: TemplatedApp,
  uws: Uws,
  host: string,
  port: number,
): Promise<{ port: number; close(): void }> {
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    // Without it a second gateway would share the port. The types know neither the constant nor this form with a host.
    const { LIBUS_LISTEN_EXCLUSIVE_PORT: exclusive } = uws as unknown as {
      LIBUS_LISTEN_EXCLUSIVE_PORT: number;
    };
    (app.listen as (...args: unknown[]) => unknown).call(app, host, port, exclusive, resolve);
  });
  if (socket === false)
    throw new Error(
      `cannot listen on ${host}:${port}: the port is taken or the address is not this machine's; choose others with HYPECAST_PORT and HYPECAST_HOST`,
    );
  return { port: uws.us_socket_local_port(socket), close: () => void app.close() };
}
