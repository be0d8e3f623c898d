# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy", "pyopencl[pocl]"]
# ///
"""A small GPT that learns to write, one character at a time.

    python gpt.py                                   # from the language reference that every CPython carries
    python gpt.py --text my_novel.txt --steps 5000  # from a text of yours
    python gpt.py sample --prompt "The statement"   # what does the model that was saved write?
    python gpt.py bench --json                      # how long does a training step take here?
    python gpt.py kernels                           # the C and OpenCL that the model becomes

The model is GPT-2's in the form of nanoGPT (https://github.com/karpathy/nanoGPT). Its parameters have the same names
and shapes as there, so checkpoints can be moved either way.
"""
import argparse, codecs, contextlib, csv, gc, glob, io, itertools, json, math, os, re, shutil, signal, sys, time
import traceback, zlib
from collections import deque
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
import numpy as np
import tiny
from tiny import Device, Tensor, TinyJit, dtypes, nn


# ---------------------------------------------------------------------------------------------------------------------
# The model
#
# In the comments on shapes, B is the number of texts in a batch, T the number of tokens in each, C the width of the
# model (n_embd), H the number of heads, and V the number of different tokens.
# ---------------------------------------------------------------------------------------------------------------------
@dataclass
class GPTConfig:
    vocab_size: int = 65
    block_size: int = 64                                                # the most tokens that it can look back on
    n_layer: int = 4
    n_head: int = 4
    n_embd: int = 128
    dropout: float = 0.0
    bias: bool = False                                                  # in linear layers and layer norms


class LayerNorm:
    """Gives every token's vector mean 0 and variance 1, then a learned scale (https://arxiv.org/abs/1607.06450)."""

    def __init__(self, size, bias):
        self.weight = Tensor.ones(size, requires_grad=True)
        self.bias = Tensor.zeros(size, requires_grad=True) if bias else None

    def __call__(self, x):                                              # (B, T, C)
        centered = x - x.mean(-1, keepdim=True)
        variance = centered.square().mean(-1, keepdim=True)             # (B, T, 1)
        y = centered * (variance + 1e-5).rsqrt() * self.weight          # (B, T, C)
        return y if self.bias is None else y + self.bias


class CausalSelfAttention:
    """Every token collects values from the tokens before it and from itself (https://arxiv.org/abs/1706.03762).

    A head compares each token's query with each token's key. The softmax of these scores says how much of which value
    to take.
    """

    def __init__(self, config):
        self.n_head, self.dropout = config.n_head, config.dropout
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)

    def __call__(self, x, cache=None):
        B, T, C = x.shape
        H = self.n_head
        q, k, v = self.c_attn(x).split(C, -1)                           # (B, T, C) each
        q = q.reshape(B, T, H, C // H).transpose(1, 2)                  # (B, H, T, C/H)
        k = k.reshape(B, T, H, C // H).transpose(1, 2)                  # (B, H, T, C/H)
        v = v.reshape(B, T, H, C // H).transpose(1, 2)                  # (B, H, T, C/H)
        row = column = Tensor.arange(T)
        if cache is not None:                                           # with those of the tokens before, T' in all:
            k, v, row, column = cache.add(k, v)                         # k and v are (B, H, T', C/H)
        past = row.reshape(T, 1) >= column                              # (T, T'): row t is True up to its own column
        att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5              # (B, H, T, T')
        att = past.where(att, -math.inf).softmax(-1).dropout(self.dropout)
        y = (att @ v).transpose(1, 2).reshape(B, T, C)                  # (B, T, C): the heads side by side
        return self.c_proj(y).dropout(self.dropout)


class Cache:
    """The keys and values of the tokens that a layer has read, so that the next tokens need only compute their own.

    `length`, a Tensor of shape (1,) that all layers share, is how many tokens that are. There is room for block_size.
    """

    def __init__(self, config, length):
        shape = 1, config.n_head, config.block_size, config.n_embd // config.n_head
        self.keys, self.values, self.length = Tensor.zeros(*shape), Tensor.zeros(*shape), length

    def add(self, keys, values):
        """Put the `keys` and `values` (1, H, T, C/H) of the next T tokens behind those that are here.

        Returns all keys and values (1, H, block_size, C/H), and the places among them of the new ones and of all.
        """
        T, places = keys.shape[2], Tensor.arange(self.keys.shape[2])
        number = places - self.length                                   # at each place, which of the T tokens it is
        fresh = ((number >= 0) & (number < T)).reshape(-1, 1)           # (block_size, 1)
        for kept, new in (self.keys, keys), (self.values, values):
            kept.assign(fresh.where(new[:, :, number.clip(0, T - 1)], kept))
        return self.keys, self.values, self.length + Tensor.arange(T), places


class MLP:
    """What each token does with what it has collected."""

    def __init__(self, config):
        self.dropout = config.dropout
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)

    def __call__(self, x):
        x = self.c_fc(x).gelu()                                         # (B, T, 4 C); gelu's tanh approximation
        return self.c_proj(x).dropout(self.dropout)                     # (B, T, C)


class Block:
    """One layer: its two parts add what they find to the residual stream, which runs through all layers."""

    def __init__(self, config):
        self.ln_1, self.attn = LayerNorm(config.n_embd, config.bias), CausalSelfAttention(config)
        self.ln_2, self.mlp = LayerNorm(config.n_embd, config.bias), MLP(config)

    def __call__(self, x, cache=None):                                  # (B, T, C)
        x = x + self.attn(self.ln_1(x), cache)
        return x + self.mlp(self.ln_2(x))


class GPT:
    """A decoder-only transformer: from tokens to the scores of what the next token may be."""

    def __init__(self, config):
        if config.n_embd % config.n_head:
            raise ValueError(f"GPT: {config.n_head} heads do not divide a width of {config.n_embd}")
        self.config = config
        self.transformer = {
            "wte": nn.Embedding(config.vocab_size, config.n_embd),
            "wpe": nn.Embedding(config.block_size, config.n_embd),
            "h": [Block(config) for _ in range(config.n_layer)],
            "ln_f": LayerNorm(config.n_embd, config.bias),
        }
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight            # tied: https://arxiv.org/abs/1608.05859
        self.initialize()

    def initialize(self):
        """GPT-2's initial values: small and normal; smaller still where a layer adds to the residual stream."""
        for name, parameter in nn.state.get_state_dict(self).items():
            if parameter.ndim == 2:
                std = 0.02 / math.sqrt(2 * self.config.n_layer) if name.endswith("c_proj.weight") else 0.02
                parameter.assign(Tensor.normal(*parameter.shape, std=std))
            elif name.endswith("bias"):
                parameter.assign(0)

    def __call__(self, idx, targets=None):
        """Scores (logits) of the next token at every place, and the mean cross-entropy if the `targets` are known.

        `idx` and `targets` are integer Tensors of shape (B, T). Returns (logits (B, T, V), loss or None).
        """
        T = idx.shape[1]
        if T > self.config.block_size:
            raise ValueError(f"GPT: {T} tokens are more than its block_size of {self.config.block_size}")
        x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[:T]               # (B, T, C)
        x = x.dropout(self.config.dropout)
        for block in self.transformer["h"]:
            x = block(x)
        logits = self.lm_head(self.transformer["ln_f"](x))                                  # (B, T, V)
        if targets is None:
            return logits, None
        return logits, logits.flatten(0, 1).cross_entropy(targets.flatten())

    def read(self, idx, caches):
        """Scores (1, 1, V) of what follows the next T tokens `idx` (1, T) of a text, given a Cache for each layer."""
        length, T = caches[0].length, idx.shape[1]
        x = self.transformer["wte"](idx) + self.transformer["wpe"](length + Tensor.arange(T))       # (1, T, C)
        for block, cache in zip(self.transformer["h"], caches):
            x = block(x, cache)
        length.assign(length + T)
        return self.lm_head(self.transformer["ln_f"](x[:, -1:]))


# ---------------------------------------------------------------------------------------------------------------------
# Files of GPT-2's weights
#
# nanoGPT keeps the matrix of a linear layer as PyTorch does, (out, in); Hugging Face as OpenAI did, (in, out), in what
# it calls a Conv1D. Nothing in a file says which of the two it holds, but the shapes tell.
# ---------------------------------------------------------------------------------------------------------------------
def gpt2_shapes(config, conv1d=False):
    """The parameters of a GPT, {name: shape}; with `conv1d` the matrices of linear layers are (in, out)."""
    V, C = config.vocab_size, config.n_embd
    layer = {"ln_1": (C,), "attn.c_attn": (3 * C, C), "attn.c_proj": (C, C),
             "ln_2": (C,), "mlp.c_fc": (4 * C, C), "mlp.c_proj": (C, 4 * C)}
    parts = {f"h.{i}.{part}": shape for i in range(config.n_layer) for part, shape in layer.items()}
    shapes = {"transformer.wte.weight": (V, C), "transformer.wpe.weight": (config.block_size, C)}
    for part, shape in {**parts, "ln_f": (C,)}.items():
        shapes[f"transformer.{part}.weight"] = shape[::-1] if conv1d else shape
        if config.bias:
            shapes[f"transformer.{part}.bias"] = shape[:1]
    return {**shapes, "lm_head.weight": (V, C)}


def transpose_linear(state):
    """`state`, {name: Tensor}, with the matrices of its linear layers transposed: from one layout to the other."""
    return {name: tensor.transpose() if ".h." in name and tensor.ndim == 2 else tensor
            for name, tensor in state.items()}


def load_gpt2(path, n_head=None):
    """The GPT whose parameters are in a safetensors file: nanoGPT's, those of Hugging Face's GPT-2, or ours.

    Names may begin with "_orig_mod." (of torch.compile), and may lack "transformer."; matrices of linear layers may be
    (out, in) or (in, out), but alike in the whole file; there may be biases or not. Of wte.weight and lm_head.weight,
    which are tied, one is enough. Masks among the weights are passed over; 16 and 64-bit floats become float32. Shapes
    give all sizes but the number of heads: that is `n_head`, else what a file of ours says, else C / 64 as in GPT-2.
    A ValueError lists all that does not fit.
    """
    state, wte, wpe, head = {}, "transformer.wte.weight", "transformer.wpe.weight", "lm_head.weight"
    for name, tensor in nn.state.safe_load(path).items():
        name = name.removeprefix("_orig_mod.")
        name = name if name == head or name.startswith("transformer.") else f"transformer.{name}"
        if name in state:
            raise ValueError(f"{path}: {name} is there twice, with and without a prefix")
        if not re.fullmatch(r"transformer\.h\.\d+\.attn\.(masked_)?bias", name):
            is_other_float = tensor.dtype in (dtypes.float16, dtypes.bfloat16, dtypes.float64)
            state[name] = tensor.cast("float32") if is_other_float else tensor
    for name, twin in ((wte, head), (head, wte)):
        if twin in state:
            state.setdefault(name, state[twin])

    shape_of = {name: tensor.shape for name, tensor in state.items()}
    for name in (wte, wpe):
        if len(shape_of.get(name, ())) != 2 or 0 in shape_of[name]:
            raise ValueError(f"{path}: {name} should have a shape (rows, width), is {shape_of.get(name, 'missing')}")
    layers = {name.split(".")[2] for name in state if name.startswith("transformer.h.")}
    (V, C), T, bias = shape_of[wte], shape_of[wpe][0], any(name.endswith(".bias") for name in state)
    n_head = heads_in(path, C) if n_head is None else n_head
    if type(n_head) is not int or n_head < 1 or C % n_head:
        raise ValueError(f"{path}: n_head should be a divisor of the width of {C}, is {n_head!r}")
    config = GPTConfig(V, T, len(layers), n_head, C, bias=bias)

    layouts = [gpt2_shapes(config), gpt2_shapes(config, conv1d=True)]
    fitting = [sum(shape_of.get(name) == shape for name, shape in layout.items()) for layout in layouts]
    conv1d = fitting[1] > fitting[0]
    wanted = layouts[conv1d]
    faults = [f"{name} should be {wanted.get(name, 'absent')}, is {shape_of.get(name, 'missing')}"
              for name in {**wanted, **state} if wanted.get(name) != shape_of.get(name)]
    if faults:
        layout = "Hugging Face" if conv1d else "nanoGPT"
        raise ValueError(f"{path}, in the layout of {layout}: {'; '.join(faults)}")
    if state[head] is not state[wte] and not np.array_equal(state[head].numpy(), state[wte].numpy(), equal_nan=True):
        raise ValueError(f"{path}: {head} differs from {wte}; in a GPT they are one")
    model = GPT(config)
    nn.state.load_state_dict(model, transpose_linear(state) if conv1d else state)
    return model


def heads_in(path, width):
    """The number of heads in the metadata of a file of ours; of other files width / 64, which it is in GPT-2."""
    try:
        return json.loads(nn.state.safe_load_metadata(path)["config"])["n_head"]
    except (KeyError, TypeError, ValueError, RecursionError):
        if width % 64:
            raise ValueError(f"{path} does not say how many heads there are, and the width of {width} is no multiple "
                             "of 64, as GPT-2's is: pass n_head") from None
        return width // 64


def save_gpt2(model, path, conv1d=False):
    """Write a GPT's parameters to a safetensors file as nanoGPT has them, or Hugging Face's GPT2LMHeadModel (`conv1d`).

    Hugging Face's model has biases always, so zeros are written where ours has none. The configuration that it needs is
    transformers.GPT2Config(vocab_size=..., n_positions=block_size, n_embd=..., n_layer=..., n_head=...).
    """
    config = replace(model.config, bias=model.config.bias or conv1d)
    shapes, state = gpt2_shapes(config), nn.state.get_state_dict(model)
    zeros = {name: Tensor.zeros(*shape) for name, shape in shapes.items() if name.endswith(".bias")}
    state = {name: state[name] if name in state else zeros[name] for name in shapes}
    nn.state.safe_save(transpose_linear(state) if conv1d else state, path,
                       {"format": "pt", "config": json.dumps(asdict(config))})


# ---------------------------------------------------------------------------------------------------------------------
# Weights of one byte
# ---------------------------------------------------------------------------------------------------------------------
class Int8Linear:
    """A linear layer whose matrix takes one byte an element: a row is a scale times integers from -127 to 127.

    The integers become floats within the kernel that multiplies with them, so these bytes are all that it reads.
    """

    def __init__(self, weight, bias=None):
        self.scale = (weight.abs().max(1, keepdim=True) / 127).maximum(1e-30).realize()     # (rows, 1)
        self.weight, self.bias = (weight / self.scale).round().cast("int8").realize(), bias

    def __call__(self, x):
        """x (..., columns) @ weight.T + bias, of shape (..., rows)."""
        y = x.linear(self.weight.cast("float32").transpose()) * self.scale.flatten()
        return y if self.bias is None else y + self.bias


class Int8Embedding:
    """An embedding whose rows are those of an Int8Linear layer."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, index):
        return self.layer.weight[index].cast("float32") * self.layer.scale[index]


def quantize(model):
    """Replace the layers of a GPT by Int8 ones, in place; returns the bytes of all its Tensors before and after.

    The embeddings of positions, of which only a row is read at a time, stay as they are.
    """
    def total():
        return sum(tensor.nbytes() for tensor in nn.state.get_parameters(model))

    before, layers = total(), model.transformer
    for block in layers["h"]:
        for layer, names in (block.attn, ("c_attn", "c_proj")), (block.mlp, ("c_fc", "c_proj")):
            for name in names:
                linear = getattr(layer, name)
                setattr(layer, name, Int8Linear(linear.weight, linear.bias))
    model.lm_head = Int8Linear(layers["wte"].weight)
    layers["wte"] = Int8Embedding(model.lm_head)
    return before, total()


# ---------------------------------------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------------------------------------
class Vocabulary:
    """Which token stands for what: a character each of the string `characters`, or, without one, each of 256 bytes."""

    def __init__(self, characters=None):
        self.characters = characters
        self.token_of = {character: token for token, character in enumerate(characters or "")}

    def __len__(self):
        return 256 if self.characters is None else len(self.characters)

    def encode(self, text):
        """The tokens of `text`; a ValueError names what the vocabulary lacks."""
        if self.characters is None:
            return list(text.encode("utf-8", "surrogateescape"))
        unknown = sorted(set(text) - set(self.characters))
        if unknown:
            raise ValueError(f"the model was trained on a text without {' '.join(map(repr, unknown[:10]))}; "
                             f"it knows {self.characters!r}")
        return [self.token_of[character] for character in text]

    def decoder(self):
        """A function from a token to its text. A character of several bytes comes with the last of these."""
        if self.characters is not None:
            return self.characters.__getitem__
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        return lambda token: utf8.decode(bytes([token]))


def read_data(options, vocabulary=None):
    """The tokens of the text to learn from, an int32 array, and their vocabulary (a given one, or that of the text)."""
    try:
        if options.text is not None and Path(options.text).is_char_device():
            fail(f"cannot read {options.text}: it is a device, which may have no end")
        if options.bytes:
            data, vocabulary = Path(options.text).read_bytes(), vocabulary or Vocabulary()
            return np.frombuffer(data, np.uint8).astype(np.int32), vocabulary
        text = python_reference() if options.text is None else Path(options.text).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        fail(f"cannot read {options.text}: it is not UTF-8 text ({error.reason} at byte {error.start}); "
             "--bytes takes any file")
    except (OSError, ValueError) as error:                              # the latter of a name that no file can have
        fail(f"cannot read {options.text}: {getattr(error, 'strerror', error)}")
    vocabulary = vocabulary or Vocabulary("".join(sorted(set(text))))
    try:
        return np.array(vocabulary.encode(text), np.int32), vocabulary
    except ValueError as error:
        fail(f"--resume: {options.text or 'the text'} is not what the model was trained on: {error}")


def python_reference():
    """The topics of Python's help(), which are its language reference."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        fail("this Python has no language reference; --text should name a file to learn from")
    return "\n".join(topics[name] for name in sorted(topics))


# ---------------------------------------------------------------------------------------------------------------------
# A picture of the training
# ---------------------------------------------------------------------------------------------------------------------
CURVE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 400" width="720" height="400">
<style>
  rect {{ fill: #ffffff }}  text {{ fill: #57606a; font: 13px sans-serif }}
  .end {{ text-anchor: end }}  .middle {{ text-anchor: middle }}
  path {{ fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }}
  .grid {{ stroke: #d8dee4; stroke-width: 1 }}  .pale {{ stroke-width: 1; stroke-opacity: 0.35 }}
  .training {{ stroke: #0969da }}  .validation {{ stroke: #d1570a }}  .dots {{ stroke-width: 7 }}
  @media (prefers-color-scheme: dark) {{
    rect {{ fill: #0d1117 }}  text {{ fill: #9198a1 }}  .grid {{ stroke: #2b3138 }}
    .training {{ stroke: #58a6ff }}  .validation {{ stroke: #f0883e }}
  }}
</style>
<rect width="720" height="400"/>
{}
</svg>
"""


def round_ticks(low, high):
    """The multiples from `low` to `high` of 1, 2 or 5 times a power of ten, so large that they are two to seven."""
    power = 10.0 ** math.floor(math.log10((high - low) / 6))
    step = next(factor * power for factor in (1, 2, 5, 10) if 6 * factor * power >= high - low)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def draw_curve(path, training, validation=()):
    """Draw two lists of (step, loss) to an SVG file: training's losses and their mean, validation's with dots.

    Losses that are NaN or not below 1e300 are left out. A list of more than 1,000 points is cut into at most 500 parts,
    and of each part the least and the greatest loss are drawn.
    """
    training, validation = ([(step, loss) for step, loss in points if abs(float(loss)) < 1e300]
                            for points in (training, validation))
    steps, losses = zip(*(training + validation or [(1, 1.0)]))
    margin = (max(losses) - min(losses)) / 20 or max(1, abs(losses[0]))
    first, last, low, high = min(steps) - 1, max(steps), min(losses) - margin, max(losses) + margin
    shapes = []

    def x_of(step):
        return round(64 + 624 * (step - first) / (last - first), 1)

    def y_of(loss):
        return round(360 - 330 * (loss - low) / (high - low), 1)

    def text(x, y, words, anchor="end"):
        shapes.append(f'<text class="{anchor}" x="{x:g}" y="{y:g}">{words}</text>')

    def label(x, kind):
        shapes.append(f'<path class="{kind}" d="M{x},12h24"/>')
        text(x + 32, 16, kind, "start")

    def curve(kind, points, pen="L"):                                   # from point to point; with pen "M" only dots
        places = [f"{x_of(step)},{y_of(loss)}h0" for step, loss in points]
        shapes.append(f'<path class="{kind}" d="M{pen.join(places)}"/>')

    def parts(points, count):
        size = math.ceil(len(points) / count)
        return [points[start:start + size] for start in range(0, len(points), size)]

    def thinned(points):
        if len(points) <= 1000:
            return points
        extremes = [{choose(part, key=lambda point: point[1]) for choose in (min, max)} for part in parts(points, 500)]
        return [point for part in extremes for point in sorted(part)]

    text(56, 16, "loss")
    for tick in round_ticks(low, high):
        shapes.append(f'<path class="grid" d="M64,{y_of(tick)}H688"/>')
        text(56, y_of(tick) + 4, f"{tick:,.10g}")
    text(688, 396, "step")
    for tick in round_ticks(first, last):
        if tick == round(tick):
            text(x_of(tick), 380, f"{tick:,.10g}", "middle")
    if training:
        label(480, "training")
        curve("training pale", thinned(training))
        means = [[sum(column) / len(part) for column in zip(*part)] for part in parts(training, 100)]
        curve("training" if len(means) > 1 else "training dots", means)
    if validation:
        label(580, "validation")
        curve("validation", thinned(validation))
        curve("validation dots", thinned(validation), "M")
    replace_file(path, CURVE.format("\n".join(shapes)))


def replace_file(path, text):
    """Write a whole file, which takes the place of an older one when it is complete."""
    part = Path(f"{path}.{os.getpid()}.tmp")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------------------------------------------
# Training
# ---------------------------------------------------------------------------------------------------------------------
def training_step(model, lr):
    """An optimizer for `model`, and the function (x, y) -> loss that does one step of training with it."""
    parameters = nn.state.get_parameters(model)
    optimizer = nn.optim.AdamW([
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ], lr=lr, b1=0.9, b2=0.99)

    @TinyJit
    def step(x, y):
        with Tensor.train():
            optimizer.zero_grad()
            _, loss = model(x, y)
            loss.backward()
            nn.optim.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            return loss.realize()

    return optimizer, step


def step_in_parts(model, optimizer, parts, world):
    """The same step with the mean of the gradients of several batches, computed one after the other, which takes the
    memory of one; and of those of all processes of the `world`. A function of a list of (x, y) that returns a number.
    """
    @TinyJit
    def gradients(x, y):                                                # adds to those that are there
        with Tensor.train():
            loss = model(x, y)[1] / parts
            loss.backward()
            return loss.realize()

    @TinyJit
    def update():
        nn.optim.clip_grad_norm_(optimizer.params, 1.0)
        optimizer.step()

    def step(batches):
        optimizer.zero_grad()
        loss = sum(gradients(x, y).item() for x, y in batches)
        loss = world.average(loss, [p.grad for p in optimizer.params])
        update()
        return loss

    return step


class World:
    """The processes that train one model together, each on its share of the batch: those of mpirun, or this one."""

    def __init__(self):
        self.rank, self.size, self.communicator = 0, 1, None
        if mpi_rank() is not None:
            try:
                from mpi4py import MPI
            except ImportError as error:
                fail(f"under mpirun it needs mpi4py (pip install mpi4py): {error}")
            self.communicator = MPI.COMM_WORLD
            self.rank, self.size = self.communicator.Get_rank(), self.communicator.Get_size()

    def average(self, number, tensors):
        """The mean over all processes of a number, which is returned, and of some Tensors, which are set to it."""
        if self.size == 1:
            return number
        arrays = [tensor.numpy() for tensor in tensors]
        flat = np.concatenate([np.float64([number]), *(array.ravel() for array in arrays)])
        self.communicator.Allreduce(flat.copy(), flat)
        places = np.cumsum([1, *(array.size for array in arrays)])
        for tensor, array, start in zip(tensors, arrays, places):
            mean = flat[start:start + array.size].reshape(array.shape) / self.size
            tensor.assign(Tensor(mean.astype(array.dtype)))
        return flat[0] / self.size

    def agree(self, flag):
        """Is `flag` true in any of the processes?"""
        return flag if self.size == 1 else bool(self.communicator.allreduce(int(flag)))

    @contextlib.contextmanager
    def together(self):
        """If this process fails, so do the others, which would wait for it."""
        try:
            yield
        except BaseException as error:
            if self.size > 1:
                if not isinstance(error, SystemExit):
                    traceback.print_exc()
                sys.stderr.flush()
                self.communicator.Abort(1)
            raise


def mpi_rank():
    """The number that mpirun gave this process: that of Open MPI, MPICH or MVAPICH2. None without mpirun."""
    names = "OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK"
    return next((os.environ[name] for name in names if name in os.environ), None)


def learning_rate(step, steps, peak):
    """Linear warm-up over the first 100 steps (a tenth of them, if they are few), then a cosine down to peak / 10."""
    warmup = min(100, steps // 10)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - 1 - warmup)                 # from 0 to 1 at the last step
    return peak * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def random_batch(data, batch, context, rng, rank=0, size=1):
    """Windows of `data` from random places, x (batch, context), and y, the same windows one token further on.

    The process `rank` of `size` gets every size-th of them.
    """
    starts = rng.integers(0, len(data) - context, batch)[rank::size]
    windows = data[starts[:, None] + np.arange(context + 1)]            # (batch, context + 1)
    return Tensor(windows[:, :-1]), Tensor(windows[:, 1:])


class Files:
    """The files of a training: the model, and beside m.safetensors also m.checkpoint, m.csv and m.svg."""

    def __init__(self, model, text):
        self.model, self.text = Path(model).absolute(), text and Path(text).absolute()
        self.checkpoint, self.losses, self.curve = map(self.named, (".checkpoint", ".csv", ".svg"))
        self.all = [self.model, self.checkpoint, self.losses, self.curve]

    def named(self, suffix):
        """The model's file with another suffix."""
        return self.model.with_name(self.model.name.removesuffix(".safetensors") + suffix)

    def check(self):
        """Can they be written, and would nothing of anybody else's be lost?"""
        folder = self.model.parent
        if self.model.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            fail(f"cannot save to {self.model}: it should be a file in a folder that exists and can be written to")
        ours = ["config" in metadata_of(self.model), "arguments" in metadata_of(self.checkpoint),
                begins(self.losses, "step,loss,validation"), begins(self.curve, CURVE[:60])]
        for file, is_ours in zip(self.all, ours):
            if file.exists() and not is_ours or file == self.text:
                fail(f"cannot save to {self.model}: {file} is not of gpt.py, and stays as it is")
            if file.exists() and not os.access(file, os.W_OK):
                fail(f"cannot save to {self.model}: {file} can't be written to")
        if self.losses.exists():
            with open(self.losses, "a") as file:
                if not lock(file):
                    fail(f"cannot save to {self.model}: another training writes to it")

    def put_aside(self):
        """Rename the files of an earlier training: they get a number, m.1.safetensors and so on. Returns the names."""
        there = [file for file in self.all if file.exists()]
        for number in itertools.count(1):
            others = [self.named(f".{number}{file.name[len(self.named('').name):]}") for file in there]
            if not any(other.exists() for other in others):
                break
        for file, other in zip(there, others):
            file.rename(other)
        return ", ".join(other.name for other in others)

    def clean(self):
        """Remove what processes that were killed had written half."""
        for file in self.all:
            for part in file.parent.glob(f"{glob.escape(file.name)}.*.tmp"):
                number = part.name.split(".")[-2]
                if number.isdigit() and not is_alive(int(number)):
                    part.unlink()


def lock(file):
    """Keep an open file to this process until it is closed. False if another process has done so."""
    try:
        import fcntl                                                    # not on Windows
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        pass
    except OSError:
        return False
    return True


def is_alive(process):
    try:
        os.kill(process, 0)                                             # sends nothing
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def begins(path, text):
    """Is `path` a file that begins with `text`?"""
    try:
        if not path.is_file():                                          # who opens a pipe waits for its other end
            return False
        with open(path, encoding="utf-8") as file:
            return file.read(len(text)) == text
    except (OSError, ValueError):
        return False


def metadata_of(path):
    """The metadata of a safetensors file; nothing, if it is none."""
    try:
        return nn.state.safe_load_metadata(path)
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return {}
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}")


class Training:
    """A model, its optimizer and how far they are, in files from which the training goes on as if it never stopped.

    No state of random numbers is kept, since those of a step are a function of the seed and the number of the step.
    """

    def __init__(self, options, vocabulary, data, world):
        self.options, self.vocabulary, self.world = options, vocabulary, world
        self.text = f"{len(data)} tokens, {zlib.crc32(data)}"
        self.data, self.held_back = np.split(data, [int(0.9 * len(data))])
        self.done, self.saved = 0, 0
        Tensor.manual_seed(options.seed)
        self.model = GPT(replace(model_config(options, len(vocabulary)), dropout=options.dropout))
        self.optimizer, self.whole_step = training_step(self.model, options.lr)
        self.step_in_parts = step_in_parts(self.model, self.optimizer, options.accumulate, world)
        rng = np.random.default_rng(0)
        self.checks = [random_batch(self.held_back, options.batch, options.context, rng) for _ in range(40)]
        self.evaluate = TinyJit(lambda x, y: self.model(x, y)[1].realize())

    def step(self):
        """Do one step; returns the loss."""
        options, world = self.options, self.world
        rng = np.random.default_rng([options.seed, self.done])
        batches = [random_batch(self.data, options.batch, options.context, rng, world.rank, world.size)
                   for _ in range(options.accumulate)]
        if options.dropout:
            Tensor.manual_seed(int(np.random.default_rng([options.seed, self.done, world.rank]).integers(2 ** 32)))
        self.optimizer.lr = learning_rate(self.done, options.steps, options.lr)
        is_whole = len(batches) == world.size == 1
        loss = self.whole_step(*batches[0]).item() if is_whole else self.step_in_parts(batches)
        self.done += 1
        return loss

    def validation_loss(self):
        """The loss on text that the model does not learn from."""
        return float(np.mean([self.evaluate(x, y).item() for x, y in self.checks]))

    def state(self):
        """All Tensors that change."""
        others = "params", "decays", "_lr"
        moments = {name: value for name, value in vars(self.optimizer).items() if name not in others}
        return nn.state.get_state_dict({"model": self.model, "optimizer": moments})

    def save(self, files):
        """Write the model, and all that the training needs to go on; it ends here if a parameter is not finite."""
        state = self.state()
        if not all(np.isfinite(tensor.numpy()).all() for tensor in state.values()):
            self.diverged("a parameter is infinite or NaN")
        about = {"format": "pt", "config": json.dumps(asdict(self.model.config))}
        if self.vocabulary.characters is not None:
            about["characters"] = self.vocabulary.characters
        nn.state.safe_save(nn.state.get_state_dict(self.model), files.model, about)
        about |= {"step": str(self.done), "text": self.text, "arguments": json.dumps(as_arguments(self.options))}
        nn.state.safe_save(state, files.checkpoint, about)
        self.saved = self.done

    def restore(self, path):
        """Go on from a checkpoint."""
        try:
            about = nn.state.safe_load_metadata(path)
            if about["text"] != self.text and not any(flag.startswith("--text") for flag in self.options.given):
                fail(f"--resume: {self.options.text or 'the text'} has changed since; --text goes on with another one, "
                     "or with this as it is now")
            state = nn.state.safe_load(path)
            if not all(np.isfinite(tensor.numpy()).all() for tensor in state.values()):
                raise ValueError("it holds infinite numbers or NaN")
            self.done = self.saved = int(about["step"])
            if self.done < 1:
                raise ValueError(f"step {self.done}")
            nn.state.load_state_dict(self.state(), state)
        except (ValueError, KeyError) as error:
            fail(f"--resume: {path} is damaged: {error}")

    def diverged(self, what):
        """The end, with exit code 1, of a training whose numbers have become too large."""
        kept = f"the files are those of step {self.saved}" if self.saved else "nothing was saved"
        print(f"\ngpt.py: {what} at step {self.done}: stopped; {kept}. A smaller --lr may help", file=sys.stderr)
        raise SystemExit(1)


def say(text, end="\n"):
    """Print at once. When nobody reads the output any more, the training goes on in silence."""
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")


class Progress:
    """Tells how the training goes: a line that is rewritten in place on a terminal, a line now and then elsewhere."""

    def __init__(self, steps, tokens):
        self.steps, self.tokens = steps, tokens
        self.recent = deque(maxlen=20)                                  # seconds a step; the first also compiles
        self.validation = None

    def show(self, step, loss, seconds, keep):
        """After `step` steps; `keep` says whether this is also worth a line in a log."""
        self.recent.append(seconds)
        usual = float(np.median(self.recent))
        left = timedelta(seconds=round(usual * (self.steps - step)))
        validation = "" if self.validation is None else f"  validation {self.validation:.4f}"
        line = (f"step {step}/{self.steps}  loss {loss:.4f}{validation}  {usual * 1e3:.1f} ms/step  "
                f"{self.tokens / usual:,.0f} tokens/s  {left} left")
        if sys.stdout.isatty():
            say(f"\r{line[:shutil.get_terminal_size().columns - 1]}\x1b[K", end="")
        elif keep:
            say(line)


class LossFile:
    """The losses as a table, step,loss,validation, to which every step adds a row; `rows` has them as numbers."""

    def __init__(self, path, steps):
        """Keep the rows of the first `steps` steps, if there are any, and go on behind them."""
        self.rows = []
        if steps and path.exists():
            for line in path.read_text("utf-8", "replace").splitlines():
                with contextlib.suppress(ValueError):                   # of a line that is no row of ours
                    step, loss, validation = line.split(",")
                    if 1 <= int(step) <= steps:
                        self.rows.append((int(step), float(loss), float(validation) if validation else None))
        text = io.StringIO(newline="")
        csv.writer(text).writerows([("step", "loss", "validation"), *self.rows])
        if path != Path(os.devnull):
            replace_file(path, text.getvalue())
        self.file = open(path, "a", newline="")
        lock(self.file)
        self.writer = csv.writer(self.file)

    def add(self, *row):
        self.rows.append(row)
        self.writer.writerow(row)
        self.file.flush()


def prepare(options, world):
    """The Training that the options ask for, and its files, after a look at all that could be wrong."""
    files, vocabulary = Files(options.out, options.text), None
    files.check()
    if options.resume:
        options, vocabulary = options_of(files.checkpoint, options)
        files = Files(options.out, options.text)
        files.check()
    if options.batch % world.size:
        fail(f"argument --batch: {world.size} processes can't share {options.batch} texts equally")
    data, vocabulary = read_data(options, vocabulary)
    held_back = len(data) - int(0.9 * len(data))
    if held_back <= options.context:
        fail(f"the text is too short: a tenth of its {len(data)} {units(options)} is for validation, and that has to "
             f"be more than the context of {options.context}; a longer text or a smaller --context would do")
    training = Training(options, vocabulary, data, world)
    if options.resume:
        training.restore(files.checkpoint)
    if training.done >= options.steps:
        fail(f"--resume: the training has done its {training.done:,} steps; a larger --steps goes on")
    return training, files


def units(options):
    return "bytes" if options.bytes else "characters"


def train(options):
    """Train a model on a text, save it, and show what it writes."""
    world = World()
    with world.together():
        training, files = prepare(options, world)
        options, vocabulary, losses = training.options, training.vocabulary, LossFile(Path(os.devnull), 0)
        if world.rank:
            sys.stdout = open(os.devnull, "w")                          # one process tells and writes for all
        else:
            files.clean()
            aside = "" if options.resume else files.put_aside()
            if aside:
                say(f"the files of an earlier training are kept as {aside}")
            losses = LossFile(files.losses, training.done)
        length, size = len(training.data) + len(training.held_back), sum(p.numel() for p in training.optimizer.params)
        say(f"{length:,} {units(options)}, a vocabulary of {len(vocabulary)}; a model of {size:,} parameters, on "
            f"{Device.DEFAULT}" + (f", in {world.size} processes" if world.size > 1 else ""))
        with losses.file:
            was_stopped, validation = run(training, files, losses)
        if world.rank:
            return
        points = [row[:2] for row in losses.rows], [row[::2] for row in losses.rows if row[2] is not None]
        draw_curve(files.curve, *points)
    if was_stopped:
        say(f"interrupted after {training.done} steps; the model as it is now was saved to {options.out}, and --resume "
            "goes on from there")
        raise SystemExit(130)
    say(f"validation loss {validation:.4f}; the model was saved to {options.out}; it writes:\n")
    known = vocabulary.characters is None or set("The ") <= set(vocabulary.characters)
    write(Writer(training.model), vocabulary, "The " if known else "", 300, Choice(0.6, seed=options.seed))


def run(training, files, losses):
    """Do the steps that are left, and save; returns whether Ctrl-C ended that, and the last validation loss."""
    stopped, options, is_first = [], training.options, training.world.rank == 0

    def stop(*_):
        """Ctrl-C: let the step finish, so that what is saved is whole; but a second Ctrl-C does not wait."""
        stopped.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    progress = Progress(options.steps, options.batch * options.accumulate * options.context)
    while training.done < options.steps and not training.world.agree(bool(stopped)):
        start = time.perf_counter()
        loss = training.step()
        seconds, done = time.perf_counter() - start, training.done
        is_due = done % options.eval_every == 0 or done == options.steps
        if is_due and is_first:
            progress.validation = training.validation_loss()
        losses.add(done, loss, progress.validation if is_due else None)
        if not math.isfinite(loss):
            training.diverged(f"the loss is {loss}")
        progress.show(done, loss, seconds, keep=is_due or done % 100 == 0 or done == 1)
        if is_first and done % options.save_every == 0:
            training.save(files)
    if is_first and training.saved != training.done:
        training.save(files)
    signal.signal(signal.SIGINT, before)
    say("", end="\n\n" if sys.stdout.isatty() else "")
    return training.done < options.steps, progress.validation


# ---------------------------------------------------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------------------------------------------------
class Writer:
    """Reads a text with a GPT, token after token, and says what it expects next.

    What was read stays in the caches, so a token costs the same wherever it stands. When they are full, the later half
    of them is read again, as the beginning of a new window. Longer texts are read `chunk` tokens at a time.
    """

    def __init__(self, model, chunk=32):
        config = model.config
        self.size, self.chunk, self.window = config.block_size, min(chunk, max(1, config.block_size // 2)), []
        self.length = Tensor.zeros(1, dtype="int32")
        self.caches = [Cache(config, self.length) for _ in range(config.n_layer)]
        self.forward = TinyJit(lambda tokens: model.read(tokens, self.caches).realize())
        for n in {1, self.chunk}:                                       # so that nothing need be compiled later
            self.forward(Tensor(np.zeros((1, n), np.int32)))
        self.length.assign(0)

    def read(self, tokens):
        """Read a list of the next tokens; returns the scores (V,) of the one that follows."""
        if len(self.window) + len(tokens) > self.size:
            tokens, self.window = (self.window + tokens)[-max(1, self.size // 2):], []
            self.length.assign(0)
        self.window += tokens
        while tokens:
            n = self.chunk if len(tokens) >= self.chunk else 1
            logits = self.forward(Tensor(np.array([tokens[:n]], np.int32)))
            tokens = tokens[n:]
        return logits.numpy()[0, 0]


class Choice:
    """Draws tokens from softmax(scores / temperature): of the `top_k` likeliest, and of these of the fewest that
    together have a probability of `top_p` (https://arxiv.org/abs/1904.09751). Temperature 0 takes the likeliest."""

    def __init__(self, temperature=1.0, top_k=None, top_p=1.0, seed=0):
        self.temperature, self.top_k, self.top_p = temperature, top_k, top_p
        self.rng = np.random.default_rng(seed)

    def __call__(self, scores):
        if self.temperature == 0:
            return int(scores.argmax())
        # The largest of scores + Gumbel noise is a draw from their softmax.
        scores = (scores.astype(np.float64) - scores.max()) / self.temperature
        noise = self.rng.gumbel(size=len(scores))
        if self.top_k is None and self.top_p == 1:
            return int((scores + noise).argmax())
        order = np.argsort(-scores, kind="stable")[:self.top_k]         # the likeliest first
        odds = np.exp(scores[order])
        before = np.cumsum(odds) - odds                                 # of those that are likelier
        order = order[before < self.top_p * odds.sum()]
        return int(order[(scores + noise)[order].argmax()])


def write(writer, vocabulary, prompt, count, choice):
    """Print `prompt` and `count` tokens that follow, each as soon as it is known; returns tokens a second."""
    decode, characters = vocabulary.decoder(), vocabulary.characters or "\n"
    print(prompt, end="", flush=True)
    scores = writer.read(vocabulary.encode(prompt or ("\n" if "\n" in characters else characters[0])))
    start = time.perf_counter()
    for number in range(count):
        token = choice(scores)
        print(decode(token), end="", flush=True)
        if number + 1 < count:
            scores = writer.read([token])
    seconds = time.perf_counter() - start
    print(flush=True)
    return count / seconds


def sample(options):
    """Write with a model that train has saved."""
    start = time.perf_counter()
    try:
        model = load_gpt2(options.model)
        about = nn.state.safe_load_metadata(options.model)
    except OSError as error:
        fail(f"cannot read {options.model}: {error.strerror}; python gpt.py trains a model")
    except ValueError as error:
        if "arguments" in metadata_of(options.model):
            fail(f"{options.model} is a checkpoint, which --resume reads; the model lies beside it")
        fail(str(error))
    if not all(np.isfinite(parameter.numpy()).all() for parameter in nn.state.get_parameters(model)):
        fail(f"{options.model} holds infinite numbers or NaN: its training has diverged, or it is damaged")
    vocabulary, prompt = Vocabulary(about.get("characters")), options.prompt.replace("\r\n", "\n")
    if len(vocabulary) != model.config.vocab_size or len(vocabulary.token_of) not in (0, len(vocabulary)):
        fail(f"{options.model} does not say which characters its {model.config.vocab_size} tokens stand for; "
             "models that gpt.py has trained do")
    try:
        vocabulary.encode(prompt)
    except ValueError as error:
        fail(f"argument --prompt: {error}")
    for parameter in nn.state.get_parameters(model):
        parameter.requires_grad = False
    if options.int8:
        before, after = quantize(model)
        print(f"weights: {before:,} bytes, as int8 {after:,}", file=sys.stderr)
    writer = Writer(model, 1 if options.int8 else 32)
    ready = time.perf_counter() - start
    choice = Choice(options.temperature, options.top_k, options.top_p, options.seed)
    rate = write(writer, vocabulary, prompt, options.tokens, choice)
    print(f"{rate:,.0f} tokens/s, after {ready:.2f} s to load and compile", file=sys.stderr)


# ---------------------------------------------------------------------------------------------------------------------
# Benchmark
# ---------------------------------------------------------------------------------------------------------------------
def bench(options):
    """Time training steps on random tokens: the inputs are made, the step is done, the loss is read."""
    import resource                                                     # not on Windows, where the rest runs
    begin = time.perf_counter()
    Tensor.manual_seed(options.seed)
    config = model_config(options, options.vocab)
    _, step = training_step(GPT(config), lr=1e-3)
    data = np.random.default_rng(options.seed).integers(0, options.vocab, 100_000 + options.context, np.int32)
    rng = np.random.default_rng(options.seed)

    def timed_step():
        start = time.perf_counter()
        step(*random_batch(data, options.batch, options.context, rng)).item()
        return time.perf_counter() - start

    timed_step()
    first_step = time.perf_counter() - begin
    for _ in range(9):                                                  # until all is compiled and in the caches
        timed_step()
    p10, median, p90 = np.percentile([timed_step() for _ in range(options.steps)], (10, 50, 90)) * 1e3

    # Floating-point operations of matrix products, as in https://arxiv.org/abs/2204.02311, appendix B: for each token
    # two for each weight (12 C^2 in a layer, C V in the head) and 4 T C in the attention of a layer, nothing of the
    # masked half left out; the backward pass does twice the work of the forward pass.
    L, C, T = config.n_layer, config.n_embd, config.block_size
    flop = 3 * options.batch * T * (2 * (12 * L * C ** 2 + C * config.vocab_size) + 4 * L * T * C)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2 ** 20 if sys.platform == "darwin" else 2 ** 10)
    figures = {"median_ms": median, "p10_ms": p10, "p90_ms": p90, "gflops": flop / median / 1e6, "peak_mib": peak,
               "first_step_s": first_step}
    figures = {name: round(float(figure), 3) for name, figure in figures.items()}
    print(json.dumps(figures) if options.json else "  ".join(f"{name} {figure}" for name, figure in figures.items()))


# ---------------------------------------------------------------------------------------------------------------------
# Kernels
#
# The folder kernels/ shows what the Python above becomes, as text that does not depend on the machine. Beside it lies
# data.js, for the page index.html: the kernels of a training step as they run here, and how long each takes.
# ---------------------------------------------------------------------------------------------------------------------
class Blueprint(tiny.NumpyDevice, tiny.CompiledDevice):
    """Makes the kernels of what a TinyJit captures, with vectors of 8 lanes, but runs none: NumPy computes instead."""
    name, dialect, lanes = "BLUEPRINT", "C", 8

    def make_plan(self, order, leaves, outputs, updates=()):
        made = tiny.CompiledDevice.make_plan(self, order, leaves, outputs, updates)
        return self.plan(order, leaves, outputs)._replace(kernels=made.kernels)

    def tuning(self):
        return None

    def source(self, kernel):
        return ""

    def compile(self, kernels):
        pass

    def run(self, plan, data, clock=None):
        super().run(plan, data)


def first_examples():
    """What a learner looks at first: functions that make Tensors, by their names."""
    x, y, weight, bias = (Tensor.randn(*shape).realize() for shape in ((64, 80), (64, 80), (80, 96), (96,)))
    image, filters = Tensor.randn(4, 8, 16, 16).realize(), Tensor.randn(16, 8, 3, 3).realize()
    q, k, v = (Tensor.randn(4, 4, 128, 32).realize() for _ in range(3))
    table, tokens = Tensor.randn(65, 128).realize(), Tensor.randint(12, 64, high=65).realize()
    logits, targets = Tensor.randn(96, 65).realize(), Tensor.randint(96, high=65).realize()
    parameter = Tensor.randn(96, 80, requires_grad=True)
    optimizer = nn.optim.Adam([parameter], lr=1e-3)
    parameter.grad = Tensor.randn(96, 80).realize()
    return {
        "elementwise": lambda: (2 * x + y).relu().sqrt(),
        "sum": lambda: x.sum(1),
        "matmul": lambda: x @ weight,
        "linear": lambda: (x @ weight + bias).gelu(),
        "softmax": lambda: x.softmax(),
        "layernorm": lambda: x.layernorm(),
        "cumsum": lambda: x.cumsum(1),
        "random": lambda: Tensor.randn(32, 32),
        "embedding": lambda: table[tokens],
        "embedding_gradient": lambda: table[tokens].square().sum().gradient(table),
        "cross_entropy": lambda: logits.cross_entropy(targets),
        "cross_entropy_gradient": lambda: logits.cross_entropy(targets).gradient(logits),
        "convolution": lambda: image.conv2d(filters, padding=1),
        "adam": lambda: optimizer.step(),
        "attention": lambda: q.scaled_dot_product_attention(k, v, is_causal=True),
        "attention_gradient":
            lambda: q.scaled_dot_product_attention(k, v, is_causal=True).square().sum().gradient(q, k, v),
    }


def capture_of(jit, *arguments):
    """What a TinyJit captures for these arguments."""
    gc.collect()                                                        # of equal nodes the first has its line
    jit(*arguments)
    return list(jit.captured.values())[-1]


def default_training():
    """What `python gpt.py` would train, but on random tokens: the model, its optimizer, the step, and a batch."""
    Tensor.manual_seed(0)
    model, rng = GPT(GPTConfig()), np.random.default_rng(0)
    data = rng.integers(0, model.config.vocab_size, 10_000, np.int32)
    return model, *training_step(model, lr=1e-3), random_batch(data, 12, model.config.block_size, rng)


def write_sources(folder):
    """Write all kernels to files in three subfolders; returns, for each kernel of the training step, its name and the
    files that it is in."""
    Device.makers["BLUEPRINT"], Device.DEFAULT = Blueprint, "BLUEPRINT"
    model, _, step, batch = default_training()
    writer = Writer(model, chunk=1)
    parts = {"first": {name: capture_of(TinyJit(make)).plan.kernels for name, make in first_examples().items()},
             "train": {"": capture_of(step, *batch).plan.kernels},
             "decode": {"": capture_of(writer.forward, Tensor(np.zeros((1, 1), np.int32))).plan.kernels}}
    files = {}
    for (part, examples), dialect in itertools.product(parts.items(), ("C", "CL")):
        sources = tiny.Sources(folder / part, dialect, Blueprint.lanes)
        files[part, dialect] = [f"{part}/{name}" for example, made in examples.items()
                                for name in sources.add(made, f"{example}_" * bool(example))]
    return [(kernel.name, pair) for kernel, *pair in zip(parts["train"][""], files["train", "C"], files["train", "CL"])]


def seconds_of_kernels(step, batch, steps):
    """The seconds of each kernel of a captured step, in the order in which they run: the shortest of several steps, as
    what else the machine does only makes them longer."""
    seconds = []
    for _ in range(steps):
        with tiny.profile() as profile:
            step(*batch)
        seconds.append([time for _, time in profile.records])
    return np.min(seconds, 0)


def page_data(written, steps):
    """What the page shows: the machine; the kernels of a training step on device C in the order in which they run, each
    with its lines, work, time and operands; the texts of those that differ (`code`); when each buffer is needed, from
    its first to its last kernel, and where in the arena it lies."""
    Device.DEFAULT = "C"
    model, optimizer, step, batch = default_training()
    capture = capture_of(step, *batch)
    plan, seconds = capture.plan, seconds_of_kernels(step, batch, steps)
    files = [pair for name, pair in written] if [k.name for k in plan.kernels] == [name for name, _ in written] else \
        [dict(written).get(kernel.name, []) for kernel in plan.kernels]

    state = nn.state.get_state_dict({"": model, "adam": optimizer})      # of several names a Tensor gets the first
    names = {id(tensor): name for name, tensor in reversed(state.items())}
    names |= {id(tensor): name for tensor, name in zip(capture.inputs.values(), ("tokens", "targets"))}
    outside = [names.get(id(source), "constant").strip(".") for source in capture.sources]
    results = {i: names.get(id(tensor)) for tensor, i, _ in capture.targets} | {i: "loss" for i in capture.returned}
    outside += [results.get(i, "result") for i in range(len(capture.outputs))]
    code, runs, buffers, current = {}, [], [], {}
    for i, (kernel, places) in enumerate(zip(plan.kernels, plan.places)):
        operands = []
        for j, (operand, place) in enumerate(zip(kernel.outputs + kernel.inputs, places)):
            in_arena = place[0] == "arena"
            if place not in current or in_arena and j < len(kernel.outputs):
                current[place] = {"id": len(buffers), "name": kernel.name if in_arena else outside[place[1]],
                                  "bytes": math.prod(operand.shape) * operand.dtype.itemsize,
                                  "first": i, "offset": place[1] if in_arena else None}
                buffers.append(current[place])
            current[place]["last"] = i
            operands.append({"buffer": current[place]["id"], "shape": operand.shape,
                             "dtype": tiny.NAME_OF[operand.dtype]})
        text = kernel.c_source(), kernel.cl_source()
        runs.append({"name": kernel.name, "symbol": kernel.symbol, "files": files[i],
                     "lines": [(os.path.basename(file), *rest) for file, *rest in kernel.lines],
                     "flops": kernel.flops, "bytes": kernel.bytes, "microseconds": round(seconds[i] * 1e6, 3),
                     "code": code.setdefault(text, len(code)),
                     "inputs": operands[len(kernel.outputs):], "outputs": operands[:len(kernel.outputs)]})

    cpu = re.search("model name.*: (.*)", tiny.cpu_description())
    gflops, gbs = tiny.peak(capture.device)
    machine = {"cpu": cpu[1] if cpu else "", "threads": tiny.cores(), "peak_gflops": round(gflops, 1),
               "peak_gbs": round(gbs, 1)}
    return {"machine": machine, "sources": {"gpt.py": Path(__file__).read_text("utf-8")}, "kernels": runs,
            "code": [{"c": c, "cl": cl} for c, cl in code], "buffers": buffers, "arena_bytes": plan.arena_bytes}


def kernels(options):
    """Write the folder."""
    folder = Path(options.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = write_sources(folder)
        distinct = len({c for _, (c, _) in written})
        print(f"{folder}: a training step has {len(written)} kernels, {distinct} different ones", flush=True)
        if options.steps:
            data = page_data(written, options.steps)
            text = json.dumps(data, separators=(",", ":"))
            (folder / "data.js").write_text(f"window.DATA = {text};\n", "utf-8")
            total = sum(kernel["microseconds"] for kernel in data["kernels"])
            print(f"{folder / 'data.js'}: a training step takes {total / 1e3:.1f} ms in {len(data['kernels'])} kernels")
    except OSError as error:
        fail(f"cannot write to {folder}: {error.strerror}")


# ---------------------------------------------------------------------------------------------------------------------
# The command line
# ---------------------------------------------------------------------------------------------------------------------
def fail(message):
    """End the program as it ends for every mistake of its user: one line, exit code 2."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(message[:4000].split()))
    if mpi_rank() in (None, "0"):                                       # one process tells for all
        print(f"gpt.py: {line}", file=sys.stderr)
    raise SystemExit(2)


class Parser(argparse.ArgumentParser):
    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message):
        fail(f"{message}; {self.prog.replace('gpt.py', 'python gpt.py')} --help shows what there is")


def between(low, high, kind=int, but=()):
    """A parser of numbers from `low` to `high`, whole ones or (`kind`) floats, without those that are in `but`."""
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high or value in but:
            excluded = "".join(f", but not {x:g}" for x in but)
            raise argparse.ArgumentTypeError(f"should be a {'whole ' if kind is int else ''}number from {low:,} to "
                                             f"{high:,}{excluded}; it is {text!r}")
        return value

    return parse


positive_int = between(1, 10 ** 9)


def model_config(options, vocab_size):
    return GPTConfig(vocab_size, options.context, options.layers, options.heads, options.dim)


TRAIN_HELP = """Train a GPT on a text, save it, and show what it writes.

Without --text it learns from the language reference that comes with Python. A tenth of the text is kept back: the
validation loss is that of the model on text it never saw. Ctrl-C ends the training and saves.

examples:
  python gpt.py                                          # the default: 2,000 steps, about a minute
  python gpt.py --text my_novel.txt --steps 5000         # from a text of yours
  python gpt.py --text disk.img --bytes                  # from any file at all
  python gpt.py --resume --steps 10000                   # on from where it stopped, with its settings
  python gpt.py --dim 384 --layers 6 --heads 6 --context 256 --batch 64 --accumulate 4 --dropout 0.2
  mpirun -n 2 python gpt.py                              # two processes, each with half of the batch (needs mpi4py)
"""
SAMPLE_HELP = """Write with a model that has been trained: the prompt, and what the model makes of it.

examples:
  python gpt.py sample --prompt "The statement" --tokens 500
  python gpt.py sample --temperature 0                   # always the likeliest character
  python gpt.py sample --top-k 5 --seed 7                # one of the five likeliest; other numbers, other texts
  python gpt.py sample --model my_novel.safetensors --int8
"""
KERNELS_HELP = """Write the kernels that the model becomes, in C and in OpenCL, into a folder.

In three subfolders: the training step, the step that writes a token, and first some small examples. Each kernel says
which lines of Python it computes. They have vectors of 8 lanes and are the same on every machine. Then the kernels of
a training step are timed on this machine; data.js in the folder has what its page, index.html, shows of them.

examples:
  python gpt.py kernels
  python gpt.py kernels --out /tmp/kernels --steps 0     # only the sources
"""
BENCH_HELP = """Time the training step on random tokens, on this machine.

examples:
  python gpt.py bench
  python gpt.py bench --dim 384 --layers 6 --heads 6 --context 256 --json
"""


def parse_command_line(arguments):
    """The options; to train is what is done unless something else is asked for."""
    def add(group, name, kind, default, meaning, metavar="N"):
        shown = "none" if default is None else f"{default:,}" if isinstance(default, int) else default
        group.add_argument(name, type=kind, default=default, metavar=metavar, help=f"{meaning} (default: {shown})")

    parser = Parser(description=__doc__, epilog="Each has a --help of its own, with examples. Without one it trains.")
    commands = parser.add_subparsers(dest="command", metavar="{train,sample,bench,kernels}")
    train, sample, bench, kernels = (
        commands.add_parser(name, help=summary, description=text, add_help=False)
        for name, summary, text in (("train", "train on a text, save the model, and write (the default)", TRAIN_HELP),
                                    ("sample", "write with a model that has been trained", SAMPLE_HELP),
                                    ("bench", "time the training step on random tokens", BENCH_HELP),
                                    ("kernels", "write the C and OpenCL that the model becomes", KERNELS_HELP)))

    group = train.add_argument_group("the text")
    group.add_argument("--text", metavar="FILE", help="to learn from, UTF-8 (default: Python's language reference)")
    group.add_argument("--bytes", action="store_true", help="learn the bytes of the file, whatever it is")
    for command in train, bench:
        group = command.add_argument_group("the model")
        add(group, "--layers", positive_int, 4, "transformer blocks")
        add(group, "--heads", positive_int, 4, "attention heads in a block")
        add(group, "--dim", positive_int, 128, "width")
        add(group, "--context", positive_int, 64, "tokens that it looks back on")
    group = train.add_argument_group("the training")
    add(group, "--steps", positive_int, 2000, "steps in all")
    add(group, "--batch", positive_int, 12, "texts in a batch")
    add(group, "--accumulate", positive_int, 1, "batches in a step, one after the other")
    add(group, "--lr", between(0, 1e9, float, but=[0]), 1e-3, "highest learning rate", "X")
    add(group, "--dropout", between(0, 1, float, but=[1]), 0.0, "part of the "
        "activations that is dropped at random", "P")
    group = train.add_argument_group("files")
    group.add_argument("--out", default="gpt.safetensors", metavar="FILE", help="the model; beside it .checkpoint (for "
                       "--resume), .csv (losses) and .svg (their curve); earlier ones are renamed (default: "
                       "gpt.safetensors)")
    add(group, "--save-every", positive_int, 250, "steps from one save to the next")
    add(group, "--eval-every", positive_int, 250, "steps from one look at the validation loss to the next")
    group.add_argument("--resume", action="store_true", help="go on with the training of --out, with its settings but "
                       "for those given now")

    group = sample.add_argument_group("the model")
    group.add_argument("--model", default="gpt.safetensors", metavar="FILE", help="a model that train has saved "
                       "(default: gpt.safetensors)")
    group.add_argument("--int8", action="store_true", help="keep its weights in one byte each")
    group = sample.add_argument_group("the text")
    group.add_argument("--prompt", default="", metavar="TEXT", help="how it begins (default: on a new line)")
    add(group, "--tokens", positive_int, 300, "how many characters follow, or bytes")
    group = sample.add_argument_group("the choice of each character")
    add(group, "--temperature", between(0, 1e9, float), 0.6, "1: as probable as the "
        "model holds it; less prefers the likely; 0: always the likeliest", "X")
    add(group, "--top-k", positive_int, None, "only among this many of the likeliest")
    add(group, "--top-p", between(0, 1, float, but=[0]), 1.0, "only among the likeliest that "
        "together have this probability", "P")

    group = bench.add_argument_group("the measurement")
    add(group, "--steps", positive_int, 100, "steps that are timed")
    add(group, "--batch", positive_int, 12, "texts in a step")
    add(group, "--vocab", positive_int, 65, "number of different tokens")
    group.add_argument("--json", action="store_true", help="print one line of JSON")

    group = kernels.add_argument_group("the folder")
    folder = Path(__file__).parent / "kernels"
    group.add_argument("--out", default=folder, metavar="FOLDER", help="where (default: kernels beside gpt.py)")
    add(group, "--steps", between(0, 10_000), 50, "steps that are timed for data.js; 0: no data.js")
    for command in train, sample, bench, kernels:
        group = command.add_argument_group("everything")
        if command is not kernels:
            add(group, "--seed", between(0, 2 ** 32 - 1), 0, "of all random numbers")
            group.add_argument("--device", choices=["C", "CL", "NUMPY"], help="where to compute (default: the best)")
        group.add_argument("-h", "--help", action="help", help="show this")

    if not arguments or arguments[0].startswith("-") and arguments[0] not in ("-h", "--help"):
        arguments = ["train", *arguments]
    options = parser.parse_args(arguments)
    options.given = arguments[1:]
    if not getattr(options, "resume", False):                           # else what the checkpoint says comes first
        check_options(options)
    return options


def check_options(options):
    """Do the options fit together?"""
    if "dim" in options and options.dim % options.heads:
        fail(f"argument --heads: {options.heads} heads do not divide a width (--dim) of {options.dim}")
    if getattr(options, "bytes", False) and not options.text:
        fail("argument --bytes: --text should say of which file")


def as_arguments(options):
    """The command line of a training, for its checkpoint: all options but those that say where it runs and saves."""
    saved = {name: value for name, value in vars(options).items()
             if name not in ("command", "given", "out", "resume", "device") and value not in (None, False)}
    if options.text is not None:
        saved["text"] = os.path.abspath(options.text)
    flag = {name: f"--{name.replace('_', '-')}" for name in saved}
    return [flag[name] if value is True else f"{flag[name]}={value}" for name, value in saved.items()]


def options_of(checkpoint, options):
    """The options of the training that a checkpoint is of, overruled by those given now, and its vocabulary."""
    if not checkpoint.exists():
        fail(f"--resume: there is no {checkpoint} to go on from")
    about, damaged = metadata_of(checkpoint), f"--resume: {checkpoint} is damaged, or no checkpoint of gpt.py"
    try:
        saved, config = (json.loads(about[name]) for name in ("arguments", "config"))
        vocabulary = Vocabulary(about.get("characters"))
        known = all(re.match("--(?!help|out|resume|device)", argument) for argument in saved)   # see as_arguments
        if not known or not isinstance(config, dict):
            raise ValueError
    except (KeyError, ValueError, TypeError, RecursionError):
        fail(damaged)
    given, options = options.given, parse_command_line(["train", *saved, *options.given])
    check_options(options)
    options.given = given
    wanted = asdict(model_config(options, len(vocabulary)))
    differing = [f"{name} {config.get(name)}, not {wanted[name]}" for name in wanted
                 if name != "dropout" and config.get(name) != wanted[name]]
    if differing:
        fail(f"--resume: the model in {checkpoint} has {', '.join(differing)}")
    V, T, L, _, C, *_ = wanted.values()
    if 3 * 4 * C * (V + T + 1 + L * (12 * C + 2)) > checkpoint.stat().st_size:  # parameters, and two moments of each
        fail(damaged)                                                   # known before the memory for it is asked for
    return options, vocabulary


def main():
    options = parse_command_line(sys.argv[1:])
    if sys.stdout is None:                                              # closed
        sys.stdout = open(os.devnull, "w")
    sys.stdout.reconfigure(errors="replace")                            # for terminals that lack some characters
    try:
        Device.DEFAULT = getattr(options, "device", None) or Device.DEFAULT
        Device[Device.DEFAULT]                                          # can it be used?
    except (RuntimeError, ValueError) as error:
        fail(str(error))
    try:
        {"train": train, "sample": sample, "bench": bench, "kernels": kernels}[options.command](options)
    except KeyboardInterrupt:                                           # before there was anything to save, or twice
        end("interrupted", 130)
    except BrokenPipeError:                                             # who reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        end(f"{error.filename2 or error.filename or 'writing'}: {error.strerror}", 1)
    except MemoryError:
        end("there is not enough memory; a smaller --batch, --context, --dim or --layers takes less", 1)


def end(why, code):
    """The end of a program for a reason that lies outside of it."""
    print(f"\ngpt.py: {why}; what had been saved before is as it was", file=sys.stderr)
    raise SystemExit(code) from None


if __name__ == "__main__":
    main()
