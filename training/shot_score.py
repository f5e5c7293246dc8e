"""Trains models/shot_score from the rows that shots.ts wrote, and writes the ONNX file, config.pbtxt and trained.json.

python training/shot_score.py --rows DIR [--models models]

The graph turns pixels into figures itself, so that training, onnxruntime and Triton read the very same ones.
"""

import argparse, json, pathlib, zlib
import lightgbm
import numpy as np
import onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx import compose
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, mean_absolute_error, roc_auc_score

SEED = 20261125
FRAMES, HEIGHT, WIDTH = 8, 36, 64
OPSET = 15
HEADS = ("action", "quality", "novelty")
# Action is judged by what moves alone: with all figures it learns how CCTV looks where people fight.
MOTION = ("change", "changeMost", "changeSquare", "blockMost", "blockMostEver", "middle", "cameraMotion", "objectMotion")
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


def learner(head):
    """Few clips and many figures: whatever is larger than this learns the clips by heart (tried: perceptrons, trees on all figures)."""
    if head == "quality":
        return lightgbm.LGBMRegressor(n_estimators=200, num_leaves=8, learning_rate=0.05, verbose=-1, num_threads=2, seed=SEED,
                                      deterministic=True, force_row_wise=True)
    return LogisticRegression(C=1.0 if head == "action" else 0.1, max_iter=2000)


def say(head, net, x):
    return np.clip(net.predict(x), 0, 1) if head == "quality" else net.predict_proba(x)[:, 1]


def grouped(groups):
    """Every group whole in one of FOLDS parts, by a hash of its name: the same on every machine."""
    part = {g: zlib.crc32(str(g).encode()) % FOLDS for g in set(groups)}
    return np.array([part[g] for g in groups])


def measure(head, truth, said):
    if head == "quality":
        return {"spearman": round(float(spearmanr(truth, said).statistic), 3), "mae": round(float(mean_absolute_error(truth, said)), 3)}
    return {"auroc": round(float(roc_auc_score(truth, said)), 3), "ap": round(float(average_precision_score(truth, said)), 3),
            "base": round(float(truth.mean()), 3)}


def assembled(g, joined, weights, signals):
    """Figures, then each head: a line and a sigmoid, or trees."""
    normal = {}
    for head, (columns, mean, std, net) in weights.items():
        chosen = g.add("Gather", joined, g.const(columns, np.int64), axis=1)
        normal[head] = g.add("Div", g.add("Sub", chosen, g.const(mean)), g.const(std))
        if head != "quality":
            g.add("Sigmoid", g.add("Add", g.add("MatMul", normal[head], g.const(net.coef_.T)), g.const(net.intercept_)))
            g.nodes[-1].output[0] = head
    g.nodes.append(helper.make_node("Identity", [normal["quality"]], ["normal"]))
    width = len(weights["quality"][0])
    figures = model_of(g, [("action", 1), ("novelty", 1), ("normal", width)], signals)
    figures.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    trees = convert_lightgbm(weights["quality"][3], initial_types=[("normal_in", FloatTensorType([None, width]))], target_opset=OPSET)
    trees = compose.add_prefix(trees, "trees_")
    trees.ir_version = figures.ir_version
    del trees.opset_import[:], figures.opset_import[:]
    for one in (trees, figures):
        one.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)])
    [tree_out] = [output.name for output in trees.graph.output]
    merged = compose.merge_models(figures, trees, io_map=[("normal", "trees_normal_in")], outputs=["action", "novelty", tree_out])
    low, high = numpy_helper.from_array(np.float32(0), "low"), numpy_helper.from_array(np.float32(1), "high")
    merged.graph.initializer.extend([low, high])
    merged.graph.node.append(helper.make_node("Clip", [tree_out, "low", "high"], ["quality"]))
    [old] = [output for output in merged.graph.output if output.name == tree_out]
    old.name = "quality"
    onnx.checker.check_model(merged)
    return merged


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
        columns = [names.index(name) for name in (MOTION if head == "action" else names)]
        mean, std = xs[:, columns].mean(0), xs[:, columns].std(0) + 1e-6
        z = (xs[:, columns] - mean) / std
        parts, said = grouped(groups), np.zeros(len(y))
        for part in range(FOLDS):
            held = parts == part
            if held.any():
                said[held] = say(head, learner(head).fit(z[~held], y[~held]), z[held])
        weights[head] = (columns, mean, std, learner(head).fit(z, y))
        alone = {names[i]: round(float(roc_auc_score(y > np.median(y) if head == "quality" else y, x[known][:, i])), 3) for i in range(len(names))}
        best = max(alone.items(), key=lambda item: abs(item[1] - 0.5))
        record[head] = {"rows": int(known.sum()), "groups": len(set(groups)), "crossValidated": measure(head, y, said),
                        "bestSingleFigure": {"name": best[0], "auroc": best[1]}}
        print(head, record[head])

    made = assembled(g, joined, weights, about["signals"])
    answer = session(made).run(list(HEADS), {"frames": frames[:64], "signals": signals[:64]})
    for head, values in zip(HEADS, answer):
        columns, mean, std, net = weights[head]
        assert np.allclose(values[:, 0], say(head, net, (x[:64][:, columns] - mean) / std), atol=1e-4), head

    folder = args.models / "shot_score"
    (folder / "1").mkdir(parents=True, exist_ok=True)
    onnx.save(made, folder / "1" / "model.onnx")
    (folder / "trained.json").write_text(json.dumps({"signals": about["signals"], "figures": names, "data": about["data"], "record": record}, indent=1) + "\n")
    print((folder / "1" / "model.onnx").stat().st_size, "bytes")


main()
