# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy", "pyopencl[pocl]", "pytest", "hypothesis"]
# ///
"""What holds of tiny, as facts.

    python -m pytest -q test_tiny.py                # or: uv run test_tiny.py
    python test_tiny.py --help                      # the commands: what goes on for longer, and the benchmark
    python test_tiny.py bench [part ...]            # how quick it is, next to the other libraries that are installed

What is right is never copied from a run of tiny. The oracles are NumPy in float64, central differences for gradients,
the NUMPY device (itself held to NumPy) for random programs, and PyTorch, where it is installed, for whole models.
Every test that takes `device` runs on all three, unless `on` says on which; a device that cannot be found is a failure,
not a skip.
"""
import argparse, ast, contextlib, copy, ctypes, doctest, fcntl, functools, gc, html, importlib.metadata, importlib.util
import inspect, io, itertools, json, linecache, math, os, pickle, platform, random, re, select, shutil, signal, socket
import stat, struct, subprocess, sys, tempfile, threading, time, tracemalloc, warnings, weakref, xml.etree.ElementTree
import zlib
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
import numpy as np


# ---------------------------------------------------------------------------------------------------------------------
# Commands
#
# What goes on for longer than a test is a command: a row of COMMANDS with a function and its arguments. The docstring
# is the help, its first line the line in the list of all; what the function returns is the exit code. A name that ends
# in -worker is for processes that other commands start, and is not listed.
# ---------------------------------------------------------------------------------------------------------------------
COMMANDS = {}


def argument(*names, **options):
    """An argument of a command: what argparse's add_argument takes."""
    return names, options


def how_many(name, default, what):
    """The one argument of most commands."""
    return argument(name, metavar="N", type=positive, nargs="?", default=default, help=f"{what} (default: {default:,})")


def positive(text, kind=int):
    """The number that an argument gives."""
    with contextlib.suppress(ValueError):
        if (number := kind(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"should be a {'whole ' * (kind is int)}number greater than 0; it is {text!r}")


def one_of(names):
    """A parser of arguments that are one of these names each. (`choices` would refuse an empty list in Python 3.11.)"""
    def parse(text):
        if text not in names:
            raise argparse.ArgumentTypeError(f"there is no {text!r}, only {', '.join(names)}")
        return text

    return parse


def listed():
    """The commands that are for people, each with the first line of its help."""
    return {name: inspect.getdoc(function).splitlines()[0] for name, (function, *_) in COMMANDS.items()
            if not name.endswith("-worker")}


def command_parser():
    lines = [f"  {name:13}{line}" for name, line in listed().items()]
    parser = argparse.ArgumentParser(
        "test_tiny.py", "test_tiny.py [command] ...", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Without a command the tests run; all else that begins with - goes to pytest,\n"
                    "as in: python test_tiny.py -x -k softmax",
        epilog="\n".join(["commands, each with a --help of its own:", *lines]))
    commands = parser.add_subparsers(prog="test_tiny.py", help=argparse.SUPPRESS)
    for name, (function, *arguments) in COMMANDS.items():
        command = commands.add_parser(name, description=inspect.getdoc(function))
        command.set_defaults(function=function)
        for names, options in arguments:
            command.add_argument(*names, **options)
    return parser


def run_command(arguments):
    """Run a command, or the tests; returns the exit code."""
    if not arguments or arguments[0].startswith("-") and arguments[0] not in ("-h", "--help"):
        return pytest.main([__file__, "-q", *arguments])
    parser = command_parser()
    if arguments[0] not in (*COMMANDS, "-h", "--help"):
        parser.error(f"there is no command {arguments[0]!r}, only {', '.join(listed())}")
    options = vars(parser.parse_args(arguments))
    return options.pop("function")(**options)


# ---------------------------------------------------------------------------------------------------------------------
# Benchmark
#
# `python test_tiny.py bench` times tiny and what else one would use, in turn: a round is a moment of tiny, then one of
# each peer. Every engine has a process of its own that sleeps until it is asked, so that no pool of threads stands in
# another's way. An engine is a class that imports its library when it is made; a method prepares a work and returns the
# function to be timed. All this stands before the tests since it needs only NumPy; peers that are missing are left out.
# ---------------------------------------------------------------------------------------------------------------------
def threads():
    """The number of threads to use: THREADS, or the processors that this process may run on."""
    return int(os.environ.get("THREADS") or len(os.sched_getaffinity(0)))


def random_arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


class GPTShape(NamedTuple):
    """Sizes of a GPT and of its batches."""
    layers: int = 4
    heads: int = 4
    width: int = 128
    context: int = 64
    batch: int = 12
    vocab: int = 65

    def weights(self):
        """Initial weights by their names in gpt.py, so that all engines train the same model."""
        C = self.width
        shapes = {"wte": (self.vocab, C), "wpe": (self.context, C), "ln_f": (C,)}
        for i in range(self.layers):
            shapes |= {f"h.{i}.ln_1": (C,), f"h.{i}.attn.c_attn": (3 * C, C), f"h.{i}.attn.c_proj": (C, C),
                       f"h.{i}.ln_2": (C,), f"h.{i}.mlp.c_fc": (4 * C, C), f"h.{i}.mlp.c_proj": (C, 4 * C)}
        arrays = zip(shapes, random_arrays(*shapes.values()))
        return {f"transformer.{name}.weight": np.float32(0.02) * array if array.ndim == 2 else np.ones_like(array)
                for name, array in arrays}

    def flop(self):
        """Floating-point operations of the matrix products in a step of training."""
        L, _, C, T, B, V = self
        return 3 * B * T * (2 * (12 * L * C ** 2 + C * V) + 4 * L * T * C)

    def batches(self):
        """Random tokens without end: pairs of int32 arrays of shape (batch, context)."""
        rng = np.random.default_rng(1)
        while True:
            tokens = rng.integers(0, self.vocab, (self.batch, self.context + 1), np.int32)
            yield tokens[:, :-1], tokens[:, 1:]

    def loss(self, words, weights, x, y):
        """The loss of gpt.py's model in another library, of which `words` has the functions that differ."""
        B, T, C, H = self.batch, self.context, self.width, self.heads
        weights = {name.removeprefix("transformer.").removesuffix(".weight"): w for name, w in weights.items()}
        h = words.embedding(x, weights["wte"]) + weights["wpe"]                                 # (B, T, C)
        for i in range(self.layers):
            ln_1, c_attn, attn_proj, ln_2, c_fc, mlp_proj = (weights[f"h.{i}.{part}"] for part in (
                "ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"))
            parts = words.split(words.linear(words.norm(h, ln_1), c_attn))                      # (B, T, C) each
            q, k, v = (words.swap(part.reshape(B, T, H, C // H)) for part in parts)             # (B, H, T, C/H)
            h = h + words.linear(words.swap(words.attend(q, k, v)).reshape(B, T, C), attn_proj)
            h = h + words.linear(words.gelu(words.linear(words.norm(h, ln_2), c_fc)), mlp_proj)
        logits = words.linear(words.norm(h, weights["ln_f"]), weights["wte"])                   # (B, T, V)
        return words.cross_entropy(logits.reshape(B * T, self.vocab), y.reshape(B * T))


OPERATIONS = {                                                          # those that all libraries write alike
    "NN": lambda a, b: a @ b, "NT": lambda a, b: a @ b.T, "TN": lambda a, b: a.T @ b, "TT": lambda a, b: a.T @ b.T,
    "softmax": lambda x: x.softmax(-1), "exp": lambda x: x.exp(),
    "five operations": lambda x: ((x * 2 + 1).relu() - x).sigmoid()}


class Tiny:
    device, jit = "C", True

    def __init__(self):
        import gpt, tiny
        self.gpt, self.tiny, Tensor = gpt, tiny, tiny.Tensor
        tiny.Device.DEFAULT = self.device
        self.description = f"{self.device}, {tiny.Device[self.device].description}"
        self.operations = OPERATIONS | {
            "copy": Tensor.contiguous, "sum": Tensor.sum, "transpose": lambda x: x.T.contiguous(),
            "layernorm": Tensor.layernorm, "gelu": Tensor.gelu, "convolution": lambda x, w: x.conv2d(w, padding=1),
            "attention": functools.partial(Tensor.scaled_dot_product_attention, is_causal=True)}

    def operation(self, name, with_gradients, *shapes):
        """An operation on random numbers; if wanted its gradients too, and then the first shape is its result's."""
        operation = self.operations[name]

        def both(gradient, *inputs):
            out = operation(*inputs)
            return out, out.gradient(*inputs, gradient=gradient)

        function = self.tiny.TinyJit(both if with_gradients else operation)
        return functools.partial(function, *map(self.tiny.Tensor, random_arrays(*shapes)))

    def step(self, *shape):
        shape, Tensor = GPTShape(*shape), self.tiny.Tensor
        model = self.gpt.GPT(self.gpt.GPTConfig(shape.vocab, shape.context, shape.layers, shape.heads, shape.width))
        weights = {name: Tensor(array) for name, array in shape.weights().items()}
        self.tiny.nn.state.load_state_dict(model, weights, strict=False)
        step, batches = self.gpt.training_step(model, lr=1e-3)[1], shape.batches()
        step = step if self.jit else step.function
        return lambda: step(*map(Tensor, next(batches))).item()

    def start(self, cache):
        """gpt.py to its first loss, where the cache of compiled code is "cold", or "warm" from the last cold start."""
        def run():
            if cache == "cold":
                self.folder = tempfile.TemporaryDirectory(prefix="tiny-bench-")
            environment = {**os.environ, "DEVICE": self.device, "TINY_CACHE": os.path.join(self.folder.name, "cache")}
            command = [sys.executable, self.gpt.__file__, "--out", os.path.join(self.folder.name, "gpt.safetensors")]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
                if not any(line.startswith("step 1/") for line in process.stdout):
                    raise RuntimeError("gpt.py ended without a loss")
                process.kill()
        return run


class TinyCL(Tiny):
    device = "CL"


class TinyWithoutJit(Tiny):
    jit = False


class NumPy:
    def __init__(self):
        self.description = f"{np.__version__}, copies with np.copyto in {threads()} threads"

    def operation(self, name, _, *shapes):
        arrays = random_arrays(*shapes)
        return functools.partial(OPERATIONS[name], *arrays) if name in OPERATIONS else self.copy(*arrays)

    def copy(self, x):
        pool, parts = ThreadPoolExecutor(threads()), np.array_split(np.ones_like(x), threads())
        return lambda: list(pool.map(np.copyto, parts, np.array_split(x, threads())))


class Torch:
    compile = staticmethod(lambda function: function)

    def __init__(self):
        import torch
        torch.set_num_threads(threads())
        self.torch, self.F, self.description = torch, torch.nn.functional, torch.__version__
        self.attend = functools.partial(self.F.scaled_dot_product_attention, is_causal=True)
        self.gelu = functools.partial(self.F.gelu, approximate="tanh")
        self.operations = OPERATIONS | {
            "copy": torch.clone, "sum": torch.clone, "transpose": torch.clone, "layernorm": self.norm,
            "gelu": self.gelu, "attention": self.attend, "convolution": functools.partial(self.F.conv2d, padding=1)}

    def norm(self, x, *weight):
        return self.F.layer_norm(x, x.shape[-1:], *weight)

    def operation(self, name, with_gradients, *shapes):
        operation = self.operations[name]

        def both(gradient, *inputs):
            out = operation(*inputs)
            return out, self.torch.autograd.grad(out, inputs, gradient)

        tensors = [self.torch.from_numpy(array).requires_grad_(with_gradients) for array in random_arrays(*shapes)]
        return functools.partial(both if with_gradients else operation, *tensors)

    def step(self, *shape):
        torch, F, shape = self.torch, self.F, GPTShape(*shape)
        words = SimpleNamespace(
            embedding=F.embedding, linear=F.linear, norm=self.norm, gelu=self.gelu, attend=self.attend,
            split=lambda x: x.chunk(3, -1), swap=lambda x: x.transpose(1, 2), cross_entropy=F.cross_entropy)
        weights = {name: torch.from_numpy(array).requires_grad_() for name, array in shape.weights().items()}
        groups = [{"params": [w for w in weights.values() if w.ndim == ndim], "weight_decay": decay}
                  for ndim, decay in ((2, 0.1), (1, 0.0))]
        optimizer, batches = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99)), shape.batches()
        loss_of = self.compile(lambda x, y: shape.loss(words, weights, x, y))

        def run():
            loss = loss_of(*(torch.from_numpy(tokens).long() for tokens in next(batches)))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
            optimizer.step()
            return loss.item()
        return run


class TorchCompile(Torch):
    def compile(self, function):
        return self.torch.compile(function)


class JAX:
    def __init__(self):
        import jax, optax
        self.jax, self.optax, self.description = jax, optax, f"{jax.__version__}, optax {optax.__version__}"

    def step(self, *shape):
        jax, jnp, optax, shape = self.jax, self.jax.numpy, self.optax, GPTShape(*shape)

        def norm(x, weight):
            centred = x - x.mean(-1, keepdims=True)
            return centred * jax.lax.rsqrt((centred ** 2).mean(-1, keepdims=True) + 1e-5) * weight

        def attend(q, k, v):
            past = jnp.tril(jnp.ones((shape.context, shape.context), bool))
            return jax.nn.softmax(jnp.where(past, q @ k.swapaxes(2, 3) / q.shape[-1] ** 0.5, -jnp.inf)) @ v

        words = SimpleNamespace(
            embedding=lambda tokens, table: table[tokens], linear=lambda x, weight: x @ weight.T, norm=norm,
            gelu=jax.nn.gelu, attend=attend, split=lambda x: jnp.split(x, 3, -1), swap=lambda x: x.swapaxes(1, 2),
            cross_entropy=lambda *pair: optax.softmax_cross_entropy_with_integer_labels(*pair).mean())
        weights, batches = jax.tree.map(jnp.asarray, shape.weights()), shape.batches()
        decays = {name: weight.ndim == 2 for name, weight in weights.items()}
        optimizer = optax.chain(optax.clip_by_global_norm(1.0),
                                optax.adamw(1e-3, 0.9, 0.99, weight_decay=0.1, mask=decays))
        state = [weights, optimizer.init(weights)]

        @functools.partial(jax.jit, donate_argnums=(0, 1))
        def update(weights, moments, x, y):
            loss, gradients = jax.value_and_grad(lambda weights: shape.loss(words, weights, x, y))(weights)
            changes, moments = optimizer.update(gradients, moments, weights)
            return optax.apply_updates(weights, changes), moments, loss

        def run():
            *state[:], loss = update(*state, *next(batches))
            return float(loss)
        return run


class Tinygrad:
    def __init__(self):
        import tinygrad
        self.tinygrad, version = tinygrad, importlib.metadata.version("tinygrad")
        self.description = f"{version}, device {tinygrad.Device.DEFAULT}"

    def step(self, *shape):
        Tensor, AdamW, shape = self.tinygrad.Tensor, self.tinygrad.nn.optim.AdamW, GPTShape(*shape)
        words = SimpleNamespace(
            embedding=lambda tokens, table: table[tokens], linear=lambda x, weight: x @ weight.T, gelu=Tensor.gelu,
            norm=lambda x, weight: x.layernorm() * weight, split=lambda x: x.chunk(3, -1),
            swap=lambda x: x.transpose(1, 2), cross_entropy=Tensor.sparse_categorical_crossentropy,
            attend=functools.partial(Tensor.scaled_dot_product_attention, is_causal=True))
        weights, batches = {name: Tensor(array) for name, array in shape.weights().items()}, shape.batches()
        optimizers = [AdamW([w for w in weights.values() if w.ndim == ndim], 1e-3, 0.9, 0.99, weight_decay=decay)
                      for ndim, decay in ((2, 0.1), (1, 0.0))]

        @self.tinygrad.TinyJit
        @self.tinygrad.Context(TRAINING=1)
        def update(x, y):
            loss = shape.loss(words, weights, x, y).backward()
            norm = sum(weight.grad.square().sum() for weight in weights.values()).sqrt()
            for weight in weights.values():
                weight.grad = weight.grad * (1 / (norm + 1e-6)).minimum(1)
            changed = [tensor for optimizer in optimizers for tensor in optimizer.schedule_step()]
            for optimizer in optimizers:
                optimizer.zero_grad()
            return loss.realize(*changed)

        return lambda: update(*(Tensor(tokens).realize() for tokens in next(batches))).item()


ENGINES = {"tiny": Tiny, "tiny on CL": TinyCL, "tiny without jit": TinyWithoutJit, "NumPy": NumPy, "PyTorch": Torch,
           "torch.compile": TorchCompile, "JAX": JAX, "tinygrad": Tinygrad}


class Work(NamedTuple):
    """A line of a table: a method of the engines that prepares it, and its arguments."""
    name: str
    method: str
    arguments: tuple
    amounts: tuple = ()                                                 # operations or bytes, of ours and of a peer's


class Part(NamedTuple):
    """A table: what is ours, and whom it is compared with."""
    works: list
    engines: tuple = ("tiny", "PyTorch")
    unit: str = "ms"                                                    # or GFLOP/s, GB/s, MiB
    warm: bool = True                                                   # or is it the first call that counts?


def training(name, engines=("tiny", "PyTorch"), shape=GPTShape(), unit="ms"):
    return Part([Work(name, "step", shape)], engines, unit)


PRODUCTS = [(256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (768, 128, 384), (768, 512, 128),
            (128, 768, 384), (257, 257, 257), (1000, 65, 333)]
LAYOUTS = {"NN": (1, 1), "NT": (1, -1), "TN": (-1, 1), "TT": (-1, -1)}  # a factor marked T is stored transposed
HEADS = (12, 4, 64, 32), (1, 8, 1024, 64)                               # (batch, heads, context, width of a head)
IMAGES, FILTERS, CONVOLVED = (16, 32, 32, 32), (64, 32, 3, 3), (16, 64, 32, 32)
SWEEP = [GPTShape(1, 1, width) for width in (*range(60, 71), *range(120, 137))] + \
        [GPTShape(1, 2, 64, context, 768 // context) for context in range(1, 131)]
PARTS = {
    "step": training("a training step of gpt.py", ("tiny", "PyTorch", "torch.compile", "JAX", "tinygrad")),
    "small": training("a step, width 32", ("tiny", "PyTorch", "JAX"), GPTShape(2, 4, 32, 16, 16, 100)),
    "large": training("a step, width 384", shape=GPTShape(6, 6, 384, 256, 4, 65)),
    "gpt2": training("a step of GPT-2 small", shape=GPTShape(12, 12, 768, 256, 1, 50257)),
    "matmul": Part([Work(f"{m} x {k} x {n} {layout}", "operation", (layout, False, (m, k)[::a], (k, n)[::b]),
                         (2 * m * k * n,) * 2)
                    for m, k, n in PRODUCTS for layout, (a, b) in LAYOUTS.items()], ("tiny", "NumPy"), "GFLOP/s"),
    "elementwise": Part([Work(f"{name} of 4096 x 1024", "operation", (name, False, (4096, 1024)))
                         for name in ("copy", "softmax", "layernorm", "gelu", "exp", "five operations")]),
    "attention": Part([
        Work(f"attention {shape}" + " and gradients" * gradients, "operation",
             ("attention", gradients, *[shape] * (3 + gradients))) for shape in HEADS for gradients in (False, True)]),
    "conv": Part([
        Work(f"convolution {IMAGES} with {FILTERS}", "operation", ("convolution", False, IMAGES, FILTERS)),
        Work("the same and gradients", "operation", ("convolution", True, CONVOLVED, IMAGES, FILTERS))]),
    "bandwidth": Part([                                                 # the peers copy as many numbers
        Work("sum of 4096 x 4096, to copy", "operation", ("sum", False, (4096, 4096)), (2 ** 26, 2 ** 27)),
        Work("transpose of 4096 x 4096, to copy", "operation", ("transpose", False, (4096, 4096)), (2 ** 27,) * 2),
    ], ("tiny", "NumPy", "PyTorch"), "GB/s"),
    "memory": training("most memory of training as gpt.py does", unit="MiB"),
    "start": Part([Work(f"gpt.py to its first loss, {cache} cache", "start", (cache,)) for cache in ("cold", "warm")],
                  ("tiny",), warm=False),
    "eager": training("a training step of gpt.py without jit", ("tiny without jit", "PyTorch")),
    "cl": training("a training step of gpt.py", ("tiny on CL", "tiny")),
    "sweep": Part([Work(f"a step of one layer, width {shape.width}, context {shape.context}", "step", shape,
                        (shape.flop(),)) for shape in SWEEP], ("tiny",), "GFLOP/s"),
}


def serve(name):
    """The loop of an engine's process: a line of JSON says what to time and how long, another one what was found."""
    import resource                                                     # not on Windows
    out, sys.stdout = sys.stdout, sys.stderr                            # what a library prints is no answer

    def answer(**facts):
        print(json.dumps(facts), file=out, flush=True)

    try:
        engine = ENGINES[name]()
    except (ImportError, RuntimeError) as error:
        return answer(failed=str(error).splitlines()[0])
    answer(description=engine.description)
    prepared = run = None
    for line in sys.stdin:
        method, arguments, duration, warm = json.loads(line)
        try:
            if prepared != (method, arguments):
                run = None                                              # makes room
                prepared, run = (method, arguments), getattr(engine, method)(*arguments)
                for _ in range(3 if warm else 0):                       # until all is compiled
                    run()
            time.sleep(0.05)                                            # until no thread of another engine spins
            if warm:
                run()
            times, begin = [], time.perf_counter()
            while not times or warm and time.perf_counter() - begin < duration * (20 if len(times) < 5 else 1):
                start = time.perf_counter()
                run()
                times.append(time.perf_counter() - start)
            answer(ms=1e3 * float(np.median(times)), MiB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 10)
        except Exception as error:
            prepared = None
            answer(failed=f"{type(error).__name__}: {error}".splitlines()[0])


class Worker:
    """An engine in a process of its own."""

    def __init__(self, engine):
        self.process = subprocess.Popen([sys.executable, __file__, "bench-worker", engine], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.facts = self.answer()

    def answer(self):
        return json.loads(self.process.stdout.readline() or '{"failed": "the process ended"}')

    def time(self, work, duration, warm):
        print(json.dumps([work.method, work.arguments, duration, warm]), file=self.process.stdin, flush=True)
        return self.answer()


def table(part, duration, rounds):
    """The lines of a markdown table on a part, each as soon as it is known.

    A figure is the median over the rounds. A ratio is ours by the peer's figure of the same round, so for times less
    is better, for rates more; behind it stand the least and the greatest of all rounds.
    """
    def number(x):
        return np.format_float_positional(x, 3, unique=False, fractional=False, trim="-")

    workers = {engine: Worker(engine) for engine in part.engines}
    try:
        for engine, worker in workers.items():
            yield f"- {engine}: {worker.facts.get('description') or 'left out: ' + worker.facts['failed']}"
        engines = [engine for engine in part.engines if "description" in workers[engine].facts]
        if part.engines[0] not in engines:
            return
        ours, *peers = engines
        yield ""
        yield f"| {part.unit} | {ours} |" + "".join(f" {peer} | {ours} / {peer} |" for peer in peers)
        yield "|---|" + "---:|" * (1 + 2 * len(peers))
        for work in part.works:
            figures, failed = {engine: [] for engine in engines}, {}
            for _, engine in itertools.product(range(rounds), engines):
                facts = {} if engine in failed else workers[engine].time(work, duration, part.warm)
                if "failed" in facts:
                    failed[engine] = facts["failed"]
                figure = facts.get("MiB" if part.unit == "MiB" else "ms", math.nan)
                figures[engine].append(work.amounts[engine != ours] / figure / 1e6 if work.amounts else figure)
            cells = [work.name, failed.get(ours) or number(np.median(figures[ours]))]
            for peer in peers:
                ratios = np.divide(figures[ours], figures[peer])
                cells.append(failed.get(peer) or number(np.median(figures[peer])))
                spread = f" ({number(ratios.min())} to {number(ratios.max())})" * (rounds > 1)
                cells.append("" if np.isnan(ratios).any() else number(np.median(ratios)) + spread)
            yield f"| {' | '.join(cells)} |"
    finally:
        for worker in workers.values():
            worker.process.kill()
            worker.process.communicate()


def bench(parts, seconds, rounds):
    """Time tiny next to the other libraries that are installed.

    It prints the tables of the parts that are named, or of all but sweep, and runs on Linux.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads()])                # for all engines alike
    print(f"{threads()} threads; processes that ran or waited in the minute before: {os.getloadavg()[0]:.1f}\n")
    for name in parts or [name for name in PARTS if name != "sweep"]:                   # that one takes half an hour
        print(f"## {name}\n", flush=True)
        for line in table(PARTS[name], seconds, rounds):
            print(line, flush=True)
        print()


COMMANDS |= {
    "bench": (bench,
              argument("parts", nargs="*", metavar="part", type=one_of(PARTS), help=", ".join(PARTS)),
              argument("--seconds", type=functools.partial(positive, kind=float), default=0.4,
                       help="how long a round times each engine (default: 0.4)"),
              argument("--rounds", type=positive, default=5, help="rounds of ours, then each peer (default: 5)")),
    "bench-worker": (serve, argument("name")),
}
if __name__ == "__main__" and sys.argv[1:2] and sys.argv[1] in COMMANDS:
    sys.exit(run_command(sys.argv[1:]))                                 # without the cache and the flags of the tests


# ---------------------------------------------------------------------------------------------------------------------
# Tests
# ---------------------------------------------------------------------------------------------------------------------
CACHE = tempfile.TemporaryDirectory(prefix="tiny-test-")                # compiled code of this run alone
os.environ["TINY_CACHE"] = os.path.join(CACHE.name, "tiny")
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.path.join(CACHE.name, "hypothesis")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings, strategies as st

import gpt
import tiny
from tiny import Device, Function, Tensor, TinyJit, dtypes, nn

DEVICES = os.environ.get("TEST_DEVICES", "C CL NUMPY").split()           # see portability
COMPILED = ["C", "CL"]


class Groups(tiny.CLDevice):
    """The CL device as it is on a GPU, whatever it finds: in work-groups, and these of so few items that the small
    shapes of the tests have whole vectors, tiles of several and rests."""
    name = "GROUPS"

    def __init__(self):
        super().__init__()
        self.use_groups(8)


class AVX2(tiny.CDevice):
    """The C device as it is on a processor of x86-64's third level, with vectors of eight floats."""
    name, march, width = "AVX2", "x86-64-v3", 8

    def __init__(self):
        self.flags = [flag.replace("native", self.march) for flag in self.flags]
        super().__init__()
        self.lanes = self.width


class SSE(AVX2):
    """The C device as it is on any x86-64, with vectors of four."""
    name, march, width = "SSE", "x86-64", 4


class Arm(tiny.CDevice):
    """64-bit Arm: each plan is a program, cross-compiled, which reads the buffers, runs the kernels in two threads of
    C_RUNTIME, and writes what they have written; it runs in QEMU."""
    name = "ARM"

    def __init__(self):
        self.compiler, self.emulator = map(shutil.which, ("aarch64-linux-gnu-gcc", "qemu-aarch64"))
        if not self.compiler or not self.emulator:
            raise RuntimeError("the ARM device needs aarch64-linux-gnu-gcc and qemu-aarch64")
        tiny.CompiledDevice.__init__(self)
        self.lanes, self.description = 4, self.compiler

    def compile(self, kernels):
        pass                                                            # not one by one

    def program(self, plan, sizes):
        """Compile a plan for externals of these sizes, to a file."""
        room = lambda size: f"(char *)aligned_alloc(128, {(size // 128 + 3) * 128}) + {tiny.SLACK}"
        text = lambda place: f"m[{place[1]}]" if place[0] == "external" else f"arena + {place[1]}"
        calls = [f"{{{kernel.symbol}, (char *[]){{{', '.join(map(text, places))}}}, {kernel.tasks}, {int(barrier)}}},"
                 for kernel, places, barrier in zip(plan.kernels, plan.places, plan.barriers)]
        sources = {kernel.symbol: self.source(kernel) for kernel in plan.kernels}
        move = lambda way, i, file: f"if (f{way}(m[{i}], 1, {sizes[i]}, {file}) != {sizes[i]}) return 1;"
        main = ["#include <stdio.h>", "#include <stdlib.h>", "int main(void) {",
                f"char *m[] = {{{', '.join(map(room, sizes))}}}, *arena = {room(plan.arena_bytes)};",
                *(move("read", i, "stdin") for i in range(len(sizes))),
                "Call list[] = {", *calls, "};", f"start(2); run(list, {len(calls)}, 0); (void)arena;",
                *(move("write", i, "stdout") for i in plan.written), "return 0; }"]
        words = [tiny.C_RUNTIME, tiny.C_WORDS, tiny.words_of(plan.kernels)]
        path = tempfile.mktemp(dir=CACHE.name)
        Path(path + ".c").write_text("\n".join([*words, *sources.values(), *main]))
        native = {"-march=native", "-shared", "-fPIC"}
        flags = [*(flag for flag in self.flags if flag not in native), "-static", "-o", path, path + ".c", "-lm"]
        subprocess.run([self.compiler, *flags], check=True)
        return path

    def run(self, plan, data, clock=None):
        views = [memory.view(dtypes.uint8, (memory.size,)) for memory in data]
        if not hasattr(plan, "written"):
            plan.written = sorted({i for kernel, places in zip(plan.kernels, plan.places)
                                   for kind, i, *_ in places[:len(kernel.outputs)] if kind == "external"})
            plan.path = self.program(plan, [len(view) for view in views])
        done = subprocess.run([self.emulator, plan.path], input=b"".join(views), stdout=subprocess.PIPE, check=True)
        results = io.BytesIO(done.stdout)
        for i in plan.written:
            results.readinto(views[i])


def slack(number, reach):
    """What lies around a buffer: NaN as any float, but of each buffer another, as arithmetic keeps the bits of NaN."""
    return np.resize(np.array([0x80 + number % 127, 0xff], np.uint8), reach)


GUARDS = r"""
#include <stdio.h>
#include <stdlib.h>
static inline void guard(char *strip, long size) { for (long i = 0; i < size; i++) strip[i] = i % 2 ? 0xff : 0xf9; }
static inline void guarded(const char *strip, long reach, long size) {
  for (long i = 0; i < size; i++) if (i == reach) i = size - reach - 1;
    else if (strip[i] != (char)(i % 2 ? 0xff : 0xf9)) { fprintf(stderr, "a strip was overrun\n"); abort(); } }
"""


class Sanitized(tiny.CDevice):
    """The C device in a process that has a sanitizer's library preloaded; the compiler need not have it, too."""

    def libraries(self, *arguments):
        preloaded = os.environ.pop("LD_PRELOAD")
        try:
            return super().libraries(*arguments)
        finally:
            os.environ["LD_PRELOAD"] = preloaded


def exact_places(plan, number, fuser):
    """As Plan.place_buffers, but no two buffers share memory, and a place ends where its buffer does."""
    places, end = {}, 0
    for node in dict.fromkeys(node for kernel in plan.kernels for node in kernel.outputs if node not in number):
        size = fuser.elements(node) * node.dtype.itemsize
        places[node], end = ("arena", end, end + size), end + -(-(size + 2 * tiny.SLACK) // 512) * 512
    return places, end


WITH_SLACK = tiny.with_slack


class Guarded(Sanitized):
    """The C device under AddressSanitizer, which by itself sees nothing: buffers have slack, many lie in one arena.

    What a kernel may do is: write within its buffers; read one vector further, as vectors overrun the ends, and a load
    under a pad's condition may lie a vector before or behind. So each buffer in the arena gets a place of its own, what
    lies further off is poisoned while a plan runs, and the vector around is compared afterwards. Strips, which lie on
    the stack, become arrays of their own. All are NaN until something is stored there. Plans on disk that others have
    made, as children of the tests do, place buffers otherwise: so these are plans of another version.
    """
    version = f"{Sanitized.version} guarded"

    def __init__(self):
        tiny.C_WORDS += GUARDS
        created, sanitizer = tiny.Memory.__init__, ctypes.CDLL(None)
        self.poison, self.unpoison = [getattr(sanitizer, f"__asan_{word}_memory_region")
                                      for word in ("poison", "unpoison")]
        self.poison.argtypes = self.unpoison.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

        def create(memory, size):
            created(memory, size)
            memory.array.fill(0xff)
        tiny.Memory.__init__ = create
        super().__init__()

    def make_plan(self, *arguments):
        usual = tiny.Plan.place_buffers, tiny.with_slack
        tiny.Plan.place_buffers = exact_places
        if tiny.with_slack is WITH_SLACK:                               # else a fault is planted there
            tiny.with_slack = lambda size: -(-(size + 2 * tiny.SLACK) // 8) * 8
        try:
            return super().make_plan(*arguments)
        finally:
            tiny.Plan.place_buffers, tiny.with_slack = usual

    def source(self, kernel):
        text = super().source(kernel)
        strips = sorted({(int(at), type, kind) for kind, type, at in
                         re.findall(r"(row|strip)\d+ = \(GLOBAL (\w+) \*\)\(strips \+ (\d+)\)", text)})
        ends = [at - 2 * tiny.SLACK for at, *_ in strips[1:]] + [kernel.strip_bytes - tiny.SLACK]
        before, after = [], []
        for (at, type, kind), end in zip(strips, ends):
            reach = max(kernel.lanes) * int(re.sub("\\D", "", type)) // 8
            size = end - at + 2 * reach
            before.append(f"char strip_{at}[{size}] __attribute__((aligned(64))); guard(strip_{at}, {size});")
            if kind == "strip":                                         # a row is written in whole vectors
                after.append(f"guarded(strip_{at}, {reach}, {size});")
            text = text.replace(f"(strips + {at})", f"(strip_{at} + {reach})")
        if strips:
            text = re.sub(r"STRIPS\(\d+\)", "".join(before), text).rstrip().removesuffix("}") + "".join(after) + "}\n"
        return text

    def run(self, plan, data, clock=None):
        if self.arena is None or self.arena.size < plan.arena_bytes:
            self.arena = tiny.Memory(plan.arena_bytes)
        same = {id(memory): number for number, memory in enumerate(data)}           # f(x, x) takes one memory twice
        reaches = {}                                                    # by place: how far beside it may be read
        for kernel, places in zip(plan.kernels, plan.places):
            lanes = max(kernel.lanes, default=1)
            for name, operand, place in zip(kernel.arguments, kernel.outputs + kernel.inputs, places):
                loaded = lanes > 1 and re.search(rf"load_\w+\({name}\b", kernel.body)
                reach = lanes * operand.dtype.itemsize if loaded else 0
                place = place if place[0] == "arena" else ("external", same[id(data[place[1]])])
                reaches[place] = max(reaches.get(place, 0), reach)
        windows = []
        for number, (place, reach) in enumerate(reaches.items()):
            memory, start = (self.arena, place[1]) if place[0] == "arena" else (data[place[1]], 0)
            start += memory.address - memory.array.ctypes.data
            stop = start + (place[2] - place[1] if place[0] == "arena" else memory.size)
            for around in (memory.array[start - reach:start], memory.array[stop:stop + reach]):
                around[:] = slack(number, reach)
            windows.append((memory, start, stop, reach))
        memories = {id(memory): memory.array for memory, *_ in windows}
        for array in memories.values():
            self.poison(array.ctypes.data, array.nbytes)
        for memory, start, stop, reach in windows:
            self.unpoison(memory.array.ctypes.data + start - reach, stop - start + 2 * reach)
        super().run(plan, data, clock)
        for array in memories.values():
            self.unpoison(array.ctypes.data, array.nbytes)
        for number, (memory, start, stop, reach) in enumerate(windows):
            for around in (memory.array[start - reach:start], memory.array[stop:stop + reach]):
                if np.any(around != slack(number, reach)):
                    names = ", ".join(kernel.name for kernel in plan.kernels)
                    raise BufferError(f"a kernel wrote beside its buffer of {stop - start} bytes; it is one of {names}")


Device.makers.update({maker.name: maker for maker in (Groups, AVX2, SSE, Arm)})
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
tiny.CDevice.flags += WARNINGS                                          # no kernel of any test may cause one
if os.environ.get("SANITIZE"):
    Device.makers["C"] = {"address": Guarded, "thread": Sanitized}[os.environ["SANITIZE"]]
EPSILON = 2.0 ** -23                                                    # of float32
hypothesis_settings = settings(derandomize=True, deadline=None, database=None, print_blob=False)


# ---------------------------------------------------------------------------------------------------------------------
# Two processes
#
# The tests on CL, where the compiler keeps to one core, take about as long as all others. So pytest forks before the
# first test, and the fork runs those. Its reports come through a file, and then go the way of all reports.
# ---------------------------------------------------------------------------------------------------------------------
class Halves:
    """A plugin that runs a part of the tests in a fork. Each test has its place in one of two rows, so whatever tests
    leave behind for later ones is the same each time. With HALVES=0, or --pdb, there is one process."""

    def __init__(self, config):
        self.config, self.path, self.is_fork = config, Path(CACHE.name, "reports"), False
        self.passed_on = self.finished = 0                              # reports and tests of the fork

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session):
        rows, option = ([], []), self.config.option
        session.items.sort(key=lambda item: "device" in item.fixturenames and "optimized" not in item.fixturenames)
        for item in session.items:
            rows[bool(re.search(r"\b(CL|GROUPS)\b", item.name))].append(item)
        if not all(rows) or os.environ.get("HALVES") == "0" or option.usepdb or option.collectonly:
            return (yield)
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        capture.stop_global_capturing()                                 # it is through a file: each has its own
        self.config._tmp_path_factory.getbasetemp()                     # a folder for both
        self.path.write_text("")
        self.parent = os.getpid()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")                             # Python 3.12: of NumPy's threads, which bear it
            fork = os.fork()
        capture.start_global_capturing()
        self.is_fork, session.items = not fork, rows[not fork]
        if self.is_fork:
            self.config.pluginmanager.unregister(name="terminalreporter")
            try:
                yield
            finally:
                os._exit(0)
        try:
            result = yield
            while not any(ended := os.waitpid(fork, os.WNOHANG)):
                self.pass_on()
                time.sleep(0.1)
        except BaseException:
            os.kill(fork, signal.SIGTERM)
            os.waitpid(fork, 0)
            raise
        self.pass_on()
        if self.finished < len(rows[1]) and not session.shouldfail:
            session.shouldfail = f"the fork ended with the status {ended[1]} in {rows[1][self.finished].nodeid}"
            raise session.Failed(session.shouldfail)
        return result

    def pytest_runtest_logreport(self, report):
        if self.is_fork:
            if os.getppid() != self.parent:                             # which was killed
                os._exit(1)
            data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
            with self.path.open("a") as file:
                file.write(f"{data!r}\n")

    def pytest_runtest_logstart(self):
        self.pass_on()

    def pass_on(self):
        """What the fork has reported by now."""
        lines = self.path.read_text().splitlines(keepends=True) if not self.is_fork and self.path.exists() else []
        for line in lines[self.passed_on:]:
            if not line.endswith("\n"):                                 # it is being written
                break
            self.passed_on += 1
            report = self.config.hook.pytest_report_from_serializable(config=self.config, data=ast.literal_eval(line))
            self.config.hook.pytest_runtest_logreport(report=report)
            self.finished += report.when == "teardown"


def pytest_generate_tests(metafunc):                                    # comes before all tests
    if not metafunc.config.pluginmanager.has_plugin("halves"):
        metafunc.config.pluginmanager.register(Halves(metafunc.config), "halves")


# ---------------------------------------------------------------------------------------------------------------------
# Tools
# ---------------------------------------------------------------------------------------------------------------------
@pytest.fixture(params=DEVICES)
def device(request, monkeypatch):
    """The name of a device, which is Device.DEFAULT during the test.

    Most of the time of all tests goes to the optimizers of gcc and PoCL. So these do little, but for a test that asks
    for `optimized`, such as that of all operations, and where this fixture is not asked for, as by random programs.
    Those tests come first: PoCL, once told not to optimize, does not do it again in the same process.
    """
    device = Device[request.param]                                      # raises where it can't be had
    monkeypatch.setattr(Device, "DEFAULT", request.param)
    if "optimized" not in request.fixturenames:
        monkeypatch.setenv("POCL_EXTRA_BUILD_FLAGS", "-cl-opt-disable")
        if hasattr(device, "identity") and isinstance(device, tiny.CDevice):           # ARM keeps no libraries
            monkeypatch.setattr(device, "flags", [*device.flags, "-Og"])
            monkeypatch.setattr(device, "identity", f"{device.identity} -Og")
    Tensor.manual_seed(1)
    return request.param


@pytest.fixture
def optimized():
    """Code is compiled as it is for the user."""


def on(*names):
    """Mark a test to run on these devices only: what all devices share need not be compiled for each."""
    return pytest.mark.parametrize("device", names, indirect=True)


def random_numbers(name, *shape, low=-2.0, high=2.0):
    """Random float64 numbers that depend on `name` and the shape alone."""
    return np.random.default_rng(zlib.crc32(f"{name} {shape}".encode())).uniform(low, high, shape)


def close(got, want, relative=1e-5, absolute=1e-6, what=""):
    got = got.numpy() if isinstance(got, Tensor) else got
    assert np.shape(got) == np.shape(want), f"{what} has shape {np.shape(got)}, not {np.shape(want)}"
    np.testing.assert_allclose(got, want, relative, absolute, err_msg=what)


def same(got, want, what=""):
    """Equal in shape, dtype and every bit (but NaN equals NaN, and 0 equals -0)."""
    got, want = got.numpy() if isinstance(got, Tensor) else got, np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype), what
    np.testing.assert_array_equal(got, want, err_msg=what)


def central_differences(function, arrays, weights, step=1e-6):
    """The gradients of sum(weights * function(*arrays)), one for each array."""
    gradients = []
    for array in arrays:
        gradient = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            value, ends = array[place], []
            for end in (value + step, value - step):
                array[place] = end
                ends.append(np.sum(weights * function(*arrays)))
            array[place] = value
            gradient[place] = (ends[0] - ends[1]) / (2 * step)
        gradients.append(gradient)
    return gradients


def python(code, *arguments, **environment):
    """Run a program in a process of its own, which finds tiny.py; returns what subprocess.run does."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), **environment}
    return subprocess.run([sys.executable, *arguments] if code is None else [sys.executable, "-c", code, *arguments],
                          capture_output=True, text=True, env=environment, timeout=120)


def test_tests_run_in_two_processes_and_none_is_lost(tmp_path):
    """Reports of both are alike, and the test that ends its process is named."""
    (tmp_path / "test_two.py").write_text('''
import os, pytest
from pathlib import Path
from test_tiny import pytest_generate_tests
@pytest.fixture(params=["C", "CL"])
def name(request): return request.param
def test_passes(name): Path(__file__).with_name(name).write_text(str(os.getpid()))
def test_fails(name): print("said by", name); assert name != "CL", "as it should"
def test_skips(name): pytest.skip("on both")
def test_ends(name): assert name == "C" or os._exit(7)
def test_is_lost(name): pass
''')
    done = python(None, "-m", "pytest", "-p", "no:cacheprovider", "-rs", "--rootdir", tmp_path, tmp_path)
    for words in ("AssertionError: as it should", "said by CL", "SKIPPED [2]", "1 failed, 5 passed, 2 skipped",
                  "the fork ended with the status 1792 in test_two.py::test_ends[CL]"):
        assert words in done.stdout, done.stdout
    assert done.returncode == 1 and len({(tmp_path / name).read_text() for name in ("C", "CL")}) == 2


# ---------------------------------------------------------------------------------------------------------------------
# Devices
# ---------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", DEVICES)
def test_every_device_is_here(name):
    assert (Tensor([1, 2, 3], device=name) + 1).tolist() == [2, 3, 4]


# ---------------------------------------------------------------------------------------------------------------------
# Operations: what each computes, and its gradient
#
# A case is a function of Tensors, the same function of NumPy arrays, and the shapes of what goes in. Values are checked
# in float32 and float64, gradients in float64 against central differences of the NumPy function.
# ---------------------------------------------------------------------------------------------------------------------
class Case(NamedTuple):
    ours: object
    oracle: object
    shapes: tuple
    low: float = -2.0
    high: float = 2.0


def np_softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def np_log_softmax(x, axis=-1):
    return x - x.max(axis, keepdims=True) - np.log(np.exp(x - x.max(axis, keepdims=True)).sum(axis, keepdims=True))


def np_sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def np_gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))


def np_layernorm(x, axis=-1):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5)


def np_windows(x, size, stride, dilation, padding, value=0.0):
    """The windows of images (n, channels, h, w): (n, channels, rows, columns, *size)."""
    (p, q), (s, t), (d, e) = padding, stride, dilation
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)), constant_values=value)
    reach = ((size[0] - 1) * d + 1, (size[1] - 1) * e + 1)
    return np.lib.stride_tricks.sliding_window_view(x, reach, (2, 3))[:, :, ::s, ::t, ::d, ::e]


def np_conv2d(x, weight, groups=1, stride=(1, 1), dilation=(1, 1), padding=(0, 0)):
    windows = np_windows(x, weight.shape[2:], stride, dilation, padding)
    outputs = [np.einsum("nchwkl,ockl->nohw", xs, ws)
               for xs, ws in zip(np.split(windows, groups, 1), np.split(weight, groups, 0))]
    return np.concatenate(outputs, 1)


def np_attention(q, k, v, mask=0.0):
    return np_softmax(q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1]) + mask) @ v


def np_cross_entropy(logits, classes, smoothing=0.0):
    """The loss of each of the logits (n, classes)."""
    logs = np_log_softmax(logits, 1)
    return -(1 - smoothing) * logs[np.arange(len(classes)), classes] - smoothing * logs.mean(1)


ROW = ((3, 11),)
PAIR = ((4, 1, 5), (3, 1))                                              # they broadcast to (4, 3, 5)
UNARY = {
    "neg": Case(lambda x: -x, lambda x: -x, ROW),
    "abs": Case(lambda x: x.abs(), np.abs, ROW),
    "sign": Case(lambda x: x.sign(), np.sign, ROW),
    "sqrt": Case(lambda x: x.sqrt(), np.sqrt, ROW, 0.1, 4),
    "rsqrt": Case(lambda x: x.rsqrt(), lambda x: 1 / np.sqrt(x), ROW, 0.1, 4),
    "square": Case(lambda x: x.square(), np.square, ROW),
    "reciprocal": Case(lambda x: x.reciprocal(), lambda x: 1 / x, ROW, 0.2, 3),
    "exp": Case(lambda x: x.exp(), np.exp, ROW),
    "exp2": Case(lambda x: x.exp2(), np.exp2, ROW),
    "log": Case(lambda x: x.log(), np.log, ROW, 0.1, 9),
    "log2": Case(lambda x: x.log2(), np.log2, ROW, 0.1, 9),
    "sin": Case(lambda x: x.sin(), np.sin, ROW, -9, 9),
    "cos": Case(lambda x: x.cos(), np.cos, ROW, -9, 9),
    "tan": Case(lambda x: x.tan(), np.tan, ROW, -1.2, 1.2),
    "sigmoid": Case(lambda x: x.sigmoid(), np_sigmoid, ROW),
    "tanh": Case(lambda x: x.tanh(), np.tanh, ROW),
    "relu": Case(lambda x: x.relu(), lambda x: np.maximum(x, 0), ROW),
    "relu6": Case(lambda x: x.relu6(), lambda x: np.clip(x, 0, 6), ROW, -9, 9),
    "leaky_relu": Case(lambda x: x.leaky_relu(0.1), lambda x: np.where(x > 0, x, 0.1 * x), ROW),
    "elu": Case(lambda x: x.elu(1.5), lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))), ROW),
    "gelu": Case(lambda x: x.gelu(), np_gelu, ROW),
    "quick_gelu": Case(lambda x: x.quick_gelu(), lambda x: x * np_sigmoid(1.702 * x), ROW),
    "silu": Case(lambda x: x.silu(), lambda x: x * np_sigmoid(x), ROW),
    "swish": Case(lambda x: x.swish(), lambda x: x * np_sigmoid(x), ROW),
    "softplus": Case(lambda x: x.softplus(), lambda x: np.logaddexp(0, x), ROW),
    "mish": Case(lambda x: x.mish(), lambda x: x * np.tanh(np.logaddexp(0, x)), ROW),
    "hardswish": Case(lambda x: x.hardswish(), lambda x: x * np.clip(x + 3, 0, 6) / 6, ROW, -5, 5),
    "clip": Case(lambda x: x.clip(-1, 0.5), lambda x: np.clip(x, -1, 0.5), ROW),
    "floor": Case(lambda x: x.floor(), np.floor, ROW, -9, 9),
    "ceil": Case(lambda x: x.ceil(), np.ceil, ROW, -9, 9),
    "round": Case(lambda x: x.round(), np.round, ROW, -9, 9),
    "trunc": Case(lambda x: x.trunc(), np.trunc, ROW, -9, 9),
    "x ** 3": Case(lambda x: x ** 3, lambda x: x ** 3, ROW),
    "x ** -2": Case(lambda x: x ** -2, lambda x: x ** -2.0, ROW, 0.3, 3),
    "x ** 0.5": Case(lambda x: x ** 0.5, np.sqrt, ROW, 0.1, 4),
    "x ** 1.7": Case(lambda x: x ** 1.7, lambda x: x ** 1.7, ROW, 0.1, 4),
    "2 ** x": Case(lambda x: 2 ** x, lambda x: 2 ** x, ROW),
    "2 - x": Case(lambda x: 2 - x, lambda x: 2 - x, ROW),
    "2 / x": Case(lambda x: 2 / x, lambda x: 2 / x, ROW, 0.3, 3),
    "x % 0.7": Case(lambda x: x % 0.7, lambda x: x % 0.7, ROW),
    "x // 0.7": Case(lambda x: x // 0.7, lambda x: x // 0.7, ROW),
}
BINARY = {
    "add": Case(lambda x, y: x + y, np.add, PAIR),
    "sub": Case(lambda x, y: x - y, np.subtract, PAIR),
    "mul": Case(lambda x, y: x * y, np.multiply, PAIR),
    "div": Case(lambda x, y: x / y, np.divide, PAIR, 0.3, 3),
    "floor_divide": Case(lambda x, y: x // y, np.floor_divide, PAIR, 0.3, 3),
    "mod": Case(lambda x, y: x % -y, lambda x, y: x % -y, PAIR, 0.3, 3),
    "pow": Case(lambda x, y: x ** y, np.power, PAIR, 0.2, 3),
    "maximum": Case(lambda x, y: x.maximum(y), np.maximum, PAIR),
    "minimum": Case(lambda x, y: x.minimum(y), np.minimum, PAIR),
    "where": Case(lambda x, y: (x > y).where(x, y * 2), lambda x, y: np.where(x > y, x, y * 2), PAIR),
    "lerp": Case(lambda x, y: x.lerp(y, 0.3), lambda x, y: x + 0.3 * (y - x), PAIR),
    "masked_fill": Case(lambda x, y: (x * y).masked_fill(y > 0, 5), lambda x, y: np.where(y > 0, 5, x * y), PAIR),
    "a list beside": Case(lambda x: [[1.0], [2.0], [3.0]] * x, lambda x: np.array([[1], [2], [3]]) * x, ROW),
    "an array before": Case(lambda x: np.arange(11, dtype=np.float32) - x, lambda x: np.arange(11) - x, ROW),
}
BLOCK = ((3, 4, 5),)
REDUCTIONS = {
    "sum": Case(lambda x: x.sum((0, -1)), lambda x: x.sum((0, 2)), BLOCK),
    "reductions of a repeated axis": Case(lambda x: x.expand(3, 5).sum(1) + x.expand(3, 4).max(1),
                                          lambda x: 6 * x[:, 0], ((3, 1),)),
    "mean": Case(lambda x: x.mean(1, keepdim=True), lambda x: x.mean(1, keepdims=True), BLOCK),
    "max": Case(lambda x: x.max(-1), lambda x: x.max(-1), BLOCK),
    "min": Case(lambda x: x.min((0, 1)), lambda x: x.min((0, 1)), BLOCK),
    "var": Case(lambda x: x.var(0), lambda x: x.var(0, ddof=1), BLOCK),
    "std": Case(lambda x: x.std((1, 2), correction=0), lambda x: x.std((1, 2)), BLOCK),
    "prod": Case(lambda x: x.prod(1), lambda x: x.prod(1), BLOCK),
    "logsumexp": Case(lambda x: x.logsumexp((0, 2)), lambda x: np.log(np.exp(x).sum((0, 2))), BLOCK),
    "softmax": Case(lambda x: x.softmax(), np_softmax, ROW),
    "softmax of axis 0": Case(lambda x: x.softmax(0), lambda x: np_softmax(x, 0), ROW),
    "log_softmax": Case(lambda x: x.log_softmax(), np_log_softmax, ROW),
    "cumsum": Case(lambda x: x.cumsum(1), lambda x: x.cumsum(1), BLOCK),
    "layernorm": Case(lambda x: x.layernorm(), np_layernorm, ROW),
    "layernorm of two axes": Case(lambda x: x.layernorm((1, 2)), lambda x: np_layernorm(x, (1, 2)), BLOCK),
    "batchnorm": Case(
        lambda x, w, b: x.batchnorm(w, b, x.mean((0, 2)), (x.var((0, 2), correction=0) + 1e-5).rsqrt()),
        lambda x, w, b: np_layernorm(x, (0, 2)) * w[:, None] + b[:, None], ((3, 4, 5), (4,), (4,))),
}
INDEX = [[2, 0, -1], [1, 1, 0]]
MOVEMENT = {
    "reshape": Case(lambda x: x.reshape(2, -1, 10), lambda x: x.reshape(2, 3, 10), BLOCK),
    "permute": Case(lambda x: x.permute(2, 0, 1), lambda x: x.transpose(2, 0, 1), BLOCK),
    "transpose": Case(lambda x: x.transpose(-1, -2), lambda x: x.swapaxes(1, 2), BLOCK),
    "T": Case(lambda x: x.T, lambda x: x.T, BLOCK),
    "movedim": Case(lambda x: x.movedim(0, -1), lambda x: np.moveaxis(x, 0, -1), BLOCK),
    "expand": Case(lambda x: x.expand(4, -1, 3), lambda x: np.broadcast_to(x, (4, 2, 3)), (((2, 1)),)),
    "flatten": Case(lambda x: x.flatten(1), lambda x: x.reshape(3, 20), BLOCK),
    "unflatten": Case(lambda x: x.unflatten(1, (2, 2)), lambda x: x.reshape(3, 2, 2, 5), BLOCK),
    "squeeze and unsqueeze": Case(lambda x: x.unsqueeze(0).squeeze(2).unsqueeze(-1), lambda x: x[None, :, 0, :, None],
                                  ((3, 1, 5),)),
    "pad": Case(lambda x: x.pad(((1, 2), None, (0, 1)), value=3.0),
                lambda x: np.pad(x, ((1, 2), (0, 0), (0, 1)), constant_values=3), BLOCK),
    "pad, as in torch": Case(lambda x: x.pad((1, 2, 0, -1)), lambda x: np.pad(x[:, :-1], ((0, 0), (0, 0), (1, 2))),
                             BLOCK),
    "shrink": Case(lambda x: x.shrink(((0, 1), None, (1, 3))), lambda x: x[0:1, :, 1:3], BLOCK),
    "flip": Case(lambda x: x.flip(0, -1), lambda x: x[::-1, :, ::-1], BLOCK),
    "cat": Case(lambda x, y: x.cat(y, x * 2, dim=1), lambda x, y: np.concatenate([x, y, x * 2], 1), ((2, 3), (2, 5))),
    "stack": Case(lambda x, y: Tensor.stack(x, y, dim=1), lambda x, y: np.stack([x, y], 1), ((2, 3), (2, 3))),
    "stack on a list": Case(lambda x: x.stack([[1.0, 2, 3]]), lambda x: np.stack([x, [[1, 2, 3]]]), ((1, 3),)),
    "split": Case(lambda x: x.split([1, 3], 1)[1] - x.split(2, 1)[0].sum(), lambda x: x[:, 1:] - x[:, :2].sum(), BLOCK),
    "chunk": Case(lambda x: x.chunk(3, -1)[1], lambda x: x[..., 2:4], BLOCK),
    "repeat": Case(lambda x: x.repeat(2, 1, 3), lambda x: np.tile(x, (2, 1, 3)), ((2, 3),)),
    "roll": Case(lambda x: x.roll((1, -2), (0, 2)), lambda x: np.roll(x, (1, -2), (0, 2)), BLOCK),
    "roll by one of two axes": Case(lambda x: x.roll(1, (0, 2)), lambda x: np.roll(x, 1, (0, 2)), BLOCK),
    "roll by two of one axis": Case(lambda x: x.roll((1, 2), 1), lambda x: np.roll(x, (1, 2), 1), BLOCK),
    "roll of the flattened array": Case(lambda x: x.roll((1, 1)), lambda x: np.roll(x, (1, 1)), BLOCK),
    "tril": Case(lambda x: x.tril(1), lambda x: np.tril(x, 1), BLOCK),
    "triu": Case(lambda x: x.triu(), np.triu, BLOCK),
    "gather": Case(lambda x: x.gather(1, Tensor([[2, 0], [1, 1], [0, 2]])),
                   lambda x: np.take_along_axis(x, np.array([[2, 0], [1, 1], [0, 2]]), 1), ((3, 4),)),
    "rows by an index": Case(lambda x: x[Tensor(INDEX)], lambda x: x[np.array(INDEX)], ((4, 6),)),
    "elements by two indices": Case(lambda x: x[:, Tensor(INDEX), Tensor([0, 1, 1])],
                                    lambda x: x[:, np.array(INDEX), [0, 1, 1]], BLOCK),
    "steps backwards": Case(lambda x: x[::2, ..., -1:0:-3], lambda x: x[::2, ..., -1:0:-3], BLOCK),
}
IMAGES, CAUSAL = ((2, 4, 6, 5),), np.where(np.tri(5, 5) > 0, 0, -np.inf)
ATTENTION = ((2, 3, 5, 4),) * 3
CONTRACTIONS = {
    "matmul": Case(lambda x, y: x @ y, np.matmul, ((3, 5), (5, 4))),
    "matmul of vectors": Case(lambda x, y: x @ y, np.matmul, ((5,), (5,))),
    "matmul of a vector and a batch": Case(lambda x, y: x @ y, np.matmul, ((4,), (2, 4, 5))),
    "matmul of a batch and a vector": Case(lambda x, y: x @ y, np.matmul, ((2, 3, 4), (4,))),
    "matmul of batches": Case(lambda x, y: x @ y, np.matmul, ((2, 1, 3, 4), (5, 4, 2))),
    "linear": Case(lambda x, w, b: x.linear(w, b), lambda x, w, b: x @ w + b, ((2, 3), (3, 4), (4,))),
    "einsum of three": Case(lambda *x: Tensor.einsum("ij,jk,kl->li", *x), lambda *x: np.einsum("ij,jk,kl->li", *x),
                            ((2, 3), (3, 4), (4, 5))),
    "einsum of heads": Case(lambda *x: Tensor.einsum("bhid,bhjd->bhij", *x),
                            lambda *x: np.einsum("bhid,bhjd->bhij", *x), ((2, 2, 3, 4), (2, 2, 5, 4))),
    "einsum without an arrow": Case(lambda x: Tensor.einsum("ba", x), lambda x: np.einsum("ba", x), ((2, 3),)),
    "attention": Case(lambda q, k, v: q.scaled_dot_product_attention(k, v), np_attention, ATTENTION),
    "causal attention": Case(lambda q, k, v: q.scaled_dot_product_attention(k, v, is_causal=True),
                             lambda q, k, v: np_attention(q, k, v, CAUSAL), ATTENTION),
    "attention with a mask": Case(
        lambda q, k, v: q.scaled_dot_product_attention(k, v, attn_mask=Tensor(np.eye(5) + np.eye(5, k=2) > 0)),
        lambda q, k, v: np_attention(q, k, v, np.where(np.eye(5) + np.eye(5, k=2) > 0, 0, -np.inf)), ATTENTION),
    "conv2d": Case(lambda x, w, b: x.conv2d(w, b), lambda x, w, b: np_conv2d(x, w) + b[:, None, None],
                   IMAGES + ((3, 4, 3, 2), (3,))),
    "conv2d with stride and padding": Case(
        lambda x, w: x.conv2d(w, stride=(2, 1), padding=1),
        lambda x, w: np_conv2d(x, w, 1, (2, 1), (1, 1), (1, 1)), IMAGES + ((3, 4, 3, 3),)),
    "conv2d in groups": Case(lambda x, w: x.conv2d(w, groups=2), lambda x, w: np_conv2d(x, w, 2),
                             IMAGES + ((6, 2, 2, 2),)),
    "conv2d, dilated": Case(
        lambda x, w: x.conv2d(w, dilation=2, padding=(1, 2), stride=2),
        lambda x, w: np_conv2d(x, w, 1, (2, 2), (2, 2), (1, 2)), IMAGES + ((2, 4, 3, 2),)),
    "conv2d, everything at once": Case(
        lambda x, w: x.conv2d(w, groups=2, stride=(2, 3), dilation=(2, 1), padding=(4, 3)),
        lambda x, w: np_conv2d(x, w, 2, (2, 3), (2, 1), (4, 3)), IMAGES + ((4, 2, 2, 4),)),
    "conv2d of pieces": Case(lambda x, w: x.conv2d(w, stride=(3, 2)),
                             lambda x, w: np_conv2d(x, w, 1, (3, 2)), IMAGES + ((2, 4, 2, 1),)),
    "max_pool2d": Case(lambda x: x.max_pool2d(), lambda x: np_windows(x, (2, 2), (2, 2), (1, 1), (0, 0)).max((-2, -1)),
                       IMAGES),
    "max_pool2d with padding": Case(
        lambda x: x.max_pool2d((3, 2), stride=1, padding=1),
        lambda x: np_windows(x, (3, 2), (1, 1), (1, 1), (1, 1), -np.inf).max((-2, -1)), IMAGES),
    "max_pool2d, the last one cut off": Case(
        lambda x: x.max_pool2d((2, 1), stride=(4, 3)),
        lambda x: np_windows(x, (2, 1), (4, 3), (1, 1), (0, 0)).max((-2, -1)), IMAGES),
    "avg_pool2d": Case(lambda x: x.avg_pool2d(3, stride=2),
                       lambda x: np_windows(x, (3, 3), (2, 2), (1, 1), (0, 0)).mean((-2, -1)), IMAGES),
}
CLASSES, LOGITS = [2, 0, 4, 2], ((4, 5),)
LOSSES = {
    "cross_entropy": Case(lambda x: x.cross_entropy(Tensor(CLASSES)), lambda x: np_cross_entropy(x, CLASSES).mean(),
                          LOGITS),
    "cross_entropy, smoothed": Case(lambda x: x.cross_entropy(Tensor(CLASSES), "sum", 0.1),
                                    lambda x: np_cross_entropy(x, CLASSES, 0.1).sum(), LOGITS),
    "cross_entropy with probabilities": Case(
        lambda x, p: x.cross_entropy(p.softmax(), "none"),
        lambda x, p: -(np_log_softmax(x) * np_softmax(p)).sum(-1), LOGITS * 2),
    "cross_entropy of images": Case(
        lambda x: x.cross_entropy(Tensor([[1, 0, 2]] * 2)),
        lambda x: np_cross_entropy(np.moveaxis(x, 1, -1).reshape(6, 4), [1, 0, 2] * 2).mean(), ((2, 4, 3),)),
    "sparse_categorical_crossentropy": Case(
        lambda x: x.sparse_categorical_crossentropy(Tensor(CLASSES), ignore_index=2, label_smoothing=0.1),
        lambda x: np_cross_entropy(x, CLASSES, 0.1)[[1, 2]].mean(), LOGITS),
    "binary_crossentropy": Case(
        lambda x, y: x.binary_crossentropy(y), lambda x, y: np.mean(-y * np.log(x) - (1 - y) * np.log(1 - x)),
        LOGITS * 2, 0.1, 0.9),
    "binary_crossentropy_logits": Case(
        lambda x: x.binary_crossentropy_logits(Tensor([0.0, 1.0, 0.25, 1.0, 0.0]), "none"),
        lambda x: np.logaddexp(0, x) - np.array([0, 1, 0.25, 1, 0]) * x, LOGITS),
}
CASES = {**UNARY, **BINARY, **REDUCTIONS, **MOVEMENT, **CONTRACTIONS, **LOSSES}


class Computed:
    """A case on the default device: its inputs, and lazily its values in float32 and float64 and its gradients."""

    def __init__(self, name):
        ours, oracle, shapes, low, high = CASES[name]
        self.arrays = [random_numbers(f"input {i}", *shape, low=low, high=high) for i, shape in enumerate(shapes)]
        self.singles = [array.astype(np.float32) for array in self.arrays]
        self.weights = random_numbers("weights", *np.shape(oracle(*self.arrays)))
        inputs = [Tensor(array) for array in self.arrays]
        self.y32, self.y64 = ours(*map(Tensor, self.singles)), ours(*inputs)
        self.gradients = self.y64.gradient(*inputs, gradient=Tensor(self.weights))
        self.tensors = [self.y32, self.y64, *self.gradients]


_computed, _differences = {}, {}                                        # by device, then by name; by name


@pytest.fixture
def computed(request, device, optimized):
    """All cases that this run tests on the device, by name; realized many at once, as that compiles in parallel."""
    if device not in _computed:
        names = [item.callspec.params["name"] for item in request.session.items
                 if item.originalname == request.node.originalname and item.callspec.params["device"] == device]
        _computed[device] = {name: Computed(name) for name in names}
        for i in range(0, len(names), 16):
            with contextlib.suppress(Exception):                        # the test of the case at fault will raise it
                Tensor.realize(*(x for name in names[i:i + 16] for x in _computed[device][name].tensors))
    return _computed[device]


@pytest.mark.parametrize("name", CASES)
def test_operation_and_its_gradient(name, device, computed):
    case, oracle = computed[name], CASES[name].oracle
    if name not in _differences:
        _differences[name] = central_differences(oracle, case.arrays, case.weights)
    assert (case.y32.dtype, case.y64.dtype) == (np.float32, np.float64)
    Tensor.realize(*case.tensors)
    close(case.y32, oracle(*[array.astype(np.float64) for array in case.singles]), 1e-5, 2e-6, "in float32")
    close(case.y64, oracle(*case.arrays), 1e-11, 1e-11, "in float64")
    for i, (gradient, difference) in enumerate(zip(case.gradients, _differences[name])):
        close(gradient, difference, 1e-6, 1e-7, f"gradient of input {i}")


EDGES = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-4, -1e-4, 50, -50, 85, -85, 1e4, -1e4, 1e30, -1e30,
                  np.inf, -np.inf, np.nan], np.float32)


def test_elementwise_operations_at_the_edges(device):
    skipped = {"tan", "sin", "cos", "x % 0.7", "x // 0.7"}              # below: they need more than float32's mantissa
    cases = {name: case for name, case in UNARY.items() if name not in skipped}
    results = {name: case.ours(Tensor(EDGES)) for name, case in cases.items()}
    Tensor.realize(*results.values())
    wrong = {}
    for name, case in cases.items():
        with np.errstate(all="ignore"):
            want, got = case.oracle(EDGES.astype(np.float64)).astype(np.float32), results[name].numpy()
        fine = np.isclose(got, want, 1e-5, EPSILON, equal_nan=True)
        if not fine.all():
            wrong[name] = [f"f({x}) = {y}, not {z}" for x, y, z in zip(EDGES[~fine], got[~fine], want[~fine])]
    assert not wrong


def test_trigonometry_of_large_and_infinite_angles(device):
    angles = np.array([0, -0.0, 1e-4, 3, 100, -1000, 12345, np.inf, -np.inf, np.nan], np.float32)
    x = Tensor(angles)
    Tensor.realize(sin := x.sin(), cos := x.cos(), tan := x.tan())
    with np.errstate(all="ignore"):
        close(sin, np.sin(angles.astype(np.float64)), 1e-6, 4 * EPSILON)
        close(cos, np.cos(angles.astype(np.float64)), 1e-6, 4 * EPSILON)
        close(tan, np.tan(angles.astype(np.float64)), 1e-5, 4 * EPSILON)


def test_zero_has_a_sign(device):
    x = Tensor([0.0, -0.0])
    Tensor.realize(negative := -x, one_over := 1 / x, root := x.sqrt())
    assert np.signbit(negative.numpy()).tolist() == [True, False]
    assert one_over.tolist() == [math.inf, -math.inf]
    assert np.signbit(root.numpy()).tolist() == [False, True]
    assert np.signbit((x + Tensor([1, -1]) > 0).where(0.0, -0.0).numpy()).tolist() == [False, True]


def test_nan_propagates_through_comparisons_and_extremes_as_in_numpy(device):
    a = np.array([[1, np.nan, 3, -np.inf], [np.nan, 2, -1, np.inf]], np.float32)
    b = np.array([[2, 0, np.nan, np.inf], [1, 5, -1, np.inf]], np.float32)
    x, y = Tensor(a), Tensor(b)
    pairs = {"max": (x.max(1), a.max(1)), "min": (x.min(0), a.min(0)), "maximum": (x.maximum(y), np.maximum(a, b)),
             "minimum": (x.minimum(y), np.minimum(a, b)), "<": (x < y, a < b), "<=": (x <= y, a <= b),
             "==": (x == y, a == b), "!=": (x != y, a != b), ">": (x > y, a > b), ">=": (x >= y, a >= b),
             "isnan": (x.isnan(), np.isnan(a)), "isinf": (x.isinf(), np.isinf(a)), "bool": (x.bool(), a.astype(bool)),
             "argmax": (x.argmax(1), a.argmax(1).astype(np.int32)),
             "argmin": (x.argmin(1), a.argmin(1).astype(np.int32))}
    Tensor.realize(*(ours for ours, _ in pairs.values()))
    for name, (ours, want) in pairs.items():
        same(ours, want, name)


def test_power_as_in_numpy(device):
    base = np.array([0, 0, 0, 0, 2, 3, 1, -2, -2, -2.5, -3, np.inf, np.nan, 1], np.float32)
    exponent = np.array([0, 2, 0.5, -1, 1.5, 0, np.nan, 3, 2, 0, 1.5, -1, 0, np.inf], np.float32)
    with np.errstate(all="ignore"):
        close(Tensor(base) ** Tensor(exponent), base ** exponent)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_losses_have_all_their_digits(dtype, device):
    a = np.concatenate([np.linspace(-80, 80, 1001), [1e-8, -17, 17, -85]]).astype(dtype)
    x = Tensor(a)
    results = {"softplus": x.softplus(), "its gradient": x.softplus().gradient(x, gradient=x.ones_like())[0],
               "loss of a 0": x.binary_crossentropy_logits(x.zeros_like(), "none"),
               "loss of a 1": x.binary_crossentropy_logits(x.ones_like(), "none")}
    wanted = np.logaddexp(0, a.astype(float)), np_sigmoid(a.astype(float))
    Tensor.realize(*results.values())
    for (name, result), want in zip(results.items(), (*wanted, wanted[0], np.logaddexp(0, -a.astype(float)))):
        close(result, want, 1e-6 if dtype == "float32" else 1e-14, 0, name)


def test_losses_take_targets_of_any_integers_and_bools(device):
    a, classes = random_numbers("of bytes", 3, 2, low=0.1, high=0.9), [1, 0, 1]
    x, want = Tensor(a), {"binary_crossentropy": -np.log(np.where(classes, a[:, 0], 1 - a[:, 0])),
                          "binary_crossentropy_logits": np.logaddexp(0, np.where(classes, -a[:, 0], a[:, 0]))}
    for dtype in ("bool", "int8", "uint8", "uint32", "int64"):
        target = Tensor(classes, dtype=dtype)
        found = {name: getattr(x[:, 0], name)(target, "none") for name in want}
        found |= {name: getattr(x, name)(target) for name in ("cross_entropy", "sparse_categorical_crossentropy")}
        Tensor.realize(*found.values())
        for name, loss in found.items():
            close(loss, want.get(name, np_cross_entropy(a, classes).mean()), 1e-6, what=f"{name} {dtype}")


def test_losses_of_logits_bend_at_zero_too(device):
    x = Tensor(np.zeros(1))
    losses = x.softplus(), x.binary_crossentropy_logits(Tensor([1.0])), Tensor.stack(x, x * 0).logsumexp()
    for loss in losses:                                                 # the slope is a sigmoid, whose slope is 1/4
        assert loss.sum().gradient(x)[0].sum().gradient(x)[0].tolist() == [0.25]


def test_extreme_logits_neither_overflow_nor_lose_their_gradient(device):
    x = Tensor(np.array([-100.0, 100.0, 0.0], np.float32), requires_grad=True)
    functions = [Tensor.sigmoid, Tensor.tanh, Tensor.softplus, Tensor.gelu, Tensor.silu, Tensor.mish]
    values = [function(x) for function in functions]
    slopes = [value.gradient(x, gradient=value.ones_like())[0] for value in values]
    losses = [Tensor([[1e4, 0.0, -1e4]]).cross_entropy(Tensor([1])), Tensor([1000.0, 0.0]).softmax(),
              Tensor([-math.inf] * 2).logsumexp(), Tensor([-1000.0]).binary_crossentropy_logits(Tensor([1.0]))]
    Tensor.realize(*values, *slopes, *losses)
    for function, slope in zip(functions, slopes):
        assert np.isfinite(slope.numpy()).all(), function.__name__
    assert losses[0].item() == 1e4 and losses[1].tolist() == [1, 0]
    assert losses[2].item() == -math.inf and losses[3].item() == 1000


# ---------------------------------------------------------------------------------------------------------------------
# Creation and dtypes
# ---------------------------------------------------------------------------------------------------------------------
CREATED = {
    "zeros": (lambda: Tensor.zeros(2, 3), np.zeros((2, 3), np.float32)),
    "ones": (lambda: Tensor.ones((2, 3), dtype="int8"), np.ones((2, 3), np.int8)),
    "full": (lambda: Tensor.full((2,), 7), np.full(2, 7, np.int32)),
    "full of a float": (lambda: Tensor.full((2,), 7.5), np.full(2, 7.5, np.float32)),
    "full of a bool": (lambda: Tensor.full((2,), True), np.array([True, True])),
    "eye": (lambda: Tensor.eye(2, 4), np.eye(2, 4, dtype=np.float32)),
    "arange": (lambda: Tensor.arange(5), np.arange(5, dtype=np.int32)),
    "arange down": (lambda: Tensor.arange(9, 0, -2), np.arange(9, 0, -2, dtype=np.int32)),
    "eye without columns": (lambda: Tensor.eye(3, 0), np.eye(3, 0, dtype=np.float32)),
    "arange of integers by parts": (lambda: Tensor.arange(0, 10, 2.5, dtype="int32"), np.array([0, 2, 5, 7], np.int32)),
    "arange of integers from a part": (lambda: Tensor.arange(1.5, 5, dtype="int64"), np.array([1, 2, 3, 4])),
    "arange of bytes down": (lambda: Tensor.arange(5, 0, -1, dtype="uint8"), np.arange(5, 0, -1, dtype=np.uint8)),
    "arange of halves": (lambda: Tensor.arange(0, 30000, 10, dtype="half"),
                         np.arange(0, 30000, 10).astype(np.float16)),
    "arange of great integers": (lambda: Tensor.arange(2 ** 40, 2 ** 40 + 3, dtype="int64"),
                                 np.arange(2 ** 40, 2 ** 40 + 3)),
    "arange by a number of NumPy": (lambda: Tensor.arange(0, 1, np.float64(0.25)),
                                    np.array([0, 0.25, 0.5, 0.75], np.float32)),
    "linspace of integers": (lambda: Tensor.linspace(0, 10, 5, dtype="int32"), np.array([0, 2, 5, 7, 10], np.int32)),
    "linspace of integers without fractions": (lambda: Tensor.linspace(-7, 84, 14, dtype="int64"),
                                               np.arange(-7, 85, 7)),
    "linspace of halves": (lambda: Tensor.linspace(0, 1, 3000, dtype="half"),
                           np.linspace(0, 1, 3000, dtype=np.float32).astype(np.float16)),
    "arange of bytes": (lambda: Tensor.arange(250, dtype="uint8"), np.arange(250, dtype=np.uint8)),
    "arange of nothing": (lambda: Tensor.arange(0), np.arange(0, dtype=np.int32)),
    "zeros_like": (lambda: Tensor([[1, 2]]).zeros_like(), np.zeros((1, 2), np.int32)),
    "ones_like": (lambda: Tensor([True]).ones_like(), np.ones(1, bool)),
    "full_like": (lambda: Tensor([1.0, 2.0]).full_like(4), np.full(2, 4, np.float32)),
    "a number": (lambda: Tensor(3), np.array(3, np.int32)),
    "a float": (lambda: Tensor(3.5), np.array(3.5, np.float32)),
    "a bool": (lambda: Tensor(True), np.array(True)),
    "lists": (lambda: Tensor([[1, 2], [3, 4.5]]), np.array([[1, 2], [3, 4.5]], np.float32)),
    "an empty list": (lambda: Tensor([]), np.zeros(0, np.float32)),
    "a double": (lambda: Tensor(np.float64(1.1)), np.array(1.1)),
    "an array": (lambda: Tensor(np.arange(6).reshape(2, 3)), np.arange(6).reshape(2, 3)),
    "a reversed array": (lambda: Tensor(np.arange(6.0)[::-2]), np.arange(6.0)[::-2]),
    "one_hot": (lambda: Tensor([1, 0, 2]).one_hot(3), np.eye(3, dtype=np.int32)[[1, 0, 2]]),
}


def test_creation(device):
    results = {name: make() for name, (make, _) in CREATED.items()}
    assert Tensor.empty(2, 3).shape == (2, 3)
    Tensor.realize(*results.values())
    for name, (_, want) in CREATED.items():
        same(results[name], want, name)
    close(Tensor.linspace(-1, 2, 7), np.linspace(-1, 2, 7))
    close(Tensor.arange(0, 1, 0.1), np.arange(0, 1, 0.1))


NAMES = ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"]


def to_bfloat16(x):
    """Floats rounded to the nearest with an 8-bit mantissa, halves to even, as float32."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7fff + (bits >> 16 & 1)).astype(np.uint32) & 0xffff0000
    return np.where(np.isnan(x), x, rounded.view(np.float32))


def np_cast(x, name):
    if name == "bfloat16":
        return to_bfloat16(x.astype(np.float32))
    return x.astype(name)


def test_every_dtype_casts_to_every_other(device):
    values = {name: np_cast(np.array([0, 1, 2.75, 77, 127] + ([-1, -2.75, -128] if name[0] in "bfi" else [])), name)
              for name in NAMES}
    sources = {name: Tensor(array, dtype=name) for name, array in values.items()}
    results = {(a, b): sources[a].cast(b) for a, b in itertools.product(NAMES, NAMES)
               if b != "uint8" or a in ("int8", "int32", "int64", "uint8", "bool")}     # -1.0 as uint8 is undefined
    Tensor.realize(*results.values())
    for (a, b), result in results.items():
        assert result.dtype == getattr(dtypes, b), (a, b)
        same(result, np_cast(values[a], b), f"{a} to {b}")


def test_float16_and_bfloat16_hold_all_their_values(device):
    patterns = np.arange(2 ** 16, dtype=np.uint16)
    halves, wides = patterns.view(np.float16), (patterns.astype(np.uint32) << 16).view(np.float32)
    x, y = Tensor(halves), Tensor(wides, dtype="bfloat16")
    Tensor.realize(as_float := x.float(), back := as_float.half(), brain := y.float(), brain_back := brain.bfloat16())
    same(as_float, halves.astype(np.float32))
    same(back, halves)
    same(brain, wides)
    same(brain_back, wides)


def test_sixteen_bit_floats_round_to_nearest_even(device):
    ties = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2049, 2051, 65519, 65520, 3e-8, 2 ** -25, 1e-7, -65536, 1e-30]
    numbers = np.concatenate([ties, random_numbers("rounding", 1000, low=-1e5, high=1e5)]).astype(np.float32)
    x = Tensor(numbers)
    Tensor.realize(half := x.half(), brain := x.bfloat16())
    with np.errstate(over="ignore"):
        same(half, numbers.astype(np.float16))
    same(brain, to_bfloat16(numbers))


def test_max_pool2d_of_integers_and_bools(device):
    a = random_numbers("pool", 1, 1, 4, 5, low=-2, high=2).round()
    for dtype in ("bool", "int8", "uint8", "int64"):
        x = (abs(a) if dtype == "uint8" else a).astype(dtype)
        want = np_windows(np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)), "edge"), (2, 2), (2, 2), (1, 1), (0, 0))
        same(Tensor(x).max_pool2d(np.int64(2), padding=(1, 0)), want.max((-2, -1)), dtype)


def test_each_sixteen_bit_operation_is_rounded(device):
    assert (Tensor([2048.0], dtype="float16") + 1 + 1).tolist() == [2048]           # in float32 it would be 2050
    assert Tensor(np.ones(5000, np.float16)).sum().item() == 5000                   # but sums are taken in float32
    a = random_numbers("half", 4, 7).astype(np.float16)
    close(Tensor(a) @ Tensor(a.T.copy()), a.astype(np.float32) @ a.T.astype(np.float32), 2 ** -10, 2 ** -10)


@pytest.mark.parametrize("dtype, digits", [("float16", 11), ("bfloat16", 8)])
def test_a_function_of_sixteen_bits_is_rounded_at_its_end(dtype, digits, device):
    """The 1 - 0.9955 in a cosine would leave no digit of a bfloat16, and 300 ** 2 is more than a float16."""
    names = ["exp2", "log2", "cos", "tan", "rsqrt", "tanh", "elu", "gelu", "quick_gelu", "silu", "mish", "softplus",
             "hardswish", "x ** 3", "x ** -2"]
    inputs = [np_cast(np.linspace(UNARY[name].low, UNARY[name].high, 101), dtype) for name in names[:-1]]
    inputs = [x.astype(np.float32) for x in inputs + [np.array([-300.0, 0.75])]]
    results = [UNARY[name].ours(Tensor(x, dtype=dtype)) for name, x in zip(names, inputs)]
    Tensor.realize(*results)
    for name, result, x in zip(names, results, inputs):
        assert result.dtype == getattr(dtypes, dtype)
        close(result.float(), UNARY[name].oracle(x.astype(float)), 2.0 ** -digits, 3e-7, name)


GREAT, MANY = np.array([[300.0, -300.0, 0.0, 8.0]]), np.zeros((1, 70000))
BEYOND_HALVES = {                                                       # what is computed on the way is, or its sum
    "var": (lambda x: x.var(), GREAT * 0.75), "std": (Tensor.std, GREAT), "layernorm": (Tensor.layernorm, GREAT),
    "prod": (Tensor.prod, np.array([[300.0, 0.001, 300.0, 0.001]])),
    "softmax": (Tensor.softmax, MANY), "log_softmax": (Tensor.log_softmax, MANY), "logsumexp": (Tensor.logsumexp, MANY),
    "cross_entropy": (lambda x: x.cross_entropy(Tensor([1]), label_smoothing=0.1), MANY),
    "sparse_categorical_crossentropy": (
        lambda x: x.sparse_categorical_crossentropy(Tensor.ones(1000, dtype="int32")), np.tile(GREAT, (1000, 1))),
    "BatchNorm": (lambda x: nn.BatchNorm(4)(x.cat(-x)).cast(x.dtype), GREAT),
    "gelu": (Tensor.gelu, GREAT * 50), "mish": (Tensor.mish, GREAT * 150), "hardswish": (Tensor.hardswish, GREAT * 50),
    "attention": (lambda x: x.scaled_dot_product_attention(x.cat(-x), x.cat(x * 0.5)), GREAT)}


@pytest.mark.parametrize("name", BEYOND_HALVES)
def test_what_halves_do_not_hold_on_the_way_is_right_in_the_end(name, device, monkeypatch):
    def with_gradient(x):
        y = function(x)
        return y, *y.gradient(x, gradient=y * 0 + Tensor.arange(1, y.numel() + 1).reshape(y.shape) % 7)

    function, array = BEYOND_HALVES[name]
    with Tensor.train():
        found = with_gradient(Tensor(array, dtype="half"))
        Tensor.realize(*found)
        monkeypatch.setattr(Device, "DEFAULT", "NUMPY")
        wanted = [x.numpy() for x in with_gradient(Tensor(array.astype(np.float16).astype(float)))]
    for x, want in zip(found, wanted):
        assert x.dtype == dtypes.half
        close(x.numpy().astype(float), want, 2 ** -10, 2 ** -10 * np.abs(want).max())


FLOATS, INTEGERS = ["float16", "float32", "float64"], ["bool", "int8", "uint8", "int32", "int64"]


@pytest.mark.parametrize("a, b", list(itertools.combinations_with_replacement(NAMES, 2)))
def test_promotion(a, b):
    want = {a, b}
    if a == b:
        want = a
    elif want <= set(FLOATS):
        want = np.promote_types(a, b).name
    elif want <= set(INTEGERS):
        want = np.promote_types(a, b).name.replace("int16", "int32")    # int8 with uint8: there is no int16
    elif "bfloat16" in want and want & {"float16", "float32"}:
        want = "float32"
    else:                                                               # integers don't widen floats
        want = next(name for name in ("float64", "bfloat16", "float32", "float16") if name in want)
    x, y = Tensor.ones(2, dtype=a, device="NUMPY"), Tensor.ones(2, dtype=b, device="NUMPY")
    assert (x + y).dtype == (y * x).dtype == getattr(dtypes, want)


def test_python_scalars_do_not_promote():
    Device.DEFAULT, before = "NUMPY", Device.DEFAULT
    try:
        found = {name: [(Tensor.ones(2, dtype=name) + scalar).dtype for scalar in (True, 1, 1.5)] for name in NAMES}
    finally:
        Device.DEFAULT = before
    for name in NAMES:
        dtype = getattr(dtypes, name)
        with_integer = dtypes.int32 if name == "bool" else dtype
        with_float = dtype if "float" in name else dtypes.float32
        assert found[name] == [dtype, with_integer, with_float]


def test_dtypes_have_many_names():
    for alias, dtype in {"float": "float32", "half": "float16", "int": "int32", "bool": "bool", "long": "int64",
                         "double": "float64", float: "float32", int: "int32", bool: "bool", np.float16: "float16",
                         np.dtype("int8"): "int8", tiny.float32: "float32", tiny.bfloat16: "bfloat16"}.items():
        assert Tensor.zeros(1, dtype=alias).dtype == getattr(dtypes, dtype), alias


@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_of_a_tensor_is_a_copy(name):
    x = Tensor([0, 1, 2 ** 40 + 1 if name == "int64" else 1], dtype=name)
    copy = Tensor(x)
    x += x
    assert copy.dtype == x.dtype and copy.tolist() == [0, 1, 2 ** 40 + 1 if name == "int64" else 1]


@pytest.mark.parametrize("name", ["int8", "uint8", "int32", "int64"])
def test_integer_arithmetic_is_numpys(name, device):
    """Also with negative numbers, overflow, and division by zero, which gives 0."""
    rng = np.random.default_rng(3)
    a, b = rng.integers(-300, 300, 40).astype(name), rng.integers(-5, 6, 40).astype(name)
    a[:2], b[:2] = np.iinfo(name).min, np.array([1, -1]).astype(name)
    x, y = Tensor(a), Tensor(b)
    operators = {"+": (x + y, a + b), "-": (x - y, a - b), "*": (x * y, a * b), "&": (x & y, a & b),
                 "|": (x | y, a | b), "^": (x ^ y, a ^ b), "~": (~x, ~a), "neg": (-x, -a), "<": (x < y, a < b),
                 ">=": (x >= y, a >= b),
                 "==": (x == y, a == b), "<<": (x << 2, a << 2), ">>": (x >> 2, a >> 2), "abs": (y.abs(), np.abs(b)),
                 "maximum": (x.maximum(y), np.maximum(a, b)), "minimum": (x.minimum(y), np.minimum(a, b)),
                 "sign": (y.sign(), np.sign(b)), "clip": (x.clip(1, 5), np.clip(a, 1, 5)), "** 3": (x ** 3, a ** 3)}
    with np.errstate(all="ignore"):
        operators["//"] = x // y, a // b
        operators["%"] = x % y, a % b
    operators["7 //"], operators["7 %"] = (7 // y, np.array(7, name) // np.where(b, b, 1) * (b != 0)), (x % 7, a % 7)
    reductions = {"max": (x.max(), a.max()), "min": (x.min(), a.min()), "argmax": (x.argmax(), np.int32(a.argmax()))}
    Tensor.realize(*(ours for ours, _ in [*operators.values(), *reductions.values()]))
    for op, (ours, want) in {**operators, **reductions}.items():
        same(ours, want.astype(name) if op.startswith("7") else want, op)
    close(x / 3, a / 3, 1e-6)


def test_bools_are_logic(device):
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    x, y = Tensor(a), Tensor(b)
    pairs = {"+": (x + y, a | b), "*": (x * y, a & b), "&": (x & y, a & b), "|": (x | y, a | b), "^": (x ^ y, a ^ b),
             "~": (~x, ~a), "==": (x == y, a == b), "!=": (x != y, a != b), "<": (x < y, a < b), "<=": (x <= y, a <= b),
             "maximum": (x.maximum(y), a | b), "minimum": (x.minimum(y), a & b), "max": (x.max(), np.True_),
             "min": (x.min(), np.False_), "sum": (x.sum(), np.int32(2)), "any": (x.any(), np.True_),
             "all": (x.all(), np.False_), "logical_not": (x.logical_not(), ~a)}
    Tensor.realize(*(ours for ours, _ in pairs.values()))
    for name, (ours, want) in pairs.items():
        same(ours, want, name)


def test_sums_of_narrow_integers_are_wide(device):
    for name, wide in {"int8": "int32", "uint8": "uint32", "bool": "int32", "int32": "int32", "int64": "int64"}.items():
        array = np.full(1000, 1 if name == "bool" else 100, name)
        same(Tensor(array).sum(), array.sum(dtype=wide), name)


def test_bits_can_be_read_as_another_type(device):
    x = np.array([1.0, -2.5, np.inf, 1e-40], np.float32)
    Tensor.realize(bits := Tensor(x).bitcast("int32"), back := Tensor(x.view(np.int32)).bitcast("float32"))
    same(bits, x.view(np.int32))
    same(back, x)


def test_the_bits_of_either_float_of_sixteen_may_be_the_others(device):
    halves = Tensor(np.arange(0, 2 ** 16, 7, np.uint16).view(np.float16))
    Tensor.realize(brain := halves.bitcast("bfloat16"), back := brain.bitcast("float16"),
                   some := Tensor([1.5, 2.0]).half().bitcast("bfloat16").float() * 8)
    same(back, halves.numpy())
    same(brain, (np.arange(0, 2 ** 16, 7, np.uint32) << 16).view(np.float32))
    assert some.tolist() == [1, 16]


def test_the_bits_of_bools_are_bytes(device):
    bytes = np.array([0, 1, 1, 0, 1], np.uint8)
    Tensor.realize(bools := Tensor(bytes).bitcast("bool"), back := Tensor(bytes == 1).bitcast("int8"))
    same(bools, bytes.view(bool))
    same(back, bytes.view(np.int8))


# ---------------------------------------------------------------------------------------------------------------------
# Edges: NaN, infinities, the sign of zero, and both ends of every type
#
# All pairs of special values through every operation, bit for bit what NumPy has, in each dtype; special values at each
# place of a reduction; casts of what the other type cannot hold. `python test_tiny.py edges` does so for all dtypes,
# sizes and lengths of vectors; the suite takes a part of that.
# ---------------------------------------------------------------------------------------------------------------------
SPECIAL = [0.0, 1, 0.5, 1.5, 2.5, 3, 7, 0.1, 1e-45, 1e-38, 2.0 ** -126, 63, 64, 100, 127.5, 128.9, 255.9, 256, 300,
           65504, 65519, 65520, 8388607.5, 16777217, 2147483520, 2147483648, 4294967296, 1e10, 9.223372e18,
           1.8446744e19, 1e30, 3.4028235e38, np.inf]
INTEGRAL = [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 100, 127, 128, 255, 2 ** 24 + 1, 2 ** 25 + 3,
            2 ** 53 + 2 ** 24]
POWER_BOUND = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-5, "float64": 1e-12}


@np.errstate(all="ignore")
def edge_values(name):
    """The special values of a dtype, and what NumPy does not have as float32."""
    if "float" in name:
        values = SPECIAL + [1e308, 5e-324, 1 + 2 ** -11 + 2 ** -40, 2 ** 53 - 1] * (name == "float64")
        return np_cast(np.array([*values, *np.negative(values), np.nan]), name)
    if name == "bool":
        return np.array([False, True])
    low, high = np.iinfo(name).min, np.iinfo(name).max
    values = [*INTEGRAL, *(-n for n in INTEGRAL), low, low + 1, high - 1, high]
    return np.array(sorted({n for n in values if low <= n <= high}), name)


def truncated(x, name):
    """Floats as integers: what is no int32 (or int64) is the least of these, and of the result the lower bits count."""
    least = -2 ** (63 if name in ("int64", "uint32") else 31)
    return np.array([int(v) if least <= v < -least else least for v in x.tolist()], np.int64).astype(name)


def cast_checks(sources=(*NAMES, "uint32")):
    """These dtypes to every other, and numbers that the compiler knows to integers."""
    for a in sources:
        x, tensor = edge_values(a), Tensor(edge_values(a), dtype=a)
        for b in [name for name in (*NAMES, "uint32") if name != a]:
            narrow = x.astype(np.float32) if b == "float16" else x      # doubles are rounded twice, as in PyTorch
            want = truncated(x, b) if "float" in a and "int" in b else np_cast(narrow, b)
            yield f"{a} to {b}", tensor.cast(b), want, 0
    for value, b in itertools.product([np.nan, np.inf, 1e10, -300.7], ["int8", "uint8", "int32", "int64"]):
        yield f"{value} to {b}", Tensor.full((1,), value).cast(b), truncated(np.array([value]), b), 0


def pair_checks(name):
    """All pairs of special values of a dtype through all operations of two numbers, and those of one."""
    values, number = edge_values(name), "float" in name
    a, b = np.repeat(values, len(values)), np.tile(values, len(values))                 # bfloat16 as float32
    x, y = Tensor(a, dtype=name), Tensor(b, dtype=name)
    same_text = [lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - y, lambda x, y: x // y, lambda x, y: x % y,
                 lambda x, y: x < y, lambda x, y: x <= y, lambda x, y: x == y, lambda x, y: x != y, lambda x, y: -x]
    if number:
        same_text += [lambda x, y: x / y]
        single = [(Tensor.floor, np.floor), (Tensor.ceil, np.ceil), (Tensor.round, np.round), (Tensor.trunc, np.trunc),
                  (Tensor.sqrt, np.sqrt), (Tensor.isnan, np.isnan), (Tensor.isinf, np.isinf)]
    else:
        same_text += [lambda x, y: x & y, lambda x, y: x | y, lambda x, y: x ^ y, lambda x, y: x << y,
                      lambda x, y: x >> y, lambda x, y: x + 1 > x, lambda x, y: x * 3 // 3, lambda x, y: x * 4 % 3,
                      lambda x, y: (x + y) * 2 > x * 2]                 # no compiler may think that nothing overflows
        single = [(lambda x: ~x, np.invert)]
    same_text = [(function, function) for function in same_text] + \
        [(lambda x, y: x.maximum(y) + 0, lambda x, y: np.maximum(x, y) + 0),         # + 0: of 0 and -0 it may be either
         (lambda x, y: x.minimum(y) + 0, lambda x, y: np.minimum(x, y) + 0),
         (lambda x, y: (x < y).where(y, x), lambda x, y: np.where(x < y, y, x))] + \
        [(lambda x, y, f=f: f(x), lambda x, y, f=oracle: f(x)) for f, oracle in single + [
            (Tensor.abs, np.abs), (lambda x: x.sign() + 0, lambda x: np.sign(x) + 0),
            (Tensor.relu, lambda x: np.where(x <= 0, x.dtype.type(0), x)), (Tensor.logical_not, np.logical_not)]]
    for i, (ours, oracle) in enumerate(same_text):
        want = oracle(a, b)
        yield f"{name} operation {i}", ours(x, y), np_cast(want, name) if want.dtype.kind == "f" else want, 0
    if number:
        yield f"{name} **", x ** y, np_cast(a.astype(np.float64) ** b.astype(np.float64), name), POWER_BOUND[name]
    else:                                                               # NumPy has no negative powers of integers
        yield f"{name} **", x ** y.maximum(0), a ** np.maximum(b, 0), 0


def np_logsumexp(x, axis):
    greatest = x.max(axis, keepdims=True)
    greatest = np.where(np.isinf(greatest), 0, greatest)
    return (np.log(np.exp(x - greatest).sum(axis, keepdims=True)) + greatest).squeeze(axis)


REDUCED = {
    "max": (lambda x, a: x.max(a),) * 2, "min": (lambda x, a: x.min(a),) * 2, "sum": (lambda x, a: x.sum(a),) * 2,
    "mean": (lambda x, a: x.mean(a),) * 2, "any": (lambda x, a: x.any(a),) * 2, "all": (lambda x, a: x.all(a),) * 2,
    "argmax": (lambda x, a: x.argmax(a), lambda x, a: x.argmax(a).astype(np.int32)),
    "argmin": (lambda x, a: x.argmin(a), lambda x, a: x.argmin(a).astype(np.int32)),
    "cumsum": (lambda x, a: x.cumsum(a), np.cumsum), "softmax": (Tensor.softmax, np_softmax),
    "logsumexp": (Tensor.logsumexp, np_logsumexp),
    "sum of exp": (lambda x, a: x.exp().sum(a), lambda x, a: np.exp(x).sum(a)),
    "triangle": (lambda x, a: x.tril().sum(a), lambda x, a: np.tril(x).sum(a)),
    "masked max": (lambda x, a: (x > 0).where(x, -math.inf).max(a), lambda x, a: np.where(x > 0, x, -np.inf).max(a)),
    "causal softmax": (lambda x, a: (x.ones_like().tril() > 0).where(x, -math.inf).softmax(-1),
                       lambda x, a: np_softmax(np.where(np.tril(np.ones_like(x)) > 0, x, -np.inf))),
    "padded max": (lambda x, a: x.pad((2, 3, 1, 0), value=math.nan).max(a),
                   lambda x, a: np.pad(x, ((0, 0), (1, 0), (2, 3)), constant_values=np.nan).max(a)),
    "product": (lambda x, a: x.transpose(1, 2) @ x, lambda x, a: x.transpose(0, 2, 1) @ x)}


def reduction_checks(n):
    """Matrices in which each row and column has a special value in another place, reduced along both axes."""
    base, at = np.random.default_rng(n).integers(-3, 4, (n, n)) | 1, np.eye(n)          # no 0, which might tie with -0
    both = np.where(at, np.inf, np.where(np.roll(at, n // 2, 1), -np.inf, base))
    arrays = np.array([*(np.where(at, value, base) for value in (np.nan, np.inf, -np.inf, -0.0)), both,
                       np.full((n, n), np.nan), np.full((n, n), -np.inf), np.full((n, n), -0.0)], np.float32)
    x = Tensor(arrays)
    for (name, (ours, oracle)), axis in itertools.product(REDUCED.items(), (1, 2)):
        if axis == 2 or name not in ("causal softmax", "product"):
            want = oracle(arrays, axis)
            bound = 0 if name in ("max", "min", "masked max", "padded max") or want.dtype.kind != "f" else 1e-5
            yield f"{name} of {n} along {axis}", ours(x, axis), want, bound


@np.errstate(all="ignore")
def differences(checks):
    """What differs, in words, of (what, Tensor, wanted array, relative bound) and the number of values compared. A
    bound of 0 means every bit, but that NaN is NaN."""
    checks, wrong, count = list(checks), [], 0
    Tensor.realize(*(ours for _, ours, *_ in checks))
    for what, ours, want, bound in checks:
        got, count = ours.numpy(), count + want.size
        assert (got.shape, got.dtype) == (want.shape, want.dtype), f"{what}: {got.dtype} {got.shape}, {want.dtype}"
        fine = np.isclose(got, want, bound, 1e-5 * (bound == 1e-5), equal_nan=True) if bound else got == want
        if want.dtype.kind == "f":
            fine |= np.isnan(got) & np.isnan(want)
            if bound == 0:
                fine &= np.isnan(want) | (np.signbit(got) == np.signbit(want))
        if not fine.all():
            wrong.append(f"{what}: at {np.argwhere(~fine)[0]} {got[~fine][0]}, not {want[~fine][0]}")
    return wrong, count


@pytest.mark.parametrize("name, device", [
    *((name, "NUMPY") for name in [*NAMES[:-1], "uint32"]), *((name, "C") for name in ("float32", "int8", "int64")),
    ("float32", "CL")], indirect=["device"])
def test_all_pairs_of_special_values_are_numpys(name, device):
    assert differences(pair_checks(name))[0] == []


@on(*COMPILED)
def test_no_compiler_thinks_that_integers_never_overflow(device, monkeypatch):
    """OpenCL's may for a number, though not for a vector."""
    monkeypatch.setattr(Device[device], "lanes", 1)
    monkeypatch.setattr(Device[device], "plans", {})
    array = edge_values("int32")
    x = Tensor(array)
    pairs = [(x + 1 > x, array + 1 > array), (x * 3 // 3, array * 3 // 3), (x.abs().max(), np.abs(array).max())]
    Tensor.realize(*(ours for ours, _ in pairs))
    for ours, want in pairs:
        same(ours, want)


@pytest.mark.parametrize("sources, device", [(["float32", "float64"], "C"), (["float32"], "CL"), ([*NAMES], "NUMPY")],
                         indirect=["device"])
def test_casts_of_what_the_other_type_cannot_hold(sources, device):
    assert differences(cast_checks(sources))[0] == []


def test_special_values_at_each_place_of_a_reduction(device):
    some = ("max", "argmin", "logsumexp", "causal softmax") if device == "CL" else ""   # which takes long to compile
    assert differences(check for check in reduction_checks(17) if check[0].startswith(some))[0] == []


def test_functions_of_integers_are_those_of_floats(device):
    """2 * x, x + 3 and x - max(x) overflow in int8."""
    x = np.arange(-128, 128).astype(np.int8)
    functions = [Tensor.tanh, Tensor.hardswish, Tensor.logsumexp, Tensor.gelu, Tensor.softplus, Tensor.mish]
    pairs = [(function(Tensor(x)), function(Tensor(x.astype(np.float32)))) for function in functions]
    Tensor.realize(*itertools.chain(*pairs))
    for ours, want in pairs:
        same(ours, want.numpy())


def test_the_greatest_of_nothing_raises_but_any_and_all_have_an_answer(device):
    for dtype, method in itertools.product(["float32", "int8", "bool"], ["max", "min", "argmax", "argmin"]):
        with pytest.raises(ValueError, match="no maximum over empty axes"):
            getattr(Tensor.zeros(2, 0, dtype=dtype), method)(1)
        assert getattr(Tensor.zeros(2, 0, dtype=dtype), method)(0).shape == (0,)
        assert not Tensor.zeros(0, dtype=dtype).any().item() and Tensor.zeros(0, dtype=dtype).all().item()


def test_negative_powers_of_integers_are_whole(device):
    """As in PyTorch; NumPy raises."""
    base, power = np.array([2, -1, -1, 0, 1, 3, -128], np.int8), np.array([-1, -3, -2, -5, -128, -128, -1], np.int8)
    assert (Tensor(base) ** Tensor(power)).tolist() == [0, -1, 1, 0, 1, 0, 0]


def search_edges():
    """All of it: what the command `edges` runs. Returns what differs, and the number of values compared."""
    wrong, count, most = [], 0, Device["C"].lanes
    for name, lanes in [("NUMPY", 1), *(("C", n) for n in (1, 2, 4, 8, 16) if n <= most),
                        *(("CL", n) for n in (1, 4, 8)), ("GROUPS", 8)]:
        Device.DEFAULT = name
        if name != "NUMPY":
            Device[name].lanes, Device[name].plans = lanes, {}
        for checks in (cast_checks(), *map(pair_checks, [*NAMES[:-1], "uint32"]),
                       *map(reduction_checks, (2, 7, 16, 17, 33, 257))):
            found, compared = differences(checks)
            wrong, count = wrong + [f"{name} with {lanes} lanes: {text}" for text in found], count + compared
        print(f"{name} with {lanes} lanes: {count:,} values so far, {len(wrong)} operations differ", flush=True)
    return wrong, count


# ---------------------------------------------------------------------------------------------------------------------
# Reductions over any axes, indices, sizes that don't suit a vector, and nothing at all
# ---------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 7), (), (2, 0, 3), (0,)], ids=str)
def test_reductions_over_any_axes(shape, device):
    a = np.random.default_rng(5).integers(-3, 4, shape).astype(np.float32)          # small integers: sums are exact
    x, pairs = Tensor(a), {}
    axes = [None, (), *range(-len(shape), len(shape)), *itertools.combinations(range(len(shape)), 2)]
    for axis, keepdim in itertools.product(axes, (False, True)):
        where = f"axis={axis}, keepdim={keepdim}"
        pairs["sum " + where] = x.sum(axis, keepdim), a.sum(axis, keepdims=keepdim)
        pairs["prod " + where] = x.prod(axis, keepdim), a.prod(axis, keepdims=keepdim)
        pairs["any " + where] = (x > 2).any(axis, keepdim), (a > 2).any(axis, keepdims=keepdim)
        pairs["all " + where] = (x > -3).all(axis, keepdim), (a > -3).all(axis, keepdims=keepdim)
        try:
            want = a.max(axis, keepdims=keepdim), a.min(axis, keepdims=keepdim)
        except ValueError:                                              # no maximum of nothing, in NumPy and here
            with pytest.raises(ValueError, match="max"):
                x.max(axis, keepdim)
        else:
            pairs["max " + where] = x.max(axis, keepdim), want[0]
            pairs["min " + where] = x.min(axis, keepdim), want[1]
    for axis, keepdim in itertools.product([None, *range(len(shape))], (False, True)):
        if a.size:
            where = f"axis={axis}, keepdim={keepdim}"
            pairs["argmax " + where] = x.argmax(axis, keepdim), a.argmax(axis, keepdims=keepdim).astype(np.int32)
            pairs["argmin " + where] = x.argmin(axis, keepdim), a.argmin(axis, keepdims=keepdim).astype(np.int32)
    Tensor.realize(*(ours for ours, _ in pairs.values()))
    for name, (ours, want) in pairs.items():
        same(ours, want, name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")                                 # NumPy warns of a mean of nothing
        close(x.mean(-1 if shape else None), a.mean(-1 if shape else None))


def test_a_long_product_and_its_gradient_do_not_name_each_factor(device):
    a = random_numbers("factors", 2, 1000, low=0.99, high=1.01)
    x = Tensor(a)
    product = x.prod(1)
    gradient, = product.gradient(x, gradient=Tensor([1.0, 2.0]))
    if device != "NUMPY":
        assert max(len(kernel.body) for kernel in tiny.kernels(product, gradient)) < 50_000
    Tensor.realize(product, gradient)
    close(product, a.prod(1), 1e-11)
    close(gradient, a.prod(1, keepdims=True) / a * [[1], [2]], 1e-11)


def test_argmax_is_the_first_of_equals(device):
    x = Tensor([[1, 3, 3, 0], [2, 2, 2, 2]])
    Tensor.realize(most := x.argmax(1), least := x.argmin(1), first := x.argmax())
    assert most.tolist() == [1, 0] and least.tolist() == [3, 0] and first.item() == 1
    assert x.argmax(1).dtype == np.int32


@pytest.mark.parametrize("n", [1, 255, 256, 257, 1000])
def test_cumsum_of_any_length(n, device):
    a = np.random.default_rng(n).integers(-5, 5, (2, n)).astype(np.int32)
    same(Tensor(a).cumsum(-1), a.cumsum(-1, dtype=np.int32))


KEYS = [
    1, -1, slice(1, 3), slice(None, None, -1), slice(None, None, 3), slice(9, 0, -2), slice(2, 2), Ellipsis, None, (),
    (0, 1), (slice(None), -2), (..., 0), (..., None), (None, 1, ..., None), (slice(1, None, 2), slice(None, None, -2)),
    (slice(None), slice(3, 0, -1), 1), (0, 1, 2, 1), (..., slice(-5, None), 0), [0, 2, -1], ([0, 1], [2, 0]),
    (slice(None), [1, 1, 4]), ([0, 3], slice(None), [2, 1]), (slice(1, 3), [[0], [2]], [1, 0]), (1, [2, 0]),
    ([1, 2], None, 0), (..., [1, 0]), (np.array([[1, 0], [-1, 2]]), slice(None, None, -1)), (0, slice(None), [1, 2]),
    (slice(None), slice(None), [[0, 1]], 1), (np.array(2),), (slice(None, None, 5), None, [0, 0]),
    (slice(None), slice(None), [0, 2], ..., [1, 0]), (None, [0, 1], 1, ..., 2, [1, 0]),     # ... of no axes
]


@pytest.mark.parametrize("kind", ["arrays", "Tensors"])
def test_indexing_is_numpys(kind, device):
    a = random_numbers("indexing", 4, 5, 3, 2).astype(np.float32)
    x = Tensor(a)

    def index(k):
        return Tensor(np.array(k, np.int32)) if kind == "Tensors" and isinstance(k, (list, np.ndarray)) else k
    results = [x[tuple(map(index, key)) if isinstance(key, tuple) else index(key)] for key in KEYS]
    Tensor.realize(*results)
    for key, result in zip(KEYS, results):
        same(result, a[key], f"x[{key}]")


def test_rows_out_of_range_read_as_zero_whatever_holds_their_number(device):
    x, places = Tensor([1.0, 2.0, 3.0]), [2 ** 32 + 1, 1 - 2 ** 32, 2 ** 32 - 1, 3, -4, -3, -1, 2]
    wide, unsigned = x[Tensor(np.array(places))], x[Tensor(np.array(places[2:4] + places[7:], np.uint32))]
    short, byte = x[Tensor(np.array([-4, -3, 2], np.int8))], x[Tensor(np.array([255, 2], np.uint8))]
    Tensor.realize(wide, unsigned, short, byte)
    assert wide.tolist() == [0, 0, 0, 0, 0, 1, 3, 3] and unsigned.tolist() == [0, 0, 3]
    assert short.tolist() == [0, 1, 3] and byte.tolist() == [0, 3]


@given(data=st.data())
@settings(hypothesis_settings, max_examples=150)
def test_random_indices_are_numpys(data):
    a = np.arange(4 * 5 * 3 * 2).reshape(4, 5, 3, 2)
    part = st.one_of(st.integers(-6, 6), st.slices(5), st.just(None), st.just(Ellipsis),
                     st.sampled_from([[0], [-2], [1, 1], [0, -1], [1, 0]]))
    key = tuple(data.draw(st.lists(part, max_size=5)))
    x = Tensor(a, device="NUMPY")
    try:
        want = a[key]
    except (IndexError, ValueError):
        with pytest.raises((IndexError, ValueError)):
            x[key]
    else:
        same(x[key], want)


@pytest.mark.parametrize("key, value", [
    (0, 5.0), ((slice(None), 1), random_numbers("value", 3, 5)),
    ((slice(None, None, -1), ..., slice(1, None, 2)), [1.0, 2.0]),
    ((..., None, 0), 2.0), (slice(0, 0), 1.0), ((-1, -1, -1), 9)], ids=str)
def test_assigning_to_a_part(key, value, device):
    a = random_numbers("whole", 3, 4, 5).astype(np.float32)
    x, before = Tensor(a), a.copy()
    view = x + 1                                                        # sees the old values
    x[key] = Tensor(np.asarray(value, np.float32)) if isinstance(value, np.ndarray) else value
    a[key] = np.asarray(value)
    Tensor.realize(x, view)
    same(x, a)
    close(view, before + 1, 1e-6)


@pytest.mark.parametrize("m, k, n", [(1, 1, 1), (9, 33, 31), (17, 5, 64), (64, 64, 64), (2, 100, 1), (1, 7, 130),
                                     (70, 1, 70), (128, 96, 40)])
def test_matrix_products_of_any_size(m, k, n, device):
    """Small integers as floats: the products are exact, whatever the order of the sums."""
    rng = np.random.default_rng(m * k * n)
    a, b = (rng.integers(-4, 5, shape).astype(np.float32) for shape in ((m, k), (k, n)))
    x, y = Tensor(a), Tensor(b)
    results = [x @ y, y.T @ x.T, x.T.contiguous().T @ y.T.contiguous().T]
    Tensor.realize(*results)
    for result, want in zip(results, (a @ b, (a @ b).T, a @ b)):
        same(result, want)


def test_integer_matrix_products_are_exact(device):
    a, b = np.full((3, 5), 100, np.int8), np.arange(10, dtype=np.int8).reshape(5, 2)
    same(Tensor(a) @ Tensor(b), a.astype(np.int32) @ b.astype(np.int32))
    c = np.full((2, 2), 2 ** 40)
    same(Tensor(c) @ Tensor(np.eye(2, dtype=np.int64)), c)


def test_nothing_and_a_single_number_work_everywhere(device):
    none, one = Tensor(np.zeros((0, 3), np.float32)), Tensor(2.0)
    results = {
        "elementwise": ((none * 2 + 1).relu(), (0, 3)), "matmul": (none @ Tensor.ones(3, 4), (0, 4)),
        "inner": (Tensor.ones(2, 0) @ Tensor.ones(0, 3), (2, 3)), "cat": (none.cat(none), (0, 3)),
        "softmax": (none.softmax(), (0, 3)), "pad": (none.pad(((1, 1), (0, 0)), value=2), (2, 3)),
        "rows": (Tensor.ones(4, 3)[Tensor(np.zeros(0, np.int32))], (0, 3)), "cumsum": (none.cumsum(0), (0, 3)),
        "sum": (none.sum(0), (3,)), "rand": (Tensor.rand(0), (0,)),
        "scalar": (one.exp().log() + one.sum() * one.max(), ()),
        "reshape": (one.reshape(1, 1), (1, 1)), "expand": (one.expand(2, 3), (2, 3)), "permute": (one.permute(), ()),
    }
    Tensor.realize(*(result for result, _ in results.values()))
    for name, (result, shape) in results.items():
        assert result.numpy().shape == result.shape == shape, name
    close(results["scalar"][0], 6.0)
    assert (results["inner"][0].numpy() == 0).all() and (results["pad"][0].numpy() == 2).all()
    assert (none * 2).sum().gradient(none)[0].numpy().shape == (0, 3)


# ---------------------------------------------------------------------------------------------------------------------
# Random numbers
# ---------------------------------------------------------------------------------------------------------------------
def threefry(key, counter, rounds):
    """Threefry2x32 on Python's integers (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011)."""
    mask, (x, y) = 0xffffffff, counter
    keys = *key, key[0] ^ key[1] ^ 0x1bd11bda
    x, y = x + keys[0] & mask, y + keys[1] & mask
    for turn in range(rounds):
        bits = (13, 15, 26, 6, 17, 29, 16, 24)[turn % 8]
        x = x + y & mask
        y = ((y << bits | y >> 32 - bits) & mask) ^ x
        if turn % 4 == 3:
            step = turn // 4 + 1
            x, y = x + keys[step % 3] & mask, y + keys[(step + 1) % 3] + step & mask
    return x, y


def test_random_numbers_are_threefrys(device):
    assert threefry((0, 0), (0, 0), 20) == (0x6b200159, 0x99ba4efe)     # the paper's authors' test vector
    Tensor.manual_seed(42)
    want = [threefry((42, 0), (i, 0), 13)[0] >> 8 for i in range(5)]
    assert (Tensor.rand(5).numpy() * 2 ** 24).tolist() == want


def test_random_numbers_are_the_same_on_every_device():
    drawn = {}
    for name in DEVICES:
        Tensor.manual_seed(7)
        draws = [Tensor.rand(100, device=name), Tensor.randint(100, low=-3, high=50, device=name),
                 Tensor.rand(33, dtype="float16", device=name), Tensor.randn(100, device=name)]
        drawn[name] = [draw.numpy() for draw in draws]
    for name in DEVICES:
        for draw, oracle in zip(drawn[name][:3], drawn["NUMPY"]):
            same(draw, oracle, name)
        close(drawn[name][3], drawn["NUMPY"][3], 1e-5, 1e-5, name)      # logarithm and sine differ in the last bits


def test_a_seed_starts_the_draws_again_and_each_draw_is_fresh(device):
    Tensor.manual_seed(5)
    first, second = Tensor.rand(40).numpy(), Tensor.rand(40).numpy()
    Tensor.manual_seed(5)
    same(Tensor.rand(80), np.concatenate([first, second]))
    assert not np.intersect1d(first, second).size
    Tensor.manual_seed(6)
    assert not np.intersect1d(first, Tensor.rand(40).numpy()).size


@pytest.mark.parametrize("name, draw, low, high, mean, variance", [
    ("rand", lambda n: Tensor.rand(n), 0, 1, 0.5, 1 / 12),
    ("randn", lambda n: Tensor.randn(n), -7, 7, 0, 1),
    ("uniform", lambda n: Tensor.uniform(n, low=-3, high=5), -3, 5, 1, 64 / 12),
    ("normal", lambda n: Tensor.normal(n, mean=2, std=0.5), -2, 6, 2, 0.25),
    ("randint", lambda n: Tensor.randint(n, low=-3, high=4), -3, 3, 0, 4),
    ("scaled_uniform", lambda n: Tensor.scaled_uniform(n // 10, 10) * n ** 0.5, -1, 1, 0, 1 / 3),
    ("glorot_uniform", lambda n: Tensor.glorot_uniform(n // 10, 10), -0.0245, 0.0245, 0, 6 / (1e4 + 10) / 3),
    ("kaiming_uniform", lambda n: Tensor.kaiming_uniform(n // 10, 10, a=0), -0.7746, 0.7746, 0, 0.2),
])
def test_distributions(name, draw, low, high, mean, variance):
    """Mean and variance within five standard errors, and nothing out of bounds."""
    Device.DEFAULT, before = "NUMPY", Device.DEFAULT
    try:
        Tensor.manual_seed(11)
        x = draw(100_000).numpy().astype(np.float64).ravel()
    finally:
        Device.DEFAULT = before
    assert low <= x.min() and x.max() <= high
    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / x.size)
    assert abs(x.var() - variance) < 5 * x.var() * math.sqrt(2 / x.size)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / math.sqrt(x.size)


def test_draws_have_the_dtype_that_was_asked_for():
    for dtype in dtypes.int8, dtypes.int64, dtypes.bool, dtypes.float32:
        drawn = Tensor.randint(20, low=0, high=2, dtype=dtype, device="NUMPY")
        assert drawn.dtype == dtype and {*drawn.tolist()} == {0, 1}
    for dtype, draw in itertools.product([dtypes.float16, dtypes.float64], [Tensor.rand, Tensor.randn, Tensor.normal]):
        assert draw(20, dtype=dtype, device="NUMPY").dtype == dtype


def test_weights_of_nothing_are_drawn():
    for draw in Tensor.scaled_uniform, Tensor.glorot_uniform, Tensor.kaiming_uniform:
        assert draw(0, 0).shape == (0, 0)
    assert nn.Linear(0, 3)(Tensor.ones(2, 0)).shape == (2, 3)


def test_dropout_drops_while_training_only(device):
    x = Tensor(np.ones(20_000, np.float32), requires_grad=True)
    same(x.dropout(0.3), np.ones(20_000, np.float32))
    with Tensor.train():
        y = x.dropout(0.3)
        gone, gradient = x.dropout(1.0), y.sum().gradient(x)[0]
    Tensor.realize(y, gradient, gone)
    kept = y.numpy() != 0
    assert abs(kept.mean() - 0.7) < 5 * math.sqrt(0.3 * 0.7 / 20_000)
    close(y, np.where(kept, 1 / 0.7, 0), 1e-6)
    same(gradient, y.numpy())
    assert not gone.numpy().any() and not Tensor.training


# ---------------------------------------------------------------------------------------------------------------------
# Out of the graph
# ---------------------------------------------------------------------------------------------------------------------
def test_values_come_out_as_python_and_numpy(device):
    x = Tensor([[1.5, 2.0], [3.0, 4.0]])
    assert x.tolist() == [[1.5, 2.0], [3.0, 4.0]] and x[0, 0].item() == 1.5 and len(x) == 2
    assert [row.tolist() for row in x] == x.tolist()
    assert np.asarray(x).sum() == 10.5
    assert (x.shape, x.ndim, x.numel(), x.size(), x.size(-1)) == ((2, 2), 2, 4, (2, 2), 2)
    assert (x.dtype, x.device, x.nbytes(), x.element_size()) == (np.float32, device, 16, 4)
    assert bool(Tensor(True)) and not bool(Tensor([0.0]))
    assert "1.5" in repr(x) and "float32" in repr(x) and device in repr(x)
    assert hash(x) == hash(x) and x in {x: 1}


def test_an_array_that_changes_later_does_not_change_its_tensor(device):
    a = np.ones(3, np.float32)
    x = Tensor(a)
    a[0] = 5
    assert x.tolist() == [1, 1, 1]


def arrays_and_views():
    """By name: an array, and what a Tensor is made of, which shares its memory."""
    made = {name: np.arange(1, 13, dtype=np.float32).reshape(3, 4) for name in ("itself", "transposed", "strided")}
    made["read-only"], made["repeated"], made["0-d"] = np.ones((3, 4)), np.ones(3, np.float32), np.array(3.0)
    made["field"] = np.ones(3, [("a", "<f4"), ("b", "<i2")])["a"]
    made["memory"], made["list"], made["unaligned"] = np.arange(5), np.array(2.0), np.zeros(41, np.uint8)
    views = {**made, "transposed": made["transposed"].T, "strided": made["strided"][:, ::-2],
             "read-only": np.frombuffer(made["read-only"].data.toreadonly(), np.float64),
             "repeated": np.broadcast_to(made["repeated"], (4, 3)), "memory": memoryview(made["memory"]),
             "list": [made["list"]] * 2, "unaligned": np.frombuffer(made["unaligned"].data[1:], "<f4")}
    return [(name, made[name], views[name]) for name in made]


def test_a_tensor_keeps_its_numbers_whatever_becomes_of_their_source(device):
    for name, array, view in arrays_and_views():
        tensor, want = Tensor(view), np.array(view)
        array[...] = 77
        same(tensor.numpy().astype(want.dtype), want, name)
        for handed in (tensor.numpy(), np.asarray(tensor.numpy())):     # and whatever becomes of what it gave
            handed[...] = 55
        same(tensor.numpy().astype(want.dtype), want, name)


def test_a_result_in_numpy_is_never_overwritten(device):
    p = Tensor(np.ones(300, np.float32))
    taken = []
    for _ in range(4):
        taken.append(p.numpy())
        p.assign(p * 2).realize()
    assert [array[0] for array in taken] == [1, 2, 4, 8] and all((array == array[0]).all() for array in taken)
    taken[0][0] = 99
    assert p.numpy()[0] == 16


def test_assign_leaves_the_old_values_to_whoever_used_them(device):
    x = Tensor([1.0, 2.0])
    lazy, other = x + 1, x.detach()
    x.assign(Tensor([10.0, 20.0]))
    x += 1
    assert x.tolist() == [11, 21] and lazy.tolist() == [2, 3] and other.tolist() == [1, 2]
    assert x.assign(5).tolist() == [5, 5]


def test_bools_are_stored_as_zero_or_one(device):
    """Also the last ones of a row, that fill no vector."""
    results = [Tensor(np.arange(n, dtype=np.float32)) % 3 < 2 for n in range(1, 40)]
    Tensor.realize(*results)
    for n, result in enumerate(results, 1):
        assert result.numpy().view(np.uint8).tolist() == [int(i % 3 < 2) for i in range(n)]


def test_what_overflows_only_before_a_sum_may_be_none(device):
    """A product and a sum may be rounded once together (README, "Limits"): then inf - 1e30 * 1e30 is inf, not NaN. The
    bounds of random programs must allow both, and nothing else."""
    x, y = (Tensor(np.array(v, np.float32)) for v in ([math.inf, 1e30], [1, -1e30]))
    results = [(x * y).sum(), (x * y)[1] + x[0]]
    bounds = Intervals().of([result.node for result in results])
    for result, may_be in zip(results, bounds):
        assert result.item() == math.inf or math.isnan(result.item())
        assert may_be.wild.all()
    assert not Intervals().of([(x * y)[0:1].sum().node])[0].wild.any()


def test_a_tensor_is_formatted_as_a_number_or_printed(device):
    x = Tensor(2.0) / 3
    assert f"{x:.3f} {x:8.2e}" == "0.667 6.67e-01" and f"{x}" == repr(x)
    with pytest.raises(ValueError, match="item: only one element"):
        f"{Tensor.ones(2):.3f}"


@pytest.mark.parametrize("name, number", [("float64", 0.1), ("int64", 2 ** 40 + 1), ("uint32", 3 * 10 ** 9)])
def test_a_number_that_is_assigned_is_as_exact_as_its_place(name, number, device):
    whole, part = Tensor.zeros(2, dtype=name), Tensor.zeros(2, dtype=name)
    part[1] = number
    Tensor.realize(whole.assign(number), part)
    assert whole.tolist() == [number, number] and part.tolist() == [0, number]


def test_in_place_operators(device):
    a = np.array([7.0, -3.0], np.float32)
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
        x = Tensor(a)
        result = getattr(x, f"__i{name}__")(2.0)
        assert result is x
        close(x, getattr(a, f"__{name}__")(2.0), 1e-6, 1e-6, name)


def test_gradients_flow_through_in_place_operators(device):
    w = Tensor([2.0, 3.0], requires_grad=True)
    loss = Tensor([0.0])
    for i in range(1, 4):
        loss += (w * w).sum() * i
    loss.sum().backward()
    assert loss.item() == 78 and w.grad.tolist() == [24, 36]
    rows = Tensor.ones(3, 2)
    rows[1] = w * 5
    rows *= rows
    assert rows.sum().gradient(w)[0].tolist() == [100, 150]
    kept = w * 1
    squares = Tripled.apply(kept, Tensor([5.0, 7.0])).sum()             # what a Function keeps is not changed by +=
    kept += 100
    assert squares.gradient(w)[0].tolist() == [15, 21] and kept.sum().gradient(w)[0].tolist() == [1, 1]
    w -= Tensor([1.0, 1.0]) * w                                         # a parameter: this is no part of a later loss
    assert w.tolist() == [0, 0] and (w * 3).sum().gradient(w)[0].tolist() == [3, 3]


def test_a_tensor_moves_between_devices():
    x = Tensor([[1, 2], [3, 4]], device="C")
    y = x.to("NUMPY")
    assert y.device == "NUMPY" and (y * 2).tolist() == [[2, 4], [6, 8]] and x.to("C") is x
    assert y.to("CL").to("C").tolist() == x.tolist()


def test_contiguous_and_realize_change_no_values(device):
    a = random_numbers("contiguous", 4, 6).astype(np.float32)
    x = Tensor(a)
    same(x.T.contiguous()[1:3].realize() + 0, a.T[1:3])
    assert Tensor.realize(x.T, x + 1) is not None


# ---------------------------------------------------------------------------------------------------------------------
# Gradients
# ---------------------------------------------------------------------------------------------------------------------
SECOND = {
    "sigmoid": lambda x: x.sigmoid(), "tanh": lambda x: x.tanh(), "gelu": lambda x: x.gelu(), "exp": lambda x: x.exp(),
    "softplus": lambda x: x.softplus(), "softmax": lambda x: x.softmax(), "log_softmax": lambda x: x.log_softmax(),
    "log": lambda x: (x * x + 1).log(), "sqrt": lambda x: (x * x + 1).sqrt(), "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(), "pow": lambda x: (x.abs() + 1) ** 1.5, "div": lambda x: 1 / (x + 5),
    "max": lambda x: x.max() ** 3, "prod": lambda x: x.prod(), "std": lambda x: x.std(),
    "cumsum": lambda x: x.cumsum(0) ** 2, "layernorm": lambda x: x.layernorm() * Tensor(np.arange(6.0)),
    "matmul": lambda x: x.reshape(2, 3) @ x.reshape(3, 2), "where": lambda x: (x > 0).where(x ** 3, x * 2),
    "rows": lambda x: x[Tensor([0, 2, 2])] ** 3, "pad": lambda x: x.pad((1, 1)) ** 2 * x.pad((2, 0)),
    "conv2d": lambda x: x.reshape(1, 1, 2, 3).conv2d(x[:4].reshape(1, 1, 2, 2)),
    "cross_entropy": lambda x: x.reshape(2, 3).cross_entropy(Tensor([2, 0])),
    "attention": lambda x: Tensor.scaled_dot_product_attention(*[x.reshape(3, 2)] * 3, is_causal=True),
}


def first_gradient(function, array):
    x = Tensor(array)
    return (function(x) ** 2).sum().gradient(x)[0].numpy()


@on("C", "NUMPY")
@pytest.mark.parametrize("name", SECOND)
def test_second_gradients(name, device, monkeypatch):
    """Of gradient(x) ** 2, against central differences of the first gradient on the NUMPY device."""
    function, array = SECOND[name], random_numbers(f"second {name}", 6)
    x = Tensor(array)
    first, = (function(x) ** 2).sum().gradient(x)
    second, = (first ** 2).sum().gradient(x)
    Tensor.realize(first, second)
    with monkeypatch.context() as patch:
        patch.setattr(Device, "DEFAULT", "NUMPY")
        want, = central_differences(lambda a: first_gradient(function, a) ** 2, [array], 1.0)
    close(second, want, 1e-6, 1e-7 * np.abs(want).max())


READERS = {"numpy": Tensor.numpy, "realize": Tensor.realize, "print": repr, "tolist": Tensor.tolist,
           "nothing": lambda x: None}


@pytest.mark.parametrize("reader", READERS)
def test_reading_a_value_never_cuts_the_graph(reader, device):
    read, x = READERS[reader], Tensor(np.array([1.0, 2.0]), requires_grad=True)
    cube = x ** 3
    read(cube)
    first, = cube.sum().gradient(x)
    read(first)
    read(x)
    second, = first.sum().gradient(x)
    read(second)
    third, = second.sum().gradient(x)
    (cube * x).sum().backward()
    Tensor.realize(first, second, third, x.grad)
    assert [first.tolist(), second.tolist(), third.tolist()] == [[3, 12], [6, 12], [6, 6]]
    assert x.grad.tolist() == [4, 32]


def test_gradients_accumulate_in_grad(device):
    x, y, z = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(3))
    (x * 2 + y * 3).sum().backward()
    assert x.grad.tolist() == [2, 2] and y.grad.tolist() == [3, 3] and z.grad is None
    (x * 5).sum().backward()
    assert x.grad.tolist() == [7, 7] and y.grad.tolist() == [3, 3]
    x.grad = None
    (x * y).backward(Tensor([1.0, 10.0]))
    assert x.grad.tolist() == [1, 20]


def test_equal_leaves_have_gradients_of_their_own(device):
    x, y = Tensor.zeros(2, requires_grad=True), Tensor.zeros(2, requires_grad=True)
    (x * 2 + y * 3).sum().backward()
    assert x.grad.tolist() == [2, 2] and y.grad.tolist() == [3, 3]


def test_gradient_gives_one_for_each_target(device):
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    middle = x * y
    gradients = (middle ** 2).sum().gradient(middle, x, y, Tensor([5.0]))
    Tensor.realize(*gradients)
    assert [g.tolist() for g in gradients] == [[6, 16], [18, 64], [6, 32], [0]]


def test_detach_lets_no_gradient_through(device):
    x = Tensor([3.0], requires_grad=True)
    (x * x.detach() + x.detach() ** 2).sum().backward()
    assert x.grad.tolist() == [3]


def test_gradient_of_max_splits_ties(device):
    x = Tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    over_rows, = x.max(1).sum().gradient(x)
    pairwise = (x.maximum(Tensor([[1.0, 0.0, 3.0], [2.0, 9.0, 1.0]]))).sum().gradient(x)[0]
    Tensor.realize(over_rows, pairwise)
    close(over_rows, [[0, 0.5, 0.5], [1 / 3] * 3])
    assert pairwise.tolist() == [[0.5, 1, 0.5], [0.5, 0, 1]]


def test_beside_a_nan_each_operand_of_maximum_gets_the_gradient_as_in_pytorch(device):
    x, y = Tensor([math.nan, 1.0, math.nan, 2.0]), Tensor([0.0, math.nan, math.nan, 3.0])
    greatest, least = x.maximum(y).sum().gradient(x, y), x.minimum(y).sum().gradient(x, y)
    Tensor.realize(*greatest, *least)
    assert [x.tolist() for x in greatest] == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert [x.tolist() for x in least] == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_gradients_at_kinks_are_zero(device):
    x = Tensor([0.0])
    for function in (Tensor.relu, Tensor.abs, Tensor.sign, Tensor.floor):
        assert function(x).sum().gradient(x)[0].tolist() == [0], function.__name__


class Tripled(Function):
    """Twice its first input, with a gradient of its own: three times the second, and none for that."""

    def forward(self, x, y):
        self.y = y
        return x * 2

    def backward(self, grad):
        return grad * 3 * self.y, None


def test_an_operation_may_have_a_gradient_rule_of_its_own(device):
    x, y = Tensor([1.0, 2.0], requires_grad=True), Tensor([5.0, 6.0])
    z = Tripled.apply(x * 1, y)
    z.sum().backward()
    assert z.tolist() == [2, 4] and x.grad.tolist() == [15, 18]


def test_a_gradient_has_the_dtype_of_its_tensor(device):
    for names in itertools.permutations(["float16", "float32", "float64"], 2):
        x, y = (Tensor(random_numbers(name, 1, 1, 3, 2), dtype=name, requires_grad=True) for name in names)
        for function in (Tensor.mul, lambda x, y: x @ y.transpose(-1, -2), Tensor.conv2d, Tripled.apply):
            assert [g.dtype for g in function(x, y).sum().gradient(x, y)] == [x.dtype, y.dtype], (names, function)


def test_a_function_of_tensors_differentiates_again(device):
    class Cube(Function):
        def forward(self, x):
            self.x = x
            return x * x * x

        def backward(self, grad):
            return grad * 3 * self.x * self.x
    x = Tensor([2.0])
    first, = Cube.apply(x).sum().gradient(x)
    second, = first.sum().gradient(x)
    assert first.tolist() == [12] and second.tolist() == [12]


def doubles(*shapes):
    """float64 Tensors that want a gradient."""
    return [Tensor(random_numbers(i, *shape), requires_grad=True) for i, shape in enumerate(shapes)]


def test_gradcheck_accepts_right_gradients(device):
    rows = Tensor([[0, 2], [1, 1]])
    x, w = doubles((3, 4), (4, 2))
    assert tiny.gradcheck(lambda x, rows, w: (x[rows], (x @ w).softmax(0)), (x, rows, w))           # several results
    assert tiny.gradcheck(Tensor.tanh, w) and tiny.gradcheck(lambda x: x * x, doubles(())[0])
    assert tiny.gradcheck(Tensor.exp, doubles((0, 3)))
    assert x.grad is None and w.grad is None


def test_gradcheck_rejects_a_wrong_gradient_and_says_where(device):
    def wrong_in_one_place(x, y):
        mask = Tensor(np.arange(6).reshape(2, 3) == 4)
        return x * mask.where(y.detach() + y / 1000, y)                 # at [1, 1], y's gradient is too small

    x, y = doubles((2, 3), (2, 3))
    with pytest.raises(RuntimeError) as error:
        tiny.gradcheck(wrong_in_one_place, (x, y))
    assert "input 1" in str(error.value) and "[1, 1]" in str(error.value)
    found, difference = map(float, re.findall(r"-?\d+\.\d+", str(error.value)))
    close(1.001 * found, 0.001 * difference, 1e-6)
    assert tiny.gradcheck(wrong_in_one_place, (x, y), raise_exception=False) is False
    y.requires_grad = False                                             # then nobody asks
    assert tiny.gradcheck(wrong_in_one_place, (x, y))
    assert not tiny.gradcheck(Tensor.log, Tensor([-1.0, 2.0], dtype="float64", requires_grad=True),
                              raise_exception=False)                    # NaN is never right
    y, = doubles((3,))
    assert tiny.gradcheck(lambda y: 1.01 * y - 0.01 * y.detach(), y, rtol=0.02)
    assert not tiny.gradcheck(lambda y: 1.01 * y - 0.01 * y.detach(), y, raise_exception=False)


@on(*COMPILED)
def test_a_chain_of_ten_thousand_nodes_is_computed(device):
    x = y = Tensor(np.array([1.0, -1.0, 0.5], np.float32))
    for _ in range(5000):
        y = y * 0.9999 + 0.0001
    gradient, = y.sum().gradient(x)
    Tensor.realize(y, gradient)
    decay = 0.9999 ** 5000
    close(y, 1 - decay * (1 - np.array([1, -1, 0.5])), 1e-3)
    close(gradient, [decay] * 3, 1e-3)


# ---------------------------------------------------------------------------------------------------------------------
# Random programs
#
# Each is a list of Python expressions of earlier values. What its graph may compute is found by interval arithmetic
# (R. E. Moore, Interval Analysis, 1966): every number of every node is known to lie between two float64, which each
# operation widens by its own rounding. So the bounds follow from the operations and hold for every order of a sum and
# every fusion. Integers and bools are exact, but for those that come from a float on either side of a limit.
# ---------------------------------------------------------------------------------------------------------------------
class FloatType(NamedTuple):
    """What rounding does in a dtype: it adds at most |x| * unit + least / 2, and makes more than `most` infinite."""
    unit: float
    least: float
    most: float
    normal: float


# Of float64 the unit is twice that of its rounding: the bounds are float64, and so are rounded themselves.
FLOAT_TYPES = {dtypes.float16: FloatType(2.0 ** -11, 2.0 ** -24, 65504.0, 2.0 ** -14),
               dtypes.bfloat16: FloatType(2.0 ** -8, 2.0 ** -133, float.fromhex("0x1.fep127"), 2.0 ** -126),
               dtypes.float32: FloatType(2.0 ** -24, 2.0 ** -149, float.fromhex("0x1.fffffep127"), 2.0 ** -126),
               dtypes.float64: FloatType(2.0 ** -52, 2.0 ** -1074, sys.float_info.max, 2.0 ** -1022)}
# How many roundings an operation may be off: for the functions, what OpenCL 1.2 (section 7.4) allows.
ROUNDINGS = {"add": 1, "mul": 1, "div": 5, "sqrt": 6, "exp": 6, "log": 6, "sin": 8, "sigmoid": 16, "max": 0, "trunc": 0,
             "round": 0, "idiv": 5, "mod": 1, "pow": 32}


class Bounds(NamedTuple):
    """What the numbers of a value may be: from `low` to `high` (float64; of integers and bools the number itself), or
    NaN if both are; where it is `wild`, anything."""
    low: np.ndarray
    high: np.ndarray
    wild: np.ndarray

    @classmethod
    def of(cls, array):
        return cls(array, array, np.zeros(array.shape, bool))

    @property
    def exact(self):
        return (self.low == self.high) | (self.low != self.low) & (self.high != self.high)

    @property
    def size(self):
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def moved(self, function):
        return Bounds(*map(function, self))

    def allow(self, array):
        """Which numbers of an array may be."""
        if self.low.dtype.kind != "f":
            return self.wild | (array == self.low)
        array = array.astype(np.float64)
        return self.wild | (self.low <= array) & (array <= self.high) | np.isnan(self.low) & np.isnan(array)

    def tight(self):
        """Which numbers are known to a thousandth."""
        if self.low.dtype.kind != "f":
            return ~self.wild & self.exact
        with np.errstate(all="ignore"):
            return ~self.wild & (self.exact | (self.high - self.low <= 1e-3 * self.size + 1e-6))


def is_product(node):
    while node.op in tiny.MOVEMENTS:
        node = node.sources[0]
    return node.op == "mul"


class Intervals:
    """Interprets a graph as the NUMPY device does, with the bounds of its numbers in place of these.

    `leaves` gives those of some nodes; others hold what is in their buffers. `kinked` becomes True if a comparison may
    come out either way: there a function has no derivative.
    """

    def __init__(self, leaves=()):
        self.numpy, self.values, self.kinked = Device["NUMPY"], dict(leaves), False

    def of(self, roots):
        with np.errstate(all="ignore"):
            for node in tiny.topological(roots, lambda node: node in self.values or node.buffer is not None):
                if node not in self.values:
                    self.values[node] = self.compute(node, *(self.values[source] for source in node.sources)) \
                        if node.buffer is None else self.point(node, node.buffer.numpy())
        return [self.values[node] for node in roots]

    def point(self, node, array):
        array = tiny.cast_array(array, np.dtype(float)) if tiny.is_float(node.dtype) else array
        return Bounds.of(np.broadcast_to(array, node.shape))

    def rounded(self, dtype, low, high, wild, roundings, amount=None):
        """Bounds widened by so many roundings in `dtype` of numbers as large as they are, or as `amount`."""
        unit, least, most, _ = FLOAT_TYPES[dtype]
        error = roundings * ((np.maximum(np.abs(low), np.abs(high)) if amount is None else amount) * unit + least / 2)
        at_least = lambda x: np.select([x > most * (1 + 4 * unit), x > most, x < -most], [np.inf, most, -np.inf], x)
        low = at_least(np.where(np.isfinite(low), low - error, low))
        high = -at_least(np.where(np.isfinite(high), -high - error, -high))
        return Bounds(low, high, wild | (np.isnan(low) != np.isnan(high)))

    def compute(self, node, *x):
        op = node.op
        if op in ("const", "index"):
            number = node.arg if op == "const" else np.arange(node.arg, dtype=np.int32)
            return self.point(node, tiny.cast_array(np.array(number, float), node.dtype)
                              if tiny.is_float(node.dtype) else np.array(number, node.dtype))
        if op in tiny.IDENTITY:
            return x[0]
        if op in {*tiny.MOVEMENTS, "pad"}:
            return x[0].moved(lambda a: self.numpy.compute(
                SimpleNamespace(op=op, arg=node.arg, shape=node.shape, dtype=a.dtype), a))
        if op in ("sum", "max_over", "gather", "scatter", "where", "cast", "bitcast"):
            return getattr(self, op)(node, *x)
        wild = functools.reduce(np.logical_or, [a.wild for a in x])
        if not tiny.is_float(node.sources[0].dtype):                    # exact if the operands are
            return Bounds.of(self.numpy.compute(node, *(a.low for a in x)))._replace(wild=wild)
        return self.sin(node, *x) if op == "sin" else self.monotone(node, wild, *x)

    def monotone(self, node, wild, *x):
        """A function that rises or falls in each operand: its extremes are at the corners."""
        op, exact = node.op, np.logical_and.reduce([a.exact for a in x])
        corners = [tiny.ELEMENTWISE[op].numpy(*ends) for ends in itertools.product(*(a[:2] for a in x))]
        low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
        together = len(x) == 2 and (x[0].low <= x[1].high) & (x[1].low <= x[0].high) & ~exact
        if op in tiny.COMPARISONS:
            unsure = together if op in ("eq", "ne") else ~exact & (low != high)
            self.kinked |= unsure.any()
            return Bounds(corners[0], corners[0], wild | unsure)
        if op in ("idiv", "mod"):                                       # with one quotient the remainder is monotone
            ends = [np.floor_divide(*pair) for pair in itertools.product(*(a[:2] for a in x))]
            jumps = np.minimum.reduce(ends) != np.maximum.reduce(ends)
            self.kinked |= np.any(jumps & ~exact)
            wild = wild | ~exact & ((x[1].low <= 0) & (x[1].high >= 0) | jumps & (op == "mod"))
        if op == "pow":
            wild = wild | ~exact & (x[0].low <= 0)
        if op in ("max", "trunc", "round"):
            self.kinked |= np.any(together if op == "max" else low != high)
        if op == "div":                                                 # the sign of a zero is nobody's promise
            wild = wild | (x[1].low <= 0) & (x[1].high >= 0) & ~np.isnan(corners).all(0)
        if op == "add" and any(map(is_product, node.sources)):          # as in sum()
            wild = wild | np.isnan(low) & ~np.isnan(x[0].low) & ~np.isnan(x[1].low)
        if op == "mul":                                                 # what a mask hides is not looked at
            for a, b in x, x[::-1]:
                wild = wild | (a.low <= 0) & (a.high >= 0) & ~np.isfinite(b.size)
        result = self.rounded(node.dtype, low, high, wild | np.isnan(corners).any(0) & ~exact, ROUNDINGS[op])
        if op in ("exp", "sigmoid"):                                    # less than normal, it may be lost on the way
            normal = FLOAT_TYPES[node.dtype].normal
            result = result._replace(low=np.where(result.low < 2 * normal, np.minimum(result.low, 0), result.low),
                                     high=np.where(result.high < normal, normal, result.high))
        return result

    def sin(self, node, x):
        half, middle = (x.high - x.low) / 2, np.sin(x.low / 2 + x.high / 2)
        known = x.exact | np.isfinite(half)
        low, high = (np.where(x.exact, middle, np.clip(middle + s * half, -1, 1)) for s in (-1, 1))
        return self.rounded(node.dtype, low, high, x.wild | ~known, ROUNDINGS["sin"], 1.0)

    def where(self, node, condition, a, b):
        low, high = (np.where(condition.low, p, q) for p, q in zip(a[:2], b[:2]))
        wild = np.where(condition.low, a.wild, b.wild)
        if tiny.is_float(node.dtype):
            low = np.where(condition.wild, np.minimum(a.low, b.low), low)
            high = np.where(condition.wild, np.maximum(a.high, b.high), high)
            return Bounds(low, high, wild | condition.wild & (a.wild | b.wild | np.isnan(low)))
        return Bounds(low, low, wild | condition.wild & (a.wild | b.wild | (a.low != b.low)))

    def cast(self, node, x):
        source, dtype = node.sources[0].dtype, node.dtype
        if tiny.is_float(dtype):
            return self.rounded(dtype, *(a.astype(float) for a in x[:2]), x.wild, 1.001)        # 1.001: not at once
        low, high = (tiny.cast_array(a, dtype) for a in x[:2])          # out of range it is what it is
        self.kinked |= np.any(low != high)
        lossless = not tiny.is_float(source) or dtype == dtypes.bool
        limits = (-1, 2) if dtype == dtypes.bool else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        inside = lossless | (x.low > limits[0]) & (x.high < limits[1])
        return Bounds(low, low, x.wild | (low != high) | ~inside & ~x.exact)

    def bitcast(self, node, x):
        """Known of what is known to the bit."""
        of_float = tiny.is_float(node.sources[0].dtype)
        bits = x.low.astype(node.sources[0].dtype).view(node.dtype)
        return self.point(node, bits)._replace(wild=x.wild | ~x.exact | of_float & ((x.low == 0) | np.isnan(x.low)))

    def sum(self, node, x):
        if not tiny.is_float(node.dtype):
            return Bounds.of(self.numpy.compute(node, x.low))._replace(wild=x.wild.any(node.arg, keepdims=True))
        low, high, size = (a.sum(node.arg, keepdims=True) for a in (x.low, x.high, x.size))
        finite = np.where(np.isfinite(x.size), x.size, 0).sum(node.arg, keepdims=True)
        infinite = (~np.isfinite(x.size)).any(node.arg, keepdims=True)
        sure = ~(x.wild | ~np.isfinite(x.size) & ~x.exact).any(node.arg, keepdims=True)
        if is_product(node.sources[0]):                                 # may be infinite only if rounded before the sum
            sure &= ~np.isnan(low) | np.isnan(x.low).any(node.arg, keepdims=True)
        return self.rounded(node.dtype, low, high, ~sure | (finite * 1.01 > FLOAT_TYPES[node.dtype].most),
                            x.low.size // max(1, low.size) + 2, np.where(infinite, 0, size))

    def max_over(self, node, x):
        low, high = (a.max(node.arg, keepdims=True) for a in x[:2])
        candidates = (x.high >= low).sum(node.arg, keepdims=True)
        self.kinked |= bool(((candidates > 1) & (low != high)).any())
        return Bounds(low, high, x.wild.any(node.arg, keepdims=True))

    def gather(self, node, table, index):
        result = table.moved(lambda a: self.numpy.gather(a, index.low))
        rows = index.wild.reshape(index.wild.shape + (1,) * (len(table.low.shape) - 1))
        return result._replace(wild=result.wild | rows)

    def scatter(self, node, index, x):
        to = lambda a: self.numpy.scatter(SimpleNamespace(arg=node.arg, shape=node.shape, dtype=a.dtype), index.low, a)
        wild = to(x.wild.astype(int)) + index.wild.any() > 0
        if not tiny.is_float(node.dtype):
            return Bounds.of(to(x.low))._replace(wild=wild)
        size = to(x.size)
        return self.rounded(node.dtype, to(x.low), to(x.high), wild | ~(size * 1.01 < FLOAT_TYPES[node.dtype].most),
                            to(np.ones_like(x.low)) + 2, size)


# What a step may be: an expression with values for {}. The kinds of operands: f float, i integer, b bool, n any number,
# a anything. Where there are several the later ones broadcast with the first.
STEPS = {
    "f": ["-{}", "{}.abs()", "{}.relu()", "{} * 0.5", "1 - {}", "{}.square()", "{}.sin()", "{}.cos()", "{}.exp()",
          "{}.log()", "(-{}.square()).exp()", "({}.square() + 1).sqrt()", "({}.abs() + 1).log()", "{}.sigmoid()",
          "{}.tanh()", "{}.trunc()", "{}.floor()", "{}.round()", "{}.sqrt()", "{}.reciprocal()", "{}.clamp(-1, 1)",
          "{}.gelu()", "{}.silu()", "{}.softplus()", "{}.sign()", "{}.isnan()", "{}.isinf()", "{} ** 3", "{} ** 0.5",
          "2 ** {}"],
    "i": ["-{}", "{}.abs()", "{} * 3", "{} + 100", "7 - {}", "{} // 3", "{} % 5", "7 // {}", "{} & 6", "{} | 1",
          "{} ^ 5", "{} << 2", "{} >> 1", "{}.relu()", "{}.square()", "{}.clamp(2, 9)", "~{}"],
    "b": ["~{}", "{}.logical_not()", "{}.float()", "{}.int() - 1", "{}.where(1.5, -2)", "{}.where(3, 4)"],
    "n": ["{}.cast(dtypes.float16)", "{}.cast(dtypes.bfloat16)", "{}.cast(dtypes.float32)", "{}.cast(dtypes.float64)",
          "{}.cast(dtypes.int8)", "{}.cast(dtypes.uint8)", "{}.cast(dtypes.int32)", "{}.cast(dtypes.int64)",
          "{}.cast(dtypes.uint32)", "{}.cast(dtypes.bool)", "{} == 0", "{} < 1", "{} >= 0.5"],
    "a": ["{}.contiguous()", "{}.detach()"],
    "ff": ["{} + {}", "{} - {}", "{} * {}", "{} / ({}.abs() + 0.5)", "{} / {}", "{} // {}", "{} % {}",
           "{}.lerp({}, 0.25)", "{}.abs() ** {}"],
    "nn": ["{} + {}", "{} - {}", "{} * {}", "{}.maximum({})", "{}.minimum({})", "{} < {}", "{} <= {}", "{} == {}",
           "{} != {}", "{} > {}"],
    "ii": ["{} + {}", "{} * {}", "{} // {}", "{} % {}", "{} & {}", "{} | {}", "{} ^ {}", "{} << ({} & 3)",
           "{} >> ({} & 7)", "{} ** ({} & 7)"],
    "bb": ["{} & {}", "{} | {}", "{} ^ {}", "{} == {}"],
    "bnn": ["{}.where({}, {})"], "bn": ["{}.where({}, 0)", "{}.where(1, {})"],
    "nb": ["{0} * {1}", "{0}.masked_fill({1}, 2)"],
    "nnn": ["{0} * {1} + {2}"], "fff": ["{0} * {1} + {2} * {0}", "({0} - {1}).exp() * {2}"],
}
SMOOTH = {"f": ["-{}", "{} * 0.5", "{}.square()", "{}.sin()", "(-{}.square()).exp()", "({}.square() + 1).sqrt()",
                "{}.abs()", "{}.sigmoid()", "{}.tanh()", "({}.square() + 1).log()", "{}.relu()", "{}.gelu()",
                "{}.softplus()", "{} ** 3"],
          "ff": ["{} + {}", "{} - {}", "{} * {}", "{} / ({}.square() + 1)", "{}.maximum({})", "{}.minimum({})",
                 "({} < {}).where(v[0].sum(), 2)"],
          "fff": ["{0} * {1} + {2} * {0}", "({0} < {1}).where({1}, {2})"]}
LEAVES = ["float32"] * 3 + ["int32"] * 2 + ["float64", "float16", "bfloat16", "int64", "int8", "uint8", "bool"]
DIMENSIONS = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 64, 65, 128]


below = functools.cache(lambda n: st.integers(0, n - 1))
permutations = functools.cache(lambda n: st.permutations(range(n)))
broadcast = functools.lru_cache(10000)(np.broadcast_shapes)


class Program:
    """A random program: `leaves`, a (dtype, shape, seed) each, and `steps`, expressions of v[0], v[1], ... of which the
    `outputs` are wanted. `draw` is hypothesis's. In a `smooth` one all is float64 and has gradients."""

    def __init__(self, draw, most=60, smooth=False):
        self.draw, self.smooth, self.steps, self.leaves = draw, smooth, [], []
        shape = [self.choose(DIMENSIONS) for _ in range(self.choose([0, 1, 1, 2, 2, 2, 3, 3, 4]))]
        if self.choose(range(40)) == 39:
            shape.append(0)
        while math.prod(shape) > 2048:
            shape.remove(max(shape))
        for i in range(self.choose([1, 2, 2, 3, 3, 4])):
            part = tuple(n if i == 0 or self.choose([True, True, False]) else 1 for n in shape)
            part = part[self.choose(range(len(part) + 1)) if i and self.choose(range(4)) == 0 else 0:]
            dtype = "float64" if smooth else self.choose(LEAVES)
            special = not smooth and self.choose(range(10)) == 9
            self.leaves.append((dtype, part, self.choose(range(100)), special))
        self.values = self.inputs("NUMPY")                              # lazy: they tell shapes and dtypes
        length = self.choose([1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6, 8, 8, 10, 12, 16, 24, 60])
        kinds = ["step"] * 8 + ["move"] * 5 + ["reduction"] * 3 + ["rows", "rowwise", "matmul", "join", "scatter"]
        tries = 0
        while len(self.steps) < min(length, most) and tries < 3 * length:
            tries += 1
            getattr(self, self.choose(kinds))()
        if not self.steps:
            self.append("v[0].cat(v[0])" if shape else "v[0] * 1")
        made = range(len(self.leaves), len(self.values))
        last = [i for i in made if not any(f"v[{i}]" in step for step in self.steps)]
        self.outputs = (last + [i for i in made[::-1] if i not in last][:self.choose([0, 0, 1, 2])])[:4]

    def choose(self, options):
        return options[self.draw(below(len(options)))]

    def inputs(self, device):
        return [Tensor(leaf_numbers(*leaf), device=device, dtype=leaf[0]) for leaf in self.leaves]

    def append(self, step):
        """Add a step, unless its numbers get too many."""
        value = eval(step, {"v": self.values, "dtypes": dtypes, "Tensor": Tensor})
        if value.numel() <= 4096 and value.ndim <= 6:
            self.steps.append(step)
            self.values.append(value)

    def pick(self, kind, like=()):
        """The number of a value of a kind that broadcasts with those `like` it; None without any."""
        kinds = {"f": "fV", "i": "iu", "b": "b", "n": "fViu", "a": "fViub"}[kind]
        shapes = [self.values[i].shape for i in like]

        def fits(value):
            with contextlib.suppress(ValueError):
                return value.dtype.kind in kinds and math.prod(broadcast(value.shape, *shapes)) <= 4096
        found = [i for i, value in enumerate(self.values) if fits(value)]
        if not found:
            return None
        return self.choose(found[-4:] if self.choose([True, False]) else found)         # rather a late one

    def step(self):
        table = SMOOTH if self.smooth else STEPS
        kinds, found = self.choose(list(table)), []
        for kind in kinds:
            found.append(self.pick(kind, found))
            if found[-1] is None:
                return
        self.append(self.choose(table[kinds]).format(*(f"v[{i}]" for i in found)))

    def move(self):
        """One to four movements, one after the other."""
        x = self.pick("a")
        step, value = f"v[{x}]", self.values[x]
        for _ in range(self.choose([1, 1, 2, 3, 4])):
            step += self.movement(value.shape)
            value = eval(step, {"v": self.values})
            if value.numel() > 4096:
                return
        self.append(step)

    def movement(self, shape):
        choose, axis = self.choose, self.choose(range(max(1, len(shape))))
        n = shape[axis] if shape else 1
        kind = choose(["expand"] + ["permute", "flip", "pad", "shrink", "step", "merge", "split", "roll", "repeat"] *
                      bool(shape))
        if kind == "expand":
            place, times = choose(range(len(shape) + 1)), choose([1, 2, 3, 8])
            return f".unsqueeze({place}).expand({[*shape[:place], times, *shape[place:]]})"
        if kind == "permute":
            return f".permute({list(self.draw(permutations(len(shape))))})"
        if kind == "pad":
            widths = [(0, 0)] * len(shape)
            widths[axis] = choose(range(4)), choose(range(4))
            return f".pad({widths}{choose(['', '', ', value=1'])})"
        if kind == "shrink":
            start = choose(range(n + 1))
            return f"[{':, ' * axis}{start}:{choose(range(start, n + 1))}]" if choose(range(20)) == 19 or n < 2 else \
                f"[{':, ' * axis}{start // 2}:{max(start // 2 + 1, choose(range(n + 1)))}]"
        if kind == "step":
            return f"[{':, ' * axis}::{choose([-3, -2, 2, 3])}]"
        if kind == "merge":
            return f".flatten({axis}, {choose(range(axis, len(shape)))})"
        if kind == "split":
            factor = choose([d for d in range(1, n + 1) if n % d == 0] or [1])
            return f".unflatten({axis}, ({factor}, {n // factor}))"
        return {"flip": f".flip({axis})", "roll": f".roll({choose([1, 2, -1])}, {axis})",
                "repeat": f".repeat({[1] * axis + [2] + [1] * (len(shape) - axis - 1)})"}[kind]

    def reduction(self):
        x = self.pick("f" if self.smooth else "a")
        if x is None:
            return
        value = self.values[x]
        axes = tuple(a for a in range(value.ndim) if self.choose([True, False]))
        kinds = ["sum", "sum", "max", "mean", "min"] if value.dtype.kind in "fV" else \
            ["sum", "max", "min"] if value.dtype.kind in "iu" else ["sum", "any", "all"]
        kind = self.choose(kinds)
        if axes and (math.prod(value.shape[a] for a in axes) or kind in ("sum", "any", "all")):
            self.append(f"v[{x}].{kind}({axes}, keepdim={self.choose([True, False])})")

    def rowwise(self):
        x = self.pick("f")
        if x is not None and self.values[x].ndim and self.values[x].numel():
            axis = self.choose(range(self.values[x].ndim))
            kinds = ["softmax({})", "log_softmax({})", "logsumexp({})", "cumsum({})", "var({})", "layernorm({})"]
            kinds += [] if self.smooth else ["argmax({})", "argmin({})"]
            kinds += ["tril()", "triu(1)"] if self.values[x].ndim > 1 else []
            kind = self.choose(kinds)
            if (kind == "var({})") <= (self.values[x].shape[axis] > 1):
                self.append(f"v[{x}]." + kind.format(axis))

    def rows(self):
        x, index = self.pick("f" if self.smooth else "a"), self.pick("i")
        if None not in (x, index) and self.values[x].ndim and self.values[x].shape[0]:
            n = self.values[x].shape[0]
            self.append(f"v[{x}][v[{index}].int() % {n}]")

    def scatter(self):
        """The gradient of rows, also where rows are taken twice or not at all."""
        x, index = self.pick("f"), self.pick("i")
        if None not in (x, index) and self.values[x].ndim and 0 < self.values[x].shape[0] and not self.smooth:
            rows = f"v[{x}][v[{index}].int() % {self.values[x].shape[0]}]"
            value = eval(rows, {"v": self.values})
            if value.numel() <= 4096:
                self.append(f"({rows}.square().sum() * 0.5).gradient(v[{x}])[0]")

    def join(self):
        x = self.pick("f" if self.smooth else "a")
        if x is not None and self.values[x].ndim:
            same = [i for i, value in enumerate(self.values) if value.shape == self.values[x].shape]
            y, axis = self.choose(same), self.choose(range(self.values[x].ndim))
            self.append(self.choose([f"v[{x}].cat(v[{y}], dim={axis})", f"Tensor.stack(v[{x}], v[{y}], dim={axis})"]))

    def matmul(self):
        x = self.pick("f" if self.smooth else "n")
        shape = self.values[x].shape if x is not None else ()
        if len(shape) >= 2:
            others = [i for i, y in enumerate(self.values) if y.ndim == 2 and y.shape[0] == shape[-1] and
                      y.dtype.kind in "fViu"]
            self.append(f"v[{x}] @ v[{self.choose(others)}]" if others and self.choose([True, False]) else
                        f"v[{x}] @ v[{x}].transpose(-1, -2)")

    def __repr__(self):
        leaves = [f"v[{i}] = Tensor(leaf_numbers{leaf}, dtype={leaf[0]!r})" for i, leaf in enumerate(self.leaves)]
        return "\n".join(leaves + [f"v[{i}] = {step}" for i, step in enumerate(self.steps, len(leaves))] +
                         [f"outputs {self.outputs}"])

    def outcomes(self, inputs):
        """The outputs, not yet realized."""
        values = [*inputs]
        for step in self.steps:
            values.append(eval(step, {"v": values, "dtypes": dtypes, "Tensor": Tensor}))
        return [values[i] for i in self.outputs]

    def total(self, inputs):
        return sum(((i + 1) * output.square()).sum() for i, output in enumerate(self.outcomes(inputs)))

    def results(self, device):
        """What is to be computed: the outputs, of a smooth program also its gradients."""
        inputs = self.inputs(device)
        return [*self.outcomes(inputs), *(self.total(inputs).gradient(*inputs) if self.smooth else ())]


class Several(list):
    """Programs whose results are computed together, as if they were one."""

    def __repr__(self):
        return "\ntogether with\n".join(map(repr, self))

    def results(self, device):
        return [result for program in self for result in program.results(device)]


def leaf_numbers(dtype, shape, seed, special=False):
    """Numbers of which many are small, exact and equal; with `special` also such as are on the edge."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-16, 17, shape)
    if dtype == "bool":
        return numbers > 0
    if "int" in dtype:
        info = np.iinfo(dtype)
        numbers = np.where(rng.random(shape) < 0.2, rng.choice([info.min, info.max, 0, 1], shape), numbers) if special \
            else numbers
        return np.maximum(numbers, info.min).astype(dtype)
    numbers = numbers / 8 if seed % 2 else np.round(rng.standard_normal(shape), 3)
    if special:
        edges = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-42, 65504.0, 1e30, -1e30, 2.0 ** 24 + 2, 88.5, -103.5]
        numbers = np.where(rng.random(shape) < 0.1, rng.choice(edges, shape), numbers)
    with np.errstate(over="ignore"):
        return numbers.astype("float32" if dtype == "bfloat16" else dtype)


@st.composite
def programs(draw, most=60, smooth=False):
    if not smooth and draw(below(8)) == 7:
        return Several([Program(draw, most // 3, False) for _ in range(3)])
    return Program(draw, most, smooth)


def compare(wanted, got, name, program, what="output"):
    """Each number of these Tensors, lazy on NUMPY and on another device, must be one that may be. Returns how many
    there are, and of how many the bounds are tight."""
    bounds = Intervals().of([output.node for output in wanted])
    for tensors in filter(None, (wanted, got)):
        Tensor.realize(*tensors)
    for i, (may_be, other, tensor) in enumerate(zip(bounds, wanted, got)):
        for device, tensor in (("NUMPY", other), (name, tensor)):
            array = tensor.numpy()
            assert (array.shape, tensor.dtype) == (may_be.low.shape, other.dtype)
            wrong = np.argwhere(~may_be.allow(array))
            if len(wrong):
                place = tuple(map(int, wrong[0]))
                raise AssertionError(f"{what} {i}, {list(place)}: {array[place]!r} on {device}, not within "
                                     f"{may_be.low[place]!r} .. {may_be.high[place]!r} ({len(wrong)} such)\n{program}")
    return np.array([sum(b.low.size for b in bounds), sum(int(b.tight().sum()) for b in bounds)])


def check_program(program, name):
    """All numbers that a program gives on a device, and on NUMPY."""
    return compare(program.results("NUMPY"), program.results(name), name, program)


def check_slope(program, step=2.0 ** -13):
    """The gradient of a smooth program on NUMPY, along a random direction, is what central differences tell. Returns
    whether there was something to compare: not next to a kink."""
    inputs = program.inputs("NUMPY")
    total, exact = program.total(inputs), Intervals()
    directions = [leaf_numbers("float64", leaf[1], leaf[2] + 1) for leaf in program.leaves]
    near = Intervals({x.node: Bounds(x.numpy() - step * abs(d), x.numpy() + step * abs(d), np.zeros(d.shape, bool))
                      for x, d in zip(inputs, directions)})
    known, = near.of([total.node])
    if near.kinked or known.wild.any():
        return 0
    slope = sum((gradient.numpy() * d).sum() for gradient, d in zip(total.gradient(*inputs), directions))
    there = lambda t: [Tensor(x.numpy() + t * d, device="NUMPY") for x, d in zip(inputs, directions)]
    at = lambda t: program.total(there(t))
    coarse, fine, finer = ((at(h).item() - at(-h).item()) / (2 * h) for h in (step, step / 2, step / 4))
    low, high, _ = exact.of([total.node])[0]
    # Of a difference of half the step the error is a quarter; and what rounding moves the total by, over the step.
    error = max(abs(coarse - fine), 4 * abs(fine - finer)) + 8 * float(high - low) / step
    assert abs(slope - finer) <= error, f"slope {slope}, by differences {coarse}, {fine}, {finer} +- {error}\n{program}"
    return 1


def check_plan(plan):
    """Threads wait between two kernels of which one writes where the other reads or writes. And what a kernel reads of
    the arena is what was written there last, as a whole, and is not where the kernel itself writes."""
    overlap = lambda p, q: p == q or p[0] == q[0] == "arena" and p[1] < q[2] and q[1] < p[2]
    runs = [(places[:len(kernel.outputs)], places[len(kernel.outputs):])
            for kernel, places in zip(plan.kernels, plan.places)]
    clash = lambda ours, theirs: any(overlap(p, q) for p in ours for q in theirs)
    for i, (written, read) in enumerate(runs):
        for j, (earlier, looked_at) in enumerate(runs[:i]):
            waits = any(plan.barriers[j + 1:i + 1])
            assert waits or not (clash(read, earlier) or clash(written, earlier + looked_at)), (i, j, runs)
        for place in [place for place in read if place[0] == "arena"]:
            assert [q for earlier, _ in runs[:i] for q in earlier if overlap(q, place)][-1:] == [place], (i, runs)
            assert not clash([place], written), (i, runs)
        assert not any(overlap(p, q) for p, q in itertools.combinations(written, 2)), (i, runs)


def every_program(check, name, count, first=0, **options):
    """check(program) for `count` random ones. Returns how many were made, and how many of them are distinct.

    At first they are only planned and their kernels compiled together: compilers are several times as fast so. If one
    fails, hypothesis goes through them again and makes it small.
    """
    device, kernels, found, made = Device[name], [], {}, itertools.count()

    def examples(body):
        seed(first)(settings(hypothesis_settings, derandomize=False, max_examples=count, suppress_health_check=list(
            HealthCheck))(given(programs(**options))(body)))()

    def look(program):
        next(made)
        found.setdefault(repr(program), program)
        for _, plan, *_ in tiny.plans([result.node for result in program.results(name) if result.numel()]):
            if name != "NUMPY":                                         # whose plan is the graph
                check_plan(plan)
    compile, device.compile, device.plans = getattr(device, "compile", len), kernels.extend, {}
    most, tiny.PLANS = tiny.PLANS, math.inf
    try:
        examples(look)
    finally:
        del device.compile
    functions = None
    try:
        functions = compile(kernels)                                    # which live as long as somebody holds them
        for program in found.values():
            check(program)
    except Exception:
        examples(check)
        raise                                                           # it failed only among others
    finally:
        del functions
        tiny.PLANS = most
    return next(made), len(found)


@pytest.mark.parametrize("name, count", [("C", 1530), ("CL", 200), ("GROUPS", 20)])
def test_random_programs_compute_what_they_may(name, count):
    every_program(lambda program: check_program(program, name), name, count)


@pytest.mark.parametrize("name, count", [("NUMPY", 150), ("C", 80), ("CL", 20)])
def test_gradients_of_random_programs_are_slopes(name, count):
    """On NUMPY they are compared with differences, on the other devices with what they may be."""
    slopes = []

    def check(program):
        check_program(program, name)
        if name == "NUMPY":
            slopes.append(check_slope(program))
    every_program(check, name, count, most=10, smooth=True)
    assert name != "NUMPY" or sum(slopes) > len(slopes) / 3


def test_a_scatter_counts_each_element(device):
    """Found by random programs: neither the row nor what is added depends on the loop; a tile of rows."""
    x = Tensor([3.0])
    same((x[Tensor([0]).expand(2, 3).int() % 1].sum()).gradient(x)[0], np.array([6], np.float32))
    table = Tensor(random_numbers("table", 5, 16, 2).astype(np.float32)).min((0,), keepdim=True).permute(0, 2, 1)
    gradient, = (table[Tensor(np.arange(14).reshape(7, 2)) % 1].square().sum() * 0.5).gradient(table)
    close(gradient, 14 * table.numpy())


@pytest.mark.parametrize("n", [16, 17, 40])
@pytest.mark.parametrize("low, high", [(0, 1), (3, 0), (2, 1)])
def test_a_row_of_exponentials_is_summed_beneath_a_pad(low, high, n, device):
    """Found by random programs: the row was kept as it is beneath the pad, with numbers of what is not there."""
    values = random_numbers(n, 5, n).astype(np.float32)
    e, exp = Tensor(values).exp(), np.exp(values)
    close(e / e[:, low:n - high].pad(((0, 0), (low, high))).sum(1, keepdim=True),
          exp / exp[:, low:n - high].sum(1, keepdims=True))
    close(e / e[:, :n - high].sum(1, keepdim=True), exp / exp[:, :n - high].sum(1, keepdims=True))
    close(e[:, :-1] / e[:, 1:].sum(1, keepdim=True), exp[:, :-1] / exp[:, 1:].sum(1, keepdims=True))
    x = Tensor(values[0, :1]).expand(2)
    Tensor.realize(total := x.exp()[:1].pad(((0, 1),)).sum(), each := x.exp())
    close(total, exp[0, 0])
    close(each, exp[0, :1].repeat(2))


@pytest.mark.parametrize("n", [1, 20, 37])
def test_a_row_of_a_table_and_two_that_are_kept_have_different_names(n, device):
    """Found by random programs, several of which were computed at once."""
    table, other, rows = random_numbers(0, 7, n), random_numbers(1, 5, n), np.array([1, 6, 0, 3, 3], np.int32)
    softmax = lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)
    x, y = Tensor(table.astype(np.float32))[Tensor(rows)].softmax(), Tensor(other.astype(np.float32)).softmax()
    Tensor.realize(x, y, both := x + y * 2)
    for got, want in ((x, softmax(table[rows])), (y, softmax(other)),
                      (both, softmax(table[rows]) + 2 * softmax(other))):
        close(got, want)


def test_a_product_of_a_product_with_itself_and_its_sum(device):
    """Found by random programs: both products became one nest, which read its own output."""
    for n in (2, 3, 17):
        x = Tensor(np.arange(n * n).reshape(1, n, n).astype(np.int32) % 7)
        y, expected = x @ x.transpose(1, 2), x.numpy() @ x.numpy().transpose(0, 2, 1)
        results = y @ y.transpose(1, 2), y.sum()
        Tensor.realize(*results)
        same(results[0], expected @ expected.transpose(0, 2, 1))
        same(results[1], expected.sum(dtype=np.int32))


BATCH = 500                                                             # programs that fuzz has in a process


def fuzz(minutes, programs, device, seed, jobs):
    """Compare random programs with what they may compute.

    What differs is made small and printed. Each 500 programs are a batch, in a process of its own; those of every fifth
    batch have gradients. The exit code is 1 if something differs.
    """
    first = int.from_bytes(os.urandom(4), "little") if seed is None else seed
    stop, sums, lock = time.monotonic() + 60 * minutes, Counter(), threading.Lock()
    batches = zip(itertools.count(first), range(0, programs, BATCH))

    def summary():
        share = sums["tight"] / max(1, sums["numbers"])
        return (f"{sums['programs']:,} programs ({sums['distinct']:,} distinct) on {device} from seed {first}: "
                f"{sums['findings'] or 'no'} differences; {sums['numbers']:,} numbers, {share:.0%} of them known to a "
                f"thousandth; {sums['slopes']:,} slopes")

    def job(_):
        for number, start in batches:
            if time.monotonic() >= stop:
                return
            command = [sys.executable, __file__, "fuzz-worker", device, str(number), str(min(BATCH, programs - start))]
            done = subprocess.run(command, text=True, env={**os.environ, "THREADS": str(number % 3 + 1)},
                                  capture_output=True)
            if done.returncode == -signal.SIGINT:                       # Ctrl-C, which is for all processes
                return
            with lock:
                if done.returncode:
                    print(f"\nseed {number}: exit status {done.returncode}\n{done.stdout}{done.stderr}", flush=True)
                sums.update(json.loads(done.stdout) if not done.returncode else {"findings": 1}, batches=1)
                if sys.stdout.isatty():
                    print(f"\r{summary()}", end="", flush=True)
                elif sums["batches"] % 10 == 0:                         # else a log has too many of them
                    print(summary(), flush=True)
    with ThreadPoolExecutor(jobs or threads()) as pool:
        list(pool.map(job, range(jobs or threads())))
    print(f"\r{summary()}" if sys.stdout.isatty() else summary())
    return int(sums["findings"] > 0)


def fuzz_worker(name, number, count):
    """One batch of fuzz: so many programs of this seed."""
    sums, smooth = Counter(slopes=0), number % 5 == 4

    def check(program):
        numbers, tight = check_program(program, name)
        sums.update(numbers=int(numbers), tight=int(tight), slopes=check_slope(program) if smooth else 0)
    most = 12 if smooth else 60
    sums["programs"], sums["distinct"] = every_program(check, name, count, number, most=most, smooth=smooth)
    print(json.dumps(sums))


# ---------------------------------------------------------------------------------------------------------------------
# Work-groups: what a GPU runs, here on the CPU
# ---------------------------------------------------------------------------------------------------------------------
def leaves(*shapes, low=-2.0, high=2.0):
    return [Tensor(random_numbers(i, *shape, low=low, high=high).astype(np.float32)) for i, shape in enumerate(shapes)]


def with_gradients(function, inputs):
    out = function(*inputs)
    return [out, *out.gradient(*inputs, gradient=out.detach().sin())]


def all_of(cases):
    return [case.ours(*leaves(*case.shapes, low=case.low, high=case.high)) for case in cases.values()]


def products():
    """Of factors as they are and transposed, with one vector and with several in a tile, and with rests."""
    (a, b), (c, d) = leaves((19, 40), (40, 75)), leaves((40, 19), (75, 40))
    return [a @ b, c.T @ b, a @ d.T, c.T @ d.T, a[:5] @ d.T, a[0] @ b, a.unflatten(1, (2, 20)) @ b[:20]]


def scans():
    """Along rows, down columns, and over all."""
    x, = leaves((9, 100))
    y = x.reshape(9, 25, 4)
    return [x.softmax(), x.softmax(0), x.layernorm(), x.sum(), x.max(0), x.T.sum(0), x.argmax(1), y.sum(-1),
            y.sum((0, 2))]


def every_type():
    """Sums and maxima, by all items of a group together and by each alone."""
    values = [Tensor(np_cast(np.arange(60) % 7, name), dtype=name) for name in NAMES]
    return [y for x in values for y in (x.reshape(3, 20).sum(1), x.reshape(3, 20).max(1), x.reshape(20, 3).sum(0),
                                        x + x)]


def embedding():
    rows = Tensor(np.random.default_rng(0).integers(-1, 12, (5, 9)).astype(np.int32))
    return with_gradients(lambda table: table[rows], leaves((11, 21))) + \
        with_gradients(lambda table: table[rows], leaves((11,)))


def attention_and_gradients():
    """Several nests in a kernel, with strips and barriers between them."""
    return with_gradients(functools.partial(Tensor.scaled_dot_product_attention, is_causal=True),
                          leaves(*[(1, 4, 133, 20)] * 3))


TABLES = {"unary": UNARY, "binary": BINARY, "reductions": REDUCTIONS, "movement": MOVEMENT,
          "contractions": CONTRACTIONS, "losses": LOSSES}
GROUPED = {**{name: functools.partial(all_of, cases) for name, cases in TABLES.items()}, "products": products,
           "scans": scans, "every type": every_type, "embedding": embedding, "attention": attention_and_gradients}


@on("GROUPS")
@pytest.mark.parametrize("name", GROUPED)
def test_work_groups_compute_what_numpy_does(name, device, monkeypatch):
    results = {}
    for where in ("NUMPY", device):
        monkeypatch.setattr(Device, "DEFAULT", where)
        tensors = GROUPED[name]()
        Tensor.realize(*tensors)
        results[where] = [x.cast("float32").numpy() if x.dtype == dtypes.bfloat16 else x.numpy() for x in tensors]
    for got, want in zip(results[device], results["NUMPY"]):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        if want.dtype.kind == "f":
            close(got, want, 1e-4, 1e-5 * np.abs(want).max())
        else:
            same(got, want)


@on("GROUPS")
def test_neighbours_in_a_work_group_read_neighbours(device):
    a, b = leaf(8, 24), leaf(24, 40)
    product, rows = tiny.kernels(a @ b)[0].source, tiny.kernels(a.sum(1))[0].source
    assert "idx i1 = i1_first + lane;" in product and "load_f32(x1 + i1 + r0 * 40 + 8)" in product
    assert "idx r0 = lane; r0 < 24; r0 += 8" in rows and "if (lane == 0) store_f32" in rows
    assert any("GROUP_BARRIER" in kernel.source for kernel in tiny.kernels(*attention_and_gradients()))


# ---------------------------------------------------------------------------------------------------------------------
# Kernels that are written by hand
# ---------------------------------------------------------------------------------------------------------------------
swish = tiny.kernel("swish", """
    for (idx i = begin; i < end; i++) {
      {t} s = sigmoid_{t}(x0[i]);
      out0[i] = x0[i] * s;
    }
    """, numpy=lambda x: x * np_sigmoid(x))
row_product = tiny.kernel("row_product", """
    idx n = x0_shape[1], m = x1_shape[1];
    for (idx row = begin; row < end; row++)
      for (idx j = 0; j < m; j++) {
        {t} sum = 0;
        for (idx k = 0; k < n; k++) sum += x0[row * n + k] * x1[k * m + j];
        out0[row * m + j] = sum;
      }
    """, shape=lambda a, b: (a[0], b[1]), tasks=lambda a, b: a[0], numpy=np.matmul)
twice = tiny.kernel("twice", "for (idx i = begin; i < end; i++) out0[i] = x0[i] + 2 * x1[i];",
                    numpy=lambda a, b: a + 2 * b)
EVERYWHERE = on(*DEVICES, "GROUPS")


class Swish(Function):
    """The kernel with a gradient of its own."""

    def forward(self, x):
        self.x = x
        return swish(x)

    def backward(self, grad):
        s = self.x.sigmoid()
        return grad * (s + self.x * s * (1 - s))


@EVERYWHERE
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 11), (5, 0), (16, 256)], ids=str)
def test_a_kernel_written_by_hand_is_an_operation(shape, dtype, device):
    x = random_numbers("x", *shape).astype(dtype)
    # Alone, and between other kernels, where rows of whole kilobytes would otherwise lie further apart.
    Tensor.realize(y := swish(Tensor(x)), between := swish(Tensor(x) * 2).exp() + 1)
    assert y.shape == shape and y.dtype == np.dtype(dtype)
    close(y, x * np_sigmoid(x), 1e-5 if dtype == "float32" else 1e-14)
    close(between, np.exp(2 * x * np_sigmoid(2 * x)) + 1, 1e-4)


@EVERYWHERE
def test_a_kernel_written_by_hand_reads_its_inputs_row_by_row(device):
    a, b = random_numbers("a", 7, 5).astype("float32"), random_numbers("b", 7, 3).astype("float32")
    x, y = Tensor(a), Tensor(b)
    close(row_product(x.T, y), a.T @ b)
    close(row_product(x.T + 1, (y * y).flip(0)[:, 1:]), (a.T + 1) @ (b * b)[::-1, 1:])
    close(row_product(x @ x.T, x.softmax(0)).sum(0), (a @ a.T @ np_softmax(a, 0)).sum(0), 1e-4)
    close(twice(Tensor.ones(4).expand(3, 4), Tensor.arange(12).float().reshape(3, 4)),
          1 + 2 * np.arange(12.0).reshape(3, 4))
    close(twice(x, x), 3 * a)                                           # x0 and x1 may be the same
    same(row_product(Tensor.zeros(2, 0), Tensor.zeros(0, 3)), np.zeros((2, 3), np.float32))
    same(row_product(Tensor.zeros(0, 2), Tensor.zeros(2, 3)), np.zeros((0, 3), np.float32))


@EVERYWHERE
def test_a_kernel_written_by_hand_may_have_another_shape_dtype_and_text(device):
    above = tiny.kernel("above", "for (idx i = begin; i < end; i++) out0[i] = x0[i] > x1[0];", dtype="bool",
                        numpy=lambda x, limit: x > limit)
    same(above(Tensor([1.0, 2.0, 3.0]), Tensor(1.5)), np.array([False, True, True]))
    which = tiny.kernel("which", "out0[begin] = x0[end] > 0;", cl="out0[0] = 2;", numpy=lambda x: [3], shape=1,
                        dtype="int32")
    assert which(Tensor([1.5, 2.5])).tolist() == [{"C": 1, "NUMPY": 3}.get(device, 2)]


@on(*COMPILED)
def test_a_kernel_written_by_hand_is_compiled_for_each_dtype(device):
    """Also where the text does not name it."""
    twice = tiny.kernel("twice", "for (idx i = begin; i < end; i++) out0[i] = x0[i] + x0[i];")
    for array in (np.array([1.5, -2, 7], np.float32), np.array([3, -4, 1 << 20], np.int32)):
        same(twice(Tensor(array)), array * 2)


@on(*COMPILED)
def test_a_kernel_written_by_hand_may_name_vectors(device):
    halves = tiny.kernel("halves", "for (idx i = begin * 8; i < end * 8; i += 8)"
                         "  store_{t}x8(out0 + i, load_{t}x8(x0 + i) * splat_{t}x8(0.5f));", tasks=lambda x: x[0] // 8)
    same(halves(Tensor.arange(24).float()), np.arange(24, dtype=np.float32) / 2)


@EVERYWHERE
def test_swish_composed_as_a_function_and_by_hand_are_the_same(device):
    x, = doubles((3, 11))
    for function in (lambda x: x * x.sigmoid(), Tensor.swish, Swish.apply):
        close(function(x), swish(x).numpy(), 1e-14)
        assert tiny.gradcheck(function, x)
    with pytest.raises(RuntimeError) as error:
        swish(x).sum().backward()
    assert "swish" in str(error.value) and "Function" in str(error.value)
    (swish(x).detach() * x).sum().backward()                            # where no gradient is asked for, none is missed
    close(x.grad, swish(x).numpy(), 1e-14)


@on(*COMPILED)
def test_a_kernel_written_by_hand_is_one_kernel_that_tells_its_lines(device):
    x = leaf(64, 48)
    kernel, = tiny.kernels(Swish.apply(x).reshape(-1))
    assert kernel.name == "swish_3072" and "test_tiny.py" in kernel.source and "by hand" in kernel.source
    assert [kernel.name for kernel in tiny.kernels(swish(x * 2).exp())] == ["mul_64x48", "swish_64x48", "exp_64x48"]


@EVERYWHERE
def test_jit_replays_a_kernel_written_by_hand(device):
    def trained(wrap):
        w, rate = Tensor(random_numbers("w", 5, 5).astype("float32"), requires_grad=True), Tensor([0.1])
        descend = tiny.kernel("descend", "for (idx i = begin; i < end; i++) out0[i] = x0[i] - x2[0] * x1[i];",
                              numpy=lambda w, g, rate: w - rate * g)

        def step(x):
            w.grad = None
            loss = Swish.apply(x @ w).square().mean().backward()
            w.assign(descend(w, w.grad, rate))
            return loss.realize()
        step, x = wrap(step), Tensor(random_numbers("x", 3, 5).astype("float32"))
        return [step(x).item() for _ in range(4)], w.numpy()
    (losses, w), (want, want_w) = trained(TinyJit), trained(lambda function: function)
    close(losses, want, 1e-5)
    close(w, want_w, 1e-5)
    square = Tensor(random_numbers("s", 3, 3).astype("float32"))        # the result is not written over what is read
    a, step = square.numpy(), TinyJit(lambda: square.assign(row_product(square, square)).realize())
    for _ in range(2):
        step()
    close(square, a @ a @ a @ a, 1e-4)


@on("CL", "GROUPS", "C")
def test_a_kernel_that_does_not_compile_is_named_with_its_line(device):
    wrong = tiny.kernel("wrong", "idx a = 1;\nout0[a] = nonsense;")
    with pytest.raises(RuntimeError) as error:
        wrong(Tensor([1.0, 2.0])).realize()
    assert "wrong_2" in str(error.value) and re.search("wrong:2:.*nonsense", str(error.value)), error.value


# ---------------------------------------------------------------------------------------------------------------------
# Kernels
# ---------------------------------------------------------------------------------------------------------------------
def counted(*tensors):
    """The kernels that compute `tensors`, without the copies of operands into another layout."""
    return [kernel for kernel in tiny.kernels(*tensors) if not kernel.is_copy]


def leaf(*shape):
    return Tensor(random_numbers("leaf", *shape).astype(np.float32))


def chain():
    a, b, c = leaf(32, 64), leaf(64), leaf(64, 32)
    y = ((a * b + 1).permute(1, 0) - c).exp().pad(((1, 2), (0, 3)))
    return (y[3:50, 4:20] * 2).flip(0).sqrt().where(y[3:50, 4:20], -1)


def attention():
    q, k, v = leaf(2, 4, 64, 32), leaf(2, 4, 64, 32), leaf(2, 4, 64, 32)
    mask = Tensor(np.where(np.tri(64) > 0, 0, -np.inf).astype(np.float32))
    return ((q @ k.transpose(-1, -2)) * 0.17 + mask).softmax() @ v


def adam():
    p, g, m, v, rate = leaf(64, 48), leaf(64, 48), leaf(64, 48), leaf(64, 48).abs().realize(), leaf(1)
    new_m, new_v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    return p - rate * new_m / (new_v.sqrt() + 1e-8), new_m, new_v


COUNTS = {
    "a chain of elementwise operations and movement": (chain, 1),
    "a sum of a chain": (lambda: ((leaf(64, 48) * leaf(48) + leaf(64, 1)).exp()).sum(1), 1),
    "a sum of columns": (lambda: ((leaf(64, 48) * leaf(48) + leaf(64, 1)).exp()).sum(0), 1),
    "a matrix product": (lambda: leaf(96, 64) @ leaf(64, 48), 1),
    "a linear layer, gelu and a residual": (lambda: (leaf(64, 48) @ leaf(48, 96) + leaf(96)).gelu() + leaf(64, 96), 1),
    "softmax": (lambda: leaf(64, 80).softmax(), 1),
    "log_softmax": (lambda: leaf(64, 80).log_softmax(), 1),
    "layernorm with weight and bias": (lambda: leaf(64, 128).layernorm() * leaf(128) + leaf(128), 1),
    "cross_entropy": (lambda: leaf(48, 65).cross_entropy(Tensor(np.arange(48, dtype=np.int32))), 2),
    "causal attention": (attention, 3),
    "Adam's update": (adam, 1),
}


@on(*COMPILED)
@pytest.mark.parametrize("name", COUNTS)
def test_number_of_kernels(name, device):
    make, most = COUNTS[name]
    outputs = make()
    kernels = counted(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    assert 1 <= len(kernels) <= most, [kernel.name for kernel in kernels]


def outer_product():
    """Of an outer product not only sums are taken: so without fusion it has memory, which that of a matmul has not."""
    product = leaf(24, 1) * leaf(20)
    return product.sum(1), product.exp()


SEPARATE = {                                                            # how many kernels fused; their names if not
    "a product, to which a sum of rows is added, summed": (
        lambda: (leaf(40, 24) @ leaf(40, 24).T + leaf(40, 24).sum(1)).sum(), 3, ["mul_sum", "sum", "add", "sum"]),
    "movement": (lambda: (leaf(40, 24).T.reshape(24, 8, 5)[3:] * 2).pad(((1, 1), None, None)).flip(0) + 1, 1,
                 ["mul", "le_lt_add"]),                                 # the pad compares
    "softmax": (lambda: leaf(40, 24).softmax(), 1, ["max", "mul", "add", "exp", "sum", "div", "mul"]),
    "gelu": (lambda: leaf(40, 24).gelu(), 1, ["mul", "mul", "mul", "add", "mul", "sigmoid", "mul"]),
    "a matrix times a vector": (lambda: leaf(40, 24) @ leaf(24), 1, ["mul_sum"]),
    "a sum of squares": (lambda: leaf(40, 24).square().sum(1), 1, ["mul", "sum"]),
    "an outer product": (outer_product, 2, ["mul", "sum", "exp"]),
    "a product over a long axis": (lambda: leaf(80, 8300) @ leaf(8300, 60), 2, ["mul_sum", "copy", "sum"]),
    "a convolution": (lambda: leaf(2, 3, 8, 8).conv2d(leaf(4, 3, 3, 3)), 1, ["mul_sum"]),
    "an embedding": (lambda: leaf(9, 4)[Tensor([3, 1])] * 2, 1, ["lt", "add", "copy", "le_lt", "mul"]),
}


@on(*COMPILED)
@pytest.mark.parametrize("name", SEPARATE)
def test_without_fusion_each_operation_is_a_kernel(name, device, monkeypatch):
    make, most, words = SEPARATE[name]
    results = []
    for fuse in ("1", "0"):
        monkeypatch.setenv("FUSE", fuse)
        outputs = make()
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        names = [re.sub(r"_\d.*", "", kernel.name) for kernel in counted(*outputs)]
        assert len(names) <= most if fuse == "1" else names == words
        results.append([x.numpy() for x in outputs])
    for fused, separate in zip(*results):
        close(separate, fused, 1e-4, 1e-4)


@on(*COMPILED)
def test_adams_update_is_one_kernel_with_three_outputs(device):
    kernel, = counted(*adam())
    assert len(kernel.outputs) == 3


@on(*COMPILED)
def test_a_kernel_tells_what_it_does(device):
    m, k, n = 96, 64, 48
    kernel, = counted(leaf(m, k) @ leaf(k, n))
    assert 2 * m * n * k <= kernel.flops <= 2.1 * m * n * k             # a multiplication and an addition each
    assert 4 * (m * k + k * n + m * n) <= kernel.bytes <= 8 * (m * k + k * n + m * n)
    assert kernel.name in kernel.source and len(kernel.inputs) == 2 and len(kernel.outputs) == 1
    assert repr(kernel) == f"<Kernel {kernel.name}: float32 [96, 48], {kernel.flops} floating-point operations, " \
                           f"{kernel.bytes} bytes>"
    assert "for" in kernel.source and "test_tiny.py" in kernel.source   # it names the lines of the user's Python


@on(*COMPILED)
def test_a_kernel_names_the_lines_that_it_computes_and_those_whose_gradient_it_is(device):
    Device[device].plans.clear()                                        # of others with the same structure
    x, here = leaf(64, 48), inspect.currentframe().f_lineno
    y = x.sin()
    z = (y * x).sum()                                                   # each of the two has a gradient for x
    kernel, = counted(*z.gradient(x))
    assert kernel.lines == [(__file__, here + 1, "forward"), (__file__, here + 1, "gradient"),
                            (__file__, here + 2, "gradient")]
    above = kernel.source.split("kernel_")[0]
    assert f"// test_tiny.py:{here + 1}  y = x.sin()\n// gradient of test_tiny.py:{here + 1}  y = x.sin()\n" in above
    assert f"// gradient of test_tiny.py:{here + 2}  z = (y * x).sum() # each" in above
    assert "out0: float32 [64, 48]; x0: float32 [64, 48]" in above
    with pytest.raises(RuntimeError):
        swish(x).sum().gradient(x)                                      # a rule that raises
    kernel, = tiny.kernels(leaf(3, 5) % 7)
    assert {kind for *_, kind in kernel.lines} == {"forward"}


@on(*COMPILED)
def test_where_a_kernel_is_for_does_not_matter_to_what_is_compiled(device):
    kernels = [tiny.kernels(leaf(*shape).exp() * 3)[0] for shape in ((7, 11), (11, 7))]
    assert kernels[0].key == kernels[1].key and kernels[0].source != kernels[1].source


@on(*COMPILED)
def test_equal_graphs_of_different_lines_have_their_own_lines(device):
    first, second = leaf(13, 17).realize(), leaf(13, 17).realize()
    here = inspect.currentframe().f_lineno
    one = tiny.kernels((first * 3).exp())[0]
    other = tiny.kernels((second * 3).exp())[0]
    assert one.key == other.key and one.source != other.source
    for kernel, line in (one, here + 1), (other, here + 2):
        assert (__file__, line, "forward") in kernel.lines and f"test_tiny.py:{line}  " in kernel.source
    assert (second * 3).exp().realize().tolist() == (first * 3).exp().realize().tolist()


@on(*COMPILED)
def test_a_backslash_at_the_end_of_a_line_does_not_swallow_the_next(device):
    y = leaf(3, 4) + \
        leaf(3, 4).exp()
    assert all(not line.endswith("\\") for line in tiny.kernels(y)[0].source.splitlines() if line.startswith("//"))


@on(*COMPILED)
def test_comments_tell_the_stages_of_a_kernel(device):
    kernel, = tiny.kernels(leaf(64, 80).softmax())
    stages = re.findall(r"^ +// (?!tasks)(.*)", kernel.source, re.M)
    assert list(dict.fromkeys(stages)) == ["maximum over r0 of x0", "sum over r1 of exp(x0 + (the maximum * -1.0f))",
                                           "out0 = exp(x0 + (the maximum * -1.0f)) * (1.0f / the sum)"]


def compile_sources(folder):
    """Does each source in each subfolder compile? Those in OpenCL together, as the words take the longest."""
    import pyopencl as cl
    files = sorted(map(str, folder.glob("*/*.c")))
    if files:
        compiler = os.environ.get("CC") or shutil.which("gcc") or "cc"
        subprocess.run([compiler, "-fsyntax-only", *WARNINGS, "-Wno-psabi", *files], check=True)
    context = Device["CL"].context
    for part in {path.parent for path in folder.glob("*/*.cl")}:
        text = "".join(path.read_text("utf-8") for path in sorted(part.glob("*.cl")))
        cl.Program(context, text).build(["-w", "-I", str(part)])


@on(*COMPILED, "GROUPS")
def test_sources_are_kept_where_KERNELS_says(device, monkeypatch, tmp_path):
    monkeypatch.setenv("KERNELS", str(tmp_path))
    dialect = Device[device].dialect.lower()
    x = leaf(65, 33)
    for y in (x @ x.T).softmax(), x.exp() * 2:
        y.realize()
    z = leaf(65, 33).exp() * 2                                          # another graph with a kernel that is there
    tiny.kernels(z, leaf(7, 9).cumsum(1))
    files = [path.name for path in sorted((tmp_path / dialect).iterdir())]
    assert [name[:4] for name in files] == [f"{n + 1:03}_" for n in range(len(files))] and len(files) >= 4
    assert sum(name.endswith(f"_exp_mul_65x33.{dialect}") for name in files) == 1
    path, = (tmp_path / dialect).glob("*_exp_mul_65x33.*")
    assert re.search(r"^// test_tiny.py:\d+  for y in.*\n// test_tiny.py:\d+  z = leaf", path.read_text("utf-8"), re.M)
    assert str(HERE) not in "".join(file.read_text("utf-8") for file in (tmp_path / dialect).iterdir())
    compile_sources(tmp_path)


@on(*COMPILED)
def test_a_product_that_several_kernels_need_is_computed_once(device):
    n = 96
    product = leaf(n, n) @ (leaf(n, n) + 1)
    total = sum(kernel.flops for kernel in tiny.kernels(product.sum(0), product.exp().sum(1), product.max()))
    assert total < 1.3 * 2 * n ** 3


CONVOLUTIONS = {                                                        # images, weight, and how
    "plain": ((2, 3, 9, 37), (40, 3, 3, 3), {}), "padded": ((2, 20, 8, 33), (17, 20, 3, 2), {"padding": 1}),
    "short rows": ((3, 18, 5, 4), (33, 18, 3, 3), {"padding": 1}),
    "strided": ((2, 5, 15, 40), (20, 5, 3, 4), {"stride": (2, 3), "padding": (1, 2)}),
    "dilated": ((1, 6, 14, 35), (34, 6, 3, 2), {"dilation": (2, 3), "padding": 2}),
    "dilated and strided": ((1, 6, 14, 35), (34, 6, 3, 2), {"dilation": (2, 3), "stride": (3, 2)}),
    "in groups": ((2, 32, 7, 18), (64, 16, 3, 3), {"groups": 2, "padding": 1}),
    "of each channel": ((2, 18, 7, 18), (18, 1, 3, 3), {"groups": 18, "padding": 1, "stride": 2})}


@on("C", "CL")
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_and_its_gradients_are_those_of_numpy(name, device):
    images, filters, options = CONVOLUTIONS[name]
    arrays = [random_numbers(f"{name} {shape}", *shape).astype(np.float32) for shape in (images, filters)]

    def results(device):
        x, weight = [Tensor(array, device=device) for array in arrays]
        y = x.conv2d(weight, **options)
        found = [y, *y.gradient(x, weight, gradient=(y + 1).detach())]
        Tensor.realize(*found)
        return found

    for result, expected in zip(results(device), results("NUMPY")):
        close(result, expected.numpy(), 1e-4, 1e-4 * np.abs(expected.numpy()).max())


@on(*COMPILED)
def test_a_chain_of_products_in_strips_is_numpys(device):
    """Each product reads all of a row of the strip before, so none may write over it."""
    arrays = [random_numbers(f"link {i}", 256 if i == 0 else 64, 64).astype(np.float32) / 8 for i in range(5)]
    x, *weights = map(Tensor, arrays)
    y = functools.reduce(lambda x, w: x @ w, weights, x)
    assert len([kernel for kernel in tiny.kernels(y) if not kernel.is_copy]) == 1
    close(y, functools.reduce(np.matmul, [array.astype(np.float64) for array in arrays]), 1e-4, 1e-5)


@on(*COMPILED)
def test_who_reads_other_rows_of_a_result_waits_for_them(device):
    """Both products read all exponentials, and would be one kernel, if one did not take other rows of the other."""
    q, k, v, w = (random_numbers(name, 300, 8).astype(np.float32) / 2 for name in "qkvw")
    e, exp = (Tensor(q) @ Tensor(k).T).exp(), np.exp(q @ k.T)
    y, expected = e @ Tensor(v), exp @ v
    close(e @ Tensor(w) + y[1:].pad(((0, 1), (0, 0))), exp @ w + np.pad(expected[1:], ((0, 1), (0, 0))), 1e-4, 1e-3)
    close(e @ Tensor(w) + y[:-1].pad(((1, 0), (0, 0))), exp @ w + np.pad(expected[:-1], ((1, 0), (0, 0))), 1e-4, 1e-3)


@on(*COMPILED)
def test_a_strip_is_computed_as_far_as_any_who_reads_it_goes(poisoned):
    """Two sums beneath masks of other slopes, in one loop, and a product, which reads all."""
    q, k, v = (random_numbers(name, 300, 8).astype(np.float32) / 2 for name in "qkv")
    i, j, lines = np.arange(300)[:, None], np.arange(300), [(1, 0), (2, 3), (1, 40), (-1, 299)]
    for pair in itertools.permutations(lines, 2):
        e, exp = (Tensor(q) @ Tensor(k).T).exp(), np.exp(q @ k.T)
        row, column = Tensor.arange(300).unsqueeze(1), Tensor.arange(300)
        sums = [(column <= row * slope + start).where(e, 0).sum(1) for slope, start in pair]
        Tensor.realize(*sums, product := e @ Tensor(v))
        close(product, exp @ v, 1e-4, 1e-3)
        for (slope, start), got in zip(pair, sums):
            close(got, np.where(j <= i * slope + start, exp, 0).sum(1), 1e-4, 1e-3)
    several = Tensor(v).unflatten(0, (100, 3)).transpose(0, 1).flatten(0, 1)        # in two loops, of 3 and of 100
    expected = v.reshape(100, 3, 8).transpose(1, 0, 2).reshape(300, 8)
    close((column <= row).where((Tensor(q) @ Tensor(k).T).exp(), 0) @ several, np.tril(exp) @ expected, 1e-4, 1e-3)


def test_two_sums_of_equal_loops_of_which_one_is_of_all_rows(device):
    """It stands outside of the loop over the rows, and so is no part of the other's loop."""
    x, y = random_numbers("rows", 5, 37), random_numbers("all rows", 1, 37)
    all_rows, rows = (Tensor(array.astype(np.float32)).sum(1, keepdim=True) for array in (y, x))
    close(all_rows * rows, y.sum(1, keepdims=True) * x.sum(1, keepdims=True))


@pytest.mark.parametrize("width", [255, 256])
def test_rows_of_a_gradient_of_an_embedding_lie_close(width, device):
    """Rows of a kilobyte, which other results between kernels have further apart."""
    table, rows = random_numbers("table", 5, width), np.array([3, 0, 3, 4])
    x, expected = Tensor(table.astype(np.float32)), np.zeros((5, width))
    np.add.at(expected, rows, 2 * table[rows])
    close(x[Tensor(rows.astype(np.int32))].square().sum().gradient(x)[0].flip(0).exp(), np.exp(expected[::-1]), 1e-4)


@on(*COMPILED)
def test_rows_that_lie_further_apart_have_room(device):
    """Between kernels rows of a kilobyte are kept apart; two such results wait for the last kernel."""
    x, *weights = (random_numbers(f"room {i}", 64, 256).astype(np.float32) / 8 for i in range(3))
    wide = [(Tensor(x) @ Tensor(w).T).relu() @ Tensor(w) for w in weights]
    y = functools.reduce(lambda a, b: a @ b.T, [part.tanh() for part in wide])
    close(y, functools.reduce(lambda a, b: a @ b.T, [np.tanh(np.maximum(x @ w.T, 0) @ w) for w in weights]), 1e-4, 1e-3)


@on(*COMPILED)
def test_a_row_that_a_mask_empties_is_nan(device):
    """Each query sees the keys that are at least 24 places before it: the first 24 see none, every key is seen."""
    q, k, v = (random_numbers(f"{name} of an empty row", n, 8).astype(np.float32) for name, n in
               (("q", 64), ("k", 40), ("v", 40)))
    seen = Tensor.arange(64)[24:] <= Tensor.arange(64).unsqueeze(1)
    y = seen.where(Tensor(q) @ Tensor(k).T, -math.inf).softmax() @ Tensor(v)
    assert np.isnan(y.numpy()[:24]).all() and np.isfinite(y.numpy()[24:]).all()


@on("C")
def test_large_memory_that_is_used_again_has_one_owner(device):
    n = 1 << 23                                                         # 32 MiB of floats, which is kept when free
    tiny.Memory(4 * n)
    a, b = [(Tensor.ones(n) * factor).realize() for factor in (2, 3)]
    assert a.node.buffer.data.address != b.node.buffer.data.address
    assert a.min().item() == a.max().item() == 2 and b.min().item() == b.max().item() == 3


@on("C", "CL")
@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_of_the_sum_of_a_convolution(stride, device):
    """The gradient of the result is 1 everywhere: a factor that depends on none of the loops."""
    arrays = [random_numbers(f"sum of {shape}", *shape).astype(np.float32) for shape in ((2, 8, 16, 16), (12, 8, 3, 3))]

    def results(device):
        x, weight = [Tensor(array, device=device) for array in arrays]
        return x.conv2d(weight, padding=1, stride=stride).sum().gradient(x, weight)

    for result, expected in zip(results(device), results("NUMPY")):
        close(result, expected.numpy(), 1e-4, 1e-4)


@on("C")
def test_convolutions_fill_vectors_and_divide_nothing(device):
    """The kernels that multiply: for y, for x's gradient, and for the weight's, which has its channels last."""
    x, weight, gradient = leaf(4, 8, 32, 32), leaf(64, 8, 3, 3), leaf(4, 64, 32, 32)
    y = x.conv2d(weight, padding=1)
    kernels = tiny.kernels(y, *y.gradient(x, weight, gradient=gradient))
    products = [kernel for kernel in kernels if kernel.name.startswith("mul_sum")]
    assert sorted(kernel.name for kernel in products) == [
        "mul_sum_3x3x8x64", "mul_sum_4x64x32x32", "mul_sum_4x8x32x32"]
    lanes = f"f32x{Device['C'].lanes} sum16 ="
    for kernel in products:
        loops = kernel.source.partition("for (idx r0")[2].partition("//")[0]
        assert loops and "/" not in loops and "%" not in loops and lanes in kernel.source


@on("C")
def test_windows_that_do_not_overlap_cost_nothing(device):
    x = leaf(2, 3, 8, 8)
    kernel, = tiny.kernels(x.max_pool2d(2, stride=3))
    assert "%" not in kernel.source.partition("for (idx r0")[2]
    assert len(tiny.kernels(*x.avg_pool2d().gradient(x, gradient=leaf(2, 3, 4, 4)))) == 1


def place_of(index, at):
    """The value of an index where the loops have the values `at`."""
    terms = [(c, at[term] if type(term) is tiny.Loop else place_of(term.index, at) // term.n if term.kind == "//" else
              place_of(term.index, at) % term.n) for term, c in index[1]]
    return index[0] + sum(c * value for c, value in terms)


def numbers_of(value, at, array):
    """The numbers that a value of movements and pads of `array` has there."""
    if value.op == "const":
        return value.arg
    if value.op == "index":
        return place_of(value.arg, at)
    args = [numbers_of(arg, at, array) for arg in value.args]
    if value.op != "load":
        return tiny.ELEMENTWISE[value.op].numpy(*args)
    inside, place = functools.reduce(np.logical_and, args, True), place_of(value.arg[1], at)
    return np.where(inside, array.flat[np.where(inside, place, 0)], 0)


CHAINED = [
    lambda x: x.permute(*range(1, x.ndim), 0), lambda x: x.transpose(-1, -2), lambda x: x.flip(0), lambda x: x.flip(-1),
    lambda x: x.pad([(1, 2), *[(0, 0)] * (x.ndim - 2), (0, 1)][:x.ndim]), lambda x: x[1:, ..., 1:], lambda x: x[::2],
    lambda x: x.flatten(0, 1), lambda x: x.flatten(), lambda x: x.unflatten(-1, (-1, 2)),
    lambda x: x.unflatten(0, (3, -1)), lambda x: x.repeat(*[1] * (x.ndim - 1), 2),
    lambda x: x.unsqueeze(1).expand(x.shape[0], 3, *x.shape[1:]).flatten(0, 1)]


@on("C")
@pytest.mark.parametrize("shape", [(6, 6), (2, 3, 4)])
def test_any_three_movements_after_one_another_read_what_numpy_does(shape, device):
    """By the indices alone: nothing is compiled."""
    array, fuser, tried = np.arange(1, 1 + math.prod(shape)).reshape(shape), tiny.Fuser([], 16, 0), 0
    for chain in itertools.product(CHAINED, repeat=3):
        x, expected = leaf(*shape), Tensor(array, device="NUMPY")
        try:
            x, expected = [functools.reduce(lambda x, move: move(x), chain, x) for x in (x, expected)]
        except (ValueError, IndexError):                                # too few axes, or no number of parts
            continue
        if not x.numel():
            continue
        lowering = tiny.Lowering(fuser, [x.node])
        at = dict(zip(lowering.nest, np.indices([loop.extent for loop in lowering.nest])))
        got = np.zeros(x.shape, int)
        got.flat[place_of(lowering.stores[0], at)] = numbers_of(lowering.roots[0], at, array)
        same(got, expected.numpy())
        tried += 1
    assert tried > 1000


@on(*COMPILED)
def test_equal_layers_give_equal_kernels(device):
    def sources(layers):
        x = leaf(2, 16, 32)
        for layer in [gpt.Block(gpt.GPTConfig(n_embd=32, n_head=2)) for _ in range(layers)]:
            x = layer(x)
        return [kernel.source for kernel in tiny.kernels(x)]
    two, six = sources(2), sources(6)
    assert len(six) > 2.5 * len(two)
    assert len(set(six)) <= len(set(two)) + 2


@on(*COMPILED)
def test_an_embedding_costs_what_it_reads(device):
    """Neither its rows nor their gradient pass over a table of 50,257 rows (writing the gradient's zeros aside)."""
    rows, width = 50_257, 16
    table, index = Tensor.zeros(rows, width).contiguous().realize(), Tensor([[5, 50_256, 5]])
    y = table[index]
    gradient, = y.gradient(table, gradient=Tensor.ones(1, 3, width))
    assert sum(kernel.flops for kernel in tiny.kernels(y)) < 1000
    assert sum(kernel.flops for kernel in tiny.kernels(gradient)) < rows * width
    want = np.zeros((rows, width), np.float32)
    np.add.at(want, [5, 50_256, 5], 1)
    same(gradient, want)


@pytest.mark.skipif("x86_64" not in platform.machine(), reason="these are flags for x86-64")
@on("AVX2", "SSE")
def test_shorter_vectors_compute_the_same(device):
    """As on processors without AVX-512, or without AVX at all."""
    x, w = random_numbers("x", 33, 70), random_numbers("w", 70, 45)
    a, b = (Tensor(array.astype(np.float32)).realize() for array in (x, w))
    close((a @ b).gelu(), np_gelu(x @ w), 1e-4, 1e-4)
    close(a.softmax(), np_softmax(x), 1e-4, 1e-5)
    close(a.T.cumsum(1), x.T.cumsum(1), 1e-4, 1e-4)
    source = tiny.kernels((a @ b).tanh())[-1].source
    assert f"f32x{Device[device].width} sum" in source


# Attention: the scores of a few rows at a time lie in strips, and what a mask leaves out is not computed.
@pytest.fixture
def poisoned(device, monkeypatch):
    """A device whose strips and buffers are NaN until something is stored there; nothing compiled before is used."""
    monkeypatch.setattr(tiny, "C_WORDS", tiny.C_WORDS.replace(
        "aligned(64)));", "aligned(64))); memset(strips, 255, bytes);"))
    monkeypatch.setattr(tiny, "CL_WORDS", tiny.CL_WORDS.replace(
        "* bytes;", "* bytes; for (int i = 0; i < bytes; i++) strips[i] = -1;"))
    assert "memset(strips" in tiny.C_WORDS and "strips[i] = -1" in tiny.CL_WORDS
    created = tiny.Memory.__init__

    def create(memory, size):
        created(memory, size)
        memory.array.fill(255)
    monkeypatch.setattr(tiny.Memory, "__init__", create)
    for name in ("plans", "functions"):
        monkeypatch.setattr(Device[device], name, {})
    return device


def places(n, device, start=0):
    """start, start + 1, ..., as a slice of a longer range."""
    return Tensor.arange(n + start, device=device)[start:]


MASKS = {                                                               # of rows i and columns j, shifted by w
    "none": None,
    "causal": lambda i, j: i(0) >= j(0),
    "anticausal": lambda i, j: i(0) <= j(0),
    "window": lambda i, j: (i(0) >= j(0)) & (j(7) > i(0)),
    "before": lambda i, j: i(0) >= j(9),                                # leaves nothing of the first rows
    "later": lambda i, j: i(20) >= j(0),
    "backwards": lambda i, j: i(0).flip(0) >= j(0),
    "block": lambda i, j: (i(0) >= j(0)) & (i(0) // 6 == j(0) // 6),
    "sums": lambda i, j: (i(0) >= j(0)) & (i(0) - 7 < j(0)),            # the same as the window
    "near": lambda i, j: (i(0) - j(0)).abs() <= 9,
    "steep": lambda i, j: 2 * i(0) + 3 >= j(0),
    "narrow": lambda i, j: (i(0) >= j(0)) & (j(0).cast("int8") + 100 > i(0)),       # overflows from column 28 on
    "either": lambda i, j: (j(0) - i(0) <= 9) | (i(0) >= j(0)),
    "product": lambda i, j: j(0) - i(0) * j(0) <= i(0),                 # cuts the first row only
}
NORMS = {
    "softmax": lambda s: s.softmax(),
    "log_softmax": lambda s: s.log_softmax().exp(),
    "columns": lambda s: s.softmax(-2),
    "exp": lambda s: s.exp(),
    "parts": lambda s: s.unflatten(-1, (-1, 5)).exp().flatten(-2) if s.shape[-1] % 5 == 0 else s.exp(),
    "reciprocal": lambda s: 1 / s.exp(),                                # of 0, where a mask is
}
ATTENTIONS = [                                                          # heads, queries, keys, width, mask, norm
    (2, 90, 90, 16, "causal", "softmax"), (3, 70, 70, 20, "window", "parts"), (2, 100, 100, 16, "before", "softmax"),
    (2, 17, 69, 11, "causal", "columns"), (1, 1, 37, 5, "causal", "softmax"), (2, 61, 131, 9, "none", "log_softmax"),
    (1, 257, 257, 12, "causal", "softmax"), (2, 33, 65, 33, "later", "softmax"), (4, 130, 130, 8, "window", "softmax"),
    (3, 61, 127, 7, "anticausal", "exp"), (1, 90, 90, 4, "backwards", "exp"), (2, 190, 190, 8, "near", "softmax"),
    (4, 130, 130, 8, "sums", "softmax"), (3, 70, 130, 7, "steep", "softmax"), (1, 90, 90, 4, "narrow", "exp"),
    (1, 90, 90, 4, "either", "exp"), (1, 90, 90, 4, "product", "exp"), (1, 90, 90, 4, "causal", "reciprocal"),
]


@pytest.mark.parametrize("device, case", indirect=["device"], argvalues=[
    *[("C", case) for case in ATTENTIONS], *[("CL", case) for case in ATTENTIONS[:2]]])
def test_attention_and_its_gradients_are_those_on_numpy(case, poisoned):
    heads, queries, keys, width, mask, norm = case

    def compute(device, with_gradients):
        q, k, v = (Tensor(random_numbers(name, heads, n, width).astype(np.float32) / 2, device=device)
                   for name, n in (("q", queries), ("k", keys), ("v", keys)))
        scores = q @ k.transpose(-1, -2)
        if heads == 2:                                                  # in vectors of another length
            scores = scores.double().tanh().float()
        if MASKS[mask]:
            i = lambda start: places(queries, device, start).unsqueeze(1)
            j = lambda start: places(keys, device, start)
            scores = MASKS[mask](i, j).where(scores, -math.inf)
        outputs = [NORMS[norm](scores) @ v]
        if with_gradients:
            outputs += outputs[0].sin().sum().gradient(q, k, v)
        Tensor.realize(*outputs)
        return [output.numpy() for output in outputs]

    with np.errstate(all="ignore"):
        many = heads * queries * keys >= 1 << 16                        # else gradients store their scores
        for want, got in zip(compute("NUMPY", many), compute(poisoned, many)):
            close(got, want, 1e-3, 1e-4 * np.abs(want[np.isfinite(want)]).max(initial=1))


BOUNDED = {                                                             # masks of rows i and columns j; their last loop
    "causal": (lambda i, j: i >= j, "0; r0 < least(256, i1 + 8)"),
    "window": (lambda i, j: (i >= j) & (j + 32 > i), "down(i1 + -31, 1); r0 < least(256, i1 + 8)"),
    "window of a difference": (lambda i, j: (i >= j) & (i - j < 32), "down(i1 + -31, 1); r0 < least(256, i1 + 8)"),
    "both sides": (lambda i, j: (i - j).abs() < 32, "down(i1 + -31, 1); r0 < least(256, i1 + 39)"),
    "int64": (lambda i, j: i.cast("int64") - 3 >= j.cast("int64") - 3, "0; r0 < least(256, i1 + 8)"),
    "minus": (lambda i, j: -i <= -j, "0; r0 < least(256, i1 + 8)"), "overflow": (lambda i, j: i * 2 ** 24 >= 0, None),
}


@on("C")
@pytest.mark.parametrize("name", BOUNDED)
def test_a_mask_of_sums_of_places_bounds_the_loops(name, device):
    mask, loop = BOUNDED[name]
    q, k, v = leaf(256, 16), leaf(256, 16), leaf(256, 16)
    seen = mask(Tensor.arange(256).unsqueeze(1), Tensor.arange(256))
    body = planned(seen.where(q @ k.T, -math.inf).softmax() @ v).kernels[-1].body
    assert re.findall(r"for \(idx r0 = (.*); r0", body)[-1].replace("i0", "i1") == (loop or "0; r0 < 256")


def planned(*tensors):
    """The plan for these tensors, not compiled."""
    nodes = [tensor.node for tensor in tensors]
    order = tiny.topological(nodes, stop=tiny.is_realized)
    return tiny.Plan(16, 0, order, [node for node in order if node.buffer is not None], nodes)


def alive(x, roll):
    """The next generation of Conway's life."""
    n = sum(roll(x, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
    return ((n == 3) + (n == 2) * x) * 1


@on("C", "CL", "NUMPY")
def test_what_is_needed_at_many_places_is_computed_once(device):
    board = np.random.default_rng(0).integers(0, 2, (24, 20)).astype(np.int32)
    x = alive(alive(Tensor(board), Tensor.roll), Tensor.roll)
    assert device == "NUMPY" or max(len(kernel.body) for kernel in planned(x).kernels) < 40_000
    for _ in range(4):
        x = alive(x, Tensor.roll)
    for _ in range(6):
        board = alive(board, np.roll)
    np.testing.assert_array_equal(x.numpy(), board)


@on("C")
def test_the_kernels_of_a_loop_over_time_do_not_grow(device):
    """Each step of a recurrent network reads what all earlier ones made, and so do its gradients."""
    x, w, lengths = leaf(4, 16, 8), leaf(8, 32), []
    for steps in (6, 12):
        h = c = Tensor.zeros(4, 8)
        for t in range(steps):
            i, f, g, o = (h @ w + x[:, t].repeat(1, 4)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        lengths.append(max(len(kernel.body) for kernel in planned(*h.square().sum().gradient(x, w)).kernels))
    assert lengths[1] < 1.5 * lengths[0], lengths


def largest(plan):
    return max(math.prod(output.shape) for kernel in plan.kernels for output in kernel.outputs)


def heads_of(x, weight):
    """Causal attention of two heads as in GPT; a narrow `weight` tempts one to compute its product again and again."""
    (B, T, C), past = x.shape, places(x.shape[1], "C").unsqueeze(1) >= places(x.shape[1], "C")
    q, k, v = (part.reshape(B, T, 2, C // 2).transpose(1, 2) for part in (x @ weight).split(C, -1))
    scores = past.where(q @ k.transpose(-1, -2) / 8, -math.inf)
    return (scores.softmax() @ v).transpose(1, 2).reshape(B, T, C)


@on("C")
@pytest.mark.parametrize("context", [17, 60, 128, 255, 256, 512, 1000])
def test_attention_is_one_kernel(context, device):
    q, k, v = leaf(4, context, 64), leaf(4, context, 64), leaf(4, context, 64)
    plan = planned(q.scaled_dot_product_attention(k, v, is_causal=True))
    assert sum(not kernel.is_copy for kernel in plan.kernels) == 1
    assert largest(plan) == 4 * context * 64


def projected(queries, keys, heads, key_heads, *batch):
    """Attention of `queries` tokens to `keys` others, of which each has its own projection: the result and its leaves.
    With fewer heads for the keys and values, several heads of queries share them."""
    def split(x, heads):
        return x.unflatten(-1, (heads, 16)).transpose(-2, -3)
    x, z = leaf(*batch, queries, 64), leaf(*batch, keys, 64) if keys != queries else None
    wq, wk, wv = leaf(64, 16 * heads), leaf(64, 16 * key_heads), leaf(64, 16 * key_heads)
    y = x if z is None else z
    mask = places(queries, "C").unsqueeze(1) >= places(keys, "C")
    scores = mask.where(split(x @ wq, heads) @ split(y @ wk, key_heads).transpose(-1, -2) / 64, -math.inf)
    return scores.softmax() @ split(y @ wv, key_heads), [x, wq, wk, wv] + ([] if z is None else [z])


@on("C")
@pytest.mark.parametrize("batch", [(), (1,), (3,)])
@pytest.mark.parametrize("queries, keys, heads, key_heads", [
    (256, 256, 4, 4), (256, 256, 1, 1), (300, 200, 4, 4), (256, 256, 4, 1), (12, 12, 4, 4)])
def test_attention_of_three_projections_is_one_kernel(queries, keys, heads, key_heads, batch, device):
    """The projections are stored, and the scores, which read them, are not."""
    y, leaves = projected(queries, keys, heads, key_heads, *batch)
    plan = planned(y)
    assert sum(not kernel.is_copy for kernel in plan.kernels) == 4
    assert largest(plan) <= math.prod(batch) * max(queries, keys) * 16 * heads
    if y.shape[-2] * keys * heads >= 1 << 16:
        gradients = planned(y, *y.square().sum().gradient(*leaves))
        assert largest(gradients) <= math.prod(batch) * max(queries, keys) * max(16 * heads, 64)


@on("C")
@pytest.mark.parametrize("context", [256, 300, 512, 1000])
@pytest.mark.parametrize("width", [64, 128])
def test_attention_and_its_gradients_store_no_scores(width, context, device):
    x, weight = leaf(1, context, width), leaf(width, 3 * width)
    y = heads_of(x, weight)
    assert largest(planned(y)) <= 3 * context * width
    gradients = y.square().sum().gradient(x, weight)
    memory = [planned(y).arena_bytes, planned(y, *gradients).arena_bytes]
    x = leaf(1, 2 * context, width)
    y = heads_of(x, weight)
    double = [planned(y).arena_bytes, planned(y, *y.square().sum().gradient(x, weight)).arena_bytes]
    assert all(more < 2.2 * less for more, less in zip(double, memory))


@on("C")
@pytest.mark.parametrize("rows", [130, 133])
def test_blocks_of_rows_of_a_large_product_stay_within_it(rows, device):
    """With 7 rows at a time, blocks of 64 rows would overlap, and the last one reach beyond the result."""
    a, b = random_numbers("a", 2, rows, 600), random_numbers("b", 2, 600, 270)
    y = Tensor(a.astype(np.float32)) @ Tensor(b.astype(np.float32))
    close(y, a @ b, 1e-4, 1e-3)


# ---------------------------------------------------------------------------------------------------------------------
# Layers, optimizers and state
# ---------------------------------------------------------------------------------------------------------------------
def test_linear_embedding_and_norms(device):
    a, index = random_numbers("layers", 3, 5).astype(np.float32), np.array([[1, 0], [3, 3]], np.int32)
    linear, embedding, layer, rms = nn.Linear(5, 4), nn.Embedding(6, 5), nn.LayerNorm(5), nn.RMSNorm(5)
    Tensor.realize(*nn.state.get_parameters([linear, embedding, layer, rms]))
    close(linear(Tensor(a)), a @ linear.weight.numpy().T + linear.bias.numpy())
    same(embedding(Tensor(index)), embedding.weight.numpy()[index])
    close(layer(Tensor(a)), np_layernorm(a))
    close(rms(Tensor(a)), a / np.sqrt((a ** 2).mean(-1, keepdims=True) + 1e-6))
    assert (linear.weight.shape, linear.bias.shape) == ((4, 5), (4,))
    assert np.abs(linear.weight.numpy()).max() <= 1 / math.sqrt(5)


def test_a_size_is_inferred_beside_an_empty_axis(device):
    assert Tensor.zeros(6, 0).unflatten(0, (2, -1)).shape == (2, 3, 0)
    x, w = Tensor.ones(1, 0, 5, 5), Tensor.ones(3, 0, 2, 2)
    y = x.conv2d(w, Tensor([1.0, 2.0, 3.0]), stride=2)                  # no channels: there is only the bias
    assert y.sum().item() == 2 * 2 * 6 and [g.shape for g in y.sum().gradient(x, w)] == [x.shape, w.shape]


def test_norms_of_integers_are_floats(device):
    a = np.array([[3, -1, 4], [2, 7, 1], [0, 5, -6]], np.int32)
    for norm in nn.LayerNorm(3), nn.RMSNorm(3), nn.BatchNorm(3):
        with Tensor.train():
            same(norm(Tensor(a)), norm(Tensor(a.astype(np.float32))).numpy(), type(norm).__name__)


def test_convolution_and_batch_norm(device):
    a = random_numbers("images", 3, 4, 6, 5).astype(np.float32)
    convolution, norm = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(4)
    close(convolution(Tensor(a)), np_conv2d(a, convolution.weight.numpy(), 2, (2, 2), (1, 1), (1, 1))
          + convolution.bias.numpy()[:, None, None])
    close(norm(Tensor(a)), a / math.sqrt(1 + 1e-5))
    with Tensor.train():
        y = norm(Tensor(a))
    close(y, np_layernorm(a, (0, 2, 3)), 1e-5, 1e-5)
    close(norm.running_mean, 0.1 * a.mean((0, 2, 3)))
    close(norm.running_var, 0.9 + 0.1 * a.var((0, 2, 3), ddof=1))
    assert norm.num_batches_tracked.item() == 1


def test_batch_norm_keeps_its_averages_where_a_batch_has_none(device):
    norm = nn.BatchNorm(3)
    with Tensor.train():
        assert norm(Tensor.zeros(0, 3)).shape == (0, 3)
        for shape in [(1, 3), (1, 3, 1, 1), (4, 1), (4,)]:              # one value each has no variance
            with pytest.raises(ValueError, match="BatchNorm"):
                norm(Tensor.ones(shape))
    assert (norm.running_mean.tolist(), norm.running_var.tolist()) == ([0] * 3, [1] * 3)
    assert norm.num_batches_tracked.item() == 0


def test_a_step_computes_running_averages_that_its_optimizer_does_not_have(device):
    norm, x = nn.BatchNorm(3), leaf(4, 3)
    optimizer = nn.optim.SGD([norm.weight, norm.bias])
    for _ in range(2):
        with Tensor.train():
            optimizer.zero_grad()
            norm(x).square().sum().backward()
            optimizer.step()
        for average in (norm.running_mean, norm.running_var, norm.num_batches_tracked):
            assert not average.node.sources                             # which would be the batches so far


def np_sgd(p, gradients, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    velocity = 0
    for g in gradients:
        g = g + weight_decay * p
        velocity = momentum * velocity + g
        p = p - lr * (g + momentum * velocity if nesterov else velocity)
    return p


def np_adamw(p, gradients, lr, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    m = v = 0
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        p = p - lr * weight_decay * p - lr * (m / (1 - b1 ** t)) / (np.sqrt(v / (1 - b2 ** t)) + eps)
    return p


@pytest.mark.parametrize("name, options", [
    ("SGD", {}), ("SGD", {"momentum": 0.9, "weight_decay": 0.1}), ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"weight_decay": 0.0}), ("AdamW", {"b1": 0.8, "b2": 0.95, "weight_decay": 0.2})], ids=str)
def test_optimizer_steps_are_the_textbooks(name, options, device):
    oracle = np_sgd if name == "SGD" else np_adamw
    start = random_numbers("parameter", 4, 3)
    gradients = [random_numbers(f"gradient {i}", 4, 3) for i in range(4)]
    p = Tensor(start.astype(np.float32), requires_grad=True)
    optimizer = getattr(nn.optim, name)([p], lr=0.1, **({} if name == "Adam" else options))
    for g in gradients:
        optimizer.zero_grad()
        (p * Tensor(g.astype(np.float32))).sum().backward()
        optimizer.step()
    close(p, oracle(start, gradients, lr=0.1, **options), 1e-5, 1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_a_parameter_without_axes_is_stepped(name, device):
    p = Tensor(np.array(2.0, np.float32), requires_grad=True)
    optimizer = getattr(nn.optim, name)([p], lr=0.5)
    (p * 3).backward()
    optimizer.step()
    assert p.shape == ()
    close(p, np_sgd(2, [3], 0.5) if name == "SGD" else np_adamw(2, [3], 0.5, weight_decay=0.01 * (name == "AdamW")))


def test_a_loss_read_after_the_step_takes_no_second_forward_pass(device, monkeypatch):
    w, x = leaf(6, 5), leaf(4, 6)
    optimizer, runs, run = nn.optim.SGD([w], lr=0.5), [], Device[device].run
    monkeypatch.setattr(Device[device], "run", lambda plan, data: runs.append(plan) or run(plan, data))
    for _ in range(2):
        before = w.numpy()
        optimizer.zero_grad()
        loss, unread = (x @ w).square().mean().backward(), (x @ w).square().sum()
        optimizer.step()
        assert len(runs) == 1 and unread.node.buffer is None
        close(loss, (x.numpy() @ before) ** 2 @ np.ones(5) @ np.ones(4) / 20)
        assert len(runs) == 1 and not np.array_equal(w.numpy(), before)
        runs.clear()


def test_the_learning_rate_changes_between_steps(device):
    p = Tensor([1.0], requires_grad=True)
    optimizer = nn.optim.SGD([p], lr=0.5)
    for change in (lambda: None, lambda: setattr(optimizer, "lr", 0.25),
                   lambda: optimizer.lr.assign(Tensor([0.125])).realize()):
        change()
        optimizer.zero_grad()
        p.sum().backward()
        optimizer.step()
    assert p.tolist() == [1 - 0.5 - 0.25 - 0.125]


def test_weight_decay_may_differ_between_groups(device):
    p, q = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    optimizer = nn.optim.SGD([{"params": [p], "weight_decay": 0.5}, {"params": [q], "weight_decay": 0.0}], lr=1.0)
    (p * 0 + q * 0).sum().backward()
    optimizer.step()
    assert (p.item(), q.item()) == (0.5, 1.0)


def test_clip_grad_norm_scales_all_gradients_alike(device):
    p, q = Tensor([0.0, 0.0], requires_grad=True), Tensor([0.0], requires_grad=True)
    (p * Tensor([3.0, 0.0]) + q * 2).sum().backward()                   # gradients (3, 0) and 4: a norm of 5
    norm = nn.optim.clip_grad_norm_([p, q], 1.0)
    Tensor.realize(norm, p.grad, q.grad)
    close(norm, 5.0)
    close(p.grad, [0.6, 0])
    close(q.grad, [0.8])
    nn.optim.clip_grad_norm_([p, q], 100.0)
    close(p.grad, [0.6, 0])


def test_state_is_named_by_where_it_stands():
    class Model:
        def __init__(self):
            shared = Tensor([1.0])
            self.layers = [shared, (Tensor([2.0]), {"k": Tensor([3.0])})]
            self.head, self.rate, self.note = shared, 0.1, "x"
    state = nn.state.get_state_dict(Model())
    assert list(state) == ["layers.0", "layers.1.0", "layers.1.1.k", "head"]
    assert state["head"] is state["layers.0"] and len(nn.state.get_parameters(Model())) == 3


def test_a_state_leaves_out_what_leads_back():
    child = SimpleNamespace(weight=Tensor([1.0]))
    model = SimpleNamespace(layers=[child], own=Tensor([2.0]))
    child.parent = model
    assert list(nn.state.get_state_dict(model)) == ["layers.0.weight", "own"]


def test_two_tensors_of_one_name_are_no_state():
    x = Tensor([1.0])
    for model, name in [({1: x, "1": x}, "1"), ({"a.b": x, "a": {"b": x}}, r"a\.b")]:
        with pytest.raises(ValueError, match=f"get_state_dict.* {name}$"):
            nn.state.get_state_dict(model)


def test_a_state_of_the_models_own_tensors_is_read_before_any_changes(device):
    a, b = Tensor([1.0]), Tensor([2.0])
    nn.state.load_state_dict({"a": a, "b": b}, {"a": b, "b": a})
    assert (a.item(), b.item()) == (2, 1)


def test_safetensors_come_back_as_they_were(tmp_path, device):
    path = tmp_path / "x.safetensors"
    tensors = {name: Tensor([[0, 1, 3], [1, 0, 1]], dtype=name) for name in NAMES}
    tensors.update(scalar=Tensor(2.5), empty=Tensor(np.zeros((0, 3), np.float32)), view=Tensor([[1, 2], [3, 4]]).T)
    nn.state.safe_save(tensors, path)
    loaded = nn.state.safe_load(path)
    assert list(tmp_path.iterdir()) == [path] and set(loaded) == set(tensors)
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype and loaded[name].device == device
        same(loaded[name], tensor.numpy(), name)


def test_safetensors_are_laid_out_as_the_format_says(tmp_path):
    path = tmp_path / "x.safetensors"
    nn.state.safe_save({"a": Tensor([1.0, 2.0], device="NUMPY"), "b": Tensor([7], device="NUMPY")}, path, {"who": "me"})
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    assert header == {"__metadata__": {"who": "me"}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                      "b": {"dtype": "I32", "shape": [1], "data_offsets": [8, 12]}}
    assert data[8 + length:] == struct.pack("<ffi", 1, 2, 7)
    assert nn.state.safe_load_metadata(path) == {"who": "me"}


def entry(**changes):
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


HOSTILE = {                                                             # what stands in the header; what follows it
    "an unknown dtype": (entry(dtype="F8"), 8), "a dtype that is a list": (entry(dtype=["F32"]), 8),
    "a negative size": (entry(shape=[-2]), 8), "a size that is a float": (entry(shape=[2.0]), 8),
    "a size that is a bool": (entry(shape=[True, 2]), 8), "no shape": (entry(shape=None), 8),
    "offsets that do not match the shape": (entry(shape=[3]), 12), "offsets outside": (entry(data_offsets=[4, 12]), 8),
    "offsets backwards": (entry(data_offsets=[8, 0]), 8), "one offset": (entry(data_offsets=[8]), 8),
    "offsets that are text": (entry(data_offsets=["0", "8"]), 8), "too little data": (entry(), 4),
    "too much data": (entry(), 12),
    "a gap": ({**entry(), "v": {"dtype": "F32", "shape": [1], "data_offsets": [12, 16]}}, 16),
    "two at one place": ({**entry(), "v": entry()["w"]}, 8), "a number as entry": ({"w": 5}, 8), "a list": ([], 0),
    "a huge size": (entry(shape=[2 ** 62, 2 ** 62, 0], data_offsets=[0, 0]), 8), "no JSON": (b"{nonsense", 8),
    "metadata that are numbers": ({**entry(), "__metadata__": {"a": 1}}, 8), "no UTF-8": (b"\xff\xfe", 8),
    "a name twice": (json.dumps(entry()).encode()[:-1] + b"," + json.dumps(entry()).encode()[1:], 8),
    "deep nesting": (b"[" * 100_000, 0), "deep nesting within": (b'{"w":' * 100_000, 0),
    "offsets that are floats": (entry(data_offsets=[0.0, 8.0]), 8),
    "offsets that are bools": ({"w": {"dtype": "I8", "shape": [1], "data_offsets": [False, True]}}, 1),
    "half of a surrogate pair": ({"\ud800": entry()["w"]}, 8), "NaN": (entry(shape=[math.nan]), 8),
    "a size of 400 digits": (entry(shape=[10 ** 400]), 8), "a word too many": (entry(strides=[1]), 8),
    "a size of 5,000 digits": (b'{"w": ' + b"1" * 5000 + b"}", 8),
    "a name of a megabyte": ({"w" * 10 ** 6: {**entry()["w"], "shape": 1}}, 8),
    "33 axes": (entry(shape=[1] * 32 + [2]), 8), "white space first": (b" " + json.dumps(entry()).encode(), 8),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused(what, tmp_path):
    header, rest = HOSTILE[what]
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(rest))
    with pytest.raises(ValueError, match="hostile.safetensors is not a sound safetensors file: ") as error:
        nn.state.safe_load(path)
    assert len(str(error.value)) < 1000 and not re.search("(Type|Key|Attribute)Error", str(error.value))


@pytest.mark.parametrize("data", [b"", b"abc", struct.pack("<Q", 10 ** 18) + b"{}", struct.pack("<Q", 3) + b"{}"],
                         ids=["empty", "no length", "a length that is too great", "a header cut off"])
def test_a_broken_file_is_refused(data, tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="broken.safetensors"):
        nn.state.safe_load(path)


STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
TOKEN = re.compile(rf"{STRING}|-?0|[1-9][0-9]*|[][{{}}:,]")
WIDTHS = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def text_of(token):
    """What a JSON string stands for; a ValueError if that is no text, as half of a surrogate pair is none."""
    if not re.fullmatch(STRING, token):
        raise ValueError(token)
    units = b""                                                         # of UTF-16, which is what \uXXXX are
    for code, letter, character in re.findall(r"\\u(....)|\\(.)|([^\\])", token[1:-1], re.S):
        letter = dict(zip("bfnrt", "\b\f\n\r\t")).get(letter, letter)
        units += struct.pack("<H", int(code, 16)) if code else (letter + character).encode("utf-16-le")
    return units.decode("utf-16-le")


def json_of(tokens):
    """The value that the tokens of a JSON text are, of those that a sound header has: texts, whole numbers, lists, and
    objects whose names differ. For anything else it raises a ValueError, or an IndexError if something is missing."""
    tokens = tokens[::-1]

    def take(*wanted):
        if tokens[-1] not in wanted:
            raise ValueError(tokens[-1])
        return tokens.pop()

    def items(end, item):
        found = [] if tokens[-1] == end else [item()]
        while take(",", end) == ",":
            found.append(item())
        return found

    def pair():
        name = text_of(tokens.pop())
        take(":")
        return name, value()

    def value():
        token = tokens.pop()
        if token == "[":
            return items("]", value)
        if token == "{":
            pairs = items("}", pair)
            if len(dict(pairs)) < len(pairs):
                raise ValueError("a name is there twice")
            return dict(pairs)
        return int(token) if re.fullmatch("-?[0-9]+", token) else text_of(token)

    found = value()
    if tokens:
        raise ValueError("something follows")
    return found


def by_the_format(data):
    """The tensors of a safetensors file, {name: (dtype, shape, bytes)}, and its metadata; None if it is unsound. It is
    https://huggingface.co/docs/safetensors word by word, with our dtypes, and the sizes that an array can have."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, 100_000_000) or data[8:9] != b"{":
        return None
    try:
        text = data[8:8 + length].decode("utf-8")
        tokens = [token for token in re.split(f"({TOKEN.pattern})", text) if token.strip(" \t\n\r")]
        header = json_of(tokens)
    except (ValueError, IndexError, RecursionError):
        return None
    metadata, rest, tensors, taken = header.pop("__metadata__", {}), data[8 + length:], {}, []
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        return None
    for name, entry in header.items():
        if not isinstance(entry, dict) or sorted(entry) != ["data_offsets", "dtype", "shape"]:
            return None
        code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(code, str) or code not in WIDTHS or not isinstance(shape, list) or len(shape) > 32:
            return None
        if not isinstance(offsets, list) or not all(isinstance(n, int) for n in shape + offsets) or len(offsets) != 2:
            return None
        if math.prod(n for n in shape if n) >= 2 ** 60 or offsets[1] - offsets[0] != math.prod(shape) * WIDTHS[code]:
            return None
        taken.append(offsets)
        tensors[name] = code, tuple(shape), rest[slice(*offsets)]
    ends = [0] + [stop for _, stop in sorted(taken)]
    whole = [start for start, _ in sorted(taken)] == ends[:-1] and ends[-1] == len(rest)
    return (tensors, metadata) if whole else None


INSTEAD = ["-1", "-0", "0", "1", "2", "01", "1.0", "1e0", "1e999", "true", "false", "null", "NaN", "Infinity",
           str(2 ** 31), str(2 ** 62), str(2 ** 63), str(2 ** 64), "1" + "0" * 400, "9" * 5000, "[]", "{}", "[[1]]",
           '{"a":1,"a":1}', "[" * 100 + "]" * 100, "[" * 100_000, '{"a":' * 50_000, '""', '"a"', '"F8_E4M3"', '"f32"',
           '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\x"', '"\x01"', '"__metadata__"', '"dtype"', '"shape"',
           *(f'"{code}"' for code in WIDTHS), "", ",", " ", "\n", "\x00", "\ufeff", "\u00a0", "/**/", "\u0661"]


def damaged_tokens(tokens, rng):
    """The tokens of a header, with something else instead of one, or between two, twice, or not at all."""
    numbers = [i for i, token in enumerate(tokens) if token.isdigit()] or [0]
    one, two = rng.choice([rng.randrange(len(tokens)), rng.choice(numbers)]), rng.choice(numbers)
    length, change = rng.randrange(13), rng.randrange(8)
    if change == 0:
        tokens[one], tokens[two] = tokens[two], tokens[one]
    elif change == 1:
        tokens[one] = rng.choice(INSTEAD)
    elif change == 2:
        tokens.insert(one, rng.choice(INSTEAD))
    elif change == 3:
        tokens[one:one] = tokens[one:one + length]
    elif change == 4:
        del tokens[one:one + length]
    elif change == 5:
        tokens[1:1] = [*tokens[1:-1], ","]                              # all of it
    elif change == 6:
        tokens[one] += rng.choice([" ", "\n", "\t\r "])
    elif tokens[two].isdigit() and len(tokens[two]) < 100:
        tokens[two] = str(int(tokens[two]) + rng.choice([-8, -4, -1, 1, 4, 8]))
    return tokens or [""]


def random_file(rng):
    """A sound safetensors file, and then a few changes: to tokens of its header, to its length, or to any bytes."""
    entries, start = [], 0
    for i in range(rng.randrange(4)):
        code, shape = rng.choice([*WIDTHS]), [rng.randrange(4) for _ in range(rng.randrange(4))]
        name = rng.choice(["w", "layer.0.bias", "é", "\U0001f600", '"', ""]) + str(i)
        stop = start + math.prod(shape) * WIDTHS[code]
        entries.append((name, {"dtype": code, "shape": shape, "data_offsets": [start, stop]}))
        start = stop
    entries += [("__metadata__", {"format": "pt", "é": "\n"})] * rng.randrange(2)
    rng.shuffle(entries)
    text = json.dumps(dict(entries), ensure_ascii=rng.random() < 0.5, separators=(",", ":"))
    changes = rng.sample(["tokens", "tokens again", "length", "bytes"], rng.choice([0, 1, 1, 1, 2, 4]))
    tokens = TOKEN.findall(text)
    for _ in {"tokens", "tokens again"}.intersection(changes):
        tokens = damaged_tokens(tokens, rng)
    text = "".join(tokens).encode() + b" " * rng.randrange(8)
    length = len(text) if "length" not in changes else rng.choice([
        0, 1, len(text) - 1, len(text) + 1, len(text) + start, len(text) + start + 1, 10 ** 10, 2 ** 63, 2 ** 64 - 1])
    data = bytearray(struct.pack("<Q", max(0, length)) + text + rng.randbytes(start))
    if "bytes" in changes:
        at, change = rng.randrange(len(data)), rng.randrange(4)
        if change == 0:
            del data[at:]
        elif change == 1:
            del data[at:at + rng.randrange(9)]
        elif change == 2:
            data[at:at] = rng.randbytes(rng.randrange(9))
        else:
            data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


def load_random_files(count, seed, folder):
    """Load random files, most of them damaged. What the format calls sound must come as it is, all else be refused with
    a ValueError that names the file. Returns how many were sound; a file that is a finding stays in the folder."""
    rng, path, sound = random.Random(seed), Path(folder) / "any.safetensors", 0
    for number in range(count):
        data = random_file(rng)
        path.write_bytes(data)
        want, what = by_the_format(data), f"file {number} of seed {seed}, {path}: {data[:400]!r}"
        try:
            got = nn.state.safe_load(path), nn.state.safe_load_metadata(path)
        except ValueError as error:
            assert want is None and str(path) in str(error) and len(str(error)) < 2000, f"{what}: {error}"
            continue
        assert want is not None and got[1] == want[1] and got[0].keys() == want[0].keys(), what
        for name, (code, shape, raw) in want[0].items():
            tensor = got[0][name]
            bits = tensor.bitcast("float16") if code == "BF16" else tensor      # NumPy has none
            raw = bytes(byte != 0 for byte in raw) if code == "BOOL" else raw
            assert (tiny.SAFETENSORS[code], shape, raw) == (tensor.dtype, tensor.shape, bits.numpy().tobytes()), what
        sound += 1
    return sound


def test_no_number_is_read_before_all_offsets_are_right(tmp_path):
    """Files of a terabyte, all of it holes: a header that long, numbers in the wrong place, and in the right one."""
    path = tmp_path / "x.safetensors"
    for length, end in ((10 ** 10, 8), (2 ** 63, 8), (None, 8), (None, 2 ** 40 - 8)):
        with open(path, "wb") as file:
            text = json.dumps({"w": {"dtype": "U8", "shape": [2 ** 40], "data_offsets": [0, end]}}).encode()
            file.write(struct.pack("<Q", length or len(text)) + text)
            try:
                file.truncate(2 ** 40 + 8 + len(text))
            except OSError as error:                                    # ext4 has files of up to 16 TB, tmpfs of 8 EB
                pytest.fail(f"{tmp_path} can't hold a file of a terabyte without numbers: {error}")
        tracemalloc.start()
        with pytest.raises(ValueError, match="x.safetensors is not a sound"):
            nn.state.safe_load(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20
    path.write_bytes(struct.pack("<Q", len(text)) + text.replace(str(end).encode(), str(2 ** 40).encode()))
    os.truncate(path, path.stat().st_size + 2 ** 40)
    begin = time.perf_counter()
    assert nn.state.safe_load_metadata(path) == {} and time.perf_counter() - begin < 1


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a socket"])
def test_what_is_no_file_is_refused_at_once(kind, tmp_path, monkeypatch, capsys):
    path = tmp_path / "x.safetensors"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        monkeypatch.chdir(tmp_path)                                     # names of sockets are short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    with pytest.raises(ValueError, match="x.safetensors is not a sound safetensors file: it is no regular file"):
        nn.state.safe_load(path)
    assert "it is no regular file" in refused(["sample", "--model", str(path)], monkeypatch, capsys)
    for name in ("x.safetensors", "x.checkpoint", "x.csv", "x.svg"):
        if not (tmp_path / name).exists():
            path = path.rename(tmp_path / name)
        assert f"{name} is not of gpt.py" in refused(["--out", str(tmp_path / "x.safetensors")], monkeypatch, capsys)


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    nn.state.safe_save({"a": Tensor.ones(1000), "b": Tensor.ones(1000)}, path)
    read = tiny._read_header

    def read_and_cut(*arguments):
        os.truncate(path, path.stat().st_size - 4)
        return read(*arguments)
    monkeypatch.setattr(tiny, "_read_header", read_and_cut)
    with pytest.raises(ValueError, match="x.safetensors is not a sound .*the file ends within 'b'"):
        nn.state.safe_load(path)


@pytest.mark.parametrize("what, tensors, metadata", [
    ("__metadata__", {"__metadata__": [1.0]}, None), ("__metadata__", {"a": [1.0]}, {"a": 1}),
    ("twice", {0: [1.0], "0": [2.0]}, None), ("surrogate", {"\ud800": [1.0]}, None),
], ids=["the name of the metadata", "numbers as metadata", "a name twice", "half of a surrogate pair"])
def test_what_could_not_be_loaded_again_is_not_saved(what, tensors, metadata, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_text("precious")
    with pytest.raises(ValueError, match=f"safe_save: .*x.safetensors could not be loaded again: .*{what}"):
        nn.state.safe_save({name: Tensor(numbers) for name, numbers in tensors.items()}, path, metadata)
    assert path.read_text() == "precious" and os.listdir(tmp_path) == [path.name]


@on("NUMPY")
def test_random_files_are_loaded_as_the_format_says_or_refused(device, tmp_path):
    assert 300 < load_random_files(2000, 0, tmp_path) < 1500


def test_loading_a_state_checks_everything_before_it_touches_the_model(device):
    def breaks(x):
        raise RuntimeError("numpy broke")

    broken = tiny.kernel("broken", "nonsense;", numpy=breaks)
    layer = nn.Linear(2, 3)
    before = layer.weight.numpy()
    for biases, words in [({}, ["bias"]), ({"bias": Tensor.zeros(4)}, ["bias", "3", "4"]),
                          ({"bias": Tensor.zeros(3, dtype="float16")}, ["bias", "float16"]),
                          ({"bias": Tensor.zeros(3), "extra": Tensor.zeros(1)}, ["extra"])]:
        with pytest.raises(ValueError) as error:
            nn.state.load_state_dict(layer, {"weight": Tensor.zeros(3, 2), **biases})
        assert all(word in str(error.value) for word in words), error.value
        same(layer.weight, before)
    with pytest.raises(RuntimeError, match="could not compile .*broken|numpy broke"):
        nn.state.load_state_dict(layer, {"weight": Tensor.zeros(3, 2), "bias": broken(Tensor.zeros(3))})
    same(layer.weight, before)
    nn.state.load_state_dict(layer, {"weight": Tensor.zeros(3, 2), "other": Tensor.zeros(1)}, strict=False)
    assert not layer.weight.numpy().any()


# ---------------------------------------------------------------------------------------------------------------------
# jit
# ---------------------------------------------------------------------------------------------------------------------
def train_mlp(device, jitted, steps=5):
    """Losses and final state of a small network with dropout, trained by Adam."""
    Tensor.manual_seed(3)
    first, second = nn.Linear(6, 16), nn.Linear(16, 3)
    parameters = nn.state.get_parameters([first, second])
    optimizer = nn.optim.Adam(parameters, lr=0.05)

    def step(x, y):
        with Tensor.train():
            optimizer.zero_grad()
            loss = second(first(x).gelu().dropout(0.3)).cross_entropy(y)
            loss.backward()
            optimizer.step()
            return loss.realize()
    step, rng, losses = TinyJit(step) if jitted else step, np.random.default_rng(0), []
    for _ in range(steps):
        x, y = rng.normal(size=(8, 6)).astype(np.float32), rng.integers(0, 3, 8).astype(np.int32)
        losses.append(step(Tensor(x), Tensor(y)).item())
    return losses, [p.numpy() for p in nn.state.get_parameters(optimizer)], Tensor.rand(3).tolist()


@on(*DEVICES, "GROUPS")
def test_jit_computes_the_same_bits(optimized, device):
    """Every loss, parameter, moment, and what the random generator gives afterwards."""
    losses, state, drawn = train_mlp(device, jitted=False)
    jit_losses, jit_state, jit_drawn = train_mlp(device, jitted=True)
    assert jit_losses == losses and len(set(losses)) == len(losses)
    assert jit_drawn == drawn
    for ours, want in zip(jit_state, state):
        same(ours, want)


def test_jit_draws_fresh_random_numbers_at_each_replay(device):
    draw = TinyJit(lambda x: (x + Tensor.rand(4)).realize())
    zero = Tensor.zeros(4).contiguous().realize()
    Tensor.manual_seed(9)
    first = [draw(zero).tolist() for _ in range(4)] + [Tensor.rand(4).tolist() for _ in range(2)]
    Tensor.manual_seed(9)
    eager = [Tensor.rand(4).tolist() for _ in range(6)]
    assert first == eager and len(set(map(tuple, first))) == 6
    Tensor.manual_seed(9)
    assert [draw(zero).tolist() for _ in range(4)] == first[:4]


@on(*COMPILED)
@pytest.mark.parametrize("rows", [128, 135, 198, 203, 259])             # in tiles of 8, 5, 6, 7 and 7
def test_rows_that_go_in_blocks_are_done_once(rows, device):
    """A row that two blocks share would be computed again from its new value, or lie beyond the end."""
    rng = np.random.default_rng(rows)                                   # small integers as floats: products are exact
    a, x, w = (rng.integers(-4, 5, shape).astype(np.float32) for shape in ((rows, 96), (rows, 2500), (2500, 96)))
    p, x32, w32 = Tensor(a), Tensor(x), Tensor(w)
    subtract = TinyJit(lambda: p.assign(p - x32 @ w32))
    for _ in range(3):
        subtract()
    assert "least(" in tiny.kernels(p - x32 @ w32)[-1].source
    same(p, a - 3 * (x @ w))


@on(*COMPILED)
def test_states_that_one_kernel_of_strips_changes_are_read_before(device):
    q, k, v, w, *states = (random_numbers(name, 300, 8) / 2 for name in "qkvwab")
    x, y, z, u, a, b = (Tensor(array.astype(np.float32)) for array in (q, k, v, w, *states))

    @TinyJit
    def step():
        e = (x @ y.T).exp()
        old = a * 1, b * 1
        a.assign(old[0] + e @ z - old[1])
        b.assign(old[1] + e @ u + old[0])
    e = np.exp(q @ k.T)
    for _ in range(3):
        step()
        states = states[0] + e @ v - states[1], states[1] + e @ w + states[0]
    for got, want in zip((a, b), states):
        close(got, want, 1e-4, 1e-2)


# Programs whose results must be the same bits wherever and whenever they run; each begins with the same seed.
REPRODUCED = """
import sys, zlib
from tiny import Tensor, TinyJit, nn
import gpt

def random():
    return [Tensor.rand(1001), Tensor.randn(1001)]

def reductions():
    x = Tensor.randn(300001)                                            # in parts, which threads share
    return [x.sum(), x.max(), x[:300000].reshape(600, 500).softmax().sum(0)]

def training(jit=False):
    layers = [nn.Linear(33, 65), nn.LayerNorm(65), nn.Linear(65, 7)]
    parameters = nn.state.get_parameters(layers)
    optimizer = nn.optim.AdamW(parameters, lr=0.01)
    x = Tensor.randn(301, 33).realize()
    def step(x):
        optimizer.zero_grad()
        loss = layers[2](layers[1](layers[0](x)).gelu()).softmax().square().mean().backward()
        optimizer.step()
        return loss.realize(*parameters)
    step = TinyJit(step) if jit else step
    return [step(x) for _ in range(3)][-1:] + parameters

def training_with_jit():
    return training(jit=True)

def convolution():
    x, w = Tensor.randn(3, 4, 13, 11), Tensor.randn(6, 4, 3, 3)
    y = x.conv2d(w, padding=1).max_pool2d()
    return [y, *y.square().sum().gradient(x, w)]

def attention():
    q, k, v = (Tensor.randn(2, 3, 70, 16) for _ in range(3))
    y = q.scaled_dot_product_attention(k, v, is_causal=True)
    return [y, *y.square().sum().gradient(q, k, v)]

def transformer():
    model = gpt.GPT(gpt.GPTConfig(65, 16, 2, 2, 32))
    step = gpt.training_step(model, lr=1e-3)[1]
    x = Tensor.randint(6, 17, high=65)
    return [step(x[:, :-1], x[:, 1:]) for _ in range(4)] + nn.state.get_parameters(model)

for name in sys.argv[1:]:
    Tensor.manual_seed(4)
    results = globals()[name]()
    Tensor.realize(*results)
    print(name.removesuffix("_with_jit"), *(zlib.crc32(x.numpy().tobytes()) for x in results))
"""
QUICKLY, ALL = ["random", "reductions", "training"], ["training_with_jit", "convolution", "attention", "transformer"]


def bits(folder, device, programs):
    """The lines that those programs print in each of the surroundings that may not matter: what a jit gives too, after
    other programs than before, and where all is planned and compiled anew."""
    runs = [dict(THREADS=str(n)) for n in (2, 1, 3, 7)]
    runs += [dict(PYTHONHASHSEED="1", KERNELS=str(folder / "kernels")),
             dict(PYTHONHASHSEED="2", TINY_CACHE=str(folder / "cold"), THREADS="1")]
    found = []
    for i, environment in enumerate(runs):
        run = python(REPRODUCED, *(programs[::-1] if i > 3 else programs), **{"DEVICE": device, **environment})
        assert run.returncode == 0, run.stderr
        found.append(set(run.stdout.splitlines()))
        assert len(found[-1]) == len({line.split()[0] for line in found[-1]}), "the jit gives other bits"
    return found


def test_the_same_program_gives_the_same_bits_wherever_it_runs(tmp_path):
    found = bits(tmp_path, "C", QUICKLY)
    assert len(found) == 6 and len(found[0]) == len(QUICKLY) and all(lines == found[0] for lines in found)


def test_jit_may_assign_its_argument(device):
    """The caller's Tensor advances, and whoever shared its old value keeps that."""
    advance = TinyJit(lambda x: x.assign(x + 1))
    counter = Tensor([0.0])
    shared, lazy = counter.detach(), counter * 10
    assert [advance(counter).item() for _ in range(3)] == [1, 2, 3]
    assert (counter.item(), shared.item(), lazy.item()) == (3, 0, 0)


def test_jit_leaves_gradients_behind_and_adds_to_them(device):
    """As without jit, whether there were gradients before or not."""
    def gradients(wrap):
        w, found = Tensor([1.0, 2.0], requires_grad=True), []
        backward = wrap(lambda x: (w * x).sum().backward())
        for i in range(8):
            if i in (3, 6, 7):
                w.grad = None
            backward(Tensor([1.0 + i, 1.0]))
            found.append(w.grad.tolist())
        return found
    assert gradients(TinyJit) == gradients(lambda step: step)


def test_jit_of_the_optimizer_alone_reads_todays_gradients(device):
    def trained(wrap):
        w = Tensor([1.0, 2.0], requires_grad=True)
        optimizer = nn.optim.Adam([w], lr=0.1)
        step = wrap(lambda: optimizer.step())
        for i in range(4):
            optimizer.zero_grad()
            (w * Tensor([1.0 + i, 2.0])).square().sum().backward()
            step()
        return w.tolist()
    np.testing.assert_allclose(trained(TinyJit), trained(lambda step: step), rtol=1e-6)


@on(*COMPILED)
def test_a_capture_computes_the_gradients_that_are_there_in_one_plan(device, monkeypatch):
    planned, make = [], tiny.plans
    x, layers = leaf(8, 16).realize(), [nn.Linear(16, 16) for _ in range(4)]
    y = x
    for layer in layers:
        y = layer(y).tanh()
    parameters = nn.state.get_parameters(layers)
    Tensor.realize(*parameters)
    y.square().mean().backward()
    monkeypatch.setattr(tiny, "plans", lambda nodes: planned.append(nodes) or make(nodes))
    TinyJit(lambda x: (x + 1).realize())(x)
    assert [len(nodes) for nodes in planned if nodes] == [len(parameters)]


def test_jit_may_take_two_optimizer_steps(device):
    """The second gradient is that of parameters that were assigned but not yet computed."""
    def losses(wrap):
        Tensor.manual_seed(2)
        layer = nn.Linear(3, 2)
        optimizer = nn.optim.SGD(nn.state.get_parameters(layer), 0.1)

        def step(x):
            for _ in range(2):
                optimizer.zero_grad()
                loss = layer(x).square().mean().backward()
                optimizer.step()
            return loss
        step = wrap(step)
        return [step(Tensor.ones(4, 3)).item() for _ in range(3)]
    np.testing.assert_allclose(losses(TinyJit), losses(lambda step: step), rtol=1e-6)


@pytest.mark.parametrize("n", [70001, 1 << 17])
def test_the_greatest_of_many_may_be_anywhere(n, device):
    """A long reduction is one of parts and of a rest."""
    x = random_numbers("many", n).astype(np.float32)
    for place in (0, n // 2, n - 1):
        x[place] = 3 + place
        assert Tensor(x).max().item() == 3 + place


@pytest.mark.parametrize("make", [lambda: Tensor.ones(20_000_001), lambda: Tensor.ones(4001, 5001).T],
                         ids=["lazy", "strided"])
def test_long_sums_keep_their_small_numbers(device, make):
    """One after the other, float32 ones add up to 2 ** 24 at most."""
    x = make()
    assert x.sum().item() == pytest.approx(x.numel(), rel=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64"])
def test_shifts_past_the_width_are_numpys(device, dtype):
    a, b = np.arange(-20, 21).astype(dtype), (np.arange(41) * 2).astype(dtype)
    x, y = Tensor(a), Tensor(b)
    np.testing.assert_array_equal((x << y).numpy(), np.left_shift(a, b))
    np.testing.assert_array_equal((x >> y).numpy(), np.right_shift(a, b))


def test_jit_of_nothing(device):
    state, filled = Tensor(np.zeros((0, 2))), Tensor([1.0])

    @TinyJit
    def step(x):
        state.assign(state + 1)
        filled.assign(filled + 1)
        return x, x * 2, x.sum(), filled[0:0]

    for n in range(4):
        x, double, total, part = step(Tensor(np.zeros((0, 3))))
        assert x.numpy().shape == double.numpy().shape == (0, 3) and total.item() == 0 and part.tolist() == []
    assert state.numpy().shape == (0, 2) and filled.tolist() == [5]


def test_jit_captures_new_shapes_and_dtypes_anew(device):
    calls = []

    @TinyJit
    def double(x):
        calls.append(x.shape)
        return (x * 2).realize()
    for _ in range(3):
        for x in (Tensor([1.0, 2.0]), Tensor([[1.0]]), Tensor([1, 2])):
            y = double(x)
            assert y.tolist() == (np.array(x.tolist()) * 2).tolist() and y.dtype == x.dtype
    assert len(calls) <= 6


def test_jit_takes_nested_arguments_and_gives_nested_results(device):
    @TinyJit
    def sums(pair, by_name):
        return {"a": (pair[0] + by_name["k"]).realize(), "b": [(pair[1] * by_name["k"]).realize(), 5]}
    for i in range(4):
        got = sums((Tensor([1.0 + i]), Tensor([2.0])), by_name={"k": Tensor([3.0])})
        assert got["a"].tolist() == [4.0 + i] and got["b"][0].tolist() == [6.0] and got["b"][1] == 5


def test_jit_tells_named_tuples_of_equal_names_apart(device):
    less, one, two = TinyJit(lambda pair: pair.a - pair.b), Tensor([1.0]), Tensor([2.0])
    assert [less(namedtuple("Pair", fields)(two, one)).item() for fields in ("a b", "b a")] == [1, -1]


def test_jit_may_be_given_one_tensor_twice(device):
    add = TinyJit(lambda x, y: (x * 10 + y).realize())
    for i in range(4):
        a, b = Tensor([float(i)]), Tensor([float(i + 1)])
        results = [add(a, b).item(), add(a, a).item(), add(b, a).item(), add(b, b).item()]
        assert results == [11 * i + 1, 11 * i, 11 * i + 10, 11 * i + 11]


def test_jit_takes_its_output_as_the_next_input(device):
    double = TinyJit(lambda x: (x * 2).realize())
    x = Tensor([1.0, 3.0])
    for _ in range(6):
        x = double(x)
    assert x.tolist() == [64, 192]


def test_an_old_output_of_jit_is_not_overwritten(device):
    double = TinyJit(lambda x: (x * 2).realize())
    outputs = [double(Tensor([float(i)])) for i in range(6)]
    lazy = [output + 1 for output in outputs]
    double(Tensor([100.0]))
    assert [output.item() for output in outputs] == [0, 2, 4, 6, 8, 10]
    assert [value.item() for value in lazy] == [1, 3, 5, 7, 9, 11]


def test_what_jit_returns_of_a_state_or_a_gradient_is_a_copy(device):
    state, w = Tensor([0.0]).realize(), Tensor([3.0], requires_grad=True).realize()
    count, slope = TinyJit(lambda: state.assign(state + 1)), TinyJit(lambda x: [(w * x).sum().backward(), w.grad][1:])
    for start in (0, 3):
        w.grad = None
        results = [(count(), *slope(Tensor([2.0]))) for _ in range(3)]
        assert [a.item() for a, _ in results] == [start + 1, start + 2, start + 3]
        assert [b.item() for _, b in results] == [2, 4, 6]


def test_jit_leaves_the_old_value_of_a_parameter_to_whoever_shares_it(device):
    p = Tensor([1.0, 2.0]).realize()
    step = TinyJit(lambda x: p.assign(p + x).realize())
    one, kept = Tensor([1.0, 1.0]), []
    for _ in range(5):
        kept.append((p.detach(), p * 10, p.numpy()))
        step(one)
    assert p.tolist() == [6, 7]
    for i, (shared, lazy, array) in enumerate(kept):
        assert shared.tolist() == [1 + i, 2 + i] and lazy.tolist() == [10 + 10 * i, 20 + 10 * i] and array[0] == 1 + i


def test_jit_leaves_the_old_value_to_an_equal_graph(device):
    """What += made of a parameter is an ordinary node: whoever adds the same two finds it."""
    w, state = Tensor([1.0, 2.0], requires_grad=True).realize(), Tensor([2.0, 2.0]).realize()
    step = TinyJit(lambda: state.assign(state + 1))
    step()
    before = state[:]
    state += w
    state.realize()
    gc.collect()                                                        # what planned it holds it as well
    step()
    assert ((before + w).tolist(), state.tolist()) == ([4, 5], [5, 6])


def test_an_assignment_outside_of_jit_is_seen_by_the_next_replay(device):
    p, q = Tensor([1.0]).realize(), Tensor([5.0]).realize()
    step = TinyJit(lambda x: (p.assign(p * 2) + q * x).realize())
    one = Tensor([1.0])
    assert [step(one).item() for _ in range(3)] == [7, 9, 13]
    p.assign(Tensor([100.0])).realize()
    assert step(one).item() == 205
    q.assign(Tensor([7.0]))
    assert step(one).item() == 407 and p.item() == 400


STATES = {"constant": lambda: Tensor.zeros(3), "lazy": lambda: Tensor.arange(3) * 0.0,
          "leaf": lambda: Tensor([0.0] * 3), "realized": lambda: Tensor.zeros(3).realize(),
          "the same node": lambda node=[]: node[0].reshape(3)}


@pytest.mark.parametrize("kind", STATES)
def test_jit_tells_tensors_with_equal_values_apart(kind, device):
    """Equal constants are one node of the graph, but a step that changes one Tensor must not change the other."""
    STATES["the same node"].__defaults__[0][:] = [Tensor([0.0] * 3)]
    a, b, read = (STATES[kind]() for _ in range(3))
    step = TinyJit(lambda x: (a.assign(a + 1) + b.assign(b + 10) + read * x + Tensor.zeros(3)).realize())
    seen = [step(Tensor([1.0] * 3)).tolist()[0] for _ in range(3)]
    assert seen == [11, 22, 33] and a.tolist() == [3] * 3 and b.tolist() == [30] * 3 and read.tolist() == [0] * 3
    read.assign(5.0)
    assert step(Tensor([2.0] * 3)).tolist() == [54] * 3
    a.assign(0.0)
    assert step(Tensor([0.0] * 3)).tolist() == [51] * 3


def test_jit_may_change_its_own_tensors_in_place(device):
    """They begin anew at each call; one that is also there outside is a state."""
    weight, total = Tensor([3.0], requires_grad=True), Tensor([0.0, 0.0])

    @TinyJit
    def step(x):
        y, z = x * 2, Tensor.zeros(2)
        y += 1
        z[1] = x.sum()
        z += y
        loss = Tensor([0.0])
        for _ in range(3):
            loss += (weight * z).sum()
        weight.grad = None
        loss.sum().backward()
        total.__iadd__(z)
        return y, weight.grad, loss.realize()

    sum_ = 0
    for number in (1.0, 5.0, 7.0):
        y, grad, loss = step(Tensor([number]))
        z = [2 * number + 1, 3 * number + 1]
        sum_ += np.array(z)
        assert y.tolist() == [z[0]] and grad.tolist() == [3 * sum(z)] and loss.tolist() == [9 * sum(z)]
        assert total.tolist() == sum_.tolist()


def test_jit_keeps_a_state_that_its_first_call_makes(device):
    there = {}

    @TinyJit
    def step(x):
        if not there:
            there["mean"] = Tensor.zeros(1)
        there["mean"] += x
        return there["mean"].realize()

    assert [step(Tensor([2.0])).item() for _ in range(3)] == [2, 4, 6] and there["mean"].item() == 6


def test_jit_tells_a_state_from_what_its_call_made_of_it(device):
    """Each call remembers the old state in a new Tensor, which has the same node, and changes both."""
    state, kept = Tensor([0.0]).realize(), {}

    @TinyJit
    def step():
        kept["old"] = state[:]
        kept["old"] += 1
        state.assign(state + 10)
    for i in range(4):
        step()
        assert (state.item(), kept["old"].item()) == (10 * i + 10, 10 * i + 1)


def test_jit_tells_a_tensor_from_an_equal_constant(device):
    count = Tensor.zeros(3)
    step = TinyJit(lambda x: (count.assign(count + x) + Tensor.zeros(3) * 100).realize())
    assert [step(Tensor([1.0] * 3)).tolist()[0] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("first", ["reader", "writer"])
def test_one_jit_sees_what_another_assigns(first, kind, device):
    """As an evaluation sees the running averages of training."""
    STATES["the same node"].__defaults__[0][:] = [Tensor([0.0] * 3)]
    state, one = STATES[kind](), Tensor([1.0] * 3)
    reader, writer = TinyJit(lambda x: (state + x).realize()), TinyJit(lambda x: state.assign(state + x).realize())
    if first == "reader":
        assert reader(one).tolist() == [1] * 3
    for n in range(1, 4):
        assert writer(one).tolist() == [n] * 3
        assert reader(one).tolist() == [n + 1] * 3


def test_jit_of_a_method_is_each_objects_own(device):
    class Counter:
        def __init__(self, start):
            self.count = Tensor([start]).realize()

        @TinyJit
        def add(self, x):
            return self.count.assign(self.count + x).realize()
    a, b = Counter(0.0), Counter(100.0)
    for _ in range(4):
        a.add(Tensor([1.0]))
        b.add(Tensor([2.0]))
    assert (a.count.item(), b.count.item()) == (4, 108)


class Tally:
    def __init__(self):
        self.count, self.twice = Tensor([0.0]), TinyJit(self.doubled)

    @TinyJit
    def add(self, x):
        return self.count.assign(self.count + x)

    @TinyJit
    def __call__(self, x):
        return self.count + x

    def doubled(self, x):
        return self.count * 2 + x


class LoudTally(Tally):
    @TinyJit
    def add(self, x):
        return super().add(x) * 100


def test_jit_of_a_method_may_call_that_of_its_base_class(device):
    tally = LoudTally()
    assert [tally.add(Tensor([1.0])).item() for _ in range(3)] == [100, 200, 300]


def test_jit_of_call_is_captured_once(device):
    tally, one = Tally(), Tensor([1.0])
    assert [tally(one).item() for _ in range(2)] == [1, 1] and len(Tally.__call__.__get__(tally, Tally).captured) == 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
                         ids=["deepcopy", "pickle"])
def test_a_copy_of_a_model_with_jits_has_its_own(copied, device):
    model, one = LoudTally(), Tensor([1.0])
    for _ in range(2):
        results = [model.add(one), model(one), model.twice(one)]
    other = copied(model)
    model.count.assign(50.0)
    assert [x.item() for x in results] == [200, 3, 5] and list(nn.state.get_state_dict(model)) == ["count"]
    assert [x.item() for x in (other.add(one), other(one), other.twice(one))] == [300, 4, 7]
    assert (model.twice(one).item(), model.count.item(), other.count.item()) == (101, 50, 3)


def test_the_state_of_a_model_in_a_jit_is_its_own(device):
    assert list(nn.state.get_state_dict([TinyJit(nn.Linear(2, 2))])) == ["0.weight", "0.bias"]


def test_jit_respects_training_mode(device):
    f = TinyJit(lambda x: x.dropout(0.5).realize())
    x = Tensor(np.ones(64, np.float32))
    for _ in range(3):
        assert (f(x).numpy() == 1).all()
        with Tensor.train():
            assert set(f(x).tolist()) == {0, 2}


def read_inside(x):
    return x + x.sum().item()


@pytest.mark.parametrize("call, kind, words", [
    (lambda: TinyJit(read_inside)(Tensor([1.0])), RuntimeError, ["jit", "read"]),
    (lambda: TinyJit(lambda x: x * (2 if x.sum() > 0 else 3))(Tensor([1.0])), RuntimeError, ["jit", "read"]),
    (lambda: TinyJit(lambda x, n: x * n)(Tensor([1.0]), 3), TypeError, ["jit", "int", "3"]),
    (lambda: TinyJit(lambda x: x * 2)(np.ones(2)), TypeError, ["jit", "ndarray"]),
    (lambda: TinyJit(lambda x: [Tensor.manual_seed(5), Tensor.rand(2)][1])(Tensor([1.0])), RuntimeError,
     ["jit", "manual_seed"]),
    (lambda: TinyJit(lambda x: (x, SimpleNamespace(y=[x * 2])))(Tensor([1.0])), TypeError, ["jit", "1.y.0"]),
], ids=["a value read", "a branch on a value", "a number", "an array", "a seed", "an object"])
def test_jit_raises_on_what_it_cannot_replay(call, kind, words, device):
    for _ in range(3):                                                  # at every call, not just at the first
        with pytest.raises(kind) as error:
            call()
        assert all(word in str(error.value) for word in words), error.value
    assert (Tensor([1.0]) + 1).item() == 2                              # and afterwards all is as before


@on(*COMPILED)
def test_a_captured_step_builds_no_graph(device):
    p = Tensor(random_numbers("jit", 32, 32).astype(np.float32)).realize()
    calls = []

    @TinyJit
    def step(x):
        calls.append(1)
        return p.assign((p @ x).tanh()).sum().realize()
    x = Tensor(np.eye(32, dtype=np.float32)).realize()
    for _ in range(3):
        step(x)
    before = len(calls)
    for _ in range(20):
        step(x)
    assert len(calls) == before <= 2


@on(*COMPILED)
def test_memory_of_a_step_is_planned(device):
    """The arena of intermediates is smaller than their sum: what nothing needs any more is used again."""
    layers = [Tensor(random_numbers(f"layer {i}", 64, 64).astype(np.float32)).realize() for i in range(12)]

    @TinyJit
    def step(x):
        for layer in layers:
            x = (x @ layer).tanh()
            x = x - x.mean(0)                                           # of all rows: so the next layer has to wait
        return x.realize()
    x = Tensor(random_numbers("x", 256, 64).astype(np.float32))
    for _ in range(3):
        step(x)
    capture, = step.captured.values()
    outputs = [output for kernel in capture.plan.kernels for output in kernel.outputs]
    total = sum(math.prod(output.shape) * output.dtype.itemsize for output in outputs)
    assert 0 < capture.plan.arena_bytes < total / 2


@on("C")
def test_a_plan_follows_the_arena_as_it_grows(device):
    """What lies between kernels shares a memory, which makes room for the plan that needs most."""
    def compute(n):
        x = leaf(n, n).realize()
        close((x @ x).softmax().sum(0).log(), np.log(np_softmax(x.numpy() @ x.numpy()).sum(0)), 1e-3, 1e-3)
    Device[device].arena = None
    compute(40)
    small = Device[device].arena
    compute(80)
    small.array.fill(7)
    compute(40)
    assert Device[device].arena.size > small.size and np.all(small.array == 7)


def test_steps_do_not_pile_up_memory(device):
    p = Tensor(np.ones((64, 64), np.float32)).realize()
    x = Tensor(random_numbers("pile", 64, 64).astype(np.float32)).realize()

    def step():
        p.assign((p @ x).tanh()).realize()
    for _ in range(3):
        step()
    gc.collect()
    before = len(tiny.Node.known)
    for _ in range(10):
        step()
    gc.collect()
    assert len(tiny.Node.known) <= before + 5


# ---------------------------------------------------------------------------------------------------------------------
# Mini-GPT
# ---------------------------------------------------------------------------------------------------------------------
SMALL = dict(vocab_size=29, block_size=16, n_layer=2, n_head=2, n_embd=32)


def torch_gpt(config, conv1d=False):
    """The same model in PyTorch, with the same names in its state; with `conv1d` in OpenAI's layout, (in, out)."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional

    class Conv1D(torch.nn.Module):
        def __init__(self, inputs, outputs, bias):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(inputs, outputs) * 0.1)
            self.bias = torch.nn.Parameter(torch.randn(outputs) * 0.1) if bias else None

        def forward(self, x):
            return x @ self.weight if self.bias is None else x @ self.weight + self.bias
    Linear = Conv1D if conv1d else torch.nn.Linear

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            width, bias = config.n_embd, config.bias
            self.ln_1, self.ln_2 = torch.nn.LayerNorm(width, bias=bias), torch.nn.LayerNorm(width, bias=bias)
            self.attn, self.mlp = torch.nn.Module(), torch.nn.Module()
            self.attn.c_attn = Linear(width, 3 * width, bias=bias)
            self.attn.c_proj = Linear(width, width, bias=bias)
            self.mlp.c_fc = Linear(width, 4 * width, bias=bias)
            self.mlp.c_proj = Linear(4 * width, width, bias=bias)

        def forward(self, x):
            batch, time_, width = x.shape
            q, k, v = (part.view(batch, time_, config.n_head, -1).transpose(1, 2)
                       for part in self.attn.c_attn(self.ln_1(x)).split(width, 2))
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.attn.c_proj(y.transpose(1, 2).reshape(batch, time_, width))
            return x + self.mlp.c_proj(functional.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh"))

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.transformer = torch.nn.ModuleDict({
                "wte": torch.nn.Embedding(config.vocab_size, config.n_embd),
                "wpe": torch.nn.Embedding(config.block_size, config.n_embd),
                "h": torch.nn.ModuleList([Layer() for _ in range(config.n_layer)]),
                "ln_f": torch.nn.LayerNorm(config.n_embd, bias=config.bias)})
            self.lm_head = torch.nn.Linear(config.n_embd, config.vocab_size, bias=False)
            self.lm_head.weight = self.transformer["wte"].weight

        def forward(self, tokens, targets):
            x = self.transformer["wte"](tokens) + self.transformer["wpe"](torch.arange(tokens.shape[1]))
            for layer in self.transformer["h"]:
                x = layer(x)
            logits = self.lm_head(self.transformer["ln_f"](x))
            return logits, functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    torch.manual_seed(1)
    return torch, Model()


def token_batch(seed, batch=3):
    shape = batch, SMALL["block_size"] + 1
    windows = np.random.default_rng(seed).integers(0, SMALL["vocab_size"], shape, np.int32)
    return windows[:, :-1], windows[:, 1:]


def relative_error(got, want):
    return np.abs(got - want).max() / np.abs(want).max()


@pytest.mark.parametrize("device, bias", [("C", False), ("CL", False), ("NUMPY", True)], indirect=["device"])
def test_gpt_is_the_same_model_as_in_pytorch(bias, device):
    """Logits, loss and every gradient, then ten steps of AdamW with clipped gradients."""
    config = gpt.GPTConfig(**SMALL, bias=bias)
    torch, twin = torch_gpt(config)
    model = gpt.GPT(config)
    nn.state.load_state_dict(model, {name: Tensor(value.numpy()) for name, value in twin.state_dict().items()})
    state = nn.state.get_state_dict(model)
    x, y = token_batch(0)
    logits, loss = model(Tensor(x), Tensor(y))
    loss.backward()
    Tensor.realize(logits, loss, *(p.grad for p in nn.state.get_parameters(model)))
    twin_logits, twin_loss = twin(torch.tensor(x).long(), torch.tensor(y).long())
    twin_loss.backward()
    assert relative_error(logits.numpy(), twin_logits.detach().numpy()) < 1e-4
    assert abs(loss.item() - twin_loss.item()) < 1e-4 * twin_loss.item()
    for name, parameter in twin.named_parameters():
        want = parameter.grad.numpy()
        if name.endswith("attn.c_attn.bias"):                           # a key's bias shifts all scores alike: exactly
            width = config.n_embd                                       # 0, of which either leaves rounding errors
            assert np.abs(state[name].grad.numpy()[width:2 * width]).max() < 1e-6
            want = np.delete(want, np.s_[width:2 * width])
            assert relative_error(np.delete(state[name].grad.numpy(), np.s_[width:2 * width]), want) < 1e-4, name
        else:
            assert relative_error(state[name].grad.numpy(), want) < 1e-4, name

    _, step = gpt.training_step(model, 1e-3)
    matrices, rest = [p for p in twin.parameters() if p.dim() > 1], [p for p in twin.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
                                  lr=1e-3, betas=(0.9, 0.99))
    for i in range(10):
        x, y = token_batch(i)
        optimizer.zero_grad()
        _, twin_loss = twin(torch.tensor(x).long(), torch.tensor(y).long())
        twin_loss.backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimizer.step()
        assert abs(step(Tensor(x), Tensor(y)).item() - twin_loss.item()) < 1e-4 * twin_loss.item(), f"step {i}"
    for name, parameter in twin.named_parameters():
        if not name.endswith("attn.c_attn.bias"):                       # there Adam magnifies the rounding errors
            assert np.abs(state[name].numpy() - parameter.detach().numpy()).max() < 1e-4, name


@on("C")
def test_gpt_is_the_same_model_without_fusion(device, monkeypatch):
    x, y = token_batch(4)
    found = {}
    for fuse in ("1", "0"):
        monkeypatch.setenv("FUSE", fuse)
        Tensor.manual_seed(7)
        model = gpt.GPT(gpt.GPTConfig(**{**SMALL, "n_layer": 1}))
        loss = model(Tensor(x), Tensor(y))[1]
        tensors = [loss, *loss.gradient(model.transformer["h"][0].mlp.c_proj.weight)]
        found[fuse] = len(tiny.kernels(*tensors)), [x.numpy() for x in tensors]
    (fused, wanted), (separate, got) = found["1"], found["0"]
    assert separate > 2 * fused
    assert all(relative_error(a, b) < 1e-5 for a, b in zip(got, wanted))


@on(*COMPILED, "GROUPS")
def test_gpt_is_the_same_model_as_on_numpy(optimized, device, monkeypatch):
    results = {}
    for name in ("NUMPY", device):
        monkeypatch.setattr(Device, "DEFAULT", name)
        Tensor.manual_seed(2)
        model = gpt.GPT(gpt.GPTConfig(**SMALL))
        x, y = token_batch(0)
        logits, loss = model(Tensor(x), Tensor(y))
        loss.backward()
        parameters = nn.state.get_parameters(model)
        Tensor.realize(logits, loss, *(p.grad for p in parameters))
        results[name] = [logits.numpy(), loss.numpy(), *(p.grad.numpy() for p in parameters)]
    for ours, want in zip(results[device], results["NUMPY"]):
        assert relative_error(ours, want) < 1e-4


@on("C")
def test_gpt_learns_to_copy(device):
    """Eight random letters, then the same again: the second half can only be known by looking back at the first."""
    half, letters, rng = 8, 16, np.random.default_rng(0)
    model = gpt.GPT(gpt.GPTConfig(letters, 2 * half - 1, 2, 2, 32))
    optimizer, step = gpt.training_step(model, 3e-3)

    def sequences(n):
        first = rng.integers(0, letters, (n, half)).astype(np.int32)
        return np.concatenate([first, first], 1)
    for i in range(500):
        data = sequences(32)
        step(Tensor(data[:, :-1]), Tensor(data[:, 1:]))
    data = sequences(32)
    logits = model(Tensor(data[:, :-1]))[0].numpy()[:, half - 1:]
    copied = np_cross_entropy(logits.reshape(-1, letters), data[:, half:].ravel())
    assert copied.mean() < 0.1 * math.log(letters)                      # a model that can't look back stays at log(16)


@on("C", "NUMPY")
def test_save_load_continue(tmp_path, device):
    """Three steps, saved, loaded into new objects and three more steps: the bits of six steps."""
    config, path = gpt.GPTConfig(**{**SMALL, "n_layer": 1}), tmp_path / "checkpoint.safetensors"

    def start():
        model = gpt.GPT(config)
        optimizer, step = gpt.training_step(model, 1e-2)
        return model, optimizer, lambda seeds: [step(*map(Tensor, token_batch(seed))).item() for seed in seeds]
    model, optimizer, run = start()
    run(range(3))
    nn.state.safe_save(nn.state.get_state_dict({"model": model, "optimizer": optimizer}), path)
    wanted = run(range(3, 6))
    other, other_optimizer, other_run = start()
    nn.state.load_state_dict({"model": other, "optimizer": other_optimizer}, nn.state.safe_load(path))
    assert other_run(range(3, 6)) == wanted
    for name, tensor in nn.state.get_state_dict(model).items():
        same(nn.state.get_state_dict(other)[name], tensor.numpy(), name)
    assert other.lm_head.weight is other.transformer["wte"].weight


def test_gpt_has_nanogpts_names_and_shapes():
    state = nn.state.get_state_dict(gpt.GPT(gpt.GPTConfig(**{**SMALL, "n_layer": 1}, bias=True)))
    width, vocabulary, context = 32, 29, 16
    layer = {"ln_1.weight": (width,), "ln_1.bias": (width,), "attn.c_attn.weight": (3 * width, width),
             "attn.c_attn.bias": (3 * width,), "attn.c_proj.weight": (width, width), "attn.c_proj.bias": (width,),
             "ln_2.weight": (width,), "ln_2.bias": (width,), "mlp.c_fc.weight": (4 * width, width),
             "mlp.c_fc.bias": (4 * width,), "mlp.c_proj.weight": (width, 4 * width), "mlp.c_proj.bias": (width,)}
    assert {name: tensor.shape for name, tensor in state.items()} == {
        "transformer.wte.weight": (vocabulary, width), "transformer.wpe.weight": (context, width),
        **{f"transformer.h.0.{name}": shape for name, shape in layer.items()},
        "transformer.ln_f.weight": (width,), "transformer.ln_f.bias": (width,), "lm_head.weight": (vocabulary, width)}


def safetensors_of_torch(tensors, path):
    """Write PyTorch's tensors in the format of safetensors, not by way of tiny."""
    codes = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "bool": "BOOL"}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        raw = bytes(tensor.detach().contiguous().flatten().view(sys.modules["torch"].uint8).tolist())
        header[name] = {"dtype": codes[str(tensor.dtype).removeprefix("torch.")], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.parametrize("conv1d, bias", [(True, True), (False, False), (False, True)],
                         ids=["Hugging Face", "nanoGPT", "nanoGPT with biases"])
@on("C")
def test_gpt2_comes_from_pytorch_and_goes_there(conv1d, bias, device, tmp_path):
    """The same logits, in either direction; from files such as nanoGPT and Hugging Face have written."""
    config, path = gpt.GPTConfig(**SMALL, bias=bias), tmp_path / "gpt2.safetensors"
    torch, twin = torch_gpt(config, conv1d)
    with torch.no_grad():
        for parameter in twin.parameters():                             # also biases and layer norms
            parameter += 0.1 * torch.randn_like(parameter)
    x, _ = token_batch(0)

    def logits_of_twin():
        with torch.no_grad():
            return twin(torch.tensor(x).long(), torch.tensor(x).long())[0].numpy()
    whole = dict(twin.state_dict())
    masks = {f"transformer.h.{i}.attn.{name}": mask for i in range(2) for name, mask in [
        ("bias", torch.ones(1, 1, 16, 16, dtype=torch.bool).tril()), ("masked_bias", torch.tensor(-1e4))]}
    without_head = {name: tensor for name, tensor in whole.items() if name != "lm_head.weight"}
    without_wte = {name: tensor for name, tensor in whole.items() if name != "transformer.wte.weight"}
    for tensors in (whole, {**whole, **masks}, without_wte,             # save_model of safetensors keeps one of a pair
                    {name.removeprefix("transformer."): tensor for name, tensor in {**without_head, **masks}.items()},
                    {f"_orig_mod.{name}": tensor for name, tensor in whole.items()}):
        safetensors_of_torch(tensors, path)
        model = gpt.load_gpt2(path, n_head=2)
        assert model.config == config
        assert relative_error(model(Tensor(x))[0].numpy(), logits_of_twin()) < 1e-4

    gpt.save_gpt2(model, tmp_path / "ours.safetensors", conv1d)
    saved = nn.state.safe_load(tmp_path / "ours.safetensors")
    assert {name: tensor.shape for name, tensor in saved.items()} == {
        name: tuple(tensor.shape) for name, tensor in whole.items()}
    for name, tensor in whole.items():
        same(saved[name], tensor.numpy(), name)

    for dtype in (torch.float16, torch.bfloat16):
        half = {name: tensor.to(dtype) for name, tensor in whole.items()}
        safetensors_of_torch(half, path)
        twin.load_state_dict(half)
        assert relative_error(gpt.load_gpt2(path, 2)(Tensor(x))[0].numpy(), logits_of_twin()) < 1e-4


def gpt2_file(path, conv1d, bias=True, **changes):
    """A file of random numbers in either layout, made with NumPy; `changes` give tensors instead, None for none."""
    rng, width = np.random.default_rng(0), 32
    shapes = {"wte": (29, width), "wpe": (16, width), "ln_f": (width,)}
    for i in range(2):
        for name, outputs, inputs in [("attn.c_attn", 96, 32), ("attn.c_proj", 32, 32), ("mlp.c_fc", 128, 32),
                                      ("mlp.c_proj", 32, 128)]:
            shapes[f"h.{i}.{name}"] = outputs, inputs
        shapes |= {f"h.{i}.ln_1": (width,), f"h.{i}.ln_2": (width,)}
    arrays = {}
    for name, shape in shapes.items():
        array = rng.standard_normal(shape, np.float32) * np.float32(0.2)
        arrays[f"{name}.weight"] = array.T if conv1d and name.startswith("h.") else array
        if bias and name not in ("wte", "wpe"):
            arrays[f"{name}.bias"] = rng.standard_normal(shape[0], np.float32)
    arrays = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
    nn.state.safe_save({name: Tensor(np.ascontiguousarray(array)) for name, array in arrays.items()}, path)
    return path


@pytest.mark.parametrize("bias", [False, True])
@on("NUMPY")
def test_the_layout_of_gpt2s_matrices_shows_in_their_shapes(bias, device, tmp_path):
    """Both layouts give the same model; written in either, and without biases as with zeros, it comes back the same."""
    x = Tensor(token_batch(0)[0])
    one, other = (gpt.load_gpt2(gpt2_file(tmp_path / "x", conv1d, bias), 2) for conv1d in (False, True))
    logits = one(x)[0].numpy()
    assert one.config == other.config == gpt.GPTConfig(**SMALL, bias=bias)
    assert one.lm_head.weight is one.transformer["wte"].weight
    same(other(x)[0], logits)
    for conv1d in (False, True):
        gpt.save_gpt2(one, tmp_path / "x", conv1d)
        back = gpt.load_gpt2(tmp_path / "x")                            # the number of heads is in our metadata
        assert back.config == gpt.GPTConfig(**SMALL, bias=bias or conv1d)
        same(back(x)[0], logits)
        shapes = {name: tensor.shape for name, tensor in nn.state.safe_load(tmp_path / "x").items()}
        assert shapes["transformer.h.1.mlp.c_fc.weight"] == ((32, 128) if conv1d else (128, 32))
        assert shapes == gpt.gpt2_shapes(back.config, conv1d)


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


WHOLE_LAYER = [f"{part}.{kind}" for part in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
               for kind in ("weight", "bias")]
UNFIT = {                                                               # what is in the file instead; the error's words
    "a shape that does not fit": ({"h.1.mlp.c_fc.bias": zeros(127)}, "h.1.mlp.c_fc.bias", "(128,)", "(127,)"),
    "a square matrix that does not fit": ({"h.0.attn.c_proj.weight": zeros(32, 33)}, "h.0.attn.c_proj.weight",
                                          "(32, 32)", "(32, 33)"),
    "a tensor that is missing": ({"h.0.ln_2.weight": None}, "h.0.ln_2.weight", "(32,)", "missing"),
    "a layer that is missing": ({f"h.0.{name}": None for name in WHOLE_LAYER}, "h.0.ln_1.bias", "h.1.ln_1.bias"),
    "a tensor too many": ({"h.0.attn.rotary": zeros(8)}, "h.0.attn.rotary", "absent", "(8,)"),
    "no embeddings": ({"wte.weight": None}, "wte.weight", "missing"),
    "no tokens": ({"wte.weight": zeros(0, 32)}, "wte.weight", "(0, 32)"),
    "positions without a width": ({"wpe.weight": zeros(16)}, "wpe.weight", "(16,)"),
    "positions of another width": ({"wpe.weight": zeros(16, 31)}, "wpe.weight", "(16, 32)", "(16, 31)"),
    "a layer in the other layout": ({"h.1.mlp.c_fc.weight": zeros(32, 128)}, "h.1.mlp.c_fc.weight", "(128, 32)",
                                    "(32, 128)", "nanoGPT"),
    "a head that is not tied": ({"lm_head.weight": zeros(29, 32)}, "lm_head.weight", "wte.weight", "differs"),
    "a head of other tokens": ({"lm_head.weight": zeros(30, 32)}, "lm_head.weight", "(29, 32)", "(30, 32)"),
    "a name with and without its prefix": ({"transformer.ln_f.bias": zeros(32)}, "ln_f.bias", "twice"),
    "integers": ({"h.0.ln_1.bias": zeros(32, dtype=np.int8)}, "h.0.ln_1.bias", "float32[32]", "int8[32]"),
}


@pytest.mark.parametrize("what", UNFIT)
@on("NUMPY")
def test_weights_that_are_no_gpt2s_are_refused(what, device, tmp_path):
    changes, *words = UNFIT[what]
    with pytest.raises(ValueError) as error:
        gpt.load_gpt2(gpt2_file(tmp_path / "x", False, **changes), 2)
    assert all(word in str(error.value) for word in words), error.value
    assert str(error.value).count(" should be ") <= 24


@on("NUMPY")
def test_the_heads_of_gpt2_are_64_wide_unless_one_says_so(device, tmp_path):
    path = gpt2_file(tmp_path / "x", True)
    for n_head, words in [(None, ["32", "64", "n_head"]),
                          (3, ["divisor", "32", "3"]), (0, ["divisor", "0"]), (-1, ["-1"])]:
        with pytest.raises(ValueError) as error:
            gpt.load_gpt2(path, n_head)
        assert all(word in str(error.value) for word in words), error.value
    gpt.save_gpt2(gpt.GPT(gpt.GPTConfig(5, 4, 1, 8, 128)), path)
    assert gpt.load_gpt2(path).config.n_head == 8 and gpt.load_gpt2(path, 4).config.n_head == 4
    tensors = nn.state.safe_load(path)
    for metadata in ({}, {"config": "{}"}, {"config": "[1]"}, {"config": "{nonsense"}, {"config": "[" * 100_000}):
        nn.state.safe_save(tensors, path, metadata)
        assert gpt.load_gpt2(path).config.n_head == 2
    nn.state.safe_save(tensors, path, {"config": '{"n_head": "2"}'})
    with pytest.raises(ValueError, match="n_head.*'2'"):
        gpt.load_gpt2(path)


NOISY = [(step, 1.3 + 2 / step + 0.1 * math.sin(step ** 2)) for step in range(1, 5001)]
CURVES = {                                                              # training; validation; what is drawn of each
    "thousands of steps": (NOISY, NOISY[249::250], 1000, 20), "thousands of each": (NOISY, NOISY, 1000, 1000),
    "a resumed training": (NOISY[3000:], NOISY[3249::250], 1000, 8), "one step": (NOISY[:1], [], 1, 0),
    "two steps": (NOISY[:2], NOISY[1:2], 2, 1), "only a validation": ([], [(250, 2.0)], 0, 1),
    "nothing": ([], [], 0, 0),
    "equal losses": ([(step, 2.5) for step in range(1, 50)], [(20, 2.5)], 49, 1),
    "losses of zero": ([(step, 0.0) for step in range(1, 50)], [], 49, 0),
    "losses that hardly differ": ([(1, 1.0), (2, 1.0 + 2e-16)], [], 2, 0),
    "huge losses": ([(1, 1e30), (2, 1e30)], [(2, 3.0)], 2, 1),
    "no numbers": ([(1, 4.0), (2, math.nan), (3, math.inf), (4, np.float32(3))], [(2, -math.inf)], 2, 0),
}


@pytest.mark.parametrize("what", CURVES)
def test_a_loss_curve_is_drawn(what, tmp_path):
    """It is XML, within its borders, with a line for each list, round numbers at the axes, and not too many points."""
    training, validation, *counts = CURVES[what]
    path = tmp_path / "curve.svg"
    gpt.draw_curve(path, training, validation)
    root = xml.etree.ElementTree.parse(path).getroot()
    svg = "{http://www.w3.org/2000/svg}"
    paths = {shape.get("class"): re.findall(r"[ML]([^,]+),([^h]+)h0", shape.get("d"))
             for shape in root.iter(f"{svg}path") if shape.get("d").endswith("h0")}
    for kind, count in zip(("training pale", "validation", "validation dots"), [counts[0], counts[1], counts[1]]):
        assert len(paths.get(kind, [])) == count, kind
    assert ["training" in paths, "training dots" in paths] == [counts[0] > 1, counts[0] == 1]
    for x, y in itertools.chain.from_iterable(paths.values()):
        assert 64 <= float(x) <= 688 and 30 <= float(y) <= 360
    words = [text.text for text in root.iter(f"{svg}text")]
    assert {"loss", "step"} <= set(words) and len(words) <= 22
    assert ["training" in words, "validation" in words] == [count > 0 for count in counts]
    assert "prefers-color-scheme: dark" in root.find(f"{svg}style").text


def test_a_loss_curve_has_greater_losses_higher_up_and_means_of_many(tmp_path):
    """2,000 losses that fall evenly from 2, but jump by 0.5 from each to the next: the mean is the straight line."""
    gpt.draw_curve(tmp_path / "curve.svg", [(step, 2 - step / 2000 + (-1) ** step / 4) for step in range(1, 2001)])
    pale, mean = (np.array(re.findall(r"[ML]([^,]+),([^h]+)h0", text), float) for text in re.findall(
        r'class="training(?: pale)?" d="(M[^"]+h0)"', (tmp_path / "curve.svg").read_text()))
    assert len(pale) == 1000 and len(mean) == 100
    assert (np.diff(pale[:, 0]) >= 0).all() and 4 < np.abs(np.diff(pale[:, 1])).min()
    slope, start = np.polyfit(mean[:, 0], mean[:, 1], 1)
    assert slope > 0 and np.abs(slope * mean[:, 0] + start - mean[:, 1]).max() < 0.15


@pytest.mark.parametrize("low, high, ticks", [
    (0, 5000, [0, 1000, 2000, 3000, 4000, 5000]), (0.3, 1.1, [0.4, 0.6, 0.8, 1]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    (-0.01, 0.021, [-0.01, 0, 0.01, 0.02]), (7, 19, [8, 10, 12, 14, 16, 18])])
def test_ticks_are_round_numbers(low, high, ticks):
    np.testing.assert_allclose(gpt.round_ticks(low, high), ticks, atol=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# gpt.py's command line
# ---------------------------------------------------------------------------------------------------------------------
TINY_FLAGS = ["--layers", "1", "--heads", "2", "--dim", "16", "--context", "8", "--batch", "4"]
WOODCHUCK = "How much wood would a woodchuck chuck, if a woodchuck could chuck wood? " * 40


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a text to learn from, to work in."""
    monkeypatch.chdir(tmp_path)
    Path("text").write_text(WOODCHUCK)
    return tmp_path


def run_gpt(*flags, expect=0, **environment):
    done = python(None, str(HERE / "gpt.py"), *map(str, flags), **environment)
    assert done.returncode == expect, done.stderr + done.stdout
    return done


def refused(flags, monkeypatch, capsys):
    """The one line that gpt.py says when it ends with exit code 2, without having done anything."""
    monkeypatch.setattr(sys, "argv", ["gpt.py", *flags])
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_:
        gpt.main()
    out, err = capsys.readouterr()
    assert exit_.value.code == 2 and out == "" and err.count("\n") == 1 and err.startswith("gpt.py: "), err
    return err


@pytest.mark.parametrize("flags, words", [
    (["--layers", "0"], ["--layers", "0"]), (["--steps", "-5"], ["--steps", "-5"]), (["--lr", "nan"], ["--lr", "nan"]),
    (["--batch", "many"], ["--batch", "many"]), (["--heads", "3"], ["heads", "3", "128"]),
    (["--seed", "-1"], ["--seed"]), (["--dropout", "1"], ["--dropout", "not 1"]), (["--bytes"], ["--text"]),
    (["--device", "TPU"], ["--device", "TPU"]), (["--wings", "2"], ["--wings"]), (["fly"], ["fly"]),
    (["--text", "/nonexistent/text"], ["/nonexistent/text"]), (["--out", "/nonexistent/model"], ["/nonexistent/model"]),
    (["--text", "text.csv", "--out", "text.safetensors"], ["text.csv"]), (["--steps", "1.5"], ["--steps", "'1.5'"]),
    (["--resume", "--out", "none.safetensors"], ["none.checkpoint"]),
    (["kernels", "--out", "/dev/null/kernels"], ["/dev/null/kernels"]),
    (["bench", "--text", "x"], ["--text"]), (["bench", "--vocab", "0"], ["--vocab", "0"]),
    (["sample", "--tokens", "0"], ["--tokens"]), (["sample", "--temperature", "-1"], ["--temperature", "from 0"]),
    (["sample", "--top-k", "0"], ["--top-k"]), (["sample", "--top-p", "1.5"], ["--top-p", "to 1"]),
    (["sample", "--steps", "3"], ["--steps"]), (["sample", "--model", "none"], ["none", "No such file"]),
    (["sample", "--model", "."], ["cannot read"]),
])
def test_a_wrong_flag_ends_with_one_line_and_exit_code_2(flags, words, folder, monkeypatch, capsys):
    Path("text.csv").write_text(WOODCHUCK)
    err = refused(flags, monkeypatch, capsys)
    assert all(word in err for word in words), err
    assert sorted(os.listdir()) == ["text", "text.csv"] and Path("text.csv").read_text() == WOODCHUCK


@pytest.mark.parametrize("content, word", [(b"", "short"), (b"too short", "short"), (b"\xff\xfe" * 1000, "UTF-8")],
                         ids=["empty", "short", "not UTF-8"])
def test_a_text_that_cannot_be_learnt_ends_with_one_line(content, word, folder, monkeypatch, capsys):
    Path("text").write_bytes(content)
    assert word in refused(["--text", "text", "--out", "model"], monkeypatch, capsys)
    assert os.listdir() == ["text"]


@pytest.mark.parametrize("command", ["", "train", "sample", "bench"])
def test_help_names_every_flag_with_its_default(command, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpt.py", *command.split(), "--help"])
    with pytest.raises(SystemExit) as exit_:
        gpt.main()
    out = capsys.readouterr().out
    assert exit_.value.code == 0 and "python gpt.py" in out and max(map(len, out.splitlines())) <= 120
    for flag in re.findall(r"^  (--\S+)(?: [A-Z]+)?\s", out, re.M) if command else ():
        text = " ".join(re.search(rf"^  {flag}\b.*(?:\n {{6}}.*)*", out, re.M)[0].split())
        assert "(default: " in text or flag in ("--bytes", "--resume", "--int8", "--json"), text


@on("C")
def test_bench_prints_one_line_of_json(device, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpt.py", "bench", "--json", "--steps", "3", "--vocab", "17", *TINY_FLAGS])
    gpt.main()
    out = capsys.readouterr().out
    figures = json.loads(out)
    assert out.count("\n") == 1
    assert list(figures) == ["median_ms", "p10_ms", "p90_ms", "gflops", "peak_mib", "first_step_s"]
    assert 0 < figures["p10_ms"] <= figures["median_ms"] <= figures["p90_ms"] and figures["first_step_s"] > 0


def losses(name):
    """The rows of a file of losses: (step, loss, validation loss), as they are written."""
    header, *rows = [line.split(",") for line in Path(name).read_text().splitlines()]
    assert header == ["step", "loss", "validation"]
    assert [row[0] for row in rows] == [str(i + 1) for i in range(len(rows))]
    return rows


def test_training_by_the_command_line(folder):
    """It learns, writes, saves what can be loaded; and the same seed gives the same model, bit for bit."""
    for run in range(2):
        flags = ["--steps", "30", "--eval-every", "10", "--lr", "0.01", "--seed", "4", "--device", "C"]
        done = run_gpt(*TINY_FLAGS, *flags, "--text", "text", "--out", f"model{run}.safetensors")
    lines = done.stdout.splitlines()
    shown = [float(line.split("loss ")[1].split()[0]) for line in lines if line.startswith("step ")]
    assert "\r" not in done.stdout and len(shown) == 4 and shown[-1] < 0.9 * shown[0]
    assert abs(shown[0] - math.log(len(set(WOODCHUCK)))) < 0.5
    assert "model1.safetensors" in done.stdout and "validation loss" in done.stdout
    assert len(done.stdout.split("it writes:\n\n")[1]) == 301
    assert Path("model0.safetensors").read_bytes() == Path("model1.safetensors").read_bytes()
    assert nn.state.safe_load_metadata("model1.safetensors")["characters"] == "".join(sorted(set(WOODCHUCK)))
    rows = losses("model1.csv")
    assert len(rows) == 30 and [i + 1 for i, row in enumerate(rows) if row[2]] == [10, 20, 30]
    assert [f"{float(rows[i][1]):.4f}" for i in (0, 9, 19, 29)] == [f"{loss:.4f}" for loss in shown]
    classes = [element.get("class") for element in xml.etree.ElementTree.parse("model1.svg").getroot()]
    assert {"training", "validation"} <= set(classes)


def main(*flags, code=None):
    """What gpt.py prints, run within this process on the device of the test, and it should exit with this `code`.

    A training ends without the 300 characters of an example: what is written is for the tests of sampling.
    """
    out = io.StringIO()
    out.reconfigure = lambda **_: None
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr(sys, "argv", ["gpt.py", *map(str, flags)])
        if "sample" not in flags:
            patch.setattr(gpt, "write", lambda *_: None)
        with contextlib.nullcontext() if code is None else pytest.raises(SystemExit) as exit_:
            gpt.main()
    assert code is None or exit_.value.code == code
    return out.getvalue()


TEN_STEPS = [*TINY_FLAGS, "--text", "text", "--steps", "10", "--eval-every", "4", "--lr", "0.01", "--save-every", "4"]


@on("C", "NUMPY")
@pytest.mark.parametrize("flags", [["--accumulate", "1"], ["--accumulate", "3", "--dropout", "0.2"]], ids=" ".join)
def test_a_training_that_was_stopped_goes_on_as_if_it_never_had(flags, device, folder, monkeypatch):
    """After Ctrl-C, which saves; and after an end without warning, from the save before."""
    main(*TEN_STEPS, *flags, "--out", "whole.safetensors")
    step = gpt.Training.step

    def until(last, end):
        def stopping(self):
            if self.done == last:
                end()
            return step(self)
        return stopping

    def killed():
        raise ZeroDivisionError

    monkeypatch.setattr(gpt.Training, "step", until(6, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert "after 7 steps" in main(*TEN_STEPS, *flags, "--out", "asked.safetensors", code=130)
    monkeypatch.setattr(gpt.Training, "step", until(6, killed))
    with pytest.raises(ZeroDivisionError):
        main(*TEN_STEPS, *flags, "--out", "killed.safetensors")
    monkeypatch.setattr(gpt.Training, "step", step)
    assert len(losses("asked.csv")) == 7 and len(losses("killed.csv")) == 6
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")                             # it finds the text from everywhere
    for name in "asked", "killed":
        main("--resume", "--out", f"../{name}.safetensors")
        assert losses(f"../{name}.csv") == losses("../whole.csv")
        assert Path(f"../{name}.safetensors").read_bytes() == Path("../whole.safetensors").read_bytes()


def kill_at_random_moments(folder, kills, seed=0):
    """Train with a save at each step, kill that, and resume, again and again: each time the checkpoint must be whole.

    Returns how many steps were saved each time.
    """
    rng, out, done = np.random.default_rng(seed), folder / "model.safetensors", []
    flags = [*TINY_FLAGS, "--text", folder / "text", "--steps", "100000", "--save-every", "1", "--eval-every", "100000"]
    for kill in range(kills):
        start = ["--resume"] if done else flags
        process = subprocess.Popen([sys.executable, HERE / "gpt.py", *start, "--out", out], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        begin = time.monotonic()
        while time.monotonic() < begin + 100 and process.poll() is None:
            if out.with_suffix(".checkpoint").exists() and steps_saved(out) > (done or [0])[-1]:
                break
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -9, process.stderr.read()
        done.append(steps_saved(out))                                   # it can be read, and so it is whole
        assert nn.state.safe_load(out) and done[-1] > (done[-2:-1] or [0])[0]
    return done


def steps_saved(out):
    path = out.with_suffix(".checkpoint")
    assert nn.state.safe_load(path)
    return int(nn.state.safe_load_metadata(path)["step"])


def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(folder):
    """`python test_tiny.py kill 50` does this more often."""
    done = kill_at_random_moments(folder, 3)
    assert run_gpt("--resume", "--out", "model.safetensors", "--steps", done[-1] + 20)
    assert len(losses("model.csv")) == done[-1] + 20 and not list(folder.glob("*.tmp"))


@on("C", "NUMPY")
def test_accumulated_batches_are_one_large_batch(folder, device):
    """Three batches of 4 texts, drawn one after the other, give the gradients of the 12 together."""
    tokens = np.random.default_rng(0).integers(0, 9, (12, 9))
    results = []
    for parts in 1, 3:
        Tensor.manual_seed(1)
        model = gpt.GPT(gpt.GPTConfig(9, 8, 1, 2, 16))
        optimizer, _ = gpt.training_step(model, 0.01)
        step = gpt.step_in_parts(model, optimizer, parts, gpt.World())
        batches = [(Tensor(part[:, :-1]), Tensor(part[:, 1:])) for part in np.split(tokens.astype(np.int32), parts)]
        values = [step(batches) for _ in range(4)]
        results.append([*values, *(p.numpy() for p in nn.state.get_parameters(model))])
    for one, three in zip(*results):
        close(three, one, 1e-5, 1e-5)


def test_two_processes_of_mpirun_train_as_one(folder):
    """With half of each batch each. Where MPI is not installed, two threads stand for the processes."""
    flags = [*TEN_STEPS, "--accumulate", "2"]
    main(*flags, "--out", "one.safetensors")
    if shutil.which("mpirun") and importlib.util.find_spec("mpi4py"):
        command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2", sys.executable, str(HERE / "gpt.py")]
        command += [*flags, "--out", "two.safetensors"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0 and done.stdout.count("validation loss") == 1, done.stderr
        assert "in 2 processes" in done.stdout
        one, two = losses("one.csv"), losses("two.csv")
        assert len(one) == len(two) == 10
        for a, b in zip(one, two):
            assert abs(float(a[1]) - float(b[1])) <= 1e-5 * float(a[1])
            assert bool(a[2]) == bool(b[2]) and (not a[2] or abs(float(a[2]) - float(b[2])) <= 1e-4)
    rng = [np.random.default_rng(3) for _ in range(3)]
    whole = gpt.random_batch(np.arange(1000, dtype=np.int32), 6, 8, rng[0])
    parts = [gpt.random_batch(np.arange(1000, dtype=np.int32), 6, 8, rng[1 + rank], rank, 2) for rank in range(2)]
    for i in range(2):
        assert sorted(whole[i].tolist()) == sorted(parts[0][i].tolist() + parts[1][i].tolist())


def test_under_mpirun_without_mpi4py_a_line_says_so(folder, monkeypatch, capsys):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert "pip install mpi4py" in refused(TEN_STEPS, monkeypatch, capsys)


def test_a_training_that_diverges_stops_and_keeps_the_last_checkpoint(folder, capsys):
    for flags, kept in ([], "nothing was saved"), (["--save-every", "1"], "are those of step"):
        main(*TEN_STEPS, *flags, "--lr", "1e8", "--out", "far.safetensors", code=1)
        err = capsys.readouterr().err
        step = int(re.search(r"at step (\d+): stopped", err)[1])
        assert kept in err and 1 < step <= 10 and err.count("\n") == 2
        if flags:
            saved = steps_saved(Path("far.safetensors"))
            assert 1 <= saved < step and f"step {saved}." in err
            for tensor in nn.state.safe_load("far.checkpoint").values():
                assert np.isfinite(tensor.numpy()).all()
        else:
            assert not Path("far.safetensors").exists()


def test_files_of_an_earlier_training_get_a_number(folder, capsys, monkeypatch):
    for run in range(3):
        out = main(*TEN_STEPS, "--steps", "2", "--seed", run, "--out", "m.safetensors")
        assert all((f"m.{run}.{suffix}" in out) == (run > 0) for suffix in ("safetensors", "checkpoint", "csv", "svg"))
    suffixes = "safetensors", "checkpoint", "csv", "svg"
    names = {f"m{number}.{suffix}" for number in ("", ".1", ".2") for suffix in suffixes}
    assert set(os.listdir()) == names | {"text"}
    assert len({Path(f"m{number}.safetensors").read_bytes() for number in ("", ".1", ".2")}) == 3
    Path("novel").write_text("mine")
    for name in "novel", "n.csv", "n.svg", "n.checkpoint":
        Path(name).write_text("mine")
        out = "novel" if name == "novel" else "n.safetensors"
        assert f"{name} is not of gpt.py" in refused([*TEN_STEPS, "--out", out], monkeypatch, capsys)
        assert Path(name).read_text() == "mine"
        Path(name).unlink()
    for out in "lr0.1", "lr0.2":                                        # no suffixes
        main(*TEN_STEPS, "--steps", "2", "--out", out)
        assert {out, f"{out}.checkpoint", f"{out}.csv", f"{out}.svg"} <= set(os.listdir())


def test_only_half_files_of_dead_processes_are_removed(folder):
    main(*TEN_STEPS, "--steps", "2", "--out", "m.safetensors")
    others = ["m.notes.tmp", "m.checkpoint.notes.tmp", f"m.checkpoint.{os.getppid()}.tmp", "m.1.csv.9999999.tmp"]
    for name in (*others, "m.checkpoint.9999999.tmp"):
        Path(name).write_text("half")
    main("--resume", "--steps", "4", "--out", "m.safetensors")
    assert sorted(folder.glob("*.tmp")) == sorted(folder / name for name in others)


@pytest.mark.parametrize("flags, program", [
    (["train"], "| head -c 10"), (["train"], ">&-"), (["sample", "--model", "m.safetensors", "--tokens", "9"], ">&-"),
], ids=str)
def test_nobody_has_to_read_what_it_prints(flags, program, folder):
    main(*TEN_STEPS, "--steps", "2", "--out", "m.safetensors")
    flags = [*flags, *(TEN_STEPS if flags == ["train"] else ())]
    command = " ".join(["set -o pipefail;", sys.executable, str(HERE / "gpt.py"), *flags, program])
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert flags[0] == "sample" or len(losses("gpt.csv")) == 10


def test_two_trainings_do_not_write_to_one_file(folder, monkeypatch, capsys):
    command = [sys.executable, str(HERE / "gpt.py"), *TEN_STEPS, "--steps", "1000000", "--out", "m.safetensors"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        while not process.stdout.readline().startswith("step"):
            assert process.poll() is None
        assert "another training" in refused([*TEN_STEPS, "--out", "m.safetensors"], monkeypatch, capsys)
    finally:
        process.kill()
        process.wait()
    main(*TEN_STEPS, "--steps", "2", "--out", "m.safetensors")


def test_a_full_disk_ends_with_one_line(folder, monkeypatch, capsys):
    def full(tensors, path, metadata):
        raise OSError(28, "No space left on device", str(path))
    monkeypatch.setattr(nn.state, "safe_save", full)
    main(*TEN_STEPS, code=1)
    err = capsys.readouterr().err
    assert "gpt.safetensors: No space left on device" in err and err.strip().count("\n") == 0


def test_resuming_what_does_not_fit_changes_nothing(folder, capsys, monkeypatch):
    main(*TEN_STEPS, "--steps", "4", "--out", "m.safetensors")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    resume = ["--resume", "--out", "m.safetensors", "--steps", "8"]
    Path("other").write_text("Zounds! " * 1000)
    for flags, words in ((["--layers", "2"], "n_layer 1, not 2"), (["--text", "other"], "'Z'"),
                         (["--steps", "4"], "--steps"), (["--heads", "3"], "width (--dim) of 16")):
        assert words in refused([*resume, *flags], monkeypatch, capsys)
    checkpoint = folder / "m.checkpoint"
    whole = checkpoint.read_bytes()
    for damaged in (whole[:-100], b"{}", whole.replace(b'"step": "4"', b'"step": "x"'),
                    whole.replace(b"means", b"meant")):
        checkpoint.write_bytes(damaged)
        err = refused(resume, monkeypatch, capsys)
        assert "m.checkpoint is damaged" in err or "m.checkpoint is not of gpt.py" in err
    checkpoint.write_bytes(whole)
    Path("text").write_text(WOODCHUCK.replace("chuck, if", "chuck if"))
    assert "text has changed" in refused(resume, monkeypatch, capsys)
    Path("text").write_text(WOODCHUCK)
    (folder / "other").unlink()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    main(*resume)
    assert len(losses("m.csv")) == 8


def with_metadata(path, **changes):
    """Change the metadata of a safetensors file; None is for none."""
    metadata = {**nn.state.safe_load_metadata(path), **changes}
    metadata = {name: text for name, text in metadata.items() if text is not None}
    nn.state.safe_save(nn.state.safe_load(path), path, metadata)


DEEP = "[" * 100_000
CHECKPOINTS = {                                                         # what a stranger's metadata say instead
    "no arguments": {"arguments": None}, "deep arguments": {"arguments": DEEP}, "deep config": {"config": DEEP},
    "arguments that are numbers": {"arguments": "[1]"}, "arguments that are text": {"arguments": '"--help"'},
    "an argument that asks for help": {"arguments": '["--help"]'},
    "an argument that names other files": {"arguments": '["--out=other.safetensors"]'},
    "an argument that there is not": {"arguments": '["--wings=2"]'}, "a config that is a list": {"config": "[1]"},
    "a text that no file can be": {
        "arguments": '["--layers=1", "--dim=16", "--heads=2", "--context=8", "--text=\\u0000"]'},
    "a step that is none": {"step": "1" * 5000},
    "a model larger than memory": {"arguments": '["--layers=1000000000", "--dim=16", "--heads=2", "--context=8"]',
                                   "config": lambda config: {**config, "n_layer": 10 ** 9}},
    "a wide model": {"arguments": '["--layers=1", "--dim=1000000000", "--heads=2", "--context=8"]',
                     "config": lambda config: {**config, "n_embd": 10 ** 9}},
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The folder of a training that has done four steps."""
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "text").write_text(WOODCHUCK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(Device, "DEFAULT", "NUMPY")
        main(*TEN_STEPS, "--steps", "4", "--out", "m.safetensors")
    return folder


@on("NUMPY")
def test_a_strangers_checkpoint_is_refused_with_one_line(device, stopped, monkeypatch, capsys):
    monkeypatch.chdir(stopped)
    whole = Path("m.checkpoint").read_bytes()
    config = json.loads(nn.state.safe_load_metadata("m.checkpoint")["config"])
    for what, changes in CHECKPOINTS.items():
        changes = {name: json.dumps(text(config)) if callable(text) else text for name, text in changes.items()}
        with_metadata("m.checkpoint", **changes)
        try:
            err = refused(["--resume", "--out", "m.safetensors", "--steps", "9"], monkeypatch, capsys)
        finally:
            Path("m.checkpoint").write_bytes(whole)
        words = {"no arguments": "is not of gpt.py", "an argument that there is not": "--wings=2",
                 "a text that no file can be": "cannot read"}.get(what, "m.checkpoint is damaged")
        assert words in err and err.isascii() and len(err) < 4200, what
    assert sorted(os.listdir()) == ["m.checkpoint", "m.csv", "m.safetensors", "m.svg", "text"]


@on("NUMPY")
def test_rows_of_losses_that_are_none_are_left_out(device, stopped, tmp_path, monkeypatch):
    shutil.copytree(stopped, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    rows = Path("m.csv").read_text().splitlines()
    hostile = ["5,1.0,", "-7,1.0,", f"-{'9' * 400},1.0,", "1e3,1,1", "x" * 200_000, "2,one,", "3", "4,1,2,3", "\0"]
    Path("m.csv").write_bytes("\n".join(rows + hostile).encode() + b"\n\xff\xfe\n")
    main("--resume", "--out", "m.safetensors", "--steps", "5")
    assert Path("m.csv").read_text().splitlines()[:-1] == rows and len(losses("m.csv")) == 5


def test_a_text_without_end_is_refused(folder, monkeypatch, capsys):
    for flags in [], ["--bytes"]:
        assert "/dev/zero" in refused(["--text", "/dev/zero", *flags], monkeypatch, capsys)


@on("C", "NUMPY")
def test_any_file_can_be_learnt_by_its_bytes(folder, device):
    Path("data").write_bytes(bytes(range(256)) * 4)
    main(*TINY_FLAGS, "--text", "data", "--bytes", "--steps", "2", "--out", "b.safetensors")
    assert gpt.load_gpt2("b.safetensors").config.vocab_size == 256
    out = main("sample", "--model", "b.safetensors", "--prompt", "naïve →", "--tokens", "20")
    assert out.startswith("naïve →")
    decode = gpt.Vocabulary().decoder()
    assert [decode(token) for token in "aï→".encode()] == ["a", "", "ï", "", "", "→"]


# What follows a text. The reference is the model without a cache: it reads a whole window for each token.
@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that has learnt a sentence."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "text").write_text(WOODCHUCK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Device, "DEFAULT", "C")
        main("--layers", 2, "--heads", 2, "--dim", 32, "--context", 16, "--batch", 8, "--lr", "0.01", "--steps", 200,
             "--text", folder / "text", "--out", folder / "m.safetensors")
    return folder / "m.safetensors"


@on("C", "NUMPY")
@pytest.mark.parametrize("chunk", [1, 5, 32])
def test_a_token_read_with_the_cache_is_expected_as_without(chunk, trained, device):
    """Through three windows of 16 tokens; each but the first begins with the later half of the one before."""
    model = gpt.load_gpt2(trained)
    text = np.random.default_rng(0).integers(0, model.config.vocab_size, 40).tolist()
    writer, window, place = gpt.Writer(model, chunk), [], 0
    for n in [3, 1, 7, 1, 1, 6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 10]:
        scores = writer.read(text[place:place + n])
        window, place = window + text[place:place + n], place + n
        window = window[-8:] if len(window) > 16 else window
        filled = Tensor([window + [0] * (16 - len(window))])            # no token sees those after it
        close(scores, model(filled)[0].numpy()[0, len(window) - 1], 1e-4, 1e-5)
    assert place == 40 and len(writer.forward.captured) == len({1, min(chunk, 8)})


def test_sampling_by_the_command_line(trained, device, capsys):
    """Greedy, it goes on with the sentence that it has learnt; seeds and choices are obeyed."""
    say = functools.partial(main, "sample", "--model", trained, "--tokens", 40)
    greedy = say("--temperature", "0", "--prompt", "How much wood ")
    err = capsys.readouterr().err
    assert greedy == WOODCHUCK[:54] + "\n" and re.fullmatch(r"[\d,]+ tokens/s, after .*\n", err)
    for flags in ["--top-k", "1"], ["--top-p", "1e-9"]:
        assert say(*flags, "--prompt", "How much wood ") == greedy
    hot = [say("--temperature", "2", "--seed", seed) for seed in (1, 1, 2)]
    assert hot[0] == hot[1] != hot[2] and len(hot[0]) == 41


def test_choices_are_drawn_from_the_distribution_they_name():
    scores = np.log(np.array([0.5, 0.25, 0.125, 0.125], np.float32)) + 3
    for options, odds in (({}, [4, 2, 1, 1]), ({"top_k": 2}, [2, 1, 0, 0]), ({"temperature": 0.5}, [16, 4, 1, 1]),
                          ({"top_p": 0.7}, [2, 1, 0, 0]), ({"top_p": 0.76}, [4, 2, 1, 0]), ({"top_k": 9}, [4, 2, 1, 1]),
                          ({"temperature": 0}, [1, 0, 0, 0]), ({"top_k": 3, "top_p": 0.5}, [1, 0, 0, 0])):
        choose = gpt.Choice(**options)
        shares = np.bincount([choose(scores) for _ in range(4000)], minlength=4) / 4000
        assert (np.abs(shares - np.array(odds) / sum(odds)) < 0.03).all(), options
        assert ((shares > 0) == (np.array(odds) > 0)).all(), options


def test_text_comes_as_it_is_written(trained, monkeypatch):
    """One token at a time, each at once; and who stops listening ends it in silence."""
    command = [sys.executable, str(HERE / "gpt.py"), "sample", "--model", str(trained), "--tokens", "100000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert len(process.stdout.read(40)) == 40 and process.poll() is None
    process.stdout.close()
    assert process.wait(timeout=60) == 0 and process.stderr.read() == b""


@pytest.mark.parametrize("change, words", [
    (lambda data: data[:-1], "ends within"), (lambda data: b"a text, no model", "not a sound safetensors file"),
    (lambda data: data.replace(b"wpe", b"wpx"), "wpe.weight"), (lambda data: b"", "sound"),
    (lambda data: data.replace(b"characters", b"charakters"), "characters"),
    (lambda data: data.replace(b'wpe', b'\x1b[2'), "not a sound"),
    (lambda data: data.replace(b'ln_1.we', b'\\u001b['), "\\x1b[ight"),
], ids=["truncated", "text", "a name", "empty", "no characters", "a control character", "one that is escaped"])
def test_a_model_that_is_none_is_refused(change, words, trained, folder, monkeypatch, capsys):
    Path("m.safetensors").write_bytes(change(trained.read_bytes()))
    assert words in refused(["sample", "--model", "m.safetensors"], monkeypatch, capsys)


def test_a_prompt_of_other_characters_and_a_checkpoint_are_refused(trained, monkeypatch, capsys):
    assert "'ü'" in refused(["sample", "--model", str(trained), "--prompt", "über"], monkeypatch, capsys)
    checkpoint = trained.with_suffix(".checkpoint")
    assert "--resume" in refused(["sample", "--model", str(checkpoint)], monkeypatch, capsys)


def test_weights_of_one_byte_cost_less_than_0_02_of_loss(trained, device, capsys):
    model, text = gpt.load_gpt2(trained), WOODCHUCK[:17 * 16]
    tokens = np.array(gpt.Vocabulary("".join(sorted(set(WOODCHUCK)))).encode(text), np.int32).reshape(16, 17)
    x, y = Tensor(tokens[:, :-1]), Tensor(tokens[:, 1:])
    exact = model(x, y)[1].item()
    for parameter in nn.state.get_parameters(model):
        parameter.requires_grad = False
    arrays = {name: p.numpy() for name, p in nn.state.get_state_dict(model).items() if name != "lm_head.weight"}
    matrices = {name: array for name, array in arrays.items() if array.ndim == 2 and "wpe" not in name}
    before, after = gpt.quantize(model)
    assert 0 < abs(model(x, y)[1].item() - exact) < 0.02
    assert before == sum(array.nbytes for array in arrays.values())
    assert before - after == sum(3 * array.size - 4 * len(array) for array in matrices.values())
    fc, close_to = model.transformer["h"][0].mlp.c_fc, matrices["transformer.h.0.mlp.c_fc.weight"]
    close(fc.weight.numpy() * fc.scale.numpy(), close_to, 0, fc.scale.numpy().max() / 2 + 1e-7)
    assert (np.abs(fc.weight.numpy()).max(1) == 127).all()              # no row is coarser than it has to be
    main("sample", "--model", trained, "--int8", "--tokens", 5)
    assert f"{before:,} bytes, as int8 {after:,}" in capsys.readouterr().err


@on("C", "CL")
def test_int8_weights_become_floats_within_the_kernels(trained, device):
    """No kernel writes as much as the smallest matrix of a layer would take in float32: the largest are the caches."""
    model = gpt.load_gpt2(trained)
    gpt.quantize(model)
    capture, = gpt.Writer(model, 1).forward.captured.values()
    assert capture.plan.arena_bytes < 32 * 32 * 4
    headers = " ".join(kernel.header for kernel in capture.plan.kernels)
    written = re.findall(r"float32 \[([\d, ]+)\]", headers)
    assert written and max(math.prod(map(int, array.split(", "))) for array in written) == 2 * 16 * 16


# ---------------------------------------------------------------------------------------------------------------------
# The page of kernels, in a browser
# ---------------------------------------------------------------------------------------------------------------------
class Browser:
    """A headless Chromium. It takes JSON from a pipe and answers on another, each message ended by a zero byte
    (https://chromedevtools.github.io/devtools-protocol/)."""
    program = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    lead = "import os, sys; [os.dup2(int(sys.argv[i]), i + 2) for i in (1, 2)]; os.execv(sys.argv[3], sys.argv[3:])"

    def __init__(self, profile):
        theirs, self.questions = os.pipe()
        self.answers, reply = os.pipe()
        theirs, reply = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs, reply))   # it wants them to be 3 and 4
        command = [sys.executable, "-Sc", self.lead, f"{theirs}", f"{reply}", self.program, "--headless",
                   "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run", "--disable-gpu",
                   "--disable-dev-shm-usage", "--disable-background-networking"]
        command += ["--no-sandbox"] * (os.geteuid() == 0)               # root may not have one
        self.process = subprocess.Popen(command, pass_fds=(theirs, reply), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        for end in theirs, reply:
            os.close(end)
        self.serial, self.unread, self.session, self.errors = 0, b"", {}, []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = {"sessionId": self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in "Page", "Runtime", "Log":
            self(f"{domain}.enable")

    def read(self):
        """The next message; errors of the page's console are kept."""
        while b"\0" not in self.unread:
            assert select.select([self.answers], [], [], 60)[0], "the browser does not answer"
            more = os.read(self.answers, 1 << 20)
            assert more, "the browser has ended"
            self.unread += more
        message, self.unread = self.unread.split(b"\0", 1)
        message = json.loads(message)
        if message.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.errors.append(message["params"])
        return message

    def __call__(self, method, **params):
        self.serial += 1
        question = json.dumps({"id": self.serial, "method": method, "params": params, **self.session})
        os.write(self.questions, question.encode() + b"\0")
        while (message := self.read()).get("id") != self.serial:
            pass
        assert "error" not in message, message
        return message["result"]

    def open(self, url):
        for address in "about:blank", url:
            self("Page.navigate", url=address)
            while self.read().get("method") != "Page.loadEventFired":
                pass

    def js(self, expression):
        """The value of an expression in the page."""
        answer = self("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def lit(self, selector, of):
        """What the elements that are lit up stand for."""
        return self.js(f"[...document.querySelectorAll('{selector}.lit')].map(element => element.dataset.{of})")

    def current(self):
        """The number of the kernel that is on display."""
        return self.js("[...document.querySelectorAll('.bars .current')].map(element => +element.dataset.kernel)")

    def click(self, selector):
        """Scroll to an element and click on it with the mouse."""
        x, y = self.js(f"""(element => {{
            element.scrollIntoView({{ block: "center" }});
            const box = element.getBoundingClientRect();
            return [box.x + Math.min(box.width, 100) / 2, box.y + box.height / 2];
        }})(document.querySelector({json.dumps(selector)}))""")
        for kind in "mousePressed", "mouseReleased":
            self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, *keys):
        for key in keys:
            text = {"text": {"Enter": "\r"}.get(key, key)} if key != "Escape" else {}
            self("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self("Input.dispatchKeyEvent", type="keyUp", key=key)

    def resize(self, width, height):
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def close(self):
        os.close(self.questions)                                        # then it ends by itself
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.answers)


@pytest.fixture(scope="module")
def browser():
    if Browser.program is None:
        pytest.skip("there is no chromium")
    if not (HERE / "kernels" / "data.js").exists():
        pytest.skip("kernels/data.js is missing: python gpt.py kernels writes it")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def page(browser):
    """The page, just opened, and what its data says. In the end the console must be empty."""
    browser.errors.clear()
    browser.resize(1440, 900)
    browser.open((HERE / "kernels" / "index.html").as_uri())
    text = (HERE / "kernels" / "data.js").read_text("utf-8")
    yield browser, json.loads(text[text.index("{"):text.rindex("}") + 1])
    assert browser.errors == []


def line_of(data, text):
    """The address of the line of Python that begins with `text`."""
    lines = data["sources"]["gpt.py"].split("\n")
    return f"gpt.py:{next(i for i, line in enumerate(lines, 1) if line.strip().startswith(text))}"


def kernels_with(data, fits):
    return [i for i, kernel in enumerate(data["kernels"]) if fits(kernel)]


@pytest.mark.parametrize("text", ["att = (q @ k", "att = past.where("])
def test_the_page_lights_up_the_kernels_of_attention(text, page):
    browser, data = page
    line = line_of(data, text)
    named = kernels_with(data, lambda kernel: any(f"{file}:{n}" == line for file, n, _ in kernel["lines"]))
    roles = {role for i in named for file, n, role in data["kernels"][i]["lines"] if f"{file}:{n}" == line}
    browser.click(f'button.line[data-line="{line}"]')
    assert sorted(map(int, browser.lit(".bars button", "kernel"))) == named and roles == {"forward", "gradient"}
    i, = browser.current()
    shown = browser.js("document.querySelector('#source pre').textContent")
    assert i in named and shown.endswith(data["code"][data["kernels"][i]["code"]]["c"])
    assert f"// {line}  {text}" in shown and "for (idx" in shown and "-INFINITY" in shown
    browser.click('[data-dialect="cl"]')
    assert browser.js("document.querySelector('#source pre').textContent").endswith(
        data["code"][data["kernels"][i]["code"]]["cl"])
    assert browser.js("location.hash") == f"#{line}"


def test_the_page_shows_lines_and_costs_of_a_kernel(page):
    browser, data = page
    i = max(range(len(data["kernels"])), key=lambda i: data["kernels"][i]["microseconds"])
    browser.click(f'.bars button[data-kernel="{i}"]')
    kernel = data["kernels"][i]
    assert browser.current() == [i]
    assert set(browser.lit("button.line", "line")) == {f"{file}:{n}" for file, n, _ in kernel["lines"]}
    facts = browser.js("document.querySelector('#facts').innerText")
    assert "of the step" in facts and "GFLOP/s" in facts and "GB/s" in facts
    assert browser.js("document.querySelectorAll('#roof circle').length") == len(data["kernels"])
    assert browser.js("document.querySelectorAll('#roof circle.current').length") == 1
    arena = [buffer["id"] for buffer in data["buffers"] if buffer["offset"] is not None]
    for kind, operands in ("read", kernel["inputs"]), ("written", kernel["outputs"]):
        marked = browser.js(f"[...document.querySelectorAll('#memory rect.{kind}')].map(e => +e.dataset.buffer)")
        assert set(marked) == {operand["buffer"] for operand in operands}.intersection(arena)


def test_keys_of_the_page_step_and_search(page):
    browser, data = page
    browser.press("j", "j", "j", "k")
    assert browser.current() == [1]
    browser.press("/", *"copy_")
    copies = kernels_with(data, lambda kernel: "copy_" in kernel["name"])
    assert list(map(int, browser.lit(".bars button", "kernel"))) == copies
    assert browser.js("document.activeElement.id") == "search"
    browser.press("Enter", "j", "j", "k")
    assert browser.current() == copies[1:2]
    browser.press("Escape")
    assert browser.current() == browser.lit(".bars button", "kernel") == []
    assert "What takes the time" in browser.js("document.querySelector('#source').innerText")


def test_the_page_shows_texts_as_they_are(page):
    browser, data = page
    assert browser.js("""code.flatMap(texts => Object.values(texts)).every(text => {
        const element = document.createElement("pre");
        element.innerHTML = highlightKernel(text);
        return element.textContent === text;
    })""")
    shown = browser.js("[...document.querySelectorAll('.line')].map(line => line.lastChild.textContent)")
    squeezed = lambda line: re.sub(r"\s+", " ", line).strip()
    assert [*map(squeezed, shown)] == [squeezed(line) for line in data["sources"]["gpt.py"].split("\n")]


def test_the_page_fits_a_phone(page):
    browser, data = page
    browser.resize(390, 844)
    browser.js(f"location.hash = '{line_of(data, 'att = (q @ k')}'")
    while not browser.current():                                        # the page hears of its address a little later
        pass
    assert browser.js("document.documentElement.scrollWidth") == 390


# ---------------------------------------------------------------------------------------------------------------------
# The folder kernels/
# ---------------------------------------------------------------------------------------------------------------------
KERNELS = HERE / "kernels"


def sources_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for pattern in ("words_*.h", "*/*.c", "*/*.cl") for path in folder.glob(pattern)}


MACHINES = {"any": {}, "OpenCL and clang": {"DEVICE": "CL", "CC": "clang"},
            "NumPy": {"DEVICE": "NUMPY", "THREADS": "1"}}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What `python gpt.py kernels` writes in some surroundings, the latter two with an empty cache; all at once."""
    folders = {name: tmp_path_factory.mktemp("kernels") for name in MACHINES}

    def write(name):
        cache = {"TINY_CACHE": str(folders[name] / "cache")} if name != "any" else {}
        run_gpt("kernels", "--out", folders[name], "--steps", int(name == "any"), **cache, **MACHINES[name])

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, MACHINES))
    return folders


@pytest.mark.parametrize("name", MACHINES)
def test_the_folder_is_what_every_machine_would_write(name, written):
    stale = "python gpt.py kernels writes the folder anew"
    assert len(sources_in(KERNELS)) > 150 and sources_in(written[name]) == sources_in(KERNELS), stale
    assert (written[name] / "data.js").exists() == (name == "any")


def test_the_page_shows_gpt_py_as_it_is():
    text = (KERNELS / "data.js").read_text("utf-8")
    assert json.loads(text[text.index("{"):text.rindex("}") + 1])["sources"]["gpt.py"] == Path(gpt.__file__).read_text()


def test_the_guide_to_the_folder_names_files_that_are_there():
    text = (KERNELS / "README.md").read_text("utf-8")
    for part, name in re.findall(r"\b(first|train|decode)/(\w+)", text):
        assert len(list(KERNELS.glob(f"{part}/{name}*.c"))) == 1, name


def test_every_source_in_the_folder_compiles():
    compile_sources(KERNELS)


def test_the_folder_tells_nothing_of_the_machine():
    text = b"".join(sources_in(KERNELS).values()).decode()
    assert not re.search(r"/home|/root|/tmp|/work|gcc \d|clang \d|20\d\d-", text) and str(HERE) not in text


ARITHMETIC = [                                                          # all of GPT.__call__ and its blocks
    "centered = x - x.mean", "variance = centered.square()", "y = centered * (variance", "= self.c_attn(x)",
    "past = row.reshape(T, 1) >= column", "att = (q @ k.", "att = past.where(att", "y = (att @ v)",
    "return self.c_proj(y)", "x = self.c_fc(x).gelu()", "return self.c_proj(x)", "x = x + self.attn(",
    "return x + self.mlp(", "x = self.transformer[\"wte\"](idx) + self.transformer[\"wpe\"].weight[:T]",
    "logits = self.lm_head(", "cross_entropy(targets.flatten())"]


def test_all_arithmetic_of_the_model_is_named_by_a_kernel_and_so_is_its_gradient():
    text = "".join(path.read_text("utf-8") for path in KERNELS.glob("train/*.c"))
    for line in ARITHMETIC:
        assert re.search(rf"^// gpt.py:\d+  .*{re.escape(line)}", text, re.M), line
        no_gradient = ">=" in line or "x + self." in line               # that of a sum is passed on as it is
        assert no_gradient or re.search(rf"^// gradient of gpt.py:\d+  .*{re.escape(line)}", text, re.M), line


def test_every_kernel_of_the_training_step_names_a_line_of_the_program():
    for path in KERNELS.glob("train/*.c*"):
        assert re.search(r"^// (gradient of )?gpt.py:\d+  \S", path.read_text("utf-8"), re.M), path


def test_the_data_of_the_page_are_of_kernels_that_ran(written):
    text = (written["any"] / "data.js").read_text("utf-8")
    data = json.loads(text.removeprefix("window.DATA = ").removesuffix(";\n"))
    runs, buffers = data["kernels"], {buffer["id"]: buffer for buffer in data["buffers"]}
    assert data["machine"]["peak_gflops"] > 0 and data["machine"]["peak_gbs"] > 0 and data["machine"]["threads"] > 0
    lines = data["sources"]["gpt.py"].splitlines()
    for i, run in enumerate(runs):
        assert run["microseconds"] > 0 and run["symbol"] in data["code"][run["code"]]["c"] and run["name"]
        assert run["lines"] and all(file == "gpt.py" and lines[n - 1].strip() and kind in ("forward", "gradient")
                                    for file, n, kind in run["lines"])
        assert all((written["any"] / name).exists() for name in run["files"])
        for operand in run["inputs"] + run["outputs"]:
            buffer = buffers[operand["buffer"]]
            assert buffer["first"] <= i <= buffer["last"] and buffer["bytes"] >= math.prod(operand["shape"])
    inside = [buffer for buffer in buffers.values() if buffer["offset"] is not None]
    for a, b in itertools.combinations(inside, 2):                      # no two that are needed at once overlap
        assert a["last"] < b["first"] or b["last"] < a["first"] or a["offset"] + a["bytes"] <= b["offset"] or \
            b["offset"] + b["bytes"] <= a["offset"]
    assert max(b["offset"] + b["bytes"] for b in inside) <= data["arena_bytes"]
    names = {buffer["name"] for buffer in buffers.values()}
    assert {"tokens", "targets", "loss", "transformer.wte.weight", "adam.means.0"} <= names
    assert all(len(run["files"]) == 2 for run in runs)


# ---------------------------------------------------------------------------------------------------------------------
# Mistakes: what raises, and the words that it says
# ---------------------------------------------------------------------------------------------------------------------
def x23():
    return Tensor.ones(2, 3)


def image():
    return Tensor.ones(1, 1, 2, 2)


MISTAKES = {
    "shapes that do not broadcast": (lambda: x23() + Tensor.ones(4), ValueError, "add", "(2, 3)", "(4,)"),
    "matmul of shapes that do not fit": (lambda: x23() @ x23(), ValueError, "matmul", "(2, 3)"),
    "matmul of batches that do not fit": (lambda: Tensor.ones(2, 2, 3) @ Tensor.ones(3, 3, 2), ValueError, "matmul",
                                          "(2, 2, 3)", "(3, 3, 2)"),
    "a gradient of another shape": (lambda: setattr(x23(), "grad", Tensor.ones(3)), ValueError, "grad", "(3,)",
                                    "(2, 3)"),
    "a gradient that is an array": (lambda: setattr(x23(), "grad", np.ones(3)), TypeError, "grad", "ndarray"),
    "a parameter with two weight decays": (lambda: nn.optim.AdamW([w := x23(), {"params": [w], "weight_decay": 0.5}]),
                                           ValueError, "AdamW", "weight_decay"),
    "an array as mask of attention": (lambda: x23().scaled_dot_product_attention(x23(), x23(), np.ones((2, 2))),
                                      TypeError, "scaled_dot_product_attention", "ndarray"),
    "classes in an array": (lambda: x23().cross_entropy(np.array([0, 1])), TypeError, "cross_entropy", "target",
                            "ndarray"),
    "classes in a list": (lambda: x23().sparse_categorical_crossentropy([0, 1]), TypeError, "target", "list"),
    "probabilities in a list": (lambda: x23().binary_crossentropy([[0, 1, 0]]), TypeError, "target", "list"),
    "logits without classes": (lambda: Tensor(1.0).cross_entropy(Tensor(0)), ValueError, "cross entropy", "()"),
    "matmul of a number": (lambda: x23() @ Tensor(1.0), ValueError, "matmul", "()"),
    "reshape to another size": (lambda: x23().reshape(4, 2), ValueError, "reshape", "(2, 3)", "(4, 2)"),
    "reshape with two unknowns": (lambda: x23().reshape(-1, -1), ValueError, "reshape", "(2, 3)"),
    "reshape to floats": (lambda: x23().reshape(2.0, 3), ValueError, "reshape", "2.0"),
    "permute of too few axes": (lambda: x23().permute(0), ValueError, "permute", "(2, 3)"),
    "permute of an axis twice": (lambda: x23().permute(0, 0), ValueError, "permute", "twice"),
    "expand of a greater axis": (lambda: x23().expand(2, 6), ValueError, "expand", "(2, 3)", "(2, 6)"),
    "an axis that is not there": (lambda: x23().sum(2), IndexError, "sum", "2", "(2, 3)"),
    "an axis twice": (lambda: x23().max((0, -2)), ValueError, "max", "twice"),
    "transpose of an axis that is not there": (lambda: x23().transpose(0, 5), IndexError, "transpose", "5"),
    "unsqueeze too far": (lambda: x23().unsqueeze(4), IndexError, "unsqueeze", "4"),
    "shrink outside": (lambda: x23().shrink(((0, 3), None)), ValueError, "shrink", "(2, 3)"),
    "pad of too few axes": (lambda: x23().pad(((1, 1),)), ValueError, "pad", "(2, 3)"),
    "cat of other shapes": (lambda: x23().cat(Tensor.ones(2, 4), dim=0), ValueError, "cat", "(2, 3)", "(2, 4)"),
    "cat of a vector to a matrix": (lambda: x23().cat(Tensor.ones(2), dim=1), ValueError, "cat", "(2, 3)", "(2,)"),
    "no chunks": (lambda: x23().chunk(0), ValueError, "chunk", "0"),
    "fewer than no chunks": (lambda: x23().chunk(-1), ValueError, "chunk", "-1"),
    "half an element of padding": (lambda: x23().pad((0.5, 1)), ValueError, "pad", "0.5"),
    "shrink to half an element": (lambda: x23().shrink(((0, 1.5), None)), ValueError, "shrink", "1.5"),
    "flatten from the end": (lambda: Tensor.ones(2, 1, 3).flatten(2, 1), ValueError, "flatten", "(2, 1, 3)"),
    "flip of no axis": (lambda: x23().flip(), TypeError, "flip", "axis"),
    "cumsum of nothing along no axis": (lambda: Tensor.zeros(0, 2).cumsum(2), IndexError, "cumsum", "(0, 2)"),
    "argmax over two axes": (lambda: x23().argmax((0, 1)), IndexError, "argmax", "(0, 1)"),
    "split into parts that do not add up": (lambda: x23().split([1, 3], 1), ValueError, "split", "[1, 3]", "(2, 3)"),
    "split into parts of nothing": (lambda: x23().split(0, 1), ValueError, "split", "0"),
    "repeat of too few axes": (lambda: x23().repeat(2), ValueError, "repeat", "(2, 3)"),
    "roll by three of two axes": (lambda: x23().roll((1, 1, 1), (0, 1)), ValueError, "roll", "(3,)", "(2,)"),
    "roll by a part": (lambda: x23().roll(0.5, 0), TypeError, "roll", "0.5"),
    "tril of a vector": (lambda: Tensor.ones(3).tril(), ValueError, "tril", "(3,)"),
    "an index out of bounds": (lambda: x23()[0, 3], IndexError, "3", "axis 1"),
    "an index list out of bounds": (lambda: x23()[[0, 2]], IndexError, "2", "axis 0"),
    "too many indices": (lambda: x23()[0, 0, 0], IndexError, "(2, 3)"),
    "a float index": (lambda: x23()[1.5], IndexError, "1.5"),
    "a mask as index": (lambda: x23()[x23() > 0], IndexError, "mask", "where"),
    "assigning at an integer Tensor": (lambda: x23().__setitem__(Tensor([0]), 1), IndexError, "setitem", "where"),
    "gather at a list": (lambda: x23().gather(0, [[0]]), TypeError, "gather", "index", "list"),
    "an index that does not fit": (lambda: x23().gather(1, Tensor([0])), ValueError, "gather", "(1,)", "(2, 3)"),
    "negative sizes": (lambda: Tensor.zeros(-1), ValueError, "zeros", "-1"),
    "full of a list": (lambda: Tensor.full((2,), [1, 2]), TypeError, "full", "[1, 2]"),
    "full of nothing": (lambda: Tensor.full((2,), None), TypeError, "full", "None"),
    "full of many": (lambda: Tensor.full((2,), x23()), ValueError, "item", "(2, 3)"),
    "full of a dtype that is none": (lambda: Tensor.full((2,), np.uint16(3)), TypeError, "uint16", "float32"),
    "random integers of rand": (lambda: Tensor.rand(3, dtype="int32"), TypeError, "rand", "int32", "randint"),
    "random integers of randn": (lambda: Tensor.randn_like(Tensor([1, 2])), TypeError, "randn", "int32", "randint"),
    "half a row of eye": (lambda: Tensor.eye(2.5), ValueError, "eye", "2.5"),
    "fewer than no steps": (lambda: Tensor.linspace(0, 1, -3), ValueError, "linspace", "-3"),
    "fewer than no classes": (lambda: Tensor([0]).one_hot(-1), ValueError, "one_hot", "-1"),
    "ragged lists": (lambda: Tensor([[1], [1, 2]]), ValueError, "Tensor"),
    "text as data": (lambda: Tensor(["a"]), TypeError, "supported", "float32"),
    "complex numbers": (lambda: Tensor(np.zeros(2, np.complex64)), TypeError, "complex64", "float32"),
    "a dtype that is none": (lambda: Tensor.zeros(2, dtype="floaty"), TypeError, "floaty", "float32"),
    "an operand that is text": (lambda: x23() + "a", TypeError, "add", "str"),
    "and of floats": (lambda: x23() & 1, TypeError, "and", "float32"),
    "a difference of bools": (lambda: Tensor([True]) - Tensor([False]), TypeError, "sub", "bool"),
    "an integer power below zero": (lambda: Tensor([2]) ** -1, ValueError, "pow", "-1"),
    "a number that does not fit": (lambda: Tensor([1], dtype="int8") + 300, ValueError, "300", "int8"),
    "data that does not fit": (lambda: Tensor([2 ** 40]), ValueError, str(2 ** 40), "int32"),
    "data that does not fit in bytes": (lambda: Tensor([[1, -129]], dtype="int8"), ValueError, "-129", "int8"),
    "a negative number as unsigned": (lambda: Tensor(-1, dtype="uint8"), ValueError, "-1", "uint8"),
    "data that only uint64 holds": (lambda: Tensor([2 ** 63], dtype="int64"), ValueError, str(2 ** 63), "int64"),
    "data that fits in no integer": (lambda: Tensor(2 ** 70, dtype="int64"), ValueError, str(2 ** 70), "int64"),
    "a NaN as integer": (lambda: Tensor([math.nan], dtype="int32"), ValueError, "nan", "int32"),
    "bitcast to another size": (lambda: Tensor([1.0]).bitcast("int64"), ValueError, "bitcast", "float32", "int64"),
    "max of nothing": (lambda: Tensor.zeros(0, 2).max(0), ValueError, "max", "(0, 2)"),
    "einsum of other shapes": (lambda: Tensor.einsum("ij,jk->ik", x23(), x23()), ValueError, "einsum", "ij,jk->ik"),
    "einsum of a list": (lambda: Tensor.einsum("ij,jk->ik", x23(), [[1.0]]), TypeError, "einsum", "list"),
    "einsum of a diagonal": (lambda: Tensor.einsum("ii->i", Tensor.ones(2, 2)), ValueError, "einsum", "ii"),
    "conv2d of other channels": (lambda: Tensor.ones(1, 3, 4, 4).conv2d(Tensor.ones(2, 2, 3, 3)), ValueError, "conv2d",
                                 "(2, 2, 3, 3)", "(1, 3, 4, 4)"),
    "conv2d of a matrix": (lambda: x23().conv2d(Tensor.ones(2, 2, 3, 3)), ValueError, "conv2d", "(2, 3)"),
    "conv2d with another bias": (lambda: image().conv2d(image(), Tensor.ones(4)), ValueError, "conv2d", "bias (4,)"),
    "conv2d with a padding in words": (lambda: image().conv2d(image(), padding="same"), ValueError, "conv2d", "same"),
    "conv2d with a padding for each side": (lambda: image().conv2d(image(), padding=(0, 1, 0, 1)), ValueError, "conv2d",
                                            "(0, 1, 0, 1)"),
    "conv2d with a stride of a half": (lambda: image().conv2d(image(), stride=0.5), ValueError, "conv2d", "0.5"),
    "a pool that stands still": (lambda: image().max_pool2d(2, stride=0), ValueError, "max_pool2d", "(0, 0)"),
    "a pool of lines": (lambda: image().avg_pool2d((2,)), ValueError, "avg_pool2d", "(2,)"),
    "a pool of a matrix": (lambda: x23().max_pool2d(2), ValueError, "max_pool2d", "(2, 3)"),
    "a window that does not fit": (lambda: image().max_pool2d(3), ValueError, "max_pool2d", "3", "2"),
    "groups that do not divide the channels": (lambda: nn.Conv2d(5, 4, 3, groups=2), ValueError, "Conv2d", "5", "2"),
    "attention with two masks": (
        lambda: x23().scaled_dot_product_attention(x23(), x23(), attn_mask=Tensor.ones(2, 2), is_causal=True),
        ValueError, "scaled_dot_product_attention", "is_causal"),
    "classes of another shape": (lambda: x23().cross_entropy(Tensor([1])), ValueError, "cross", "(1,)", "(2, 3)"),
    "an unknown reduction": (lambda: x23().cross_entropy(Tensor([1, 2]), reduction="average"), ValueError, "average"),
    "smoothing by more than one": (lambda: x23().cross_entropy(Tensor([1, 2]), label_smoothing=2), ValueError,
                                   "label_smoothing", "2"),
    "smoothing by less than nothing": (lambda: x23().cross_entropy(x23(), label_smoothing=-1), ValueError,
                                       "label_smoothing", "-1"),
    "a probability above one": (lambda: x23().dropout(1.5), ValueError, "dropout", "1.5"),
    "random integers from [0, 1)": (lambda: Tensor.rand(3, dtype="int32"), TypeError, "rand", "int32"),
    "normal integers": (lambda: Tensor.normal(3, dtype="int32"), TypeError, "randn", "int32"),
    "random integers up to a fraction": (lambda: Tensor.randint(3, high=2.5), ValueError, "randint", "2.5"),
    "random bytes that are none": (lambda: Tensor.randint(3, high=300, dtype="uint8"), ValueError, "299", "uint8"),
    "no integers to draw": (lambda: Tensor.randint(3, low=5, high=5), ValueError, "randint", "5"),
    "more than the integers to draw": (lambda: Tensor.randint(3, high=300, dtype="int8"), ValueError, "299", "int8"),
    "halves to draw": (lambda: Tensor.randint(3, low=0.5), ValueError, "randint", "0.5"),
    "arange beyond its integers": (lambda: Tensor.arange(0, 2 ** 33, 2 ** 30), ValueError, str(7 * 2 ** 30), "int32"),
    "arange without a step": (lambda: Tensor.arange(0, 5, 0), ValueError, "arange", "step"),
    "backward of many": (lambda: x23().exp().backward(), RuntimeError, "backward", "(2, 3)", ".mean() or .sum()"),
    "backward that leads nowhere": (lambda: x23().sum().backward(), RuntimeError, "backward", "requires_grad=True"),
    "backward of data": (lambda: Tensor([1.0, 2.0]).sum().backward(), RuntimeError, "requires_grad=True"),
    "backward of a number": (lambda: Tensor(1.0).backward(), RuntimeError, "requires_grad=True"),
    "backward of integers": (lambda: Tensor([1, 2]).sum().backward(), TypeError, "gradient", "int32"),
    "backward of a loss cut off": (lambda: Tensor([1.0], requires_grad=True).sum().detach().backward(), RuntimeError,
                                   "requires_grad", "detach()"),
    "kernels of a number": (lambda: tiny.kernels(1), TypeError, "kernels", "argument 0", "int"),
    "cat of a list": (lambda: Tensor.cat([x23(), x23()]), TypeError, "cat(x, y)", "list"),
    "stack of a list": (lambda: Tensor.stack([x23(), x23()]), TypeError, "stack(x, y)", "list"),
    "stack of text": (lambda: x23().stack("abc"), TypeError, "stack", "str"),
    "kernels on NumPy": (lambda: tiny.kernels(Tensor([1.0], device="NUMPY") + 1), RuntimeError, "kernels", "NUMPY",
                         "DEVICE=C"),
    "backward with another shape": (lambda: x23().backward(Tensor([1.0])), ValueError, "gradient", "(1,)", "(2, 3)"),
    "backward of an array": (lambda: x23().backward(np.ones((2, 3))), TypeError, "gradient", "ndarray"),
    "a gradient for an array": (lambda: x23().sum().gradient(np.ones(2)), TypeError, "gradient", "0", "ndarray"),
    "a Function of an array": (lambda: WrongNumber.apply(x23(), np.ones(3)), TypeError, "WrongNumber", "input 1",
                               "ndarray"),
    "a Function that returns an array": (lambda: ReturnsArrays.apply(x23()), TypeError, "ReturnsArrays", "forward",
                                        "ndarray"),
    "a gradient of integers": (lambda: Tensor([1], requires_grad=True), TypeError, "requires_grad", "int32"),
    "a gradient for integers": (lambda: x23().sum().gradient(Tensor([1])), TypeError, "gradient", "int32"),
    "assign of another shape": (lambda: x23().assign(Tensor.ones(3, 2)), ValueError, "assign", "(3, 2)", "(2, 3)"),
    "assign of a number that does not fit": (lambda: Tensor([1], dtype="int8").assign(300), ValueError, "300", "int8"),
    "assign of floats to integers": (lambda: Tensor([1]).assign(1.5), TypeError, "assign", "int32"),
    "item of many": (lambda: x23().item(), ValueError, "item", "(2, 3)"),
    "the truth of many": (lambda: bool(x23()), ValueError, "one element", "(2, 3)"),
    "the length of a number": (lambda: len(Tensor(1.0)), TypeError, "len"),
    "iterating over a number": (lambda: list(Tensor(1.0)), TypeError, "axes"),
    "an optimizer of nothing": (lambda: nn.optim.SGD([]), ValueError, "SGD", "parameter"),
    "a group with a rate of its own": (lambda: nn.optim.SGD([{"params": [x23()], "lr": 0.1}]), ValueError, "SGD", "lr"),
    "a group without parameters": (lambda: nn.optim.AdamW([{"weight_decay": 0.1}]), ValueError, "AdamW", "params"),
    "an optimizer of names": (lambda: nn.optim.SGD({"weight": x23()}), TypeError, "SGD", "Tensor", "str"),
    "clipping no gradients": (lambda: nn.optim.clip_grad_norm_([x23()], 1.0), RuntimeError, "clip_grad_norm_"),
    "a state of arrays": (lambda: nn.state.load_state_dict({"a": x23()}, {"a": np.ones((2, 3))}), ValueError,
                          "load_state_dict", "float32[2, 3]", "ndarray"),
    "saving an array": (lambda: nn.state.safe_save({"a": np.ones(2)}, "never written"), TypeError, "safe_save", "a",
                        "ndarray"),
    "a step without gradients": (lambda: nn.optim.AdamW([Tensor([1.0, 2.0])]).step(), RuntimeError, "gradient", "(2,)"),
    "a LayerNorm of a smaller axis": (lambda: nn.LayerNorm(4)(Tensor.ones(2, 1)), ValueError, "LayerNorm", "(2, 1)",
                                      "(4,)"),
    "a LayerNorm of too few axes": (lambda: nn.LayerNorm((2, 3))(Tensor.ones(3)), ValueError, "LayerNorm", "(2, 3)"),
    "an RMSNorm of a smaller axis": (lambda: nn.RMSNorm(4)(Tensor.ones(2, 1)), ValueError, "RMSNorm", "(2, 1)", "(4,)"),
    "a BatchNorm of other channels": (lambda: nn.BatchNorm(3)(x23()[:, :1]), ValueError, "BatchNorm", "(2, 1)", "(3,)"),
    "a BatchNorm of a vector": (lambda: nn.BatchNorm(3)(Tensor.ones(3)), ValueError, "BatchNorm", "(3,)"),
    "a model of too many tokens": (lambda: gpt.GPT(gpt.GPTConfig(**SMALL))(Tensor.zeros(1, 17, dtype="int32")),
                                   ValueError, "17", "16"),
    "heads that do not divide the width": (lambda: gpt.GPT(gpt.GPTConfig(n_head=3)), ValueError, "3", "128"),
    "operands on two devices": (lambda: Tensor([1.0], device="NUMPY") + Tensor([1.0], device="C"), ValueError, "add",
                                "NUMPY", "C", "to("),
    "a kernel without a name": (lambda: tiny.kernel("", "out0[0] = 1;"), ValueError, "kernel", "identifier"),
    "a kernel of no good name": (lambda: tiny.kernel("a b", "out0[0] = 1;"), ValueError, "kernel", "a b"),
    "a kernel without a text": (lambda: tiny.kernel("mine", np.exp), TypeError, "mine", "text", "ufunc"),
    "a kernel whose NumPy is a text": (lambda: tiny.kernel("mine", "", numpy="np.exp"), TypeError, "mine", "numpy"),
    "a kernel of no Tensor": (lambda: swish(), TypeError, "swish", "Tensor"),
    "a kernel of an array": (lambda: twice(x23(), np.ones(3)), TypeError, "twice", "input 1", "ndarray"),
    "a kernel on two devices": (lambda: twice(Tensor([1.0], device="NUMPY"), Tensor([1.0], device="C")), ValueError,
                                "twice", "NUMPY", "C", "to("),
    "a kernel of a bad shape": (lambda: tiny.kernel("mine", "", shape=(2, -1))(x23().to("C")), ValueError, "mine",
                                "shape", "-1"),
    "a kernel without tasks": (lambda: tiny.kernel("mine", "", tasks=0)(x23().to("C")), ValueError, "mine", "tasks"),
    "a kernel of a dtype that is none": (lambda: tiny.kernel("mine", "", dtype="floaty")(x23().to("C")), TypeError,
                                         "floaty"),
    "a kernel without NumPy": (lambda: tiny.kernel("mine", "")(x23().to("NUMPY")), ValueError, "mine", "NUMPY",
                               "numpy="),
    "a kernel of another shape in NumPy": (
        lambda: tiny.kernel("mine", "", numpy=np.sum)(x23().to("NUMPY")).numpy(), ValueError, "mine", "()", "(2, 3)"),
    "gradcheck of a number": (lambda: tiny.gradcheck(Tensor.exp, 1.0), TypeError, "gradcheck", "input 0", "float"),
    "gradcheck in float32": (lambda: tiny.gradcheck(Tensor.exp, Tensor([1.0], requires_grad=True)), TypeError,
                             "gradcheck", "input 0", "float64", "float32"),
    "gradcheck of what becomes float32": (lambda: tiny.gradcheck(Tensor.float, doubles((3,))), TypeError, "gradcheck",
                                          "float64", "float32"),
    "gradcheck of nothing": (lambda: tiny.gradcheck(Tensor.exp, Tensor(np.ones(2))), ValueError, "gradcheck",
                             "requires_grad"),
    "a device that is none": (lambda: Tensor([1.0], device="TPU"), ValueError, "TPU", "C", "NUMPY"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_raises_in_words_at_its_line(what):
    wrong, kind, *words = MISTAKES[what]
    with pytest.raises(kind) as error:
        wrong()
    assert all(word in str(error.value) for word in words), error.value


class WrongShape(Function):
    def forward(self, x):
        return x * 2

    def backward(self, grad):
        return grad.sum()


class ReturnsArrays(Function):
    def forward(self, x):
        return x.numpy() * 2


class WrongNumber(Function):
    def forward(self, x, y):
        return x * y

    def backward(self, grad):
        return grad


class OtherGradients(Function):
    """A gradient that is none of the input's dtype, or no Tensor."""
    def __init__(self, gradient):
        self.gradient = gradient

    def forward(self, x):
        return x * 2

    def backward(self, grad):
        return self.gradient


def test_a_gradient_has_the_dtype_of_its_input():
    for other in (np.array([2.0, 3.0]), np.array([2, 3])):
        x = Tensor([1.0, 2.0])
        found, = OtherGradients.apply(x, gradient=Tensor(other)).sum().gradient(x)
        assert found.dtype == dtypes.float32 and found.tolist() == [2, 3]
    with pytest.raises(TypeError, match="OtherGradients.backward: gradient 0 must be a Tensor, got float"):
        OtherGradients.apply(x, gradient=2.0).sum().gradient(x)


@pytest.mark.parametrize("function, inputs, words", [(WrongShape, 1, ["WrongShape", "()", "(2,)"]),
                                                     (WrongNumber, 2, ["WrongNumber", "1", "2"])])
def test_a_gradient_rule_that_does_not_fit_raises(function, inputs, words):
    tensors = [Tensor([1.0, 2.0]) for _ in range(inputs)]
    with pytest.raises(ValueError) as error:
        function.apply(*tensors).sum().gradient(*tensors)
    assert all(word in str(error.value) for word in words), error.value


# ---------------------------------------------------------------------------------------------------------------------
# The file and its surroundings
# ---------------------------------------------------------------------------------------------------------------------
IMPORT = """
import sys, time, threading, os, json
import numpy
tasks = lambda: len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else threading.active_count()
before, start = tasks(), time.perf_counter()
import tiny
seconds = time.perf_counter() - start
json.dump([seconds, tasks() - before, "pyopencl" in sys.modules, os.listdir(".")], sys.stderr)
"""


def test_import_is_quick_and_silent_and_starts_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [python(IMPORT, PYTHONDONTWRITEBYTECODE="", TINY_CACHE=str(tmp_path / "cache")) for _ in range(3)]
    assert all(run.returncode == 0 and run.stdout == "" for run in runs), runs[0].stderr
    found = [json.loads(run.stderr) for run in runs]
    assert min(seconds for seconds, *_ in found) < 0.3
    assert all(rest == [0, False, []] for _, *rest in found)


def test_tinygrads_import_line_works():
    done = python("from tiny import Tensor, nn, Device, TinyJit, dtypes; nn.optim.Adam, nn.state.safe_load, TinyJit; "
                  "print(Tensor([1.0, 2.0], dtype=dtypes.half, device='NUMPY').sum().item())")
    assert done.stdout == "3.0\n", done.stderr


def test_running_the_file_tells_which_devices_work():
    done = python(None, str(HERE / "tiny.py"))
    assert done.returncode == 0 and all(name in done.stdout for name in DEVICES), done.stdout + done.stderr


@pytest.mark.parametrize("name", DEVICES)
def test_the_environment_chooses_the_device(name):
    done = python("from tiny import *; x = Tensor([1.0, 2.0]) * 2; print(Device.DEFAULT, x.device, x.tolist())",
                  DEVICE=name)
    assert done.stdout == f"{name} {name} [2.0, 4.0]\n", done.stderr


@pytest.mark.parametrize("files, order", [([], ["C", "CL"]), (["/dev/nvidia0"], ["CL", "C", "CL"])])
@pytest.mark.filterwarnings("ignore")
def test_opencl_is_asked_first_only_where_there_is_a_gpu(files, order, monkeypatch):
    class Nothing(tiny.Devices):
        def __missing__(self, name):
            asked.append(name)
            raise RuntimeError

    asked = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(tiny.Path, "glob", lambda folder, pattern: iter(files))
    assert Nothing().first() == "NUMPY" and asked == order


COMPUTE = "from tiny import *; print((Tensor([1.0, 2.0], device='C') * 2).tolist())"


def last_line(done):
    assert done.returncode != 0, done.stdout
    return done.stderr.strip().splitlines()[-1]


def test_an_unknown_device_in_the_environment_is_named():
    message = last_line(python("from tiny import *; (Tensor([1.0]) * 2).tolist()", DEVICE="TPU"))
    assert "TPU" in message and "NUMPY" in message, message


def test_a_missing_compiler_is_named(tmp_path):
    message = last_line(python(COMPUTE, CC="/nonexistent/cc", PATH=str(tmp_path)))
    assert "RuntimeError" in message and "compiler" in message and "CC" in message, message


def test_a_compiler_that_was_asked_for_is_not_replaced_by_another():
    message = last_line(python(COMPUTE, CC="/nonexistent/cc"))
    assert "/nonexistent/cc" in message and "CC" in message, message


def test_a_compiler_that_fails_is_quoted(tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\necho cc\ntest "$1" = --version && exit 0\necho the disk is cheese >&2; exit 1\n')
    compiler.chmod(0o755)
    done = python(COMPUTE, CC=str(compiler), TINY_CACHE=str(tmp_path / "cache"))
    assert done.returncode != 0 and "RuntimeError" in done.stderr and "the disk is cheese" in done.stderr


@pytest.mark.parametrize("name, value, words", [
    ("CFLAGS", "'-O1", "RuntimeError: CFLAGS should be flags as a shell reads them (No closing quotation): '-O1"),
    ("THREADS", "100000", "ValueError: THREADS should be a number from 1 to 1024, not '100000'"),
    ("THREADS", "²", "ValueError: THREADS should be a number from 1 to 1024, not '²'"),
    ("KERNELS", "/dev/null/x", "RuntimeError: no sources can be kept where KERNELS says: [Errno 20] Not a directory: "
                               "'/dev/null/x")])
def test_a_setting_that_makes_no_sense_is_named(name, value, words):
    assert last_line(python(COMPUTE, **{name: value})).startswith(words)


STILL_SPECIAL = """
import numpy as np; from tiny import *
x = Tensor([1.0, np.nan, np.inf, -np.inf], device="C")
print(x.isnan().tolist(), x.isinf().tolist(), (Tensor([-0.0, 0.0], device="C") * 3 + -0.0).tolist())
print(Tensor([[1.0, -np.inf]], device="C").softmax().tolist(), np.float32(1e-40) * np.float32(0.5) > 0)
"""


@pytest.mark.parametrize("flags", ["-ffast-math -Werror", "-Ofast -ffinite-math-only -fno-signed-zeros "
                                   "-fassociative-math -freciprocal-math -funsafe-math-optimizations"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_flags_do_not_change_what_nan_infinity_and_signs_are(compiler, flags, tmp_path):
    """Nor what subnormal numbers are to NumPy."""
    if not shutil.which(compiler):
        pytest.skip(f"needs {compiler}")
    done = python(STILL_SPECIAL, CC=compiler, CFLAGS=flags, TINY_CACHE=str(tmp_path))
    assert done.stdout == ("[False, True, False, False] [False, False, True, True] [-0.0, 0.0]\n"
                           "[[1.0, 0.0]] True\n"), done.stdout + done.stderr


def test_a_cache_folder_that_others_can_write_to_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    message = last_line(python(COMPUTE, TINY_CACHE=str(tmp_path)))
    assert "RuntimeError" in message and str(tmp_path) in message and "TINY_CACHE" in message, message


def test_a_cache_folder_that_cannot_be_written_to_is_named(tmp_path):
    """Here a file stands in its place: permissions don't stop a superuser, whom some run tests as."""
    (tmp_path / "file").write_text("")
    message = last_line(python(COMPUTE, TINY_CACHE=str(tmp_path / "file" / "cache")))
    assert "RuntimeError" in message and str(tmp_path) in message and "TINY_CACHE" in message, message


def test_compiled_code_is_cached_and_private(tmp_path):
    folder = tmp_path / "cache"
    first = python(COMPUTE, TINY_CACHE=str(folder))
    assert first.stdout == "[2.0, 4.0]\n", first.stderr
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert files and stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    assert not [path for path in files if path.suffix == ".c"]
    assert python(COMPUTE, TINY_CACHE=str(folder)).stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == files


# ---------------------------------------------------------------------------------------------------------------------
# Hostile surroundings: the cache folder, the compiler, memory, Ctrl-C, forks and threads. What is long is a command,
# `python test_tiny.py hostile [N]`, which does the random ones N times as often.
# ---------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def fresh(device, monkeypatch, tmp_path):
    """An empty cache folder, and a device that remembers no plan and no kernel, as in a new process."""
    monkeypatch.setenv("TINY_CACHE", str(tmp_path / "cache"))
    forget(device)
    return tmp_path / "cache"


def forget(device):
    Device[device].plans.clear()
    Device[device].functions.clear()


def works(device, n=7):
    """Does the device compute (two kernels)?"""
    x = np.arange(n, dtype=np.float32)
    np.testing.assert_allclose(((Tensor(x, device=device) + 1).exp() / 8).sum().item(), np.sum(np.exp(x + 1) / 8), 1e-5)
    return True


def lefts(folder):
    """What should not be in a cache folder for long."""
    return [path.name for path in folder.iterdir() if path.suffix not in {".so", ".plan", ".tile"}]


def is_over(process):
    """Has a process been killed? It may still wait to be buried by whoever does that."""
    for _ in range(100):
        state = subprocess.run(["ps", "-o", "stat=", "-p", process.strip()], capture_output=True, text=True).stdout
        if not state or state[0] == "Z":
            return True
        time.sleep(0.02)


COMPILE = """
import sys; from tiny import *
sys.stdin.readline()
for n in 3, 5, 8: print((Tensor.arange(24, device="C").reshape(n if n == 3 else 8, -1).float().exp() @ Tensor.ones(
    8 if n == 3 else 3, n, device="C")).sum(0).log().tolist())
"""


def at_once(n, folder):
    """Processes that wait for one another, and then compile the same; what they print."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), "TINY_CACHE": str(folder)}
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    processes = [subprocess.Popen([sys.executable, "-c", COMPILE], text=True, env=environment, **pipes)
                 for _ in range(n)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=300) for process in processes]


def test_processes_may_compile_the_same_at_once(tmp_path, n=2):
    printed = at_once(n, tmp_path / "cache")
    assert len(printed[0][0].splitlines()) == 3 and printed == [printed[0]] * n and not printed[0][1], printed
    assert not lefts(tmp_path / "cache") and all(map(tiny.load_whole, (tmp_path / "cache").glob("*.so")))


DAMAGES = {"empty": lambda data: b"", "truncated": lambda data: data[:len(data) // 2], "short": lambda data: data[:-1],
           "garbage": lambda data: bytes(reversed(data)), "a bit": lambda data: data[:9000] + b"?" + data[9001:],
           "without its end": lambda data: data[:-96]}


@on("C")
def test_a_damaged_library_is_never_loaded(device, fresh):
    assert works(device)
    path, = fresh.glob("*.so")
    whole = path.read_bytes()
    (leaf(3) * 2).realize()
    foreign = next(other for other in fresh.glob("*.so") if other != path).read_bytes()
    for damage in [*DAMAGES.values(), lambda data: foreign]:
        path.unlink()                                                   # as this process has loaded it
        path.write_bytes(damage(whole))
        with pytest.raises(OSError, match="is damaged"):
            tiny.load_whole(path)
    forget(device)
    assert works(device) and tiny.load_whole(path) and not lefts(fresh)
    path.unlink()
    path.mkdir()                                                        # what is the user's is not removed
    forget(device)
    with pytest.raises(RuntimeError, match=f"(?s){fresh}.*TINY_CACHE"):
        works(device)
    path.rmdir()
    assert works(device)


WITHOUT = """
import os, resource, sys, tempfile; from tiny import *
what, folder = sys.argv[1], tempfile.mkdtemp(prefix="tiny-test-")
os.environ["TINY_CACHE"] = folder
double = lambda n: (Tensor.arange(n, device="C") * 2).tolist()[-1]
limit = lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
try:
    print(double(3))
    if what == "read-only" and os.getuid() == 0:                        # whom permissions don't stop
        for path in [folder, *os.scandir(folder)]:
            os.chown(path, 65534, 65534)
        os.setuid(65534)
    os.chmod(folder, 0o500) if what == "read-only" else limit(int(what))
    print(double(3))                                                    # what is there can still be used
    try:
        double(4)
    except RuntimeError as error:
        print(str(error).replace("\\n", " "))
    os.chmod(folder, 0o700) if what == "read-only" else limit(resource.RLIM_INFINITY)
    print(double(4), [name for name in os.listdir(folder) if name.startswith("part")])
finally:
    __import__("shutil").rmtree(folder)
"""


@pytest.mark.parametrize("what", ["read-only", "0"])
def test_a_folder_that_is_read_only_or_full_is_named(what):
    """No file may become longer than so many bytes, which is how it looks where there is no more room."""
    done = python(WITHOUT, what)
    first, second, error, last = done.stdout.splitlines() or [done.stderr] * 4
    assert (first, second, last) == ("4", "4", "6 []") and "TINY_CACHE" in error, done.stdout + done.stderr


@on("C")
def test_a_cache_folder_may_vanish(device, fresh, monkeypatch):
    assert works(device)
    shutil.rmtree(fresh)
    assert works(device, 8)
    finish = tiny.CDevice.finish
    monkeypatch.setattr(tiny.CDevice, "finish", lambda *job: shutil.rmtree(fresh) or finish(*job))
    with pytest.raises(RuntimeError, match="cache folder|could not compile"):
        works(device, 9)
    monkeypatch.undo()
    assert works(device, 9)


@on("C")
def test_what_killed_processes_left_is_removed_after_a_day(device, fresh):
    for name, age in (("part-old", 90000), ("part-new", 1000)):
        (fresh / name).mkdir(parents=True, mode=0o700)
        (fresh / name / "0.c").write_text("")
        os.utime(fresh / name, (time.time() - age,) * 2)
    fresh.chmod(0o700)
    tiny.CDevice()
    assert lefts(fresh) == ["part-new"]


@on("C")
def test_what_another_process_removes_at_the_same_time_does_no_harm(device, fresh):
    """It is listed, and gone when it is looked at: so is a link to nowhere."""
    fresh.mkdir(mode=0o700)
    (fresh / "part-gone").symlink_to("nowhere")
    tiny.CDevice()


# The compiler. A script stands for it: what it does, and the words that the error has.
COMPILERS = {
    "fails": ("echo the disk is cheese >&2; exit 3", ["the disk is cheese", "ended with 3"]),
    "dies": ("kill -9 $$", ["signal 9"]),
    "hangs": ("sleep 1000 & echo $! > $PIDS; sleep 1000", ["had not ended after 1 seconds"]),
    "babbles": ("(while :; do echo yes >&2; done) & echo $! > $PIDS; yes", ["had not ended", "bytes of messages"]),
    "makes nothing": ("exit 0", ["made nothing"]),
    "makes no library": ('while [ "$1" != -o ]; do shift; done; echo nonsense > "$2"', ["can't be loaded"]),
    "asks": ("read answer; echo got no answer >&2; exit 1", ["got no answer"]),
    "is not UTF-8": ("printf '\\377\\376' >&2; exit 1", ["ended with 1"]),
    "can't be run": (None, ["can't be started", "denied"]),
}


@on("C")
@pytest.mark.parametrize("what", COMPILERS)
def test_a_compiler_that_does_harm_is_stopped_and_named(what, device, fresh, monkeypatch, tmp_path):
    script, words = COMPILERS[what]
    compiler, children = tmp_path / "cc", tmp_path / "pids"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755 if script else 0o644)
    monkeypatch.setenv("PIDS", str(children))
    monkeypatch.setattr(Device[device], "compiler", str(compiler))
    monkeypatch.setattr(Device[device], "patience", 1)
    with pytest.raises(RuntimeError) as error:
        works(device)
    assert all(word in str(error.value) for word in [*words, str(compiler)]) and len(str(error.value)) < 5000, error
    assert not children.exists() or is_over(children.read_text())
    assert lefts(fresh) in ([], ["failed.c"])
    monkeypatch.undo()
    assert works(device)


def test_a_compiler_that_hangs_when_asked_for_its_version_is_named(tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\nexec sleep 1000\n")
    compiler.chmod(0o755)
    message = last_line(python("import tiny; tiny.CDevice.patience = 0.2; " + COMPUTE, CC=str(compiler)))
    assert "RuntimeError" in message and str(compiler) in message and "0.2 seconds" in message, message


@on("CL")
@pytest.mark.parametrize("name, kind, words", [("Program", RuntimeError, "could not compile"),
                                               ("enqueue_nd_range_kernel", RuntimeError, "could not run"),
                                               ("enqueue_copy", RuntimeError, "did not give"),
                                               ("Memory", MemoryError, "no memory for float32")])
def test_what_opencl_fails_at_is_named_and_the_next_operation_works(name, kind, words, device, fresh, monkeypatch):
    import pyopencl as cl

    def lost(*arguments, **options):
        raise cl.RuntimeError("the device is lost")
    x = (Tensor(np.arange(5, dtype=np.float32)) + 1).exp() / 8
    with monkeypatch.context() as patch:
        if name == "enqueue_copy":
            x.realize()                                                 # it is copied in as well
        patch.setattr(Device[device], "cl", SimpleNamespace(**{**vars(cl), name: lost}))
        if name == "Memory":
            patch.setattr(Device[device], name, lost)
        with pytest.raises(kind, match=f"(?s){words}.*the device is lost"):
            x.tolist()
    close(x, np.exp(np.arange(5) + 1) / 8)
    assert works(device)


@on("CL")
def test_an_opencl_that_can_compile_nothing_is_passed_over(device, monkeypatch):
    """PoCL is that, where the LLVM within it does not know the processor."""
    import pyopencl as cl

    def build(context, source):
        raise cl.RuntimeError("unknown target CPU 'generic'")
    monkeypatch.setattr(cl, "Program", build)
    with pytest.raises(RuntimeError, match=r"OpenCL can compile nothing for .*pocl-opencl-icd"):
        Device.makers[device]()
    with pytest.warns(match="CC"):
        monkeypatch.setenv("CC", "no_compiler")
        assert type(Device)().DEFAULT == "NUMPY"


@pytest.mark.parametrize("n", [2 ** 31, 2 ** 47, 2 ** 62])
def test_what_int32_cannot_count_is_refused(n, device):
    """Coordinates and places are int32: beyond, masks and pads would be wrong without a word."""
    with pytest.raises(ValueError, match=rf"test_tiny.py:\d+: .*float32\[{n}\] is too large"):
        Tensor.ones(n).realize()
    with pytest.raises(ValueError, match=rf"test_tiny.py:\d+: .*\[{n // 2}, .\] is too large"):
        (Tensor.ones(n // 2, 1) + Tensor.arange(2.0)).realize()
    with pytest.raises(ValueError, match=rf"index int32\[{n}\] is too large|^{n - 1} does not fit in int32"):
        TinyJit(lambda: (Tensor.arange(n) < 5).sum())()
    assert works(device)


@on(*COMPILED)
def test_what_was_computed_is_released_without_the_garbage_collector(device):
    """Else memory would wait for it, and a jit would take a state that only garbage knows for one that is shared."""
    q = leaf(1, 4, 128, 16).realize()
    gc.collect()
    gc.disable()
    try:
        y = (q.scaled_dot_product_attention(q, q, is_causal=True) @ leaf(16, 20)).softmax().sum(0)
        seen = [weakref.ref(node) for node in tiny.topological([y.node])
                if node is not q.node and q.node in tiny.topological([node])]           # others may have the constants
        y.realize()
        del y
        assert [node() for node in seen if node()] == []
    finally:
        gc.enable()


@on(*COMPILED)
def test_a_plan_keeps_no_memory_alive(device):
    """Neither that of its operands nor an arena that has become too small for another plan."""
    holders, arenas, Device[device].arena = [], [], None
    for rows in (1000, 3000):
        x = leaf(rows, 50)
        y = (x.cumsum(0).cumsum(0) @ leaf(50, 7)).realize()
        held = [x.node.buffer.data, y.node.buffer.data]
        arenas.append(Device[device].arena)
        del x, y
        gc.collect()
        holders += [sys.getrefcount(held[i]) for i in range(2)]
    assert arenas[0] is not arenas[1]
    holders.append(sys.getrefcount(arenas[0]))
    assert holders == [2] * len(holders)


SHORT = """
import resource; from tiny import *
x = Tensor.ones(5, device=DEVICE); (x * 2).realize()
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (150 << 20), -1))
kept = []
for n in range(100):
    try:
        kept.append((Tensor.arange(5_000_000, device=DEVICE) + n).contiguous().realize())
    except MemoryError as error:
        said = str(error)
        break
assert [k[-1].item() - n for n, k in enumerate(kept[:1])] == [4_999_999]
print(len(kept) < 10, "5000000" in said, (x * 2).tolist())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux: /proc/self/statm")
@on("C")
def test_when_memory_runs_out_the_rest_still_works(device):
    done = python(f"DEVICE = {device!r}\n" + SHORT, THREADS="2")
    assert done.stdout == "True True [2.0, 2.0, 2.0, 2.0, 2.0]\n", done.stdout + done.stderr


# Ctrl-C, at any line of tiny.py.
class Interrupt:
    """Run a function, and at the `at`-th line of tiny.py that it comes to interrupt the process, as Ctrl-C does."""

    def __init__(self, function, at=math.inf):
        self.lines, self.at, self.interrupted, usual = 0, at, False, sys.gettrace()
        sys.settrace(self.enter)
        try:
            function()
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            sys.settrace(usual)
        with ThreadPoolExecutor(1) as pool:                             # no lock is left behind
            assert pool.submit(tiny._lock.acquire, timeout=10).result()
            pool.submit(tiny._lock.release).result()

    def enter(self, frame, event, argument):
        # Not where an exception is only printed, nor in `with _lock`, of which the interpreter lets the end pass.
        code = frame.f_code
        return self.line if code.co_filename == tiny.__file__ and code.co_name not in ("__del__", "alone") else None

    def line(self, frame, event, argument):                             # of the frames that `enter` gives it to
        self.lines += event == "line"
        if self.lines > self.at:
            self.at = math.inf
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
        return self.line


class Training:
    """A model, its optimizer and one step of training, in a jit or not."""

    def __init__(self, jit):
        Tensor.manual_seed(3)
        self.w, self.b = [Tensor(random_numbers("w", *shape), "float32", requires_grad=True)
                          for shape in ((5, 4), (4,))]
        self.x, self.optimizer = Tensor(random_numbers("x", 6, 5), "float32"), nn.optim.AdamW([self.w, self.b])
        self.state = [self.w, self.b, self.optimizer.mass1, *self.optimizer.means, *self.optimizer.squares]
        self.captured, self.jit = TinyJit(self.forward), jit

    def forward(self):
        self.optimizer.zero_grad()
        x = self.x * Tensor.rand(6, 1) if self.jit else self.x          # in a jit the random state is assigned too
        loss = (x @ self.w + self.b).tanh().square().mean().backward()
        self.optimizer.step()
        return loss

    def step(self, times=1):
        for _ in range(times):
            self.captured() if self.jit else self.forward()
        return self

    def values(self):
        return np.concatenate([x.numpy().reshape(-1) for x in self.state])


def interrupt_training(jit, warm, times, rng):
    """Interrupt a step at random lines: it must be done or not done, as a whole, and the next step is what it would
    have been. Returns how often it was interrupted."""
    wanted = [Training(jit).step(warm + more).values() for more in range(3)]
    lines, count = Interrupt(Training(jit).step(warm).step).lines, 0
    for _ in range(times):
        training = Training(jit).step(warm)
        count += Interrupt(training.step, rng.integers(lines)).interrupted
        # The values of an eager step that was interrupted are computed by other kernels, which round otherwise.
        done = [np.allclose(training.values(), values, 1e-5, 1e-6) for values in wanted[:2]]
        assert sum(done) == 1, "a step was done in part"
        np.testing.assert_allclose(training.step().values(), wanted[done.index(True) + 1], 1e-5, 1e-6)
    return count


@on("C", "NUMPY")
@pytest.mark.parametrize("jit, warm", [(False, 1), (True, 0), (True, 2)], ids=["eager", "capture", "replay"])
def test_a_step_that_ctrl_c_interrupts_is_done_or_not_done(jit, warm, device, times=3):
    interrupt_training(jit, warm, times, np.random.default_rng(0))


def interrupt_realize(times, rng):
    """Interrupt the planning, compiling and running of a graph, and its gradients, at random lines."""
    def graph():
        x, w = Tensor(random_numbers("x", 9, 8), "float32"), Tensor(random_numbers("w", 8, 7), "float32")
        w.requires_grad = True
        return w, (x @ w).softmax().log().sum()

    def whole(w, y):
        with contextlib.suppress(AttributeError):
            Device[Device.DEFAULT].plans.clear()                        # as in a new process; NUMPY has none
        y.backward()
        Tensor.realize(y, w.grad)

    w, y = graph()
    lines, count, wanted = Interrupt(functools.partial(whole, w, y)).lines, 0, (y.numpy(), w.grad.numpy())
    for _ in range(times):
        w, y = graph()
        count += Interrupt(functools.partial(whole, w, y), rng.integers(lines)).interrupted
        w.grad = None
        y.backward()
        close(y, wanted[0])
        close(w.grad, wanted[1])
    return count


@on("C", "NUMPY")
def test_a_plan_or_a_run_that_ctrl_c_interrupts_leaves_nothing_wrong(device, times=3):
    interrupt_realize(times, np.random.default_rng(0))


def interrupt_save(folder, times, rng):
    """Interrupt saving over an older file at random lines."""
    old, new = [{"a": Tensor([n]), "b": Tensor(np.full(9, n))} for n in (1.0, 2.0)]
    path, count = folder / "x.safetensors", 0
    values = lambda tensors: {name: tensor.tolist() for name, tensor in tensors.items()}
    lines = Interrupt(lambda: nn.state.safe_save(new, path)).lines
    for _ in range(times):
        nn.state.safe_save(old, path)
        count += Interrupt(lambda: nn.state.safe_save(new, path), rng.integers(lines)).interrupted
        assert values(nn.state.safe_load(path)) in (values(old), values(new))
    return count


@on("C")
def test_a_save_that_ctrl_c_interrupts_leaves_a_whole_file(device, tmp_path, times=20):
    interrupt_save(tmp_path, times, np.random.default_rng(0))


@on("C")
def test_ctrl_c_stops_the_compiler_and_all_it_has_started(device, fresh, monkeypatch, tmp_path):
    compiler, children = tmp_path / "cc", tmp_path / "pids"
    compiler.write_text("#!/bin/sh\nsleep 1000 & echo $! > $PIDS; kill -2 $PARENT; sleep 1000\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PIDS", str(children))
    monkeypatch.setenv("PARENT", str(os.getpid()))
    with monkeypatch.context() as patch:
        patch.setattr(Device[device], "compiler", str(compiler))
        with pytest.raises(KeyboardInterrupt):
            works(device)
    assert is_over(children.read_text()) and not lefts(fresh) and works(device)


LONG = """
import os, signal, threading, time; from tiny import *
spin = kernel("spin", "for (idx i = begin; i < end; i++) { f32 y = x0[i]; for (idx j = 0; j < 100000000; j++) "
              "y = y * 0.5f + 1.0f; out0[i] = y; }")
y = spin(Tensor([1.0, 3.0], device="C"))
kernels(y)
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    y.realize()
    print("not interrupted")
except KeyboardInterrupt:
    print("interrupted", y.node.buffer, (y * 0 + 5).tolist(), y.tolist())
"""


def test_ctrl_c_in_a_long_kernel_ends_it_when_that_is_done():
    assert python(LONG, THREADS="2").stdout == "interrupted None [5.0, 5.0] [2.0, 2.0]\n"


# Forks and threads.
def in_threads(n, *functions, seconds=120):
    """Run the functions, each with the number of the thread, in n threads in turn; raises what one of them raises. The
    interpreter switches often, so that what is open to a race is seen racing."""
    usual, gate = sys.getswitchinterval(), threading.Barrier(n)

    def run(i):
        gate.wait(seconds)
        return functions[i % len(functions)](i)
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(n) as pool:
            return [done.result(seconds) for done in [pool.submit(run, i) for i in range(n)]]
    finally:
        sys.setswitchinterval(usual)


def descend(i, jit, device, steps):
    """Train a model of this thread's own, and compare each loss with NumPy's."""
    w, x = Tensor(np.ones((8, 8), np.float32), device=device, requires_grad=True), np.full((4, 8), 1 + i, np.float32)
    optimizer, want = nn.optim.SGD([w], lr=0.1), np.ones((8, 8), np.float32)

    def step(x):
        optimizer.zero_grad()
        loss = (x @ w).sum().backward()
        optimizer.step()
        return loss.realize()
    step = TinyJit(step) if jit else step
    for _ in range(steps):
        assert np.isclose(step(Tensor(x, device=device)).item(), (x @ want).sum(), 1e-3, 1e-2)
        want = want - 0.1 * x.T @ np.ones((4, 8), np.float32)


def graphs_and_gradients(i, device, steps):
    rng = np.random.default_rng(i)
    for step in range(steps):
        x = rng.standard_normal((20 + step % 3, 30)).astype(np.float32)
        t = Tensor(x, device=device, requires_grad=True)
        y = (t.exp() * t).sum(1) + step % 2
        y.sum().backward()
        close(y, (np.exp(x) * x).sum(1) + step % 2, 1e-3, 1e-3)
        close(t.grad, np.exp(x) * x + np.exp(x), 1e-3, 1e-3)


@on("C", "NUMPY")
@pytest.mark.parametrize("n", [8])
def test_threads_may_compute_at_once(n, device, steps=2):
    in_threads(n, lambda i: graphs_and_gradients(i, device, steps))
    in_threads(n, lambda i: descend(i, False, device, steps), lambda i: descend(i, True, device, steps))
    shared = [(Tensor(np.full((50, 60), k, np.float32)) * 3 + 1).sum(1) for k in range(3 * steps)]
    for values in in_threads(n, lambda i: [x.numpy() for x in shared]):
        assert all((value == 60 * (3 * k + 1)).all() for k, value in enumerate(values))
    drawn = in_threads(n, lambda i: [tuple(Tensor.rand(5).tolist()) for _ in range(steps)])
    assert len({numbers for numbers in itertools.chain(*drawn)}) == n * steps


def test_one_thread_may_train_what_others_read(device, steps=20):
    """All weights are equal after every step: a step that is seen in part would show. They begin at 10, so that they do
    not come near 0, where the roundings of 10 would be as large as they."""
    w, x = Tensor(np.full((64, 64), 10, np.float32), requires_grad=True), Tensor(np.ones((4, 64), np.float32))
    optimizer, infer = nn.optim.AdamW([w], lr=0.01), TinyJit(lambda x: x @ w)

    @TinyJit
    def step(x):
        optimizer.zero_grad()
        (x @ w).sum().backward()
        optimizer.step()

    def read(i):
        for _ in range(steps):
            for values in ((x @ w).numpy(), infer(x).numpy(), w.numpy()):
                assert np.ptp(values) <= 1e-5 * abs(values).max()
    in_threads(4, lambda i: [step(x) for _ in range(steps)] if i == 0 else read(i))
    assert w.numpy().max() < 9.9


def test_gradient_rules_of_one_thread_do_not_mark_the_nodes_of_another():
    begun, go = threading.Event(), threading.Event()

    class Waiting(Function):
        def forward(self, x):
            return x * 2

        def backward(self, g):
            begun.set()
            go.wait(20)
            return g * 2
    x = Tensor(1.0, device="NUMPY", requires_grad=True)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: Waiting.apply(x).gradient(x))
        assert begun.wait(20)
        line, number = (x + 3).node.line, inspect.currentframe().f_lineno
        go.set()
        done.result(60)
    assert line == (__file__, number, "forward")


def test_equal_nodes_that_two_threads_made_at_once_do_not_forget_each_other():
    """What the loser of the race made dies first; the other must still be found."""
    make = lambda: tiny.constant(0.1234, tiny.float32, (), "NUMPY")
    first = make()
    tiny.Node.known.pop(first.key)                                      # as if `second` had not been there yet
    second = make()
    assert first is not second
    del first
    gc.collect()
    assert make() is second
    key = second.key
    del second
    assert key not in tiny.Node.known


FORK = """
import multiprocessing, os, signal, sys, threading
from concurrent.futures import ProcessPoolExecutor
import numpy as np
from tiny import Tensor, nn

def product(seed):                                                      # by NumPy without BLAS, which has threads too
    x = np.random.default_rng(seed).standard_normal((60, 200)).astype("float32")
    got = ((Tensor(x) @ Tensor(x.T.copy())).relu().sum(0) * 2).numpy()
    want = np.maximum((x[:, None] * x).sum(2), 0).sum(0) * 2
    return np.allclose(got, want, 1e-3, 1e-2)

def fork(count):
    for seed in range(count):
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            try:
                os._exit(0 if all(product(seed) for _ in range(5)) else 3)
            except RuntimeError as error:
                os._exit(7 if "fork" in str(error) and "spawn" in str(error) else 4)
        assert product(seed)
        yield os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

if __name__ == "__main__":
    signal.alarm(100)
    sys.setswitchinterval(1e-4)
    assert all(product(seed) for seed in range(5))
    print(*set(fork(int(sys.argv[1]))))
    busy, stop = [], threading.Event()
    def work():
        while not stop.is_set():
            busy.append(product(len(busy)))
    thread = threading.Thread(target=work)
    thread.start()
    print(*set(fork(int(sys.argv[1]))))                                 # while a thread computes
    stop.set()
    thread.join()
    print(all(busy))
    for way in ["spawn"] + ["fork"] * (os.environ["DEVICE"] != "CL"):
        with ProcessPoolExecutor(2, multiprocessing.get_context(way)) as pool:
            print(way, all(pool.map(product, range(4))))
"""


@pytest.mark.parametrize("name", COMPILED)
def test_a_fork_computes_or_says_why_not(name, tmp_path, count=2):
    (tmp_path / "program.py").write_text(FORK)
    done = python(None, str(tmp_path / "program.py"), str(count), DEVICE=name, THREADS="3")
    codes = "7" if name == "CL" else "0"                                # OpenCL has threads that are not forked
    ways = "spawn True\n" + "fork True\n" * (name != "CL")
    assert done.stdout == f"{codes}\n{codes}\nTrue\n{ways}", done.stdout + done.stderr


EXIT = """
import atexit, sys, threading, time; from tiny import *
how, first, gate = sys.argv[1], [], threading.Barrier(4)
def compute(n):
    if sum((Tensor.arange(n) * 2).tolist()) != n * (n - 1): print("wrong")
def both(i):
    gate.wait()
    compute(5)                                                          # the first use of the device, by all at once
    first.append(i)
    n = 6
    while how == "daemon" or how == "thread" and n < 20 and time.sleep(0.05) is None:
        compute(n)
        n += how == "thread" and n < 9
        n += 1 if how == "thread" else 0
if how == "atexit": atexit.register(lambda: (compute(7), print("computed at exit")))
threads = [threading.Thread(target=both, args=(i,), daemon=how == "daemon") for i in range(3)]
for thread in threads: thread.start()
gate.wait()
while len(first) < 3: time.sleep(0.01)
print(len(first))
if how == "jit": TinyJit(lambda: sys.exit(3))()
sys.exit(3)
"""


@pytest.mark.parametrize("how, name", [("daemon", "C"), ("daemon", "CL"), ("thread", "C"), ("atexit", "CL"),
                                       ("jit", "NUMPY")])
def test_the_interpreter_may_exit_while_threads_compute(how, name):
    done = python(EXIT, how, DEVICE=name, THREADS="2")
    assert (done.returncode, done.stderr) == (3, ""), done.stderr
    assert done.stdout == "3\n" + "computed at exit\n" * (how == "atexit")


REIMPORT = """
import sys, importlib, numpy as np, tiny
def product(T):
    x = np.random.default_rng(0).standard_normal((200, 300)).astype("float32")
    assert np.allclose((T(x) @ T(x.T.copy())).relu().numpy(), np.maximum(x @ x.T, 0), 1e-3, 1e-2)
product(tiny.Tensor)
for i in range(3):
    old = tiny.Tensor
    del sys.modules["tiny"]
    import tiny
    assert tiny.Tensor is not old
    for T in old, tiny.Tensor, old: product(T)
print("done")
"""


def test_a_module_that_is_imported_again_computes_and_so_does_the_old_one():
    done = python(REIMPORT, DEVICE="C", THREADS="4")
    assert done.stdout == "done\n", done.stderr


def hostile(factor):
    """Interrupt, fork and compute in threads, again and again.

    It does what takes long N times as often as the suite, and prints a line on each; a finding raises.
    """
    rng, start, interrupts = np.random.default_rng(int(time.time())), time.time(), 0
    with tempfile.TemporaryDirectory(prefix="tiny-test-") as place:
        for round in range(factor):
            test_processes_may_compile_the_same_at_once(Path(place) / str(round), 10)
        print(f"10 processes compiled the same at once, into {factor} empty folders", flush=True)
        for name in DEVICES:
            Device.DEFAULT = name
            counts = [interrupt_training(*how, 20 * factor, rng) for how in ((False, 1), (True, 0), (True, 2))]
            counts += [interrupt_realize(20 * factor, rng), interrupt_save(Path(place), 20 * factor, rng)]
            interrupts += sum(counts)
            print(f"{name}: interrupted {sum(counts)} times", flush=True)
            for n in (2, 8):
                test_threads_may_compute_at_once(n, name, 10 * factor)
            test_one_thread_may_train_what_others_read(name, 40 * factor)
            print(f"{name}: 2 and 8 threads computed", flush=True)
            (Path(place) / name).mkdir()
            test_a_fork_computes_or_says_why_not(name, Path(place) / name, 10 * factor)
            print(f"{name}: forked {20 * factor} times", flush=True)
            for how in ("daemon", "thread", "atexit", "jit"):
                test_the_interpreter_may_exit_while_threads_compute(how, name)
    print(f"10 processes in {factor} empty caches, {interrupts} interrupts, {20 * factor * len(DEVICES)} forks, "
          f"2 and 8 threads: nothing hung, crashed or was wrong, in {time.time() - start:.0f} s")


# ---------------------------------------------------------------------------------------------------------------------
# Looking while it runs: DEBUG, profile, graph
# ---------------------------------------------------------------------------------------------------------------------
def product_and_sum():
    """Two realized leaves, and a sum that takes several kernels; the number of the line that makes its graph."""
    a, b = leaf(96, 64), leaf(64, 96)
    return a, b, ((a @ b).exp() * 2.0).sum(0), sys._getframe().f_lineno


def test_a_graph_shows_each_node_once_with_its_line(device):
    x = leaf(3, 4)
    y = x.exp()
    line = f"test_tiny.py:{sys._getframe().f_lineno + 1}"
    z = (y + y.sum(1, keepdim=True)) / y
    lines = z.graph().splitlines()
    assert lines[0] == f"1 div float32[3, 4]  {line}" and lines[1].startswith("├─ 2 add float32[3, 4]")
    assert sum(" exp float32[3, 4]" in text for text in lines) == 1 and lines[-1] == "└─ see 3", z.graph()
    assert f"│     6 sum(1) float32[3, 1]  {line}" in lines and sum("buffer float32" in text for text in lines) == 1
    assert re.sub(r"  \S+$", "", (1 - x).graph().splitlines()[0]) == "1 add(1.0, ·) float32[3, 4]"
    assert z.node.buffer is None and re.fullmatch(r"1 buffer float32\[3, 4\]  \S+", z.realize().graph())


def test_a_graph_may_be_deep(device):
    x = leaf(3).realize()
    for _ in range(3000):
        x = x.exp()
    assert x.graph().count("exp float32[3]") == 3000


def test_a_graph_marks_where_kernels_begin(device, monkeypatch):
    _, _, total, _ = product_and_sum()
    plain, names = total.graph(), [kernel.name for kernel in (tiny.kernels(total) if device != "NUMPY" else ())]
    lines = total.graph(kernels=True).splitlines()
    marks = [text.strip("│ ═") for text in lines if "══" in text]
    assert sorted(marks) == [f"kernel {i}: {name}" for i, name in enumerate(names, 1)]
    assert "\n".join(text for text in lines if "══" not in text) == plain
    assert device == "NUMPY" or lines[0] == f"══ kernel {len(names)}: {names[-1]} ══" and len(names) > 1
    monkeypatch.setenv("DEBUG", "3")
    assert total.graph() == "\n".join(lines) and total.graph(kernels=False) == plain


def test_a_notebook_shows_any_tensor_and_computes_nothing(device, monkeypatch):
    @TinyJit
    def step(x):
        shown.extend([x._repr_html_(), (x * 2 < 3)._repr_html_()])
        return x + 1

    _, _, total, _ = product_and_sum()
    half, computed, shown = Tensor([0.5]).cast("bfloat16"), leaf(2, 3).realize(), []
    tensors = [total, half, computed, computed.T, Tensor.zeros(0, 3), Tensor.ones(2), Tensor.arange(3) < 2, total > 3,
               Tensor.rand(4), Tensor(5), (leaf(3) + 1).exp()]
    step(computed)
    monkeypatch.setattr(type(Device[device]), "run", lambda *arguments: pytest.fail("something was computed"))
    shown += [x._repr_html_() for x in tensors]
    for text in shown:
        assert re.fullmatch("(<details( open)?><summary><code>[^<]+</code></summary><pre>[^<]+</pre></details>)+", text)
    assert total.node.buffer is None and html.escape(total.graph(kernels=True)) in shown[2]
    assert html.escape(repr(computed)) in shown[4]
    for kernel in tiny.kernels(total) if device != "NUMPY" else ():
        assert html.escape(kernel.source) in shown[2] and kernel.name in shown[2]


@on(*COMPILED)
def test_a_profile_has_every_kernel_in_order(device):
    a, b, total, line = product_and_sum()
    kernels, want = tiny.kernels(total), (np.exp(a.numpy().astype(float) @ b.numpy()) * 2).sum(0)
    with tiny.profile() as p:
        total.realize()
        (a + b.T).realize()
    (a - b.T).realize()                                                 # nobody looks any more
    close(total, want, 1e-4)
    assert [kernel for kernel, _ in p.records][:-1] == kernels and p.records[-1][0].name == "add_96x64"
    assert all(0 < seconds < 10 for _, seconds in p.records)
    head, *rows, last = p.table().splitlines()
    assert head.split() == ["ms", "share", "runs", "GFLOP", "MB", "GFLOP/s", "GB/s"] and p.table() == str(p)
    assert any(f"test_tiny.py:{line}" in row or f",{line}" in row for row in rows)
    assert all(any(kernel.name in row for row in rows) for kernel in kernels)
    ms, share, runs, gflop, mb, *_, name = last.split(maxsplit=7)
    assert (share, int(runs), name) == ("100.0%", len(p.records), "in all")
    close(float(ms), sum(seconds for _, seconds in p.records) * 1e3, 0.01, 1e-3)
    close(float(mb), sum(kernel.bytes for kernel, _ in p.records) / 1e6, 0.01, 0.01)
    close(float(gflop), sum(kernel.flops for kernel, _ in p.records) / 1e9, 0.01, 1e-3)


@on(*COMPILED)
def test_profiles_nest_and_end_with_their_block(device):
    x = leaf(5).realize()
    with tiny.profile() as outer:
        (x + 1).realize()
        with pytest.raises(KeyError), tiny.profile() as inner:
            (x + 2).realize()
            raise KeyError
        with pytest.raises(RuntimeError, match="profile"), outer:
            pass
        (x + 3).realize()
    (x + 4).realize()
    assert (len(outer.records), len(inner.records), tiny.Profile.active) == (3, 1, [])


@on("NUMPY")
def test_a_profile_on_numpy_says_that_there_are_no_kernels(device):
    with tiny.profile() as p:
        leaf(5).exp().realize()
    assert p.records == [] and "no kernels were run" in str(p)


@on(*COMPILED)
def test_a_profile_of_a_training_step_adds_up_to_the_wall_clock(optimized, device, monkeypatch):
    """And changes none of its numbers. The best of some steps: other processes may come between two clocks."""
    def losses(profiled):
        Tensor.manual_seed(0)
        config = gpt.GPTConfig(vocab_size=50, block_size=64, n_layer=1, n_head=4, n_embd=64)
        _, step = gpt.training_step(gpt.GPT(config), lr=1e-3)
        tokens = Tensor(np.arange(8 * 64, dtype=np.int32).reshape(8, 64) % 50)
        found = []
        for i in range(8):
            walls.clear()
            with tiny.profile() if profiled else contextlib.nullcontext() as p:
                found.append(step(tokens, tokens).item())
            if p and i > 1:                                             # after what is done once
                agreement.append(sum(seconds for _, seconds in p.records) / sum(walls))
                assert len(p.records) > 30 and len({id(kernel) for kernel, _ in p.records}) == len(p.records)
        return found

    def timed(*arguments):
        start = time.perf_counter()
        run(*arguments)
        walls.append(time.perf_counter() - start)

    run, walls, agreement = Device[device].run, [], []
    monkeypatch.setattr(Device[device], "run", timed)
    assert losses(True) == losses(False)
    assert 0.9 < max(agreement) and all(ratio < 1.001 for ratio in agreement), agreement


def test_debug_tells_of_plans_runs_graphs_and_sources(device, monkeypatch, capsys):
    def told(level):
        monkeypatch.setenv("DEBUG", level)
        Device[device].plans.clear() if device != "NUMPY" else None     # as in a new process
        capsys.readouterr()
        x, y, total, line = product_and_sum()
        capsys.readouterr()
        kernels = tiny.kernels(total) if device != "NUMPY" else total.graph(kernels=True) and []
        planned = capsys.readouterr().err
        total.realize()
        return planned, capsys.readouterr().err, kernels, line

    monkeypatch.setattr(tiny, "peak", lambda device: (200.0, 20.0))
    for level in ("", "0", "express:*"):
        assert told(level)[:2] == ("", "")
    planned, ran, kernels, _ = told("1")
    if device == "NUMPY":
        assert re.fullmatch(r"NUMPY: no kernels, \d+ nodes are computed one by one\n", planned) and planned == ran
        assert "1 reshape float32[96]" in told("3")[0] and "═" not in told("4")[0]
        return
    assert ran == "" and re.fullmatch(rf"{device}: kernels: {len(kernels)}, between them [1-9][\d,]+ bytes; (planned|"
                                      r"read from disk) in [\d.]+ ms, compiled in [\d.]+ ms\n", planned), planned
    planned, ran, kernels, line = told("2")
    rows = ran.splitlines()
    assert planned.count("\n") == 1 and [row.split()[0] for row in rows] == [kernel.name for kernel in kernels]
    for row, kernel in zip(rows, kernels):
        fits = re.fullmatch(r"\S+ +([\d.]+) µs +([\d.]+) GFLOP/s +([\d.]+) GB/s +(\d+)% of peak (\S+) +(.+)", row)
        micro, gflops, rate, share = map(float, fits.groups()[:4])
        off = 0.06 / micro                                              # as the time has one decimal
        assert abs(gflops - kernel.flops / micro / 1e3) < 0.06 + off * gflops
        assert abs(rate - kernel.bytes / micro / 1e3) < 0.06 + off * rate
        assert abs(share - 100 * max(gflops / 200, rate / 20)) < 1.5 and "test_tiny.py:" in fits[6]
    assert any(str(line) in row for row in rows)
    planned, _, _, _ = told("3")
    assert f"══ kernel {len(kernels)}: {kernels[-1].name} ══\n1 " in planned and "task" not in planned
    planned = told("4")[0]
    assert all(kernel.source in planned for kernel in kernels)


@on(*COMPILED)
def test_debug_sees_the_replays_of_a_jit(device, monkeypatch, capsys):
    monkeypatch.setattr(tiny, "peak", lambda device: (200.0, 20.0))
    triple, x = TinyJit(lambda x: x * 3), leaf(7, 9).realize()
    triple(x)
    capsys.readouterr()
    monkeypatch.setenv("DEBUG", "2")
    close(triple(x), 3 * x.numpy())
    assert capsys.readouterr().err.count("mul_7x9 ") == 1


@on(*COMPILED)
def test_the_peak_of_a_machine_is_plausible_and_changes_no_numbers(optimized, device):
    """Between a billion and a quadrillion: what any computer does."""
    total = product_and_sum()[2]
    want = total.numpy()
    assert all(1 < rate < 1e6 for rate in tiny.peak(Device[device])) and tiny.peak(Device[device]) is \
        tiny.peak(Device[device])
    same(product_and_sum()[2], want)


# ---------------------------------------------------------------------------------------------------------------------
# README.md: all of its Python is run, the blocks of a section as one program. The block of text or C after a block of
# Python is what that prints, where `...` stands for anything; without one it prints nothing. An error is printed as the
# last line of a traceback is. A section that says DEVICE=C, or makes a GPT, is run on that device alone.
# ---------------------------------------------------------------------------------------------------------------------
README = (HERE / "README.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^##+ (.+)\n", README, flags=re.M)[1:]             # heading, text, heading, text, ...
SECTIONS = {heading: text for heading, text in zip(SECTIONS[::2], SECTIONS[1::2]) if "```python" in text}


@pytest.fixture
def untouched(device, monkeypatch):
    """Nodes and plans as in a new process; what a program adds to tables and environment is taken out again."""
    monkeypatch.setattr(tiny.Node, "known", {})
    monkeypatch.setattr(Device[device], "plans", {}, raising=False)
    before = [(table, set(table)) for table in (tiny.ELEMENTWISE, tiny.ONLY_FLOAT, Device, Device.makers)]
    methods, environment = set(vars(Tensor)), dict(os.environ)
    if device == "C":
        monkeypatch.setattr(Device["C"], "lanes", 16)                   # what the README shows
    yield
    os.environ.clear()
    os.environ.update(environment)
    for table, names in before:
        for name in set(table) - names:
            table.remove(name) if isinstance(table, set) else table.pop(name)
    for name in set(vars(Tensor)) - methods:
        delattr(Tensor, name)


@pytest.mark.parametrize("device, heading", indirect=["device"], argvalues=[
    (device, heading) for heading, text in SECTIONS.items() for device in DEVICES
    if device == "C" or not re.search("DEVICE=C|import GPT", text)])
def test_the_readme_prints_what_it_says(heading, device, untouched):
    found = re.findall(r"^```(python|text|c)\n(.*?)^```$", SECTIONS[heading], re.M | re.S)
    names = {"__name__": "__main__"}
    for (kind, code), (next_kind, text) in itertools.pairwise([("text", ""), *found, ("python", "")]):
        assert "python" in (kind, next_kind), f"README.md shows what no program prints:\n{text}"
        if kind != "python":
            continue
        # Lines of dots may stand for no line at all: which kernel takes longest is chance on a busy machine.
        wanted = re.sub(r"^ *\.\.\.\n(?=\.\.\.)|^ +(?=\.\.\.$)", "", text if next_kind != "python" else "", flags=re.M)
        out = io.StringIO()
        linecache.cache["tour.py"] = len(code), None, code.splitlines(), "tour.py"
        with contextlib.redirect_stdout(out):
            try:
                exec(compile(code, "tour.py", "exec"), names)
            except Exception as error:
                print(f"{type(error).__name__}: {error}")
        printed = re.sub(r"\n+$", "\n", out.getvalue())
        if not doctest.OutputChecker().check_output(wanted, printed, doctest.ELLIPSIS):
            line = README[:README.index(code)].count("\n") + 1
            pytest.fail(f"README.md, line {line}: this should print\n{wanted}\nand prints\n{printed}", pytrace=False)


# ---------------------------------------------------------------------------------------------------------------------
# The benchmark
# ---------------------------------------------------------------------------------------------------------------------
def test_bench_divides_rates_and_leaves_out_what_is_not_installed(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError('there is no torch')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    work = Work("product", "operation", ("NT", False, (48, 32), (64, 32)), (2 * 48 * 32 * 64,) * 2)
    lines = [*table(Part([work], ("tiny", "NumPy", "PyTorch"), "GFLOP/s"), 0.01, 1)]
    assert "- PyTorch: left out: there is no torch" in lines
    assert lines[-3] == "| GFLOP/s | tiny | NumPy | tiny / NumPy |"
    name, ours, theirs, ratio = lines[-1].strip("| ").split(" | ")
    assert name == "product" and 0 < float(ours) < 1e5
    close(float(ratio), float(ours) / float(theirs), 0.02)


def test_bench_says_what_failed():
    lines = [*table(Part([Work("nothing", "operation", ("nothing", False, (2,)))], ("tiny", "NumPy")), 0.01, 2)]
    assert lines[-1].startswith("| nothing | KeyError: 'nothing' |"), lines


@on("C")
@pytest.mark.parametrize("library, engine", [("torch", Torch), ("optax", JAX), ("tinygrad", Tinygrad)])
def test_bench_trains_the_same_model_everywhere(library, engine, device):
    pytest.importorskip(library)
    shape = GPTShape(layers=2, heads=2, width=32, context=16, batch=3, vocab=29)
    ours, theirs = Tiny().step(*shape), engine().step(*shape)
    close([ours() for _ in range(5)], [theirs() for _ in range(5)], 1e-4)


@pytest.fixture
def made(device, monkeypatch, tmp_path):
    """A new cache folder, and a list that grows by each plan that is made rather than read from there."""
    plans, make = [], tiny.Plan.__init__
    monkeypatch.setenv("TINY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tiny.Plan, "__init__", lambda plan, *arguments: plans.append(plan) or make(plan, *arguments))
    Device[device].plans.clear()                                        # as in a new process
    return plans


def kernels_and_values(device):
    """What is computed for a graph of several kernels, one a copy, with nothing remembered but what is on disk."""
    Device[device].plans.clear()
    x, w = leaf(64, 48), leaf(40, 48)
    loss = (x @ w.T).softmax().log().mean()
    tensors = [loss, *loss.gradient(x, w)]
    kernels = [(kernel.name, kernel.source, kernel.flops, kernel.bytes, kernel.is_copy, kernel.inputs, kernel.outputs)
               for kernel in tiny.kernels(*tensors)]
    Tensor.realize(*tensors)
    return kernels, [x.tolist() for x in tensors]


@on(*COMPILED)
def test_a_plan_from_disk_is_the_one_that_was_made(device, made, tmp_path):
    first, kept = kernels_and_values(device), lambda: [path.name for path in (tmp_path / "cache").glob("*.plan")]
    plan, = kept()
    assert len(first[0]) > 2 and len(made) == 1
    again = kernels_and_values(device) == first
    assert (again, kept(), len(made)) == (True, [plan], 1)


@on("C")
@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"",
                                    lambda data: data[:99] + b"?" + data[100:],
                                    lambda data: zlib.compress(b'["another", {}]'), lambda data: zlib.compress(b"7")])
def test_a_damaged_plan_is_made_anew(device, made, damage, tmp_path):
    first = kernels_and_values(device)
    path, = (tmp_path / "cache").glob("*.plan")
    path.write_bytes(damage(path.read_bytes()))
    assert kernels_and_values(device) == first and len(made) == 2
    assert kernels_and_values(device) == first and len(made) == 2       # and is whole again


@on("C")
def test_another_graph_is_another_plan(device, made):
    programs = [lambda x, y: x + y, lambda x, y: x + x, lambda x, y: x + 1.5, lambda x, y: x + 2.5, lambda x, y: x - y,
                lambda x, y: x[:, :2] + y[:, :2], lambda x, y: x[:, 1:] + y[:, 1:], lambda x, y: x.sum(0) + y.sum(0),
                lambda x, y: x.sum(1) + y.sum(1), lambda x, y: x.T @ y, lambda x, y: x @ y.T]
    for plans in (len(programs), len(programs)):                        # made, then read
        for program in programs:
            x, y = leaf(2, 3), leaf(2, 3) * 3
            Tensor.realize(x, y)
            Device[device].plans.clear()
            close(program(x, y), program(x.numpy(), y.numpy()))
        assert len(made) == plans + 1                                   # and that of y


@on("C")
def test_other_outputs_or_dtypes_are_another_plan(device, made):
    for dtype, both in itertools.product((dtypes.float16, dtypes.float64), (False, True)):
        x = leaf(5).realize()
        Device[device].plans.clear()
        y = x.cast(dtype)
        Tensor.realize(z := y + 1, *[y] * both)
        assert (y.node.buffer is not None) == both
        for got, more in [(z, 1), (y, 0)][:1 + both]:
            close(got.numpy().astype(float), x.numpy() + more, 1e-2)
    assert len(made) == 4


@on("C")
def test_another_length_of_vectors_or_text_of_an_operation_is_another_plan(device, made, monkeypatch):
    """A folder of plans may be shared by machines; and a program may have its own operations."""
    rows = [tiny.Primitive(np.sin, text) for text in ("sin_{t}({0})", "{0} + {0}")]
    for plans in (4, 4):                                                # made, then read
        for row, lanes in itertools.product(rows, (4, 8)):
            monkeypatch.setitem(tiny.ELEMENTWISE, "sin", row)
            monkeypatch.setattr(Device[device], "lanes", lanes)
            Device[device].plans.clear()
            x = leaf(64)
            close(x.sin(), np.sin(x.numpy()) if row is rows[0] else 2 * x.numpy())
        assert len(made) == plans


@on(*COMPILED)
def test_another_hand_written_text_or_no_fusion_is_another_plan(device, made, monkeypatch):
    texts = ["x0[i] + 1", "x0[i] + 2"]
    for plans in (4, 4):                                                # made, then read
        for text, fuse in itertools.product(texts, "10"):
            monkeypatch.setenv("FUSE", fuse)
            mine = tiny.kernel("mine", f"for (idx i = begin; i < end; i++) out0[i] = {text};")
            close(mine(leaf(3) * 2 * 3), leaf(3).numpy() * 6 + int(text[-1]))
            Device[device].plans.clear()
        assert len(made) == plans


@on("C")
def test_the_lines_a_kernel_names_are_those_of_today(device, made):
    def source(x):
        Device[device].plans.clear()
        return tiny.kernels(x)[0].source

    texts = []
    texts.append(source(leaf(7).exp()))
    texts.append(source(leaf(7).exp()))
    line, later = [re.search(r"test_tiny.py:(\d+)  texts.append", text)[1] for text in texts]
    assert len(made) == 1 and int(later) == int(line) + 1 and texts[0].replace(line, later) == texts[1]


@on(*COMPILED)
def test_a_jit_from_disk_does_what_it_did(device, made):
    def losses():
        Device[device].plans.clear()
        Tensor.manual_seed(3)
        w, x = Tensor.randn(5, 4, requires_grad=True), leaf(3, 5)
        optimizer = nn.optim.Adam([w], lr=0.1)

        @TinyJit
        def step(x):
            optimizer.zero_grad()
            loss = (x @ w).square().mean().backward()
            optimizer.step()
            return loss.realize()
        return [step(x).item() for _ in range(4)]
    first, plans = losses(), len(made)
    assert losses() == first and len(made) == plans > 1


@on("CL")
def test_opencl_does_without_a_cache_folder(device, made, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TINY_CACHE", str(tmp_path / "file" / "cache"))
    close(leaf(3) * 2, leaf(3).numpy() * 2)


def tuned_products(device):
    """A product with something to do before and after it, one whose rows may go in blocks, and a sum of rows."""
    Device[device].plans.clear()
    x, w, v, b = leaf(23, 37), leaf(37, 75), leaf(135, 23), leaf(75)
    y = ((x * 2) @ w + b * b).gelu()
    return [z.numpy().tobytes() for z in (y, v @ y, x.sum(1))]


@pytest.fixture
def measured(device, made, monkeypatch):
    """TUNE=1, and a list that grows by the milliseconds of each kernel whose tiles are measured."""
    times, measure = [], Device[device].measure
    monkeypatch.setenv("TUNE", "1")
    monkeypatch.setattr(Device[device], "measure", lambda *arguments: times.append(measure(*arguments)) or times[-1])
    return times


@on("C")                                                                # CL, which compiles slowly, in the next test
def test_no_tile_changes_a_bit(optimized, device, made, monkeypatch, tmp_path):
    """The times that are measured are put aside, so that each tile wins once."""
    usual, measure, layouts, turn = tuned_products(device), Device[device].measure, {}, 0
    cache = tmp_path / "cache"

    def winner(variants, elements):
        key = next(iter(variants.values())).key
        if key not in layouts:
            layouts[key] = list(measure(variants, elements))
        return {layout: abs(i - turn % len(layouts[key])) + 1 for i, layout in enumerate(layouts[key])}
    monkeypatch.setattr(Device[device], "measure", winner)
    monkeypatch.setenv("TUNE", "1")
    for turn in range(31):                                              # the usual tile, and 10 in each kind of block
        for path in (*cache.glob("*.plan"), *cache.glob("*.tile")):     # what was compiled may stay
            path.unlink()
        assert tuned_products(device) == usual
    assert 12 < max(map(len, layouts.values())) <= 31


@on("C")
def test_the_quickest_tile_is_kept(device, measured, made, tmp_path, monkeypatch):
    first, kernels, plans = tuned_products(device), len(measured), len(made)
    assert kernels >= 3 and all(milliseconds > 0 for times in measured for milliseconds in times.values())
    assert tuned_products(device) == first and len(measured) == kernels and len(made) == plans
    for path in (tmp_path / "cache").glob("*.plan"):
        path.unlink()
    assert tuned_products(device) == first and len(measured) == kernels and len(made) == 2 * plans
    monkeypatch.setenv("TUNE", "0")                                     # without it the usual tiles
    assert tuned_products(device) == first and len(measured) == kernels and len(made) == 3 * plans
    monkeypatch.setenv("TUNE", "1")
    monkeypatch.setenv("THREADS", str(tiny.cores() + 1))                # there another may be the quickest
    tuned_products(device)
    assert len(measured) == 2 * kernels


@on("C")
@pytest.mark.parametrize("damage", [b"", b"{", b"7", b"{}", b'{"best": "8 rows"}', b'{"best": []}', b"\xff"])
def test_a_damaged_winner_is_measured_anew(damage, device, measured, tmp_path):
    def product():
        Device[device].plans.clear()
        return (leaf(8, 5) @ leaf(5, 16)).tolist()
    first = product()
    path, = (tmp_path / "cache").glob("*.tile")
    for plan in (tmp_path / "cache").glob("*.plan"):
        plan.unlink()
    path.write_bytes(damage)
    assert product() == first and len(measured) == 2
    assert json.loads(path.read_bytes())["best"] in measured[1]


@on(*COMPILED)
def test_what_gives_other_bits_cannot_win(optimized, device):
    x = leaf(4, 5)
    (double,), (triple,) = tiny.kernels(x * 2), tiny.kernels(x * 3)
    times = Device[device].measure({"double": double, "triple": triple, "again": double}, lambda node: 20)
    assert list(times) == ["double", "again"]


@on(*COMPILED)
def test_a_kernel_tells_its_loops(device):
    kernel, = counted(leaf(96, 64) @ leaf(64, 48))
    assert re.search(r"// tasks: i0 by 8.*; tile: 8 rows of i0 x \d vectors of \d+ along i1", kernel.source)


# ---------------------------------------------------------------------------------------------------------------------
# Aliasing
#
# Nothing that has a name may change when something else is assigned: not a view, a copy, an array handed out, an input
# or an output of a jit. Random programs of assignments, in-place operators, views and calls of jitted functions run on
# Tensors and on a model of them that copies everything.
# ---------------------------------------------------------------------------------------------------------------------
class Copied:
    """A Tensor as it would be, if every result were a copy and jit did nothing."""

    def __init__(self, value):
        self.value = np.array(value)

    def assign(self, other):
        self.value = other.value.copy()
        return self

    def __getitem__(self, key):
        return Copied(self.value[key])

    def __setitem__(self, key, other):
        self.value[key] = other.value.copy()

    def __add__(self, other):
        return Copied(self.value + other.value)

    def __sub__(self, other):
        return Copied(self.value - other.value)

    def __iadd__(self, other):
        return self.assign(self + other)

    def __isub__(self, other):
        return self.assign(self - other)

    def flip(self, axis):
        return Copied(np.flip(self.value, axis))

    def transpose(self):
        return Copied(self.value.T)

    def roll(self, shift, axis):
        return Copied(np.roll(self.value, shift, axis))

    def contiguous(self):
        return Copied(self.value)

    def detach(self):
        return Copied(self.value)

    def realize(self):
        return self

    def numpy(self):
        return self.value.copy()


def shared_functions(a, b):
    """Functions to be jitted, which share the states `a` and `b` and do with their arguments what is hard to replay."""
    earlier = a.transpose() - b                                         # at which nobody has looked yet

    def accumulate(x, y):
        a.assign(a + x - y)
        return a + y + earlier

    def swap(x, y):
        old = a.flip(0)
        a.assign(b)
        b.assign(old)
        return [x, old + y]                                             # an output that is an input

    def change_arguments(x, y):
        x.assign(x.flip(0) + y)
        return x, y, x + y

    def in_place(x, y):
        before = x + b
        x += y
        y -= x
        return {"before": before, "x": x, "state": a}

    def shift(x, y):
        b[1:] = b[:-1]
        return b.roll(1, 1), x.transpose(), y

    def look(x, y):
        return a + b + x - y + earlier.flip(0)
    return [accumulate, swap, change_arguments, in_place, shift, look]


VIEWS = ["{}", "{}.flip(0)", "{}.flip((0, 1))", "{}.transpose()", "{}.roll(1, 0)", "{}.roll(-1, 1).flip(1)", "{} + {}",
         "{}.flip(1) - {}", "{}.transpose() + {}.roll(1, 0)", "{}.contiguous()", "{}.detach()"]
CHANGES = ["{}.assign({view})", "{} += {other}", "{} -= {other}", "{}[1:] = {other}[:-1]",
           "{}[:, 1:] = {other}[:, :-1]", "{}[::2] = {other}[1:].flip(0)"]


def aliasing_program(draw):
    """Lines of Python that change the variables v[0], v[1], ..., of which two are states of the functions f[...]."""
    lines, count = [], 4
    for _ in range(draw(st.integers(3, 14))):
        v = lambda: f"v[{draw(st.integers(0, count - 1))}]"
        kind = draw(st.sampled_from(["view", "change", "change", "jit", "jit", "jit", "realize", "look", "source"]))
        view = draw(st.sampled_from(VIEWS)).format(v(), v())
        if kind == "view":
            lines.append(f"v.append({view})")
            count += 1
        elif kind == "change":
            lines.append(draw(st.sampled_from(CHANGES)).format(v(), view=view, other=v()))
        elif kind == "jit":
            lines.append(f"call({draw(st.integers(0, 5))}, {v()}, {v()})")
            count += 1
        elif kind == "source":
            lines.append(f"arrays[{draw(st.integers(0, 3))}][...] = 7")
        else:
            lines.append(f"{v()}.realize()" if kind == "realize" else f"handed.append(({v()}).numpy())")
    return lines


def run_aliasing(lines, make, jitted):
    """What all variables hold in the end, and all arrays that were handed out on the way, as they were and are."""
    arrays = [np.arange(9, dtype=np.int32).reshape(3, 3) * 10 ** i for i in range(4)]
    v, handed, copies = [make(array) for array in arrays], [], []
    f = [jitted(function) for function in shared_functions(v[0], v[1])]

    def call(number, x, y):
        result = f[number](x, y)
        results = list(result.values()) if isinstance(result, dict) else result if isinstance(result, (list, tuple)) \
            else [result]
        handed.extend(part.numpy() for part in results)
        v.append(results[-1].detach())                                  # what jit returns is always another Tensor
    for line in lines:
        exec(line, {"v": v, "handed": handed, "call": call, "arrays": arrays})
        copies += [array.copy() for array in handed[len(copies):]]
    return [x.numpy() for x in v], handed, copies


def what_changes_nothing(x):
    """By the text of each: the results of operations that have nothing to do on `x`."""
    texts = ["contiguous()", "bitcast(x.dtype)", "cast(x.dtype)", "dropout()", "clip()", "trunc()", "ceil()", "floor()",
              "round()", "abs()", "reshape(x.shape)", "flip(())", "pad([None])", "roll(0, 0)", "sum(())"]
    results = {text: eval(f"x.{text}", {"x": x}) for text in texts}
    return {**results, "x ** 1": x ** 1, "x[:]": x[:], "x.detach()": x.detach()}


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8"])
def test_a_result_is_another_tensor_even_where_there_is_nothing_to_do(dtype, device):
    x = Tensor(np.array([1, 2, 3], dtype)).realize()
    results = what_changes_nothing(x)
    x += 1
    for text, result in results.items():
        assert result.tolist() == [1, 2, 3], text
    assert x.tolist() == [2, 3, 4]


def test_jit_sees_that_two_arguments_are_one_tensor_that_it_assigns(device):
    def both(x, y):
        x += 1
        return (x + y).realize()
    jitted = TinyJit(both)
    for i in range(3):
        a, b = Tensor([float(i)]), Tensor([10.0])
        assert (jitted(a, b).item(), jitted(a, a).item(), a.item()) == (11 + i, 2 * i + 4, i + 2)
        assert (jitted(b, a).item(), jitted(b, b).item()) == (13 + i, 24)


@pytest.mark.parametrize("known", ["assigned by the function", "read by the function", "assigned elsewhere"])
def test_jit_sees_that_an_argument_is_a_tensor_that_it_knows(known, device):
    state, other = Tensor([1.0]), Tensor([5.0])

    def assigns_state(x):
        state.assign(state + 1)
        return (state * 10 + x).realize()

    def assigns_argument(x):
        x.assign(x + 1)
        return (state * 10 + x).realize()
    if known == "assigned elsewhere":
        state.assign(state * 1).realize()
    jitted, n = TinyJit(assigns_state if known == "assigned by the function" else assigns_argument), 1
    for i in range(3):
        jitted(other)
        n += known == "assigned by the function"
        assert jitted(state).item() == 11 * (n + 1), i
        n += 1
        assert state.item() == n


def test_jit_may_swap_its_states(device):
    """One kernel stores both, but neither over what the other still has to be computed from."""
    a, b = Tensor([1.0, 2.0, 3.0]), Tensor([10.0, 20.0, 30.0])

    def swap():
        old = a.flip(0)
        a.assign(b + 0)
        b.assign(old)
    jitted = TinyJit(swap)
    for _ in range(2):
        jitted()
    assert (a.tolist(), b.tolist()) == ([3, 2, 1], [30, 20, 10])


def test_a_jit_sees_what_another_does_to_an_argument(device):
    table, one = Tensor([1.0]), Tensor([1.0])
    reads, adds = TinyJit(lambda x: (x + table).realize()), TinyJit(lambda x: x.assign(x + 1).realize())
    for n in range(1, 4):
        assert reads(one).item() == n + 1
        assert adds(table).item() == n + 1


def reads_what_is_older(jit):
    """A view, a product and a gradient's target that were made before the call, and not looked at."""
    w, x = Tensor([1.0, 2.0], requires_grad=True), Tensor([1.0, 1.0])
    start, product, optimizer = w.detach(), w * 5, nn.optim.SGD([w], lr=0.125)

    @jit
    def step(x):
        optimizer.zero_grad()
        loss = ((w * x).sum() + (w - start).square().sum() + product.detach().sum()).backward()
        optimizer.step()
        return loss
    return [step(x).item() for _ in range(4)] + [start.tolist(), product.tolist()]


def reads_a_parameter_that_is_assigned_between(jit):
    w, plain = Tensor([2.0], requires_grad=True), Tensor([3.0])
    older, known, plain_known, results = w * 5, (w * 2).realize(), (plain * 2).realize(), []
    read = jit(lambda x: older + w * 2 + plain * 2 + x)                 # of which two are known by chance
    for i in range(3):
        results.append(read(Tensor([float(i)])).item())
        w.assign(w.detach() + 1)
        plain.assign(plain * 3)
    return results, known.tolist(), plain_known.tolist()


def reads_a_view_of_a_state(jit):
    state = Tensor([1.0, 2.0, 3.0]).realize()
    view = state[0:2]

    @jit
    def add():
        state.assign(state + 1)
        return (view.sum() + state.sum()).realize()
    return [add().item() for _ in range(3)], view.tolist()


def returns_what_is_older(jit):
    """States and gradients that were not yet looked at, as they are, and a gradient of which there is another later."""
    state, w, results = Tensor([1.0]), Tensor([2.0], requires_grad=True), []
    state += 1
    (w * 3).sum().backward()
    look = jit(lambda x: (state, w.grad))
    adds = jit(lambda x: [w.grad, (w * x).sum().backward(), w.grad])
    for i in range(4):
        results += [y.item() for y in (*look(Tensor([1.0])), *adds(Tensor([1.0])))]
        state.assign(state * 3)
        w.grad = w.grad * 2
    return results


def shares_gradients(jit):
    """One gets what is the other's gradient, between calls and in one, before that grows."""
    w, v, results = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True), []

    def gives(x, y):
        x.grad = y.grad
        return (w * 3).sum().backward()
    look, gives = jit(lambda x: w.grad * x), jit(gives)
    for i in range(3):
        (w * 2).sum().backward()
        v.grad = w.grad
        results.append(look(Tensor([1.0])).item())
        (w * 4).sum().backward()
        results += [look(Tensor([1.0])).item(), gives(v, w).item(), w.grad.item(), v.grad.item()]
    return results


def changes_the_gradient_of_what_is_frozen(jit):
    w, v, results = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True), []
    optimizer = nn.optim.SGD([w, v], lr=0.5)
    step, look = jit(lambda: optimizer.step()), jit(lambda x, y: (x.grad * y, setattr(y, "grad", x.grad))[0])
    (w * v).sum().backward()
    w.requires_grad = False
    for i in range(4):
        step()
        plain = Tensor([3.0])
        results += [w.item(), v.item(), look(w, plain).item(), plain.grad.item(), look(v, w).item(), w.grad.item()]
        w.grad, v.grad = Tensor([float(i)]), Tensor([1.0])
    return results


def trains_an_argument(jit):
    w = Tensor([1.0], requires_grad=True)
    optimizer = nn.optim.SGD([w], lr=0.125)
    step = jit(lambda x, y: [(x * x * y).sum().backward(), optimizer.step(), optimizer.zero_grad()][0])
    return [(step(w, Tensor([3.0])).item(), w.item(), w.grad) for _ in range(3)]


def drops_the_gradient_of_an_argument(jit):
    w = Tensor([1.0], requires_grad=True)
    optimizer = nn.optim.SGD([w], lr=0.125)
    step = jit(lambda x: [(x * x).sum().backward(), optimizer.zero_grad()][0])
    return [(step(x).item(), w.grad) for x in (Tensor([3.0], requires_grad=True), w, w)]


def drops_a_gradient(jit):
    w = Tensor([1.0], requires_grad=True)
    optimizer = nn.optim.SGD([w], lr=0.125)
    (w * 64).sum().backward()

    @jit
    def step(x):
        loss = (w * x).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss
    return [(step(Tensor([2.0])).item(), w.grad, w.item()) for _ in range(4)]


def drops_a_gradient_that_came_later(jit):
    w = Tensor([1.0], requires_grad=True)
    optimizer, seen = nn.optim.SGD([w], lr=0.125), []
    drop = jit(lambda x: optimizer.zero_grad() or x + 1)
    for i in range(3):
        drop(Tensor([2.0]))
        seen.append(w.grad is None)
        (w * w).sum().backward()
    return seen


def gives_an_argument_a_gradient(jit):
    weights, results = [Tensor([float(i)], requires_grad=True) for i in (1, 2)], []
    loss = jit(lambda w, x: (w * w * x).sum().backward())
    for i in range(5):
        results.append(loss(weights[i % 2], Tensor([2.0])).item())
        results.append([w.grad is not None and w.grad.item() for w in weights])
    return results


def gives_each_of_many_arguments_a_gradient(jit):
    w, kept = Tensor([2.0], requires_grad=True), []
    loss = jit(lambda x, y: (w * x * y).sum().backward())
    for i in range(4):
        x = Tensor([float(i)], requires_grad=True)
        kept.append((x, loss(x, x if i % 2 else Tensor([3.0])).item()))
    return [(x.grad.item(), value) for x, value in kept], w.grad.item(), loss(w, w).item(), w.grad.item()


def takes_a_parameter_where_it_took_none(jit):
    v, w = Tensor([4.0], requires_grad=True), Tensor([5.0], requires_grad=True)
    loss = jit(lambda x: (v * x).sum().backward())
    losses = [loss(x).item() for x in (Tensor([2.0]), Tensor([3.0]), w, Tensor([1.0]), w)]
    return losses, v.grad.item(), w.grad is not None and w.grad.item()


def reads_the_gradient_of_an_argument(jit):
    w = Tensor([1.0], requires_grad=True)
    (w * 3).sum().backward()
    down = jit(lambda w: w.assign(w.detach() - w.grad * 0.5))
    return [down(w).item() for _ in range(3)], w.grad.item()


def freezes_and_thaws(jit):
    """Of three that begin frozen, one was never computed, and one was assigned."""
    tensors, x, results = [Tensor([2.0]), Tensor.arange(3)[2:] * 1.5, Tensor([4.0]), Tensor([5.0])], Tensor([1.0]), []
    a, b, c, d = tensors
    c.assign(c * 2)
    d.requires_grad = True
    look, train = jit(lambda x: a * b * c * x), jit(lambda x: (a * b * c * d * x).sum().backward())
    for i in range(12):
        results += [look(x).item(), train(x).item(), *(t.grad is not None and t.grad.item() for t in tensors)]
        t = tensors[i % 3]
        t.requires_grad = not t.requires_grad
        t.grad = d.grad = None
        if i % 2:
            t.assign(t.detach() + 1)
    return results


def keeps_gradients(jit):
    """Those that grew later are others."""
    w, v, kept = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True), []
    loss = jit(lambda x: (w * x).sum().backward())
    for i in range(4):
        loss(Tensor([1.0, i]))
        v.grad = w.grad
        kept.append(v.grad)
    return [gradient.tolist() for gradient in kept], loss(Tensor([1.0, 1.0])).item(), w.grad.tolist(), v.grad.tolist()


def changes_gradients_of_arguments(jit):
    """Of each it reads the gradient, and drops it, changes it or adds to it, which it knows by another name as well."""
    w, v, results = Tensor([0.5], requires_grad=True), Tensor([0.75], requires_grad=True), []
    optimizer = nn.optim.SGD([w], lr=0.125)

    def drops(x, y):
        gradient, x.grad = x.grad * 1, None
        return gradient, (x * y * w).sum().backward()

    def changes(x, y):
        x.grad *= 2
        y.grad = x.grad + 1
        return x.grad * 1, y.grad * 1

    def steps(x, y):
        optimizer.zero_grad()
        loss = (x * x * y * w).sum().backward()
        optimizer.step()
        return loss, (x * 3).sum().backward()
    functions = [jit(function) for function in (drops, changes, steps)]
    for i in range(30):
        x, y = [(Tensor([0.5 + i / 64], requires_grad=True), w, v, w)[(i + n * (i // 4)) % 4] for n in (0, 1)]
        for tensor in (w, x, y):
            tensor.grad = Tensor([1.0]) if tensor.grad is None else tensor.grad
        kept = [x.grad, y.grad, w.grad]
        results.append([result.item() for result in functions[i % 3](x, y)])
        results += [(t.item(), t.grad is not None and t.grad.item()) for t in (x, y, w, v)]
        results.append([gradient.item() for gradient in kept])
    return results


PROGRAMS = [reads_what_is_older, changes_the_gradient_of_what_is_frozen, trains_an_argument, shares_gradients,
            drops_the_gradient_of_an_argument, returns_what_is_older, changes_gradients_of_arguments, freezes_and_thaws,
            keeps_gradients, reads_a_parameter_that_is_assigned_between, reads_a_view_of_a_state, drops_a_gradient,
            drops_a_gradient_that_came_later, gives_an_argument_a_gradient, gives_each_of_many_arguments_a_gradient,
            takes_a_parameter_where_it_took_none, reads_the_gradient_of_an_argument]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_jit_does_what_happens_without_it(program, device):
    assert program(TinyJit) == program(lambda function: function)


def test_a_jit_is_captured_once_for_arguments_that_get_gradients(device):
    w, kept = Tensor([2.0], requires_grad=True), []
    loss = TinyJit(lambda x: (w * x).square().sum().backward())
    for i in range(4):
        kept.append(Tensor([float(i)], requires_grad=True))
        loss(kept[-1])
        w.grad = None
    assert [x.grad.item() for x in kept] == [0, 8, 16, 24] and len(loss.captured) == 1
    for x in kept:
        loss(x)
        loss(x)
        w.grad = None
    assert [x.grad.item() for x in kept] == [0, 24, 48, 72] and len(loss.captured) == 3 and not loss.known
    del x
    released = weakref.ref(kept.pop())
    gc.collect()
    assert released() is None


@on(*COMPILED)                                                          # of NumPy's plan the graph is a part
def test_a_capture_holds_neither_its_graph_nor_what_was_there_before_it(device):
    """The first batch, and the parameters of then."""
    w, nodes = Tensor([2.0], requires_grad=True), []
    optimizer = nn.optim.SGD([w], lr=0.5, momentum=0.5)

    @TinyJit
    def step(x):
        optimizer.zero_grad()
        loss = (w * x).square().sum()
        nodes.extend(weakref.ref(y.node) for y in (w, x, loss))
        loss.backward()
        optimizer.step()
        return {"loss": loss, "n": 1}
    for _ in range(2):
        assert step(Tensor([1.0]))["loss"].item() >= 0
    gc.collect()
    assert [node() for node in nodes] == [None] * 3


def test_no_gradient_flows_through_what_was_computed_before_a_jit(device):
    w, v, x = Tensor([2.0], requires_grad=True), Tensor([4.0], requires_grad=True), Tensor([3.0])
    argument = TinyJit(lambda x: (v * x).sum().backward())
    argument(x)
    older, line = w * 5, inspect.currentframe().f_lineno
    for realized in (False, True):
        with pytest.raises(RuntimeError, match=f"jit: a gradient would flow .*test_tiny.py:{line}, which is frozen"):
            TinyJit(lambda x: (older * x).sum().backward())(x)
        with pytest.raises(RuntimeError, match=f"jit: a gradient would flow .*test_tiny.py:{line}, which is frozen"):
            argument(older)
        argument(older.detach())
        older.realize()
    assert w.grad is None and (w * x).sum().backward().item() == 6 and w.grad.item() == 3


IN_A_STEP = [
    "loss = ({} * {}).sum()", "loss = ({} * {}).sum() + ({} - {}).square().sum()", "loss = ({} + {}).sum().backward()",
    "loss.backward()", "loss.backward()", "optimizer.step()", "other.step()", "optimizer.zero_grad()",
    "other.zero_grad()", "state.assign(state - {}.detach())", "w.assign({}.detach() * 0.5)", "x += {}.detach()",
    "result = {} - {} * 2"]
BETWEEN_STEPS = [
    "v.assign(v.detach() * 2)", "state.assign({}.detach() + 1)", "state += 1", "({} * w).sum().backward()",
    "w.grad = None", "v.grad = None", "kept.append({}.detach())", "kept.append({} * 2)", "{}.realize()", "x = w",
    "kept.extend(y.grad for y in (w, v) if y.grad is not None)", "x = v.detach()", "x = {}.detach() - 1",
    "x = older.detach()", "x = state", "x = {} * 3", "v.requires_grad = not v.requires_grad",
    "w.grad = None if v.grad is None else v.grad", "x.requires_grad = True", "call(x)"]


@st.composite
def training_programs(draw):
    """Lines of a step, of which a jit is to be made, and lines for each time between two calls."""
    def lines(texts, most, *also):
        chosen = draw(st.lists(st.sampled_from(texts), min_size=1, max_size=most))
        names = ["w", "v", "x", "state", *also]
        return [text.format(*[draw(st.sampled_from(names)) for _ in range(text.count("{}"))]) for text in chosen]
    return (lines(IN_A_STEP, 6, "older.detach()", "known.detach()"),
            [lines(BETWEEN_STEPS, 3, "older", "known") for _ in range(4)])


def train_so(step, between, jit):
    """What the calls give, and what there is after each. Without a jit, gradients are dropped as README says of it."""
    w, v = Tensor([1.0, 2.0], requires_grad=True), Tensor([0.5, -1.0], requires_grad=True)
    names = {"w": w, "v": v, "state": Tensor([3.0, 1.0]), "kept": [], "x": Tensor([2.0, -2.0]), "older": w * v + 1,
             "known": (w * v * 2).realize(), "optimizer": nn.optim.SGD([w], lr=0.25),
             "other": nn.optim.SGD([v], lr=0.5)}
    step = ["loss, result = (x * 0).sum(), x", *step, "return loss, result"]
    text = ["def step(x):", *[f"    {line}" for line in step]]
    exec("\n".join(text), names)
    function, seen = jit(names["step"]), []

    def call(x):
        before = [(p, p.grad, p.node) for p in (w, v)]
        results = function(x)
        for p, gradient, node in before if jit is not TinyJit else ():
            p.grad = None if gradient is None and p.node is not node else p.grad
        return results
    names["call"] = call
    for lines in between:
        seen += [y.tolist() for y in call(names["x"])]
        exec("\n".join(lines), names)
        tensors = [w, v, w.grad, v.grad, names["state"], names["x"], names["older"], names["known"], *names["kept"]]
        seen += [y is not None and y.detach().tolist() for y in tensors]
    return seen


def check_training(number, first=0):
    """Compare random steps with and without a jit; those that Python can't do either are left out. How many remain?"""
    done = []

    def check(program):
        try:
            runs = [train_so(*program, jit) for jit in (TinyJit, lambda function: function)]
        except RuntimeError as error:
            assert re.search("requires_grad|no gradient of parameter|which is frozen", str(error))
            return
        close(*[np.hstack([np.ravel(x) for x in run]) for run in runs])
        done.append(program)
    seed(first)(settings(hypothesis_settings, derandomize=False, max_examples=number, suppress_health_check=list(
        HealthCheck))(given(training_programs())(check)))()
    return len(done)


@on("NUMPY")
def test_random_steps_of_training_do_the_same_with_a_jit(device):
    assert check_training(60) > 20


@on("C", "NUMPY")
def test_nothing_changes_but_what_is_assigned(device):
    """Random programs; `python test_tiny.py aliasing 10000` runs more of them."""
    check_aliasing({"C": 15, "NUMPY": 100}[device], 0, True)


def check_aliasing(number, first, derandomize):
    @given(data=st.data())
    @settings(hypothesis_settings, max_examples=number, derandomize=derandomize)
    def check(data):
        lines = aliasing_program(data.draw)
        note("\n".join(lines))
        wanted, _, wanted_copies = run_aliasing(lines, Copied, lambda function: function)
        got, handed, copies = run_aliasing(lines, Tensor, TinyJit)
        for what, ours, theirs in (("a variable", wanted, got), ("an array of numpy()", wanted_copies, copies),
                                   ("an array of numpy(), afterwards", wanted_copies, handed)):
            assert len(ours) == len(theirs)
            for want, array in zip(ours, theirs):
                same(array, want, what)
    (check if derandomize else seed(first)(check))()


# ---------------------------------------------------------------------------------------------------------------------
# Endurance
# ---------------------------------------------------------------------------------------------------------------------
def resident():
    """MiB of this process that are in memory, after what can be freed has been."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20


def checkpoints(work, number, parts=10):
    """Do work(i) for each i < number, and give the resident memory after each of so many parts, without the plans that
    are held for later: a thousand of one part are larger than those of another."""
    found = []
    for part in range(parts):
        for i in range(number * part // parts, number * (part + 1) // parts):
            work(i)
        for device in Device.values():
            getattr(device, "plans", {}).clear()
        found.append(resident())
    return found


def is_flat(memory, allowed):
    """Has the second half of the work left memory as the first did, but for so many MiB?"""
    return max(memory[len(memory) // 2:]) - memory[len(memory) // 2 - 1] <= allowed


def endless_work(name):
    """What can be done again and again on a device without that memory grows: functions of a number."""
    Device.DEFAULT = name
    Tensor.manual_seed(0)
    model = gpt.GPT(gpt.GPTConfig(29, 8, 1, 2, 16))
    optimizer, step = gpt.training_step(model, 1e-3)
    eager = nn.optim.AdamW([Tensor.randn(5, 7, requires_grad=True)], lr=1e-3)

    def jitted(i):
        tokens = np.random.default_rng(i).integers(0, 29, (2, 9)).astype(np.int32)
        return step(Tensor(tokens[:, :-1]), Tensor(tokens[:, 1:])).item()

    def not_jitted(i):
        with Tensor.train():
            eager.zero_grad()
            (eager.params[0] * (i % 7)).square().sum().backward()
            eager.step()

    def program(i):
        """Another graph each time: sums over other axes of shapes that differ."""
        x = Tensor.full((1 + i % 89, 1 + i // 89), 2.0).contiguous()
        (x.flip(0) * (i % 97) + x.sum(i % 2, keepdim=True)).numpy()

    def random_program(i):
        if i % 50 == 0:                                                 # hypothesis keeps what it drew in a run
            drawn = []

            def check(program):
                drawn.append(program)
                if len(drawn) % 5 == 0:                                 # a compiler is quicker with several
                    Tensor.realize(*[result for program in drawn[-5:] for result in program.results(name)])
            seed(i)(settings(hypothesis_settings, derandomize=False, max_examples=50, phases=[Phase.generate],
                             suppress_health_check=list(HealthCheck))(given(programs(most=12))(check)))()
    return {"jitted steps": jitted, "steps": not_jitted, "graphs": program, "random programs": random_program}


def endurance(number):
    """See whether memory grows with steps and programs.

    It prints the resident memory after each tenth of them; the exit code is 1 if that grows.
    """
    grown, tiny.PLANS = [], min(tiny.PLANS, max(1, number // 10))       # the bound is met within the first half
    for name, kind in itertools.product(("C", "NUMPY"), ("jitted steps", "steps", "random programs")):
        memory = checkpoints(endless_work(name)[kind], number)
        print(f"{name}: {number:,} {kind}: {' '.join(f'{x:.1f}' for x in memory)} MiB", flush=True)
        grown += [] if is_flat(memory, 4) else [f"{kind} on {name}"]
    print(f"memory grows with {', '.join(grown)}" if grown else f"memory is flat over {number:,} of each")
    return bool(grown)


@on(*COMPILED)
def test_plans_and_libraries_that_were_not_used_for_long_are_let_go(device, monkeypatch):
    """`python test_tiny.py endurance` measures the memory of 10,000 programs and steps."""
    monkeypatch.setattr(tiny, "PLANS", 6)                               # two entries for most plans
    twice, x = TinyJit(lambda x: (x * 2).realize()), Tensor([3.0])
    assert twice(x).item() == 6
    loaded = lambda: Path("/proc/self/maps").read_text().count(".so")
    for i in [*range(12), *range(12)]:                                  # each comes again when it has been let go
        if i == 5:
            libraries = loaded()
        assert (x * i + i).numpy() == 4 * i
        assert len(Device[device].plans) <= 6
    gc.collect()
    assert len(Device[device].functions) <= 7 and loaded() <= libraries
    assert twice(x).item() == 6                                         # a jit holds its own


# ---------------------------------------------------------------------------------------------------------------------
# Sanitizers
#
# `python test_tiny.py sanitize` runs generated C and the threads' runtime under gcc's sanitizers, in processes that
# have these preloaded (see Guarded). A finding ends the process. That each kind of fault is found is shown by planting
# one of each: in the words of the C dialect, or in a kernel written by hand.
# ---------------------------------------------------------------------------------------------------------------------
SANITIZERS = {"address": "-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all",
              "thread": "-O1 -g1 -fsanitize=thread"}


def sanitized(kind, *arguments, **environment):
    """Start python with these arguments under a sanitizer of gcc."""
    library = {"address": "libasan.so", "thread": "libtsan.so"}[kind]
    path = subprocess.run(["gcc", f"-print-file-name={library}"], capture_output=True, text=True).stdout.strip()
    assert os.path.isabs(path), f"gcc has no {library}: it comes with gcc, or as libgcc-dev"
    environment = {**os.environ, "SANITIZE": kind, "CFLAGS": SANITIZERS[kind], "CC": "gcc", "LD_PRELOAD": path,
                   "ASAN_OPTIONS": "detect_leaks=0", "TSAN_OPTIONS": "halt_on_error=1", "OPENBLAS_NUM_THREADS": "1",
                   "THREADS": "3", **environment}
    return subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, text=True, cwd=HERE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def replaced_words(name, old, new):
    words = getattr(tiny, name)
    assert old in words
    setattr(tiny, name, words.replace(old, new))


def written_by_hand(body, x):
    return tiny.kernel("fault", f"for (idx i = begin; i < end; i++) {body};")(x)


def sixteen():
    return Tensor(np.ones(16, np.float32))


FAULTS = {                                                              # what is planted, and words of its report
    "a read behind a buffer": (lambda: written_by_hand("out0[i] = x0[i + 1]", sixteen()), "AddressSanitizer"),
    "a read before a buffer": (lambda: written_by_hand("out0[i] = x0[i - 3]", sixteen()), "AddressSanitizer"),
    "a write behind a buffer": (lambda: written_by_hand("out0[i + 1] = x0[i]", sixteen()), "AddressSanitizer"),
    "a read behind a buffer of the arena": (
        lambda: written_by_hand("out0[i] = x0[i + 1]", sixteen() + 1) + 1, "AddressSanitizer"),
    "a vector stored where only a part counts": (
        lambda: replaced_words("VECTOR_WORDS", "if (n == N) {", "if (n <= N) {") or Tensor(np.ones(21, np.float32)) + 1,
        "AddressSanitizer"),
    "a vector stored where only a part counts, where whole ones are loaded": (
        lambda: replaced_words("VECTOR_WORDS", "if (n == N) {", "if (n <= N) {") or
        (Tensor(np.ones(21, np.float32)) + 1).contiguous().sum(), "wrote beside its buffer"),
    "a vector loaded far outside": (
        lambda: replaced_words("SCALAR_WORDS", "return at < -lanes ?", "return 1 ? at : at < -lanes ?") or
        sixteen().pad(((99, 0),)) + 1, "AddressSanitizer"),
    "a strip that is too short": (
        lambda: setattr(tiny, "with_slack", lambda size: size // 2 + 2 * tiny.SLACK) or
        Tensor(np.ones((3, 200), np.float32)).softmax(), "AddressSanitizer"),
    "a shift past the width": (
        lambda: replaced_words("SCALAR_WORDS", "!negative(b) && b < BITS_OF(T) ? a << b : 0", "a << b") or
        Tensor(np.int32(1)) << Tensor(np.int32(40)), "runtime error: shift exponent"),
    "a race within a group": (
        lambda: replaced_words("GROUP_WORDS", "= x; \\\n    barrier(CLK_LOCAL_MEM_FENCE);", "= x;") or
        Tensor(np.ones((3, 40), np.float32)).sum(1), "data race"),
    "a race": (lambda: setattr(tiny.Plan, "find_barriers", lambda plan: [False] * len(plan.kernels)) or
               (Tensor(np.ones((60, 70), np.float32)) + 1).contiguous().transpose().contiguous(),
               "ThreadSanitizer: data race"),
}


def find_faults(kind):
    """Plant each fault in a process of its own; returns how many there were. Those not found raise."""
    names = [name for name in FAULTS if "group" not in name and (name == "a race") == (kind == "thread")]
    for name in names:
        plant, words = FAULTS[name]
        with tempfile.TemporaryFile("w+") as report, tempfile.TemporaryDirectory() as cache:
            process = os.fork()
            if not process:
                try:
                    os.environ["TINY_CACHE"] = cache
                    os.dup2(report.fileno(), 2)
                    plant().numpy()
                except BufferError as error:
                    print(error, file=sys.stderr, flush=True)
                os._exit(0)
            os.waitpid(process, 0)
            report.seek(0)
            text = report.read()
        assert words in text, f"{name} was not found: {text}"
    return len(names)


def check_plan_of_others():
    """Guarded does not take the plan that the usual device has kept: there, buffers lie side by side."""
    def compute():
        x = (Tensor(np.ones((4, 128), np.float32)).sum(0) + 1).contiguous()
        y = (x * 2).contiguous()
        return ((x + y).contiguous() * x).sum().item()
    guarded, Device["C"] = Device["C"], Sanitized()
    assert compute() == 128 * 75
    Device["C"] = guarded
    assert compute() == 128 * 75                                        # else: wrote beside its buffer


def check_one_memory_twice():
    """What lies around a memory that a jit knows and is also given as its argument is that of one buffer."""
    x = Tensor(np.ones(21, np.float32))
    add = TinyJit(lambda y: (x * 3 + y).realize())
    for y in (x + 1, x + 2, x + 3, x, x.detach(), x):
        assert add(y.realize()).tolist() == [3 + y.tolist()[0]] * 21


def train_small_gpt(steps, layers, width=22, context=13, lanes=None):
    """The last loss of a few jitted steps of a small GPT, on vectors of so many `lanes`."""
    lanes, Device["C"].lanes = Device["C"].lanes, lanes or Device["C"].lanes
    Tensor.manual_seed(0)
    optimizer, step = gpt.training_step(gpt.GPT(gpt.GPTConfig(29, context, layers, 2, width)), 1e-2)
    tokens = np.random.default_rng(0).integers(0, 29, (steps, 3, context + 1)).astype(np.int32)
    losses = [step(Tensor(batch[:, :-1]), Tensor(batch[:, 1:])).item() for batch in tokens]
    Device["C"].lanes = lanes
    assert math.isfinite(losses[-1])


def sanitize_worker(kind, number, steps, layers, first):
    """What runs in a process with a sanitizer: planted faults, random programs, steps of training."""
    Device.DEFAULT = "C"
    faults = find_faults(kind)
    if kind == "address":
        check_plan_of_others()
        check_one_memory_twice()
    if number:
        every_program(lambda program: check_program(program, "C"), "C", number, first)
    if kind == "thread":
        # A vector may read what another thread writes beyond the columns that count, so shapes that vectors do not
        # fill are computed with scalars.
        train_small_gpt(steps, layers, lanes=1)
    if steps > 1:
        train_small_gpt(steps, layers, *((64, 16) if kind == "thread" else ()))
    print(f"{kind}: {faults} planted faults found, none in {number} random programs and {steps} steps of training")


def finished(process):
    """What a process printed last; raises if it failed."""
    output = process.communicate()[0]
    assert process.returncode == 0, output[-5000:]
    return output.strip().splitlines()[-1]


def test_sanitizers_find_planted_faults_and_no_others():
    """`python test_tiny.py sanitize` does this with the whole suite and 5,000 programs."""
    workers = [sanitized(kind, __file__, "sanitize-worker", kind, programs, 1, 1, 0)
               for kind, programs in (("address", 3), ("thread", 0))]
    for process in workers:
        print(finished(process))


# What takes no generated C, other compilers or flags, or asks how long something takes or how much memory. Also what
# computes in children, which are not Guarded; has too large a buffer allocated, at which AddressSanitizer ends the
# process; finds OpenCL, whose C++ it can't follow; or is done by the workers. (-k takes parts of names, of any case.)
OUTSIDE = " or ".join(
    [f"{before}{name}{after}" for name in ("CL", "GROUPS", "NUMPY") for before in "[-" for after in "]-"] +
    "page bench sanitizers oclgrind takes_seconds wall_clock memory_of become_floats peak kill two_processes folder "
    "readme compiler every_device moves_between KERNELS_says cache_folder cached_and_private command_line "
    "wherever_it_runs memory_can_hold memory_runs_out which_devices_work random_programs".split())


def sanitize(programs):
    """Run generated C under the sanitizers of gcc.

    That is N random programs, training with threads, and the suite; a finding raises.
    """
    batch = 250
    print(finished(sanitized("thread", __file__, "sanitize-worker", "thread", 0, 5, 2, 0)), flush=True)
    works = [(min(batch, programs - done), done) for done in range(0, programs, batch)]
    start = lambda work: finished(sanitized("address", __file__, "sanitize-worker", "address", work[0], 5, 2, work[1]))
    with ThreadPoolExecutor(threads()) as pool:
        for line in pool.map(start, works):
            print(line, flush=True)
    print("the suite:", finished(sanitized("address", "-m", "pytest", "-q", "-x", __file__, "-p", "no:cacheprovider",
                                           "-k", f"not ({OUTSIDE})")))
    print(f"nothing found in the suite, {programs:,} random programs and a threaded training")


# ---------------------------------------------------------------------------------------------------------------------
# Oclgrind
#
# The same for generated OpenCL: `python test_tiny.py oclgrind` runs it in a simulator that checks each access and
# knows which work-items race. It is a GPU by its own account, which computes in work-groups; so that loops and vectors
# without these are checked as well, it is also run as a device of scalars, and as one of vectors.
# ---------------------------------------------------------------------------------------------------------------------
class Parts:
    """An arena of which each part is a buffer of its own."""
    size = math.inf

    def __init__(self, device):
        self.device = device

    def __getitem__(self, part):
        return self.device.allocate(part.stop - part.start)


class Simulated(tiny.CLDevice):
    """The CL device in oclgrind: buffers have no more slack than one vector, and none where work-items take scalars."""

    def __init__(self, mode):
        super().__init__()
        assert "Oclgrind" in self.description, self.description
        self.lanes, self.groups = 8 if mode == "vectors" else 1, 0
        if mode == "groups":
            self.use_groups(8)
        tiny.SLACK = 8 * self.lanes if mode == "vectors" else 0         # of the widest numbers
        tiny.Plan.place_buffers, self.arena = exact_places, Parts(self)


def simulate(mode, names, steps):
    """What runs in oclgrind: each case of the operations and its gradients, and steps of training a small GPT."""
    # The simulator does not know the rotations that a compiler makes of two shifts, and takes 255 for the 1 of a vector
    # of comparisons: neither is made of what is volatile.
    scalar = "!negative(b) && b < BITS_OF(T) ? a >> b : negative(a) ? (T)-1 : 0;"
    vector = "((a >> (b & (T)(BITS_OF(T) - 1))) & k)"
    replaced_words("SCALAR_WORDS", f"return {scalar}", f"volatile T c = {scalar} return c;")
    replaced_words("VECTOR_WORDS", f"return {vector}", f"volatile T##x##N c = {vector}; return c")
    replaced_words("VECTOR_WORDS", "return CONVERT(m, i32, N);", "volatile i32x##N c = CONVERT(m, i32, N); return c;")
    replaced_words("VECTOR_WORDS", "i32x##N big =", "volatile i32x##N big =")
    Device.makers["CL"] = lambda: Simulated(mode)
    Device.DEFAULT, names = "CL", CASES if names == ["all"] else names
    for name in names:
        if name in FAULTS:
            FAULTS[name][0]().numpy()
            continue
        case = Computed(name)
        Tensor.realize(*case.tensors)
        close(case.y64, CASES[name].oracle(*case.arrays), 1e-11, 1e-11, name)
    Tensor.manual_seed(0)
    optimizer, step = gpt.training_step(gpt.GPT(gpt.GPTConfig(11, 5, 1, 2, 6)), 1e-2)
    tokens = np.random.default_rng(0).integers(0, 11, (2, 6)).astype(np.int32)
    for _ in range(steps):
        assert math.isfinite(step(Tensor(tokens[:, :-1]), Tensor(tokens[:, 1:])).item())
    print(f"{mode}: {len(names)} operations and their gradients, {steps} steps of training")


def in_oclgrind(mode, steps, *names):
    """What such a process printed last, and what the simulator complains of. It can't compile in several threads. Of
    vectors no races are asked: they may read, beyond what counts, what another work-item writes."""
    races = ["--data-races"] * (mode != "vectors")
    with tempfile.NamedTemporaryFile("r") as log:
        done = subprocess.run(["oclgrind", *races, "--max-errors", "9", "--log", log.name, sys.executable,
                               __file__, "oclgrind-worker", mode, str(steps), *names], capture_output=True, text=True,
                              env={**os.environ, "THREADS": "1", "PYOPENCL_NO_CACHE": "1"})
        assert done.returncode == 0, done.stderr[-5000:]
        return done.stdout.strip().splitlines()[-1], log.read()


def check_in_oclgrind(steps, *names):
    """Raise if the simulator complains of these operations or a training; returns lines on what was done."""
    for fault, words in (("a read behind a buffer", "Invalid read"), ("a write behind a buffer", "Invalid write"),
                         ("a race within a group", "data race")):
        assert words in in_oclgrind("groups", 0, fault)[1], f"{fault} was not found"
    lines = ["3 planted faults found"]
    for mode in ("groups", "scalars", "vectors"):
        line, complaints = in_oclgrind(mode, steps, *names)
        assert not complaints, complaints
        lines.append(line)
    return lines


@pytest.mark.skipif(not shutil.which("oclgrind"), reason="oclgrind is not installed")
def test_oclgrind_finds_planted_faults_and_no_others():
    """`python test_tiny.py oclgrind` does this with all operations and a training step."""
    check_in_oclgrind(0, "softmax", "matmul")


# ---------------------------------------------------------------------------------------------------------------------
# Portability
#
# `python test_tiny.py portability [name ...]` runs parts of these tests elsewhere: with other compilers, none of which
# may warn; for other processors, which are devices here; and with other versions of Python and NumPy.
# ---------------------------------------------------------------------------------------------------------------------
NUMBERS = ("(test_operation or at_the_edges or integer_arithmetic or casts_to_every_other or sixteen_bit or bools_are "
           "or over_any_axes or argmax or nan_propagates or cumsum or has_a_sign or as_another or products_of_any)")
COMPILED_C = f"{NUMBERS} or by_hand or every_source or attention or gpt_is or random_programs"
ON_PYTHON = "operation or jit or safetensors or hostile or random_files or import_is"
ELSEWHERE = {                                                           # tools, environment or NumPy, and the tests
    "gcc": ("gcc", {"CC": "gcc", "TEST_DEVICES": "C"}, COMPILED_C),
    "clang": ("clang", {"CC": "clang", "TEST_DEVICES": "C"}, COMPILED_C),
    "AVX2": ("gcc", {"TEST_DEVICES": "AVX2"}, f"AVX2 and ({NUMBERS} or shorter)"),
    "SSE": ("gcc", {"TEST_DEVICES": "SSE"}, f"SSE and ({NUMBERS} or shorter)"),
    "ARM": ("aarch64-linux-gnu-gcc qemu-aarch64", {"TEST_DEVICES": "ARM"}, f"ARM and {NUMBERS}"),
    "3.10": ("python3.10", "numpy==1.26.*", ON_PYTHON), "3.11": ("python3.11", "numpy==2.0.*", ON_PYTHON),
    "3.12": ("python3.12", "numpy==1.26.*", ON_PYTHON), "3.13": ("python3.13", "numpy", ON_PYTHON),
}


def elsewhere(name, folder):
    """Run the tests of a row of the table; returns whether all is well, and a line that tells."""
    needs, environment, tests = ELSEWHERE[name]
    of_pyenv = os.pathsep.join(map(str, Path.home().glob(f".pyenv/versions/{name}.*/bin")))
    tools = {tool: shutil.which(tool, path=of_pyenv) or shutil.which(tool) for tool in needs.split()}
    if missing := [tool for tool, path in tools.items() if not path]:
        return False, f"there is no {' and no '.join(missing)} here"
    program, path = sys.executable, next(iter(tools.values()))
    about = subprocess.run([path, "--version"], capture_output=True, text=True).stdout.partition("\n")[0]
    commands = [["-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", tests]]
    if isinstance(environment, str):                                    # a version of NumPy, in a place of its own
        program, about = f"{folder}/{name}/bin/python", f"{about}, {environment}"
        subprocess.run([path, "-m", "venv", f"{folder}/{name}"], check=True)
        subprocess.run([program, "-m", "pip", "install", "-q", environment, "pytest", "hypothesis", "pyopencl[pocl]"],
                       check=True)
        commands.append([str(HERE / "gpt.py"), "--steps", "20", "--out", f"{folder}/{name}/m.safetensors"])
        environment = {"TEST_DEVICES": "C NUMPY"}
    done = [subprocess.run([program, *command], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
            for command in commands]
    well = not any(process.returncode for process in done)
    told = (done[0].stdout.strip().splitlines() or ["nothing was run"])[-1]
    return well, f"{about}: {told}" if well else f"{about}:\n" + "\n".join(process.stdout for process in done)


def portability(names):
    """Run tests with other compilers, processors and versions.

    They run in all places, or in those that are named; the exit code is 1 if they don't pass everywhere.
    """
    with tempfile.TemporaryDirectory() as folder:
        results = {}
        for name in names or ELSEWHERE:
            results[name], told = elsewhere(name, folder)
            print(f"{name:6} {'passes' if results[name] else 'FAILS'}: {told}", flush=True)
    well = [name for name, passes in results.items() if passes]
    print(f"the tests pass in {len(well)} of {len(results)} places: {', '.join(well)}")
    return len(well) < len(results)


# ---------------------------------------------------------------------------------------------------------------------
# The table of commands
# ---------------------------------------------------------------------------------------------------------------------
def edges():
    """Compare every operation with NumPy at the edges of the types.

    These are NaN, infinities, -0, denormals, the least and the greatest; on C, CL and NUMPY, with vectors of any size.
    """
    wrong, count = search_edges()
    print(*wrong, f"{count:,} values at the edges on C, CL and NUMPY: {len(wrong)} operations differ", sep="\n")
    return int(len(wrong) > 0)


def same_bits():
    """Compare the bits of results where only the surroundings differ.

    These are threads, hash seeds, the order of programs, caches and jits; on C, CL and NUMPY.
    """
    with tempfile.TemporaryDirectory() as place:
        found = {name: bits(Path(place) / name, name, QUICKLY + ALL) for name in (*COMPILED, "NUMPY")}
    wrong = {f"{name}: {line}" for name, runs in found.items() for lines in runs for line in lines ^ runs[0]}
    processes = sum(map(len, found.values()))
    print(*sorted(wrong), f"{len(QUICKLY + ALL)} programs in each of {processes} processes, on C, CL and NUMPY: "
          f"{len(wrong)} results differ", sep="\n")
    return int(len(wrong) > 0)


def aliasing(number):
    """Compare assignments with copies, and jits with plain Python.

    N random programs of views and jits and N of training run on NUMPY, and a tenth of that on C; a finding raises.
    """
    for Device.DEFAULT, programs in (("NUMPY", number), ("C", max(1, number // 10))):
        check_aliasing(programs, int(time.time()), False)
        print(f"{programs:,} programs of assignments, views and jits on {Device.DEFAULT}: all right", flush=True)
        steps = check_training(programs, int(time.time()))
        print(f"{steps:,} steps of training on {Device.DEFAULT}: the same with a jit", flush=True)


def oclgrind():
    """Run generated OpenCL in the simulator Oclgrind.

    That is every operation with its gradients, and a training; an access out of bounds or a race raises.
    """
    if not shutil.which("oclgrind"):
        return "oclgrind is not installed"
    print(*check_in_oclgrind(2, "all"), "no complaint of the simulator", sep="\n")


def files(number):
    """Load random model files, most of them damaged.

    The sound ones must come byte for byte, the others be refused; a file that is a finding raises, and is kept.
    """
    first, Device.DEFAULT = int(time.time()), "NUMPY"
    place = tempfile.mkdtemp(prefix="tiny-files-", dir="/dev/shm")       # in memory; it stays if there is a finding
    sound = load_random_files(number, first, place)
    shutil.rmtree(place)
    print(f"{number:,} random files of seed {first}: {sound:,} were sound and loaded byte for byte, the others refused")


def kill(number):
    """Kill a training at random moments, and resume it.

    A checkpoint that is not whole raises.
    """
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "text").write_text(WOODCHUCK)
        steps = kill_at_random_moments(Path(place), number, seed=int(time.time()))
    print(f"killed {len(steps)} times: the checkpoint was whole each time, and the training is at step {steps[-1]:,}")


COMMANDS |= {
    "fuzz": (fuzz,
             argument("--minutes", type=functools.partial(positive, kind=float), default=1,
                      help="no batch of 500 programs begins later (default: 1)"),
             argument("--programs", type=positive, default=sys.maxsize, help="how many at most (default: no limit)"),
             argument("--device", choices=Device.makers, default="C", help="where they run (default: C)"),
             argument("--seed", type=int, help="of the first batch of 500; the next batch has the next (default: by "
                      "chance)"),
             argument("--jobs", type=positive, help="processes at once (default: as many as processors)")),
    "fuzz-worker": (fuzz_worker, argument("name"), argument("number", type=int), argument("count", type=int)),
    "edges": (edges,),
    "bits": (same_bits,),
    "aliasing": (aliasing, how_many("number", 1000, "random programs on NUMPY")),
    "sanitize": (sanitize, how_many("programs", 5000, "random programs")),
    "sanitize-worker": (sanitize_worker, argument("kind", choices=SANITIZERS),
                        *(argument(name, type=int) for name in ("number", "steps", "layers", "first"))),
    "oclgrind": (oclgrind,),
    "oclgrind-worker": (simulate, argument("mode"), argument("steps", type=int), argument("names", nargs="+")),
    "endurance": (endurance, how_many("number", 10_000, "steps and programs of each kind")),
    "hostile": (hostile, how_many("factor", 10, "how many times as often as the suite")),
    "files": (files, how_many("number", 100_000, "random files")),
    "kill": (kill, how_many("number", 50, "kills")),
    "portability": (portability,
                    argument("names", nargs="*", metavar="place", type=one_of(ELSEWHERE), help=", ".join(ELSEWHERE))),
}


def test_help_lists_every_command_in_a_line(capsys):
    with pytest.raises(SystemExit, match="0"):
        run_command(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and len(listed()) > 10
    for name, (function, *_) in COMMANDS.items():
        first = inspect.getdoc(function).splitlines()[0]
        assert [line.split(maxsplit=1) for line in lines].count([name, first]) == (not name.endswith("-worker"))


def test_every_command_has_a_help_and_a_function_that_takes_its_arguments(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")                                # so that argparse breaks no line
    for name, (function, *_) in COMMANDS.items():
        with pytest.raises(SystemExit, match="0"):
            run_command([name, "--help"])
        assert " ".join(inspect.getdoc(function).split()) in capsys.readouterr().out
        if not name.endswith("-worker"):
            options = vars(command_parser().parse_args([name]))
            assert options.pop("function") is function and inspect.signature(function).bind(**options)


@pytest.mark.parametrize("line, words", [
    ("nosuch", "there is no command 'nosuch', only bench, fuzz, edges, "),
    ("bench step nosuch", "argument part: there is no 'nosuch', only step, small, "),
    ("bench --rounds 0", "argument --rounds: should be a whole number greater than 0; it is '0'"),
    ("fuzz --minutes 0", "argument --minutes: should be a number greater than 0; it is '0'"),
    ("fuzz --programs 2.5", "argument --programs: should be a whole number greater than 0; it is '2.5'"),
    ("fuzz --device GPU", "argument --device: invalid choice: 'GPU'"),
    ("edges foo", "unrecognized arguments: foo"), ("bits 3", "unrecognized arguments: 3"),
    ("kill x", "argument N: should be a whole number greater than 0; it is 'x'"), ("files -5", "it is '-5'"),
    ("portability nosuch", "argument place: there is no 'nosuch', only gcc, clang, "),
])
def test_arguments_that_a_command_does_not_know_are_named(line, words, capsys):
    with pytest.raises(SystemExit, match="2"):
        run_command(line.split())
    error, = re.findall("error: (.*)", capsys.readouterr().err)
    assert words in error


def test_the_readme_gives_commands_that_there_are():
    lines = re.findall(r"`python\s+test_tiny\.py (\w[^`]*)`", README)
    named = {line.split()[0] for line in lines if command_parser().parse_args(line.split())}
    assert named == {name for name in COMMANDS if not name.endswith("-worker")}


@pytest.mark.parametrize("arguments", [[], ["-x", "-k", "softmax"]])
def test_without_a_command_the_tests_run(arguments, monkeypatch):
    monkeypatch.setattr(pytest, "main", lambda arguments: arguments)
    assert run_command(arguments) == [__file__, "-q", *arguments]


if __name__ == "__main__":
    sys.exit(run_command(sys.argv[1:]))
