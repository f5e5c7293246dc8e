import { counter, gauge, histogram } from "@hypecast/runtime/metrics.ts";

export const meters = {
  lines: counter(
    "fold_lines_total",
    "Committed lines by what became of them: counted, late, or the reason why they were dropped.",
    ["outcome"],
  ),
  commits: counter("fold_commits_total", "Commits by outcome: committed, refused, unknown.", ["outcome"]),
  commitSeconds: histogram("fold_commit_seconds", "From the content of a commit to its answer."),
  statesAnew: counter("fold_states_anew_total", "Saved states that could not be read."),
  deadLetters: counter("fold_dead_letters_total", "Rows of the log set aside, by reason.", ["reason"]),
  unscored: counter("fold_unscored_total", "Rows that a model did not answer in time."),
  owned: gauge("fold_partitions", "Partitions owned."),
  lagMessages: gauge("fold_lag_messages", "Messages of the log not yet folded, all owned partitions."),
  lagSeconds: gauge("fold_lag_seconds", "Age of the oldest message not yet folded."),
  tickSeconds: histogram("live_tick_seconds", "From a line leaving the socket to its live tick."),
};
