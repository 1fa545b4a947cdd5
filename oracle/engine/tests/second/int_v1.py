"""A second implementation of int-v1, written from docs/INT_V1.md alone, to find out whether the document is enough.

It is slow on purpose: plain Python, one value at a time, nothing shared with the engine. The engine's test
`second_implementation` runs it on small models and expects equal answers.

    python3 int_v1.py known DOCUMENT                  checks the document's known answers
    python3 int_v1.py classify MODEL.pvna < JSON      {"images": [[..]]} -> {"labels": [..], "logits": [[..]]}
    python3 int_v1.py embed MODEL.pvna < JSON         {"tokens": [[..]]} -> {"vectors": [[..]]}
    python3 int_v1.py generate MODEL.pvna < JSON      {"tokens": [..], "count": n, "temperature_milli": t, "top_k": k,
                                                       "top_p_milli": p, "seed": s} -> {"tokens": [..]}
"""

import hashlib
import json
import re
import struct
import sys


# --- 32 bits -------------------------------------------------------------------------------------------------------


def i32(x):
    return ((x + 2**31) & 0xFFFFFFFF) - 2**31


def u32(x):
    return x & 0xFFFFFFFF


def shl(x, n):
    return i32(x << (n & 31))


def leading_zeros(x):
    return 32 - u32(x).bit_length()


def clamp(x, low, high):
    return max(low, min(high, x))


def clamp_i8(x):
    return clamp(x, -127, 127)


def clamp_i16(x):
    return clamp(x, -32767, 32767)


def clamp_split(x):
    return clamp(x, -32639, 32639)


def clamp_wide(x):
    return clamp(x, -(2**26 - 1), 2**26 - 1)


# --- scalar functions ----------------------------------------------------------------------------------------------


def mul16(a, m):
    return i32((a >> 16) * m + (((a & 0xFFFF) * m) >> 16))


def round_shift(x, n):
    n &= 31
    return x if n == 0 else i32(x + (1 << (n - 1))) >> n


class Scale:
    def __init__(self, word):
        self.word = word
        self.m = ((word & 0xFFFF) ^ 0x8000) - 0x8000
        self.right = (word >> 16) & 31
        self.left = (word >> 24) & 31

    @classmethod
    def new(cls, m, right, left):
        return cls((m & 0xFFFF) | right << 16 | left << 24)

    def apply(self, x):
        return round_shift(mul16(shl(x, self.left), self.m), self.right)


def isqrt(v):
    root = 0
    for bit in range(15, -1, -1):
        tried = root | 1 << bit
        if tried * tried <= v:
            root = tried
    return root


class SquareSum:
    def __init__(self, total=0):
        self.total = total

    def add(self, d):
        return SquareSum(self.total + d * d)

    def add_epsilon(self, low, high, shift):
        return SquareSum(self.total + ((high * 2**32 + low) >> (2 * shift)))

    def inverse_root(self):
        """(factor, exponent)"""
        if self.total == 0:
            return 0, 0
        # The one exponent with 2^30 <= total / 4^exponent < 2^32.
        exponent = (self.total.bit_length() - 31) // 2
        v = self.total >> 2 * exponent if exponent >= 0 else self.total << -2 * exponent
        return min(32767, 2**30 // isqrt(v)), exponent


def normalise(d, inverse, bits):
    factor, exponent = inverse
    p = mul16(shl(d, 14), factor)
    s = 28 + exponent - bits
    return round_shift(p, s) if s >= 0 else shl(p, -s)


def mean(total, count):
    return (total + 2**15 * count + count // 2) // count - 2**15


def exp_index(below, scale, n):
    at = scale.apply(below)
    return at if 0 <= at < n else n - 1


def table_index(x, n):
    return clamp(x, -n // 2, n // 2 - 1) + n // 2


def reciprocal(total):
    total = max(total, 2**14)
    exponent = 0
    while total >> exponent >= 2**15:
        exponent += 1
    return min(32767, 2**29 // (total >> exponent)), exponent


def context(total, inverse):
    factor, exponent = inverse
    return round_shift(mul16(total, factor), 5 + exponent)


def split(x):
    high = (x + 128) >> 8
    return high, x - 256 * high


def join(high, low):
    return i32(high + round_shift(low, 8))


def rotate(a, b, cos, sin):
    return round_shift(i32(a * cos - b * sin), 15), round_shift(i32(b * cos + a * sin), 15)


def interpolate(table, x):
    k = (len(table) - 1).bit_length() - 1
    bits = 16 - k
    at = clamp_i16(x) + 2**15
    i, p = at >> bits, at % 2**bits
    return round_shift(i32(table[i] * (2**bits - p) + table[i + 1] * p), bits)


def row_shift(largest):
    return max(0, 17 - leading_zeros(largest))


def context_wide(total, inverse):
    factor, exponent = inverse
    return round_shift(mul16(shl(total >> exponent, 8), factor), 13)


# --- sampling ------------------------------------------------------------------------------------------------------


def random_word(seed, step):
    digest = hashlib.sha256(b"provena.sampling.v1" + struct.pack("<QI", seed, step)).digest()
    return struct.unpack("<I", digest[:4])[0]


def top_p(milli):
    return 65536 if milli >= 1000 else (milli * 65536 + 500) // 1000


def temperature_scale(unit, milli):
    if milli == 0:
        return Scale(0)
    factor = unit * 1000 * 2**32 // milli
    if factor < 2**39:
        return Scale.new(16384, 31, 0)
    c = factor.bit_length() - 1 - 14
    multiplier = (factor + 2 ** (c - 1)) // 2**c
    if multiplier == 2**15:
        multiplier, c = 2**14, c + 1
    down = 56 - c
    left = min(4, 31 - down)
    right = down + left
    return Scale.new(32767, 0, 4) if right < 0 else Scale.new(multiplier, right, left)


def sample(logits, table, scale, top_k, p, random):
    largest = max(logits)
    if scale.word == 0:
        return logits.index(largest)
    weight = [table[exp_index(largest - l, scale, len(table))] for l in logits]
    stays = list(range(len(logits)))
    if 0 < top_k < len(logits):
        least = sorted(logits, reverse=True)[top_k - 1]
        stays = [i for i in stays if logits[i] >= least]
    if p < 65536:
        need = max(1, sum(weight[i] for i in stays) * p // 65536)
        total, least = 0, None
        for value in sorted({logits[i] for i in stays}, reverse=True):
            total += sum(weight[i] for i in stays if logits[i] == value)
            if total >= need:
                least = value
                break
        if least is not None:
            stays = [i for i in stays if logits[i] >= least]
    r = random * sum(weight[i] for i in stays) // 2**32
    total = 0
    for i in stays:
        total += weight[i]
        if total > r:
            return i
    return logits.index(largest)


# --- the artifact --------------------------------------------------------------------------------------------------


class Borsh:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def u8(self):
        return self.number("B")

    def u32(self):
        return self.number("I")

    def blob(self):
        return self.take(self.u32())

    def text(self):
        return self.blob().decode()


class Tensor:
    """rows of whole numbers"""

    def __init__(self, dtype, rows, cols, data):
        self.rows, self.cols, self.dtype = rows, cols, dtype
        code, size = {1: ("b", 1), 2: ("h", 2), 3: ("i", 4), 4: ("I", 4)}[dtype]
        stride = (cols + 15) // 16 * 16 if dtype == 1 else cols
        self.code, self.bytes, self.data = code, stride * size, data

    def row(self, r):
        return list(struct.unpack_from(f"<{self.cols}{self.code}", self.data, r * self.bytes))

    def vector(self):
        return [Scale(w) for w in self.row(0)] if self.dtype == 4 else self.row(0)


class Artifact:
    def __init__(self, path):
        data = open(path, "rb").read()
        assert data[:4] == b"PVNA" and struct.unpack_from("<I", data, 4)[0] == 1
        header = Borsh(data[12 : 12 + struct.unpack_from("<I", data, 8)[0]])
        self.recipe = Borsh(header.blob())
        header.blob()  # the tokenizer
        self.tensors = {}
        for _ in range(header.u32()):
            name, dtype, rows, cols = header.text(), header.u8(), header.u32(), header.u32()
            offset, length = header.number("Q"), header.number("Q")
            self.tensors[name] = Tensor(dtype, rows, cols, data[offset : offset + length])
        self.recipe.text()  # the name
        assert self.recipe.u8() == 1, "not int-v1"
        self.family = self.recipe.u8()

    def __getitem__(self, name):
        return self.tensors[name]

    def vector(self, name):
        return self.tensors[name].vector()


# --- operations ----------------------------------------------------------------------------------------------------


def dot(a, b):
    return i32(sum(x * y for x, y in zip(a, b)))


def accumulate(x, weight, bias, wide):
    """x: rows of whole numbers; wide: whether they are split"""
    weights = [weight.row(n) for n in range(weight.rows)]
    out = []
    for row in x:
        if wide:
            pairs = [split(v) for v in row]
            high, low = [p[0] for p in pairs], [p[1] for p in pairs]
            out.append([i32(b + join(dot(high, w), dot(low, w))) for w, b in zip(weights, bias)])
        else:
            out.append([i32(b + dot(row, w)) for w, b in zip(weights, bias)])
    return out


def scaled(rows, scale, limit):
    return [[limit(s.apply(v)) for s, v in zip(scale, row)] for row in rows]


def relu_bytes(rows, scale):
    return [[clamp_i8(max(0, s.apply(v))) for s, v in zip(scale, row)] for row in rows]


def argmax(row):
    return row.index(max(row))


def softmax_weights(scores, scale, table):
    largest = max(scores)
    return [table[exp_index(i32(largest - s), scale, len(table))] for s in scores]


# --- models --------------------------------------------------------------------------------------------------------


def classify(model, images):
    recipe, rows = model.recipe, images
    if model.family == 3:
        height, width, channels, _, count = *(recipe.u32() for _ in range(3)), recipe.u8(), recipe.u32()
        convolutions = [[recipe.u32() for _ in range(5)] for _ in range(count)]
        rows = [convolve(model, image, [height, width, channels], convolutions) for image in images]
    else:
        recipe.u32(), recipe.u8()
    layers = recipe.u32()
    for i in range(layers):
        name = f"layer.{i}"
        acc = accumulate(rows, model[f"{name}.weight"], model.vector(f"{name}.bias"), False)
        rows = acc if i + 1 == layers else relu_bytes(acc, model.vector(f"{name}.scale"))
    return {"labels": [argmax(row) for row in rows], "logits": rows}


def convolve(model, image, size, convolutions):
    """One image, flat, through all convolutions; flat again."""
    height, width, channels = size
    pixels = {(y, x): image[(y * width + x) * channels :][:channels] for y in range(height) for x in range(width)}
    for i, (outputs, kernel, stride, pad, pool) in enumerate(convolutions):
        name = f"convolution.{i}"
        down, across = ((side + 2 * pad - kernel) // stride + 1 for side in (height, width))
        scale, found = model.vector(f"{name}.scale"), {}
        for y in range(down):
            patches = [
                [
                    v
                    for ky in range(kernel)
                    for kx in range(kernel)
                    for v in pixels.get((y * stride + ky - pad, x * stride + kx - pad), [0] * channels)
                ]
                for x in range(across)
            ]
            acc = accumulate(patches, model[f"{name}.weight"], model.vector(f"{name}.bias"), False)
            found.update({(y, x): row for x, row in enumerate(relu_bytes(acc, scale))})
        height, width, channels = down // pool, across // pool, outputs
        squares = [(dy, dx) for dy in range(pool) for dx in range(pool)]
        pixels = {
            (y, x): [max(found[y * pool + dy, x * pool + dx][c] for dy, dx in squares) for c in range(channels)]
            for y in range(height)
            for x in range(width)
        }
    return [v for y in range(height) for x in range(width) for v in pixels[y, x]]


def layer_norm(model, name, x, residual):
    gain, bias = model.vector(f"{name}.gain"), model.vector(f"{name}.bias")
    out = []
    for r, row in enumerate(x):
        v = row if residual is None else [clamp_i16(a + b) for a, b in zip(row, residual[r])]
        m = mean(sum(v), len(v))
        total = SquareSum()
        for a in v:
            total = total.add(a - m)
        inverse = total.inverse_root()
        out.append([clamp_i16(g.apply(normalise(a - m, inverse, 20)) + b) for a, g, b in zip(v, gain, bias)])
    return out


def embed_bert(model, texts):
    recipe = model.recipe
    vocabulary, width, layers, heads = (recipe.u32() for _ in range(4))
    depth = width // heads

    def linear(name, x):
        return accumulate(x, model[f"{name}.weight"], model.vector(f"{name}.bias"), False)

    def quantised(name, x):
        return scaled(x, model.vector(f"{name}.scale"), clamp_i8)

    def attend(name, qkv):
        table = model.vector("attention.exp.table")
        scales, contexts = model.vector(f"{name}.score.scale"), model.vector(f"{name}.context.scale")
        out = [[0] * width for _ in qkv]
        for h in range(heads):
            at = h * depth
            keys = [row[width + at : width + at + depth] for row in qkv]
            values = [row[2 * width + at : 2 * width + at + depth] for row in qkv]
            for i, row in enumerate(qkv):
                weights = softmax_weights([dot(row[at : at + depth], key) for key in keys], scales[h], table)
                inverse = reciprocal(sum(weights))
                for c in range(depth):
                    total = i32(sum(w * v[c] for w, v in zip(weights, values)))
                    out[i][at + c] = clamp_i8(contexts[at + c].apply(context(total, inverse)))
        return out

    vectors = []
    for tokens in texts:
        x = [
            [clamp_i16(a + b) for a, b in zip(model["embed.words"].row(token), model["embed.positions"].row(t))]
            for t, token in enumerate(tokens)
        ]
        stream = layer_norm(model, "embed.norm", x, None)
        bytes_ = quantised("embed.norm", stream)
        for i in range(layers):
            name = f"layer.{i:03}"
            qkv = scaled(linear(f"{name}.qkv", bytes_), model.vector(f"{name}.qkv.scale"), clamp_i8)
            added = linear(f"{name}.output", attend(name, qkv))
            added = scaled(added, model.vector(f"{name}.output.scale"), clamp_i16)
            stream = layer_norm(model, f"{name}.norm1", added, stream)
            up = linear(f"{name}.up", quantised(f"{name}.norm1", stream))
            in_scale, out_scale = model.vector(f"{name}.up.scale"), model.vector(f"{name}.gelu.scale")
            table = model.vector(f"{name}.gelu.table")
            inner = [
                [
                    clamp_i8(o.apply(table[table_index(s.apply(v), len(table))]))
                    for v, s, o in zip(row, in_scale, out_scale)
                ]
                for row in up
            ]
            added = scaled(linear(f"{name}.down", inner), model.vector(f"{name}.down.scale"), clamp_i16)
            stream = layer_norm(model, f"{name}.norm2", added, stream)
            if i + 1 < layers:
                bytes_ = quantised(f"{name}.norm2", stream)
        pooled = [i32(sum(row[c] for row in stream)) for c in range(width)]
        b = row_shift(max(abs(v) for v in pooled))
        pooled = [round_shift(v, b) for v in pooled]
        total = SquareSum()
        for v in pooled:
            total = total.add(v)
        inverse = total.inverse_root()
        vectors.append([clamp_i16(normalise(v, inverse, 15)) for v in pooled])
    return {"vectors": vectors}


class Decoder:
    def __init__(self, model):
        recipe = model.recipe
        names = "vocabulary width layers heads kv_heads depth inner positions window".split()
        for name in names:
            setattr(self, name, recipe.u32())
        self.tied, self.wide = recipe.u8() == 1, recipe.u8() == 1
        self.model = model
        self.limit = clamp_split if self.wide else clamp_i8
        self.cache = [([], []) for _ in range(self.layers)]

    def linear(self, name, x, limit):
        return scaled([self.accumulate(name, x)], self.model.vector(f"{name}.scale"), limit)[0]

    def accumulate(self, name, x):
        weight = "embed" if name == "head" and self.tied else name
        return accumulate([x], self.model[f"{weight}.weight"], self.model.vector(f"{name}.bias"), self.wide)[0]

    def rms_norm(self, name, v):
        gain, (low, high) = self.model.vector(f"{name}.gain"), self.model.vector("norm.epsilon")
        shift = row_shift(max(abs(a) for a in v))
        d = [round_shift(a, shift) for a in v]
        total = SquareSum()
        for a in d:
            total = total.add(a)
        inverse = total.add_epsilon(u32(low), u32(high), shift).inverse_root()
        return [self.limit(g.apply(normalise(a, inverse, 20))) for a, g in zip(d, gain)]

    def attend(self, i, name, qkv, position):
        depth, half = self.depth, self.depth // 2
        angles = self.model["rotation.table"].row(position)
        turned = []
        for head in range(self.heads + self.kv_heads):
            x = qkv[head * depth : (head + 1) * depth]
            pairs = [rotate(x[c], x[half + c], angles[c], angles[half + c]) for c in range(half)]
            turned.append([p[0] for p in pairs] + [p[1] for p in pairs])
        queries = [[clamp_split(v) for v in head] for head in turned[: self.heads]]
        keys, values = self.cache[i]
        keys.append([[clamp_i8(round_shift(v, 8)) for v in head] for head in turned[self.heads :]])
        rest = qkv[(self.heads + self.kv_heads) * depth :]
        values.append(
            [[clamp_i8(round_shift(v, 8)) for v in rest[h * depth : (h + 1) * depth]] for h in range(self.kv_heads)]
        )
        first = max(0, position + 1 - self.window) if self.window else 0
        table = self.model.vector("attention.exp.table")
        scales = self.model.vector(f"{name}.score.scale")
        contexts = self.model.vector(f"{name}.context.scale")
        out = []
        for h, query in enumerate(queries):
            kv = h // (self.heads // self.kv_heads)
            scores = [dot(query, keys[j][kv]) for j in range(first, position + 1)]
            weights = softmax_weights(scores, scales[h], table)
            inverse = reciprocal(sum(weights))
            for c in range(depth):
                total = sum(w * values[first + j][kv][c] for j, w in enumerate(weights))
                out.append(self.limit(contexts[h * depth + c].apply(context_wide(total, inverse))))
        return out

    def step(self, token, position):
        model = self.model
        scale = model.vector("embed.scale")[token]
        stream = [clamp_wide(scale.apply(shl(v, 14))) for v in model["embed.weight"].row(token)]
        added = [0] * self.width
        for i in range(self.layers):
            name = f"layer.{i:03}"
            stream = [clamp_wide(a + b) for a, b in zip(stream, added)]
            qkv = self.linear(f"{name}.qkv", self.rms_norm(f"{name}.norm1", stream), clamp_i16)
            added = self.linear(f"{name}.output", self.attend(i, name, qkv, position), clamp_wide)
            stream = [clamp_wide(a + b) for a, b in zip(stream, added)]
            up = self.linear(f"{name}.up", self.rms_norm(f"{name}.norm2", stream), clamp_i16)
            table, scale = model.vector(f"{name}.gate.table"), model.vector(f"{name}.gate.scale")
            gated = [
                self.limit(s.apply(i32(interpolate(table, g) * u)))
                for g, u, s in zip(up[: self.inner], up[self.inner :], scale)
            ]
            added = self.linear(f"{name}.down", gated, clamp_wide)
        stream = [clamp_wide(a + b) for a, b in zip(stream, added)]
        return self.rms_norm("final", stream)

    def generate(self, request):
        low, high = self.model.vector("head.unit")
        scale = temperature_scale(u32(low) | u32(high) << 32, request["temperature_milli"])
        table = self.model.vector("sampling.exp.table")
        answer = []
        for position, token in enumerate(request["tokens"]):
            last = self.step(token, position)
        for n in range(request["count"]):
            logits = self.linear("head", last, clamp_wide)
            word = random_word(request["seed"], n)
            answer.append(sample(logits, table, scale, request["top_k"], top_p(request["top_p_milli"]), word))
            last = self.step(answer[-1], len(request["tokens"]) + n)
        return {"tokens": answer}


# --- the document's known answers ----------------------------------------------------------------------------------


def check_document(path):
    def squares(values):
        total = SquareSum()
        for v in values:
            total = total.add(v)
        return total

    names = dict(
        globals(),
        a=1000003,
        b=-1000003,
        scale=Scale.new,
        squares=squares,
        partial=sum,
        TABLE=[-100, 0, 1000, 3000, -3000],
        unit=2**30,
        all=65536,
        NORM_BITS=20,
        i32_MIN=-(2**31),
        i32_MAX=2**31 - 1,
        u32_MAX=2**32 - 1,
        u64_MAX=2**64 - 1,
        factor_of=lambda pair: pair[0],
        exponent_of=lambda pair: pair[1],
        draw=lambda k, p, random: sample(
            [298, 300, 296, 300, 290, 298], [16000, 4000, 1000, 250, 0], Scale.new(16384, 3, 4), k, p, random
        ),
    )
    checked = 0
    for line in open(path):
        found = re.match(r"\| `(.*)` \| (-?\d+) \|$", line)
        if not found:
            continue
        call = found.group(1).replace("&", "").replace("::", "_")
        call = re.sub(r"(\d)_(?=\d)", r"\1", call)
        call = re.sub(r"^(.*)\.factor$", r"factor_of(\1)", call)
        call = re.sub(r"^(.*)\.exponent$", r"exponent_of(\1)", call)
        call = re.sub(r"^(.*)\.([01])$", r"(\1)[\2]", call)
        call = re.sub(r"^\((temperature_scale\(.*\))\)\[0\]$", r"\1.word", call)
        call = call.replace("Params_GREEDY", "Scale(0), 0, 65536, 0")
        value = eval(call, names)
        assert value == int(found.group(2)), f"{found.group(1)}: the document says {found.group(2)}, this {value}"
        checked += 1
    return {"checked": checked}


def main():
    what, path = sys.argv[1:]
    if what == "known":
        answer = check_document(path)
    else:
        request, model = json.load(sys.stdin), Artifact(path)
        if what == "classify":
            answer = classify(model, request["images"])
        elif what == "embed":
            answer = embed_bert(model, request["tokens"])
        else:
            answer = Decoder(model).generate(request)
    json.dump(answer, sys.stdout)


main()
