"""models/toxicity from the rows of toxicity.ts.

Two readings of a line, whose log-odds are added: logistic regressions on a bag of hashed numbers, and a small convolution over its words. `action` is trees on
what both say and on the line's context. What people labelled is calibrated on the parts `tune`; the parts `test` are only measured."""

import argparse, collections, json, pathlib
import lightgbm, numpy as np, onnx, onnxruntime, scipy.sparse as sparse, torch
from onnx import TensorProto, compose, helper, numpy_helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from torch import nn
from torch.nn import functional as F

OPSET = 15
# As in streamproc/src/toxicity/features.ts.
WINDOW, BUCKETS = 256, 1 << 17
WORDS, PIECES, WORD_BUCKETS = 20, 12, 1 << 16
CONDA = ["O", "A", "I", "E"]
WIDTH, CHANNELS, EPOCHS, BATCH, RATE = 32, 64, 3, 96, 0.002
SEED = 20261126
# Sentences of our own are few: each counts as several.
SEEDS_COUNT = 3


class Rows:
    def __init__(self, folder):
        about = json.loads((folder / "about.json").read_text())
        self.classes, self.context_names = about["classes"], about["context"]
        self.lines = [json.loads(line) for line in open(folder / "lines.ndjson", encoding="utf8")]
        self.n = len(self.lines)
        self.set = np.array([line["set"] for line in self.lines])
        self.part = np.array([line["part"] for line in self.lines])
        self.own = np.char.startswith(self.set, "seed-") | np.char.startswith(self.set, "neutral-")
        numbers = np.fromfile(folder / "numbers.u32", np.uint32).astype(np.int32)
        self.window_line, size = np.fromfile(folder / "windows.u32", np.uint32).astype(np.int64).reshape(2, -1)
        self.first_window = np.searchsorted(self.window_line, np.arange(self.n))
        self.window_count = np.bincount(self.window_line, minlength=self.n)
        self.words = np.fromfile(folder / "words.u32", np.uint32).reshape(len(size), WORDS, PIECES).astype(np.int32)
        self.context = np.fromfile(folder / "context.f32", np.float32).reshape(self.n, -1)
        ends = np.concatenate([[0], np.cumsum(size)])
        windows = sparse.csr_matrix((np.ones(len(numbers), np.float32), numbers, ends), shape=(len(size), BUCKETS))
        whole = sparse.csr_matrix((np.ones(len(numbers), np.float32), (np.repeat(self.window_line, size), numbers)), shape=(self.n, BUCKETS))
        whole.sum_duplicates()
        whole.data[:] = 1
        # The regressions learn from a line as a whole and are measured by its windows, as the product asks them.
        self.whole, self.windows = normal(whole), normal(windows)
        self.heads = self.targets()

    def column(self, name):
        return np.array([np.nan if line.get(name) is None else line[name] for line in self.lines], np.float64)

    def targets(self):
        """name → what each line should be, NaN: not known."""
        conda, gametox = self.column("conda"), self.column("gametox")
        unless = lambda known, value: np.where(np.isnan(known), np.nan, value)
        heads = {f"conda_{name}": unless(conda, conda == i) for i, name in enumerate(CONDA)}
        heads["gametox"] = unless(gametox, gametox > 0)
        heads["toxicity"], heads["severity"] = self.column("toxicity"), self.column("severity")
        classes = np.array([[np.nan if value is None else value for value in line["classes"]] for line in self.lines], np.float64)
        heads.update({name: classes[:, i] for i, name in enumerate(self.classes)})
        return heads

    def strongest(self, scores):
        """A line is what the strongest of its windows is."""
        out = np.full((self.n, scores.shape[1]), -np.inf)
        np.maximum.at(out, self.window_line, scores)
        return out


def normal(rows):
    count = np.maximum(np.asarray(rows.sum(1)).ravel(), 1)
    return (sparse.diags((1 / np.sqrt(count)).astype(np.float32)) @ rows).tocsr()


def weights_of(rows):
    """How much a line counts: tweets, disguised lines and chat that nobody labelled count less."""
    weight = np.ones(rows.n)
    for name, value in {"davidson": 0.2, "olid": 0.2, "vod": 0.5, "disguised": 0.7}.items():
        weight[rows.set == name] = value
    weight[rows.own] = SEEDS_COUNT
    return weight


def soft_regression(x, target, weight, c):
    """Logistic regression on targets between 0 and 1: each row stands once for each answer."""
    ones, zeros = np.flatnonzero(target > 0), np.flatnonzero(target < 1)
    rows = np.concatenate([ones, zeros])
    y = np.concatenate([np.ones(len(ones)), np.zeros(len(zeros))])
    w = np.concatenate([target[ones], 1 - target[zeros]]) * weight[rows]
    return LogisticRegression(C=c, solver="liblinear", max_iter=200, random_state=SEED).fit(x[rows], y, sample_weight=w)


def regressions(rows, weight):
    """table [BUCKETS, heads] in bytes with a scale for each head, bias."""
    table, bias = np.zeros((BUCKETS, len(rows.heads)), np.float32), np.zeros(len(rows.heads), np.float32)
    for i, (name, target) in enumerate(rows.heads.items()):
        taught = (rows.part == "train") & ~np.isnan(target)
        fit = soft_regression(rows.whole[taught], target[taught], weight[taught], 6)
        table[:, i], bias[i] = fit.coef_[0], fit.intercept_[0]
    table[0] = 0
    scale = np.abs(table).max(0) / 127
    return np.round(table / scale).astype(np.int8), scale, bias


class Net(nn.Module):
    """words [N, WORDS, PIECES] → log-odds. A word is the sum of its pieces; neighbours are seen together; the strongest place and the sum over places count."""

    def __init__(self, heads):
        super().__init__()
        self.table = nn.Embedding(WORD_BUCKETS, WIDTH, sparse=True)
        nn.init.normal_(self.table.weight, std=0.1)
        self.table.weight.data[0] = 0
        self.near = nn.Conv1d(WIDTH, CHANNELS, 3, padding=1)
        self.out = nn.Linear(2 * CHANNELS + WIDTH, heads)

    def forward(self, words):
        there = (words > 0).float()
        # Pieces and whole words are left out in training: disguised words lose some of theirs.
        seen = there * (torch.rand_like(there) > 0.1) / 0.9 if self.training else there
        word = (self.table(words) * seen[..., None]).sum(2) / there.sum(2, keepdim=True).clamp(min=1).sqrt()
        if self.training:
            word = word * (torch.rand(word.shape[0], word.shape[1], 1) > 0.1)
        word = F.dropout(word, 0.2, self.training)
        present = there[:, :, :1]
        many = present.sum(1).clamp(min=1).sqrt()
        near = F.relu(self.near(word.transpose(1, 2))).transpose(1, 2) * present
        line = torch.cat([near.max(1).values, near.sum(1) / many, word.sum(1) / many], 1)
        return self.out(F.dropout(line, 0.4, self.training))


def train_net(rows, weight):
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    random = np.random.default_rng(SEED)
    names = list(rows.heads)
    # Tweets help the words along by heads of their own, which are thrown away.
    targets = np.stack([*rows.heads.values(), rows.column("davidson"), rows.column("olid")], 1).astype(np.float32)
    counts = torch.tensor([0.0] * 4 + [1.0, 0.6, 0.3] + [0.3] * len(rows.classes) + [1.0, 1.0])
    conda = rows.column("conda")
    net = Net(targets.shape[1])
    sparse_step = torch.optim.SparseAdam([net.table.weight], lr=RATE)
    dense_step = torch.optim.AdamW([p for name, p in net.named_parameters() if name != "table.weight"], lr=RATE, weight_decay=0.01)
    taught = (rows.part == "train") & (rows.set != "timeouts")
    labelled, vod = np.flatnonzero(taught & (rows.set != "vod")), np.flatnonzero(taught & (rows.set == "vod"))
    used = (rows.words[:, :, 0] > 0).sum(1)

    def ask(lines):
        count = rows.window_count[lines]
        windows = np.repeat(rows.first_window[lines] - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
        longest = max(1, used[windows].max())
        said = net(torch.from_numpy(rows.words[windows][:, :longest].astype(np.int64)))
        if count.max() == 1:
            return said
        at = torch.from_numpy(np.repeat(np.arange(len(lines)), count))[:, None].expand(-1, said.shape[1])
        return torch.full((len(lines), said.shape[1]), -1e9).scatter_reduce(0, at, said, "amax")

    for epoch in range(EPOCHS):
        order = random.permutation(np.concatenate([labelled, random.permutation(vod)[:12000]]))
        batches = []
        for at in range(0, len(order), BATCH * 50):
            near = order[at : at + BATCH * 50]
            near = near[np.argsort(used[rows.first_window[near]] + 100 * rows.window_count[near], kind="stable")]
            batches += [near[k : k + BATCH] for k in range(0, len(near), BATCH)]
        total = 0.0
        for done, i in enumerate(random.permutation(len(batches))):
            lines = batches[i]
            for group in (*sparse_step.param_groups, *dense_step.param_groups):
                group["lr"] = RATE * max(0.02, 1 - (epoch + done / len(batches)) / EPOCHS)
            said = ask(lines)
            intent = conda[lines]
            known = ~np.isnan(intent)
            loss = F.cross_entropy(said[known][:, :4], torch.from_numpy(intent[known].astype(np.int64)), reduction="sum", label_smoothing=0.03) if known.any() else 0.0
            wanted = torch.from_numpy(targets[lines])
            there = ~torch.isnan(wanted)
            each = F.binary_cross_entropy_with_logits(said, torch.nan_to_num(wanted) * 0.97 + 0.015, reduction="none")
            loss = (loss + (each * there * counts * torch.from_numpy(weight[lines].astype(np.float32))[:, None]).sum()) / len(lines)
            sparse_step.zero_grad()
            dense_step.zero_grad()
            loss.backward()
            sparse_step.step()
            dense_step.step()
            total += loss.item()
        print(f"epoch {epoch}: {total / len(batches):.4f}", flush=True)
    net.eval()
    net.out.weight.data, net.out.bias.data = net.out.weight.data[: len(names)], net.out.bias.data[: len(names)]
    # Kept in bytes: what is measured below is what is kept.
    scale = net.table.weight.data.abs().max(0).values / 127
    small = torch.round(net.table.weight.data / scale)
    small[0] = 0
    net.table.weight.data = small * scale
    with torch.no_grad():
        said = np.concatenate([net(torch.from_numpy(rows.words[at : at + 2048].astype(np.int64))).numpy() for at in range(0, len(rows.words), 2048)])
    return net, small.numpy().astype(np.int8), scale.numpy(), said


def ece(truth, chance, bins=10):
    """Expected calibration error, bins of equal size."""
    order = np.argsort(chance, kind="stable")
    return float(sum(abs(truth[part].mean() - chance[part].mean()) * len(part) for part in np.array_split(order, bins) if len(part)) / len(chance))


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

    def sum(self, x, axis, keepdims):
        return self.add("ReduceSum", x, self.const([axis], np.int64), keepdims=keepdims)

    def root(self, count):
        return self.add("Sqrt", self.add("Max", count, self.const(1.0)))

    def cut(self, x, counts):
        """Places that no row of the batch uses are not looked at: rows are filled from the front."""
        longest = self.add("Reshape", self.add("ReduceMax", self.add("Max", counts, self.const(1.0)), keepdims=0), self.const([1], np.int64))
        return self.add("Slice", x, self.const([0], np.int64), self.add("Cast", longest, to=TensorProto.INT64), self.const([1], np.int64))

    def floats(self, table):
        """Bytes in the file, made floats once when the model is loaded."""
        return self.add("Cast", self.const(table, np.int8), to=TensorProto.FLOAT)


def write(path, rows, linear, net, mix, trees, action):
    """numbers [N, WINDOW], words [N, WORDS · PIECES], context [N, C] → probabilities."""
    g = Graph()
    present = lambda x: g.add("Cast", g.add("Greater", x, g.const(0.0)), to=TensorProto.FLOAT)
    integers = lambda x: g.add("Cast", x, to=TensorProto.INT32)
    table, scale, bias = linear
    there = present("numbers")
    numbers = g.cut("numbers", g.sum(there, 1, 1))
    bag = g.sum(g.add("Gather", g.floats(table), integers(numbers), axis=0), 1, 0)
    first = g.add("Add", g.add("Mul", g.add("Div", bag, g.root(g.sum(there, 1, 1))), g.const(scale)), g.const(bias))

    model, small, width_scale = net
    weights = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    words = g.add("Reshape", "words", g.const([0, WORDS, PIECES], np.int64))
    begins = g.add("Slice", present(words), g.const([0], np.int64), g.const([1], np.int64), g.const([2], np.int64))
    words = g.cut(words, g.sum(begins, 1, 1))
    there = present(words)
    pieces = g.sum(g.add("Gather", g.floats(small), integers(words), axis=0), 2, 0)
    word = g.add("Mul", g.add("Div", pieces, g.root(g.sum(there, 2, 1))), g.const(width_scale))
    here = g.add("Slice", there, g.const([0], np.int64), g.const([1], np.int64), g.const([2], np.int64))
    many = g.root(g.sum(here, 1, 0))
    near = g.add("Conv", g.add("Transpose", word, perm=[0, 2, 1]), g.const(weights["near.weight"]), g.const(weights["near.bias"]), kernel_shape=[3], pads=[1, 1])
    near = g.add("Mul", g.add("Relu", near), g.add("Transpose", here, perm=[0, 2, 1]))
    line = g.add("Concat", g.add("ReduceMax", near, axes=[2], keepdims=0), g.add("Div", g.sum(near, 2, 0), many), g.add("Div", g.sum(word, 1, 0), many), axis=1)
    second = g.add("Gemm", line, g.const(weights["out.weight"]), g.const(weights["out.bias"]), transB=1)

    names = list(rows.heads)
    a, b, c = (g.const([mix[name][i] for name in names]) for i in range(3))
    logits = g.add("Add", g.add("Add", g.add("Mul", first, a), g.add("Mul", second, b)), c)
    column = {name: i for i, name in enumerate(names)}
    take = lambda chosen: g.add("Gather", logits, g.const([column[name] for name in chosen], np.int64), axis=1)
    g.add("Softmax", take([f"conda_{name}" for name in CONDA]), axis=1, out="conda")
    for name in ("gametox", "toxicity", "severity"):
        g.add("Sigmoid", take([name]), out=name)
    g.add("Sigmoid", take(rows.classes), out="classes")
    g.add("Concat", "context", logits, axis=1, out="known")
    width = rows.context.shape[1]
    tensor = lambda name, size: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
    outputs = {"classes": len(rows.classes), "toxicity": 1, "severity": 1, "conda": 4, "gametox": 1}
    inputs = [tensor("numbers", WINDOW), tensor("words", WORDS * PIECES), tensor("context", width)]
    graph = helper.make_graph(g.nodes, "toxicity", inputs, [tensor(name, size) for name, size in outputs.items()] + [tensor("known", width + len(names))], g.constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8)
    forest = compose.add_prefix(convert_lightgbm(trees, initial_types=[("in", FloatTensorType([None, width + len(names)]))], target_opset=OPSET, zipmap=False), "trees_")
    forest.ir_version = made.ir_version
    del forest.opset_import[:]
    forest.opset_import.extend(made.opset_import)
    [chances] = [output.name for output in forest.graph.output if "prob" in output.name]
    merged = compose.merge_models(made, forest, io_map=[("known", "trees_in")], outputs=[*outputs, chances])
    # The trees' log-odds, moved to what was measured.
    constants = {"yes": np.array([1], np.int64), "low": np.float32(1e-6), "high": np.float32(1 - 1e-6), "whole": np.float32(1), "slope": np.float32(action[0]), "offset": np.float32(action[1])}
    merged.graph.initializer.extend(numpy_helper.from_array(np.array(value), name) for name, value in constants.items())
    steps = [("Gather", [chances, "yes"], "chance"), ("Clip", ["chance", "low", "high"], "inside"), ("Sub", ["whole", "inside"], "against"), ("Div", ["inside", "against"], "odds"),
             ("Log", ["odds"], "logodds"), ("Mul", ["logodds", "slope"], "scaled"), ("Add", ["scaled", "offset"], "moved"), ("Sigmoid", ["moved"], "action")]
    merged.graph.node.extend(helper.make_node(op, takes, [out], **({"axis": 1} if op == "Gather" else {})) for op, takes, out in steps)
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
    names = list(rows.heads)
    tune, test = rows.part == "tune", rows.part == "test"

    table, scale, bias = regressions(rows, weight)
    first = rows.windows @ (table * scale) + bias
    net, small, width_scale, second = train_net(rows, weight)

    # People's labels, yes or no: insults and worse are toxic, rudeness about the game ("ez mid", "damn") is not.
    conda, gametox = rows.column("conda"), rows.column("gametox")
    toxic = np.where(~np.isnan(conda), conda == 3, np.where(~np.isnan(gametox), np.isin(gametox, [1, 3, 4, 5]), np.nan)).astype(float)
    # Trash talk about the game is an insult to those who labelled it, and none to a moderator.
    banter = np.array([line.get("banter", False) for line in rows.lines])
    labelled_toxic = toxic.copy()
    toxic[banter] = np.nan
    truths = {"toxicity": toxic, "gametox": rows.heads["gametox"]}
    mix = {name: (0.5, 0.5, 0.0) for name in names}
    both = [rows.strongest(first), rows.strongest(second)]
    for name, truth in truths.items():
        known = tune & ~np.isnan(truth)
        i = names.index(name)
        # The line through both readings that fits best; and as far as windows go, the strongest of each stands for the strongest of both.
        fit = LogisticRegression(C=1e3).fit(np.stack([both[0][known, i], both[1][known, i]], 1), truth[known])
        mix[name] = (*(float(value) for value in fit.coef_[0]), float(fit.intercept_[0]))
    for name in names[:4]:
        mix[name] = (0.6, 0.6, 0.0)
    logits = first * [mix[name][0] for name in names] + second * [mix[name][1] for name in names] + [mix[name][2] for name in names]
    line = rows.strongest(logits)

    record = {}
    for name, truth in truths.items():
        known = test & ~np.isnan(truth)
        chance = sigmoid(line[known, names.index(name)])
        record[name] = {"auroc": roc_auc_score(truth[known], chance), "ece": ece(truth[known], chance)}
    known = test & ~np.isnan(labelled_toxic)
    record["toxicity"]["auroc with banter as labelled"] = roc_auc_score(labelled_toxic[known], line[known, names.index("toxicity")])
    known = tune & ~np.isnan(gametox)
    chance = sigmoid(line[:, names.index("gametox")])
    # The threshold of GameTox's yes or no is set on `tune` as well.
    threshold = float(max(np.linspace(0.1, 0.7, 61), key=lambda t: f1_score(rows.heads["gametox"][known], chance[known] > t, average="macro")))
    known = test & ~np.isnan(gametox)
    record["gametox"]["macroF1"] = f1_score(rows.heads["gametox"][known], chance[known] > threshold, average="macro")
    known = test & ~np.isnan(conda)
    said = np.exp(line[known][:, :4])
    said /= said.sum(1, keepdims=True)
    record["conda"] = {"uca": float((said.argmax(1) == conda[known]).mean()), "auroc": roc_auc_score(conda[known] >= 2, said[:, 2] + said[:, 3]), "auroc of toxicity": roc_auc_score(conda[known] >= 2, line[known, names.index("toxicity")])}

    acted = rows.column("action")
    day = ~np.isnan(acted)
    known = np.concatenate([rows.context, line], axis=1)
    trees = lightgbm.LGBMClassifier(n_estimators=150, num_leaves=7, learning_rate=0.05, min_child_samples=40, subsample=0.8, subsample_freq=1, colsample_bytree=0.5, reg_lambda=5, verbose=-1, n_jobs=1, random_state=SEED, deterministic=True)
    trees.fit(known[day & (rows.part == "train")], acted[day & (rows.part == "train")])
    odds = trees.predict(known, raw_score=True)
    fit = LogisticRegression(C=1e3).fit(odds[day & tune, None], acted[day & tune])
    action = (float(fit.coef_[0, 0]), float(fit.intercept_[0]))
    chance = sigmoid(odds[day & test] * action[0] + action[1])
    lengths = rows.context[:, rows.context_names.index("length")]
    record["action"] = {"auroc": roc_auc_score(acted[day & test], chance), "ece": ece(acted[day & test], chance), "auroc of length alone": roc_auc_score(acted[day & test], lengths[day & test]), "auroc of toxicity alone": roc_auc_score(acted[day & test], line[day & test, names.index("toxicity")])}
    record = {name: {key: round(float(value), 4) for key, value in figures.items()} for name, figures in record.items()}
    print(json.dumps(record, indent=1))

    toxicity = np.maximum(sigmoid(line[:, names.index("toxicity")]), sigmoid(line[:, [names.index(name) for name in rows.classes]]).max(1))
    for name in sorted(set(rows.set[rows.own | (rows.set == "vod")])):
        part = (rows.set == name) & test
        print(f"{name:26s} {part.sum():5d} toxicity mean {toxicity[part].mean():.3f}, ≥ .5 {(toxicity[part] >= 0.5).mean():.3f}, ≥ .3 {(toxicity[part] >= 0.3).mean():.3f}")
    # For a second run of toxicity.ts: whom the model would have flagged before.
    (toxicity[day] >= 0.5).astype(np.uint8).tofile(options.rows / "flagged.u8")

    folder = options.models / "toxicity"
    write(folder / "1" / "model.onnx", rows, (table, scale, bias), (net, small, width_scale), mix, trees, action)
    about = {"context": rows.context_names, "classes": rows.classes, "heads": names, "lines": collections.Counter(rows.set[rows.part == "train"].tolist()), "mix": mix, "gametoxFrom": threshold, "record": record}
    (folder / "trained.json").write_text(json.dumps(about, indent=1) + "\n")
    session = onnxruntime.InferenceSession(str(folder / "1" / "model.onnx"), providers=["CPUExecutionProvider"])
    some = np.flatnonzero(rows.window_count == 1)[::997]
    at = rows.first_window[some]
    numbers = np.zeros((len(at), WINDOW), np.float32)
    for k, window in enumerate(at):
        found = rows.windows[window].indices
        numbers[k, : len(found)] = found
    answer = session.run(["toxicity", "action"], {"numbers": numbers, "words": rows.words[at].reshape(len(at), -1).astype(np.float32), "context": rows.context[some]})
    print("graph differs by", np.abs(answer[0][:, 0] - sigmoid(line[some, names.index("toxicity")])).max(), np.abs(answer[1][:, 0] - sigmoid(odds[some] * action[0] + action[1])).max(), (folder / "1" / "model.onnx").stat().st_size, "bytes")


main()
