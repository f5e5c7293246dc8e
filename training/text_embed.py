"""Makes analytics/models/text_embed: vectors of words (English from a teacher, Russian by a map from Navec) from the texts that texts.ts wrote.

python training/text_embed.py --texts DIR [--work DIR] [--out analytics/models/text_embed]
"""

import argparse, collections, importlib.util, json, pathlib, random, subprocess, time
import numpy as np
from scipy import sparse
from navec import Navec
from teacher import Teacher

ROOT = pathlib.Path(__file__).parent.parent
SEED = 20261126
WIDTH = 256
# Texts that are learned from, of each set. The rest, and the labelled sets Tweet and GoogleNews, are for measuring.
TAKEN = dict(chat=22_000, stretch=6_000, conda=5_000, gametox=5_000, davidson=5_000, olid=5_000, StackOverflow=6_000, SearchSnippets=8_000)
ENGLISH, RUSSIAN = 20_000, 9_000
EPOCHS, BATCH, RATE = 5, 256, 1.5e-3
# Then, on the chats of three streams in four: two halves of a stretch are to find each other among those of others.
STRETCH, HALVES_EPOCHS, HALVES_RATE, SHARPNESS = 40, 12, 7e-4, 20.0
KEPT_APART = lambda vod: vod % 4 == 3

# The package natasha is there for this one file; it is not imported.
NAVEC = pathlib.Path(importlib.util.find_spec("natasha").submodule_search_locations[0]) / "data/emb/navec_news_v1_1B_250K_300d_100q.tar"

unit = lambda a: a / np.maximum(np.linalg.norm(a, axis=-1, keepdims=True), 1e-9)


def keys_of(words):
    """As the product itself calls them (training/stems.ts); words that it cuts in two are left out."""
    said = subprocess.run(["node", "--disable-warning=ExperimentalWarning", str(ROOT / "training/stems.ts")], check=True,
                          input="\n".join(words), capture_output=True, text=True).stdout.split("\n")
    return [line if line and "\t" not in line else None for line in said[: len(words)]]


def cached(path, make):
    if not path.exists():
        np.save(path, make())
    return np.load(path).astype(np.float32)


class Bag:
    """Adam over the rows of a table that a batch of bags touches."""

    def __init__(self, table, rate):
        self.table, self.rate, self.n = table, rate, 0
        self.m, self.v = np.zeros_like(table), np.zeros_like(table)

    def step(self, bags, gradient_of):
        """bags: CSR [B, V]; gradient_of(sums [B, D]) → d loss / d sums."""
        touched = np.unique(bags.indices)
        part = bags[:, touched]
        rows = self.table[touched]
        loss, gradient = gradient_of(part @ rows)
        g = part.T @ gradient
        self.n += 1
        self.m[touched] += 0.1 * (g - self.m[touched])
        self.v[touched] += 0.001 * (g * g - self.v[touched])
        m, v = self.m[touched] / (1 - 0.9**self.n), self.v[touched] / (1 - 0.999**self.n)
        self.table[touched] = rows - self.rate * m / (np.sqrt(v) + 1e-8)
        return loss


def towards(target):
    """1 − cosine to the teacher's vector."""
    def gradient_of(sums):
        length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
        o = sums / length
        cosine = (o * target).sum(1, keepdims=True)
        return float((1 - cosine).mean()), -(target - cosine * o) / length / len(sums)
    return gradient_of


def halves_apart(sums):
    """Softmax over the batch's other halves, both ways; the first half of the rows belongs to the second in order."""
    length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    o = sums / length
    n = len(o) // 2
    a, b = o[:n], o[n:]
    scores = SHARPNESS * a @ b.T
    def softmax(x):
        e = np.exp(x - x.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    p, q = softmax(scores), softmax(scores.T)
    loss = -float(np.log(np.maximum(np.diag(p), 1e-9)).mean())
    d = ((p - np.eye(n)) + (q - np.eye(n)).T) * SHARPNESS / (2 * n)
    g = np.concatenate([d @ b, d.T @ a]).astype(np.float32)
    return loss, (g - (g * o).sum(1, keepdims=True) * o) / length


def stretches(vods):
    """Lines of streams that are learned from, in stretches; a line that repeats the title is none."""
    out = []
    for at, vod in enumerate(vods):
        if KEPT_APART(at):
            continue
        title = vod["title"][:20].lower()
        lines = [line["words"] for line in vod["lines"] if title not in line["text"].lower()]
        out += [lines[i : i + STRETCH] for i in range(0, len(lines) - STRETCH, STRETCH)]
    return out


def csr(lists, index):
    """Bags of words; a word said n times counts 1 + ln n, as in static.ts."""
    rows, columns, values = [], [], []
    for r, words in enumerate(lists):
        counts = collections.Counter(index[w] for w in words if w in index)
        for c, n in counts.items():
            rows.append(r)
            columns.append(c)
            values.append(1 + np.log(n))
    return sparse.csr_matrix((np.array(values, np.float32), (rows, columns)), (len(lists), len(index)))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--texts", type=pathlib.Path, required=True)
    args.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/hypecast-text-embed"))
    args.add_argument("--out", type=pathlib.Path, default=ROOT / "analytics/models/text_embed")
    args = args.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    read = lambda name: json.loads((args.texts / f"{name}.json").read_text())
    teacher = Teacher(args.work / "teacher.onnx")
    began = time.time()

    sets = {}
    for name, count in TAKEN.items():
        all_of = read(name)
        sets[name] = rng.sample(all_of, min(count, len(all_of)))
    counts = collections.Counter()
    for name, texts in sets.items():
        for text in texts:
            counts.update(set(text["words"]))
    target = {name: cached(args.work / f"{name}.npy", lambda t=texts: teacher.encode([one["text"] for one in t]).astype(np.float16))
              for name, texts in sets.items()}
    print("texts", sum(map(len, sets.values())), round(time.time() - began), "s", flush=True)

    # English: the teacher's own whole words, and what chat says often.
    own = [w for w in teacher.tokenizer.get_vocab(with_added_tokens=False)]
    own.sort(key=teacher.tokenizer.token_to_id)
    plain = lambda w: w.isascii() and len(w) <= 24 and w.replace("'", "").isalnum() and not w.isdigit() and len(w) > 1
    chat = [w for w, n in counts.most_common() if n >= 4 and plain(w)]
    english = list(dict.fromkeys([*chat, *(w for w in own if plain(w))]))[:ENGLISH]
    said = cached(args.work / "english.npy", lambda: teacher.encode(english, 256).astype(np.float16))
    assert len(said) == len(english), "the vocabulary has changed: remove english.npy"
    print("english", len(english), "of them said in chat", len(set(chat) & set(english)), round(time.time() - began), "s", flush=True)

    everything = np.concatenate(list(target.values()))
    _, axes = np.linalg.eigh(np.cov((everything - everything.mean(0)).T))
    axes = axes[:, ::-1][:, :WIDTH]
    index = {w: i for i, w in enumerate(english)}
    rank = np.arange(1, len(english) + 1)
    share = np.array([counts[w] for w in english]) + 5e-1 * sum(counts.values()) / (len(counts) * rank**0.5)
    share /= share.sum()
    table = ((said @ axes) * (1e-3 / (1e-3 + share))[:, None]).astype(np.float32)
    bags = csr([text["words"] for texts in sets.values() for text in texts], index)
    known = np.flatnonzero(np.diff(bags.indptr) > 0)
    bags, wanted = bags[known], unit(everything[known] @ axes)
    bag = Bag(table, RATE)
    order = np.random.default_rng(SEED)
    for epoch in range(EPOCHS):
        shuffled = order.permutation(len(known))
        loss = [bag.step(bags[rows], towards(wanted[rows])) for rows in np.array_split(shuffled, len(known) // BATCH)]
        print("epoch", epoch, "1 - cosine", round(float(np.mean(loss)), 4), round(time.time() - began), "s", flush=True)

    learned = stretches(read("vods"))
    for epoch in range(HALVES_EPOCHS):
        learned = [learned[i] for i in order.permutation(len(learned))]
        losses, kept = [], []
        for at in range(0, len(learned) - BATCH // 2, BATCH // 2):
            one, other = [], []
            for lines in learned[at : at + BATCH // 2]:
                first = order.random(len(lines)) < 0.5
                one.append([w for line, f in zip(lines, first) if f for w in line])
                other.append([w for line, f in zip(lines, first) if not f for w in line])
            losses.append(bag.step(csr([*one, *other], index), halves_apart))
            # The teacher is listened to all the while.
            for rows in np.array_split(order.choice(len(known), 2 * BATCH, replace=False), 2):
                kept.append(bag.step(bags[rows], towards(wanted[rows])))
        bag.rate = HALVES_RATE
        print("halves", epoch, round(float(np.mean(losses)), 4), "1 - cosine", round(float(np.mean(kept)), 4), round(time.time() - began), "s", flush=True)

    # Russian: the map from Navec's space that fits the pairs made by hand.
    navec = Navec.load(NAVEC)
    often = sorted((w for w in navec.vocab.words if all("а" <= c <= "я" or c == "ё" for c in w) and len(w) > 1),
                   key=lambda w: -navec.vocab.counts[navec.vocab.word_ids[w]])[:60_000]
    sums = collections.defaultdict(lambda: np.zeros(300, np.float32))
    uses = collections.Counter()
    for word, key in zip(often, keys_of(often)):
        if key is None:
            continue
        n = int(navec.vocab.counts[navec.vocab.word_ids[word]])
        sums[key] += n**0.5 * unit(navec[word])
        uses[key] += n
    pairs = []
    for line in (ROOT / "training/ru_en.txt").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            ru, en = (side.replace("ё", "е").split(",") for side in line.split("="))
            pairs.append((keys_of(ru), [w for w in en if w in index]))
    pairs = [([k for k in ru if k], en) for ru, en in pairs if en]
    meaning = lambda en: unit(unit(table[[index[w] for w in en]]).mean(0))

    def fit(some):
        x = np.stack([unit(sums[k]) for ru, _ in some for k in ru if k in sums])
        y = np.stack([meaning(en) for ru, en in some for k in ru if k in sums])
        u, _, v = np.linalg.svd(x.T @ y, full_matrices=False)
        turned = u @ v
        ridge = np.linalg.solve(x.T @ x + 1.0 * np.eye(300), x.T @ (y - x @ turned)) + turned
        return ridge.astype(np.float32)

    # How good the map is on pairs that it was not fitted on: the English word among the 3,000 most said.
    hits = []
    shuffled = list(pairs)
    rng.shuffle(shuffled)
    among = unit(table[:3000])
    for part in range(5):
        m = fit([p for i, p in enumerate(shuffled) if i % 5 != part])
        for ru, en in shuffled[part::5]:
            for k in ru:
                if k in sums:
                    best = (among @ unit(unit(sums[k]) @ m)).argsort()[::-1][:10]
                    hits.append((any(english[b] in en for b in best[:1]), any(english[b] in en for b in best)))
    print("map, held-out pairs: hit@1, hit@10", np.mean(hits, 0).round(3), len(hits), flush=True)
    m = fit(pairs)

    # A word's length is its weight in a text: for Russian as for an English word of the same rank.
    lengths = np.linalg.norm(table, axis=1)
    seen = np.array([counts[w] for w in english])
    slope = np.polyfit(np.log(np.arange(1, 12_001)), np.log(np.maximum(lengths[:12_000], 1e-6)), 2)
    russian = [k for k, _ in uses.most_common() if k not in index][:RUSSIAN]
    by_hand = {k: en for ru, en in pairs for k in ru if k not in index}
    russian = [*dict.fromkeys([*russian, *by_hand])]
    place = {k: i for i, (k, _) in enumerate(uses.most_common())}
    weight = lambda k: float(np.exp(np.polyval(slope, np.log(1 + min(place.get(k, 8000), 11_999)))))
    rows = [weight(k) * (meaning(by_hand[k]) if k in by_hand else unit(unit(sums[k]) @ m)) for k in russian]
    words = [*english, *russian]
    vectors = np.concatenate([table, np.stack(rows)]).astype(np.float32)
    np.savez(args.work / "made.npz", vectors=vectors, words=np.array(words, dtype=object))

    args.out.mkdir(parents=True, exist_ok=True)
    scale = np.maximum(np.abs(vectors).max(1), 1e-9) / 127
    (args.out / "vectors.i8").write_bytes(np.round(vectors / scale[:, None]).astype(np.int8).tobytes())
    (args.out / "scales.f32").write_bytes(scale.astype("<f4").tobytes())
    (args.out / "words.txt").write_text("\n".join(words) + "\n")
    about = dict(version=1, width=WIDTH, words=len(words), english=len(english), russian=len(russian), pairs=len(pairs),
                 texts={k: len(v) for k, v in sets.items()}, mapHitAt1=float(np.mean(hits, 0)[0]), mapHitAt10=float(np.mean(hits, 0)[1]))
    (args.out / "trained.json").write_text(json.dumps(about, indent=1) + "\n")
    print(about, round(time.time() - began), "s")


main()
