# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy", "pyopencl[pocl]"]
# ///
"""A small GPT that learns to write, one character at a time.

    python gpt.py                                   # from the language reference that every CPython carries
    python gpt.py --text my_novel.txt --steps 5000  # from a text of yours
    python gpt.py bench --json                      # how long does a training step take here?

The model is GPT-2's in the form of nanoGPT (https://github.com/karpathy/nanoGPT). Its parameters have the same names
and shapes as there, so checkpoints can be moved either way. In the comments on shapes, B is the number of texts in a
batch, T the number of tokens in each, C the width of the model (n_embd), H the number of heads, and V the number of
different tokens.
"""
import argparse, json, math, os, re, signal, sys, time
from collections import deque
from dataclasses import asdict, dataclass, replace
from pathlib import Path
import numpy as np
from tiny import Device, Tensor, TinyJit, dtypes, nn


# ---------------------------------------------------------------------------------------------------------------------
# The model
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
    except (KeyError, TypeError, ValueError):
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

    Losses that are infinite or NaN are left out. A list of more than 1,000 points is cut into at most 500 parts, and of
    each part the least and the greatest loss are drawn.
    """
    training, validation = ([(step, loss) for step, loss in points if math.isfinite(loss)]
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
    Path(path).write_text(CURVE.format("\n".join(shapes)), encoding="utf-8")


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


def learning_rate(step, steps, peak):
    """Linear warm-up over the first 100 steps (a tenth of them, if they are few), then a cosine down to peak / 10."""
    warmup = min(100, steps // 10)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - 1 - warmup)                 # from 0 to 1 at the last step
    return peak * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def random_batch(data, batch, context, rng):
    """Windows of `data` from random places, x (batch, context), and y, the same windows one token further on."""
    starts = rng.integers(0, len(data) - context, batch)
    windows = data[starts[:, None] + np.arange(context + 1)]            # (batch, context + 1)
    return Tensor(windows[:, :-1]), Tensor(windows[:, 1:])


def read_text(path):
    """The text of a file; without one, the topics of Python's help(), which are its language reference."""
    if path is None:
        from pydoc_data.topics import topics
        return "\n".join(topics[name] for name in sorted(topics))
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}")
    except UnicodeDecodeError as error:
        fail(f"cannot read {path}: it is not UTF-8 text ({error.reason} at byte {error.start})")


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
        minutes, rest = divmod(round(usual * (self.steps - step)), 60)
        validation = "" if self.validation is None else f"  validation {self.validation:.4f}"
        line = (f"step {step}/{self.steps}  loss {loss:.4f}{validation}  {usual * 1e3:.1f} ms/step  "
                f"{self.tokens / usual:,.0f} tokens/s  {minutes}:{rest:02} left")
        if sys.stdout.isatty():
            print(f"\r{line}\x1b[K", end="", flush=True)
        elif keep:
            print(line, flush=True)


def train(options):
    """Train a model on the characters of a text, save it, and show what it writes."""
    text = read_text(options.text)
    characters = "".join(sorted(set(text)))
    token_of = {character: token for token, character in enumerate(characters)}
    data = np.array([token_of[character] for character in text], np.int32)
    training, validation = np.split(data, [int(0.9 * len(data))])
    if len(validation) <= options.context:
        fail(f"the text is too short: a tenth of its {len(data)} characters is for validation, "
             f"and that has to be more than the context of {options.context}")
    out = Path(options.out).absolute()
    if out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        fail(f"cannot save to {options.out}: it should be a file in a folder that exists and can be written to")

    Tensor.manual_seed(options.seed)
    model = GPT(model_config(options, len(characters)))
    optimizer, step = training_step(model, options.lr)
    evaluate = TinyJit(lambda x, y: model(x, y)[1].realize())
    rng, fixed_rng = np.random.default_rng(options.seed), np.random.default_rng(0)
    checks = [random_batch(validation, options.batch, options.context, fixed_rng) for _ in range(40)]
    print(f"{len(data):,} characters, {len(characters)} different ones; a model of "
          f"{sum(p.numel() for p in nn.state.get_parameters(model)):,} parameters, on {Device.DEFAULT}", flush=True)

    stopped = []

    def stop(*_):
        """Ctrl-C: let the step finish, so that what is saved is whole; but a second Ctrl-C does not wait."""
        stopped.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    usual = signal.signal(signal.SIGINT, stop)
    progress = Progress(options.steps, options.batch * options.context)
    for done in range(1, options.steps + 1):
        start = time.perf_counter()
        optimizer.lr = learning_rate(done - 1, options.steps, options.lr)
        loss = step(*random_batch(training, options.batch, options.context, rng)).item()
        seconds = time.perf_counter() - start
        due = done % options.eval_every == 0 or done == options.steps
        if due:
            progress.validation = float(np.mean([evaluate(x, y).item() for x, y in checks]))
        progress.show(done, loss, seconds, keep=due or done % 100 == 0 or done == 1)
        if stopped:
            break
    signal.signal(signal.SIGINT, usual)
    print("\n" if sys.stdout.isatty() else "", end="")

    nn.state.safe_save(nn.state.get_state_dict(model), options.out,
                       {"config": json.dumps(asdict(model.config)), "characters": characters})
    if stopped:
        print(f"interrupted after {done} steps; the model as it is now was saved to {options.out}")
        raise SystemExit(130)
    print(f"validation loss {progress.validation:.4f}; the model was saved to {options.out}; it writes:\n")
    print(write(model, characters, 300, options.seed))


def write(model, characters, length, seed, prompt="The "):
    """`prompt` and `length` characters by the model, each drawn from what it expects after the last block_size."""
    forward = TinyJit(lambda window: model(window)[0].realize())
    rng, context = np.random.default_rng(seed), model.config.block_size
    tokens = [max(0, characters.find(character)) for character in prompt]
    for _ in range(length):
        recent = tokens[-context:]
        window = np.zeros((1, context), np.int32)                       # always this shape, so that it compiles once
        window[0, :len(recent)] = recent                                # nothing looks at the zeros that follow
        logits = forward(Tensor(window)).numpy()[0, len(recent) - 1]    # (V,)
        # The largest of logits + Gumbel noise is a draw from their softmax. Temperature 0.6 prefers the likely.
        tokens.append(int(np.argmax(logits / 0.6 + rng.gumbel(size=len(characters)))))
    return "".join(characters[token] for token in tokens)


# ---------------------------------------------------------------------------------------------------------------------
# Benchmark
# ---------------------------------------------------------------------------------------------------------------------
def bench(options):
    """Time training steps on random tokens: the inputs are made, the step is done, the loss is read."""
    import resource                                                     # not on Windows, where the rest runs
    begin = time.perf_counter()
    Tensor.manual_seed(options.seed)
    config = model_config(options, options.vocab)
    _, step = training_step(GPT(config), options.lr)
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
# The command line
# ---------------------------------------------------------------------------------------------------------------------
def fail(message):
    """End the program as it ends for every mistake of its user: one line, exit code 2."""
    print(f"gpt.py: {message}", file=sys.stderr)
    raise SystemExit(2)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(message)


def positive(kind):
    """A parser of positive numbers, int or float."""
    def parse(text):
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"should be a positive number, not {text}")
        return value

    parse.__name__ = kind.__name__                                      # for argparse: "invalid int value"
    return parse


def model_config(options, vocab_size):
    return GPTConfig(vocab_size, options.context, options.layers, options.heads, options.dim)


def parse_command_line(arguments):
    """The options; to train is what is done unless something else is asked for."""
    def count(parser, name, default, meaning):
        parser.add_argument(name, type=positive(int), default=default, metavar="N", help=f"{meaning} ({default:,})")

    common = Parser(add_help=False)
    count(common, "--layers", 4, "transformer blocks")
    count(common, "--heads", 4, "attention heads in a block")
    count(common, "--dim", 128, "width of the model")
    count(common, "--context", 64, "tokens that it looks back on")
    count(common, "--batch", 12, "texts in a training step")
    common.add_argument("--lr", type=positive(float), default=1e-3, metavar="X", help="highest learning rate (0.001)")
    common.add_argument("--seed", type=int, default=0, metavar="N", help="of all random numbers (0)")
    common.add_argument("--device", choices=["C", "CL", "NUMPY"], help="where to compute (the best there is)")

    parser = Parser(description=__doc__.splitlines()[0], epilog="Each has a --help of its own. Without one it trains.")
    commands = parser.add_subparsers(dest="command", metavar="{train,bench}")
    command = commands.add_parser("train", parents=[common], help="train on a text and write (the default)")
    count(command, "--steps", 2000, "training steps")
    count(command, "--eval-every", 250, "steps from one look at the validation loss to the next")
    command.add_argument("--text", metavar="FILE", help="a UTF-8 text to learn from (Python's language reference)")
    command.add_argument("--out", default="gpt.safetensors", metavar="FILE", help="where to save (gpt.safetensors)")
    command = commands.add_parser("bench", parents=[common], help="time the training step on random tokens")
    count(command, "--steps", 100, "steps that are timed")
    count(command, "--vocab", 65, "number of different tokens")
    command.add_argument("--json", action="store_true", help="print one line of JSON")

    if not arguments or arguments[0].startswith("-") and arguments[0] not in ("-h", "--help"):
        arguments = ["train", *arguments]
    options = parser.parse_args(arguments)
    if options.dim % options.heads:
        fail(f"argument --heads: {options.heads} heads do not divide a width (--dim) of {options.dim}")
    if options.seed < 0:
        fail(f"argument --seed: should not be negative, is {options.seed}")
    return options


def main():
    options = parse_command_line(sys.argv[1:])
    if options.device:
        Device.DEFAULT = options.device
    try:
        {"train": train, "bench": bench}[options.command](options)
    except KeyboardInterrupt:                                           # before there was anything to save, or twice
        print("\ngpt.py: interrupted, nothing was saved", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
