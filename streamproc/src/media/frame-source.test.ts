import { gstreamerEnv } from "./appsink.ts";
import { openFfmpeg } from "./ffmpeg.ts";
import { frameSourceContract } from "./frame-source.contract.ts";
import { openGstreamer } from "./gstreamer.ts";

Object.assign(process.env, gstreamerEnv);
frameSourceContract("gstreamer", openGstreamer);
frameSourceContract("ffmpeg", () => openFfmpeg()!);
