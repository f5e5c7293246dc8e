import { gstreamerEnv, loadAppsink } from "./appsink.ts";

/** Run at set-up and by the doctor: loads the binding where nothing else can be harmed, and says GStreamer's version. */
Object.assign(process.env, gstreamerEnv);
console.log(loadAppsink().version);
