"""models/toxicity from the rows of toxicity.ts: one table of hashed numbers, whose rows are summed in the graph, and heads on it.

Every head is a logistic regression on the same rows; what they say is calibrated on the parts `tune`; `action` is trees on the heads and the context."""

import argparse, collections, json, pathlib
import lightgbm, numpy as np, onnx, onnxruntime, scipy.sparse as sparse
from onnx import TensorProto, compose, helper, numpy_helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

OPSET = 15
BUCKETS = 1 << 17
CONDA = ["O", "A", "I", "E"]


class Rows:
    def __init__(self, folder):
        about = json.loads((folder / "about.json").read_text())
        self.classes, self.context_names = about["classes"], about["context"]
        self.lines = [json.loads(line) for line in open(folder / "lines.ndjson", encoding="utf8")]
        self.n = len(self.lines)
        self.set = np.array([line["set"] for line in self.lines])
        self.part = np.array([line["part"] for line in self.lines])
        numbers = np.fromfile(folder / "numbers.u32", np.uint32).astype(np.int32)
        self.window_line, size = np.fromfile(folder / "windows.u32", np.uint32).astype(np.int64).reshape(2, -1)
        self.context = np.fromfile(folder / "context.f32", np.float32).reshape(self.n, -1)
        ends = np.concatenate([[0], np.cumsum(size)])
        self.windows = sparse.csr_matrix((np.ones(len(numbers), np.float32), numbers, ends), shape=(len(size), BUCKETS))
        # A line is trained on as a whole, and measured by its windows, as the product does it.
        whole = sparse.csr_matrix((np.ones(len(numbers), np.float32), (np.repeat(self.window_line, size), numbers)), shape=(self.n, BUCKETS))
        whole.sum_duplicates()
        whole.data[:] = 1
        self.whole = normal(whole)
        self.windows = normal(self.windows)

    def column(self, name):
        return np.array([np.nan if line.get(name) is None else line[name] for line in self.lines], np.float64)

    def strongest(self, scores):
        """A line is what the strongest of its windows is."""
        out = np.full((self.n, scores.shape[1]), -np.inf)
        np.maximum.at(out, self.window_line, scores)
        return out


def normal(rows):
    count = np.maximum(np.asarray(rows.sum(1)).ravel(), 1)
    return (sparse.diags((1 / np.sqrt(count)).astype(np.float32)) @ rows).tocsr()


def soft_regression(x, target, weight, c):
    """Logistic regression on targets between 0 and 1: each row stands once for each answer."""
    ones, zeros = np.flatnonzero(target > 0), np.flatnonzero(target < 1)
    rows = np.concatenate([ones, zeros])
    y = np.concatenate([np.ones(len(ones)), np.zeros(len(zeros))])
    w = np.concatenate([target[ones], 1 - target[zeros]]) * weight[rows]
    return LogisticRegression(C=c, solver="liblinear", max_iter=200).fit(x[rows], y, sample_weight=w)


def weights_of(rows):
    """How much a line counts: sets that are near to our chat count most; many sentences of one template count as few."""
    weight = np.ones(rows.n)
    for name, value in {"davidson": 0.2, "olid": 0.2, "vod": 0.5}.items():
        weight[rows.set == name] = value
    for name in set(rows.set):
        if name.startswith(("seed-", "neutral-")):
            weight[rows.set == name] = 1.0
    return weight


def heads_of(rows):
    """name → (target, rows that teach it, C)."""
    train = rows.part == "train"
    conda = rows.column("conda")
    heads = {}
    for i, name in enumerate(CONDA):
        heads[f"conda_{name}"] = ((conda == i).astype(float), train & ~np.isnan(conda), 6)
    gametox = rows.column("gametox")
    heads["gametox"] = ((gametox > 0).astype(float), train & ~np.isnan(gametox), 6)
    toxicity, severity = rows.column("toxicity"), rows.column("severity")
    heads["toxicity"] = (toxicity, train & ~np.isnan(toxicity), 6)
    heads["severity"] = (severity, train & ~np.isnan(severity), 6)
    classes = np.array([[np.nan if value is None else value for value in line["classes"]] for line in rows.lines], np.float64)
    for i, name in enumerate(rows.classes):
        heads[name] = (classes[:, i], train & ~np.isnan(classes[:, i]), 6)
    return heads


def ece(truth, chance, bins=10):
    """Expected calibration error, bins of equal size."""
    order = np.argsort(chance, kind="stable")
    return float(sum(abs(truth[part].mean() - chance[part].mean()) * len(part) for part in np.array_split(order, bins) if len(part)) / len(chance))


def platt(score, truth, weight):
    fit = LogisticRegression(C=1e4).fit(score[:, None], truth, sample_weight=weight)
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def const(self, value, dtype=np.float32):
        self.count += 1
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(np.array(value, dtype)), f"c{self.count}"))
        return self.constants[-1].name

    def add(self, op, *inputs, out=None, **attributes):
        self.count += 1
        self.nodes.append(helper.make_node(op, list(inputs), [out or f"t{self.count}"], **attributes))
        return out or f"t{self.count}"


def write(path, rows, table, scale, bias, names, calibration, trees):
    """numbers [N, 256], context [N, C] → probabilities."""
    g = Graph()
    index = g.add("Cast", "numbers", to=TensorProto.INT64)
    # The table is kept in bytes in the file and made floats once, when the model is loaded.
    floats = g.add("Cast", g.const(table, np.int8), to=TensorProto.FLOAT)
    bag = g.add("ReduceSum", g.add("Gather", floats, index, axis=0), g.const([1], np.int64), keepdims=0)
    present = g.add("Cast", g.add("Greater", "numbers", g.const(0.0)), to=TensorProto.FLOAT)
    count = g.add("Max", g.add("ReduceSum", present, g.const([1], np.int64), keepdims=1), g.const([1.0]))
    logits = g.add("Add", g.add("Mul", g.add("Div", bag, g.add("Sqrt", count)), g.const(scale)), g.const(bias))
    column = {name: i for i, name in enumerate(names)}
    take = lambda columns: g.add("Gather", logits, g.const(columns, np.int64), axis=1)
    conda = g.add("Sigmoid", take([column[f"conda_{name}"] for name in CONDA]))
    g.add("Div", conda, g.add("ReduceSum", conda, g.const([1], np.int64), keepdims=1), out="conda")
    calibrated = lambda chosen, out: g.add("Sigmoid", g.add("Add", g.add("Mul", take([column[n] for n in chosen]), g.const([calibration[n][0] for n in chosen])), g.const([calibration[n][1] for n in chosen])), out=out)
    for name in ("gametox", "toxicity", "severity"):
        calibrated([name], name)
    calibrated(rows.classes, "classes")
    g.add("Concat", "context", logits, axis=1, out="known")
    tensor = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])
    outputs = {"classes": len(rows.classes), "toxicity": 1, "severity": 1, "conda": 4, "gametox": 1}
    graph = helper.make_graph(g.nodes, "toxicity", [tensor("numbers", 256), tensor("context", rows.context.shape[1])], [tensor(n, w) for n, w in outputs.items()] + [tensor("known", rows.context.shape[1] + len(names))], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8)
    forest = compose.add_prefix(convert_lightgbm(trees, initial_types=[("in", FloatTensorType([None, rows.context.shape[1] + len(names)]))], target_opset=OPSET, zipmap=False), "trees_")
    forest.ir_version = model.ir_version
    del forest.opset_import[:]
    forest.opset_import.extend(model.opset_import)
    chances = [output.name for output in forest.graph.output if "prob" in output.name][0]
    merged = compose.merge_models(model, forest, io_map=[("known", "trees_in")], outputs=[*outputs, chances])
    merged.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "second"))
    # a·log-odds + b: the trees were taught with more actions than there are.
    a, b = calibration["action"]
    for name, value in {"low": 1e-6, "high": 1 - 1e-6, "a": a, "b": b, "whole": 1.0}.items():
        merged.graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
    merged.graph.node.extend([
        helper.make_node("Gather", [chances, "second"], ["chance"], axis=1),
        helper.make_node("Clip", ["chance", "low", "high"], ["clipped"]),
        helper.make_node("Sub", ["whole", "clipped"], ["against"]),
        helper.make_node("Div", ["clipped", "against"], ["odds"]),
        helper.make_node("Log", ["odds"], ["logodds"]),
        helper.make_node("Mul", ["logodds", "a"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["moved"]),
        helper.make_node("Sigmoid", ["moved"], ["action"]),
    ])
    kept = [output for output in merged.graph.output if output.name != chances] + [tensor("action", 1)]
    del merged.graph.output[:]
    merged.graph.output.extend(kept)
    merged.graph.name = "toxicity"
    onnx.checker.check_model(merged)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(merged, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=pathlib.Path, default="/tmp/hypecast-toxicity")
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "models")
    options = parser.parse_args()
    rows = Rows(options.rows)
    weight = weights_of(rows)
    heads = heads_of(rows)
    names = list(heads)
    table = np.zeros((BUCKETS, len(names)), np.float32)
    bias = np.zeros(len(names), np.float32)
    for i, (name, (target, taught, c)) in enumerate(heads.items()):
        fit = soft_regression(rows.whole[taught], target[taught], weight[taught], c)
        table[:, i], bias[i] = fit.coef_[0], fit.intercept_[0]
        print(name, int(taught.sum()), flush=True)
    table[0] = 0
    scale = np.abs(table).max(0) / 127
    small = np.round(table / scale).astype(np.int8)
    logits = rows.windows @ (small * scale) + bias
    line = rows.strongest(logits)

    tune = rows.part == "tune"
    calibration, record = {}, {}
    # Binary truth for those heads whose labels people gave.
    conda, gametox = rows.column("conda"), rows.column("gametox")
    toxic = np.where(~np.isnan(conda), conda == 3, np.where(~np.isnan(gametox), np.isin(gametox, [1, 3, 4, 5]), np.nan)).astype(float)
    truths = {"toxicity": toxic, "gametox": np.where(np.isnan(gametox), np.nan, gametox > 0)}
    for name in names:
        calibration[name] = (1.0, 0.0)
        if name in truths:
            known = tune & ~np.isnan(truths[name])
            calibration[name] = platt(line[known, names.index(name)], truths[name][known], np.ones(known.sum()))
            test = (rows.part == "test") & ~np.isnan(truths[name])
            chance = sigmoid(line[test, names.index(name)] * calibration[name][0] + calibration[name][1])
            record[name] = {"auroc": round(roc_auc_score(truths[name][test], chance), 4), "ece": round(ece(truths[name][test], chance), 4)}
    acted = rows.column("action")
    day = ~np.isnan(acted)
    known = np.concatenate([rows.context, line], axis=1)
    taught = day & (rows.part == "train")
    trees = lightgbm.LGBMClassifier(n_estimators=120, num_leaves=7, learning_rate=0.05, min_child_samples=40, subsample=0.8, subsample_freq=1, colsample_bytree=0.5, reg_lambda=5, verbose=-1, n_jobs=1, random_state=0, deterministic=True)
    trees.fit(known[taught], acted[taught])
    odds = trees.predict(known, raw_score=True)
    tuned = day & tune
    calibration["action"] = platt(odds[tuned], acted[tuned], np.ones(tuned.sum()))
    test = day & (rows.part == "test")
    chance = sigmoid(odds[test] * calibration["action"][0] + calibration["action"][1])
    record["action"] = {"auroc": round(roc_auc_score(acted[test], chance), 4), "ece": round(ece(acted[test], chance), 4)}
    test = (rows.part == "test") & ~np.isnan(conda)
    said = sigmoid(line[test][:, :4])
    said /= said.sum(1, keepdims=True)
    record["conda"] = {"uca": round(float((said.argmax(1) == conda[test]).mean()), 4), "auroc": round(roc_auc_score(conda[test] >= 2, said[:, 2] + said[:, 3]), 4)}
    for name in sorted(set(rows.set)):
        if name.startswith(("seed-", "neutral-", "vod")):
            part = (rows.set == name) & (rows.part == "test")
            chance = sigmoid(line[part, names.index("toxicity")] * calibration["toxicity"][0] + calibration["toxicity"][1])
            print(f"{name:28s} {part.sum():6d} toxicity mean {chance.mean():.3f} ≥ .5: {(chance >= 0.5).mean():.3f} ≥ .3: {(chance >= 0.3).mean():.3f}")
    print(json.dumps(record, indent=1))
    folder = options.models / "toxicity"
    write(folder / "1" / "model.onnx", rows, small, scale, bias, names, calibration, trees)
    (folder / "trained.json").write_text(json.dumps({"context": rows.context_names, "classes": rows.classes, "heads": names, "lines": collections.Counter(rows.set[rows.part == "train"].tolist()), "calibration": calibration, "record": record}, indent=1) + "\n")
    session = onnxruntime.InferenceSession(str(folder / "1" / "model.onnx"))
    print((folder / "1" / "model.onnx").stat().st_size, "bytes", [(o.name, o.shape) for o in session.get_outputs()])


main()
