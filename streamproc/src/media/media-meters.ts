import { counter, gauge, histogram } from "@hypecast/runtime/metrics.ts";

export const mediaMeters = {
  segments: counter(
    "media_segments_total",
    "Segments by what became of them: measured, or the reason why they were not.",
    ["outcome"],
  ),
  measureSeconds: histogram(
    "media_measure_seconds",
    "From a segment's turn to its measurement, waiting for a worker included.",
  ),
  cpuSeconds: counter("media_worker_cpu_seconds_total", "CPU time of the workers, ffmpeg's not included."),
  restarts: counter(
    "media_worker_restarts_total",
    "Workers replaced: died, timeout, age (after so many segments), memory.",
    ["reason"],
  ),
  backlog: gauge("media_backlog_segments", "Segments of owned channels that are not measured yet."),
  behindSeconds: gauge("media_behind_seconds", "Age of the oldest segment that is not measured yet."),
  cutModel: counter(
    "media_cut_model_total",
    "Segments that the model transnetv2 was asked about: answered, or why there is no answer (late, busy, bad_answer, missing, down).",
    ["outcome"],
  ),
  shed: gauge("media_shed_channels", "Channels that are left out because the machine is behind."),
};
