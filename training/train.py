"""Trains models/forecast from the rows that features.ts wrote, and writes the ONNX file, config.pbtxt and card.md.

python training/train.py --rows DIR [--models models]
"""

import argparse, datetime, json, os, pathlib, sys
import lightgbm as lgb
import numpy as np
import onnx, onnxruntime
from onnx import TensorProto, compose, helper, numpy_helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

HORIZONS = (1, 5, 15)
QUANTILES = (0.1, 0.5, 0.9)
SEED = 20260101
FIXED = dict(verbose=-1, num_threads=2, seed=SEED, deterministic=True, force_row_wise=True)
RATE = dict(learning_rate=0.06, num_leaves=15, min_data_in_leaf=300, feature_fraction=0.6,
            bagging_fraction=0.7, bagging_freq=1, lambda_l2=5, **FIXED)
ROUNDS = {0.1: 60, 0.5: 110, 0.9: 60}
BURST = dict(objective="binary", learning_rate=0.03, num_leaves=7, min_data_in_leaf=800, feature_fraction=0.4,
             bagging_fraction=0.6, bagging_freq=1, lambda_l2=50, **FIXED)
BURST_ROUNDS = 120
# Kept out of training: every fourth VOD of a channel, the two chats of other channels, two marathons of five.
HELD_OUT_EVERY = 4


def load(folder):
    about = json.loads((folder / "series.json").read_text())
    width = len(about["features"])
    series = []
    for one in about["series"]:
        rows = np.fromfile(folder / f"{one['file']}.rows.f32", np.float32).reshape(-1, width)
        truth = np.fromfile(folder / f"{one['file']}.truth.f64").reshape(-1, 6)
        if one["set"] == "minutes":  # within a minute the data says nothing
            whole = truth[:, 0] % 60 == 0
            rows, truth = rows[whole], truth[whole]
        if len(rows) >= 100:
            series.append((one, rows, truth))
    return about, series


def held_out(series):
    out, seen = set(), {}
    for one, _, _ in series:
        kind = one["channel"] if one["set"] == "vod" else "minutes"
        seen[kind] = seen.get(kind, 0) + 1
        alone = kind.endswith("-v5")
        every = 2 if kind == "minutes" else HELD_OUT_EVERY
        if alone or seen[kind] % every == 0:
            out.add(one["name"])
    return out


class Data:
    def __init__(self, about, series):
        self.names = about["features"]
        self.rate_width = about["rateFeatures"]
        self.x = np.concatenate([rows for _, rows, _ in series])
        self.truth = np.concatenate([truth for _, _, truth in series])
        self.of = np.concatenate([np.full(len(rows), i) for i, (_, rows, _) in enumerate(series)])
        self.series = [one for one, _, _ in series]
        self.channel = np.array([one["channel"] for one in self.series])[self.of]
        self.is_vod = np.array([one["set"] == "vod" for one in self.series])[self.of]
        self.reference = np.exp(self.col("level").astype(float))
        self.burst = np.isfinite(self.truth[:, 5])

    def col(self, name):
        return self.x[:, self.names.index(name)]


def train_rate(d, rows, h, q):
    y = np.log((d.truth[:, 2 + h] + 1) / d.reference)
    use = rows & np.isfinite(y)
    # Every series weighs the same; inside it, moments with more messages weigh more (the error is counted in messages).
    w = np.sqrt(d.reference)
    per = np.bincount(d.of[use], weights=w[use], minlength=len(d.series))
    w = w / np.maximum(per[d.of], 1e-9) * use.sum() / max(1, (per > 0).sum())
    return lgb.train(dict(objective="quantile", alpha=q, **RATE),
                     lgb.Dataset(d.x[use][:, : d.rate_width], y[use], weight=w[use]), ROUNDS[q])


BASE = ("bursts5m", "bursts20m", "bursts60m", "burstsEver", "sinceBurst", "level")


def burst_columns(d):
    """What is relative to the channel; the rest of what is known of its bursts comes in through the base."""
    rel = [i for i, n in enumerate(d.names) if n.endswith("Now") or n in (
        "z5s", "z10s", "z20s", "z60s", "rise", "highest2m", "last5s", "last15s", "last30s", "minute", "minuteBefore",
        "mean0.5m", "mean1m", "openBursts", "sentiment", "sinceFlood", "spread15", "jump15", "noise60", "heard",
        "median30", "mean15m")]
    return [d.names.index(n) for n in BASE] + rel


class BurstModel:
    """A logistic regression over everything that counts, and trees for what it leaves over: half the log odds each."""

    def __init__(self, d, rows, trees=True):
        use = rows & d.burst
        self.columns = burst_columns(d)
        x, y = d.x[use][:, self.columns].astype(float), d.truth[use, 5].astype(int)
        self.mean, self.scale = x.mean(0), x.std(0) + 1e-6
        self.linear = LogisticRegression(C=1e-3, max_iter=500, random_state=SEED).fit(self.z(x), y)
        self.prior = d.names.index("bursts60m"), d.names.index("bursts20m")
        self.trees = None
        if trees:
            self.trees = lgb.train(BURST, lgb.Dataset(x[:, len(BASE):], y, init_score=self.base(d.x[use])), BURST_ROUNDS)

    def z(self, x):
        return np.clip((x - self.mean) / self.scale, -4, 4)

    def base(self, x):
        """Log odds of the channel's own rate of bursts."""
        return 0.5 * (x[:, self.prior[0]] + x[:, self.prior[1]]).astype(float) - 4.8

    def log_odds(self, x):
        c = x[:, self.columns].astype(float)
        linear = self.z(c) @ self.linear.coef_[0] + self.linear.intercept_[0]
        if self.trees is None:
            return linear
        return 0.5 * linear + 0.5 * (self.trees.predict(c[:, len(BASE):], raw_score=True) + self.base(x))

    def chance(self, x):
        return 1 / (1 + np.exp(-self.log_odds(x)))


def rate_figures(d, rows, predict):
    """MAE and, for the quantiles, raw coverage."""
    out = {}
    for kind, mask in (("vod", d.is_vod), ("minutes", ~d.is_vod)):
        for h, minutes in enumerate(HORIZONS):
            y = d.truth[:, 2 + h]
            use = rows & mask & np.isfinite(y)
            if use.sum() == 0:
                continue
            p = predict(h, use)
            means = {n: np.abs(d.reference[use] * np.exp(d.col(n)[use]) - 1 - y[use]).mean()
                     for n in d.names[: d.rate_width] if n.startswith("mean")}
            means["mean3m"] = np.abs(d.reference[use] - 1 - y[use]).mean()
            best = min(means, key=means.get)
            out[f"{kind}+{minutes}"] = dict(
                n=int(use.sum()), mae=np.abs(p - y[use]).mean(), persistence=np.abs(d.truth[use, 1] - y[use]).mean(),
                ewma=means[best], ewma_half_life=best[4:])
    return out


def burst_figures(d, rows, chance):
    use = rows & d.burst
    y = d.truth[use, 5].astype(int)
    if y.sum() < 5:
        return None
    scores = {"model": chance, "ewma 20 min": d.col("bursts20m")[use], "ewma 60 min": d.col("bursts60m")[use],
              "persistence": -d.col("sinceBurst")[use]}
    return dict(n=int(use.sum()), came=int(y.sum()), **{
        k: (round(roc_auc_score(y, v), 4), round(average_precision_score(y, v), 4)) for k, v in scores.items()})


def online_mae(d, rows):
    """The online candidate: per series, a linear mix of the same rate features in logs, learnt by signed steps (AR with
    delay), starting from the 15-minute mean. No training data at all."""
    out = {}
    cols = [d.names.index(n) for n in d.names[: d.rate_width] if n.startswith(("mean", "median", "minute", "last", "ago"))]
    for kind, mask in (("vod", d.is_vod), ("minutes", ~d.is_vod)):
        for h, minutes in enumerate(HORIZONS):
            error = []
            for s in np.unique(d.of[rows & mask]):
                at = np.flatnonzero(d.of == s)
                x, ref, y, t = d.x[at][:, cols].astype(float), d.reference[at], d.truth[at, 2 + h], d.truth[at, 0]
                w = np.zeros(len(cols)); w[[d.names[c] for c in cols].index("mean15m")] = 1
                done = 0
                for i in range(len(at)):
                    while done < i and t[done] + 60 * minutes <= t[i]:
                        if np.isfinite(y[done]):
                            e = np.log((y[done] + 1) / ref[done]) - w @ x[done]
                            w += 0.002 * np.clip(e, -0.5, 0.5) * x[done] / (0.5 + x[done] @ x[done])
                        done += 1
                    if np.isfinite(y[i]):
                        error.append(abs(max(0, ref[i] * np.exp(w @ x[i]) - 1) - y[i]))
            out[f"{kind}+{minutes}"] = float(np.mean(error))
    return out


def cross_validate(d, folds, label):
    print(f"\n## {label}")
    rate = {h: np.zeros(len(d.x)) for h in range(3)}
    chance = np.zeros(len(d.x))
    for f in np.unique(folds):
        train, test = folds != f, folds == f
        for h in range(3):
            m = train_rate(d, train, h, 0.5)
            rate[h][test] = np.maximum(0, d.reference[test] * np.exp(m.predict(d.x[test][:, : d.rate_width])) - 1)
        if d.burst[test].sum():
            chance[test] = BurstModel(d, train & d.is_vod).chance(d.x[test])
    everything = np.ones(len(d.x), bool)
    figures = dict(rates=rate_figures(d, everything, lambda h, use: rate[h][use]),
                   burst=burst_figures(d, everything, chance[d.burst]))
    print(json.dumps(figures, default=float, indent=1))
    return figures


def to_onnx(d, rates, burst, path):
    """One graph: features [N, F] -> quantiles [N, 3, 3] (sorted, so that they never cross) and burst [N, 1]."""
    width = len(d.names)
    nodes, inits = [], []

    def const(name, value):
        inits.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def trees(model, prefix, source, columns):
        g = compose.add_prefix(convert_lightgbm(model, initial_types=[("x", FloatTensorType([None, columns]))],
                                                target_opset=15, zipmap=False), prefix).graph
        for node in g.node:
            for i, name in enumerate(node.input):
                if name == prefix + "x":
                    node.input[i] = source
        nodes.extend(g.node)
        inits.extend(g.initializer)
        return g

    nodes.append(helper.make_node("Slice", ["features", const("from", np.array([0], np.int64)),
                                            const("to", np.array([d.rate_width], np.int64)),
                                            const("axis", np.array([1], np.int64))], ["rates"]))
    outs = []
    for h in range(3):
        for q in QUANTILES:
            outs.append(trees(rates[h, q], f"h{h}q{int(q * 100)}_", "rates", d.rate_width).output[0].name)
    nodes.append(helper.make_node("Concat", outs, ["all"], axis=1))
    nodes.append(helper.make_node("Reshape", ["all", const("shape", np.array([-1, 3, 3], np.int64))], ["grid"]))
    nodes.append(helper.make_node("TopK", ["grid", const("three", np.array([3], np.int64))], ["quantiles", "order"],
                                  axis=2, largest=0, sorted=1))
    f32 = lambda a: np.asarray(a, np.float32)
    nodes.append(helper.make_node("Gather", ["features", const("columns", np.array(burst.columns, np.int64))], ["known"], axis=1))
    nodes.append(helper.make_node("Gather", ["features", const("others", np.array(burst.columns[len(BASE):], np.int64))], ["rest"], axis=1))
    nodes.append(helper.make_node("Sub", ["known", const("mean", f32(burst.mean))], ["centred"]))
    nodes.append(helper.make_node("Div", ["centred", const("scale", f32(burst.scale))], ["z"]))
    nodes.append(helper.make_node("Clip", ["z", const("zmin", f32(-4)), const("zmax", f32(4))], ["clipped"]))
    nodes.append(helper.make_node("MatMul", ["clipped", const("weights", f32(0.5 * burst.linear.coef_.T))], ["linear"]))
    nodes.append(helper.make_node("Gather", ["features", const("prior", np.array(burst.prior, np.int64))], ["priors"], axis=1))
    nodes.append(helper.make_node("MatMul", ["priors", const("quarter", f32([[0.25], [0.25]]))], ["base"]))
    # The trees as a regressor: its sum of leaves is the log odds themselves.
    text = burst.trees.model_to_string().replace("objective=binary sigmoid:1", "objective=regression")
    text = text.replace("[objective: binary]", "[objective: regression]")
    left = trees(lgb.Booster(model_str=text), "burst_", "rest", len(burst.columns) - len(BASE))
    nodes.append(helper.make_node("Mul", [left.output[0].name, const("half", f32(0.5))], ["halftrees"]))
    nodes.append(helper.make_node("Sum", ["linear", "base", "halftrees",
                                          const("bias", f32([[0.5 * burst.linear.intercept_[0] - 0.5 * 4.8]]))], ["odds"]))
    nodes.append(helper.make_node("Sigmoid", ["odds"], ["burst"]))
    graph = helper.make_graph(
        nodes, "forecast", [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info("quantiles", TensorProto.FLOAT, ["N", 3, 3]),
         helper.make_tensor_value_info("burst", TensorProto.FLOAT, ["N", 1])], inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 1)],
                              ir_version=8, producer_name="training/train.py")
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    sample = d.x[:: max(1, len(d.x) // 2000)]
    got_q, got_b = session.run(["quantiles", "burst"], {"features": sample})
    want = np.sort(np.stack([np.stack([rates[h, q].predict(sample[:, : d.rate_width]) for q in QUANTILES], 1)
                             for h in range(3)], 1), 2)
    diff = max(np.abs(got_q - want).max(), np.abs(got_b[:, 0] - burst.chance(sample)).max())
    print(f"\nONNX: {path.stat().st_size} bytes, differs from LightGBM and scikit-learn by at most {diff:.2e}")
    if diff > 1e-3:
        sys.exit("the ONNX model does not say what the trained one says")


CONFIG = """name: "forecast"
platform: "onnxruntime_onnx"
max_batch_size: 1024
input [{{ name: "features" data_type: TYPE_FP32 dims: [{width}] }}]
output [
  {{ name: "quantiles" data_type: TYPE_FP32 dims: [3, 3] }},
  {{ name: "burst" data_type: TYPE_FP32 dims: [1] }}
]
# No default_queue_policy: with one instance it makes single requests wait (see docs/forecast.md). No kind: a GPU is used if there is one.
dynamic_batching {{ }}
instance_group [{{ count: 1 }}]
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", required=True, type=pathlib.Path)
    parser.add_argument("--models", default="models", type=pathlib.Path)
    parser.add_argument("--no-cv", action="store_true")
    args = parser.parse_args()
    about, series = load(args.rows)
    d = Data(about, series)
    out = held_out(series)
    is_out = np.array([one["name"] in out for one in d.series])[d.of]
    print(f"{len(d.series)} series, {len(d.x)} rows, {int(np.nansum(d.truth[:, 5]))} rows before a burst; held out: {sorted(out)}")
    figures = {}
    if not args.no_cv:
        figures["by VOD"] = cross_validate(d, d.of % 4, "four folds by VOD or marathon")
        names = np.unique(d.channel, return_inverse=True)[1]
        names[~d.is_vod] = names.max() + 1 + d.of[~d.is_vod] % 2
        figures["by channel"] = cross_validate(d, names, "one channel left out at a time")
        figures["online"] = online_mae(d, np.ones(len(d.x), bool))
        print("\n## online, every series\n", json.dumps(figures["online"], indent=1))
    rates = {(h, q): train_rate(d, ~is_out, h, q) for h in range(3) for q in QUANTILES}
    burst = BurstModel(d, ~is_out & d.is_vod)
    folder = args.models / "forecast"
    (folder / "1").mkdir(parents=True, exist_ok=True)
    to_onnx(d, rates, burst, folder / "1" / "model.onnx")
    (folder / "config.pbtxt").write_text(CONFIG.format(width=len(d.names)))
    (folder / "trained.json").write_text(json.dumps(dict(
        trained=sorted(one["name"] for one in d.series if one["name"] not in out),
        held_out=sorted(out), features=d.names, rows=int((~is_out).sum()), seed=SEED, figures=figures), indent=1, default=float) + "\n")
    held = rate_figures(d, is_out, lambda h, use: np.maximum(
        0, d.reference[use] * np.exp(rates[h, 0.5].predict(d.x[use][:, : d.rate_width])) - 1))
    print("\n## held out\n", json.dumps(held, indent=1, default=float))
    print(json.dumps(burst_figures(d, is_out, burst.chance(d.x[is_out & d.burst])), default=float))
    print(json.dumps(burst_figures(d, ~is_out, burst.chance(d.x[~is_out & d.burst])), default=float), "(trained on)")


if __name__ == "__main__":
    main()
