"""Trains models/shot_score from the rows that shots.ts wrote, and writes the ONNX file, config.pbtxt and trained.json.

python training/shot_score.py --rows DIR [--models models]

The graph turns pixels into figures itself, so that training, onnxruntime and Triton read the very same ones.
"""

import argparse, json, pathlib
import numpy as np
import onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.metrics import average_precision_score, mean_absolute_error, roc_auc_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from scipy.stats import spearmanr

SEED = 20261125
FRAMES, HEIGHT, WIDTH = 8, 36, 64
OPSET = 15
HEADS = ("action", "quality", "novelty")
HIDDEN = {"action": 16, "quality": 24, "novelty": 8}
DECAY = {"action": 1.0, "quality": 1e-3, "novelty": 1e-2}
FOLDS = 5


class Graph:
    """Nodes and constants, in the order in which they are added."""

    def __init__(self):
        self.nodes, self.constants, self.n = [], [], 0

    def add(self, op, *inputs, **attributes):
        self.n += 1
        out = f"t{self.n}"
        self.nodes.append(helper.make_node(op, list(inputs), [out], **attributes))
        return out

    def const(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def slice(self, x, axis, begin, end):
        ints = lambda v: self.const([v], np.int64)
        return self.add("Slice", x, ints(begin), ints(end), ints(axis))

    def mean(self, x, axes):
        return self.add("ReduceMean", x, axes=axes, keepdims=0)

    def max(self, x, axes):
        return self.add("ReduceMax", x, axes=axes, keepdims=0)


def pixel_features(g):
    """[N, 8, 36, 64, 3] uint8 → the names of [N, 1] figures, what they are called."""
    rgb = g.add("Mul", g.add("Cast", "frames", to=TensorProto.FLOAT), g.const(1 / 255))
    luma = g.add("Squeeze", g.add("MatMul", rgb, g.const([[0.299], [0.587], [0.114]])), g.const([4], np.int64))
    change = g.add("Abs", g.add("Sub", g.slice(luma, 1, 1, FRAMES), g.slice(luma, 1, 0, FRAMES - 1)))
    by_frame = g.mean(change, [2, 3])
    blocks = g.add("AveragePool", change, kernel_shape=[9, 8], strides=[9, 8])
    most = g.max(blocks, [2, 3])
    middle = g.slice(g.slice(blocks, 2, 1, 3), 3, 2, 6)
    dx = g.add("Abs", g.add("Sub", g.slice(luma, 3, 1, WIDTH), g.slice(luma, 3, 0, WIDTH - 1)))
    dy = g.add("Abs", g.add("Sub", g.slice(luma, 2, 1, HEIGHT), g.slice(luma, 2, 0, HEIGHT - 1)))
    saturation = g.add("Sub", g.max(rgb, [4]), g.add("ReduceMin", rgb, axes=[4], keepdims=0))
    ends = g.add("Abs", g.add("Sub", g.slice(luma, 1, 0, 1), g.slice(luma, 1, FRAMES - 1, FRAMES)))
    flat = g.mean(luma, [2, 3])
    figures = {
        "change": g.mean(by_frame, [1]),
        "changeMost": g.max(by_frame, [1]),
        "changeSquare": g.mean(g.add("Mul", change, change), [1, 2, 3]),
        "blockMost": g.mean(most, [1]),
        "blockMostEver": g.max(most, [1]),
        "middle": g.mean(middle, [1, 2, 3]),
        "edgesX": g.mean(dx, [1, 2, 3]),
        "edgesY": g.mean(dy, [1, 2, 3]),
        "edgesSquare": g.mean(g.add("Mul", dx, dx), [1, 2, 3]),
        "luma": g.mean(luma, [1, 2, 3]),
        "lumaSquare": g.mean(g.add("Mul", luma, luma), [1, 2, 3]),
        "lumaMost": g.max(flat, [1]),
        "saturation": g.mean(saturation, [1, 2, 3]),
        "ends": g.mean(ends, [1, 2, 3]),
    }
    # Shares below one hundredth and a half live on very different scales: a root brings them together.
    return [(name, g.add("Unsqueeze", g.add("Sqrt", value), g.const([1], np.int64))) for name, value in figures.items()]


def feature_graph(signals):
    g = Graph()
    figures = pixel_features(g)
    joined = g.add("Concat", *[value for _, value in figures], "signals", axis=1)
    return g, joined, [name for name, _ in figures] + list(signals)


def model_of(g, outputs, signals):
    tensor = lambda name, kind, dims: helper.make_tensor_value_info(name, kind, ["N", *dims])
    graph = helper.make_graph(
        g.nodes, "shot_score",
        [tensor("frames", TensorProto.UINT8, [FRAMES, HEIGHT, WIDTH, 3]), tensor("signals", TensorProto.FLOAT, [len(signals)])],
        [tensor(name, TensorProto.FLOAT, [width]) for name, width in outputs], g.constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def load(folder):
    about = json.loads((folder / "rows.json").read_text())
    n, s = len(about["rows"]), len(about["signals"])
    frames = np.fromfile(folder / "frames.u8", np.uint8).reshape(n, FRAMES, HEIGHT, WIDTH, 3)
    signals = np.fromfile(folder / "signals.f32", np.float32).reshape(n, s)
    return about, frames, signals


def network(head):
    kind = MLPRegressor if head == "quality" else MLPClassifier
    return kind(hidden_layer_sizes=(HIDDEN[head],), activation="tanh", alpha=DECAY[head], learning_rate_init=3e-3, max_iter=400,
                early_stopping=False, random_state=SEED, n_iter_no_change=20)


def say(head, net, x):
    return np.clip(net.predict(x), 0, 1) if head == "quality" else net.predict_proba(x)[:, 1]


def grouped(groups):
    """Every group whole in one of FOLDS parts, by a hash of its name: the same on every machine."""
    part = {g: int.from_bytes(str(g).encode(), "little") * 2654435761 % 2**32 % FOLDS for g in set(groups)}
    return np.array([part[g] for g in groups])


def measure(head, truth, said):
    if head == "quality":
        return {"spearman": round(float(spearmanr(truth, said).statistic), 3), "mae": round(float(mean_absolute_error(truth, said)), 3)}
    return {"auroc": round(float(roc_auc_score(truth, said)), 3), "ap": round(float(average_precision_score(truth, said)), 3),
            "base": round(float(truth.mean()), 3)}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=pathlib.Path, required=True)
    options.add_argument("--models", type=pathlib.Path, default=pathlib.Path("models"))
    args = options.parse_args()
    about, frames, signals = load(args.rows)
    g, joined, names = feature_graph(about["signals"])
    probe = Graph()
    probe.nodes, probe.constants = [*g.nodes, helper.make_node("Identity", [joined], ["features"])], g.constants
    run = session(model_of(probe, [("features", len(names))], about["signals"]))
    x = np.concatenate([run.run(None, {"frames": frames[i:i + 256], "signals": signals[i:i + 256]})[0] for i in range(0, len(frames), 256)])
    assert np.isfinite(x).all()

    record, weights = {}, {}
    for head in HEADS:
        truth = np.array([row[head] if row[head] is not None else np.nan for row in about["rows"]], np.float64)
        known = ~np.isnan(truth)
        # A clip, or for what depends on the stream before it a stream, is either trained on or held out.
        group = "stream" if head == "novelty" else "group"
        y, xs, groups = truth[known], x[known], np.array([row[group] for row in about["rows"]])[known]
        mean, std = xs.mean(0), xs.std(0) + 1e-6
        z = (xs - mean) / std
        parts, said = grouped(groups), np.zeros(len(y))
        for part in range(FOLDS):
            held = parts == part
            if held.any():
                said[held] = say(head, network(head).fit(z[~held], y[~held]), z[held])
        net = network(head).fit(z, y)
        weights[head] = (mean, std, net)
        alone = {names[i]: round(float(roc_auc_score(y > np.median(y) if head == "quality" else y, x[known][:, i])), 3) for i in range(len(names))}
        best = max(alone.items(), key=lambda item: abs(item[1] - 0.5))
        record[head] = {"rows": int(known.sum()), "groups": len(set(groups)), "crossValidated": measure(head, y, said),
                        "bestSingleFigure": {"name": best[0], "auroc": best[1]}}
        print(head, record[head])

    for head in HEADS:
        mean, std, net = weights[head]
        z = g.add("Div", g.add("Sub", joined, g.const(mean)), g.const(std))
        hidden = g.add("Tanh", g.add("Add", g.add("MatMul", z, g.const(net.coefs_[0])), g.const(net.intercepts_[0])))
        last = g.add("Add", g.add("MatMul", hidden, g.const(net.coefs_[1])), g.const(net.intercepts_[1]))
        out = g.add("Clip", last, g.const(0.0), g.const(1.0)) if head == "quality" else g.add("Sigmoid", last)
        g.nodes[-1].output[0] = head
    made = model_of(g, [(head, 1) for head in HEADS], about["signals"])
    answer = session(made).run(list(HEADS), {"frames": frames[:64], "signals": signals[:64]})
    for head, values in zip(HEADS, answer):
        mean, std, net = weights[head]
        assert np.allclose(values[:, 0], say(head, net, (x[:64] - mean) / std), atol=1e-4), head

    folder = args.models / "shot_score"
    (folder / "1").mkdir(parents=True, exist_ok=True)
    onnx.save(made, folder / "1" / "model.onnx")
    (folder / "trained.json").write_text(json.dumps({"signals": about["signals"], "figures": names, "data": about["data"], "record": record}, indent=1) + "\n")
    print((folder / "1" / "model.onnx").stat().st_size, "bytes")


main()
