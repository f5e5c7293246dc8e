import { MODELS_FOLDER } from "@hypecast/streamproc/scorer/open.ts";
import { startStandIn } from "@hypecast/streamproc/scorer/test-triton.ts";

/** The strict stand-in in a process of its own: it must not share a thread with the client that is measured. */
const { url } = await startStandIn(MODELS_FOLDER);
process.send?.({ url });
process.once("disconnect", () => process.exit(0));
