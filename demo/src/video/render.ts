import { encodeSegments } from "./encode.ts";
import { films } from "./films.ts";

/** The process that draws and encodes: `render.ts LOGIN FOLDER FROM TO`. It tells its parent of each segment, and ends with it. */
const [login = "", folder = "", from = "", to = ""] = process.argv.slice(2);
const film = films.find((film) => film.login === login);
if (film === undefined) throw new Error(`there is no film of "${login}"`);
const orphaned = (): never => process.exit(1);
process.on("disconnect", orphaned);
await encodeSegments(film, folder, Number(from), Number(to), (segment) => process.send?.({ segment }));
process.off("disconnect", orphaned);
process.disconnect?.();
