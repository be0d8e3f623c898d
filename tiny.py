"""tiny: a deep-learning engine in one file, from Tensor to kernel.

The file reads top to bottom in the order in which data flows: the graph of what is to be computed; Tensor; gradients;
how a kernel finds the values it needs; its loops; its text in C or OpenCL; the fuser, which decides what is one kernel;
the devices that run it; the jit; layers and optimizers. It needs numpy; an OpenCL device also needs pyopencl, and the
C device a C compiler.
"""
import _ctypes, atexit, contextlib, copy, ctypes, functools, hashlib, itertools, json, linecache, math, os, platform, re
import shlex, shutil, signal, stat, subprocess, sys, tempfile, textwrap, threading, time, warnings, weakref, zlib
from collections import Counter, defaultdict, namedtuple
from pathlib import Path
from types import FunctionType, SimpleNamespace
import numpy as np

# ---------------------------------------------------------------------------------------------------------------------
# 1. Graph
#
# Everything that can be computed is a graph of one kind of node: an operation, its source nodes, an argument, and the
# shape and dtype of the result. Nothing runs when a node is made. Equal nodes are one object (hash-consing), so common
# subexpressions vanish as they are written, and two equal layers later give two equal kernels.
# ---------------------------------------------------------------------------------------------------------------------
float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
int8, uint8, int32, int64 = np.dtype("int8"), np.dtype("uint8"), np.dtype("int32"), np.dtype("int64")
uint32, bool_ = np.dtype("uint32"), np.dtype("bool")                    # uint32 serves the random generator
bfloat16 = np.dtype([("bfloat16", "<u2")])                              # NumPy has none: the upper half of a float32
DTYPES = {"float16": float16, "bfloat16": bfloat16, "float32": float32, "float64": float64, "int8": int8,
          "uint8": uint8, "int32": int32, "uint32": uint32, "int64": int64, "bool": bool_}
NAME_OF = {dtype: name for name, dtype in DTYPES.items()}
is_float = lambda dtype: dtype.kind in "fV"
is_short_float = lambda dtype: dtype in (float16, bfloat16)             # stored in 16 bits, computed with in float32


class Primitive:
    """A row of ELEMENTWISE. The gradients, a function for each source, are in Tensor operations."""

    def __init__(self, numpy, c, *gradients):
        self.numpy, self.c, self.gradients = numpy, c, gradients


def _power(a, b):
    """a ** b. For a negative power of integers NumPy raises; it is 0, but of 1 and -1, as in PyTorch."""
    if is_float(a.dtype):
        return np.power(a, b)
    return np.power(np.where((b < 0) & (abs(a) != 1), 0, a), np.where(b < 0, 2 - b % 2, b))


def _max_share(a, b):
    """What `a` gets of the gradient of max(a, b): equal operands share it equally, beside a NaN each gets all of it."""
    return (a == b).where(0.5, 1 - (a < b).cast(a.dtype))


# The primitives that compute. A row: what it means in NumPy, its text in C (where {t} is the type's name, and types,
# loads and the functions with a {t} come from the prelude of each dialect), and for each source its gradient, from the
# gradient g of the result, the result, and the sources.
ELEMENTWISE = {
    "add":   Primitive(np.add, "{0} + {1}", lambda g, out, a, b: g, lambda g, out, a, b: g),
    "mul":   Primitive(np.multiply, "{0} * {1}", lambda g, out, a, b: g * b, lambda g, out, a, b: g * a),
    "div":   Primitive(np.divide, "{0} / {1}", lambda g, out, a, b: g / b, lambda g, out, a, b: -g * out / b),
    "idiv":  Primitive(np.floor_divide, "idiv_{t}({0}, {1})"),
    "mod":   Primitive(np.mod, "mod_{t}({0}, {1})", lambda g, out, a, b: g, lambda g, out, a, b: -g * (a // b)),
    "pow":   Primitive(_power, "pow_{t}({0}, {1})",
                       lambda g, out, a, b: (b == 0).where(0, g * b * a ** (b - 1)),
                       lambda g, out, a, b: ((a == 0) & (b >= 0)).where(0, g * out * a.log())),
    "max":   Primitive(np.maximum, "max_{t}({0}, {1})",
                       lambda g, out, a, b: g * _max_share(a, b), lambda g, out, a, b: g * _max_share(b, a)),
    "lt":    Primitive(np.less, "{0} < {1}"),
    "le":    Primitive(np.less_equal, "{0} <= {1}"),
    "eq":    Primitive(np.equal, "{0} == {1}"),
    "ne":    Primitive(np.not_equal, "{0} != {1}"),
    "and":   Primitive(np.bitwise_and, "{0} & {1}"),
    "or":    Primitive(np.bitwise_or, "{0} | {1}"),
    "xor":   Primitive(np.bitwise_xor, "{0} ^ {1}"),
    "shl":   Primitive(np.left_shift, "shl_{t}({0}, {1})"),
    "shr":   Primitive(np.right_shift, "shr_{t}({0}, {1})"),
    "where": Primitive(np.where, "where_{t}({0}, {1}, {2})",
                       None, lambda g, out, c, a, b: c.where(g, 0), lambda g, out, c, a, b: c.where(0, g)),
    "sqrt":  Primitive(np.sqrt, "sqrt_{t}({0})", lambda g, out, a: g / (2 * out)),
    "exp":   Primitive(np.exp, "exp_{t}({0})", lambda g, out, a: g * out),
    "log":   Primitive(np.log, "log_{t}({0})", lambda g, out, a: g / a),
    "sigmoid": Primitive(lambda a: 1 / (1 + np.exp(-a)), "sigmoid_{t}({0})", lambda g, out, a: g * out * (1 - out)),
    "sin":   Primitive(np.sin, "sin_{t}({0})", lambda g, out, a: g * a.cos()),
    "trunc": Primitive(np.trunc, "trunc_{t}({0})"),
    "round": Primitive(np.rint, "rint_{t}({0})"),
    "cast":  Primitive(None, None, lambda g, out, a: g.cast(a.dtype)),
    "bitcast": Primitive(None, None),
}
COMPARISONS, COSTLY = {"lt", "le", "eq", "ne"}, {"exp", "log", "sigmoid", "sin"}


class Node:
    """One value of the graph: `op` applied to `sources` with `arg`; `shape` and `dtype` of the result.

    `device` is the name of the device that computes it. `buffer` is set once the value has been computed; the sources
    stay, so that a gradient can still be asked for.
    `line` is the (file, line number, "forward") of the user's Python that made the node first. What a gradient rule
    makes has that of the node whose gradient it is, with "gradient" in the third place: `origin.line` of the thread in
    which the rule runs. Nodes are numbered as they come.
    """
    __slots__ = ("op", "sources", "arg", "shape", "dtype", "device", "line", "buffer", "key", "number", "__weakref__")
    known = {}                                                          # weak references to all nodes, by their keys
    since = 0                           # nodes before this number are not found again: so a capture knows them apart
    origin = threading.local()

    def __new__(cls, op, sources=(), arg=None, shape=None, dtype=None, device=None):
        key = (op, sources, arg if op != "const" else repr(arg), shape, dtype, device)
        found = cls.known.get(key)
        node = found and found()
        if node is None or sources and node.number < cls.since:
            node = object.__new__(cls)
            node.op, node.sources, node.arg, node.buffer, node.key = op, sources, arg, None, key
            node.number = next(_serial)
            node.shape = sources[0].shape if shape is None else shape
            node.dtype = sources[0].dtype if dtype is None else dtype
            node.device = sources[0].device if device is None else device
            node.line = getattr(cls.origin, "line", None)
            if node.line is None:
                frame, own = sys._getframe(1), globals()
                while frame.f_globals is own and frame.f_back is not None:
                    frame = frame.f_back
                node.line = (frame.f_code.co_filename, frame.f_lineno, "forward")
            cls.known[key] = weakref.ref(node)
        return node

    def __del__(self):
        found = self.known.pop(getattr(self, "key", None), None)        # Ctrl-C may come before it has a key
        other = found and found()
        if other is not None and other is not self:                     # an equal node that another thread made
            self.known[self.key] = found

    @property
    def size(self):
        return math.prod(self.shape)

    def forget_sources(self):
        """Make a computed variable (what Tensor.assign gave it) a leaf: the steps before it can be freed."""
        if self.op == "detach" and self.arg is not None and self.buffer is not None:
            Node.known.pop(self.key, None)
            self.op, self.sources, self.key = "buffer", (), None

    def __repr__(self):
        return f"<{self.op} {NAME_OF[self.dtype]}{list(self.shape)}>"


def constant(value, dtype, shape, device):
    """A node of `shape` that holds `value` everywhere."""
    value = bool(value) if dtype == bool_ else float(value) if is_float(dtype) else int(value)
    node = cast(Node("const", (), value, (), float32 if is_short_float(dtype) else dtype, device), dtype)
    return expand(reshape(node, (1,) * len(shape)), shape)


def constant_of(node):
    """The value that a node from `constant` holds, otherwise None."""
    while node.op in ("reshape", "expand", "cast"):
        node = node.sources[0]
    return node.arg if node.op == "const" else None


def coordinates(n, device):
    """The integers 0 .. n-1: the coordinate along an axis, from which masks, one-hot rows and random counters come."""
    return Node("index", (), n, (n,), int32, device)


def elementwise(op, *sources):
    """Apply a row of ELEMENTWISE to nodes of equal shape and dtype (the condition of a where is bool)."""
    if op == "where":
        return Node(op, sources, None, sources[0].shape, sources[1].dtype)
    return Node(op, sources, None, None, bool_ if op in COMPARISONS else None)


def cast(node, dtype):
    return node if node.dtype == dtype else Node("cast", (node,), None, None, dtype)


# Movement: the same numbers in another order. None of these ever copies: the code generator asks their source at
# another index (section 4).
def reshape(node, shape):
    if node.op == "reshape":
        node = node.sources[0]
    return node if node.shape == shape else Node("reshape", (node,), shape, shape)


def expand(node, shape):
    """Repeat axes of size 1 to the sizes in `shape`, which has as many axes."""
    return node if node.shape == shape else Node("expand", (node,), shape, shape)


def permute(node, axes):
    long = [a for a in axes if node.shape[a] > 1]
    if long == sorted(long):                                            # only axes of size 1 move, if any
        return reshape(node, tuple(node.shape[a] for a in axes))
    return Node("permute", (node,), axes, tuple(node.shape[a] for a in axes))


def unpermute(node, axes):
    """The node that permute(_, axes) made this one of."""
    return permute(node, tuple(axes.index(a) for a in range(len(axes))))


def pad(node, widths):
    """Zeros around: `widths` is ((before, after), ...), one pair an axis."""
    if not any(b or a for b, a in widths):
        return node
    return Node("pad", (node,), widths, tuple(b + s + a for s, (b, a) in zip(node.shape, widths)))


def shrink(node, bounds):
    """The part within `bounds`, ((start, stop), ...), one pair an axis."""
    if all((start, stop) == (0, s) for s, (start, stop) in zip(node.shape, bounds)):
        return node
    return Node("shrink", (node,), bounds, tuple(stop - start for start, stop in bounds))


def flip(node, axes):
    return Node("flip", (node,), axes) if axes else node


def reduce(op, node, axes):
    """`op` ("sum" or "max_over") over `axes`, which stay with size 1.

    A long reduction is done in two steps, first parts of about 4,096 elements. If there are few results, threads can
    share the parts, and a float32 sum of millions of numbers one after the other would lose the small ones. If there
    are many, as in a product of long matrices, the operands of a part stay in the cache.
    """
    axes = tuple(a for a in axes if node.shape[a] != 1)
    if not axes:
        return node
    shape = tuple(1 if a in axes else n for a, n in enumerate(node.shape))
    count, a = node.size // math.prod(shape), max(axes, key=lambda axis: node.shape[axis])
    n, few = node.shape[a], math.prod(shape) <= 4096
    parts = min(n, -(-count // 4096)) if few else next((p for p in range(2, 65) if n % p == 0 and count <= 4096 * p), 1)
    if count <= (1 << 16 if few else 1 << 13) or parts == 1:
        return Node(op, (node,), axes, shape)
    whole = n - n % parts
    between = lambda start, stop: shrink(node, tuple((start, stop) if b == a else (0, m)
                                                     for b, m in enumerate(node.shape)))
    split = reshape(between(0, whole), node.shape[:a] + (parts, n // parts) + node.shape[a + 1:])
    partial = Node(op, (split,), tuple(b + (b >= a) for b in axes), shape[:a] + (parts,) + shape[a:])
    first = tuple(range(len(partial.shape))) if few else (a, *(b for b in range(len(partial.shape)) if b != a))
    stored = Node("contiguous", (permute(partial, first),))
    partial = reshape(unpermute(stored, first), shape[:a] + (parts,) + shape[a + 1:])
    result = reduce(op, partial, (a,))
    if whole == n:
        return result
    return elementwise("add" if op == "sum" else "max", result, reduce(op, between(whole, n), axes))


def gather(table, index):
    """Rows of `table` (rows, ...) at the integers `index` (any shape); a row out of range reads as zero."""
    return Node("gather", (table, index), None, index.shape + table.shape[1:], table.dtype)


def scatter(index, values, rows):
    """The gradient of gather: zeros of (rows, ...) to which values[i] is added at row index[i]."""
    return Node("scatter", (index, values), rows, (rows,) + values.shape[len(index.shape):], values.dtype)


# Operations that give their first source unchanged but mean something to the fuser or to gradients: `contiguous` asks
# for a buffer of its own, `detach` lets no gradient through, `function` has a gradient rule of the user's.
IDENTITY = {"contiguous", "detach", "function"}


def topological(roots, stop=lambda node: False, sources=lambda node: node.sources):
    """All nodes that `roots` need, sources first; what lies behind a node that `stop` holds for is left out."""
    order, seen, stack = {}, set(), list(reversed(roots))               # a dict keeps the first place of each
    while stack:
        node = stack[-1]
        if node in seen:                                                # seen before: so its sources are in order
            order[stack.pop()] = True
        else:
            seen.add(node)
            if not stop(node):
                stack.extend(reversed(sources(node)))
    return list(order)
# ---------------------------------------------------------------------------------------------------------------------
# 2. Tensor
#
# A Tensor is a thin handle on a node. Its methods check what they are given, settle dtypes and shapes, and add nodes to
# the graph. Nothing is computed until somebody looks at the numbers: numpy(), item(), tolist(), print or realize().
# ---------------------------------------------------------------------------------------------------------------------
class dtypes:
    """The number types under the names tinygrad has for them; Python's float, int and bool are float, int, bool."""
    float16, bfloat16, float32, float64, bool = float16, bfloat16, float32, float64, bool_
    int8, uint8, int32, uint32, int64 = int8, uint8, int32, uint32, int64
    half, float, double, char, uchar, int, uint, long = float16, float32, float64, int8, uint8, int32, uint32, int64


# Sums of narrow numbers are taken in wider ones. A float sum is rounded back, an integer sum stays wide.
ACCUMULATE = {float16: float32, bfloat16: float32, bool_: int32, int8: int32, uint8: uint32}
ON_BOOL = {"add": "or", "mul": "and", "max": "or", "ne": "xor"}         # what these mean between bools
ONLY_FLOAT, ONLY_INTEGER = {"div", "sqrt", "exp", "log", "sin", "sigmoid"}, {"and", "or", "xor", "shl", "shr"}
_serial = itertools.count()                                             # makes leaves differ that look the same
_capturing = None                                                       # a list while a jit captures: assigned Tensors
_lock = threading.RLock()               # of the thread that computes, captures or changes what Tensors and devices hold
if hasattr(os, "register_at_fork"):     # a fork waits for that thread: the child would be left with half of its work
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
atexit.register(_lock.acquire, timeout=10)              # and so does the exit: in C, other threads would be torn apart


def _alone(function):
    """Only one thread at a time is in the functions that are marked so."""
    @functools.wraps(function)
    def alone(*args, **kwargs):
        with _lock:
            return function(*args, **kwargs)
    return alone


@contextlib.contextmanager
def _uninterrupted():
    """Ctrl-C waits for the end of this block: what changes here belongs together."""
    usual, caught = signal.getsignal(signal.SIGINT), []
    concerned = callable(usual) and threading.current_thread() is threading.main_thread()
    try:
        if concerned:
            signal.signal(signal.SIGINT, lambda *call: caught.append(call))
        yield
    finally:
        if concerned:
            signal.signal(signal.SIGINT, usual)
        for call in caught[:1]:
            usual(*call)


def _require(fits, message, *values, kind=ValueError):
    """Raise `kind` with `message`, in which the `values` take the place of {}, unless it fits."""
    if not fits:
        raise kind(message.format(*values))


def _require_tensors(what, values):
    """Raise TypeError unless all `values` are Tensors."""
    for i, x in enumerate(values):
        _require(isinstance(x, Tensor), "{} {} must be a Tensor, got {}", what, i, type(x).__name__, kind=TypeError)


def _require_target(op, target):
    """Raise TypeError unless what a loss is compared with is a Tensor."""
    _require(isinstance(target, Tensor), "{}: target must be a Tensor, got {}", op, type(target).__name__,
             kind=TypeError)


def as_dtype(dtype):
    """The np.dtype meant by a name ("half", "float32"), a type (float, np.float32) or an np.dtype."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", None)
    found = dtype if isinstance(dtype, np.dtype) else vars(dtypes).get(name)
    _require(found in NAME_OF, "dtype {} is not supported: use one of {}", dtype, [*DTYPES], kind=TypeError)
    return found


def promote(a, b):
    """The dtype of a result of `a` and `b`: a float wins over an integer, within a kind the one that holds both."""
    if a == b:
        return a
    if is_float(a) != is_float(b):
        return a if is_float(a) else b
    if is_float(a):
        return float32 if a.itemsize == b.itemsize else max(a, b, key=lambda dtype: dtype.itemsize)
    wider = np.promote_types(a, b)
    return wider if wider in NAME_OF else int32                         # int8 with uint8: NumPy has an int16


@functools.cache
def _result_dtype(*kinds):
    """The dtype of Tensors, given by dtype, and scalars, by type, together; these decide only if of a higher kind."""
    dtype = functools.reduce(promote, [kind for kind in kinds if isinstance(kind, np.dtype)] or [bool_])
    if float in kinds and not is_float(dtype):
        return float32
    return int32 if int in kinds and dtype == bool_ else dtype


def _plain(op, x, device):
    """What may stand beside a Tensor: a list or an array as a Tensor, a NumPy scalar as Python's."""
    _require(isinstance(x, (list, np.ndarray, np.generic)), "{}: an operand must be a Tensor, a number, a list or an "
             "array, got {}", op, type(x).__name__, kind=TypeError)
    return x.item() if isinstance(x, np.generic) else Tensor(x, device=device)


def _require_fits(value, dtype):
    """Raise ValueError if `dtype` holds integers, but none as great or small as `value`."""
    if dtype.kind in "iu":
        _require(np.iinfo(dtype).min <= value <= np.iinfo(dtype).max, "{} does not fit in {}", value, dtype)


def _constant(value, dtype, shape, device):
    """A node that holds `value` everywhere, if the dtype can."""
    _require_fits(value, dtype)
    return constant(value, dtype, shape, device)


def _operands(op, values, device):
    """Nodes of one dtype for Tensors, which are on `device`, and what stands beside them."""
    values = [x if type(x) in (Tensor, float, int, bool) else _plain(op, x, device) for x in values]
    dtype = _result_dtype(*[x.node.dtype if type(x) is Tensor else type(x) for x in values])
    nodes = [cast(x.node, dtype) if type(x) is Tensor else _constant(x, dtype, (), device) for x in values]
    for node in nodes:
        if node.device != device:
            raise ValueError(f"{op}: operands are on different devices, {device} and {node.device}; copy with to()")
    return nodes


def _pair(op, a, b):
    """Two operands, of which one may be a scalar, as Tensors of one dtype."""
    device = (a if isinstance(a, Tensor) else b).device
    return [Tensor._of(node) for node in _operands(op, (a, b), device)]


@functools.lru_cache(1000)
def _broadcast_shape(op, *shapes):
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(f"{op}: shapes {' and '.join(map(str, shapes))} do not broadcast together") from None


def _broadcast(node, shape):
    """The node with new axes in front, and axes of size 1 repeated."""
    return expand(reshape(node, (1,) * (len(shape) - len(node.shape)) + node.shape), shape)


def _apply(op, *values):
    """Apply a row of ELEMENTWISE to Tensors and scalars: dtype rules and broadcasting are here and nowhere else."""
    device = (values[0] if isinstance(values[0], Tensor) else values[1]).node.device
    condition = [values[0].node] if op == "where" else []
    nodes = _operands(op, values[len(condition):], device)
    op, compute, dtype = _row_dtypes(op, nodes[0].dtype)
    nodes = condition + nodes if compute == nodes[0].dtype else condition + [cast(node, compute) for node in nodes]
    shape = _broadcast_shape(op, *[node.shape for node in nodes])
    result = elementwise(op, *[node if node.shape == shape else _broadcast(node, shape) for node in nodes])
    return Tensor._of(cast(result, dtype))


@functools.cache
def _row_dtypes(op, dtype):
    """What a row of ELEMENTWISE does to operands of `dtype`: the row to apply, the dtype it takes, and the result's."""
    if op in ONLY_INTEGER and is_float(dtype):
        raise TypeError(f"{op}: needs integers or bools, got {NAME_OF[dtype]}")
    if op in ONLY_FLOAT and not is_float(dtype):
        dtype = float32
    compute = float32 if is_short_float(dtype) else dtype
    if dtype == bool_:
        op, dtype = ON_BOOL.get(op, op), int32 if op in {"idiv", "mod", "pow", "shl", "shr"} else bool_
        compute = uint8 if op in COMPARISONS else dtype
    return op, compute, bool_ if op in COMPARISONS else dtype


def _contract(axes, *tensors):
    """Sum over `axes` of the product of Tensors that broadcast together: matrix products and convolutions end here."""
    dtype = functools.reduce(promote, [x.dtype for x in tensors])
    product = functools.reduce(Tensor.mul, [x.cast(ACCUMULATE.get(dtype, dtype)) for x in tensors]).sum(axes)
    return product.cast(dtype) if is_float(dtype) else product


def _ints(op, arguments, lowest=0):
    """The integers of f(1, 2), f((1, 2)) or f([1, 2]), none below `lowest`."""
    if len(arguments) == 1 and isinstance(arguments[0], (tuple, list)):
        arguments = arguments[0]
    fits = all(isinstance(a, (int, np.integer)) and a >= lowest for a in arguments)
    _require(fits, "{}: needs integers, none below {}, got {}", op, lowest, tuple(arguments))
    return tuple(map(int, arguments))


def _two(op, value, lowest=1):
    """A pair of integers for the two axes of an image, of which one may stand for both."""
    pair = _ints(op, value if isinstance(value, (tuple, list)) else (value, value), lowest)
    _require(len(pair) == 2, "{}: takes one number or two, for height and width, not {}", op, value)
    return pair


def _index(k):
    """One entry of an index: lists become arrays, and what cannot index raises."""
    k = np.array(k, None if k else int32) if isinstance(k, list) else k
    kind = k.dtype.kind if isinstance(k, (Tensor, np.ndarray, np.generic)) else type(k).__name__
    _require(kind[0] != "b", "index: what a mask selects depends on data; use mask.where(x, other)", kind=IndexError)
    _require(kind in ("i", "u", "int", "slice", "NoneType", "ellipsis"),
             "index: takes ints, slices, None, ... and integer Tensors, got {}", k, kind=IndexError)
    return int(k) if isinstance(k, np.integer) else k


def _leaf(array, device):
    """A node that holds a copy of `array`."""
    node = Node("buffer", (), next(_serial), array.shape, array.dtype, device)
    node.buffer = Buffer.from_numpy(device, array)
    return node


def _formula(doc, function):
    """A method of Tensor that is one expression."""
    function.__doc__ = doc
    return function


def _activation(doc, formula):
    """A method of Tensor that is a function of each element."""
    return _formula(doc, _in_float32(lambda x: Activation.apply(x, formula=formula)))


def _in_float32(method):
    """A method of Tensor that rounds 16-bit floats only at its end: its squares, products or sums go beyond them, and
    what little a difference leaves of rounded numbers would be wrong."""
    @functools.wraps(method)
    def wide(self, *args, **kwargs):
        dtype = functools.reduce(promote, [x.dtype for x in (self, *args, *kwargs.values()) if isinstance(x, Tensor)])
        if not is_short_float(dtype):
            return method(self, *args, **kwargs)
        return method(self.cast(float32), *args, **kwargs).cast(dtype)
    return wide


def _row(op, doc):
    """A method of Tensor that applies the row `op` of ELEMENTWISE."""
    return _formula(doc, lambda self, *others: _apply(op, self, *others))


class Tensor:
    """An array of numbers of one dtype on one device, computed when it is looked at.

    `data` is a number, nested lists or a NumPy array, which is copied. Python's floats become float32 and its integers
    int32, or raise ValueError if that holds none so great; an array keeps its dtype. With `requires_grad`, backward()
    leaves a gradient in `grad`.
    """
    training = False                                                    # see train()
    _grad, _requires_grad = None, None
    _trainable = weakref.WeakValueDictionary()                          # id: Tensor, those with requires_grad or a grad
    _along = weakref.WeakValueDictionary()                              # what an optimizer's next step() also computes
    __array_ufunc__ = None                                              # array + tensor is ours to compute
    __hash__ = object.__hash__                                          # by identity, though == is by element

    def __init__(self, data, dtype=None, requires_grad=None, device=None):
        try:
            data = data._array() if isinstance(data, Tensor) else data
            array = np.array(data)
        except ValueError:
            raise ValueError("Tensor: nested lists must have equal lengths on each level") from None
        if hasattr(data, "dtype"):
            dtype = as_dtype(dtype or array.dtype)
        else:                                                           # Python's numbers
            dtype = as_dtype(dtype or {float64: float32, int64: int32}.get(array.dtype, array.dtype))
            for value in (array.min(), array.max()) if dtype.kind in "iu" and array.size else ():
                _require_fits(np.asarray(value).item(), dtype)
        self.node = _leaf(cast_array(array, dtype), device or Device.DEFAULT)
        self.requires_grad = requires_grad

    @classmethod
    def _of(cls, node, requires_grad=None):
        """A Tensor on `node`. An empty result is a constant, so that nothing is ever computed on no data."""
        self = object.__new__(cls)
        empty = 0 in node.shape and node.op != "buffer"
        self.node = constant(0, node.dtype, node.shape, node.device) if empty else node
        if requires_grad is not None:
            self.requires_grad = requires_grad
        return self

    @_alone
    def _set_requires_grad(self, wanted):
        if wanted:
            _require(is_float(self.dtype), "requires_grad: {} has no gradient, only floats", self.dtype, kind=TypeError)
            if not self._requires_grad:                                 # a capture may have taken it for a constant
                Capture.notice(self, self.node)
            if self.node.op != "buffer":                                # equal values, yet a gradient of its own
                self.node = Node("contiguous", (self.node,), next(_serial))
            Tensor._trainable[id(self)] = self
        elif self._grad is None:
            Tensor._trainable.pop(id(self), None)
        self._requires_grad = wanted

    def _get_grad(self):
        if _capturing is not None:
            Capture.looked.add(id(self))
        return self._grad

    @_alone
    def _set_grad(self, gradient):
        self._get_grad()                                                # for a jit to know
        if gradient is not None:
            _require_tensors("grad: gradient", [gradient])
            _require(gradient.shape == self.shape, "grad: a gradient of shape {} is not one of a Tensor of shape {}",
                     gradient.shape, self.shape)
            Tensor._trainable[id(self)] = self
        self._grad = gradient

    requires_grad = property(lambda self: self._requires_grad, _set_requires_grad, doc="Does backward() set `grad`?")
    grad = property(_get_grad, _set_grad, doc="The gradient, a Tensor of this shape, or None.")
    shape = property(lambda self: self.node.shape, doc="Sizes of the axes.")
    dtype = property(lambda self: self.node.dtype, doc="Type of the numbers, an np.dtype.")
    device = property(lambda self: self.node.device, doc="Name of the device that holds the numbers.")
    ndim = property(lambda self: len(self.node.shape), doc="Number of axes.")
    T = property(lambda self: self.permute(*range(self.ndim)[::-1]), doc="All axes in reverse order.")
    numel = _formula("Number of elements.", lambda self: self.node.size)
    element_size = _formula("Bytes of an element.", lambda self: self.dtype.itemsize)
    nbytes = _formula("Bytes of all elements.", lambda self: self.node.size * self.dtype.itemsize)

    def size(self, dim=None):
        """The shape, or the size of axis `dim`."""
        return self.shape if dim is None else self.shape[self._axis("size", dim)]

    # ---- out of the graph ----
    @_alone
    def realize(self, *others):
        """Compute these Tensors now, all together; returns the first."""
        if _capturing is not None:                                      # the jit computes everything at the end
            return self
        tensors = (self, *others)
        for x in tensors:
            if constant_of(x.node) is not None:                         # others share it: take a buffer of its own
                Capture.notice(x, x.node)
                x.node = Node("contiguous", (x.node,), next(_serial))
            if not x.node.size:
                x.node.buffer = Buffer.from_numpy(x.device, np.zeros(x.shape, x.dtype))
        lazy = [x.node for x in tensors if x.node.buffer is None]
        if lazy:
            realize(lazy)
        for x in tensors:
            x.node.forget_sources()
        return self

    @_alone
    def _array(self):
        """The numbers as a new array; bfloat16 as it is stored."""
        _require(_capturing is None, "jit: a value is read inside a captured function; a replay would not read it "
                 "again. Return the Tensor and read it outside", kind=RuntimeError)
        return self.realize().node.buffer.numpy()

    def numpy(self):
        """The numbers as a new NumPy array (bfloat16 as float32)."""
        return cast_array(self._array(), float32) if self.dtype == bfloat16 else self._array()

    def item(self):
        """The only element, as a Python number."""
        _require(self.numel() == 1, "item: only one element is a number, this Tensor has shape {}", self.shape)
        return self.numpy().item()

    tolist = _formula("The numbers as nested lists.", lambda self: self.numpy().tolist())

    def __repr__(self):
        values = np.array2string(self.numpy(), separator=", ", prefix="Tensor(")
        return f"Tensor({values}, dtype={NAME_OF[self.dtype]}, device={self.device})"

    @_alone
    def graph(self, kernels=None):
        """The graph that is still to be computed, as a tree in text: a node a line, with its shape, dtype and the line
        of Python that made it. With `kernels` (usual when DEBUG is 3 or more) it is planned, and shows which part of it
        is which kernel."""
        found = plans([self.node]) if self.node.size and (debug() >= 3 if kernels is None else kernels) else []
        return drawn([self.node], *next(((order, plan.kernels) for _, plan, order, *_ in found), ()))

    def _repr_html_(self):
        """For a notebook: the numbers if they are there, otherwise the graph and its kernels. Computes nothing."""
        import html                                                     # which takes half a megabyte
        computed = self.node.buffer is not None and _capturing is None
        parts = [(repr(self.node) + " on " + self.device, repr(self) if computed else self.graph(kernels=True))]
        found = kernels(self) if hasattr(Device[self.device], "lanes") else []
        parts += [(f"{kernel.name}  {lines_of(kernel)}", kernel.source) for kernel in found]
        return "".join(f"<details{' open' * (i == 0)}><summary><code>{html.escape(title)}</code></summary>"
                       f"<pre>{html.escape(text)}</pre></details>" for i, (title, text) in enumerate(parts))

    def __reduce__(self):
        """For pickle and copy.deepcopy: the numbers, not the graph."""
        return Tensor, (self._array(), None, self.requires_grad, self.device)

    def __len__(self):
        _require(self.ndim, "len: a Tensor without axes has no length", kind=TypeError)
        return self.shape[0]

    __iter__ = _formula("The parts along the first axis.", lambda self: (self[i] for i in range(len(self))))
    __bool__ = _formula("Whether the only element is not 0.", lambda self: bool(self.item()))
    __int__ = _formula("The only element as an int.", lambda self: int(self.item()))
    __float__ = _formula("The only element as a float.", lambda self: float(self.item()))
    __format__ = _formula("The only element in a format, or without one what print shows.",
                          lambda self, spec: format(self.item(), spec) if spec else repr(self))
    __array__ = _formula("For NumPy.", lambda self, dtype=None, copy=None: np.asarray(self.numpy(), dtype))

    def assign(self, x):
        """Take the values of `x`, which broadcasts to this shape. Whoever used the old values keeps them."""
        return self._become(Node("detach", (self._fitted(x).node,), next(_serial)))

    def _fitted(self, x):
        """`x` as a Tensor of this shape and dtype."""
        node = _operands("assign", [self, x], self.device)[1]           # beside self a number has as many digits
        fits = is_float(self.dtype) or not is_float(node.dtype)
        _require(fits, "assign: {} values do not go into {}", node.dtype, self.dtype, kind=TypeError)
        fits = _broadcast_shape("assign", self.shape, node.shape) == self.shape
        _require(fits, "assign: shape {} does not broadcast to {}", node.shape, self.shape)
        return Tensor._of(_broadcast(node, self.shape)).cast(self.dtype)

    @_alone
    def _become(self, node):
        Capture.notice(self, self.node)
        if _capturing is not None:
            _capturing.append((self, self.node))
        self.node = node
        return self

    @_alone
    def _replace(self, x):
        """As assign, for += and x[...] = v: through new values that depend on parameters, gradients flow to these. Not
        if this Tensor is itself a parameter: a step of an optimizer is no part of the next loss."""
        x = self._fitted(x)
        return self.assign(x) if self.requires_grad or not depends_on_parameters(x.node) else self._become(x.node)

    def _same(self):
        """What an operation that has nothing to do returns: a Tensor of its own, as self may be assigned later."""
        return Tensor._of(self.node)

    def contiguous(self):
        """The same values in a buffer of their own."""
        return self._same() if self.node.buffer else Tensor._of(Node("contiguous", (self.node,), next(_serial)))

    detach = _formula("The same, but no gradient flows through.", lambda self: Tensor._of(Node("detach", (self.node,))))

    def to(self, device):
        """A copy on another device; this Tensor itself if it is there already."""
        return self if device in (None, self.device) else Tensor(self._array(), device=device)

    def cast(self, dtype):
        """The values as `dtype`; floats become integers by dropping the fraction, anything but 0 is True."""
        dtype = as_dtype(dtype)
        return self != 0 if dtype == bool_ != self.dtype else Tensor._of(cast(self.node, dtype))

    def bitcast(self, dtype):
        """The bits read as another dtype of the same size."""
        own, dtype = self.dtype, as_dtype(dtype)
        _require(dtype.itemsize == own.itemsize, "bitcast: {} and {} differ in size", NAME_OF[own], NAME_OF[dtype])
        if bool_ in (own, dtype):                                       # which is a byte of 0 or 1
            return self.cast(dtype)
        return self._same() if dtype == own else Tensor._of(Node("bitcast", (self.node,), None, None, dtype))

    # ---- random numbers ----
    # No hidden state: the state of a device is a Tensor [seed, position], and number i of a draw is a function of seed
    # and position + i alone. So all devices draw the same numbers.
    _seed, _random, _random_host = int(time.time()), {}, {}             # by device: the state, and where it is

    @staticmethod
    @_alone
    def manual_seed(seed=0):
        """Start the random numbers of all devices again from `seed`."""
        _require(_capturing is None, "jit: manual_seed() in a captured function; a replay would not start the random "
                 "numbers again. Call it outside", kind=RuntimeError)
        Tensor._seed, Tensor._random_host = seed & 0xffffffff, {}
        for device in Tensor._random:
            Tensor._set_random(device, 0)

    @staticmethod
    def _set_random(device, position):
        node = _leaf(np.array([Tensor._seed, position & 0xffffffff], uint32), device)
        Tensor._random_host[device] = position
        Tensor._random.setdefault(device, Tensor._of(node)).node = node

    @staticmethod
    @_alone
    def _random_words(op, shape, device):
        """Two random uint32 Tensors: threefry2x32 with 13 rounds (Salmon et al., Parallel random numbers, 2011)."""
        shape = _ints(op, shape)
        if device not in Tensor._random:
            Tensor._set_random(device, 0)
        state, n = Tensor._of(Tensor._random[device].node), math.prod(shape)
        if _capturing is not None:
            Tensor._random[device].assign(state + Tensor.arange(2, dtype=uint32, device=device) * n)
        else:
            if device not in Tensor._random_host:                       # a jit has moved the state on
                Tensor._random_host[device] = state.tolist()[1]
            Tensor._set_random(device, Tensor._random_host[device] + n)
        keys = state[0], 0, state[0] ^ 0x1bd11bda
        x = Tensor.arange(n, dtype=uint32, device=device).reshape(shape) + state[1] + keys[0]
        y = x.zeros_like()
        for turn in range(13):
            bits = (13, 15, 26, 6, 17, 29, 16, 24)[turn % 8]
            x = x + y
            y = (y << bits | y >> 32 - bits) ^ x
            if turn % 4 == 3:                                           # every four rounds the keys go in again
                step = turn // 4 + 1
                x, y = x + keys[step % 3], y + keys[(step + 1) % 3] + step
        return x, y

    # ---- movement ----
    def _axis(self, op, axis, ndim=None):
        """The axis, counted from the front."""
        ndim = self.ndim if ndim is None else ndim
        if not isinstance(axis, (int, np.integer)) or not -ndim <= axis < ndim:
            raise IndexError(f"{op}: no axis {axis} in shape {self.shape}")
        return int(axis) % ndim

    def _axes(self, op, axis):
        """The axes meant by an int, a tuple, or None for all."""
        axis = range(self.ndim) if axis is None else axis
        axes = tuple([self._axis(op, a) for a in (axis if isinstance(axis, (tuple, list, range)) else (axis,))])
        _require(len(set(axes)) == len(axes), "{}: axis {} names an axis twice", op, axis)
        return axes

    def reshape(self, *shape):
        """The elements in the same order in another shape; one size may be -1."""
        wanted = shape = _ints("reshape", shape, -1)
        if -1 in wanted:
            missing = self.numel() // max(1, abs(math.prod([n for n in wanted if n != -1])))
            shape = tuple([missing if n == -1 else n for n in wanted])
        fits = wanted.count(-1) < 2 and math.prod(shape) == self.numel()
        _require(fits, "reshape: shape {} has {} elements, which do not fill {}", self.shape, self.numel(), wanted)
        return Tensor._of(reshape(self.node, shape))

    view = reshape

    def permute(self, *order):
        """The axes in another order."""
        axes = self._axes("permute", _ints("permute", order, -self.ndim))
        _require(len(axes) == self.ndim, "permute: order {} does not name all axes of shape {}", axes, self.shape)
        return Tensor._of(permute(self.node, axes))

    def transpose(self, dim0=1, dim1=0):
        """Two axes swapped."""
        a, b, order = self._axis("transpose", dim0), self._axis("transpose", dim1), list(range(self.ndim))
        order[a], order[b] = b, a
        return self.permute(order)

    def movedim(self, source, destination):
        """One axis moved to another place."""
        order = list(range(self.ndim))
        order.insert(self._axis("movedim", destination), order.pop(self._axis("movedim", source)))
        return self.permute(order)

    def expand(self, *shape):
        """Axes of size 1 repeated, and axes added in front; -1 keeps a size."""
        wanted = _ints("expand", shape, -1)
        own = (1,) * (len(wanted) - self.ndim) + self.shape
        fits = len(own) == len(wanted) and all([n == 1 or m in (n, -1) for n, m in zip(own, wanted)])
        _require(fits, "expand: shape {} does not expand to {}", self.shape, wanted)
        return Tensor._of(_broadcast(self.node, tuple([n if m == -1 else m for n, m in zip(own, wanted)])))

    def flatten(self, start_dim=0, end_dim=-1):
        """Axes start_dim .. end_dim as one."""
        x = self if self.ndim else self.reshape(1)
        start, end = x._axis("flatten", start_dim), x._axis("flatten", end_dim)
        _require(start <= end, "flatten: axis {} comes after axis {} in shape {}", start_dim, end_dim, self.shape)
        return x.reshape(*x.shape[:start], math.prod(x.shape[start:end + 1]), *x.shape[end + 1:])

    def unflatten(self, dim, sizes):
        """Axis `dim` as several of these sizes, of which one may be -1."""
        dim = self._axis("unflatten", dim)
        rest = self.shape[dim] // max(1, abs(math.prod(sizes)))         # of other axes that are empty, it knows nothing
        sizes = [rest if n == -1 else n for n in sizes]
        return self.reshape(*self.shape[:dim], *sizes, *self.shape[dim + 1:])

    def squeeze(self, dim=None):
        """Without the axes (or without axis `dim`) of size 1."""
        axes = self._axes("squeeze", dim)
        return self.reshape([n for a, n in enumerate(self.shape) if n != 1 or a not in axes])

    def unsqueeze(self, dim):
        """With a new axis of size 1 at place `dim`."""
        dim = self._axis("unsqueeze", dim, self.ndim + 1)
        return self.reshape(self.shape[:dim] + (1,) + self.shape[dim:])

    def pad(self, padding, value=0.0):
        """`value` around: ((before, after) or None for each axis), or as in PyTorch (before, after, ...) from the last
        axis on. Negative widths cut off."""
        pairs = list(padding)
        if all(isinstance(p, (int, np.integer)) for p in pairs):
            pairs = [pairs[i:i + 2] for i in range(0, len(pairs), 2)]
            pairs = [None] * (self.ndim - len(pairs)) + pairs[::-1]
        pairs = [_ints("pad", (p or (0, 0),), -math.inf) for p in pairs]
        fits = len(pairs) == self.ndim and all(len(p) == 2 for p in pairs)
        _require(fits, "pad: {} does not give a pair of widths for each axis of shape {}", padding, self.shape)
        inner = self.shrink([(max(0, -b), n - max(0, -a)) for n, (b, a) in zip(self.shape, pairs)])
        widths = tuple((max(0, b), max(0, a)) for b, a in pairs)
        padded = Tensor._of(pad(inner.node, widths))
        if not inner.numel():
            return Tensor.full(padded.shape, value, self.dtype, device=self.device)
        if value == 0 or padded.shape == inner.shape:
            return padded
        return Tensor._of(pad(inner.ones_like(dtype=bool_).node, widths)).where(padded, value)

    def shrink(self, bounds):
        """The part between `bounds`: (start, stop) or None for each axis."""
        pairs = tuple([_ints("shrink", (pair or (0, n),)) for n, pair in zip(self.shape, bounds)])
        fits = len(bounds) == self.ndim and all(0 <= i <= j <= n for n, (i, j) in zip(self.shape, pairs))
        _require(fits, "shrink: bounds {} do not lie in shape {}", bounds, self.shape)
        return Tensor._of(shrink(self.node, pairs))

    def _at(self, axis, pair):
        """What pad and shrink take to change one axis alone."""
        return [pair if a == axis else None for a in range(self.ndim)]

    def flip(self, axis, *others):
        """Backwards along these axes."""
        return Tensor._of(flip(self.node, self._axes("flip", _ints("flip", (axis, *others), -self.ndim))))

    def __getitem__(self, key):
        """The part of the array that NumPy would give for ints, slices, None, ... and integer arrays or Tensors.

        Integer arrays may also be lists; negative ones count from the end. For bool masks use where().
        """
        key = [_index(k) for k in (key if isinstance(key, tuple) else (key,))]
        named = sum(k is not None and k is not Ellipsis for k in key)
        dots = [i for i, k in enumerate(key) if k is Ellipsis] or [len(key)]
        _require(named <= self.ndim and len(dots) < 2, "index: {} indices and {} times ... are too many for shape {}",
                 named, len(dots), self.shape, kind=IndexError)
        arrays = [i for i, k in enumerate(key) if isinstance(k, (int, Tensor, np.ndarray))]
        key[dots[0]:dots[0] + 1] = [slice(None)] * (self.ndim - named)

        # First ints, slices and None, which are movement. Axes with an array as index stay whole for the time being.
        bounds, steps, flipped, shape, tensors = [], [], [], [], {}     # tensors: by axis of the result so far
        for k in key:
            if k is None:
                shape.append(1)
                continue
            axis, n, places = len(bounds), self.shape[len(bounds)], range(self.shape[len(bounds)])
            if isinstance(k, (int, np.ndarray)):
                inside = np.all((-n <= k) & (k < n))
                _require(inside, "index: {} is out of bounds for axis {} of size {}", k, axis, n, kind=IndexError)
            if isinstance(k, (Tensor, np.ndarray)):
                tensors[len(shape)] = k if isinstance(k, Tensor) else Tensor(k.astype(int32), device=self.device)
            else:
                places = places[k] if isinstance(k, slice) else places[k:][:1]
            start, step = places.start, places.step
            if step < 0:
                flipped.append(axis)
                start, step = n - 1 - start, -step
            bounds.append((start, min(start + step * len(places), n)))
            steps.append(step)
            shape += [] if isinstance(k, int) else [len(places)]
        x = self.flip(flipped).shrink(bounds)
        if max(steps, default=1) > 1:                                   # rows of `step` elements: take each row's first
            x = x.pad([(0, -n % step) for n, step in zip(x.shape, steps)])
            x = x.reshape([size for n, step in zip(x.shape, steps) for size in (n // step, step)])
            x = x.shrink([None, (0, 1)] * self.ndim)
        x = x.reshape(shape)
        # The axes of arrays that stand side by side (an int beside an array counts as one) come in their place.
        return x._take(tensors, min(tensors) if arrays[-1] - arrays[0] < len(arrays) else 0) if tensors else x

    def _take(self, tensors, front):
        """Elements at integer Tensors, given by axis, which broadcast together; their axes come at place `front`."""
        rest = [a for a in range(self.ndim) if a not in tensors]
        row, table = None, self.permute(*tensors, *rest)                # row: its number, those axes taken as one
        for n, index in zip(table.shape, tensors.values()):
            if index.dtype in (int64, uint32):                          # what int32 does not hold is out of range too
                index = index.cast(int64)
                index = ((index >= -n) & (index < n)).where(index, n)
            index = index.cast(int32)
            index = (index < 0).where(index + n, index)
            row = index if row is None else row * n + index
        table = table.flatten(0, len(tensors) - 1)
        shape, order = row.shape + table.shape[1:], list(range(row.ndim + len(rest)))
        taken = gather(table.node, row.node) if table.numel() else constant(0, self.dtype, shape, self.device)
        order = order[row.ndim:row.ndim + front] + order[:row.ndim] + order[row.ndim + front:]
        return Tensor._of(taken).permute(order)

    def __setitem__(self, key, value):
        """Put `value` into the part that ints and slices name; like assign, for this Tensor only."""
        whole = Tensor.zeros(self.shape, device=self.device).contiguous()
        part = whole[key]
        if any(node.op == "gather" for node in topological([part.node])):
            raise IndexError("setitem: the index must be made of ints, slices, None and ...; use where() instead")
        # The gradient of the movements that lead to the part moves numbers back to where they belong, among zeros.
        parts = part.zeros_like(dtype=self.dtype)._fitted(value), part.ones_like(dtype=bool_)
        (value,), (inside,) = [gradients(part.node, [whole.node], x) for x in parts]
        if part.numel():
            self._replace(inside.where(value, self))

    def _places(self, axis):
        """The coordinate along `axis`, of a shape that broadcasts with self."""
        axis = self._axis("coordinate", axis)
        return Tensor.arange(self.shape[axis], device=self.device).reshape([-1] + [1] * (self.ndim - 1 - axis))

    def gather(self, dim, index):
        """result[i][j][k] = self[i][index[i][j][k]][k] for dim=1: along `dim`, the element that `index` names."""
        _require_tensors("gather: index", [index])
        dim, sizes = self._axis("gather", dim), enumerate(zip(index.shape, self.shape))
        fits = index.ndim == self.ndim and all(a == dim or m <= n for a, (m, n) in sizes) and not is_float(index.dtype)
        _require(fits, "gather: {} index of shape {} does not fit axis {} of shape {}", index.dtype, index.shape, dim,
                 self.shape)
        return self[tuple([index if a == dim else index._places(a) for a in range(self.ndim)])]

    def cat(self, *others, dim=0):
        """Tensors one after the other along axis `dim`."""
        _require(isinstance(self, Tensor), "cat: takes Tensors one by one, as in Tensor.cat(x, y), not a {}",
                 type(self).__name__, kind=TypeError)
        pieces = [Tensor._of(node) for node in _operands("cat", [self, *others], self.device)]
        dim, shapes = self._axis("cat", dim), [x.shape for x in pieces]
        _require(len({(len(shape), *shape[:dim], *shape[dim + 1:]) for shape in shapes}) == 1,
                 "cat: shapes {} differ in more than axis {}", shapes, dim)
        pieces = [x for x in pieces if x.shape[dim]] or pieces[:1]
        ends = [*itertools.accumulate(x.shape[dim] for x in pieces)]
        padded = [x.pad(self._at(dim, (end - x.shape[dim], ends[-1] - end))) for x, end in zip(pieces, ends)]
        result = padded[0]
        for x, start in zip(padded[1:], ends):
            result = (x._places(dim) < start).where(result, x)
        return result

    def stack(self, *others, dim=0):
        """Tensors of one shape along a new axis at place `dim`."""
        _require(isinstance(self, Tensor), "stack: takes Tensors one by one, as in Tensor.stack(x, y), not a {}",
                 type(self).__name__, kind=TypeError)
        nodes = _operands("stack", [self, *others], self.device)
        x, *others = [Tensor._of(node).unsqueeze(dim) for node in nodes]
        return x.cat(*others, dim=dim)

    def split(self, sizes, dim=0):
        """Consecutive parts along axis `dim`, of these sizes or of one size (the last may be smaller)."""
        dim, n, listed = self._axis("split", dim), self.size(dim), isinstance(sizes, (tuple, list))
        sizes = [*_ints("split", (sizes,), 0 if listed else 1)]
        sizes = sizes if listed else [min(sizes[0], n - i) for i in range(0, n, sizes[0])]
        _require(sum(sizes) == n, "split: parts of {} do not add up to axis {} of shape {}", sizes, dim, self.shape)
        return tuple(self.shrink(self._at(dim, (end - n, end))) for n, end in zip(sizes, itertools.accumulate(sizes)))

    def chunk(self, chunks, dim=0):
        """At most `chunks` parts of equal size (the last may be smaller) along axis `dim`."""
        chunks, = _ints("chunk", (chunks,), 1)
        return self.split(max(1, -(-self.size(dim) // chunks)), dim)

    def repeat(self, *repeats):
        """The whole array that many times along each axis."""
        repeats = _ints("repeat", repeats)
        _require(len(repeats) >= self.ndim, "repeat: {} is too short for shape {}", repeats, self.shape)
        shape = (1,) * (len(repeats) - self.ndim) + self.shape
        x = self.reshape([size for n in shape for size in (1, n)])
        x = x.expand([size for n, times in zip(shape, repeats) for size in (times, n)])
        return x.reshape([n * times for n, times in zip(shape, repeats)])

    def roll(self, shifts, dims=None):
        """The elements moved on by `shifts` along `dims`, which broadcast together (None: along the flattened array);
        what falls off the end comes in at the start."""
        if dims is None:
            return self.flatten().roll(shifts, 0).reshape(self.shape)
        _require(np.asarray(shifts).dtype.kind in "iu", "roll: shifts must be integers, got {}", shifts, kind=TypeError)
        _broadcast_shape("roll", np.shape(shifts), np.shape(dims))
        x = self
        for shift, dim in np.broadcast(shifts, dims):
            shift = int(shift) % max(x.size(dim), 1)
            head, tail = x.split([x.size(dim) - shift, shift], dim)
            x = tail.cat(head, dim=dim)
        return x

    def tril(self, diagonal=0):
        """0 above the diagonal of the last two axes."""
        _require(self.ndim > 1, "tril: shape {} has no rows and columns", self.shape)
        return (self._places(-2) + diagonal >= self._places(-1)).where(self, 0)

    def triu(self, diagonal=0):
        """0 below the diagonal of the last two axes."""
        _require(self.ndim > 1, "triu: shape {} has no rows and columns", self.shape)
        return (self._places(-2) + diagonal <= self._places(-1)).where(self, 0)

    def one_hot(self, num_classes):
        """A new last axis of size `num_classes`: 1 at the place that the integer names, 0 elsewhere."""
        classes = Tensor.arange(*_ints("one_hot", (num_classes,)), device=self.device)
        return (self.unsqueeze(-1) == classes).cast(int32)

    # ---- elementwise ----
    add = _row("add", "self + other; between bools, or.")
    mul = _row("mul", "self * other; between bools, and.")
    div = _row("div", "self / other, a float.")
    maximum = _row("max", "The greater of two, NaN if one is NaN.")
    eq, ne = _row("eq", "self == other"), _row("ne", "self != other")
    lt, le = _row("lt", "self < other"), _row("le", "self <= other")
    gt = _formula("self > other", lambda self, other: _apply("lt", other, self))
    ge = _formula("self >= other", lambda self, other: _apply("le", other, self))
    bitwise_and, bitwise_or = _row("and", "self & other"), _row("or", "self | other")
    bitwise_xor = _row("xor", "self ^ other")
    lshift, rshift = _row("shl", "self << other"), _row("shr", "self >> other")
    idiv = _row("idiv", "The quotient rounded down; of integers, 0 where `other` is 0.")
    mod = _row("mod", "What the division rounded down leaves, of the sign of `other`; of integers, 0 where that is 0.")
    sqrt = _row("sqrt", "Square root.")
    exp = _row("exp", "e to the power of self.")
    log = _row("log", "Natural logarithm.")
    sin = _row("sin", "Sine of radians.")
    sigmoid = _row("sigmoid", "1 / (1 + exp(-x))")
    where = _formula("`a` where x is true, `b` elsewhere.", lambda x, a, b: _apply("where", x.cast(bool_), a, b))
    logical_not = _formula("True where x is 0.", lambda x: x ^ True if x.dtype == bool_ else x == 0)
    neg = _formula("-x; of bools, not.", lambda x: ~x if x.dtype == bool_ else x * x._minus_one())
    __invert__ = _formula("All bits the other way round.", lambda x: x ^ x._minus_one())

    def _minus_one(self):
        """The number whose bits are all set."""
        if self.dtype == bool_:
            return True
        return np.iinfo(self.dtype).max if self.dtype.kind == "u" else -1

    def sub(self, other):
        """self - other"""
        a, b = _pair("sub", self, other)
        _require(a.dtype != bool_, "sub: bools have no difference; use ^ or cast them", kind=TypeError)
        return a + -b

    def pow(self, exponent):
        """self to the power of `exponent`, as in NumPy: 0 ** 0 is 1, a negative base needs an integer exponent."""
        a, b = _pair("pow", self, exponent)
        if isinstance(exponent, (int, float)) and exponent in range(-64, 65):
            return a._whole_power(int(exponent))
        return a.sqrt() if isinstance(exponent, float) and exponent == 0.5 else _apply("pow", a, b)

    @_in_float32
    def _whole_power(self, n):
        """Power by repeated squaring."""
        _require(n >= 0 or is_float(self.dtype), "pow: integers have no power of {}; cast them to float", n)
        if n < 2:
            return 1 / self._whole_power(-n) if n < 0 else self._same() if n else self.ones_like()
        half = self._whole_power(n // 2)
        return half * half * self if n % 2 else half * half

    _reversed = _formula("Such that the greatest comes from the smallest.", lambda x: -x if is_float(x.dtype) else ~x)

    def minimum(self, other):
        """The smaller of two, NaN if one is NaN."""
        a, b = _pair("minimum", self, other)
        return a._reversed().maximum(b._reversed())._reversed()

    def clip(self, min=None, max=None):
        """The numbers, but no smaller than `min` and no greater than `max`."""
        x = self._same() if min is None else (self < min).where(min, self)
        return x if max is None else (x > max).where(max, x)

    clamp = clip

    def sign(self):
        """-1, 0 or 1."""
        below = self.detach() if self.dtype.kind in "ub" else (self < 0).where(-1, self.detach())
        return (self > 0).where(1, below)

    def floor(self):
        """Down to an integer."""
        whole = self.trunc()
        return (self < whole).where(whole - 1, whole) if is_float(self.dtype) else whole

    trunc = _formula("Towards 0 to an integer.", lambda x: _apply("trunc", x) if is_float(x.dtype) else x._same())
    round = _formula("To the nearest integer, halves to the even one.",
                     lambda x: _apply("round", x) if is_float(x.dtype) else x._same())
    ceil = _formula("Up to an integer.", lambda x: -(-x).floor() if is_float(x.dtype) else x._same())


    def abs(self):
        """x without its sign."""
        if self.dtype.kind == "i":
            return self.maximum(-self)                                  # a bound of it is two bounds, which masks are
        return self * self.sign() if is_float(self.dtype) else self._same()

    isnan = _formula("Whether this is not a number.", lambda x: x != x)
    isinf = _formula("Whether this is infinite, of either sign.", lambda x: (x == math.inf) | (x == -math.inf))
    square = _formula("x * x", lambda x: x * x)
    reciprocal = _formula("1 / x", lambda x: 1 / x)
    rsqrt = _formula("1 / sqrt(x)", _in_float32(lambda x: 1 / x.sqrt()))
    exp2 = _formula("2 ** x", _in_float32(lambda x: (x * math.log(2)).exp()))
    log2 = _formula("Logarithm of base 2.", _in_float32(lambda x: x.log() * (1 / math.log(2))))
    cos = _formula("Cosine of radians, as exact for great x as the sine.",
                   _in_float32(lambda x: 1 - 2 * (x / 2).sin().square()))
    tan = _formula("Tangent of radians.", _in_float32(lambda x: x.sin() / x.cos()))
    lerp = _formula("x + (end - x) * weight", lambda x, end, weight: x + (end - x) * weight)
    masked_fill = _formula("`value` where `mask` is true.", lambda x, mask, value: mask.where(value, x))

    # Activations. Their gradients are those of the operations they are made of: finite everywhere, and at 0 PyTorch's.
    relu = _formula("x, or 0 where x is negative.", lambda x: (x <= 0).where(0, x))
    relu6 = _formula("x between 0 and 6.", lambda x: (x >= 6).where(6, x.relu()))
    leaky_relu = _formula("x, or x * neg_slope if negative.", lambda x, neg_slope=0.01: (x > 0).where(x, x * neg_slope))
    tanh = _formula("Hyperbolic tangent.", _in_float32(lambda x: 2 * (2.0 * x).sigmoid() - 1))
    gelu = _activation("x times the normal distribution function in the tanh approximation (arXiv 1606.08415).",
                       lambda x: x * (2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)).sigmoid())
    quick_gelu = _activation("x * sigmoid(1.702 x), a rougher gelu.", lambda x: x * (1.702 * x).sigmoid())
    silu = swish = _activation("x * sigmoid(x)", lambda x: x * x.sigmoid())
    mish = _activation("x * tanh(softplus(x))", lambda x: x * x.softplus().tanh())
    hardswish = _formula("x * relu6(x + 3) / 6", _in_float32(lambda x: x * ((x + 3.0).relu6() / 6)))

    @_in_float32
    def elu(self, alpha=1.0):
        """x, or alpha * (exp(x) - 1) where it is negative."""
        return (self > 0).where(self, alpha * ((self > 0).where(0, self).exp() - 1))

    @_in_float32
    def softplus(self, beta=1.0):
        """log(1 + exp(beta * x)) / beta"""
        x = self * beta
        return (x.relu() + x._softplus_beyond_relu()) / beta

    def _softplus_beyond_relu(self):
        """log(1 + e) of e = exp(-abs(x)). What rounding 1 + e loses of a small e is e - ((1 + e) - 1), and is just
        added: where it counts, the slope of the logarithm is almost 1."""
        e = (self <= 0).where(self, -self).exp()                        # of slope 1 at 0, where relu has none
        rounded = e + 1
        return rounded.log() + (e - (rounded - 1)).detach()

    # ---- reductions ----
    def _left(self, axes, keepdim):
        """The shape that a reduction over `axes` leaves."""
        return tuple([1 if a in axes else n for a, n in enumerate(self.shape) if keepdim or a not in axes])

    def _reduce(self, op, axis, keepdim):
        axes, compute = self._axes(op, axis), ACCUMULATE.get(self.dtype, self.dtype)
        dtype, shape = compute if op == "sum" and not is_float(compute) else self.dtype, self._left(axes, keepdim)
        if not self.numel():
            possible = op != "max" or not math.prod(shape)
            _require(possible, "{}: no maximum over empty axes {} of shape {}", op, axes, self.shape)
            return Tensor.zeros(shape, dtype=dtype, device=self.device)
        node = reduce("sum" if op == "sum" else "max_over", cast(self.node, compute), axes)
        return Tensor._of(reshape(cast(node, dtype), shape))

    def sum(self, axis=None, keepdim=False):
        """Sum over axes (None: all); `keepdim` leaves them with size 1. Narrow integers are summed in 32 bits."""
        return self._reduce("sum", axis, keepdim)

    def max(self, axis=None, keepdim=False):
        """Greatest over axes, NaN if there is one; equal maxima share the gradient."""
        return self._reduce("max", axis, keepdim)

    def min(self, axis=None, keepdim=False):
        """Smallest over axes, NaN if there is one."""
        return self._reversed().max(axis, keepdim)._reversed()

    def mean(self, axis=None, keepdim=False):
        """Mean over axes, a float."""
        total = self.cast(float64 if self.dtype == float64 else float32).sum(axis, keepdim)
        mean = total / (self.numel() // max(1, total.numel()))
        return mean.cast(self.dtype) if is_float(self.dtype) else mean

    @_in_float32
    def var(self, axis=None, keepdim=False, correction=1):
        """Variance over axes: sum of squared distances from the mean, by their number - correction."""
        total = (self - self.mean(axis, keepdim=True)).square().sum(axis, keepdim)
        return total / max(0, self.numel() // max(1, total.numel()) - correction)

    @_in_float32
    def std(self, axis=None, keepdim=False, correction=1):
        """Standard deviation over axes, the root of var()."""
        return self.var(axis, keepdim, correction).sqrt()

    @_in_float32
    def prod(self, axis=None, keepdim=False):
        """Product over axes: one half times the other half, until one is left."""
        axes = self._axes("prod", axis)
        x = self if is_float(self.dtype) else self.cast(ACCUMULATE.get(self.dtype, self.dtype))
        x = x.permute([a for a in range(self.ndim) if a not in axes] + [*axes]).reshape(*self._left(axes, False), -1)
        while x.shape[-1] != 1:
            x = x.pad((0, x.shape[-1] % 2 if x.shape[-1] else 2), value=1)
            half = x.shape[-1] // 2
            x = Halves.apply(x.unflatten(-1, (2, half)))
            x = x.contiguous() if half.bit_length() % 4 == 0 else x     # or one kernel would name all the factors
        return x.reshape(self._left(axes, keepdim))

    any = _formula("Whether one is true.",
                   lambda x, axis=None, keepdim=False: x.cast(bool_)._reduce("any", axis, keepdim))

    def all(self, axis=None, keepdim=False):
        """Whether all over these axes are true."""
        return self.logical_not().any(axis, keepdim).logical_not()

    def argmax(self, axis=None, keepdim=False):
        """Place of the first greatest along `axis` (None: in the flattened array), int32."""
        if axis is None:
            return self.flatten().argmax(0).reshape((1,) * self.ndim if keepdim else ())
        n, greatest = self.shape[self._axis("argmax", axis)], (self == self.max(axis, keepdim=True)) | self.isnan()
        return n - greatest.where(n - self._places(axis), 0).max(axis, keepdim)

    def argmin(self, axis=None, keepdim=False):
        """Place of the first smallest along `axis` (None: in the flattened array), int32."""
        return self._reversed().argmax(axis, keepdim)

    @_in_float32
    def cumsum(self, axis=0):
        """Sums of all elements up to each one along `axis`: by a triangular mask, in blocks where that gets big."""
        axis = self._axis("cumsum", axis, max(1, self.ndim))
        if not self.numel() or not self.ndim:
            return self.sum(())
        n, block, x = self.size(axis), 256, self.movedim(axis, -1)
        if n <= block:
            place = Tensor.arange(n, device=self.device)
            sums = (place <= place.unsqueeze(1)).where(x.unsqueeze(-2), 0).sum(-1)
        else:
            blocks = x.pad((0, -n % block)).unflatten(-1, (-1, block)).cumsum(-1)
            before = blocks[..., -1].cumsum(-1).pad((1, -1))            # the sum of all earlier blocks
            sums = (blocks + before.unsqueeze(-1)).flatten(-2)[..., :n]
        return sums.movedim(-1, axis)

    def _below_max(self, axis):
        """x - max(x), which makes exp safe. No gradient flows through the maximum, as it cancels."""
        x = self if is_float(self.dtype) else self.cast(float32)
        return x - x.max(axis, keepdim=True).detach() if x.numel() else x

    @_in_float32
    def softmax(self, axis=-1):
        """exp(x), scaled to add up to 1 along `axis`."""
        return Softmax.apply(self, axis=axis)

    @_in_float32
    def log_softmax(self, axis=-1):
        """Logarithm of the softmax."""
        x = self._below_max(axis)
        return x - x.exp().sum(axis, keepdim=True).log()

    @_in_float32
    def logsumexp(self, axis=None, keepdim=False):
        """log(sum(exp(x))) over axes, without overflow."""
        x = self if is_float(self.dtype) else self.cast(float32)
        greatest = x.max(axis, keepdim=True).detach()
        greatest = greatest.isinf().where(0, greatest)
        logs = (x - greatest).exp().sum(axis, keepdim=True).log() + greatest
        return logs if keepdim else logs.sum(axis)

    # ---- products and windows ----
    def dot(self, other):
        """Matrix product with NumPy's broadcasting: (..., m, k) @ (..., k, n) -> (..., m, n), either may be (k,)."""
        a, b = _pair("matmul", self, other)
        batches = itertools.zip_longest(a.shape[-3::-1], b.shape[-3::-1], fillvalue=1)
        fits = a.ndim and b.ndim and a.shape[-1] == b.shape[-min(2, b.ndim)]
        fits = fits and all(n == m or 1 in (n, m) for n, m in batches)
        _require(fits, "matmul: shapes {} and {} do not fit: needs (..., m, k) @ (..., k, n)", a.shape, b.shape)
        if b.ndim > 1:
            b = b.transpose(-1, -2)                                     # (..., n, k)
            if a.ndim > 1:
                a, b = a.unsqueeze(-2), b.unsqueeze(-3)                 # (..., m, 1, k) and (..., 1, n, k)
        return _contract(-1, a, b)

    matmul = dot

    def linear(self, weight, bias=None):
        """self @ weight + bias"""
        return self @ weight if bias is None else self @ weight + bias

    @staticmethod
    def einsum(formula, *operands):
        """Sum of products in Einstein's notation: einsum("bik,bkj->bij", a, b)."""
        _require_tensors("einsum: operand", operands)
        inputs, arrow, output = formula.replace(" ", "").partition("->")
        output = output if arrow else "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
        inputs = inputs.split(",")
        sizes = {letter: n for letters, x in zip(inputs, operands) for letter, n in zip(letters, x.shape)}
        shapes = [tuple([sizes.get(letter) for letter in letters]) for letters in inputs]
        fits = shapes == [x.shape for x in operands] and set(output) <= set(sizes)
        fits = fits and all(len(set(term)) == len(term) for term in (*inputs, output))
        _require(fits, "einsum: {} does not fit shapes {}: a letter stands for one size, and only once in an operand",
                 formula, [x.shape for x in operands])
        order = [*output, *(letter for letter in sizes if letter not in output)]
        views = [x.permute([letters.index(letter) for letter in order if letter in letters])
                  .reshape([sizes[letter] if letter in letters else 1 for letter in order])
                 for letters, x in zip(inputs, operands)]
        return _contract(tuple(range(len(output), len(order))), *views)

    @_in_float32
    def scaled_dot_product_attention(self, key, value, attn_mask=None, dropout_p=0.0, is_causal=False):
        """softmax(q @ k.T / sqrt(width) + mask) @ v (Vaswani et al., 2017); a bool mask says what may be looked at."""
        _require(attn_mask is None or not is_causal, "scaled_dot_product_attention: attn_mask excludes is_causal")
        _require_tensors("scaled_dot_product_attention: input", [key, value] + [attn_mask] * (attn_mask is not None))
        scores = self @ key.transpose(-2, -1) * max(1, self.shape[-1]) ** -0.5          # (..., queries, keys)
        mask = scores._places(-2) >= scores._places(-1) if is_causal else attn_mask
        if mask is not None:
            scores = mask.where(scores, -math.inf) if mask.dtype == bool_ else scores + mask
        return scores.softmax(-1).dropout(dropout_p) @ value

    def _windows(self, op, axis, size, stride, dilation):
        """Windows of `size` elements, `dilation` apart, at every `stride`-th place of `axis`, without a copy.

        Axis `axis` then counts the windows and a new last axis the elements of one. How: the axis is repeated and read
        in rows of n + dilation (or 2 n + dilation) elements, so that row j begins j * dilation further on. Windows that
        do not overlap, as those of most pools, are just pieces of the axis.
        """
        n = self.shape[axis]
        reach = n - dilation * (size - 1)
        _require(reach > 0, "{}: a window of {} (dilation {}) does not fit in {} elements", op, size, dilation, n)
        count = -(-reach // stride)
        if size <= stride and dilation == 1:
            pieces = self.pad(self._at(axis, (0, count * stride - n))).unflatten(axis, (count, stride))
            return pieces.movedim(axis + 1, -1)[..., :size]
        row = n * (2 if count * stride > reach else 1) + dilation
        x = self.movedim(axis, -1).repeat([1] * (self.ndim - 1) + [-(-size * row // n)])
        x = x[..., :size * row].unflatten(-1, (size, row))              # (..., size, row)
        return x[..., :count * stride:stride].movedim(-1, axis)         # (..., count, ..., size)

    def _windows2d(self, op, kernel_size, stride, dilation, padding, value=0.0):
        """The windows of images (n, channels, h, w) padded with `value`: (n, channels, rows, columns, *kernel_size)."""
        _require(self.ndim == 4, "{}: images have axes (n, channels, height, width), got shape {}", op, self.shape)
        (top, left), (d, e), (h, w) = _two(op, padding, -math.inf), _two(op, dilation), _two(op, kernel_size)
        s, t = (h, w) if stride is None else _two(op, stride)
        return self.pad((left, left, top, top), value)._windows(op, 2, h, s, d)._windows(op, 3, w, t, e)

    def conv2d(self, weight, bias=None, groups=1, stride=1, dilation=1, padding=0):
        """Correlation of images (n, channels, h, w) with `weight` (outputs, channels / groups, kernel h, kernel w)."""
        fits = weight.ndim == self.ndim == 4 and weight.shape[1] * groups == self.shape[1]
        fits = fits and weight.shape[0] % groups == 0 and (bias is None or bias.numel() == weight.shape[0])
        _require(fits, "conv2d: weight {} in {} groups and bias {} do not fit input {}", weight.shape, groups,
                 getattr(bias, "shape", None), self.shape)
        stride, dilation, padding = _two("conv2d", stride), _two("conv2d", dilation), _two("conv2d", padding, -math.inf)
        y = Convolution.apply(self, weight, groups=groups, stride=stride, dilation=dilation, padding=padding)
        return y if bias is None else y + bias.reshape(-1, 1, 1)

    def max_pool2d(self, kernel_size=(2, 2), stride=None, dilation=1, padding=0):
        """Greatest of each window of images (n, channels, h, w); `stride` is the window's size unless given."""
        return self._windows2d("max_pool2d", kernel_size, stride, dilation, padding, lowest(self.dtype)).max((-2, -1))

    def avg_pool2d(self, kernel_size=(2, 2), stride=None, dilation=1, padding=0):
        """Mean of each window of images (n, channels, h, w), the padding's zeros included."""
        return self._windows2d("avg_pool2d", kernel_size, stride, dilation, padding).mean((-2, -1))

    # ---- training ----
    @staticmethod
    @contextlib.contextmanager
    def train(mode=True):
        """A context in which dropout and batch statistics are active."""
        before, Tensor.training = Tensor.training, mode
        try:
            yield
        finally:
            Tensor.training = before

    def dropout(self, p=0.5):
        """While training, zeros with probability `p`, and the rest scaled up to keep the mean."""
        _require(0 <= p <= 1, "dropout: p must be a probability, got {}", p)
        if not Tensor.training or p == 0:
            return self._same()
        return (Tensor.rand(self.shape, device=self.device) >= p).where(self, 0) / (1 - p or 1)

    @_in_float32
    def layernorm(self, axis=-1, eps=1e-5):
        """Shifted and scaled to mean 0 and variance 1 over `axis` (Ba et al., 2016)."""
        centred = self - self.mean(axis, keepdim=True)
        return centred * (centred.square().mean(axis, keepdim=True) + eps).rsqrt()

    @_in_float32
    def batchnorm(self, weight, bias, mean, invstd, axis=1):
        """(self - mean) * invstd * weight + bias, these being given for each place along `axis`."""
        axes = self._axes("batchnorm", axis)
        shape = [n if a in axes else 1 for a, n in enumerate(self.shape)]
        scale = invstd if weight is None else invstd * weight
        scaled = (self - mean.reshape(shape)) * scale.reshape(shape)
        return scaled if bias is None else scaled + bias.reshape(shape)

    def _reduced(self, reduction):
        _require(reduction in ("mean", "sum", "none"), "loss: reduction must be mean, sum or none, got {!r}", reduction)
        return self if reduction == "none" else getattr(self, reduction)()

    def _log_loss(self, target, axis, label_smoothing):
        """-log of the probability that the softmax along `axis` gives to the classes `target`, for each example."""
        fits = not is_float(target.dtype) and target.shape == self.shape[:axis] + self.shape[axis + 1:]
        _require(fits, "cross entropy: target {} {} does not name a class (axis {}) for each example of {}",
                 target.dtype, target.shape, axis, self.shape)
        _require(0 <= label_smoothing <= 1, "cross entropy: label_smoothing is from 0 to 1, not {}", label_smoothing)
        logits = self._below_max(axis)
        picked = (self._places(axis) == target.unsqueeze(axis)).where(logits, 0).sum(axis)
        if label_smoothing:
            picked = (1 - label_smoothing) * picked + label_smoothing * logits.mean(axis)
        return logits.exp().sum(axis).log() - picked

    @_in_float32
    def cross_entropy(self, target, reduction="mean", label_smoothing=0.0):
        """Loss of logits (n, classes, ...) against classes (n, ...), or probabilities of the shape of the logits.

        Bounds are not checked, as classes are data: one that is none of the axis, such as -100, names no logit, and its
        loss means nothing. sparse_categorical_crossentropy(ignore_index=-100) leaves such examples out.
        """
        _require_target("cross_entropy", target)
        _require(self.ndim, "cross entropy: logits must have an axis of classes, got shape {}", self.shape)
        axis = min(1, self.ndim - 1)
        if target.shape != self.shape:
            return self._log_loss(target, axis, label_smoothing)._reduced(reduction)
        _require(0 <= label_smoothing <= 1, "cross entropy: label_smoothing is from 0 to 1, not {}", label_smoothing)
        wanted = (1 - label_smoothing) * target + label_smoothing / self.shape[axis]
        return -(self.log_softmax(axis) * wanted).sum(axis)._reduced(reduction)

    @_in_float32
    def sparse_categorical_crossentropy(self, target, ignore_index=-1, label_smoothing=0.0, reduction="mean"):
        """Loss of logits (..., classes) against classes (...), where examples of class `ignore_index` don't count."""
        _require_target("sparse_categorical_crossentropy", target)
        counts = target.cast(promote(target.dtype, int32)) != ignore_index              # uint8 holds no -1
        loss = counts.where(self._log_loss(target, self.ndim - 1, label_smoothing), 0)
        return loss.sum() / counts.sum() if reduction == "mean" else loss._reduced(reduction)

    def binary_crossentropy(self, target, reduction="mean"):
        """Loss of probabilities against targets in 0 .. 1."""
        _require_target("binary_crossentropy", target)
        return -(target * self.log() + (1 - target) * (1 - self).log())._reduced(reduction)

    def binary_crossentropy_logits(self, target, reduction="mean"):
        """Loss of logits, of which the sigmoid is the probability, against targets in 0 .. 1."""
        _require_target("binary_crossentropy_logits", target)
        loss = (self.relu() - target * self) + self._softplus_beyond_relu()
        return loss._reduced(reduction)

    @_alone
    def gradient(self, *targets, gradient=None):
        """Gradients of self with respect to `targets`, Tensors of their shapes, times `gradient` if self has axes."""
        _require_tensors("gradient: argument", (*targets, self if gradient is None else gradient))
        dtypes = [NAME_OF[x.dtype] for x in (self, *targets)]
        if gradient is None and self.shape:
            raise RuntimeError(f"backward: shape {self.shape} is not one number: take .mean() or .sum() first, or pass "
                               "a gradient")
        _require(all("float" in name for name in dtypes), "gradient: floats have one, not {}", dtypes, kind=TypeError)
        seed = self.ones_like() if gradient is None else gradient.cast(self.dtype)
        _require(seed.shape == self.shape, "gradient: one of shape {} for a result of {}", seed.shape, self.shape)
        found = gradients(self.node, [x.node for x in targets], seed)
        return [x.zeros_like() if g is None else g for x, g in zip(targets, found)]

    @_alone
    def backward(self, gradient=None):
        """Add to `grad` of every Tensor with requires_grad that this one was computed from; returns self. If there is
        none, RuntimeError."""
        needed = set(topological([self.node], stop=lambda node: node.op == "detach"))
        live = [x for x in list(Tensor._trainable.values()) if x.requires_grad and x.node in needed]
        found = self.gradient(*live, gradient=gradient)
        # From a batch of no elements come constants, of which none is summed: then nobody has made a mistake.
        fits = live or not any(node.op in {"buffer", "detach", *REDUCTIONS} for node in needed)
        _require(fits, "backward: this came from no Tensor that has requires_grad (and still exists): give "
                 "requires_grad=True to what should learn, before it is used, and do not detach() or assign() in "
                 "between", kind=RuntimeError)
        sums = [g if x.grad is None else x.grad + g for x, g in zip(live, found)]
        with _uninterrupted():
            for x, g in zip(live, sums):
                x.grad = g
        if _capturing is None:                                          # a jit computes what it returns anyway
            Tensor._along[id(self)] = self
        return self


class _Creation:
    """Functions that become static methods of Tensor and as such also take `requires_grad`. A shape may be a tuple."""

    def full(shape, fill_value, dtype=None, device=None):
        """`fill_value` everywhere."""
        number = fill_value.item() if hasattr(fill_value, "item") else fill_value       # of NumPy, of a Tensor
        _require(isinstance(number, (int, float)), "full: needs a number, got {!r}", fill_value, kind=TypeError)
        dtype = as_dtype(dtype or getattr(fill_value, "dtype", type(number)))
        return Tensor._of(_constant(number, dtype, _ints("full", (shape,)), device))

    def zeros(*shape, dtype=float32, device=None):
        """0 everywhere."""
        return Tensor.full(_ints("zeros", shape), 0, dtype, device=device)

    def ones(*shape, dtype=float32, device=None):
        """1 everywhere."""
        return Tensor.full(_ints("ones", shape), 1, dtype, device=device)

    empty = zeros                                                       # a graph has no memory to leave as it was

    def arange(start, stop=None, step=1, dtype=None, device=None):
        """start, start + step, ... before `stop`; 0 .. start-1 if only one number is given. Fractions of these numbers
        are dropped last, where `dtype` holds none."""
        start, stop = (0, start) if stop is None else (start, stop)
        start, stop, step = [x.item() if isinstance(x, np.generic) else x for x in (start, stop, step)]
        _require(step, "arange: step must not be 0")
        n = max(0, math.ceil((stop - start) / step))
        given = _result_dtype(type(start), type(stop), type(step))
        dtype = given if dtype is None else as_dtype(dtype)
        wide, x = promote(given, dtype), Tensor._of(coordinates(n, device))
        wide = ACCUMULATE.get(wide, wide)
        _require_fits(start + max(0, n - 1) * step, wide)
        x = x if step == 1 else x.cast(wide) * step
        x = x.cast(wide) + start if start else x
        return x.cast(dtype)

    def linspace(start, stop, steps, dtype=float32, device=None):
        """`steps` numbers at equal distances from `start` to `stop`, both included; integers by dropping fractions."""
        dtype = as_dtype(dtype)
        places = Tensor.arange(*_ints("linspace", (steps,)), dtype=promote(dtype, float32), device=device)
        return (places * (stop - start) / max(steps - 1, 1) + start).cast(dtype)

    def eye(n, m=None, dtype=float32, device=None):
        """1 on the diagonal of n rows and m (or n) columns."""
        rows, columns = [Tensor.arange(size, device=device) for size in _ints("eye", (n, n if m is None else m))]
        return (rows.unsqueeze(1) == columns).cast(dtype)

    def rand(*shape, dtype=float32, device=None):
        """Uniform random numbers in [0, 1)."""
        return _uniform(Tensor._random_words("rand", shape, device)[0], _float("rand", dtype))

    def randn(*shape, dtype=float32, device=None):
        """Normally distributed random numbers, of mean 0 and variance 1 (Box and Muller, 1958)."""
        dtype = _float("randn", dtype)
        u, v = [_uniform(words, float32) for words in Tensor._random_words("randn", shape, device)]
        return ((-2 * (1 - u).log()).sqrt() * (2 * math.pi * v).sin()).cast(dtype)

    def randint(*shape, low=0, high=10, dtype=int32, device=None):
        """Random integers from `low` to `high` - 1."""
        (low, high), dtype = _ints("randint", (low, high), -math.inf), as_dtype(dtype)
        _require(0 < high - low < 2 ** 32, "randint: there are no integers from {} to below {}, or too many", low, high)
        _require_fits(high - 1, dtype)
        return ((Tensor._random_words("randint", shape, device)[0] % (high - low)).cast(dtype) + low).cast(dtype)

    def uniform(*shape, low=0.0, high=1.0, **options):
        """Uniform random numbers from `low` to `high`, which only rounding can reach."""
        return Tensor.rand(*shape, **options) * (high - low) + low

    def normal(*shape, mean=0.0, std=1.0, **options):
        """Normally distributed random numbers."""
        return Tensor.randn(*shape, **options) * std + mean

    def scaled_uniform(*shape, **options):
        """Uniform within 1 / sqrt(number of elements) of 0."""
        return _within(1, math.prod(_ints("scaled_uniform", shape)), shape, options)

    def glorot_uniform(*shape, **options):
        """Uniform initial weights (Glorot and Bengio, 2010)."""
        outputs, *inputs = _ints("glorot_uniform", shape)
        return _within(6, outputs + math.prod(inputs), shape, options)

    def kaiming_uniform(*shape, a=0.01, **options):
        """Uniform initial weights for layers before a (leaky, of slope `a`) relu (He et al., 2015)."""
        _, *inputs = _ints("kaiming_uniform", shape)
        return _within(6 / (1 + a * a), math.prod(inputs), shape, options)


def _within(square, count, shape, options):
    """Uniform within sqrt(square / count) of 0."""
    bound = math.sqrt(square / max(1, count))
    return Tensor.uniform(*shape, low=-bound, high=bound, **options)


def _float(op, dtype):
    """The dtype, which must be a float: in an integer, draws from [0, 1) would all be 0."""
    dtype = as_dtype(dtype)
    _require(is_float(dtype), "{}: draws floats, not {}; use randint or cast them", op, NAME_OF[dtype], kind=TypeError)
    return dtype


def _uniform(words, dtype):
    """Random words as floats in [0, 1): as many of the upper bits as the dtype can hold, of a double as float32."""
    bits = {float16: 11, bfloat16: 8}.get(dtype, 24)
    return ((words >> 32 - bits).cast(float32) * 2.0 ** -bits).cast(dtype)


def _creation(function):
    """A static method that makes a Tensor, on the default device if none is given."""
    def create(*arguments, requires_grad=None, device=None, **options):
        return Tensor._of(function(*arguments, device=device or Device.DEFAULT, **options).node, requires_grad)

    return staticmethod(functools.wraps(function)(create))


class Function:
    """An operation with a gradient rule of its own. A subclass defines forward(*tensors), which returns a Tensor, and
    backward(grad), which returns a gradient (or None) for each of them, both in Tensor operations."""

    @classmethod
    def apply(cls, *tensors, **options):
        """The Tensor that forward() gives, to which backward() belongs; `options` go to the constructor."""
        _require_tensors(f"{cls.__name__}: input", tensors)
        function = cls(**options)
        nodes = [x.node for x in tensors]
        result = function.forward(*map(Tensor._of, nodes))              # what it keeps of them, no += changes
        _require_tensors(f"{cls.__name__}.forward: result", [result])
        return Tensor._of(Node("function", (result.node, *nodes), function))


class Activation(Function):
    """A function of each element. Its gradient is the gradient of the result times a derivative that depends on x
    alone: that can be computed along with the function, which shares its exponentials."""

    def __init__(self, formula):
        self.formula = formula

    def forward(self, x):
        self.x = x if is_float(x.dtype) else x.cast(float32)
        return self.formula(self.x)

    def backward(self, grad):
        one = Tensor.ones(*self.x.shape, dtype=self.x.dtype, device=self.x.device)
        return grad * gradients(self.formula(self.x).node, [self.x.node], one)[0]


class Halves(Function):
    """One half times the other, along an axis of size 2. Its gradient is one term; by themselves two slices have two,
    which ask for the gradient at two places: twice as many with each halving."""

    def forward(self, x):
        self.x = x
        return x[..., 0, :] * x[..., 1, :]

    def backward(self, grad):
        return grad.unsqueeze(-2) * self.x.flip(-2)


class Softmax(Function):
    """exp(x) / sum(exp(x)), whose gradient needs nothing but the result."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        e = x._below_max(self.axis).exp()
        self.result = e * (1 / e.sum(self.axis, keepdim=True))          # one division a row
        return self.result

    def backward(self, grad):
        return self.result * (grad - (grad * self.result).sum(self.axis, keepdim=True))


class Convolution(Function):
    """Sums of the windows of images times a weight. Its gradients are convolutions too, which they would not become by
    themselves: the gradient of a window is a sum of shifted images, and all windows together are large."""

    def __init__(self, groups, stride, dilation, padding):
        self.groups, self.stride, self.dilation, self.padding = groups, stride, dilation, padding

    def forward(self, x, weight):
        self.x, self.weight = x, weight
        n, channels, outputs = x.shape[0], weight.shape[1], weight.shape[0] // self.groups
        x = x._windows2d("conv2d", weight.shape[2:], self.stride, self.dilation, self.padding)
        x = x.reshape(n, self.groups, 1, channels, *x.shape[2:])        # (n, groups, 1, channels, h, w, kernel h, w)
        weight = weight.reshape(1, self.groups, outputs, channels, 1, 1, *weight.shape[2:])
        return _contract((3, 6, 7), x, weight).flatten(1, 2)            # (n, outputs, h, w)

    def backward(self, grad):
        # Along an axis, weight[k] took x[i] to y[j] where i = stride * j + dilation * k - padding. With zeros in front
        # of the weight, so that it begins at a multiple of the stride, this is i = stride * (j + m - first) + r: every
        # stride-th element of x's gradient is y's convolved with a part of the weight, read backwards. The parts, one
        # for each r, make one convolution together.
        x, groups, (s, t), dilation, widths = self.x, self.groups, self.stride, [], []
        parts = self.weight.unflatten(0, (groups, -1))                  # (groups, outputs, channels, kernel h, w)
        for axis, n, m, step, d, p in zip((3, 5), x.shape[2:], grad.shape[2:], (s, t), self.dilation, self.padding):
            if step > 1 and d > 1:                                      # put zeros into the weight instead
                parts = parts.unsqueeze(axis + 1)
                parts, d = parts.pad(parts._at(axis + 1, (0, d - 1))).flatten(axis, axis + 1), 1
            front, first = -p % step, -(-p // step)
            parts = parts.pad(parts._at(axis, (front, -(front + parts.shape[axis]) % step)))
            parts = parts.unflatten(axis, (-1, step)).flip(axis)
            widths = [d * (parts.shape[axis] - 1) - first, -(-n // step) - m + first] + widths
            dilation.append(d)
        parts = parts.permute(0, 2, 4, 6, 1, 3, 5).flatten(0, 3)        # (groups * channels * s * t, outputs, ..)
        of_x = grad.pad(widths).conv2d(parts.contiguous(), groups=groups, dilation=dilation)
        of_x = of_x.unflatten(1, (x.shape[1], s, t)).permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)
        of_x = of_x.shrink([(0, n) for n in x.shape])
        # The weight k met the elements of x at stride * i + dilation * k, and y at i: the convolution of x with the
        # gradient, in which images and channels change places, as do stride and dilation.
        (top, left), used = self.padding, [(m - 1) * step + d * (k - 1) + 1 for m, step, d, k in zip(
            grad.shape[2:], self.stride, self.dilation, self.weight.shape[2:])]
        x = x.pad((left, left, top, top))[:, :, :used[0], :used[1]].unflatten(1, (groups, -1))
        x = x.permute(2, 1, 0, 3, 4).flatten(1, 2)                      # (channels, groups * n, h, w)
        of_weight = x.conv2d(grad.transpose(0, 1), groups=groups, stride=self.dilation, dilation=self.stride)
        return of_x, of_weight.transpose(0, 1)


def _operators():
    """Give Tensor the methods that differ in a name alone: operators, casts, and creation as in zeros_like."""
    for name, method in {"add": Tensor.add, "sub": Tensor.sub, "mul": Tensor.mul, "truediv": Tensor.div,
                         "floordiv": Tensor.idiv, "mod": Tensor.mod, "pow": Tensor.pow, "matmul": Tensor.dot,
                         "and": Tensor.bitwise_and, "or": Tensor.bitwise_or, "xor": Tensor.bitwise_xor,
                         "lshift": Tensor.lshift, "rshift": Tensor.rshift}.items():
        commutes = name in {"add", "mul", "and", "or", "xor"}           # then 2 * x and x * 2 are one node
        setattr(Tensor, f"__{name}__", method)
        setattr(Tensor, f"__r{name}__", method if commutes else lambda x, other, method=method: method(other, x))
        setattr(Tensor, f"__i{name}__", lambda x, other, method=method: x._replace(method(x, other)))
    for name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "abs"):
        setattr(Tensor, f"__{name}__", getattr(Tensor, name))
    for name in ("float", "half", "bfloat16", "double", "int", "long", "bool"):
        to_dtype = _formula(f"The values as {name}.", lambda x, dtype=getattr(dtypes, name): x.cast(dtype))
        setattr(Tensor, name, to_dtype)
    for name, function in vars(_Creation).items():
        if callable(function):
            setattr(Tensor, name, _creation(function))
    for name in ("full", "zeros", "ones", "empty", "rand", "randn"):
        def like(self, *value, create=getattr(Tensor, name), **options):
            return create(self.shape, *value, **{"dtype": self.dtype, "device": self.device, **options})

        setattr(Tensor, f"{name}_like", _formula(f"As Tensor.{name}; shape, dtype and device as here.", like))


_operators()


# ---------------------------------------------------------------------------------------------------------------------
# 3. Gradients
#
# Reverse-mode differentiation: walk the graph from the result to the sources and apply the chain rule, one
# vector-Jacobian product a node. Each rule is written in Tensor operations, so a gradient is itself a lazy graph: it is
# fused like anything else, and can be differentiated again.
# ---------------------------------------------------------------------------------------------------------------------
def _extreme_gradient(g, out, node, x):
    """Gradient of max over axes: equal maxima share it equally."""
    winners = (x == out).cast(g.dtype)
    return (g * winners / winners.sum(node.arg, keepdim=True),)


def _gather_gradient(g, out, node, table, index):
    wide = g.cast(ACCUMULATE.get(g.dtype, g.dtype))
    return Tensor._of(scatter(index.node, wide.node, table.shape[0])).cast(g.dtype), None


def _function_gradient(g, out, node, inner, *inputs):
    gradients = node.arg.backward(g)
    gradients = tuple(gradients) if isinstance(gradients, (tuple, list)) else (gradients,)
    if len(gradients) != len(inputs):
        raise ValueError(f"{type(node.arg).__name__}.backward returned {len(gradients)} gradients "
                         f"for {len(inputs)} inputs")
    _require_tensors(f"{type(node.arg).__name__}.backward: gradient", [x for x in gradients if x is not None])
    for x, gradient in zip(inputs, gradients):
        if gradient is not None and gradient.shape != x.shape:
            raise ValueError(f"{type(node.arg).__name__}.backward returned a gradient of shape {gradient.shape} "
                             f"for an input of shape {x.shape}")
    return (None, *(g if g is None else g.cast(x.dtype) for x, g in zip(inputs, gradients)))


def _no_gradient(g, out, node, *inputs):
    raise RuntimeError(f"kernel {node.arg.name}: a hand-written kernel has no gradient of its own. Call it in "
                       f"forward() of a Function, whose backward() gives the gradient, or detach() its result")


# The rules of the operations that are not elementwise; they also see the node, for its argument.
GRADIENTS = {
    "sum":     lambda g, out, node, x: (g.expand(*x.shape),),
    "max_over": _extreme_gradient,
    "reshape": lambda g, out, node, x: (g.reshape(*x.shape),),
    "expand":  lambda g, out, node, x: (g.sum(tuple(a for a, (n, m) in enumerate(zip(x.shape, out.shape)) if n != m),
                                              keepdim=True),),
    "permute": lambda g, out, node, x: (g.permute(*map(node.arg.index, range(x.ndim))),),
    "pad":     lambda g, out, node, x: (g.shrink(tuple((b, b + n) for (b, _), n in zip(node.arg, x.shape))),),
    "shrink":  lambda g, out, node, x: (g.pad(tuple((b, n - e) for (b, e), n in zip(node.arg, x.shape))),),
    "flip":    lambda g, out, node, x: (g.flip(*node.arg),),
    "gather":  _gather_gradient,
    "scatter": lambda g, out, node, index, values: (None, Tensor._of(gather(g.node, index.node))),
    "contiguous": lambda g, out, node, x: (g,),
    "function": _function_gradient,
    "kernel":  _no_gradient,
}


def depends_on_parameters(node):
    """Does a gradient flow from this node to a Tensor with requires_grad?"""
    parameters = {tensor.node for tensor in Tensor._trainable.values() if tensor.requires_grad}
    stack, seen = [node], set()
    while stack:
        node = stack.pop()
        if node in parameters:
            return True
        if node not in seen and node.op != "detach" and is_float(node.dtype):
            seen.add(node)
            stack.extend(node.sources)
    return False


def gradients(result, targets, seed):
    """Gradients of the node `result` with respect to each of the nodes `targets`, as a list of Tensors.

    `seed` is the gradient of the result with respect to itself, a Tensor of its shape. A target that the result does
    not depend on gets None.
    """
    wanted, leads, order = set(targets), {}, topological([result], stop=lambda node: node.op == "detach")
    for node in order:                                                  # which nodes have a target beneath them?
        leads[node] = node in wanted or (node.op != "detach" and is_float(node.dtype)
                                          and any(leads[source] for source in node.sources))
    found, outer = ({result: seed} if leads[result] else {}), getattr(Node.origin, "line", None)
    try:
        for node in reversed(order):
            g = found.get(node)
            if g is None or node.op == "detach" or not any(leads[source] for source in node.sources):
                continue
            _require(node.number >= Node.since, "jit: a gradient would flow through what was computed before the call, "
                     "{}:{}, which is frozen: compute it in the function, or detach() it", *node.line[:2],
                     kind=RuntimeError)
            Node.origin.line = (*node.line[:2], "gradient")
            sources, out = [Tensor._of(source) for source in node.sources], Tensor._of(node)
            if node.op in ELEMENTWISE:
                shares = [rule(g, out, *sources) if leads[source] else None
                          for rule, source in zip(ELEMENTWISE[node.op].gradients, node.sources)]
            else:
                shares = GRADIENTS[node.op](g, out, node, *sources)
            for source, share in zip(node.sources, shares):
                if share is not None and leads[source]:
                    found[source] = found[source] + share if source in found else share
    finally:
        Node.origin.line = outer
    return [found.get(target) for target in targets]


def gradcheck(function, inputs, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True):
    """Are the gradients of `function` what central differences, (f(x + eps) - f(x - eps)) / (2 eps), say they are?

    `inputs` is a Tensor or a tuple of them; `function` takes them all and returns a Tensor, or a tuple of them. Each
    element of those with requires_grad is moved by `eps` in turn, in float64, as float32 would leave nothing of such a
    difference. What is compared is the gradient of a sum of all results, each element times a random weight: this takes
    one backward pass rather than one for each element of the results, and only by chance would wrong derivatives cancel
    each other. True if |gradient - difference| <= atol + rtol * |difference| everywhere; otherwise RuntimeError, which
    names the worst element, or False if not `raise_exception`.
    """
    inputs = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    _require_tensors("gradcheck: input", inputs)
    for i, x in enumerate(inputs):
        _require(x.dtype == float64 or not is_float(x.dtype), "gradcheck: input {} must be float64, got {}, whose "
                 "rounding hides small differences", i, NAME_OF[x.dtype], kind=TypeError)
    checked = [i for i, x in enumerate(inputs) if x.requires_grad]
    _require(checked, "gradcheck: no input has requires_grad, so there is nothing to check")
    arrays = [x.numpy() for x in inputs]

    def weighted_sum():
        """Tensors of the arrays as they are now, and the sum of what the function makes of them."""
        tensors = [Tensor(array, device=x.device) for array, x in zip(arrays, inputs)]
        total, results, rng = 0, function(*tensors), np.random.default_rng(0)           # the same weights each time
        for y in results if isinstance(results, (tuple, list)) else [results]:
            dtype = NAME_OF[y.dtype] if isinstance(y, Tensor) else type(y).__name__
            _require(dtype == "float64", "gradcheck: the function must compute in float64 to the end, but returned {}",
                     dtype, kind=TypeError)
            total = total + (y * rng.uniform(0.5, 1.5, y.shape)).sum()
        return tensors, total

    tensors, total = weighted_sum()
    for i, found in zip(checked, total.gradient(*[tensors[i] for i in checked])):
        found, difference = found.numpy(), np.zeros(found.shape)
        for place in np.ndindex(found.shape):
            value, ends = arrays[i][place], []
            for end in (value - eps, value + eps):
                arrays[i][place] = end
                ends.append(weighted_sum()[1].item())
            arrays[i][place] = value
            difference[place] = (ends[1] - ends[0]) / (2 * eps)
        with np.errstate(invalid="ignore"):                             # infinity - infinity is NaN, and wrong
            excess = np.abs(found - difference) - (atol + rtol * np.abs(difference))
        if not np.all(excess <= 0):
            if not raise_exception:
                return False
            worst = np.unravel_index(np.argmax(excess), found.shape)
            raise RuntimeError(f"gradcheck: the gradient for input {i} is wrong at {list(map(int, worst))}: it is "
                               f"{found[worst]:.9g}, and by central differences {difference[worst]:.9g}")
    return True


# ---------------------------------------------------------------------------------------------------------------------
# 4. Lowering: from nodes to values at an index
#
# A kernel is a nest of loops that computes the elements of a node. What does one element need? We ask the node: "your
# value at (i, j)?", and it asks its sources in turn: a product asks both factors at (i, j), a transpose asks its source
# at (j, i), a sum over k asks for the value at (i, j, k) and adds up, a buffer answers with a load. So movement costs
# nothing: it only rewrites the index on its way down.
#
# An index is a constant plus terms times coefficients, kept as (constant, ((term, coefficient), ...)): equal indices
# are equal Python values. A term is a loop, the quotient or remainder of a division that did not come out, or a
# computed value (the row number of a gather).
# ---------------------------------------------------------------------------------------------------------------------
class Loop:
    """A loop variable that runs from 0 to extent - 1. `key` names it from one attempt at a kernel to the next."""
    __slots__ = ("key", "extent", "name", "serial", "loops", "low", "high")

    def __init__(self, key, extent, name, serial):
        self.key, self.extent, self.name, self.serial = key, extent, name, serial
        self.loops, self.low, self.high = frozenset([self]), 0, extent - 1


class Quotient:
    """The term index // n or index % n, where the division does not come out."""
    __slots__ = ("kind", "index", "n", "serial", "loops", "low", "high")

    def __init__(self, kind, index, n, serial):
        self.kind, self.index, self.n, self.serial, self.loops = kind, index, n, serial, loops_of(index)
        low, high = bounds(index)
        self.low, self.high = (low // n, high // n) if kind == "//" else (0, n - 1)


class Value:
    """A number of a kernel: an operation on values, a load, a coordinate or a reduction, over some loops.

    Besides the rows of ELEMENTWISE, op is "const" (arg: the number); "index" (arg: the index whose value this is);
    "load" (arg: the stored node, the address in it as an index, and the innermost pad above it; args: the conditions
    of those pads, outside of which the load gives zero); "row" (args: a row number, kept below arg); "scatter" (args: a
    row and what is added there; arg: the number of the element, also if neither depends on it); or a reduction, "sum"
    or "max_over" (arg: the loops that are reduced).
    """
    __slots__ = ("op", "args", "arg", "dtype", "loops", "height", "serial", "low", "high")

    def __init__(self, op, args, arg, dtype, serial):
        self.op, self.args, self.arg, self.dtype, self.serial = op, args, arg, dtype, serial
        loops = frozenset().union(*(a.loops for a in args))
        self.height = max((a.height for a in args), default=0)          # the number of reductions beneath
        if op in ("load", "index", "scatter"):
            index = arg[1] if op == "load" else arg
            loops |= loops_of(index)
            self.height = max([self.height] + [t.height for t, _ in index[1] if type(t) is Value])
        elif op in REDUCTIONS:
            loops, self.height = loops - set(arg), self.height + 1
        self.loops = loops


MOVEMENTS = {"reshape", "permute", "shrink", "flip", "expand"}
# For each reduction the row of ELEMENTWISE that puts two numbers together, and the number that changes nothing.
REDUCTIONS = {"sum": ("add", lambda dtype: 0), "max_over": ("max", lambda dtype: lowest(dtype))}


def lowest(dtype):
    """The identity of max: minus infinity, or the least integer."""
    return -math.inf if is_float(dtype) else 0 if dtype == bool_ else int(np.iinfo(dtype).min)


ZERO = (0, ())


def plus(a, b):
    """The sum of two indices. A quotient times n plus the remainder of the same division is the number divided."""
    if not b[1]:
        return (a[0] + b[0], a[1])
    terms = dict(a[1])
    for term, c in b[1]:
        terms[term] = terms.get(term, 0) + c
    for term in [t for t in terms if type(t) is Quotient and t.kind == "%"]:
        c, twin = terms.get(term), next((t for t in terms if type(t) is Quotient and t.kind == "//" and
                                         t.n == term.n and t.index == term.index), None)
        if twin is not None and terms[twin] == c * term.n:
            rest = (a[0] + b[0], tuple((t, k) for t, k in terms.items() if t is not term and t is not twin))
            return plus(rest, times(term.index, c))
    return (a[0] + b[0], tuple(sorted(((t, c) for t, c in terms.items() if c), key=lambda item: item[0].serial)))


def times(a, n):
    """An index multiplied by a number."""
    return (a[0] * n, tuple((t, c * n) for t, c in a[1])) if n else ZERO


def bounds(index):
    """The least and the greatest value that an index can take."""
    low = high = index[0]
    for t, c in index[1]:
        low, high = (low + c * t.low, high + c * t.high) if c > 0 else (low + c * t.high, high + c * t.low)
    return low, high


def replaced(index, loop, other):
    """The index with `other` in place of a loop."""
    return functools.reduce(plus, [(0, ((other if t is loop else t, c),)) for t, c in index[1]], (index[0], ()))


def loops_of(index):
    """The loops that an index depends on."""
    return frozenset().union(*(t.loops for t, _ in index[1]))


def flat_index(loops):
    """The number of a step of these loops together, the last one counting fastest."""
    index = ZERO
    for loop in loops:
        index = plus(times(index, loop.extent), (0, ((loop, 1),)))
    return index


class Store(Exception):
    """Raised while a kernel is made: `node` should be computed by a kernel of its own, and read from a buffer."""

    def __init__(self, node):
        self.node = node


class Lowering:
    """One attempt at a kernel that computes `outputs`, nodes of equal size, in one nest of loops.

    It starts with a single loop over all elements. Where a quotient of a loop survives in an address, the loop is
    split at that factor and the attempt starts again: so a kernel has as few loops as its indices allow.

    `flat` is the index that runs over all elements, `nest` has the loops that it is made of, `roots` the values of the
    outputs and `stores` the addresses where they go. `inlined` has the nodes that are computed within this nest. Of
    values, `origin` says which node at which index they are, `place` at which index of its node a load reads, and
    `bodies` what a reduction reduces, as (node, index).
    """

    def __init__(self, fuser, outputs, block=None, strips=()):
        self.fuser, self.outputs, self.splits, self.block = fuser, outputs, {}, None
        self.copies = {view: copy for node in outputs for view, copy in fuser.copies[node].items()}
        self.copies.update((other.view, other.back) for other in [*fuser.turned, *strips]
                           if other.node not in outputs)
        if block:                                                       # the loop over rows, which tasks share
            self.block, width = ("out",), outputs[0].size // block.count
            if width > 1:
                self.splits[self.block], self.block = width, self.block + (0,)
            if block.extent < block.count:
                self.splits[self.block], self.block = block.extent, self.block + (1,)
        while self.attempt():
            pass

    def is_read(self, node):
        """Does this kernel read the node from a buffer?"""
        return node.buffer is not None or (node in self.fuser.stored and node not in self.outputs)

    def attempt(self):
        """Find all values, with the splits that are known so far. Did it turn up another, and has to be done again?"""
        self.memo, self.values, self.quotients, self.loops, self.origin, self.place = {}, {}, {}, {}, {}, {}
        self.inlined, self.bodies, self.reduced, self.heights, self.serial = {}, {}, defaultdict(set), {}, 0
        self.unguarded = set()                                          # values that are right at each step
        self.asked, self.reading = Counter(), set()                     # at how many places; nodes that need a load
        for node in topological(self.outputs, stop=self.is_read):         # the number of reductions beneath each node
            if self.is_read(node) or not self.reading.isdisjoint(node.sources):
                self.reading.add(node)
            self.heights[node] = 0 if self.is_read(node) else (
                max((self.heights[s] for s in node.sources), default=0) + (node.op in REDUCTIONS))
        first = self.outputs[0]
        self.flat = self.loop(("out",), first.size)
        self.roots = []
        for node in self.outputs:
            if node.op == "scatter":                                    # one output, which has no index of its own
                self.roots.append(self.scatter(node))
            else:
                self.roots.append(self.value(node, self.unflatten(self.flat, node.shape), ()))
        self.stores = [self.address(node, self.unflatten(self.flat, node.shape)) for node in self.outputs]
        self.nest = [loop for key, loop in sorted(self.loops.items()) if key[0] == "out"]
        indices = self.stores + [value.arg[1] if value.op == "load" else value.arg for value in self.values.values()
                                 if value.op in ("load", "index")]
        # Divisions that did not come out.
        surviving = [term for index in indices for term, _ in index[1] if type(term) is Quotient]
        return any([self.settle(quotient) for quotient in surviving])

    def settle(self, quotient):
        """Note a split of a loop that makes a division come out; is there one?

        For (8 i + j) // 32 with i < 12: as 32 = 8 * 4, split i into an outer loop of 3 and an inner one of 4.
        """
        for term, c in quotient.index[1]:
            if type(term) is Quotient:
                if self.settle(term):
                    return True
            elif type(term) is Loop and c > 0 and quotient.n % c == 0:
                factor = quotient.n // c
                if term.extent > factor > 1 and term.extent % factor == 0:
                    self.splits.setdefault(term.key, factor)
                    return True
        return False

    def loop(self, key, extent):
        """The index that runs over `extent` values: one loop, or an outer and an inner one where it was split."""
        if extent == 1:
            return ZERO
        if key in self.splits:
            factor = self.splits[key]
            return plus(times(self.loop(key + (0,), extent // factor), factor), self.loop(key + (1,), factor))
        if key not in self.loops:
            self.loops[key] = Loop(key, extent, None, self.next_serial())
        return (0, ((self.loops[key], 1),))

    def next_serial(self):
        self.serial += 1
        return self.serial

    def make(self, op, args=(), arg=None, dtype=None):
        """The value `op(args)`; equal values are one."""
        key = (op, args, repr(arg) if op == "const" else arg, dtype)
        if key not in self.values:
            self.values[key] = Value(op, args, arg, dtype or args[-1].dtype, self.next_serial())
        return self.values[key]

    def divide(self, index, n):
        """The quotient and the remainder of an index by n, as indices: of 64 i + j by 64, with j < 64, i and j.

        Every coefficient is divided by n. If what remains of them stays within 0 .. n-1, the division has come out: so
        the index (n + 1) k + x of a window (see _windows) is k and k + x. If not, only the terms whose coefficient n
        divides leave it whole, and the others, if any, become a Quotient and its twin, the remainder.
        """
        if n == 1:
            return index, ZERO
        whole = (index[0] // n, tuple((t, c // n) for t, c in index[1] if c // n))
        rest = (index[0] % n, tuple((t, c % n) for t, c in index[1] if c % n))
        low, high = bounds(rest)
        if low >= 0 and high < n:
            return whole, rest
        whole = (index[0] // n, tuple((t, c // n) for t, c in index[1] if c % n == 0))
        rest = (index[0] % n, tuple((t, c) for t, c in index[1] if c % n))
        if not rest[1]:
            return plus(whole, (rest[0] // n, ())), (rest[0] % n, ())
        terms = []
        for kind in ("//", "%"):
            key = (kind, rest, n)
            if key not in self.quotients:
                self.quotients[key] = Quotient(kind, rest, n, self.next_serial())
            terms.append((0, ((self.quotients[key], 1),)))
        return plus(whole, terms[0]), terms[1]

    def unflatten(self, index, shape):
        """The coordinates in `shape` of the element at a flat index."""
        coordinates = []
        for n in reversed(shape[1:]):
            index, rest = self.divide(index, n)
            coordinates.append(rest)
        return tuple([index if shape[0] > 1 else ZERO] + coordinates[::-1]) if shape else ()

    def reshape(self, index, shape, source):
        """The coordinates in the shape `source` of the element at `index` in `shape`.

        Axes are matched in groups of equal size, (4, 6, 5) and (24, 5) as (4, 6) with 24 and 5 with 5; only within a
        group is the flat index taken and divided again.
        """
        result, i, j = [], 0, 0
        while i < len(shape) or j < len(source):                        # groups of axes with equal products
            i0, j0, n, m = i, j, 1, 1
            while True:
                if n <= m and i < len(shape) and (n < m or i == i0 or shape[i] == 1):
                    n, i = n * shape[i], i + 1
                elif j < len(source) and (m < n or j == j0 or source[j] == 1):
                    m, j = m * source[j], j + 1
                else:
                    break
            if i - i0 == 1 and j - j0 == 1:
                result.append(index[i0])
            else:
                result.extend(self.unflatten(self.flatten(index[i0:i], shape[i0:i]), source[j0:j]))
        return tuple(result)

    def value(self, node, index, guard):
        """The value of `node` at `index`.

        `guard` has a (condition, pad node) for each pad above under whose condition this value is asked for. `origin`
        notes for a value which node at which index it is: for a load the topmost view of the buffer that does not yet
        repeat it (no expand above), which is what a layout copy would copy.
        """
        key = (node, index, guard)
        if key in self.memo:
            return self.memo[key]
        view = (node, index)                                            # the topmost node below any expand
        while True:
            node = self.copies.get(node, node)
            op = node.op
            if self.is_read(node):
                result = self.load(node, index, guard)
                self.origin[result] = view
                break
            if node in self.outputs and node.op != "scatter" and self.flatten(index, node.shape) != self.flat:
                raise Unmergeable
            if node in self.fuser.wide and self.in_reduction(index) and not self.fuser.is_passing(node):
                if guard:
                    raise Store(node)
                result = self.load(node, index, guard)                  # for now: Fuser.strip sees to it
                self.origin[result] = view
                break
            self.inlined[node] = True
            if op not in MOVEMENTS and op not in IDENTITY:
                self.limit_places(node)
                result = self.compute(node, index, guard)
                self.origin[result] = (node, index)
                self.unguarded.update(() if guard else (result,))
                break
            index = self.beneath(node, index)
            node = node.sources[0]
            if op == "expand":
                view = (node, index)
        self.memo[key] = result
        return result

    def limit_places(self, node):
        """Have a node stored that was asked for its value at 16 places already. The sum of a cell's neighbours asks at
        eight: several such steps in one kernel would multiply."""
        if node.op in ELEMENTWISE and node.size > 1 and node in self.reading and node not in self.outputs and \
                node not in self.fuser.wide:
            self.asked[node] += 1
            if self.asked[node] > 16:
                tail = self.fuser.tail(node)
                raise Store(node if tail in self.outputs or tail in self.fuser.wide else tail)

    def beneath(self, node, index):
        """Where a movement finds its element at `index`: the index in its source."""
        op, arg, source = node.op, node.arg, node.sources[0]
        if op == "reshape":
            return self.reshape(index, arg, source.shape)
        if op == "permute":
            return tuple(index[arg.index(a)] for a in range(len(arg)))
        if op == "shrink":
            return tuple(plus(i, (start, ())) for i, (start, _) in zip(index, arg))
        if op == "flip":
            return tuple(plus((n - 1, ()), times(i, -1)) if a in arg else i
                         for a, (i, n) in enumerate(zip(index, node.shape)))
        return tuple(ZERO if n == 1 else i for i, n in zip(index, source.shape)) if op == "expand" else index

    def known(self, node, index):
        """(number, indices): where any of these indices is negative, the node has this number at `index`; or None.

        So masks are understood: where(k <= i, score, -inf) is -inf where i - k < 0, and its exponential is 0 there.
        A factor that is 0 makes the product 0, even if the other is not finite there: it will not be computed.
        """
        op, sources = node.op, node.sources
        if op in MOVEMENTS or op in IDENTITY:
            return self.known(sources[0], self.beneath(node, index))
        if op == "where":
            condition, otherwise = self.value(sources[0], index, ()), self.value(sources[2], index, ())
            limits = [] if otherwise.op != "const" else self.limits(condition)
            return (otherwise.arg, limits) if limits else None
        if op in ("add", "mul", "div", "exp", "cast"):                  # -inf + x is -inf, exp(-inf) and 0 * x are 0
            needed, result = {"add": (-math.inf, -math.inf), "exp": (-math.inf, 0)}.get(op, (0, 0))
            for source in sources[:1] if op == "div" else sources:
                found = self.known(source, index)
                if found and found[0] == needed:
                    return result, found[1]
        return None

    def limits(self, condition):
        """The indices of which none is negative where a condition holds; those that can be told."""
        if condition.op == "and":
            return self.limits(condition.args[0]) + self.limits(condition.args[1])
        if condition.op not in ("le", "lt"):
            return []
        low, high = condition.args
        if low.op == "max":                                             # then neither of the two is greater
            return [limit for a in low.args for limit in self.limits(self.make(condition.op, (a, high), None, bool_))]
        low, high = self.position(low), self.position(high)
        return [plus(plus(high, times(low, -1)), (-(condition.op == "lt"), ()))] if low and high else []

    def position(self, value):
        """The index that an integer is, if sums of coordinates and constants led to it that never overflow, or None."""
        found = {}
        for v in reachable([value]):
            parts, index = [found[a] for a in v.args if a in found], None
            if v.dtype.kind not in "iu" or len(parts) < len(v.args):
                continue
            if v.op in ("index", "const"):
                index = v.arg if v.op == "index" else (v.arg, ())
            elif v.op in ("add", "cast"):
                index = functools.reduce(plus, parts)
            elif v.op == "mul" and not parts[1][1]:                     # the minus of a difference is a factor of -1
                index = times(parts[0], parts[1][0])
            if index and all(n in range(np.iinfo(v.dtype).min, np.iinfo(v.dtype).max + 1) for n in bounds(index)):
                found[v] = index
        return found.get(value)

    def in_reduction(self, index):
        """Does an index depend on a loop of a reduction?"""
        return any(loop.key[0] == "r" for i in index for loop in loops_of(i))

    def flatten(self, index, shape):
        """The flat index of the element at `index` in `shape`."""
        flat = ZERO
        for i, n in zip(index, shape):
            flat = plus(times(flat, n), i)
        return flat

    def address(self, node, index):
        """Where the element at `index` of a stored node lies, in elements: row-major, with the pitch of its rows."""
        if not index or node.op == "scatter" and node in self.outputs:
            return self.flat if node in self.outputs else ZERO
        last = max([a for a, n in enumerate(node.shape) if n > 1], default=0)           # the axis of its rows
        return plus(times(self.flatten(index[:last], node.shape[:last]), self.fuser.pitch(node)), index[last])

    def load(self, node, index, guard):
        value = self.make("load", tuple(c for c, _ in guard),
                          (node, self.address(node, index), guard[-1][1] if guard else None), node.dtype)
        self.place[value] = index
        return value

    def compute(self, node, index, guard):
        """The value of a node that is neither a buffer nor a movement."""
        op, sources = node.op, node.sources
        if op == "const":
            return self.make("const", (), node.arg, node.dtype)
        if op == "index":
            return self.make("index", (), index[0], node.dtype)
        if op == "pad":
            return self.pad(node, index, guard)
        if op == "gather":
            table, row = sources[0], self.value(sources[1], index[:len(sources[1].shape)], guard)
            inside = self.both(self.compare("le", self.constant(0, row.dtype), row),
                               self.compare("lt", row, self.constant(table.shape[0], row.dtype)))
            row = self.make("row", (row,), table.shape[0], int32)       # kept within the table
            row.low, row.high = 0, table.shape[0] - 1
            at = (0, ((row, 1),)) if table.shape[0] > 1 else ZERO
            found = self.value(table, (at,) + index[len(sources[1].shape):], guard)
            return self.make("where", (inside, found, self.constant(0, found.dtype)))
        if op in REDUCTIONS:
            if guard or any(type(t) is Value for i in index for t, _ in i[1]):
                raise Store(self.fuser.tail(node))
            # The key has the height, so that the maximum and the sum of a softmax get loops of their own, while two
            # sums of equal height over the same axes share one.
            inner, height = list(index), self.heights[node]
            axes, shape = node.arg, sources[0].shape
            extents = tuple(shape[a] for a in axes)
            flat = self.loop(("r", height, axes, extents), math.prod(extents))
            for a, i in zip(axes, self.unflatten(flat, extents)):
                inner[a] = i
            body = self.value(sources[0], tuple(inner), ())
            loops = tuple(sorted((t for t, _ in flat[1]), key=lambda loop: loop.key))
            result = self.make(op, (body,), loops, node.dtype)
            self.bodies[result] = (sources[0], tuple(inner))
            self.reduced[node].add(result)
            if len(self.reduced[node]) > 1:                             # read at two indices: computed twice
                raise Store(self.fuser.tail(node))
            return result
        values = tuple(self.value(source, index, guard) for source in sources)
        if op == "cast":
            return self.cast(values[0], node.dtype)
        return self.compare(op, *values) if op in COMPARISONS else self.make(op, values, None, node.dtype)

    def compare(self, op, a, b):
        """A comparison. Of an integer with itself, or of one without a sign with 0, the result may be known."""
        limit = {"le": a, "lt": b}.get(op)                              # 0 <= b, a < 0
        is_least = a.dtype.kind == "u" and limit is not None and limit.op == "const" and limit.arg == 0
        if is_least or a is b and not is_float(a.dtype):
            return self.constant(op in ("le", "eq"), bool_)
        return self.make(op, (a, b), None, bool_)

    def cast(self, value, dtype):
        """A conversion; those from and to 16 bits go through float32, and a bool is a comparison with zero."""
        if value.dtype == dtype:
            return value
        if dtype != float32 and is_short_float(value.dtype) or value.dtype != float32 and is_short_float(dtype):
            return self.cast(self.make("cast", (value,), None, float32), dtype)
        if dtype == bool_:
            return self.make("ne", (value, self.constant(0, value.dtype)), None, bool_)
        if is_float(value.dtype) and dtype.kind in "iu":                # see cast_array
            wide = int64 if dtype in (int64, uint32) else int32
            least, beyond = (self.constant(sign * float(np.iinfo(wide).min), value.dtype) for sign in (1, -1))
            inside = self.both(*[self.make(op, pair, None, bool_) for op, pair in (("le", (least, value)),
                                                                                   ("lt", (value, beyond)))])
            return self.cast(self.make("cast", (self.make("where", (inside, value, least)),), None, wide), dtype)
        return self.make("cast", (value,), None, dtype)

    def constant(self, value, dtype):
        return self.make("const", (), value, dtype)

    def both(self, *conditions):
        return functools.reduce(lambda a, b: self.make("and", (a, b), None, bool_), conditions)

    def inside(self, index, n):
        """The conditions under which 0 <= index < n, as values; none where that always holds."""
        low, high = bounds(index)
        at = self.make("index", (), index, int32)
        conditions = [self.make("le", (self.constant(0, int32), at), None, bool_)] if low < 0 else []
        return conditions + ([self.make("lt", (at, self.constant(n, int32)), None, bool_)] if high >= n else [])

    def pad(self, node, index, guard):
        """A pad is zero outside its source; inside, everything beneath it is computed under that condition."""
        source = node.sources[0]
        index = tuple(plus(i, (-before, ())) for i, (before, _) in zip(index, node.arg))
        conditions = [c for i, n in zip(index, source.shape) for c in self.inside(i, n)]
        guard += tuple((c, node) for c in conditions if all(c is not known for known, _ in guard))
        value = self.value(source, tuple(ZERO if n == 1 else i for i, n in zip(index, source.shape)), guard)
        if not conditions or value.op == "load":
            return value                                                # a guarded load is zero outside already
        return self.make("where", (self.both(*conditions), value, self.constant(0, value.dtype)))

    def scatter(self, node):
        """The (row, value) of a scatter; the loops over the scattered elements are reductions of a kind."""
        rows, values = node.sources
        count, width = rows.size, math.prod(node.shape[1:])
        self.loops.clear()
        self.flat = self.loop(("out",), width)
        flat = self.loop(("r", 0, (), (count,)), count)
        row = self.value(rows, self.unflatten(flat, rows.shape), ())
        row = self.cast(row, int32)
        at = self.unflatten(flat, rows.shape) + self.unflatten(self.flat, node.shape[1:])
        return self.make("scatter", (row, self.value(values, at, ())), flat, node.dtype)


class Unmergeable(Exception):
    """Raised when outputs don't go together: one reads another at a different index, or would need a layout copy now
    that all copies have been chosen."""


# ---------------------------------------------------------------------------------------------------------------------
# 5. Kernels: the loops
#
# Once the values are known, the shape of the loops is chosen. The outer loops are tasks, which threads share. The last
# loop is the vector if loads along it are contiguous: it is taken `lanes` elements at a time. Where an operand of a
# reduction is the same for all steps of another loop, as in a matrix product, that loop is the row: several rows and
# vectors are computed together in registers, and each load serves all of the tile that shares it.
#
# On a GPU the same nest is `grouped`: a vector is the work-items of a group, one element each. So neighbours load and
# store neighbours, a task is what a group does, and what does not depend on the vector all of its items compute alike.
#
# Here it also shows what would be computed too often, or read too slowly, in this nest: then Store or Again is raised
# for the fuser (section 7), which has that node stored first, or the operand copied into a better layout.
# ---------------------------------------------------------------------------------------------------------------------
TYPE_OF = {float16: "f16", bfloat16: "bf16", float32: "f32", float64: "f64", int8: "i8", uint8: "u8", int32: "i32",
           uint32: "u32", int64: "i64", bool_: "i32"}                   # of a value; a bool is 0 or -1, a mask
MEMORY_TYPE = {**TYPE_OF, bool_: "u8"}


def stride_along(index, loop):
    """How far an index moves when `loop` moves by one; None if that is not a constant."""
    stride = 0
    for term, c in index[1]:
        if term is loop:
            stride += c
        elif loop in term.loops:
            return None
    return stride


def reachable(roots):
    """All values that `roots` are computed from, sources first."""
    def sources(value):
        index = value.arg[1] if value.op == "load" else value.arg if value.op == "index" else ZERO
        return list(value.args) + list(values_in(index))
    return topological(roots, sources=sources)


def values_in(index):
    """The values that an index is computed from."""
    for term, _ in index[1]:
        if type(term) is Value:
            yield term
        elif type(term) is Quotient:
            yield from values_in(term.index)


class Span(namedtuple("Span", "start stop")):
    """The steps of a loop that matter for a block of rows. `start` and `stop` are None, where nothing is known, or a
    pair (k, c): c times the number of the first row, plus k."""

    def union(self, other):
        return Span(*[(choose(a[0], b[0]), a[1]) if a and b and a[1] == b[1] else None
                      for a, b, choose in zip(self, other, (min, max))])

    def widened(self, n):
        return Span(self.start and (self.start[0] - n, self.start[1]), self.stop and (self.stop[0] + n, self.stop[1]))


ALL = Span(None, None)


def keeps_some(limits, n, m):
    """Is there for each i < n some j < m at which no limit (k, a, b) has k + a * i + b * j < 0?"""
    i, low, high = np.arange(n), 0, m - 1
    for k, a, b in limits:
        if b > 0:
            low = np.maximum(low, -((k + a * i) // b))
        else:
            high = np.minimum(high, (k + a * i) // -b) if b else np.where(k + a * i < 0, -1, high)
    return bool(np.all(low <= high))


CACHE = 1 << 20                         # bytes that a core can keep close by: a usual second-level cache
NOT_COUNTED = {"where", "cast", "bitcast"}                              # these move numbers: no arithmetic
Operand = namedtuple("Operand", "shape dtype")
# Rows x vectors of the register tiles that TUNE=1 tries (see Nest.tiles).
TILES = [(4, 1), (8, 1), (16, 1), (4, 2), (6, 2), (8, 2), (12, 2), (14, 2), (8, 3), (4, 4)]


class Nest:
    """One nest of loops that computes `outputs`, and how its loops are taken.

    With a `block` it goes through rows as the other nests of its kernel do, and reads `strips` (see Fuser.weave).
    """

    def __init__(self, fuser, outputs, lanes, block=None, strips=()):
        self.lowering, self.groups = Lowering(fuser, outputs, block, strips), fuser.groups
        self.outputs, self.loops, self.is_copy = outputs, self.lowering.nest, outputs[0] in fuser.copied
        self.spans = {}                                                 # of loops that need not run to their end
        self.block, self.block_loop = block, self.lowering.loops.get(self.lowering.block)
        if block and not self.block_loop:
            raise Unweavable
        self.keep(outputs)
        self.is_scatter = outputs[0].op == "scatter"
        self.check_reductions(fuser)
        self.vector = self.choose_vector(fuser)
        self.choose_tile(lanes)

    def reduced_span(self, reduction):
        """The steps of a reduction that matter to the rows of a block; the rest is known to change nothing.

        Each limit says that k + row * i + c * r is not negative, at row i and step r, where a step matters. A mask that
        leaves nothing of a row is not used: softmax gives NaN there, which is no 0. Neither is one that leaves nothing
        of a step, since in gradients the steps may be the rows of the softmax.
        """
        found, limits, start, stop = self.lowering.known(*self.lowering.bodies[reduction]), [], None, None
        if found and found[0] == REDUCTIONS[reduction.op][1](reduction.dtype):
            for limit in found[1]:
                c, row = stride_along(limit, reduction.arg[-1]), stride_along(limit, self.block_loop)
                if c in (1, -1) and row is not None:
                    rest = plus(limit, times(flat_index(reduction.arg), -c))
                    rest = plus(rest, (0, ((self.block_loop, -row),)))
                    limits += [] if rest[1] else [(rest[0], row, c)]
        rows, steps = self.block_loop.extent, math.prod(loop.extent for loop in reduction.arg)
        if not keeps_some(limits, rows, steps) or not keeps_some([(k, c, row) for k, row, c in limits], steps, rows):
            return ALL
        for k, row, c in limits:
            greatest = k + max(row, 0) * (self.block.rows - 1)          # of k + row * (i - the first i of the block)
            if c == 1:
                start = (-greatest, -row)
            else:
                stop = (greatest + 1, row)
        return Span(start, stop)

    def spread(self, spans):
        """Note the spans of the loops, and for the nests before this one the `spans` of the strips that it reads.

        The nests of a kernel are asked from the last to the first, so that `spans` knows how far a strip is read, and
        so needed, when the nest that computes it is asked. Spans are widened to whole vectors, since these are read.
        """
        inner, lanes = tuple(self.loops[self.parallel:]), self.lowering.fuser.lanes
        self.spans = {}
        if inner:
            span, width = spans.get(self.outputs[0], ALL), math.prod(loop.extent for loop in inner[1:])
            whole = self.lanes == lanes and self.vector is inner[-1] and (len(inner) == 1 or width % lanes == 0)
            # Those who read the strip widen what they need to whole vectors; so must this nest, if it goes by others.
            self.spans[inner] = span if whole else span.widened(lanes - 1)
        for reduction in self.reductions:
            span = self.reduced_span(reduction)
            self.spans[reduction.arg] = self.spans[reduction.arg].union(span) if reduction.arg in self.spans else span
        flat = {flat_index(loops): span for loops, span in self.spans.items()}
        for loops in {reduction.arg for reduction in self.reductions}:  # of several loops, whole steps of the first
            flat[flat_index(loops)] = self.spans[loops].widened(math.prod(loop.extent for loop in loops[1:]) - 1)
        rows = flat_index(self.loops[:self.parallel])
        for value in self.values:                                       # the columns of a strip that each load reads
            if value.op == "load" and value.arg[0] in self.lowering.fuser.strips:
                node = value.arg[0]
                rest = plus(value.arg[1], times(rows, -node.size // self.block.count))
                span = flat.get(rest, ALL)
                spans[node] = spans[node].union(span) if node in spans else span

    def stays_within(self, nodes):
        """Does each task read and write only its own rows of `nodes`, which the nests of this kernel compute?"""
        row = flat_index(self.loops[:self.parallel])
        places = [(value.arg[0], value.arg[1]) for value in self.values if value.op == "load" and value.arg[0] in nodes]
        for node, address in places + list(zip(self.outputs, self.lowering.stores)):
            width, odd = divmod(self.lowering.fuser.elements(node), self.block.count)
            if odd:
                return False
            rest = plus(address, times(row, -width))
            low, high = bounds(rest)
            if low < 0 or high >= width:
                return False
        return True

    def keep(self, outputs):
        """Store only these of the outputs."""
        lowering = self.lowering
        kept = [i for i, node in enumerate(self.outputs) if node in outputs]
        self.outputs = lowering.outputs = outputs
        lowering.roots, lowering.stores = [lowering.roots[i] for i in kept], [lowering.stores[i] for i in kept]
        self.values = reachable(lowering.roots)
        self.reductions = [value for value in self.values if value.op in REDUCTIONS]

    def level(self, value):
        """The number of loops of the nest outside of which the value can't be computed."""
        return max((i + 1 for i, loop in enumerate(self.loops) if loop in value.loops), default=0)

    def check_reductions(self, fuser):
        """Raise Store for whatever would be computed again and again in this nest of loops."""
        total = math.prod(loop.extent for loop in self.loops)
        own = {*self.outputs, *(unmoved(node.sources[0]) for node in self.outputs if node.op == "contiguous")}
        for reduction in self.reductions:
            node = self.lowering.origin[reduction][0]
            outside = self.loops[:self.level(reduction)]
            repeated = self.is_scatter or any(loop not in reduction.loops for loop in outside)
            nested = any(loop not in self.loops for loop in reduction.loops)
            # repeated: a loop around it on which it does not depend would compute it again. nested: it depends on a
            # loop of another reduction, and would be computed within the steps of that. alone: there are too few
            # steps of the loops around it to keep threads busy, while the rest of the kernel is large.
            alone = total > 1 << 15 and len(outside) < len(self.loops) and math.prod(l.extent for l in outside) < 4
            if (repeated or nested or alone) and node not in own:
                tail = fuser.tail(node)
                raise Store(node if tail in self.outputs else tail)
            self.check_operands(reduction)

    def check_operands(self, reduction):
        """An operand of a matrix product is computed beforehand, not once for every row or column that uses it."""
        stack, seen = [reduction.args[0]], set()
        needed = {loop for loop in reduction.loops if loop in self.loops}
        while stack:
            value = stack.pop()
            if value in seen or not value.loops.intersection(reduction.arg):
                continue
            seen.add(value)
            if needed <= value.loops or value.op in ("index", "const"):
                stack.extend(value.args)
            elif value.op == "load":
                if value.args:                                          # a load under a pad's condition
                    raise Store(value.arg[2])
            elif any(v.op == "load" for v in reachable([value])):
                node = self.lowering.origin.get(value, (None,))[0]
                if node is not None and node not in self.outputs:
                    raise Store(node)
                stack.extend(value.args)

    def choose_vector(self, fuser):
        """The last loop of the nest; or None if a load there is strided and not worth a copy. Then a reduction may be
        taken a vector at a time instead (see Emitter.has_lane).

        A copy is worth it for an operand that is strided but read again for 16 rows or more; and for one that is
        contiguous but read for 256 rows with 128 elements or more from row to row, as it then misses the caches. And
        a large operand that the vectors share is copied if the reduction would go down its columns.
        """
        if not self.loops:
            return None
        last = self.loops[-1]
        for reduction in self.reductions:
            if last not in reduction.loops:
                continue
            for value in reachable(reduction.args):
                if value.op != "load" or not value.loops.intersection(reduction.arg):
                    continue
                stride, along = stride_along(value.arg[1], last), stride_along(value.arg[1], reduction.arg[-1])
                reuse = math.prod(loop.extent for loop in reduction.loops - value.loops)
                if last not in value.loops:
                    size = math.prod(loop.extent for loop in value.loops) * value.dtype.itemsize
                    if size > 2 * CACHE and reuse >= 256 and along != 1 and \
                            fuser.copy(self, value, reduction.arg[-1], reduction, panel=None):
                        raise Again
                    continue
                pitch = min((abs(stride_along(value.arg[1], loop) or 0) for loop in reduction.arg
                             if loop in value.loops), default=0)
                if stride == 1 and (reuse < 256 or pitch < 128 or self.groups):
                    continue
                if reuse >= 16 and not self.is_scatter and fuser.copy(self, value, last, reduction):
                    raise Again
                # A group takes this loop all the same: its items do more with strided elements than if they all did the
                # same. Only to share the steps of the reduction is better.
                other = along == 1 and reduction.arg[-1].extent >= fuser.lanes or last is self.block_loop
                if stride != 1 and (other or not self.groups):
                    return None
        return last

    def choose_tile(self, lanes):
        """Rows and vectors of the register tile, and lanes of a vector.

        8 rows x 2 vectors keep 16 sums in registers, enough to hide the latency of multiply-add, and load 8 numbers
        and 2 vectors for them. Without shared operands a few vectors do. An item of a group has more registers, for 4
        vectors, but without shared operands one is enough, as other groups run while it waits for memory.
        """
        self.row, self.rows, self.vectors = None, 1, 1
        if self.vector is None:
            extents = [r.arg[-1].extent for r in self.reductions if r.arg]
            if self.loops and not self.is_scatter and not self.groups:
                self.row = self.loops[-1]
                self.rows = min(8 if len(self.loops) > 1 else 4, self.row.extent)
        else:
            extents = [self.vector.extent]
            inner = [r for r in self.reductions if self.vector in r.loops]
            shared = [loop for r in inner for value in reachable(r.args) if value.op == "load"
                      and self.vector in value.loops and value.loops.intersection(r.arg)
                      for loop in r.loops - value.loops if loop in self.loops]
            strided = [value for value in self.values if value.op == "load" and self.vector in value.loops
                       and stride_along(value.arg[1], self.vector) not in (0, 1)]
            if shared:
                self.row, self.rows, self.vectors = max(shared, key=self.loops.index), 8, 4 if self.groups else 2
            elif strided and len(self.loops) > 1 and not self.is_scatter:
                self.row, self.rows = self.loops[-2], 8                  # neighbouring rows share the cache lines
                if not self.reductions and not self.block:              # and so do those that come next
                    self.loops[-2:] = [self.vector, self.row]
            else:
                self.vectors = 1 if self.is_scatter or self.groups else 4 if inner else 2
        if self.block:
            self.row = self.row and self.block_loop
        if self.row:
            self.rows = self.block.rows if self.block else tile_rows(self.row.extent, self.rows)
        widest = max([value.dtype.itemsize for value in self.values if value.op != "row"] + [4])
        self.lanes = lanes if self.groups else \
            min(max(lanes * 4 // widest, 1), 1 << max(max(extents, default=1) - 1, 0).bit_length())
        if self.vector:
            self.vectors = max(1, min(self.vectors, self.vector.extent // self.lanes))
        self.row_block = 0                                              # rows that all vectors are done for first
        if self.row and self.vector and not self.block and not self.groups and self.row.extent >= 128 and \
                self.operand_bytes(self.vector, self.row) > CACHE // 2:
            self.row_block = 64 if self.operand_bytes(self.row, self.vector) > CACHE else self.row.extent
        self.choose_levels()
        unkept = self.block or self.row or not self.vector or self.lanes == 1 or self.groups
        self.kept = {} if unkept else self.find_kept()

    def find_kept(self):
        """Costly values that a reduction computes all along a row, and that the row needs again: {second: first}.

        So a softmax needs the exponentials once for their sum, in the loop of that, and again for the result, in the
        loop of the vector: the same node at the same index, but for the loop. The first is stored, the second loaded.
        Not one beneath a pad, which is something else outside of what is padded.
        """
        kept, values = {}, defaultdict(list)
        for value in self.values:
            if value.op in COSTLY:
                node, index = self.lowering.origin[value]
                values[node].append((value, index))
        for reduction in self.reductions:
            for pair in values.values():
                for (first, index), (second, again) in itertools.permutations(pair, 2):
                    loops = set(reduction.arg)
                    if len(pair) == 2 and len(loops) == 1 and first in reachable(reduction.args) and \
                            first in self.lowering.unguarded and \
                            first.loops - set(self.loops) == loops and second.loops <= set(self.loops) and \
                            self.vector not in reduction.loops and self.vector.extent == reduction.arg[0].extent and \
                            all(replaced(i, reduction.arg[0], self.vector) == j for i, j in zip(index, again)):
                        kept[second] = first
        return kept

    def choose_levels(self):
        """The loops as they are taken, outermost first, as (loop, step), and how many of them are tasks.

        Where what the vectors read is too large for the cache, each piece of it should serve more than one tile: all
        rows, if what they read stays in the cache, or else a block of 64 rows. The row is then there twice: within such
        a block all vectors are done before the next.
        """
        step = {loop: 1 for loop in self.loops}
        step.update({self.row: self.rows, self.vector: self.lanes * self.vectors})
        self.levels = [(loop, step[loop]) for loop in self.loops]
        if self.block:                                                  # all nests of the kernel take the same rows
            at = self.loops.index(self.block_loop)
            self.levels[at] = (self.block_loop, self.block.rows)
            if self.row is None:
                self.levels.insert(at + 1, (self.block_loop, 1))
        elif self.row_block:
            at = self.loops.index(self.row)
            block = self.row_block // self.rows * self.rows             # whole tiles: a row must not be done twice
            outer = [(self.row, block)] if self.row_block < self.row.extent else []
            self.levels = self.levels[:at] + outer + self.levels[at + 1:] + [(self.row, self.rows)]
        # The outer loops become tasks: enough of them to share out, but never past a reduction that they would repeat.
        limit = min([self.level(r) for r in self.reductions] + [len(self.loops)])
        if self.block and limit < at + 1:
            raise Unweavable
        self.tasks, self.parallel, enough = 1, 0, max(64, self.groups)
        while self.parallel < (at + 1 if self.block else limit) and (self.tasks < enough or self.block):
            self.tasks *= self.steps(*self.levels[self.parallel])
            self.parallel += 1

    def tiles(self):
        """What TUNE=1 tries, as (rows, vectors, row_block). An element is summed up in the same order in each."""
        if not self.row or not self.reductions or self.block:
            return []
        most = max(1, self.vector.extent // self.lanes) if self.vector else 1
        fitting = [(rows, vectors) for rows, vectors in TILES if rows <= self.row.extent and vectors <= most]
        blocks = (0, 64, self.row.extent) if self.vector and self.row.extent >= 128 else (0,)
        return [(*tile, block) for tile in fitting for block in blocks]

    def layout(self):
        """How the loops are taken, in words."""
        name = {loop: f"i{n}" for n, loop in enumerate(self.loops)}
        steps = [name[loop] + f" by {step}" * (step > 1) for loop, step in self.levels]
        count = lambda n, word: f"{n} {word}" + "s" * (n > 1)
        tile = [f"{count(self.rows, 'row')} of {name[self.row]}"] if self.row else []
        tile += [f"{count(self.vectors, 'vector')} of {self.lanes} along {name[self.vector]}"] if self.vector else []
        parts = [("tasks: ", ", ", steps[:self.parallel]), ("loops: ", ", ", steps[self.parallel:]),
                 ("tile: ", " x ", tile)]
        return "; ".join(what + between.join(words) for what, between, words in parts if words) or "one element"

    def operand_bytes(self, along, again):
        """The size of what the reductions read along one of two loops, and read again for each step of the other."""
        loads = [value for r in self.reductions for value in reachable(r.args) if value.op == "load"
                 and along in value.loops and again not in value.loops]
        outside = self.loops[:min(self.loops.index(self.row), self.loops.index(self.vector))]
        return max([math.prod(loop.extent for loop in value.loops.difference(outside)) * value.dtype.itemsize
                    for value in loads], default=0)

    def steps(self, loop, step):
        """How many steps a loop of the nest takes."""
        return -(-loop.extent // step)

    def reads(self):
        """The nodes that the kernel reads from buffers."""
        return list(dict.fromkeys(value.arg[0] for value in self.values if value.op == "load"))


Written = namedtuple("Written", "name body tasks")                      # what a hand-written kernel is (see `kernel`)


class HandWritten:
    """Stands for the nest of loops of the hand-written kernel `node`, the result of which is stored as `output`.

    No more is known of its `text` than which nodes it reads; `lanes` are the lengths of the vectors that it names.
    """
    values, groups, is_copy = (), 0, False

    def __init__(self, node, output):
        self.node, self.outputs, self.tasks = node, [output], node.arg.tasks
        self.lowering = SimpleNamespace(inlined={node: True, output: True})
        operands = {"out0": node, **{f"x{i}": source for i, source in enumerate(node.sources)}}
        text = textwrap.dedent(node.arg.body).strip().replace("{t}", MEMORY_TYPE[node.sources[0].dtype])
        shapes = [f"  const idx {name}_shape[] = {{{', '.join(map(str, operand.shape))}}};"
                  for name, operand in operands.items() if operand.shape and f"{name}_shape" in text]
        self.lanes = frozenset(int(n) for n in re.findall(r"(?:[fiu]\d+|bool)x(2|4|8|16)\b", text))
        # Compilers are told to number its lines from 1, under its own name.
        self.text = "\n".join([*shapes, f'#line 1 "{node.arg.name}"', textwrap.indent(text, "  ")])

    def reads(self):
        return list(dict.fromkeys(self.node.sources))

    def keep(self, outputs):
        self.outputs = outputs

    def tiles(self):
        return []

    def layout(self):
        return "written by hand"


def tile_rows(extent, most=8):
    """How many rows to compute together: a tile without a rest is worth a smaller one."""
    most = min(most, extent)
    return next((n for n in (8, 7, 6, 5, 4) if n <= most and extent % n == 0), most)


def with_slack(size):
    """The bytes that a strip of `size` bytes takes: with slack around, and to where the next one should begin."""
    return -(-(size + 2 * SLACK) // 64) * 64


class Kernel:
    """One function of generated code: a nest of loops, or several that are run task by task, one after the other.

    What passes only from one nest to the next within a task lies in a strip of memory of the thread's own: `strips`.
    """

    def __init__(self, nests, strips=()):
        self.nests, self.strips = nests, list(strips)
        self.tasks, self.is_copy = nests[-1].tasks, nests[-1].is_copy
        self.lanes, self.grouped = sorted({nest.lanes for nest in nests}), nests[0].groups > 0

    def __repr__(self):
        return f"<Kernel {self.header.removeprefix('// ')}>"

    def reads(self):
        """The nodes that the kernel reads from the buffers of others."""
        own = {node for nest in self.nests for node in nest.outputs}
        return list(dict.fromkeys(node for nest in self.nests for node in nest.reads() if node not in own))

    def generate(self):
        """Write the body of the kernel; afterwards it has a name, a key and the nodes it reads."""
        self.inputs, first = self.reads(), self.nests[0]
        self.outputs = [node for nest in self.nests for node in nest.outputs if node not in self.strips]
        values = [value for nest in self.nests for value in nest.values]
        words = list(dict.fromkeys(value.op.removesuffix("_over") for value in values
                                   if value.op not in ("load", "const", "index", "row", "cast", "where", "and")))
        if isinstance(first, HandWritten):                              # x1 is its second input, even if x0 is the same
            self.inputs, self.body, self.strip_bytes = list(first.node.sources), first.text, 0
            words, self.lanes = [first.node.arg.name], sorted(first.lanes)
        else:
            self.body = self.write()
        self.arguments = [f"out{i}" for i in range(len(self.outputs))] + [f"x{i}" for i in range(len(self.inputs))]
        self.types = [MEMORY_TYPE[node.dtype] for node in self.outputs] + \
                     ["const " + MEMORY_TYPE[node.dtype] for node in self.inputs]
        self.key = hashlib.sha256((self.body + str(self.types)).encode()).hexdigest()[:16]
        size = "x".join(str(n) for n in self.outputs[0].shape if n > 1) or "1"
        self.name, self.symbol = "_".join((words[:5] or ["copy"]) + [size]), f"kernel_{self.key}"
        repeats = lambda loops: math.prod(loop.extent for loop in loops)
        self.flops = sum(repeats(value.args[0].loops.union(value.arg) if value.op in REDUCTIONS else value.loops)
                         for value in values if value.op in {*ELEMENTWISE, *REDUCTIONS} - NOT_COUNTED
                         and is_float(value.dtype))
        self.bytes = sum(nbytes(node) for node in self.outputs + self.inputs)
        results = ", ".join(f"{NAME_OF[node.dtype]} {list(node.shape)}" for node in self.outputs)
        work = "written by hand" if isinstance(first, HandWritten) else f"{self.flops} floating-point operations"
        self.header = f"// {self.name}: {results}, {work}, {self.bytes} bytes"

    def write(self):
        """The body of the kernel: its nests, one after the other."""
        first = self.nests[0]
        pointers = {node: f"x{i}" for i, node in enumerate(self.inputs)}
        pointers.update((node, f"out{i}") for i, node in enumerate(self.outputs))
        pointers.update((node, f"strip{i}") for i, node in enumerate(self.strips))
        emitters = [Emitter(nest, pointers) for nest in self.nests]
        head, self.strip_bytes = "for (idx task = begin; task < end; task++) {", 0
        if len(emitters) == 1:
            self.strip_bytes = emitters[0].strip_bytes
            lines = [f"// {first.layout()}"] + emitters[0].prologue + [head] + emitters[0].body + ["}"]
        else:
            rows, extent = first.block.rows, first.block.extent
            steps = -(-extent // rows)
            lines = [head, f"idx rows = task * {rows};" if extent % rows == 0 else
                     f"idx rows = task / {steps} * {extent} + task % {steps} * {rows};"]
            places = self.place_strips()
            for node in self.strips:
                type, width = MEMORY_TYPE[node.dtype], first.lowering.fuser.elements(node) // first.block.count
                # Where row 0 would be: not a place in `strips`, so it must not be computed with pointers.
                lines.append(f"GLOBAL {type} *{pointers[node]} = (GLOBAL {type} *)((uintptr_t)strips + "
                             f"{places[node] + SLACK} - (uintptr_t)rows * {width * node.dtype.itemsize});")
            for nest, emitter in zip(self.nests, emitters):
                lines += ["{", f"// {nest.layout()}"] + emitter.prologue + emitter.body + ["}"]
                lines += ["GROUP_BARRIER"] * self.grouped               # others of the group read what this one wrote
            lines.append("}")
        strips = "GROUP_STRIPS" if self.grouped else "STRIPS"
        lines = [f"{strips}({self.strip_bytes})"] * (self.strip_bytes > 0) + lines
        depth, indented = 1, []
        for line in lines:
            depth -= line.startswith("}")
            indented.append("  " * depth + line)
            depth += line.endswith("{")
        return "\n".join(indented)

    def variants(self):
        """This kernel and then the same with other tiles, by their layouts; {} if there is no choice. They share the
        nest, which is left with the last tile: the texts are written by then."""
        nest, found = self.nests[0], {self.nests[0].layout(): self}
        for tile in nest.tiles():
            nest.rows, nest.vectors, nest.row_block = tile
            nest.choose_levels()
            if nest.layout() not in found:
                found[nest.layout()] = other = Kernel([nest])
                other.generate()
        return found if len(found) > 1 else {}

    def place_strips(self):
        """Where each strip begins, in bytes. A nest puts its strip where one lies that it is the last to read, if it
        reads each number there only to write at the same index."""
        places, self.strip_bytes = {}, 0
        last = {node: nest for nest in self.nests for node in nest.reads()}
        for nest in self.nests:
            for node, store in zip(nest.outputs, nest.lowering.stores):
                loads = [value for value in nest.values if value.op == "load"]
                over = next((old for old in nest.reads() if old in places and last[old] is nest
                             and (old.size, old.dtype) == (node.size, node.dtype) and places[old] not in
                             [places[other] for other in nest.outputs if other in places]
                             and all(load.arg[1] == store for load in loads if load.arg[0] is old)), None)
                if node in self.strips and over:
                    places[node] = places[over]
                elif node in self.strips:
                    places[node] = self.strip_bytes
                    size = nest.lowering.fuser.elements(node) // nest.block.count * nest.block.rows
                    self.strip_bytes += with_slack(size * node.dtype.itemsize)
        return places

    def forget(self, number):
        """Let go of the graph, once the plan is made. What is left are numbers and texts, which a file can hold."""
        nodes = {number[node] for nest in self.nests for node in nest.lowering.inlined if node in number}
        self.nodes = sorted(nodes or {number[node] for node in self.inputs if node in number})
        describe = lambda node: Operand(node.shape, node.dtype)
        self.outputs, self.inputs = [describe(node) for node in self.outputs], [describe(node) for node in self.inputs]
        del self.nests, self.strips

    def comment(self, lines):
        """What stands above the text of the kernel: its header, its operands, and the `lines` of Python it computes."""
        operands = "; ".join(f"{name}: {NAME_OF[operand.dtype]} {list(operand.shape)}"
                             for name, operand in zip(self.arguments, self.outputs + self.inputs))
        lines = dict.fromkeys(quoted(*line) for line in sorted(lines))
        return "\n".join([self.header, *textwrap.wrap(operands, 120, initial_indent="// ", subsequent_indent="//   "),
                          *(f"// {line}" for line in lines)]) + "\n"

    def c_source(self):
        """The kernel as a C function: the tasks from `begin` to `end`, on the buffers of its outputs and inputs."""
        pointers = [f"  {type} *{name} = ({type} *)buffers[{i}];"
                    for i, (name, type) in enumerate(zip(self.arguments, self.types))]
        return "\n".join([f"void {self.symbol}(idx begin, idx end, char **buffers) {{", *pointers, self.body, "}\n"])

    def cl_source(self):
        """The kernel in OpenCL C: each work-item takes its share of the tasks, or each group. A buffer begins after its
        slack."""
        parameters = [f"global {type} *{name}_" for name, type in zip(self.arguments, self.types)] + ["long tasks"]
        parameters += ["global char *strips_"] if self.strip_bytes else []
        pointers = [f"  global {type} *{name} = {name}_ + {SLACK} / sizeof({type});"
                    for name, type in zip(self.arguments, self.types)]
        number, count = ("group_id", "num_groups") if self.grouped else ("global_id", "global_size")
        share = [f"  idx begin = tasks * get_{number}(0) / get_{count}(0);",
                 f"  idx end = tasks * (get_{number}(0) + 1) / get_{count}(0);"]
        head = f"kernel void {self.symbol}({', '.join(parameters)}) {{"
        if self.grouped:
            head = f"GROUP_OF({self.lanes[0]}) {head}"
            share += ["  idx lane = get_local_id(0);", f"  local i64 partial[{self.lanes[0]}];"]
        return "\n".join([head, *pointers, *share, self.body, "}\n"])


def words_of(kernels):
    """What both dialects define for these on top of their own words; a work-item of a group computes with scalars."""
    wide = sorted({n for kernel in kernels for n in kernel.lanes if n > 1 and not kernel.grouped})
    vectors = VECTOR_WORDS + "".join(f"ALL_LANES({n})\n" for n in wide) if wide else ""
    return SCALAR_WORDS + (GROUP_WORDS if any(kernel.grouped for kernel in kernels) else "") + vectors


def quoted(file, line, kind):
    """A line of the user's Python, with the text that stands there; no backslash at its end, as in C that goes on."""
    text = textwrap.shorten(linecache.getline(file, line), 100, placeholder=" ...").rstrip(" \\")
    return f"{'gradient of ' * (kind == 'gradient')}{os.path.basename(file)}:{line}  {text}".rstrip()


class Again(Exception):
    """Raised when the graph beneath a kernel has changed (an operand was copied): make the kernel again."""


class Unweavable(Exception):
    """Raised when a nest can't go through the rows of a block."""


# ---------------------------------------------------------------------------------------------------------------------
# 6. Kernels: the text
#
# One rule places every value: it stands in the outermost block that binds all the loops it depends on, once for each
# row and vector of the tile that it depends on. Softmax over rows i with elements j shows what follows from it:
#
#     for i:                                  a block that binds i
#       max1 = -inf; for r0: max1 = max(max1, x[i, r0])       a reduction depends on i alone, so it stands here,
#       sum1 = 0;    for r1: sum1 += exp(x[i, r1] - max1)     outside of j: computed once a row, not once an element
#       for j: out[i, j] = exp(x[i, j] - max1) / sum1         only this depends on j
#
# The words of the text (f32x8, load_f32x8, where_f32x8, ...) are defined in section 8 for each dialect, so that the
# same text is C and OpenCL C. A bool is a byte in memory and a mask, 0 or -1, in a register.
# ---------------------------------------------------------------------------------------------------------------------
class Block:
    """A piece of generated code that binds a loop (or none); with `lane`, the loop is taken a vector at a time.

    It owns the `keys` of the names declared in it, which are forgotten at its end.
    """

    def __init__(self, loop=None, lane=False):
        self.loop, self.lane, self.lines, self.keys = loop, lane, [], []


class Emitter:
    """Writes the text of a nest. `stack` has the open blocks, outermost first; `memo` the name of each value at a row
    and vector of the tile; `cut` is the text of how many lanes of a vector count, where the end of a loop cuts it."""

    def __init__(self, nest, pointers):
        self.nest, self.memo, self.cut, self.counter = nest, {}, None, Counter()
        self.lanes, self.row, self.vector = nest.lanes, nest.row, nest.vector
        self.rows, self.vectors, self.grouped = nest.rows, nest.vectors, nest.groups > 0
        self.pointer, self.prefetches = pointers, nest.lanes > 1 and nest.groups == 0
        self.uses = Counter(arg for value in nest.values for arg in value.args)
        self.names = {loop: f"i{n}" for n, loop in enumerate(nest.loops)}
        loops = set().union(*(value.loops for value in nest.values), *(value.arg for value in nest.reductions))
        inner = loops.difference(nest.loops)
        self.names.update((loop, f"r{n}") for n, loop in enumerate(sorted(inner, key=lambda loop: loop.serial)))
        self.stack = [Block()]
        tasks = Block()
        self.open(tasks)
        divisor = nest.tasks
        for depth, (loop, step) in enumerate(nest.levels[:nest.parallel]):
            steps = nest.steps(loop, step)
            divisor //= steps
            at = "task" if divisor == 1 else f"task / {divisor}"
            at = at if depth == 0 else f"{at} % {steps}"
            name = self.first_of(depth)
            tasks.lines.append(f"idx {name} = {at if step == 1 else f'{at} * {step}'};")
        self.descend(0)
        self.prologue, self.body, self.strip_bytes = self.stack[0].lines, tasks.lines, 0
        for first in dict.fromkeys(nest.kept.values()):               # rows of costly values
            type = TYPE_OF[first.dtype]
            self.prologue.insert(0, f"GLOBAL {type} *{self.row_of(first)} = (GLOBAL {type} *)(strips + "
                                    f"{self.strip_bytes + SLACK});")
            self.strip_bytes += with_slack(nest.vector.extent * first.dtype.itemsize)

    # Blocks -----------------------------------------------------------------------------------------------------------
    def open(self, block):
        self.stack.append(block)

    def close(self, head):
        block = self.stack.pop()
        for key in block.keys:
            self.memo.pop(key, None)
        self.stack[-1].lines += [head + " {"] + block.lines + ["}"] if head else block.lines

    def is_split(self, depth):
        """Do the steps of this level get taken apart by a later level of the same loop?"""
        loop = self.nest.levels[depth][0]
        return any(loop is other for other, _ in self.nest.levels[depth + 1:])

    def first_of(self, depth):
        """The name of where a step of a task starts: i0, or i0_first if i0 itself is a loop that starts there, or is
        another in each work-item."""
        loop, step = self.nest.levels[depth]
        items = self.grouped and loop is self.vector
        return self.names[loop] + "_first" * (loop.extent % step > 0 or self.is_split(depth) or items)

    def start(self, start, lane):
        """Where a loop starts: with `lane`, each work-item of a group begins at its own place."""
        return start if not (lane and self.grouped) else f"{start} + lane" if start else "lane"

    def descend(self, depth):
        """The loops from `depth` inwards: for i: for j: becomes full steps of i {full j, rest of j}, and the rest of i
        {full j, rest of j}. A task may be such a rest: its index starts at .._first and tells."""
        nest = self.nest
        if depth == len(nest.levels):
            return self.scatter() if nest.is_scatter else self.store()
        (loop, step), name = nest.levels[depth], self.names[nest.levels[depth][0]]
        extent, task, first = loop.extent, depth < nest.parallel, self.first_of(depth)
        if self.is_split(depth):                                        # a block of rows
            self.open(Block())
            self.descend(depth + 1)
            return self.close("" if task else f"for (idx {first} = 0; {first} < {extent}; {first} += {step})")
        outer = next((s for other, s in nest.levels[:depth] if other is loop), None)
        begin, end = f"{name}_first" if outer else 0, lambda stop: stop
        if outer:                                                       # the rows of such a block
            end = lambda stop: f"least({stop}, {name}_first + {outer})"
        full, lane = extent // step * step, loop is self.vector and self.lanes > 1
        if full:
            self.open(Block(loop, lane))
            if task and first != name:
                self.line(f"idx {name} = {self.start(first, lane)};")
            self.descend(depth + 1)
            if not task:
                start, stop = self.ends(nest.loops[nest.loops.index(loop):], begin, end(full), step)
                self.close(f"for (idx {name} = {self.start(start, lane)}; {name} < {stop}; {name} += {step})")
            else:
                self.close(f"if ({name}_first < {full})" if full < extent else "")
        if full < extent:                                               # what is left: one row, or one vector at a time
            saved = self.rows, self.vectors, self.cut
            self.open(Block(loop, lane))
            if loop is self.row:
                self.rows, small = 1, 1
            else:
                self.vectors, small = 1, self.lanes
                if (extent - full) % self.lanes and not self.grouped:
                    self.cut = "count"
                    self.line(f"idx count = {extent} - {name} < {small} ? {extent} - {name} : {small};")
            self.descend(depth + 1)
            if task:
                otherwise, start, stop = "else " if full else "", first, extent
            else:
                otherwise, start = "", full or begin                # a block is of whole steps: all begin before `full`
                _, stop = self.ends(nest.loops[nest.loops.index(loop):], full, end(extent), small)
            self.close(f"{otherwise}for (idx {name} = {self.start(start, lane)}; {name} < {stop}; {name} += {small})")
            self.rows, self.vectors, self.cut = saved

    def line(self, text):
        self.stack[-1].lines.append(text)

    def ends(self, loops, start, stop, step):
        """The text of where the first of these loops, which run together, starts and stops: see Span."""
        span, width = self.nest.spans.get(tuple(loops), ALL), math.prod(loop.extent for loop in loops[1:])
        first = self.nest.block and self.first_of(self.nest.parallel - 1)
        text = lambda end, more: f"{end[1]} * {first} + {end[0] + more}".removeprefix("1 * ")
        if span.start and start == 0:
            start = f"down({text(span.start, 0)}, {width * step})" + f" / {width}" * (width > 1)
        if span.stop:
            last = text(span.stop, width - 1)
            stop = f"least({stop}, {f'({last}) / {width}' if width > 1 else last})"
        return start, stop

    # Values -----------------------------------------------------------------------------------------------------------
    def is_vector(self, loops):
        return not self.grouped and any(block.lane and block.loop in loops for block in self.stack)

    def type(self, dtype, vector):
        return TYPE_OF[dtype] + (f"x{self.lanes}" if vector and self.lanes > 1 else "")

    def tile(self, loops):
        """The (row, vector) pairs of the tile that a value over `loops` takes different values for."""
        return [(u, v) for u in range(self.rows if self.row in loops else 1)
                for v in range(self.vectors if self.vector in loops else 1)]

    def place(self, loops):
        """The stack down to the outermost block in which a value over `loops` can stand."""
        for depth in range(len(self.stack), 0, -1):
            if self.stack[depth - 1].loop in loops:
                return self.stack[:depth]
        return self.stack[:1]

    def row_of(self, value):
        return f"{value.op}_row{list(self.nest.kept.values()).index(value)}"     # no other name has a _

    def name(self, value, u, v):
        """The text that stands for a value at row u and vector v of the tile, declared where it belongs."""
        if value.op == "const":
            return literal(value.arg, value.dtype)
        key = (value, u if self.row in value.loops else 0, v if self.vector in value.loops else 0)
        if key not in self.memo:
            saved, self.stack = self.stack, self.place(value.loops)
            if value.op in REDUCTIONS:
                self.reduce(value)
            else:
                type, kept = self.type(value.dtype, self.is_vector(value.loops)), self.nest.kept
                if value in kept:
                    text = f"load_{type}({self.row_of(kept[value])} + {self.address(flat_index([self.vector]), u, v)})"
                else:
                    text = self.expression(value, u, v)
                self.declare(key, type, value.op, text)
                if value in kept.values():
                    loop = next(iter(value.loops.difference(self.nest.loops)))
                    self.line(f"store_{type}({self.row_of(value)} + {self.names[loop]}, {self.memo[key]});")
            self.stack = saved
        return self.memo[key]

    def declare(self, key, type, word, text):
        self.memo[key] = self.fresh(word)
        self.stack[-1].keys.append(key)
        self.line(f"{type} {self.memo[key]} = {text};")

    def fresh(self, word):
        """A new name that begins with `word`."""
        word = word.split("_")[0]
        self.counter[word] += 1
        return f"{word}{self.counter[word]}"

    def argument(self, value, u, v, vector):
        """An argument of a function: a scalar among vectors is spread over the lanes."""
        text = self.name(value, u, v)
        if vector and not self.is_vector(value.loops):
            return f"splat_{self.type(value.dtype, True)}({text})"
        return text

    def expression(self, value, u, v):
        vector, op = self.is_vector(value.loops), value.op
        if op == "load":
            return self.load(value, u, v)
        if op == "index":
            return self.address(value.arg, u, v, vector) if vector else f"(i32)({self.address(value.arg, u, v)})"
        args = [self.argument(a, u, v, vector) for a in value.args]
        if op == "bitcast" and is_short_float(value.dtype):
            return args[0]                                              # a u16 by either name
        if op in ("cast", "bitcast"):
            return f"{self.type(value.dtype, vector)}_{'as' if op == 'bitcast' else 'from'}_" \
                   f"{NAMES.get(value.args[0].dtype, TYPE_OF[value.args[0].dtype])}({args[0]})"
        if op == "row":
            return f"clamp_{self.type(value.args[0].dtype, vector)}({args[0]}, {value.arg})"
        text = self.row_text(op, args, value.dtype, vector)
        if op in COMPARISONS:
            return f"mask_{self.type(value.args[0].dtype, vector)}({text})"
        return text

    def row_text(self, op, args, dtype, vector):
        """The text of a row of ELEMENTWISE. In OpenCL a vector of signed integers wraps around, but not one of them."""
        if op in ("add", "mul") and dtype.kind == "i" and not vector:
            return f"{op}_{TYPE_OF[dtype]}({', '.join(args)})"
        return ELEMENTWISE[op].c.format(*args, t=self.type(dtype, vector))

    def address(self, index, u, v, vector=False):
        """An index as C text; with `vector`, one for each lane."""
        constant, parts = index[0], []
        for term, c in index[1]:
            if type(term) is Loop:
                constant += c * u * (term is self.row) + c * v * self.lanes * (term is self.vector)
                text = self.names[term]
            elif type(term) is Value:
                text = self.name(term, u, v)
            else:
                inner = self.address(term.index, u, v, vector and self.is_vector(term.loops))
                if bounds(term.index)[0] < 0 and vector and self.is_vector(term.loops):
                    word = "idiv" if term.kind == "//" else "mod"
                    text = f"{word}_i32x{self.lanes}({inner}, splat_i32x{self.lanes}({term.n}))"
                elif bounds(term.index)[0] < 0:
                    text = f"floor_{'quotient' if term.kind == '//' else 'remainder'}({inner}, {term.n})"
                else:
                    text = f"({inner}) {term.kind[0]} {term.n}"
            if vector:
                if type(term) is Loop:
                    text = f"((i32){text} + lanes_i32x{self.lanes}())" if self.is_vector(term.loops) else f"(i32){text}"
                elif not self.is_vector(term.loops):
                    text = f"(i32)({text})"
            parts.append((text, c))
        text = ""
        for part, c in parts:
            factor = f"({part}) * {abs(c)}" if abs(c) != 1 and " " in part else f"{part} * {abs(c)}" if abs(c) != 1 \
                else f"({part})" if " " in part and c < 0 else part
            text += ((" - " if c < 0 else " + ") if text else "-" * (c < 0)) + factor
        if constant or not text:
            text += f" + {constant}" if text and constant >= 0 else f" - {-constant}" if text else str(constant)
        return f"splat_i32x{self.lanes}({text})" if vector and not self.is_vector(loops_of(index)) else text

    def load(self, value, u, v):
        node, index, _ = value.arg
        size = self.nest.lowering.fuser.elements(node)
        pointer, vector = self.pointer[node], self.is_vector(value.loops)
        lane = next((block.loop for block in self.stack if block.lane), None)
        type = self.memory(node.dtype, vector)
        guards = [self.argument(g, u, v, vector) for g in value.args]
        guard = " & ".join(guards)
        address = self.address(index, u, v)
        if not vector:
            text = f"load_{type}({pointer} + {address})"
            return f"{guard} ? {text} : 0" if guard else text
        stride = stride_along(index, lane)
        if stride == 0:
            low, high = bounds(index)
            at = address if 0 <= low and high < size else f"clamp_i32({address}, {size})"
            text = f"splat_{self.type(value.dtype, True)}(load_{self.memory(node.dtype, False)}({pointer} + {at}))"
        elif stride == 1:
            at = f"within({address}, {size}, {self.lanes})" if guard else address
            text = f"load_{type}({pointer} + {at})"
        elif stride is not None and not guard:
            if u == v == 0 and self.rows > 1 and stride_along(index, self.row) == 1:        # the lines of the next rows
                self.line(f"for (int l = 0; l < {self.lanes}; l++) "
                          f"PREFETCH({pointer} + {address} + l * {stride} + {self.rows});")
            return f"strided_n_{type}({pointer} + {address}, {stride}, {self.cut})" if self.cut else \
                f"strided_{type}({pointer} + {address}, {stride})"
        else:
            mask = guard or f"splat_i32x{self.lanes}(-1)"
            if self.cut:
                mask = f"({mask}) & mask_i32x{self.lanes}(lanes_i32x{self.lanes}() < (i32){self.cut})"
            return f"gather_{type}({pointer}, {self.address(index, u, v, True)}, {mask})"
        zero = f"splat_{self.type(value.dtype, True)}({literal(0, value.dtype)})"
        return f"where_{self.type(value.dtype, True)}({guard}, {text}, {zero})" if guard else text

    def memory(self, dtype, vector):
        return NAMES.get(dtype, MEMORY_TYPE[dtype]) + (f"x{self.lanes}" if vector else "")

    def told(self, value):
        """What a value is, for a comment: as much of its formula as fits in a line."""
        return next(text for depth in (4, 3, 2, 1) if len(text := self.formula(value, depth)) < 80 or depth == 1)

    def formula(self, value, depth):
        """What a value is, by the operations that it was made with last."""
        op, infix = value.op, lambda op: op in ELEMENTWISE and (ELEMENTWISE[op].c or "").startswith("{0}")
        if op == "const":
            return literal(value.arg, value.dtype)
        if op == "load":
            return self.pointer[value.arg[0]]
        if op in REDUCTIONS:
            return f"the {WORDS[op]}"
        if op == "index" and all(type(term) is Loop for term, _ in value.arg[1]):
            return self.address(value.arg, 0, 0)
        if op == "index" or not depth:
            return "..."
        args = [self.formula(arg, depth - 1) for arg in value.args]
        if op in ("cast", "bitcast", "row"):
            return args[0]
        if infix(op):
            args = [f"({text})" if infix(arg.op) and text != "..." else text for arg, text in zip(value.args, args)]
        return ELEMENTWISE[op].c.replace("_{t}", "").format(*args, t="")

    # Reductions and stores --------------------------------------------------------------------------------------------
    def reduce(self, first):
        """All reductions over the same loops in the same place as `first`, in one nest of loops for the whole tile.

        With `lane` the innermost loop itself is taken a vector at a time: each accumulator then holds one partial
        result a lane, which a fold puts together at the end. Of a group, each work-item has one of them; as they wait
        for one another in the fold, no loop around it may be one that they share out.
        """
        nest, level = self.nest, self.nest.level(first)
        together = [r for r in nest.reductions if r.arg == first.arg and nest.level(r) == level
                    and (r, 0, 0) not in self.memo]
        lane = not any(block.lane for block in self.stack) and self.has_lane(together, first.arg)
        totals, outer, wide = [], self.stack[-1], lane and not self.grouped
        for r in together:
            over = ", ".join(self.names[loop] for loop in r.arg)
            self.line(f"// {WORDS[r.op]} over {over} of {self.told(r.args[0])}")
            vector = wide or self.is_vector(r.loops)
            for u, v in self.tile(r.loops):
                total = self.fresh(r.op)
                start = literal(REDUCTIONS[r.op][1](r.dtype), r.dtype)
                type = self.type(r.dtype, vector)
                self.line(f"{type} {total} = {f'splat_{type}({start})' if vector else start};")
                totals.append((r, u, v, total, type))
        for loop in first.arg[:-1]:
            self.open(Block(loop))
        last, step = first.arg[-1], self.lanes if lane else 1
        full, saved = last.extent if self.grouped else last.extent // step * step, self.cut
        for start, stop in ((0, full), (full, last.extent)):
            if start < stop:
                self.open(Block(last, lane))
                self.look_ahead(together, last)
                if lane:
                    self.cut = str(stop - start) if start == full else None
                for r, u, v, total, type in totals:
                    body = self.summand(r.args[0], u, v, wide or self.is_vector(r.loops), r.op == "sum")
                    op, identity = REDUCTIONS[r.op]
                    if lane and self.cut:
                        rest = f"mask_i32x{self.lanes}(lanes_i32x{self.lanes}() < {self.cut})"
                        body = f"where_{type}({rest}, {body}, splat_{type}({literal(identity(r.dtype), r.dtype)}))"
                    vector = wide or self.is_vector(r.loops)
                    self.line(f"{total} = {self.row_text(op, [total, body], r.dtype, vector)};")
                name = self.names[last]
                if len(first.arg) == 1:
                    start, stop = self.ends(first.arg, start, stop, step)
                self.close(f"for (idx {name} = {self.start(start, lane)}; {name} < {stop}; {name} += {step})")
        self.cut = saved
        for depth in reversed(range(len(first.arg) - 1)):
            name = self.names[first.arg[depth]]
            start, stop = self.ends(first.arg, 0, first.arg[0].extent, 1) if depth == 0 else \
                (0, first.arg[depth].extent)
            self.close(f"for (idx {name} = {start}; {name} < {stop}; {name}++)")
        for r, u, v, total, type in totals:
            key = (r, u, v)
            if lane:
                fold = f"{REDUCTIONS[r.op][0]}_{type}"
                self.declare(key, TYPE_OF[r.dtype], r.op, f"group_{fold}(partial, {total})" if self.grouped
                             else f"fold_{fold}({total})")
            else:
                self.memo[key] = total
                outer.keys.append(key)

    def has_lane(self, reductions, loops):
        """Is it worth vectorising along the innermost loop of a reduction? Only where its loads are contiguous, and
        where a fold pays: not for two elements, as in a pool."""
        if self.lanes == 1 or loops[-1].extent < 3:
            return False
        strides = [stride_along(value.arg[1], loops[-1]) for r in reductions for value in reachable(r.args)
                   if value.op == "load" and loops[-1] in value.loops]
        return 1 in strides and all(s in (0, 1) for s in strides)

    def prefetch(self):
        """Ask early for what the tile needs only after its reductions, while these keep the processor busy."""
        nest = self.nest
        if self.rows > 1 and any(self.vector in r.loops for r in nest.reductions):
            both, loops = {self.row, self.vector}, set(nest.loops)
            for value in nest.values:
                if value.op == "load" and not value.args and both <= value.loops <= loops and \
                        stride_along(value.arg[1], self.vector) == 1:
                    for u, v in self.tile(value.loops):
                        self.line(f"PREFETCH({self.pointer[value.arg[0]]} + {self.address(value.arg[1], u, v)});")

    def summand(self, value, u, v, vector, inline):
        """What a reduction takes in. A product that nothing else needs stands within the sum: OpenCL makes one
        multiply-add of the two only where they stand in one expression."""
        inline = inline and value.op == "mul" and self.uses[value] == 1 and vector == self.is_vector(value.loops)
        return self.expression(value, u, v) if inline and not self.cut else self.argument(value, u, v, vector)

    def look_ahead(self, reductions, loop):
        """Ask for what a tile needs 16 steps further on, where each step is too far from the last for the processor to
        guess: down the columns of a matrix."""
        for value in reachable([r.args[0] for r in reductions]) if self.rows > 1 and self.prefetches else ():
            stride = stride_along(value.arg[1], loop) if value.op == "load" and not value.args else None
            if stride and stride * value.dtype.itemsize >= 256:
                ahead = plus(value.arg[1], (16 * stride, ()))
                for u, v in self.tile(value.loops):
                    if u == 0 or stride_along(ahead, self.row) != 1:    # neighbours come along
                        self.line(f"PREFETCH({self.pointer[value.arg[0]]} + {self.address(ahead, u, v)});")

    def store(self):
        if self.prefetches:
            self.prefetch()
        for r in sorted(self.nest.reductions, key=lambda r: r.height):
            self.name(r, 0, 0)
        if self.grouped and self.vector is None:                        # all items read before the first one overwrites
            for root in self.nest.lowering.roots:
                self.name(root, 0, 0)
            self.line("GROUP_BARRIER")
        for node, root, store in zip(self.nest.outputs, self.nest.lowering.roots, self.nest.lowering.stores):
            vector = self.is_vector([self.vector])
            self.line(f"// {self.pointer[node]} = {self.told(root)}")
            for u, v in self.tile(loops_of(self.nest.lowering.flat)):
                text = self.argument(root, u, v, vector)
                self.put(node, f"{self.pointer[node]} + {self.address(store, u, v)}", text, vector)

    def put(self, node, at, text, vector):
        """Store a number or a vector, as much of it as counts; what all items of a group have, the first of them."""
        type, first = self.memory(node.dtype, vector), self.grouped and self.vector is None
        self.line(f"store_n_{type}({at}, {text}, {self.cut});" if vector and self.cut
                  else "if (lane == 0) " * first + f"store_{type}({at}, {text});")

    def scatter(self):
        """Zero the columns of this task, then add each value to its row. No two tasks share a column."""
        root, flat, vector = self.nest.lowering.roots[0], self.nest.lowering.flat, self.is_vector([self.vector])
        node = self.nest.outputs[0]
        width, type = math.prod(node.shape[1:]), self.memory(node.dtype, vector)
        zero = literal(0, node.dtype)
        zero = f"splat_{self.type(node.dtype, True)}({zero})" if vector else zero
        column = self.address(flat, 0, 0)
        self.line(f"// out0 = zeros, then in row {self.told(root.args[0])} out0 += {self.told(root.args[1])}")
        self.line(f"for (idx row = 0; row < {node.arg}; row++) {{")
        self.put(node, f"out0 + row * {width} + {column}", zero, vector)
        self.line("}")
        loops = sorted((loop for loop in root.loops if loop not in self.nest.loops), key=lambda loop: loop.key)
        for loop in loops:
            self.open(Block(loop))
        row, value = self.name(root.args[0], 0, 0), self.argument(root.args[1], 0, 0, vector)
        self.line(f"if (0 <= {row} && {row} < {node.arg}) {{")
        at = f"out0 + {row} * {width} + {column}"
        self.put(node, at, f"load_{type}({at}) + {value}", vector)
        self.line("}")
        for loop in reversed(loops):
            name = self.names[loop]
            self.close(f"for (idx {name} = 0; {name} < {loop.extent}; {name}++)")


NAMES, WORDS = {bool_: "bool"}, {"sum": "sum", "max_over": "maximum"}


def literal(value, dtype):
    """A number as C text of its type."""
    if dtype == bool_:
        return "-1" if value else "0"
    if is_short_float(dtype):
        return str(int(cast_array(np.array(value, np.float32), dtype).view(np.uint16)))
    if is_float(dtype):
        number = np.asarray(value).astype(dtype)
        text = "NAN" if np.isnan(number) else "INFINITY" if np.isinf(number) else str(abs(number))
        sign = "-" if np.signbit(number) and not np.isnan(number) else ""
        text = text if "e" in text or "." in text or "N" in text else text + ".0"
        suffix = "f" if dtype == float32 and text not in ("NAN", "INFINITY") else ""
        return sign + text + suffix
    number = int(np.asarray(value).astype(dtype))
    return f"(({TYPE_OF[dtype]})({number + 1} - 1))" if number < 0 and number == np.iinfo(dtype).min \
        else f"({TYPE_OF[dtype]}){number}" if dtype not in (int32,) else str(number)


# ---------------------------------------------------------------------------------------------------------------------
# 7. Fuser: what is one kernel?
#
# A node that is stored in a buffer gets a kernel; all others are computed within the kernels that need them. Which
# nodes to store is found by trying: lowering a kernel may turn up another node that has to be stored, and then the
# kernels that contained it are made again. At the end kernels of the same size that read one another only at the same
# index are merged into one with several outputs.
#
# The graph is changed where that makes a kernel quicker: an operand that it would read across the grain is copied into
# another layout (`copy`), and a product may be stored with its axes in another order (`turn`). And what is large but
# cheap to compute, as the scores of attention are, is `wide`: it is never stored as a whole. A task computes some rows
# of it, a strip, and the nests of loops that read these rows are woven into one kernel (`weave`).
# ---------------------------------------------------------------------------------------------------------------------
def fuses():
    """With FUSE=0 each operation is a kernel of its own, and every intermediate result goes through memory: to see what
    fusing is worth."""
    return os.environ.get("FUSE") != "0"


def is_contraction(node):
    """Does the node sum a product of two operands that are each repeated along an axis that the other is not?"""
    first, second = repeated_axes(node)
    return bool(first - second and second - first)


def is_weighted_sum(node):
    """Does the node sum a product of which an operand is repeated, as the vector of a matrix-vector product is?"""
    first, second = repeated_axes(node)
    return first != second


def repeated_axes(node):
    """For both operands of a sum of products: along which axes of the sum the operand is repeated."""
    if node.op != "sum" or node.sources[0].op != "mul":
        return set(), set()
    return [{a for a, (n, m) in enumerate(zip(x.shape, x.sources[0].shape if x.op == "expand" else x.shape))
             if n != m and a not in node.arg} for x in node.sources[0].sources]


def batch_size(node):
    """How many pairs of matrices a contraction multiplies: as many as lie along the axes that no operand repeats."""
    return math.prod(n for a, n in enumerate(node.shape) if a not in set.union(*repeated_axes(node)))


def row_length(node):
    """The extent of the last axis that is longer than 1."""
    return max(1, next((n for n in reversed(node.shape) if n != 1), 1))


def unmoved(node):
    """The node of which this one has all the numbers, if only in another order or shape."""
    while node.op in ("reshape", "permute"):
        node = node.sources[0]
    return node


# How tasks go through the `count` rows of a wide node: `rows` at a time, but none across a multiple of `extent`.
RowBlock = namedtuple("RowBlock", "count extent rows")
# The node `view` is stored as `node`, with its axes in another order; `back` is that put right again. A wide node is
# stored in strips, with the `block` of rows that tasks take; a turned one (see Fuser.turn) in a buffer, with no block.
Strip = namedtuple("Strip", "node view back block")


class Fuser:
    """Groups the nodes that `outputs` need into kernels, for a device with these `lanes` and `groups`.

    `stored` has the nodes that get a buffer, `nests` the nest of loops for each, `kernels` the finished kernels in the
    order in which they run. `copies` says for a nest's output which views it reads from a copy instead, and `copied`
    which view a layout copy is of. `wide` has the nodes that are computed again where they are needed, and `strips` the
    nodes that hold some rows of one for that. `turned` has the nodes that are stored with their axes in another order,
    and `written` for each node that a hand-written kernel stores the node of that kernel.
    """

    def __init__(self, outputs, lanes, groups):
        self.lanes, self.groups = lanes, groups
        self.stored, self.copies, self.copied, self.nests = {}, defaultdict(dict), {}, {}
        self.consumers, self.outputs, self.wide, self.strips = defaultdict(list), set(outputs), {}, {}
        self.turned, self.sums, self.settled = [], {}, False            # sums: of the rows of wide nodes, and maxima
        self.activations = set()                                        # what a contraction lies beneath
        order = [node for node in topological(outputs, stop=is_realized) if node.buffer is None]
        for node in order:
            for source in set(node.sources):
                self.consumers[source].append(node)
            if is_contraction(node) or not self.activations.isdisjoint(node.sources):
                self.activations.add(node)
        # What hand-written kernels read and write lies in memory as outputs do: row by row, without gaps.
        by_hand = [node for node in order if node.op == "kernel"]
        read = [source for node in by_hand for source in node.sources]
        self.outputs.update(read)
        self.written = {self.passed_on(node): node for node in by_hand}
        self.outputs.update(self.written)
        if fuses():
            self.foresee(order)
        else:
            self.separate(order)
        self.stored.update(dict.fromkeys(node for node in [*outputs, *read, *self.written] if node.buffer is None))
        pending = list(self.stored)
        while pending:
            while pending:
                self.make(pending.pop(), pending)
            self.share(pending)
        self.settled = True                                             # what is stored is known now
        self.kernels = self.weave(self.merge())

    def pitch(self, node):
        """Elements from one row of a buffer to the next. Between kernels, rows of whole kilobytes are kept 64 bytes
        further apart: they would all fall into the same few sets of the cache. Not those of a kernel with strips, which
        has one number for each row of a strip."""
        n, size = row_length(node), node.dtype.itemsize
        padded = node in self.stored and node not in self.outputs and node not in self.copied and \
            node not in self.sums and node.arg != "strip" and node.op != "scatter"
        return n + 64 // size if padded and n * size % 1024 == 0 else n

    def elements(self, node):
        """Elements that the buffer of a node takes, with what lies between its rows."""
        return node.size // row_length(node) * self.pitch(node)

    def foresee(self, order):
        """Store what is sure to be stored in the end: it saves attempts, and bounds how deep a kernel can get."""
        depth = defaultdict(int)                                        # nodes since the last that is stored
        for node in order:
            depth[node] = 1 + max((depth[source] for source in node.sources), default=0)
            if node.op in ("contiguous", "scatter") or depth[node] > 200 and node.op in ELEMENTWISE:
                self.stored[node] = True
            elif self.is_wide(node):
                self.wide[node] = True
            elif self.turn(node):
                pass
            elif is_weighted_sum(node):
                self.stored[self.tail(node)] = True
            elif node.op in REDUCTIONS and unmoved(node.sources[0]) in self.wide:
                tail = self.tail(node)
                self.stored[tail] = self.sums[tail] = True
            if node in self.stored:
                depth[node] = 0

    def separate(self, order):
        """Store the result of each operation: FUSE=0. Movement still is no more than another index. And a product with
        an operand that is repeated, of which only sums are taken, stays part of these: together they are what NumPy
        calls one matmul, and the array of all products would be huge."""
        computing = {*ELEMENTWISE, *REDUCTIONS, "gather", "scatter", "contiguous", "kernel"}
        for node in order:
            repeated = node.op == "mul" and any(source.op == "expand" for source in node.sources)
            readers = topological(self.consumers[node] if repeated else [],
                                  sources=lambda n: self.consumers[n] if n.op in MOVEMENTS else ())
            summed = {user.op for user in readers} - MOVEMENTS == {"sum"}
            if node.op in computing and not summed:
                self.stored[self.passed_on(node)] = True

    def passed_on(self, node):
        """What is stored in place of `node`: its only reader, if that passes it on unchanged, and so on."""
        while len(self.consumers[node]) == 1 and node not in self.outputs and node.op not in ("contiguous", "scatter"):
            user = self.consumers[node][0]
            if user.op not in IDENTITY and user.op != "reshape":
                break
            node = user
        return node

    def is_wide(self, node):
        """Is the node rather computed again wherever it is needed than kept in memory?

        That holds for a contraction that is cheap, of 64 products an element or fewer, and larger than its operands. It
        also holds for one that a single other contraction reads, as then nothing is computed twice, if the operand that
        all of its rows need stays in the cache. And it holds for what is computed from such a node element by element:
        the scores of attention, their exponentials, and the gradients of both. But no wide
        contraction reads what is wide, so some must give way: queries, keys and values to scores.
        """
        if node in self.outputs:
            return False
        if is_contraction(node):
            operands = [x.sources[0] if x.op == "expand" else x for x in node.sources[0].sources]
            cheap = node.sources[0].size <= 64 * node.size and node.size >= max(sum(x.size for x in operands), 1 << 16)
            small = min(x.size for x in operands) // batch_size(node) * node.dtype.itemsize <= CACHE // 2
            reader, _ = self.reader(node)
            return (cheap or small and reader) and not self.reads_wide(node) and not self.gives_way(node, reader)
        return (node.op in ELEMENTWISE or node.op in ("detach", "function")) and \
            any(unmoved(source) in self.wide and source.size == node.size for source in node.sources)

    def reader(self, node):
        """The contraction that alone is computed from a contraction, element by element and with sums of its rows, or
        None; and whether there are such sums."""
        users = topological([node], sources=lambda n: self.consumers[n] if n is node or not is_contraction(n) and (
            n.size == node.size or n.op in ("expand", "mul")) else [])
        sums = [user for user in users if user.op in REDUCTIONS and user is not node]
        readers = [user for user in sums if is_contraction(user)]
        return readers[0] if len(readers) == 1 else None, len(sums) > len(readers)

    def reads_wide(self, node):
        """Is an operand of this contraction wide?"""
        return any(unmoved(x.sources[0] if x.op == "expand" else x) in self.wide for x in node.sources[0].sources)

    def gives_way(self, node, reader):
        """Is a product with weights better stored, as queries, keys and values are? So it is if its reader multiplies
        two activations, and should be wide itself, as scores should, or reads what is. (A layer's reader has weights.)
        """
        mixes = lambda n: batch_size(n) > 1 or self.activations.issuperset(n.sources[0].sources)
        if not reader or mixes(node) or not mixes(reader):
            return False
        after, sums = self.reader(reader)
        return self.reads_wide(reader) or after and (sums or reader.size > node.size)

    def is_passing(self, node):
        """Is a wide node computed where it is read, without a strip? So it is if one node alone reads it, a wide one or
        a plain reduction; and if it only passes on its source."""
        users = self.consumers[node]
        while len(users) == 1 and users[0].op in IDENTITY and node.op not in IDENTITY:
            users = self.consumers[users[0]]
        return node.op in IDENTITY or len(users) == 1 and (users[0] in self.wide or users[0].op in REDUCTIONS)

    def turn(self, node):
        """Store a contraction with its axes in another order, if that suits its kernel better."""
        order = self.better_order(node) if is_contraction(node) else None
        if order is None:
            return False
        stored = Node("contiguous", (permute(node, order),), "turned")
        back = unpermute(stored, order)
        self.turned.append(Strip(stored, node, back, None))
        self.stored[stored] = True
        return True

    def better_order(self, node):
        """The order of axes in which to store a contraction; None if the present one is good.

        A product out[i, j] of a[i, k] and wide[k, j] is stored as out[j, i]: a strip is some rows j of the wide operand
        (see `strip`), so the result should have these rows too. And where the last axis is short, as the 3 x 3 places
        of a weight's gradient are, the long axes come last, so that vectors are full; but only if the operand that
        varies along them is read again often enough to be copied.
        """
        axes, operands = [a for a, n in enumerate(node.shape) if n > 1], node.sources[0].sources
        if len(axes) < 2:
            return None
        varies = [[a for a in axes if x.op != "expand" or x.sources[0].shape[a] > 1] for x in operands]
        wide = [unmoved(x.sources[0] if x.op == "expand" else x) in self.wide for x in operands]
        if any(wide):
            a, b = varies if wide[1] else varies[::-1]                  # b: of the wide operand
            order = list(range(len(node.shape)))
            order[axes[-1]], order[axes[-2]] = axes[-2], axes[-1]
            return None if all(wide) or axes[-1] in a or axes[-2] in b else tuple(order)
        order = sorted(range(len(node.shape)), key=lambda a: min(node.shape[a], self.lanes))    # the short ones first
        last = order[-1]
        full = node.shape[axes[-1]] * 2 > self.lanes or node.shape[last] < self.lanes
        copied = any(last in v and last not in w and math.prod(node.shape[a] for a in axes if a not in v) >= 16
                     for v, w in (varies, varies[::-1]))
        return tuple(order) if copied and not full else None

    def make(self, node, pending):
        """Make the nest of a stored node; what it turns out to need first goes on `pending`."""
        try:
            by_hand = self.written.get(node)
            self.nests[node] = nest = HandWritten(by_hand, node) if by_hand else Nest(self, [node], self.lanes)
            loads = [value for value in nest.values if value.op == "load" and value.arg[0] not in self.stored
                     and value.arg[0].buffer is None]
            if loads:
                self.strip(nest, loads[0])
                raise Again
        except Store as request:
            self.store(request.node, pending)
            pending.append(node)
        except Again:
            pending.append(node)
        pending.extend(need for need in self.stored if need not in self.nests and need not in pending)

    def store(self, node, pending):
        """Give a node a buffer. The nests that computed it within themselves are made again: they read it now."""
        assert node not in self.stored, f"the fuser asks twice for a buffer of {node}"
        self.stored[node] = True
        pending.append(node)
        for user, nest in list(self.nests.items()):
            if node in nest.lowering.inlined and user is not node:
                del self.nests[user]
                pending.append(user)

    def tail(self, node):
        """The end of the chain of elementwise operations above `node`, each the only reader of the one before: of x @ w
        + b followed by a relu, the relu. To store that saves writing the product and reading it again."""
        while node not in self.stored and len(self.consumers[node]) == 1:
            user = self.consumers[node][0]
            if user.size != node.size or user in self.stored or \
                    not (user.op in ELEMENTWISE or user.op in IDENTITY or user.op == "reshape"):
                break
            node = user
        while node.op == "reshape" and node not in self.stored:         # what only splits axes is left to the reader
            node = node.sources[0]
        return node

    def share(self, pending):
        """Store what two nests contain and would both compute: a reduction; or, where it is costly, what one of them
        could store for the other (see `common`). One at a time, since that may settle others as well."""
        users = defaultdict(list)
        for nest in self.nests.values():
            for node in nest.lowering.inlined:
                users[node].append(nest)
        for node, nests in users.items():
            if len(nests) > 1 and node.op in REDUCTIONS and node not in self.stored and node not in self.wide:
                tail = self.tail(node)
                if tail not in self.stored and len(users[tail]) > 1:
                    self.store(tail, pending)
                elif node not in self.stored:
                    self.store(node, pending)
                return
            if len(nests) > 1 and node.op in COSTLY and node.size >= 4096 and node not in self.wide:
                for first, second in itertools.permutations(nests[:2]):
                    best = self.common(node, first, second)
                    if best:
                        return self.store(best, pending)

    def common(self, costly, first, second):
        """The last node of the elementwise chain above a costly one that nest `second` contains, and that nest `first`
        could store as well, since it has all that this is computed from; None if there is no such node."""
        known, above = {*first.outputs, *first.reads()}, {costly}
        available = set(known)
        for node in topological(second.outputs, stop=lambda node: node in known or second.lowering.is_read(node)):
            elementwise = node.op in ELEMENTWISE or node.op in MOVEMENTS or node.op in IDENTITY or node.op == "const"
            if elementwise and node in second.lowering.inlined and available.issuperset(node.sources):
                available.add(node)
                if above.intersection(node.sources):
                    above.add(node)
        above = [node for node in above & available if node.size == costly.size == first.outputs[0].size]
        last = [node for node in above if not any(user in above for user in self.consumers[node])]
        return last[0] if len(last) == 1 and last[0] not in second.outputs and last[0] is not costly else None

    def copy(self, nest, value, last, reduction, panel=32):
        """Have an operand copied so that the loop `last` is contiguous, in panels that a register tile reads in a row.

        The copy is an ordinary node that is put in place of the view of the buffer that the kernel reads. Where `last`
        takes every second element, as a convolution of stride 2 does, the even ones are put before the odd ones.
        """
        view, index = nest.lowering.origin[value]
        copies = self.copies[nest.outputs[0]]
        if view in copies or value.arg[0] in self.copied or nest.outputs[0] in self.copied:
            return False
        axes = [a for a in range(len(view.shape)) if view.shape[a] > 1]
        lasts = [a for a in axes if last in loops_of(index[a])]
        inner = [a for a in axes if a not in lasts and loops_of(index[a]).intersection(reduction.arg)]
        stride = stride_along(index[lasts[0]], last) if len(lasts) == 1 else None
        if stride is None or stride < 1:
            return False
        if self.settled:                                                # too late for another nest
            raise Unmergeable
        rest = [a for a in range(len(view.shape)) if a not in lasts and a not in inner]
        order = tuple(rest + inner + lasts)
        moved = permute(view, order)
        n = moved.shape[-1]
        if stride == 1 and (not panel or n % panel or n == panel or self.groups):
            stored = back = Node("contiguous", (moved,))
        else:
            part = panel if stride == 1 else stride
            parts = -(-n // part)
            whole = pad(moved, ((0, 0),) * (len(order) - 1) + ((0, parts * part - n),))
            split = reshape(whole, moved.shape[:-1] + (parts, part))
            q, k = len(order) - 1, len(rest)
            axes = (*range(k), q, *range(k, q), q + 1) if stride == 1 else (*range(q), q + 1, q)
            stored = Node("contiguous", (permute(split, axes),))
            back = reshape(unpermute(stored, axes), whole.shape)
            back = shrink(back, tuple((0, m) for m in moved.shape))
        copies[view] = unpermute(back, order)
        self.copied[stored] = view
        self.stored[stored] = True
        return True

    def strip(self, nest, load):
        """Have a wide node that a nest reads within a reduction computed for some rows at a time.

        For out[i, j] = sum over k of wide[i, k] * b[k, j], the rows of the wide node are i. The strip is an ordinary
        node, the wide one with the axes of its rows moved to the front; `weave` gives it its place.
        """
        view = load.arg[0]
        index, copies = nest.lowering.place[load], self.copies[nest.outputs[0]]
        axes = [a for a in range(len(index)) if view.shape[a] > 1]
        inner = [a for a in axes if nest.lowering.in_reduction(index[a:a + 1])]
        rows = [a for a in axes if a not in inner]
        if view in copies or not rows or not inner:
            raise Store(view)
        order = tuple([a for a in range(len(index)) if a not in inner] + inner)
        node = Node("contiguous", (permute(view, order),), "strip")
        back = unpermute(node, order)
        extents = [view.shape[a] for a in rows]
        most = max(1, min(8, CACHE // 4 // view.dtype.itemsize // math.prod(view.shape[a] for a in inner)))
        block = RowBlock(math.prod(extents), extents[-1], tile_rows(extents[-1], most))
        if view.size > 1 << 14 and block.count // block.rows < 16:      # too few tasks for much work
            raise Store(view)
        copies[view] = back
        self.strips[node] = Strip(node, view, back, block)
        self.stored[node] = True

    def weave(self, nests):
        """The kernels, in an order in which they can run: nests that read strips of the same rows become one kernel,
        together with the nests that compute those strips. Where that fails, the strip becomes a buffer like any other,
        and all is woven anew."""
        producer = {node: nest for nest in nests for node in nest.outputs}
        members, kernel_of = {}, {}                                     # the nests of each kernel, and the reverse

        def needs(nest):
            """The nests that must have run before this one; strips are looked through."""
            strips = topological([nest], sources=lambda nest: [producer[node] for node in nest.reads()
                                                               if node in self.strips])
            return [producer[node] for one in strips for node in one.reads()
                    if node in producer and node not in self.strips]

        def needed(kernel):
            """The other kernels that must have run before this one."""
            return list(dict.fromkeys(kernel_of[need] for nest in members[kernel] for need in needs(nest)
                                      if kernel_of[need] is not kernel))

        def add(kernel, nests):
            members[kernel] = nests
            kernel_of.update(dict.fromkeys(nests, kernel))

        for nest in nests:
            if nest.outputs[0] in self.strips:
                continue
            strips = [node for node in nest.reads() if node in self.strips]
            before = dict.fromkeys(kernel_of[need] for need in needs(nest))
            # May it join a kernel that is there? Not one that something else it needs has to wait for.
            for kernel in reversed(members) if strips else ():
                if kernel.strips and not any(kernel in topological([start], sources=needed)
                                             for start in before if start is not kernel):
                    both = self.woven(members[kernel] + [nest])
                    if both:
                        add(both, members.pop(kernel) + [nest])
                        break
            else:
                woven = self.woven([nest]) if strips else None
                if strips and not woven:                                # then its strips are buffers like any other;
                    deeper = {need for node in strips for need in producer[node].reads() if need in self.strips}
                    for node in deeper.difference(strips) or strips:    # but first those that they are computed from
                        del self.strips[node]
                    return self.weave(nests)
                add(woven or Kernel([nest]), [nest])
        kernels = topological(list(members), sources=needed)
        read = set(self.outputs)
        for kernel in reversed(kernels):                                # leave out what no other nest reads
            for nest in reversed(kernel.nests):
                nest.keep([node for node in nest.outputs if node in read])
                read.update(nest.reads() if nest.outputs else ())
            kernel.nests = [nest for nest in kernel.nests if nest.outputs]
        for kernel in kernels:                                          # and what no other kernel reads is a strip too
            if kernel.strips:
                read = {node for other in kernels if other is not kernel for node in other.reads()} | self.outputs
                kernel.strips += [node for nest in kernel.nests for node in nest.outputs
                                  if node not in read and node not in kernel.strips]
        return [kernel for kernel in kernels if kernel.nests]

    def woven(self, nests):
        """One kernel of all these nests and the strips that they read; None if they do not fit together."""
        strips = list(dict.fromkeys(node for nest in nests for node in nest.reads() if node in self.strips))
        block = self.strips[strips[0]].block
        parts = [self.strips[node] for node in strips]
        try:
            made = [Nest(self, outputs, self.lanes, block, parts) for outputs in
                    [[node] for node in strips] + [nest.outputs for nest in nests]]
        except (Unweavable, Unmergeable, Store):                 # one can't go by these rows alone
            return None
        maker = {node: nest for nest in made for node in nest.outputs}
        order = topological(made, sources=lambda nest: [maker[node] for node in nest.reads() if node in maker])
        others = {node for nest in made for node in nest.reads() if node in self.strips and node not in strips}
        if others or any(part.block != block for part in parts) or not all(nest.stays_within(maker) for nest in made):
            return None
        sizes = [self.elements(node) * node.dtype.itemsize // block.count * block.rows for node in maker]
        if sum(sizes) > 2 * CACHE:                                      # what a task writes
            return None
        spans = {}                                                      # of strips, from those that read them back
        for nest in reversed(order):
            nest.spread(spans)
        return Kernel(order, strips)

    def merge(self):
        """Nests in an order in which they can run; those of the same size that only read each other at the same index
        become one with several outputs."""
        reads = {node: [need for need in nest.reads() if need in self.stored]
                 for node, nest in self.nests.items()}
        merged, group_of = [], {}
        for node in topological(list(self.stored), sources=lambda node: reads[node]):
            # It may join a group from that of its latest source on; an earlier one runs before the source is there.
            last = max((group_of[need] for need in reads[node]), default=0)
            for g in range(last, len(merged)):
                # Worth trying: the group that this nest reads from, or one that reads something it reads as well.
                near = g == last or any(set(reads[node]).intersection(reads[other]) for other in merged[g].outputs)
                if near and self.mergeable(merged[g], self.nests[node]):
                    try:
                        merged[g] = Nest(self, merged[g].outputs + [node], self.lanes)
                    except (Unmergeable, Store):
                        continue
                    group_of[node] = g
                    break
            if node not in group_of:
                group_of[node] = len(merged)
                merged.append(self.nests[node])
        return merged

    def mergeable(self, group, nest):
        """May `nest` join `group`? Not if both have reductions and one of those needs a register tile of its own."""
        if not fuses() or isinstance(group, HandWritten) or isinstance(nest, HandWritten):
            return False
        tiled = lambda one: one.vector is not None and any(one.vector in r.loops for r in one.reductions)
        apart = group.is_scatter or nest.is_scatter or \
            {*group.outputs, *nest.outputs} & (self.copied.keys() | self.strips.keys())
        large = len(group.values) + len(nest.values) > 300 or len(group.outputs) > 7
        clash = tiled(group) and nest.reductions or tiled(nest) and group.reductions
        return group.outputs[0].size == nest.outputs[0].size and not (apart or large or clash)


# ---------------------------------------------------------------------------------------------------------------------
# 8. Devices
#
# A device has memory and computes graphs there. Those with generated code make a Plan of a graph: the kernels of the
# fuser, in order, and a place in memory for what lies between them. Plans and compiled code are kept, in memory and on
# disk. NumPy's device makes no kernels: it interprets the graph, and so defines what each operation means.
#
# First the words of the generated source, once for each dialect. A type T with N lanes is TxN: f32x8. In both dialects
# a comparison gives a mask of i32 lanes, 0 or -1.
# ---------------------------------------------------------------------------------------------------------------------
# What differs between the dialects.
C_WORDS = r"""
#include <stdint.h>
#include <string.h>
#include <tgmath.h>
typedef float f32; typedef double f64; typedef int8_t i8; typedef uint8_t u8; typedef int16_t i16; typedef int32_t i32;
typedef uint32_t u32; typedef int64_t i64; typedef uint64_t u64; typedef uint16_t f16; typedef uint16_t bf16;
typedef long idx;
#define INLINE static inline __attribute__((always_inline, unused))
#define GLOBAL
#define PREFETCH(p) __builtin_prefetch(p)
#define STRIPS(bytes) char strips[bytes] __attribute__((aligned(64)));
#define DOUBLE(...) __VA_ARGS__
#define BITS(T, S) INLINE T T##_as_##S(S x) { T y; memcpy(&y, &x, sizeof y); return y; }
#define TYPE(T, N) typedef T T##x##N __attribute__((vector_size(N * sizeof(T)))); \
  typedef T T##x##N##_u __attribute__((vector_size(N * sizeof(T)), aligned(sizeof(T)), may_alias));
#define CONVERT(a, T, N) __builtin_convertvector(a, T##x##N)
#define REINTERPRET(a, T, N) ((T##x##N)(a))
#define SPLAT(a, T, N) ((a) - (T##x##N){})
#define VALUES(T, N, ...) (T##x##N){__VA_ARGS__}
#define LOAD(p, T, N) (*(const T##x##N##_u *)(p))
#if defined __x86_64__ && !defined __clang__
#define IN_REGISTER(x) __asm__("" : "+v"(x));
#else
#define IN_REGISTER(x)
#endif
#define STORE(p, a, T, N) (*(T##x##N##_u *)(p) = (a))
"""
CL_WORDS = r"""
typedef float f32; typedef char i8; typedef uchar u8; typedef short i16; typedef int i32; typedef uint u32;
typedef long i64; typedef ulong u64; typedef ushort f16; typedef ushort bf16; typedef int idx;
#ifdef cl_khr_fp64
typedef double f64;
#define DOUBLE(...) __VA_ARGS__
#else
#define DOUBLE(...)
#endif
#define INLINE static inline __attribute__((always_inline))
#define GLOBAL global
#define PREFETCH(p)
#define STRIPS(bytes) global char *strips = strips_ + get_global_id(0) * bytes;
#define NAME_f32 float
#define NAME_f64 double
#define NAME_i8 char
#define NAME_u8 uchar
#define NAME_i16 short
#define NAME_f16 ushort
#define NAME_bf16 ushort
#define NAME_i32 int
#define NAME_u32 uint
#define NAME_i64 long
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define BITS(T, S) INLINE T T##_as_##S(S x) { return JOIN(as_, NAME_##T)(x); }
#define TYPE(T, N) typedef JOIN(NAME_##T, N) T##x##N;
#define CONVERT(a, T, N) JOIN(JOIN(convert_, NAME_##T), N)(a)
#define REINTERPRET(a, T, N) JOIN(JOIN(as_, NAME_##T), N)(a)
#define SPLAT(a, T, N) ((T##x##N)(a))
#define VALUES(T, N, ...) (T##x##N)(__VA_ARGS__)
#define LOAD(p, T, N) JOIN(vload, N)(0, p)
#define IN_REGISTER(x)
#define STORE(p, a, T, N) JOIN(vstore, N)(a, 0, p)
"""
SCALAR_WORDS = r"""
INLINE idx within(idx at, idx size, idx lanes) { return at < -lanes ? -lanes : at > size ? size : at; }
INLINE idx least(idx a, idx b) { return a < b ? a : b; }
INLINE idx down(idx a, idx step) { return a <= 0 ? 0 : a / step * step; }
INLINE idx floor_quotient(idx a, idx n) { return a / n - (a % n < 0); }
INLINE idx floor_remainder(idx a, idx n) { return a % n < 0 ? a % n + n : a % n; }
INLINE i32 negative(i64 x) { return x < 0; } /* of any integer type, also of those without a sign */
INLINE i32 load_bool(GLOBAL const u8 *p) { return -(i32)*p; }
INLINE void store_bool(GLOBAL u8 *p, i32 x) { *p = x & 1; }
#define MOVES(T) \
  INLINE T load_##T(GLOBAL const T *p) { return *p; } \
  INLINE void store_##T(GLOBAL T *p, T x) { *p = x; } \
  INLINE T where_##T(i32 m, T a, T b) { return m ? a : b; }
#define NUMBER(T) MOVES(T) \
  INLINE i32 mask_##T(i32 m) { return -m; } \
  INLINE T max_##T(T a, T b) { return a > b || a != a ? a : b; } \
  CAST(T, f32) DOUBLE(CAST(T, f64)) CAST(T, i8) CAST(T, u8) CAST(T, i32) CAST(T, u32) CAST(T, i64) \
  INLINE T T##_from_bool(i32 x) { return (T)-x; }
#define CAST(T, S) INLINE T T##_from_##S(S x) { return (T)x; }
#define BITS_OF(T) (T)(8 * sizeof(T))
#define INTEGER(T, U) NUMBER(T) /* wraps around, as unsigned U do; division rounds down, and by zero it gives zero */ \
  INLINE i32 clamp_##T(T x, idx n) { return negative(x) ? 0 : x >= n ? n - 1 : x; } \
  INLINE T add_##T(T a, T b) { return (U)a + (U)b; } \
  INLINE T mul_##T(T a, T b) { return (U)a * (U)b; } \
  INLINE T pow_##T(T a, T b) { \
    if (negative(b) && a != 1 && a != (T)-1) return 0; \
    U y = 1, z = a, n = negative(b) ? b & 1 : b; \
    for (; n; n >>= 1, z *= z) if (n & 1) y *= z; \
    return y; } \
  INLINE T shl_##T(T a, T b) { return !negative(b) && b < BITS_OF(T) ? a << b : 0; } \
  INLINE T shr_##T(T a, T b) { return !negative(b) && b < BITS_OF(T) ? a >> b : negative(a) ? (T)-1 : 0; } \
  INLINE T idiv_##T(T a, T b) { \
    if (b == 0) return 0; \
    if (negative((T)-1) && b == (T)-1) return -(U)a; \
    return a / b - (a % b != 0 && negative(a) != negative(b)); } \
  INLINE T mod_##T(T a, T b) { \
    if (b == 0 || (negative((T)-1) && b == (T)-1)) return 0; \
    return a % b + (a % b != 0 && negative(a) != negative(b) ? b : 0); }
#define FLOAT(T) NUMBER(T) INLINE T sqrt_##T(T x) { return sqrt(x); } INLINE T exp_##T(T x) { return exp(x); } \
  INLINE T sigmoid_##T(T x) { return 1 / (1 + exp(-x)); } INLINE T log_##T(T x) { return log(x); } \
  INLINE T sin_##T(T x) { return sin(x); } INLINE T pow_##T(T a, T b) { return pow(a, b); } \
  INLINE T trunc_##T(T x) { return trunc(x); } INLINE T rint_##T(T x) { return rint(x); } \
  INLINE T mod_##T(T a, T b) { \
    T r = fmod(a, b); \
    return r == 0 ? copysign(r, b) : (r < 0) != (b < 0) ? r + b : r; } \
  INLINE T idiv_##T(T a, T b) { \
    T r = fmod(a, b), q = (a - r) / b - (r != 0 && (r < 0) != (b < 0)); \
    return b == 0 ? a / b : q == 0 ? copysign(q, a / b) : rint(q); }
MOVES(f16) MOVES(bf16) FLOAT(f32) DOUBLE(FLOAT(f64))
INTEGER(i8, u8) INTEGER(u8, u8) INTEGER(i32, u32) INTEGER(u32, u32) INTEGER(i64, u64)
BITS(f32, u32) BITS(f32, i32) BITS(u32, f32) BITS(i32, f32) BITS(u32, i32) BITS(i32, u32) BITS(i8, u8) BITS(u8, i8)
DOUBLE(BITS(f64, i64) BITS(i64, f64))

/* 16-bit floats are computed with in float32. bfloat16 is its upper half, rounded to nearest even. */
INLINE f32 f32_from_bf16(bf16 x) { return f32_as_u32((u32)x << 16); }
INLINE bf16 bf16_from_f32(f32 x) {
  u32 bits = u32_as_f32(x);
  return (x != x ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1)) >> 16; }
INLINE f32 f32_from_f16(f16 x) {
  u32 sign = (u32)(x & 0x8000) << 16, rest = (u32)(x & 0x7fff) << 13;
  if (rest >= 0x0f800000) return f32_as_u32(rest | 0x7f800000 | sign);     /* infinity and NaN */
  return f32_as_u32(u32_as_f32(f32_as_u32(rest) * 0x1p112f) | sign); }
INLINE f16 f16_from_f32(f32 x) {
  u32 sign = u32_as_f32(x) >> 16 & 0x8000;
  f32 y = f32_as_u32(u32_as_f32(x) & 0x7fffffff);
  if (y != y) return sign | 0x7e00;
  if (y >= 65520.0f) return sign | 0x7c00;
  if (y < 0x1p-14f) return sign | (u32_as_f32(y + 0.5f) - 0x3f000000);     /* subnormal: units of 2^-24 */
  u32 bits = u32_as_f32(y) - 0x38000000;
  return sign | ((bits + 0xfff + (bits >> 13 & 1)) >> 13); }
"""
# What a kernel for work-groups has on top of the scalars. A fold reads all numbers one by one: for 64 in local memory
# that costs no more than to wait six times while they are put together by halves.
GROUP_WORDS = r"""
#define GROUP_OF(n) __attribute__((reqd_work_group_size(n, 1, 1)))
#define GROUP_STRIPS(bytes) global char *strips = strips_ + get_group_id(0) * bytes;
#define GROUP_BARRIER barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
/* What the items of a group have, put together; all of them get the result. */
#define GROUP_FOLD(NAME, T, F) INLINE T group_##NAME##_##T(local i64 *partial, T x) { \
    local T *part = (local T *)partial; \
    part[get_local_id(0)] = x; \
    barrier(CLK_LOCAL_MEM_FENCE); \
    x = part[0]; \
    for (idx l = 1; l < get_local_size(0); l++) x = F(x, part[l]); \
    barrier(CLK_LOCAL_MEM_FENCE); \
    return x; }
#define ADD(a, b) a + b
#define GROUP(T) GROUP_FOLD(add, T, ADD) GROUP_FOLD(max, T, max_##T)
GROUP(f32) DOUBLE(GROUP(f64)) GROUP(i8) GROUP(u8) GROUP(i32) GROUP(u32) GROUP(i64)
"""
VECTOR_WORDS = r"""
#define LANES(N, ...) for (int l = 0; l < N; l++) { __VA_ARGS__; }
#define EACH_2(F) F(0), F(1)
#define EACH_4(F) EACH_2(F), F(2), F(3)
#define EACH_8(F) EACH_4(F), F(4), F(5), F(6), F(7)
#define EACH_16(F) EACH_8(F), F(8), F(9), F(10), F(11), F(12), F(13), F(14), F(15)
#define STRIDED(l) p[l * stride]
#define VECTOR_MOVES(T, I, N) \
  typedef union { T##x##N all; T lane[N]; } T##x##N##_lanes; \
  INLINE T##x##N load_##T##x##N(GLOBAL const T *p) { return LOAD(p, T, N); } \
  INLINE void store_##T##x##N(GLOBAL T *p, T##x##N x) { STORE(p, x, T, N); } \
  INLINE void store_n_##T##x##N(GLOBAL T *p, T##x##N x, int n) { \
    if (n == N) { STORE(p, x, T, N); } else { T##x##N##_lanes y; y.all = x; LANES(n, p[l] = y.lane[l]) } } \
  INLINE T##x##N splat_##T##x##N(T x) { return SPLAT(x, T, N); } \
  INLINE T##x##N where_##T##x##N(i32x##N m, T##x##N a, T##x##N b) { \
    I##x##N k = CONVERT(m, I, N); \
    return REINTERPRET((REINTERPRET(a, I, N) & k) | (REINTERPRET(b, I, N) & ~k), T, N); } \
  INLINE T##x##N strided_##T##x##N(GLOBAL const T *p, idx stride) { return VALUES(T, N, EACH_##N(STRIDED)); } \
  INLINE T##x##N strided_n_##T##x##N(GLOBAL const T *p, idx stride, int n) { \
    T##x##N##_lanes x; LANES(N, x.lane[l] = l < n ? p[l * stride] : 0) return x.all; } \
  INLINE T##x##N gather_##T##x##N(GLOBAL const T *p, i32x##N at, i32x##N m) { \
    T##x##N##_lanes x; i32x##N##_lanes i, k; i.all = at; k.all = m; \
    LANES(N, x.lane[l] = k.lane[l] ? p[i.lane[l]] : 0) return x.all; }
#define VECTOR(T, I, N) VECTOR_MOVES(T, I, N) \
  INLINE i32x##N mask_##T##x##N(I##x##N m) { return CONVERT(m, i32, N); } \
  INLINE T##x##N max_##T##x##N(T##x##N a, T##x##N b) { \
    I##x##N k = (a > b) | (a != a); \
    return REINTERPRET((REINTERPRET(a, I, N) & k) | (REINTERPRET(b, I, N) & ~k), T, N); } \
  INLINE T fold_add_##T##x##N(T##x##N x) { \
    T##x##N##_lanes y; y.all = x; LANES(N / 2, y.lane[l] += y.lane[l + N / 2]) \
    LANES(N / 4, y.lane[l] += y.lane[l + N / 4]) LANES(N / 8, y.lane[l] += y.lane[l + N / 8]) \
    LANES(N / 16, y.lane[l] += y.lane[l + N / 16]) return y.lane[0]; } \
  INLINE T fold_max_##T##x##N(T##x##N x) { \
    T##x##N##_lanes y; y.all = x; LANES(N / 2, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 2])) \
    LANES(N / 4, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 4])) \
    LANES(N / 8, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 8])) \
    LANES(N / 16, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 16])) return y.lane[0]; } \
  VECTOR_CAST(T, f32, N) DOUBLE(VECTOR_CAST(T, f64, N)) BYTE_CAST(T, i8, N) BYTE_CAST(T, u8, N) \
  VECTOR_CAST(T, i32, N) VECTOR_CAST(T, u32, N) VECTOR_CAST(T, i64, N) \
  INLINE T##x##N T##x##N##_from_bool(i32x##N x) { return CONVERT(-x, T, N); }
#define VECTOR_CAST(T, S, N) INLINE T##x##N T##x##N##_from_##S(S##x##N x) { return CONVERT(x, T, N); }
// gcc would convert bytes to floats one by one, if it saw where they come from or had to do it in one step.
#define BYTE_CAST(T, S, N) \
  INLINE T##x##N T##x##N##_from_##S(S##x##N x) { IN_REGISTER(x) return CONVERT(CONVERT(x, i32, N), T, N); }
#define VECTOR_BITS(T, S, N) INLINE T##x##N T##x##N##_as_##S(S##x##N x) { return REINTERPRET(x, T, N); }
#define MAP(NAME, F, T, S, N) INLINE T##x##N NAME(S##x##N a) { \
  S##x##N##_lanes x; T##x##N##_lanes y; x.all = a; LANES(N, y.lane[l] = F(x.lane[l])) return y.all; }
#define MAP1(F, T, N) MAP(F##_##T##x##N, F##_##T, T, T, N)
#define MAP2(F, T, N) INLINE T##x##N F##_##T##x##N(T##x##N a, T##x##N b) { \
  T##x##N##_lanes x, y; x.all = a; y.all = b; LANES(N, x.lane[l] = F##_##T(x.lane[l], y.lane[l])) return x.all; }
#define DIVISIONS(T, N) MAP2(idiv, T, N) MAP2(mod, T, N) MAP2(pow, T, N)
#define NEAREST(t, N) CONVERT(CONVERT( \
  (t) + where_f32x##N((t) < 0.0f, splat_f32x##N(-0.5f), splat_f32x##N(0.5f)), i32, N), f32, N)
#define POWER_OF_2(n, N) REINTERPRET(((n) + 127) << 23, f32, N)
#define SCALED(p, k, N) /* p * 2^k in two steps, as 2^k itself may be too large or too small for a float */ \
  p * POWER_OF_2(CONVERT(k, i32, N) >> 1, N) * POWER_OF_2(CONVERT(k, i32, N) - (CONVERT(k, i32, N) >> 1), N)
#define NEAREST_2 NEAREST
#define NEAREST_4 NEAREST
#define NEAREST_8 NEAREST
#define SCALED_2 SCALED
#define SCALED_4 SCALED
#define SCALED_8 SCALED
#ifdef __AVX512F__                      /* has an instruction for each of the two */
#define NEAREST_16(t, N) __builtin_ia32_rndscaleps_mask(t, 8, t, -1, 4)
#define SCALED_16(p, k, N) __builtin_ia32_scalefps512_mask(p, k, p, -1, 4)
#else
#define NEAREST_16 NEAREST
#define SCALED_16 SCALED
#endif
#define INTEGER_LANES(T, N) DIVISIONS(T, N) \
  INLINE i32x##N clamp_##T##x##N(T##x##N x, idx n) { \
    T##x##N##_lanes a; i32x##N##_lanes y; a.all = x; LANES(N, y.lane[l] = clamp_##T(a.lane[l], n)) return y.all; } \
  INLINE T##x##N shl_##T##x##N(T##x##N a, T##x##N b) { \
    return (a << (b & (T)(BITS_OF(T) - 1))) & REINTERPRET((b >= (T)0) & (b < BITS_OF(T)), T, N); } \
  INLINE T##x##N shr_##T##x##N(T##x##N a, T##x##N b) { \
    T##x##N k = REINTERPRET((b >= (T)0) & (b < BITS_OF(T)), T, N); \
    return ((a >> (b & (T)(BITS_OF(T) - 1))) & k) | (REINTERPRET(a < (T)0, T, N) & ~k); }
#define ALL_LANES(N) \
  TYPE(i8, N) TYPE(u8, N) TYPE(i16, N) TYPE(f16, N) TYPE(bf16, N) TYPE(i32, N) TYPE(u32, N) TYPE(i64, N) TYPE(f32, N) \
  DOUBLE(TYPE(f64, N)) VECTOR(i32, i32, N) VECTOR(f32, i32, N) VECTOR(u32, i32, N) VECTOR(i64, i64, N) \
  DOUBLE(VECTOR(f64, i64, N)) VECTOR(i8, i8, N) VECTOR(u8, i8, N) VECTOR_MOVES(f16, i16, N) VECTOR_MOVES(bf16, i16, N) \
  VECTOR_BITS(f32, u32, N) VECTOR_BITS(f32, i32, N) VECTOR_BITS(u32, f32, N) VECTOR_BITS(i32, f32, N) \
  VECTOR_BITS(u32, i32, N) VECTOR_BITS(i32, u32, N) VECTOR_BITS(i8, u8, N) VECTOR_BITS(u8, i8, N) \
  DOUBLE(VECTOR_BITS(f64, i64, N) VECTOR_BITS(i64, f64, N)) \
  MAP(f32x##N##_from_f16, f32_from_f16, f32, f16, N) MAP(f16x##N##_from_f32, f16_from_f32, f16, f32, N) \
  MAP(f32x##N##_from_bf16, f32_from_bf16, f32, bf16, N) MAP(bf16x##N##_from_f32, bf16_from_f32, bf16, f32, N) \
  INLINE i32x##N load_boolx##N(GLOBAL const u8 *p) { return -CONVERT(load_u8x##N(p), i32, N); } \
  INLINE void store_boolx##N(GLOBAL u8 *p, i32x##N x) { store_u8x##N(p, CONVERT(x & 1, u8, N)); } \
  INLINE void store_n_boolx##N(GLOBAL u8 *p, i32x##N x, int n) { store_n_u8x##N(p, CONVERT(x & 1, u8, N), n); } \
  INLINE i32x##N strided_boolx##N(GLOBAL const u8 *p, idx stride) { \
    return -CONVERT(strided_u8x##N(p, stride), i32, N); } \
  INLINE i32x##N strided_n_boolx##N(GLOBAL const u8 *p, idx stride, int n) { \
    return -CONVERT(strided_n_u8x##N(p, stride, n), i32, N); } \
  INLINE i32x##N gather_boolx##N(GLOBAL const u8 *p, i32x##N at, i32x##N m) { \
    return -CONVERT(gather_u8x##N(p, at, m), i32, N); } \
  INLINE i32x##N lanes_i32x##N(void) { i32x##N##_lanes x; LANES(N, x.lane[l] = l) return x.all; } \
  INTEGER_LANES(i8, N) INTEGER_LANES(u8, N) INTEGER_LANES(i32, N) INTEGER_LANES(u32, N) INTEGER_LANES(i64, N) \
  MAP1(sqrt, f32, N) MAP1(trunc, f32, N) MAP1(rint, f32, N) MAP1(sin, f32, N) DIVISIONS(f32, N) \
  DOUBLE(MAP1(sqrt, f64, N) MAP1(trunc, f64, N) MAP1(rint, f64, N) MAP1(sin, f64, N) DIVISIONS(f64, N)) \
  DOUBLE(MAP1(exp, f64, N) MAP1(log, f64, N) MAP1(sigmoid, f64, N)) \
  /* exp(x) = 2^n exp(r), |r| <= ln(2)/2; the polynomials of exp and log are from S. L. Moshier's Cephes library */ \
  INLINE f32x##N exp_f32x##N(f32x##N x) { \
    f32x##N k = NEAREST_##N(x * 1.44269504f, N), r = x - k * 0.693359375f + k * 2.12194440e-4f; \
    f32x##N p = (((((r * 1.9875691500e-4f + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r \
                  + 1.6666665459e-1f) * r + 5.0000001201e-1f) * r * r + r + 1.0f; \
    p = SCALED_##N(p, k, N); \
    p = where_f32x##N(x > 89.0f, splat_f32x##N(INFINITY), p); \
    return where_f32x##N(x < -104.0f, splat_f32x##N(0.0f), p); } \
  INLINE f32x##N sigmoid_f32x##N(f32x##N x) { return 1.0f / (1.0f + exp_f32x##N(-x)); } \
  INLINE f32x##N log_f32x##N(f32x##N x) { /* x = m 2^e, m within sqrt(1/2) .. sqrt(2) */ \
    i32x##N small = x < 0x1p-126f; \
    i32x##N bits = REINTERPRET(where_f32x##N(small, x * 0x1p23f, x), i32, N), e = (bits >> 23) - 127 - (small & 23); \
    f32x##N m = REINTERPRET((bits & 0x7fffff) | 0x3f800000, f32, N); \
    i32x##N big = m > 1.41421356f; \
    m = where_f32x##N(big, m * 0.5f, m) - 1.0f; \
    f32x##N k = CONVERT(e - big, f32, N); \
    f32x##N p = ((((((((m * 7.0376836292e-2f - 1.1514610310e-1f) * m + 1.1676998740e-1f) * m - 1.2420140846e-1f) * m \
      + 1.4249322787e-1f) * m - 1.6668057665e-1f) * m + 2.0000714765e-1f) * m - 2.4999993993e-1f) * m \
      + 3.3333331174e-1f) * m * m * m; \
    p = p - k * 2.12194440e-4f - 0.5f * m * m + m + k * 0.693359375f; \
    p = where_f32x##N(x == 0.0f, splat_f32x##N(-INFINITY), p); \
    p = where_f32x##N((x < 0.0f) | (x != x), splat_f32x##N(NAN), p); \
    return where_f32x##N(x == INFINITY, x, p); }
"""

# The part of the C device that runs: worker threads that go through a list of kernels together. Each thread takes its
# share of every kernel's tasks; they wait for one another only where a kernel needs what came since the last barrier.
C_RUNTIME = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
typedef struct { void (*kernel)(long, long, char **); char **buffers; long tasks, barrier; } Call;
static int threads = 1;
static pid_t process;
static Call *calls;
static long count;
static double *clock_;                  /* if somebody looks: the time before each kernel and at the end */
static atomic_long round_, arrived, turn;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;

static void pause_(int spins) {
  if (spins > 2000) sched_yield();
  else __asm__ volatile("" ::: "memory");
}

static void note(double *at) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  *at = now.tv_sec + now.tv_nsec * 1e-9;
}

/* The last thread to come lets the others go on. What it writes to `at` is the end of the work before, and the begin of
   what follows: a thread that reads the clock later may already have missed some of it. */
static void barrier(double *at) {
  long now = atomic_load(&turn);
  if (atomic_fetch_add(&arrived, 1) == threads - 1) {
    if (at) note(at);
    atomic_store(&arrived, 0);
    atomic_store(&turn, now + 1);
  } else
    for (int spins = 0; atomic_load(&turn) == now; spins++) pause_(spins);
}

static void work(long thread) {
  double *clock = clock_;               /* after the last barrier these belong to the next run */
  for (long i = 0, n = count;; i++) {
    Call *c = &calls[i];
    double *at = clock ? clock + i : 0;
    if (threads > 1 && (i == n || clock || c->barrier)) barrier(at);
    else if (at) note(at);
    if (i == n) return;
    long begin = c->tasks * thread / threads, end = c->tasks * (thread + 1) / threads;
    if (begin < end) c->kernel(begin, end, c->buffers);
  }
}

static void *worker(void *thread) {
  long seen = 0;
  for (;;) {
    for (int spins = 0; atomic_load(&round_) == seen && spins < 20000; spins++) pause_(spins);
    if (atomic_load(&round_) == seen) {
      pthread_mutex_lock(&mutex);
      while (atomic_load(&round_) == seen) pthread_cond_wait(&wake, &mutex);
      pthread_mutex_unlock(&mutex);
    }
    seen++;
    work((long)thread);
  }
  return 0;
}

/* Threads 1 .. n-1, once in a process; the caller of run is thread 0. A child that was forked has the memory of its
   parent, but none of the threads: it begins anew. */
int start(int n) {
  if (process == getpid()) return threads;
  process = getpid(), threads = 1, round_ = arrived = turn = 0;
  mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER, wake = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  for (long i = 1; i < n; i++) {
    pthread_t thread;
    if (pthread_create(&thread, &detached, worker, (void *)i)) return threads = i;
    threads = i + 1;
  }
  return threads;
}

void run(Call *c, long n, double *clock) {
  calls = c, count = n, clock_ = clock;
  if (threads > 1) {
    pthread_mutex_lock(&mutex);
    atomic_fetch_add(&round_, 1);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&mutex);
  }
  work(0);
}
"""

SLACK = 128                             # bytes before and after every buffer, for vectors that overrun its ends


def cores():
    """The number of threads to use: THREADS, or the processors this process may run on. Each spins for a while before
    it sleeps, so to start tens of thousands takes minutes."""
    wanted = os.environ.get("THREADS")
    if wanted and not (wanted.isdecimal() and 1 <= int(wanted) <= 1024):
        raise ValueError(f"THREADS should be a number from 1 to 1024, not {wanted!r}")
    return int(wanted or len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count()))(0)))


class Buffer:
    """The numbers of a realized node on a device. `data` is what the device's `allocate` gave, with slack around."""
    __slots__ = ("device", "dtype", "shape", "data")

    def __init__(self, device, dtype, shape, data):
        self.device, self.dtype, self.shape, self.data = device, dtype, shape, data

    @classmethod
    def from_numpy(cls, name, array):
        device = Device[name]
        return cls(device, array.dtype, array.shape, device.upload(np.ascontiguousarray(array)))

    @classmethod
    def copy(cls, other):
        return cls.from_numpy(other.device.name, other.numpy())

    @classmethod
    def empty(cls, device, dtype, shape, size):
        try:
            return cls(device, dtype, shape, device.allocate(size))
        except MemoryError as error:
            raise MemoryError(f"{device.name}: no memory for {NAME_OF[dtype]}{list(shape)}, {size:,} bytes ({error})"
                              ) from None

    def numpy(self):
        """A new array with the numbers."""
        return self.device.download(self.data, self.dtype, self.shape)


class Plan:
    """Kernels in execution order with their memory: what realize runs, and what a jit runs again and again.

    Memory is numbered: first the `leaves` (realized nodes that are read), then the `outputs`. What lies between shares
    one arena, where two buffers overlap if they are never needed at the same time. `updates` says which leaf an output
    may overwrite, the new value of a parameter for example; `in_place` are those outputs for which that is possible.
    `places` has for each kernel where its outputs and inputs lie: ("external", number) or ("arena", start, stop).
    Kernels that nobody reads from run last, as they are the ones that may overwrite what others still read.
    """

    def __init__(self, lanes, groups, order, leaves, outputs, updates=(), tune=None):
        check_sizes((node, max(node.shape, default=1)) for node in order)
        fuser = Fuser([node for node in outputs if node.size], lanes, groups)          # no kernel has nothing to do
        for kernel in fuser.kernels:
            kernel.generate()
            check_sizes((node, fuser.elements(node)) for node in kernel.outputs + kernel.inputs)
        if tune:
            fuser.kernels = tune(fuser.kernels, fuser.elements)
        read = {node for kernel in fuser.kernels for node in kernel.inputs}
        final = [kernel for kernel in fuser.kernels if not read.intersection(kernel.outputs)]
        self.kernels = [kernel for kernel in fuser.kernels if kernel not in final] + final
        number = {node: i for i, node in enumerate(leaves + outputs)}
        self.in_place = {output: leaf for output, leaf in dict(updates).items()
                         if output.size and self.overwrites(output, leaf)}
        place, self.arena_bytes = self.place_buffers(number, fuser)
        place.update((node, ("external", number[self.in_place.get(node, node)])) for node in number)
        self.places = [[place[node] for node in kernel.outputs + kernel.inputs] for kernel in self.kernels]
        self.barriers = self.find_barriers()
        self.in_place = {number[output] - len(leaves) for output in self.in_place}     # from here on, only numbers
        for kernel in self.kernels:
            kernel.forget({node: i for i, node in enumerate(order)})
        vars(fuser).clear()                                             # its nests know it, and would keep the graph

    def save(self, key):
        """Keep the plan on disk, if the cache folder can be used: as JSON, packed by zlib, which notices damage."""
        fields = {**vars(self), "in_place": [*self.in_place], "kernels": [vars(kernel) for kernel in self.kernels]}
        keep_file(f"{key}.plan", zlib.compress(json.dumps([key, fields], default=NAME_OF.__getitem__).encode(), 1))

    @classmethod
    def load(cls, key):
        """The plan that was saved for `key`, or None: there is no such file, or not as it was written."""
        try:
            found, fields = json.loads(zlib.decompress((cache_folder() / f"{key}.plan").read_bytes()))
        except (RuntimeError, OSError, ValueError, TypeError, zlib.error):
            return None
        if found != key:
            return None
        plan = object.__new__(cls)
        vars(plan).update(fields, in_place=set(fields["in_place"]), kernels=[])
        plan.places = [[tuple(place) for place in places] for places in plan.places]
        for fields in fields["kernels"]:
            kernel = object.__new__(Kernel)
            vars(kernel).update(fields)
            for operands in (kernel.outputs, kernel.inputs):
                operands[:] = [Operand(tuple(shape), DTYPES[name]) for shape, name in operands]
            plan.kernels.append(kernel)
        return plan

    def again(self):
        """The same plan for another graph of the same structure."""
        plan = copy.copy(self)
        plan.kernels = [copy.copy(kernel) for kernel in self.kernels]
        for name in ("calls", "launches"):                              # what a device has made of it
            vars(plan).pop(name, None)
        return plan

    def overwrites(self, output, leaf):
        """Can `output` be written where `leaf` is read? If no later kernel reads that, and its own only at that index,
        and for an output that is not stored later than this one."""
        at = next(i for i, kernel in enumerate(self.kernels) if output in kernel.outputs)
        kernel, later = self.kernels[at], self.kernels[at + 1:]
        if leaf in kernel.inputs and isinstance(kernel.nests[0], HandWritten):
            return False                                                # who knows at which index?
        loads = [(nest, value) for nest in kernel.nests for value in nest.values
                 if value.op == "load" and value.arg[0] is leaf]
        stored = kernel.outputs.index(output) + 1                       # the outputs by then, if there is but one nest
        return not any(leaf in other.inputs for other in later) and \
            all(load.arg[1] == nest.lowering.flat and len(kernel.nests) == 1
                and load in reachable(nest.lowering.roots[:stored]) for nest, load in loads)

    def place_buffers(self, number, fuser):
        """A place in the arena for what is neither leaf nor output: first fit, largest first."""
        last = {node: i for i, kernel in enumerate(self.kernels) for node in kernel.inputs}
        spans = [(fuser.elements(node) * node.dtype.itemsize, i, last[node], node)
                 for i, kernel in enumerate(self.kernels) for node in kernel.outputs if node not in number]
        places, placed, end = {}, [], 0
        for size, start, stop, node in sorted(spans, key=lambda span: (-span[0], span[1])):
            at, size = 0, -(-(size + 2 * SLACK) // 512) * 512
            for other, other_size, other_start, other_stop in sorted(placed):
                if other_start <= stop and start <= other_stop:
                    if at + size <= other:
                        break
                    at = max(at, other + other_size)
            placed.append((at, size, start, stop))
            places[node], end = ("arena", at, at + size), max(end, at + size)
        return places, end

    def find_barriers(self):
        """Before which kernels must all threads wait? Where one touches what was written, or writes what was read."""
        barriers, written, read = [], [], []

        def clash(places, others):
            return any(p == q or p[0] == q[0] == "arena" and p[1] < q[2] and q[1] < p[2]
                       for p in places for q in others)
        for kernel, places in zip(self.kernels, self.places):
            n = len(kernel.outputs)
            barriers.append(clash(places, written) or clash(places[:n], read))
            if barriers[-1]:
                written, read = [], []
            written, read = written + places[:n], read + places[n:]
        return barriers


MOST_ELEMENTS = (1 << 31) - (1 << 16)   # of a buffer, as places in it are int32, and a tile may reach beyond its end


def check_sizes(sizes):
    """Raise ValueError if one of these (node, how many places it has) is too large."""
    for node, size in sizes:
        _require(size <= MOST_ELEMENTS, "{}:{}: {} {}{} is too large: an axis or an array in memory may have {:,} "
                 "elements", *node.line[:2], node.op, NAME_OF[node.dtype], list(node.shape), MOST_ELEMENTS)


def nbytes(node):
    return node.size * node.dtype.itemsize


def plans(nodes):
    """How to compute those of `nodes` that have no buffer: for each device (device, plan, order, leaves, wanted)."""
    nodes = [node for node in dict.fromkeys(nodes) if node.buffer is None]
    for name in dict.fromkeys(node.device for node in nodes):
        device, wanted = Device[name], [node for node in nodes if node.device == name]
        order = topological(wanted, stop=is_realized)
        leaves = [node for node in order if node.buffer is not None]
        yield device, device.plan(order, leaves, wanted), order, leaves, wanted


@_alone
def realize(nodes):
    """Compute `nodes` and set their buffers."""
    for device, plan, _, leaves, wanted in plans(nodes):
        buffers = [Buffer.empty(device, node.dtype, node.shape, nbytes(node)) for node in wanted]
        run_plan(device, plan, [node.buffer.data for node in leaves] + [buffer.data for buffer in buffers])
        for node, buffer in zip(wanted, buffers):
            node.buffer = buffer


def is_realized(node):
    return node.buffer is not None


@_alone
def kernels(*tensors):
    """The kernels that would compute these Tensors, in order, compiled but not run.

    Each has .name .source .flops .bytes, .inputs and .outputs (with .shape and .dtype), .is_copy for one that only
    copies an operand into another layout, and .lines: of each line of Python that it computes (file, number,
    "forward"), or "gradient" if it computes the gradient of that line. The NUMPY device makes none: RuntimeError.
    """
    _require_tensors("kernels: argument", tensors)
    found = []
    for device, plan, *_ in plans(x.node for x in tensors if x.node.size):
        _require(hasattr(device, "lanes"), "kernels: device {} makes none, as it interprets the graph; set DEVICE=C or "
                 "DEVICE=CL, or move the data there with .to(\"C\")", device.name, kind=RuntimeError)
        found += plan.kernels
    return found


# Looking while it runs: DEBUG in the environment, profile() and Tensor.graph().
def debug():
    """DEBUG: with 1 and more plans are told of, with 2 each run of a kernel, with 3 graphs, with 4 the source."""
    level = os.environ.get("DEBUG", "")                                 # other programs' DEBUG may be any word
    return int(level) if level.isdecimal() else 0


def tell_of_plan(text, order, outputs, kernels):
    """With DEBUG, print `text`; from 3 on also the graph, from 4 on also the source of the kernels."""
    parts = [text] if debug() else []
    if debug() >= 3:
        parts.append(drawn(outputs, order, kernels))
    if debug() >= 4:
        parts += [kernel.source for kernel in kernels]
    for part in parts:
        print(part, file=sys.stderr)


def drawn(roots, order=(), kernels=()):
    """The graph beneath `roots` as text: a node a line, numbered, and below it its sources, until those that have been
    computed. Several sources of a node are branches; what was shown before is a number, a constant an operand. Of
    `kernels`, planned for the nodes in `order`, one is named where its part of the graph begins."""
    lines, numbers, within = [], {}, defaultdict(tuple)
    for i, kernel in enumerate(kernels, 1):
        for place in kernel.nodes:
            within[order[place]] += f"kernel {i}: {kernel.name}",
    stack = [(root, (), "", "", "") for root in reversed(roots)]
    while stack:
        node, parents, above, before, below = stack.pop()               # and what stands in front of the lines
        if node in numbers:
            lines.append(f"{before}see {numbers[node]}")
            continue
        numbers[node], computed = len(numbers) + 1, node.buffer is not None
        own = () if computed else within[node] or parents
        if own not in ((), parents):
            lines.append(f"{above}══ {', '.join(own)} ══")
        constants = [] if computed else [constant_of(source) for source in node.sources]
        sources = [source for source, value in zip(node.sources, constants) if value is None]
        name = "buffer" if computed else node.arg.name if node.op == "kernel" else node.op
        inside = ["·" if value is None else value for value in constants] if len(sources) < len(constants) else \
            node.arg if name in {*REDUCTIONS, "permute", "pad", "shrink", "flip"} else ()
        name += f"({', '.join(map(str, inside))})" if inside else ""
        lines.append(f"{before}{numbers[node]} {name} {NAME_OF[node.dtype]}{list(node.shape)}  "
                     f"{os.path.basename(node.line[0])}:{node.line[1]}")
        branches = [(below, below, below)]
        if len(sources) > 1:
            bar = below + "│  "
            branches = [(bar, below + "├─ ", bar)] * (len(sources) - 1) + [(bar, below + "└─ ", below + "   ")]
        stack += reversed([(source, own, *branch) for source, branch in zip(sources, branches)])
    return "\n".join(lines)


def run_plan(device, plan, data):
    """Run a plan. If somebody looks, with a clock: an array for the time before each kernel and at the end."""
    level = debug()
    if not plan.kernels or level < 2 and not Profile.active:
        return device.run(plan, data)
    clock = (ctypes.c_double * (len(plan.kernels) + 1))()
    device.run(plan, data, clock)
    for kernel, start, stop in zip(plan.kernels, clock, clock[1:]):
        for profile in Profile.active:
            profile.records.append((kernel, stop - start))
        if level >= 2:
            rates = [amount / max(stop - start, 1e-9) / 1e9 for amount in (kernel.flops, kernel.bytes)]
            share, of = max(zip((rate / most for rate, most in zip(rates, peak(device))), ("arithmetic", "memory")))
            print(f"{kernel.name:32} {(stop - start) * 1e6:10.1f} µs {rates[0]:8.1f} GFLOP/s {rates[1]:7.1f} GB/s "
                  f"{share:5.0%} of peak {of:10}  {lines_of(kernel)}", file=sys.stderr)


@functools.cache
def peak(device):
    """The most GFLOP/s and GB/s of a device, measured when first asked for: eight chains of products and sums in the
    registers of each thread, and the sum of 64 MiB (256 on a GPU). What comes from a cache may be quicker than this."""
    n, tasks, size = (4, 1 << 18, 1 << 26) if device.groups else (max(4, min(device.lanes, 16)), cores() << 11, 1 << 24)
    x = Tensor._of(fresh_leaf(Buffer(device, float32, (size,), None)))          # measure brings the numbers
    names = [f"a{i}" for i in range(8)]
    begin = ", ".join(f"{name} = m * splat_f32x{n}({i}.0f)" for i, name in enumerate(names))
    chains = kernel("peak", f"""
        f32x{n} m = splat_f32x{n}(x0[0]), {begin};
        for (idx task = begin; task < end; task++) {{
          for (idx i = 0; i < 256; i++) {{ {" ".join(f"{name} = {name} * m + m;" for name in names)} }}
          out0[task] = fold_add_f32x{n}({" + ".join(names)});
        }}""", shape=(tasks,))
    rates = []
    for node in (chains(x).node, x.sum().node):
        first = Plan(device.lanes, device.groups, [x.node, node], [x.node], [node]).kernels[0]
        first.flops = first.flops or 2 * 8 * n * 256 * tasks                   # of a hand-written one none are known
        seconds = device.measure({"": first}, lambda operand: math.prod(operand.shape))[""] / 1e3
        rates.append(first.bytes / seconds / 1e9 if rates else first.flops / seconds / 1e9)
    return rates


def lines_of(kernel):
    """The lines of the user's Python that a kernel computes: gpt.py:61,62 gradient of gpt.py:60."""
    files = defaultdict(list)
    for file, line, kind in sorted(kernel.lines, key=lambda line: line[2]):
        files["gradient of " * (kind == "gradient") + os.path.basename(file)].append(str(line))
    return " ".join(f"{file}:{','.join(lines)}" for file, lines in files.items()) or "?"


class Profile:
    """Within `with profile() as p:` the run of each kernel is timed, in a jit too: p.records has (kernel, seconds) in
    the order of execution, and print(p) shows p.table(). While it is timed, a kernel begins when the last has ended."""
    active = []

    def __init__(self):
        self.records = []

    def __enter__(self):
        _require(self not in self.active, "profile: this one is running; make another", kind=RuntimeError)
        self.active.append(self)
        return self

    def __exit__(self, *error):
        self.active.remove(self)

    def table(self):
        """What was run, by the lines of Python that the kernels compute, then by kernel; the slowest first."""
        total, groups = sum(seconds for _, seconds in self.records), defaultdict(lambda: defaultdict(list))
        for kernel, seconds in self.records:
            groups[lines_of(kernel)][kernel.name, kernel.key].append((seconds, kernel.flops, kernel.bytes))

        def row(name, runs):
            seconds, flops, size = map(sum, zip((0, 0, 0), *runs))
            over = max(seconds, 1e-9) * 1e9
            return (f"{seconds * 1e3:9.3f} {seconds / max(total, 1e-9):6.1%} {len(runs):6} {flops / 1e9:9.3f} "
                    f"{size / 1e6:9.2f} {flops / over:8.1f} {size / over:7.1f}  {name}")
        rows = [f"{'ms':>9} {'share':>6} {'runs':>6} {'GFLOP':>9} {'MB':>9} {'GFLOP/s':>8} {'GB/s':>7}"]
        spent = lambda entry: -sum(seconds for seconds, *_ in entry[1])
        lines = {name: [run for runs in found.values() for run in runs] for name, found in groups.items()}
        for name, runs in sorted(lines.items(), key=spent):
            parts = [row(f"  {kernel}", own) for (kernel, _), own in sorted(groups[name].items(), key=spent)]
            only = [kernel for kernel, _ in groups[name]] if len(parts) == 1 else []
            rows += [row("  ".join([name, *only]), runs)] + parts[len(only):]
        rows.append(row("in all" if self.records else "no kernels were run",
                        [run for runs in lines.values() for run in runs]))
        return "\n".join(rows)

    __str__ = table


profile = Profile


class Sources:
    """Where the source of kernels is kept: a file for each distinct one in a folder, numbered as they come, and beside
    the folder what their words mean. `lanes` and `groups` are those of the device that the kernels are for."""

    def __init__(self, folder, dialect, lanes, groups=0):
        self.folder, self.files, self.lines = Path(folder), {}, defaultdict(set)        # the latter by keys of kernels
        self.suffix, self.source, words = {"C": ("c", Kernel.c_source, C_WORDS),
                                           "CL": ("cl", Kernel.cl_source, CL_WORDS)}[dialect]
        vectors = "".join(f"ALL_LANES({n})\n" for n in (2, 4, 8, 16) if n <= lanes)
        for old in self.folder.glob(f"[0-9]*.{self.suffix}"):           # of an earlier program
            old.unlink()
        self.words = "#pragma once\n" + words + SCALAR_WORDS + (GROUP_WORDS if groups else VECTOR_WORDS + vectors)

    def add(self, kernels, title=""):
        """Write these kernels; of one that is there only the lines of Python above it become more. Returns the names of
        their files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder.parent / f"words_{self.suffix}.h").write_text(self.words, "utf-8")
        for kernel in kernels:
            name = f"{len(self.files) + 1:03}_{title}{kernel.name}.{self.suffix}"
            name, first = self.files.setdefault(kernel.key, (name, kernel))
            self.lines[kernel.key].update(kernel.lines)
            text = f'{first.comment(self.lines[kernel.key])}#include "../words_{self.suffix}.h"\n\n{self.source(first)}'
            (self.folder / name).write_text(text, "utf-8")
        return [self.files[kernel.key][0] for kernel in kernels]


PLANS = 1000                            # that a device keeps in memory, with the libraries of their kernels

kept_sources = functools.cache(lambda folder, *device: Sources(Path(folder, device[0].lower()), *device))


class CompiledDevice:
    """What the devices with generated code share: a plan is made once for all graphs of the same structure, and kept
    in memory and on disk.

    `lanes` is the length of a vector in float32; where a vector is a work-group, it is the number of its items, and
    `groups` how many of these the device wants to be busy.
    """
    groups = 0
    version = hashlib.sha256(__loader__.get_data(__file__)).hexdigest()   # of this file: another makes other plans

    def __init__(self):
        self.plans, self.functions = {}, weakref.WeakValueDictionary()

    def compile(self, kernels):
        """The functions of these kernels, compiled if nobody holds them any more; a plan holds those of its own."""
        found = {kernel.key: self.functions.get(kernel.key) for kernel in kernels}
        missing = list({kernel.key: kernel for kernel in kernels if found[kernel.key] is None}.values())
        if missing:
            found.update(self.build(missing))
            self.functions.update(found)
        return [found[kernel.key] for kernel in kernels]

    def structure(self, order, outputs):
        """The graph with its nodes numbered. The arg of an IDENTITY is only a serial or a Function: no matter here."""
        number, found = {}, []
        for node in order:
            number[node] = len(number)
            if node.buffer is None:
                found += node.op, *[number[s] for s in node.sources], None if node.op in IDENTITY else node.key[2]
            found += node.shape, node.dtype.char
        return (fuses(), *found, *[number[node] for node in outputs])

    def make_plan(self, order, leaves, outputs, updates=()):
        """The plan for these nodes, from the cache on disk or made; its kernels are compiled."""
        number = {node: i for i, node in enumerate(order)}
        key = (self.version, self.name, self.lanes, self.groups, [row.c for row in ELEMENTWISE.values()],
               self.structure(order, outputs), [(number[new], number[old]) for new, old in dict(updates).items()],
               self.tuning())
        key, start = hashlib.sha256(repr(key).encode()).hexdigest(), time.perf_counter()
        plan = known = Plan.load(key)
        if plan is None:
            usual = sys.getrecursionlimit()
            sys.setrecursionlimit(max(usual, 5000))                     # a kernel is up to 200 nodes deep
            try:
                plan = Plan(self.lanes, self.groups, order, leaves, outputs, updates,
                            self.tune if self.tuning() else None)
            finally:
                sys.setrecursionlimit(usual)
            plan.save(key)
        self.tell_lines(plan, order)
        if os.environ.get("KERNELS"):
            try:
                kept_sources(os.environ["KERNELS"], self.dialect, self.lanes, self.groups).add(plan.kernels)
            except OSError as error:
                raise RuntimeError(f"no sources can be kept where KERNELS says: {error}") from None
        planned = time.perf_counter()
        plan.functions = self.compile(plan.kernels)
        planned, compiled = (planned - start) * 1e3, (time.perf_counter() - planned) * 1e3
        tell_of_plan(f"{self.name}: kernels: {len(plan.kernels)}, between them {plan.arena_bytes:,} bytes; "
                     f"{'read from disk' if known else 'planned'} in {planned:.1f} ms, compiled in {compiled:.1f} ms",
                     order, outputs, plan.kernels)
        return plan

    @staticmethod
    def slots(plan, data, operands):
        """For each of `data` where it is an operand: (operands of the kernel, position), for the `operands` of all."""
        slots = [[] for _ in data]
        for own, places in zip(operands, plan.places):
            for i, place in enumerate(places):
                if place[0] == "external":
                    slots[place[1]].append((own, i))
        return slots

    def plan(self, order, leaves, outputs):
        key, lines = (self.structure(order, outputs), self.tuning()), tuple(node.line for node in order)
        plan, known = self.plans.get((key, lines)), self.plans.get(key)
        if plan is None:
            plan = self.tell_lines(known.again(), order) if known else self.make_plan(order, leaves, outputs)
        for name in (key, (key, lines)):                                # those used last come last
            self.plans.pop(name, None)
            self.plans[name] = plan
        while len(self.plans) > PLANS:
            self.plans.pop(next(iter(self.plans)), None)
        return plan

    def tell_lines(self, plan, order):
        """Write into a plan's kernels which lines of Python they compute; of today, as those may have moved."""
        for kernel in plan.kernels:
            nodes = [order[i] for i in kernel.nodes]
            computing = [node for node in nodes if node.op not in {*MOVEMENTS, *IDENTITY, "const", "index"}]
            kernel.lines = sorted({node.line for node in computing or nodes})
            kernel.source = kernel.comment(kernel.lines) + self.source(kernel)
        return plan

    def tuning(self):
        """With TUNE=1 what else decides which tile is the quickest; otherwise None, and choose_tile has decided."""
        return (self.version, self.identity, cores()) if os.environ.get("TUNE") == "1" else None

    def tune(self, kernels, elements):
        """The kernels with the tiles that are the quickest here, which the cache folder knows or is told."""
        variants = {kernel: kernel.variants() for kernel in kernels}
        choices, winners = {kernel.key: kernel for kernel in kernels if variants[kernel]}, {}
        path = lambda key: hashlib.sha256(repr((self.tuning(), key)).encode()).hexdigest() + ".tile"
        for key, kernel in choices.items():
            with contextlib.suppress(RuntimeError, OSError, ValueError, TypeError, KeyError):
                layout = json.loads((cache_folder() / path(key)).read_bytes())["best"]
                if layout in variants[kernel]:
                    winners[key] = layout
        missing = {key: kernel for key, kernel in choices.items() if key not in winners}
        held = self.compile([variant for kernel in missing.values() for variant in variants[kernel].values()])
        for key, kernel in missing.items():
            times = self.measure(variants[kernel], elements)
            usual, best = next(iter(times)), min(times, key=times.get)
            winners[key] = best if times[best] < 0.95 * times[usual] else usual         # less may be chance
            found = {"kernel": kernel.name, "best": winners[key], "milliseconds": times}
            keep_file(path(key), json.dumps(found, indent=1).encode())
        del held                                                        # they have been measured
        return [variants[kernel][winners[kernel.key]] if kernel.key in winners else kernel for kernel in kernels]

    def measure(self, variants, elements):
        """The milliseconds that variants of a kernel take on random numbers: the shortest of runs in turn, as what else
        the machine does only makes them longer. Left out are those that give other bits than the first: a compiler may
        have rounded a product only once, together with a sum, in one of them and not in the other."""
        first, rng = next(iter(variants.values())), np.random.default_rng(0)
        data = [self.upload(cast_array(rng.standard_normal(elements(node), np.float32), node.dtype))
                for node in first.outputs + first.inputs]
        n = max(1, min(100, 10 ** 8 // max(first.flops, 1)))            # launches in a run: a millisecond or so
        turns = max(3, min(20, 10 ** 11 // max(first.flops, 1)))
        places, bits, times = [("external", i) for i in range(len(data))], {}, {}
        plans = {layout: SimpleNamespace(kernels=[kernel] * n, places=[places] * n, barriers=[True] * n, arena_bytes=0)
                 for layout, kernel in variants.items()}
        for layout, plan in plans.items():
            self.run(plan, data)
            bits[layout] = [self.download(memory, node.dtype, (elements(node),)).tobytes()
                            for memory, node in zip(data, first.outputs)]
        same = [layout for layout in plans if bits[layout] == next(iter(bits.values()))]
        for _, layout in itertools.product(range(turns), same):
            start = time.perf_counter()
            self.run(plans[layout], data)
            self.download(data[0], first.outputs[0].dtype, (1,))        # waits for the device
            times[layout] = min(times.get(layout, math.inf), (time.perf_counter() - start) / n * 1e3)
        return times


class Memory:
    """Aligned memory of the host with slack on both sides; `address` is that of the first element.

    The system zeroes large pieces page by page when they are first touched, which takes longer than most kernels. So a
    few of those that are free again are kept for the next of the same size.
    """
    __slots__ = ("array", "address", "size")
    spare, LARGE = {}, 1 << 24

    def __init__(self, size):
        self.size, length = 0, size + 2 * SLACK + 64
        fitting = [key for key, array in list(self.spare.items()) if len(array) == length]
        array = self.spare.pop(fitting[0], None) if fitting else None   # None if another thread took it
        self.array = np.empty(length, np.uint8) if array is None else array
        self.size, start = size, self.array.ctypes.data
        self.address = start + SLACK + (-(start + SLACK)) % 64

    def __del__(self):
        if self.size >= self.LARGE:
            self.spare[id(self.array)] = self.array
            for key in list(self.spare)[:-2]:
                self.spare.pop(key, None)

    def view(self, dtype, shape):
        start = self.address - self.array.ctypes.data
        return self.array[start:start + math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)


class HostDevice:
    """What the devices that compute in the memory of the host share."""

    def allocate(self, size):
        return Memory(size)

    def upload(self, array):
        memory = Memory(array.nbytes)
        memory.view(array.dtype, array.shape)[...] = array
        return memory

    def download(self, memory, dtype, shape):
        return memory.view(dtype, shape).copy()


class CDevice(HostDevice, CompiledDevice):
    """Generated C, compiled by the system's compiler, loaded with ctypes and run by threads of its own."""
    name = dialect = "C"
    patience = 60                                                       # seconds for a compiler that may hang
    flags = ["-O2", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fwrapv",
             "-shared", "-fPIC", "-Wno-psabi"]                          # long vectors go to inlined functions only
    strict = ["-fno-unsafe-math-optimizations", "-fno-finite-math-only", "-fsigned-zeros", "-fno-associative-math",
              "-fno-reciprocal-math", "-fno-trapping-math"]             # the last is undone by the first

    def __init__(self):
        named = os.environ.get("CC")
        found = [shutil.which(name) for name in ([named] if named else ["cc", "gcc", "clang"])]
        self.compiler = next((path for path in found if path), None)
        if not self.compiler:
            raise RuntimeError(f"the C device found no compiler {named} (named in CC)" if named else
                               "the C device needs a C compiler: install gcc or clang, or name one in CC")
        # With -ffast-math or -Ofast, even if undone, gcc links what turns off subnormal numbers for the whole process.
        try:
            given = shlex.split(os.environ.get("CFLAGS", "").replace("-Ofast", "-O3"))
        except ValueError as error:
            raise RuntimeError(f"CFLAGS should be flags as a shell reads them ({error}): {os.environ['CFLAGS']}"
                               ) from None
        self.flags = [*self.flags, *(flag for flag in given if flag != "-ffast-math"), *self.strict]
        try:
            version = subprocess.run([self.compiler, "--version"], stdin=subprocess.DEVNULL, capture_output=True,
                                     text=True, errors="replace", timeout=self.patience).stdout
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RuntimeError(f"the C compiler {self.compiler} does not work: {error}") from None
        self.description = f"{self.compiler} ({version.partition(chr(10))[0]}), {cores()} threads"
        self.identity = "".join([version, cpu_description(), *self.flags, C_WORDS, SCALAR_WORDS, VECTOR_WORDS])
        super().__init__()
        # As many float32 as a register has room for: longer vectors would go through memory.
        features = cpu_description().split()
        self.lanes, self.arena = 16 if "avx512f" in features else 8 if "avx" in features else 4, None
        for old in cache_folder().glob("part-*"):                       # of processes that were killed
            with contextlib.suppress(OSError):                          # or of one that has just removed it
                if old.stat().st_mtime < time.time() - 86400:
                    shutil.rmtree(old, ignore_errors=True)
        self.runtime, = self.libraries("", [("runtime", C_RUNTIME)])
        self.runtime.run.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_void_p]
        self.process = None                                             # in which it has threads

    def libraries(self, words, parts):
        """Shared libraries of (name, C source) parts that use these words, from the cache on disk or compiled.

        Up to 16 parts are compiled at once, as to read the words takes the compiler longer than most kernels, and as
        many such batches side by side as there are cores. What else is in a library does not change the machine code
        of a kernel, so each part finds the library of its batch under a name of its own.
        """
        folder, found, missing = cache_folder(), {}, []
        for name, source in parts:
            path = folder / f"{hashlib.sha256((self.identity + source).encode()).hexdigest()[:32]}.so"
            with contextlib.suppress(OSError):                          # there is none, or it can't be loaded here
                found[path] = load_whole(path)
            if found.setdefault(path) is None:
                missing.append((path, name, source))
        if missing:
            self.compile_parts(words, missing)
        try:
            return [library or load_whole(path) for path, library in found.items()]
        except OSError as error:
            raise RuntimeError(f"what {self.compiler} has compiled can't be loaded: {error}. If the cache folder "
                               f"{folder} may not hold programs, name another in TINY_CACHE") from None

    def compile_parts(self, words, missing):
        """Compile these (path, name, C source)."""
        count, running = max(min(len(missing), cores()), -(-len(missing) // 16)), []
        with in_cache() as place:
            try:
                for number, batch in enumerate(missing[i::count] for i in range(count)):
                    part = place / f"{number}.so"
                    part.with_suffix(".c").write_text("\n".join([words, *(source for *_, source in batch)]))
                    command = [self.compiler, *self.flags, "-o", part, part.with_suffix(".c"), "-lm", "-lpthread"]
                    with open(part.with_suffix(".log"), "wb") as log, _uninterrupted():
                        try:
                            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                       start_new_session=True)
                        except OSError as error:
                            raise RuntimeError(f"the C compiler {self.compiler} can't be started: {error}") from None
                        running.append((process, part, batch))
                    if len(running) >= cores():
                        self.finish(*running[0])
                        del running[0]
                while running:
                    self.finish(*running[0])
                    del running[0]
            finally:
                for process, *_ in running:                             # after an error or Ctrl-C
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)          # it, and what it has started
                        process.wait()

    def finish(self, process, part, batch):
        """Wait for the compiler, and give the library of a batch the names of its parts."""
        log, source, twin = [part.with_suffix(suffix) for suffix in (".log", ".c", ".twin")]
        limit = self.patience * max(1, len(batch) / 4)
        end = time.monotonic() + limit
        while process.poll() is None and time.monotonic() < end and log.stat().st_size < 1 << 24:
            time.sleep(0.003)
        code = process.returncode
        if code != 0 or not part.exists():
            names, kept = ", ".join(name for _, name, _ in batch), cache_folder() / "failed.c"
            how = f"ended with {code}" if code else "made nothing"
            if code is None:
                how = f"had not ended after {limit:.0f} seconds, with {log.stat().st_size:,} bytes of messages"
            elif code < 0:
                how = f"was ended by signal {-code}"
            with open(log, errors="replace") as file:
                messages = file.read(2000).replace(str(source), str(kept))
            os.replace(source, kept)
            raise RuntimeError(f"{self.compiler} could not compile {names} ({kept}): it {how}\n{messages}")
        content = part.read_bytes() + "".join(path.stem for path, *_ in batch).encode()
        part.write_bytes(content + hashlib.sha256(content).digest())    # see load_whole
        for path, *_ in batch:
            try:
                os.link(part, twin)
            except OSError:                                             # a file system without links
                shutil.copyfile(part, twin)
            os.replace(twin, path)

    def source(self, kernel):
        return kernel.c_source()

    def build(self, kernels):
        functions, parts = {}, [(kernel.name, self.source(kernel)) for kernel in kernels]
        for kernel, library in zip(kernels, self.libraries(C_WORDS + words_of(kernels), parts)):
            functions[kernel.key] = getattr(library, kernel.symbol)
            weakref.finalize(functions[kernel.key], _ctypes.dlclose, library._handle).atexit = False
        return functions

    def run(self, plan, data, clock=None):
        """Run a plan on `data`, the memory of its leaves and outputs; `clock` takes the times (see run_plan)."""
        if self.process != os.getpid():                                 # a fork has no threads but the one that forked
            self.runtime.start(cores())
            self.process = os.getpid()
        if self.arena is None or self.arena.size < plan.arena_bytes:
            self.arena = Memory(plan.arena_bytes)
        if not hasattr(plan, "calls"):
            calls, plan.tables = (Call * len(plan.kernels))(), []
            plan.functions = self.compile(plan.kernels)
            for call, kernel, function, places, barrier in zip(calls, plan.kernels, plan.functions, plan.places,
                                                               plan.barriers):
                plan.tables.append((ctypes.c_void_p * len(places))())
                call.kernel = ctypes.cast(function, ctypes.c_void_p)
                call.buffers = ctypes.cast(plan.tables[-1], ctypes.c_void_p)
                call.tasks, call.barrier = kernel.tasks, barrier
            plan.addresses, plan.slots = [None] * len(data), self.slots(plan, data, plan.tables)
            plan.arena, plan.calls = None, calls                        # last what tells that all is there
        if plan.arena != self.arena.address:
            for table, places in zip(plan.tables, plan.places):
                for j, place in enumerate(places):
                    if place[0] == "arena":
                        table[j] = self.arena.address + place[1]
            plan.arena = self.arena.address
        for i, memory in enumerate(data):
            if memory.address != plan.addresses[i]:
                plan.addresses[i] = None                                # Ctrl-C may come before all is done
                for table, j in plan.slots[i]:
                    table[j] = memory.address
                plan.addresses[i] = memory.address
        self.runtime.run(plan.calls, len(plan.kernels), clock)


class Call(ctypes.Structure):
    _fields_ = [("kernel", ctypes.c_void_p), ("buffers", ctypes.c_void_p), ("tasks", ctypes.c_long),
                ("barrier", ctypes.c_long)]


def cpu_description():
    """What the machine code depends on: a library compiled for another processor must not be loaded."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
        return "\n".join(line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part")))
    except OSError:
        return platform.processor() + platform.machine()


def load_whole(path):
    """Load a library from the cache, if it is as it was written, and what it is named for; otherwise OSError.

    At its end, which no loader reads, are the names that it goes by and a digest of all. To load one that is cut off
    could end the process.
    """
    content = path.read_bytes()
    if path.stem.encode() not in content or content[-32:] != hashlib.sha256(content[:-32]).digest():
        raise OSError(f"{path} is damaged")
    return ctypes.CDLL(str(path))


@contextlib.contextmanager
def in_cache():
    """A folder of this process alone within the cache folder, to make what os.replace then puts in its place."""
    folder, place = cache_folder(), None
    try:
        place = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
        yield place
    except OSError as error:
        raise RuntimeError(f"nothing can be made in the cache folder {folder} ({error}): name another in TINY_CACHE"
                           ) from None
    finally:
        shutil.rmtree(place or "", ignore_errors=True)


def keep_file(name, content):
    """Write a file into the cache folder at one stroke, if the folder can be used."""
    with contextlib.suppress(RuntimeError), in_cache() as place:
        (place / name).write_bytes(content)
        os.replace(place / name, place.parent / name)


def cache_folder():
    """The folder of compiled kernels, under the user's cache folder; one that others can write to is refused."""
    base = os.environ.get("TINY_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or
                                                         os.path.expanduser("~/.cache"), "tiny")
    folder = Path(base)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = folder.stat()
    except OSError as error:
        raise RuntimeError(f"the cache folder {folder} can't be used ({error}): name another in TINY_CACHE") from None
    if hasattr(os, "getuid") and (info.st_uid != os.getuid() or info.st_mode & 0o022):
        raise RuntimeError(f"the cache folder {folder} belongs to or can be written by others: compiled code there "
                           f"can't be trusted. Remove it, or name another in TINY_CACHE")
    return folder


class CLDevice(CompiledDevice):
    """Generated OpenCL C, run through pyopencl on a GPU or on the CPU."""
    name = dialect = "CL"

    def __init__(self):
        super().__init__()
        try:
            import pyopencl as cl
        except ImportError:
            raise RuntimeError('the CL device needs pyopencl: pip install "pyopencl[pocl]"') from None
        self.cl, found = cl, []
        try:
            found = [device for platform in cl.get_platforms() for device in platform.get_devices()]
        except cl.Error:
            pass
        wanted = [device for kind in ("GPU", "CPU") for device in found if device.type & getattr(cl.device_type, kind)]
        if not wanted:
            raise RuntimeError('the CL device found no OpenCL GPU or CPU: pip install "pyopencl[pocl]", '
                               "or install the driver of your GPU")
        self.device = next((device for device in wanted if self.can_compile(device)), None)
        if self.device is None:
            names = ", ".join(device.name for device in wanted)
            raise RuntimeError(f"OpenCL can compile nothing for {names}: the PoCL that pip installs does not know "
                               "processors that are newer than it; Debian's does (pocl-opencl-icd)")
        self.is_gpu = bool(self.device.type & cl.device_type.GPU)
        most = 8 if "PoCL 3.0" in self.device.platform.version else 16  # pip's PoCL fails on functions of 16 floats
        self.lanes = min(most, self.device.preferred_vector_width_float)
        if self.is_gpu:
            self.use_groups()
        self.description = f"{self.device.name}, {self.device.platform.name}"
        self.identity = f"{self.description} {self.device.platform.version} {self.device.driver_version}"
        self.context = cl.Context([self.device])
        self.commands, self.arena, self.strips = cl.CommandQueue(self.context), None, None
        self.parts = weakref.WeakKeyDictionary()                        # of the arena, for each plan
        # A plan tells by its serial which memory its kernels have as an operand, and so does not keep it alive.
        self.Memory = type("Memory", (cl.Buffer,), {"__slots__": ("serial",)})
        self.process = os.getpid()

    def can_compile(self, device):
        """Does the OpenCL compiler know this device?"""
        with contextlib.suppress(self.cl.Error), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bool(self.cl.Program(self.cl.Context([device]), "kernel void nothing() {}").build())

    def use_groups(self, items=64):
        """Compute in work-groups, as a GPU wants it. Its processors run 8, 16, 32 or 64 items in step, and while some
        of their groups wait for memory, others go on."""
        self.lanes, self.groups = min(items, self.device.max_work_group_size), 16 * self.device.max_compute_units

    @property
    def queue(self):
        """The queue of commands, where nothing would answer in a fork: that has none of the threads of OpenCL."""
        _require(self.process == os.getpid(), "CL: OpenCL was used before this process was forked, and does not "
                 "survive that: start processes with multiprocessing's \"spawn\", or set DEVICE=C", kind=RuntimeError)
        return self.commands

    def allocate(self, size):
        try:
            memory = self.Memory(self.context, self.cl.mem_flags.READ_WRITE, size + 2 * SLACK)
        except self.cl.Error as error:
            raise MemoryError(f"{self.description} has no {size:,} bytes: {error}") from None
        memory.serial = next(_serial)
        return memory

    @_alone
    def upload(self, array):
        memory = self.allocate(array.nbytes)
        if array.nbytes:
            self.cl.enqueue_copy(self.queue, memory, array.reshape(-1).view(np.uint8), dst_offset=SLACK)
        return memory

    def download(self, memory, dtype, shape):
        array = np.empty(math.prod(shape) * dtype.itemsize, np.uint8)
        if array.nbytes:
            try:
                self.cl.enqueue_copy(self.queue, array, memory, src_offset=SLACK)
            except self.cl.Error as error:
                raise RuntimeError(f"{self.description} did not give what it was to compute: {error}") from None
        return array.view(dtype).reshape(shape)

    def source(self, kernel):
        return kernel.cl_source()

    def build(self, kernels):
        """One program for all: to read the words takes longest, and PoCL builds one at a time."""
        source = CL_WORDS + words_of(kernels) + "".join(self.source(kernel) for kernel in kernels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")                             # pyopencl turns compiler notes into warnings
            try:
                program = self.cl.Program(self.context, source).build(["-w"])
            except self.cl.Error as error:
                names = ", ".join(kernel.name for kernel in kernels)
                raise RuntimeError(f"OpenCL could not compile {names}:\n{error}") from None
        return {kernel.key: program for kernel in kernels}

    def run(self, plan, data, clock=None):
        """Run a plan on `data`, the memory of its leaves and outputs; `clock` takes the times (see run_plan)."""
        if self.arena is None or self.arena.size < plan.arena_bytes:
            self.parts, self.arena = weakref.WeakKeyDictionary(), self.allocate(plan.arena_bytes)
        if not hasattr(plan, "launches"):
            programs = self.compile(plan.kernels)
            launches = [self.cl.Kernel(program, kernel.symbol) for program, kernel in zip(programs, plan.kernels)]
            for kernel, launch in zip(plan.kernels, launches):
                launch.set_arg(len(kernel.types), np.int64(kernel.tasks))
            plan.serials, plan.slots = [None] * len(data), self.slots(plan, data, launches)
            plan.launches = launches                                    # last what tells that all is there
        if plan.arena_bytes and plan not in self.parts:
            parts = {}
            for launch, places in zip(plan.launches, plan.places):
                for i, place in enumerate(places):
                    if place[0] == "arena":
                        parts[place] = parts.get(place) or self.arena[place[1]:place[2]]
                        launch.set_arg(i, parts[place])
            self.parts[plan] = parts
        for i, memory in enumerate(data):
            if memory.serial != plan.serials[i]:
                plan.serials[i] = None                                  # Ctrl-C may come before all is done
                for launch, j in plan.slots[i]:
                    launch.set_arg(j, memory)
                plan.serials[i] = memory.serial

        def note_time(number):
            if clock:
                self.queue.finish()
                clock[number] = time.perf_counter()
        for number, (kernel, launch) in enumerate(zip(plan.kernels, plan.launches)):
            note_time(number)
            most, items = (self.groups, self.lanes) if self.groups else (4 * self.device.max_compute_units, 1)
            # Tasks are a group's, but in a hand-written kernel each item has its own: neighbours do neighbouring tasks.
            workers = kernel.tasks if kernel.grouped else -(-kernel.tasks // items)
            workers = workers if self.groups and not kernel.strip_bytes else min(workers, most)
            if kernel.strip_bytes:
                if self.strips is None or self.strips.size < workers * kernel.strip_bytes:
                    self.strips = self.allocate(workers * kernel.strip_bytes)
                launch.set_arg(len(kernel.types) + 1, self.strips)
            try:
                self.cl.enqueue_nd_range_kernel(self.queue, launch, (workers * items,), (items,))
            except self.cl.Error as error:
                raise RuntimeError(f"{self.description} could not run {kernel.name} of {lines_of(kernel)}: {error}"
                                   ) from None
        note_time(len(plan.kernels))


NumpyPlan = namedtuple("NumpyPlan", "order leaves outputs in_place kernels")


class NumpyDevice(HostDevice):
    """Interprets the graph node by node. It defines what every operation means, and is the oracle of the tests."""
    name, dialect, description = "NUMPY", "NUMPY", f"NumPy {np.__version__}"

    def plan(self, order, leaves, outputs, updates=()):
        check_sizes((node, max(node.shape, default=1)) for node in order)
        check_sizes((node, node.size) for node in leaves + outputs)
        tell_of_plan(f"{self.name}: no kernels, {len(order)} nodes are computed one by one", order, outputs, ())
        return NumpyPlan(order, leaves, outputs, (), ())

    make_plan = plan

    def run(self, plan, data):
        """Compute every node in order."""
        order, leaves, outputs, *_ = plan
        values = {node: memory.view(node.dtype, node.shape) for node, memory in zip(leaves, data)}
        uses = Counter(source for node in order if node not in values for source in set(node.sources))
        uses.update(outputs)
        with np.errstate(all="ignore"):
            for node in order:
                if node not in values:
                    values[node] = self.compute(node, *(values[source] for source in node.sources))
                    for source in set(node.sources):
                        uses[source] -= 1
                        if not uses[source]:
                            del values[source]                          # free what nothing needs any more
        for node, memory in zip(outputs, data[len(leaves):]):
            memory.view(node.dtype, node.shape)[...] = values[node]

    def compute(self, node, *x):
        op, arg = node.op, node.arg
        if op in ("cast", "bitcast"):
            return cast_array(x[0], node.dtype) if op == "cast" else x[0].view(node.dtype)
        if op in ELEMENTWISE:
            return ELEMENTWISE[op].numpy(*x).astype(node.dtype, copy=False)
        if op in IDENTITY:
            return x[0]
        return {"const": lambda: np.array(arg, node.dtype),
                "index": lambda: np.arange(arg, dtype=np.int32),
                "reshape": lambda: x[0].reshape(arg),
                "expand": lambda: np.broadcast_to(x[0], arg),
                "permute": lambda: x[0].transpose(arg),
                "pad": lambda: self.pad(node, x[0]),
                "shrink": lambda: x[0][tuple(slice(*bounds) for bounds in arg)],
                "flip": lambda: np.flip(x[0], arg),
                "sum": lambda: x[0].sum(arg, dtype=node.dtype, keepdims=True),
                "max_over": lambda: x[0].max(arg, keepdims=True),
                "gather": lambda: self.gather(*x),
                "scatter": lambda: self.scatter(node, *x),
                "kernel": lambda: self.written(node, *x)}[op]()

    def pad(self, node, x):
        result = np.zeros(node.shape, node.dtype)
        result[tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, node.arg))] = x
        return result

    def gather(self, table, index):
        inside = (index >= 0) & (index < len(table))
        rows = np.zeros(index.shape + table.shape[1:], table.dtype)
        rows[inside] = table[index[inside]]
        return rows

    def scatter(self, node, index, values):
        inside = (index >= 0) & (index < node.arg)
        result = np.zeros(node.shape, node.dtype)
        np.add.at(result, index[inside], values[inside])
        return result

    def written(self, node, *x):
        result = np.asarray(node.arg.body(*x))
        _require(result.shape == node.shape, "kernel {}: numpy= returned shape {}, not {}", node.arg.name, result.shape,
                 node.shape)
        return cast_array(result, node.dtype)


def cast_array(array, dtype):
    """A NumPy array as `dtype`; bfloat16 is the upper half of a float32, rounded to nearest even.

    Doubles are rounded to float32 on their way to 16 bits, as in PyTorch. A float as an integer is what x86 makes of
    it, and there NumPy and PyTorch: what is no int32 (for int64 and uint32: no int64), NaN too, is the least of these,
    and of the result the lower bits count. Elsewhere, or where a compiler sees the number, C leaves that undefined.
    """
    if array.dtype == dtype:
        return array
    if array.dtype == bfloat16:
        return cast_array((array.view(np.uint16).astype(np.uint32) << 16).view(np.float32), dtype)
    if is_short_float(dtype):
        array = array.astype(np.float32)
    if array.dtype.kind == "f" and dtype.kind in "iu":
        wide = int64 if dtype in (int64, uint32) else int32
        least = np.float64(np.iinfo(wide).min)
        array = np.where((array >= least) & (array < -least), array, least).astype(wide)
    if dtype == bfloat16:
        bits = array.view(np.uint32)
        rounded = np.where(np.isnan(array), bits | 0x400000, bits + 0x7fff + (bits >> 16 & 1)) >> 16
        return np.asarray(rounded, np.uint16).view(bfloat16)
    return array.astype(dtype)


class Devices(dict):
    """The devices by name, each made when it is first asked for: Device["C"]. Device.DEFAULT is where Tensors go."""
    makers = {"C": CDevice, "CL": CLDevice, "NUMPY": NumpyDevice}

    @_alone
    def __missing__(self, name):
        if name in self:                                                # another thread was quicker
            return self[name]
        if name not in self.makers:
            raise ValueError(f"Device: there is no device {name!r}, only {', '.join(self.makers)}")
        self[name] = self.makers[name]()
        return self[name]

    @property
    def DEFAULT(self):
        """DEVICE in the environment, or the first that works of an OpenCL GPU, C, OpenCL on the CPU, and NumPy."""
        if self.chosen is None:
            self.DEFAULT = os.environ.get("DEVICE") or self.first()
        return self.chosen

    @DEFAULT.setter
    def DEFAULT(self, name):
        self[name]                                                      # raises if it isn't there
        self.chosen = name

    chosen = None

    def first(self):
        """The name of the best device that works here."""
        # On Linux a GPU shows as a file. Where there is none, OpenCL (0.1 s and 36 MiB) is not looked for before C.
        files = ["dri/render", "nvidia", "kfd", "dxg", "mali", "kgsl", "pvr"]
        gpu = sys.platform != "linux" or any(file for name in files for file in Path("/dev").glob(f"{name}*"))
        for name, wanted in (("CL", "GPU"), ("C", None), ("CL", None))[not gpu:]:
            try:
                if wanted is None or self[name].is_gpu:
                    return name if self[name] else None
            except RuntimeError as error:
                if name == "C":                                         # the slower ones work, but it should be known
                    warnings.warn(f"the C device does not work here: {error}")
        return "NUMPY"


Device = Devices()


def kernel(name, body, *, cl=None, numpy=None, shape=None, dtype=None, tasks=None):
    """An operation whose loops are written by hand: a function of Tensors that returns a Tensor, lazy as any other.

    `body` is the text of a kernel for C and OpenCL, in the words of the generated ones (see tiny.kernels(y)[0].source):
    it reads the inputs at pointers x0, x1, ... and must write each element of the result at out0, all of them laid out
    row by row. x0_shape[0], ... and out0_shape are their shapes, {t} the type of x0 (f32, f64, ...). A thread or
    work-item does the tasks from `begin` to before `end`, in any order. For OpenCL `cl` may be another text. The NUMPY
    device calls the function `numpy` with arrays.

        swish = tiny.kernel("swish", "for (idx i = begin; i < end; i++) out0[i] = x0[i] * sigmoid_{t}(x0[i]);",
                            numpy=lambda x: x / (1 + np.exp(-x)))

    The result has the shape and dtype of the first input, unless `shape` or `dtype` is given, and there are as many
    `tasks` as it has elements; `shape` and `tasks` may be functions of the shapes of the inputs. Nothing is broadcast
    or converted. There is no gradient: call it in a Function (and test that with gradcheck).
    """
    fits = isinstance(name, str) and name.isidentifier() and name.isascii()
    _require(fits, "kernel: its name must be an identifier, got {!r}", name)
    what, bodies = f"kernel {name}", {"C": body, "CL": body if cl is None else cl, "NUMPY": numpy}
    for text in (body, bodies["CL"]):
        _require(isinstance(text, str), "{}: a body must be a text, got {}", what, type(text).__name__, kind=TypeError)
    fits = numpy is None or callable(numpy)
    _require(fits, "{}: numpy= must be a function, got {}", what, type(numpy).__name__, kind=TypeError)

    def apply(*inputs):
        _require(inputs, "{}: needs a Tensor as its first input", what, kind=TypeError)
        _require_tensors(f"{what}: input", inputs)
        device, shapes, devices = inputs[0].device, [x.shape for x in inputs], sorted({x.device for x in inputs})
        _require(len(devices) == 1, "{}: inputs are on different devices, {}; copy with to()", what, devices)
        chosen = bodies[Device[device].dialect]
        _require(chosen is not None, "{}: the device {} needs a NumPy function, numpy=...", what, device)
        given = lambda value: value(*shapes) if callable(value) else value
        result = shapes[0] if shape is None else _ints(f"{what}: shape", (given(shape),))
        size = math.prod(result)
        count, = [size] if tasks is None else _ints(f"{what}: tasks", (given(tasks),), min(size, 1))
        sources = tuple(x.node if x.numel() else _leaf(np.zeros(x.shape, x.dtype), device) for x in inputs)
        return Tensor._of(Node("kernel", sources, Written(name, chosen, count), result,
                               as_dtype(dtype or inputs[0].dtype), device))

    apply.__name__ = apply.__qualname__ = name
    return apply


# ---------------------------------------------------------------------------------------------------------------------
# 9. Jit: capture once, replay
#
# Since assign is functional (a Tensor just takes another node), a function that trains a model is a pure graph: from
# the inputs and the old values of what it assigns to the results and the new values. To capture it is to run it once,
# compute nothing, and make one plan of that graph. To replay it is to run the plan on the memory of today's inputs.
# ---------------------------------------------------------------------------------------------------------------------
class TinyJit:
    """Capture a function of Tensors, then replay its kernels without building a graph again.

    The first call with inputs of given shapes and dtypes runs the function once to see its graph, and makes one plan
    of all that it returns and all that it assigns. Later calls only run that plan: assigned Tensors (parameters,
    moments, random state) advance at each call. Reading a value inside the function, or an argument that is neither a
    Tensor nor a list, tuple or dict of them, raises, since a replay could not follow it.
    """

    def __init__(self, function):
        self.function, self.captured, self.known = function, {}, {}     # the latter: Tensors, by id (Capture.known)
        self.touched = set()            # ids of Tensors that captures read, or at whose gradients they look
        functools.update_wrapper(self, function)

    def __set_name__(self, owner, name):
        self.__qualname__ = f"{owner.__qualname__}.{name}"

    def __get__(self, instance, owner):
        """As a method: one jit for each object, which that keeps under a name that no other class has for its own."""
        if instance is None:
            return self
        bound = instance.__dict__.get(self.__qualname__)
        if bound is None:
            bound = instance.__dict__[self.__qualname__] = TinyJit(functools.partial(self, instance))
            functools.update_wrapper(bound, self.function)
        return bound

    def __reduce__(self):
        """For pickle and copy.deepcopy: a function is there by its name; a copy of an object captures anew."""
        return self.__qualname__ if isinstance(self.function, FunctionType) else (TinyJit, (self.function,))

    @_alone
    def __call__(self, *args, **kwargs):
        if _capturing is not None:                                      # within another jit: part of its capture
            return self.function(*args, **kwargs)
        given, trained = _tensors_in((args, kwargs)), Tensor._trainable
        learns = {i: (bool(tensor._requires_grad), tensor._grad is not None) for i, tensor in trained.items()}
        learning = lambda: frozenset([(i, learns[i]) for i in self.touched if i in learns])
        while True:
            # The gradient of an argument is one as well.
            call = (args, kwargs, [x.grad if id(x) in trained and id(x) not in self.known else None for x in given])
            tensors = _tensors_in(call)
            Tensor.realize(*tensors) if tensors else None
            places = {id(tensor): i for i, tensor in enumerate(tensors)}            # a Tensor given twice has one
            same = tuple([i if i in self.known else places[i] for i in map(id, tensors)])
            key = (_outline(call), Tensor.training, same)
            capture = self.captured.get((key, learning()))              # what is frozen, and what has a gradient
            if capture is None or capture.stale:
                try:
                    capture = Capture(self.function, call, self.known)
                except Exception:                                       # for one whose gradient it expects elsewhere?
                    known = [x for x in given if id(x) in Capture.looked and id(x) not in self.known]
                    self.known.update((id(tensor), tensor) for tensor in known)
                    if known:
                        continue
                    raise
                self.touched |= capture.touched
                self.captured[key, learning()] = capture
            known = capture.known(tensors)
            if not known:
                return capture.replay(tensors)
            self.known.update((id(tensor), tensor) for tensor in known)


def _tensors_in(value):
    """The Tensors in nested tuples, lists and dicts, in order."""
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for part in parts for tensor in _tensors_in(part)]


def _outline(value):
    """What a capture depends on: how the arguments nest, the shape, dtype and device of each Tensor, whether backward()
    gives it a gradient, and whether one would flow through it."""
    if isinstance(value, Tensor):
        return (value.shape, NAME_OF[value.dtype], value.device, bool(value.requires_grad), is_older(value))
    if isinstance(value, dict):
        return ("dict",) + tuple((name, _outline(part)) for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return (type(value), *map(_outline, value))
    if value is None:
        return None
    raise TypeError(f"jit: arguments must be Tensors (or lists, tuples and dicts of them), not {type(value).__name__} "
                    f"{value!r}: a replay could not follow its changes")


def _replace_tensors(value, tensors):
    """The same nesting with the next of the iterator `tensors` in place of each Tensor."""
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return {name: _replace_tensors(part, tensors) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_replace_tensors(part, tensors) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _holders(tensor):
    """How many things refer to the node of a Tensor, this function's own references included.

    A replay writes new values of a parameter over the old ones. Whoever else holds the node, another Tensor or a graph
    that has not run yet, must keep the old value: CPython's reference count tells whether there is anybody.
    """
    return sys.getrefcount(tensor.node)


def _references(changes):
    """For each (tensor, node), how many things refer to the Tensor; UNREFERENCED, if that is nothing but the tuple."""
    return [sys.getrefcount(tensor) for tensor, _ in changes]


class _GradientOf:
    """Stands for whatever Tensor is the gradient of `tensor` by the time of a replay."""

    def __init__(self, tensor):
        self.tensor = tensor

    @property
    def node(self):
        return self.tensor.grad.node

    @node.setter
    def node(self, node):
        self.tensor.grad.node = node

    def realize(self):
        self.tensor.grad.realize()
        return self


class Capture:
    """One captured call of a function: a plan, and where each of its leaves comes from and each output goes.

    `sources` has for each leaf of the plan the owner of its node at a replay: a Tensor (whatever that holds by then),
    one of `inputs`, which stand for the arguments (those in `unreplaced`, by id, stand for themselves), or a namespace
    around a fixed node. `targets` has (Tensor or number of an argument, output, in place?) for each Tensor that is
    assigned, `gradients` (Tensor or number, output) for each that is left with a gradient it did not have (not for
    those that are assigned: they have used theirs), `ungraded` those whose gradient it drops, `grown` those whose
    gradient it adds to, `touched` the ids of all that it reads or whose gradient it looks at, `returned` the output
    behind each Tensor of `result`. `frozen` has all the other nodes of the graph, which no Tensor is known for: if one
    that held such a node takes another, this is `stale`.
    """
    live = weakref.WeakSet()
    states = weakref.WeakValueDictionary()                              # id: Tensor, all that were assigned or thawed
    looked = set()                                                      # ids, while a call is captured (see `touched`)

    @classmethod
    def notice(cls, tensor, old):
        """A Tensor takes another node than `old`. From now on captures find it by what it holds."""
        if _capturing is None:
            cls.states[id(tensor)] = tensor
        for capture in cls.live:
            capture.stale |= old in capture.frozen

    def known(self, arguments):
        """Those arguments that the function also knows by itself, where one of the two names is assigned, or the
        argument gets a gradient: what happens under the one must be seen under the other."""
        owners = [tensor for tensor, *_ in self.targets + self.gradients] + self.ungraded
        known = [getattr(x, "tensor", x) for x in owners if not isinstance(x, int)]     # also by its gradient
        changed = {*map(id, known), *(id(arguments[x]) for x in owners if isinstance(x, int))}
        used = {*map(id, known), *self.touched}
        also = lambda tensor: id(tensor) in changed and (id(tensor) in used or tensor.node in self.frozen)
        return [tensor for tensor in arguments if id(tensor) not in self.unreplaced and also(tensor)]

    def __init__(self, function, call, unreplaced, again=False):
        global _capturing
        tensors = _tensors_in(call)
        for tensor in tensors:
            if id(tensor) in unreplaced and not tensor.requires_grad:   # those are found by what they hold anyway
                self.notice(tensor, tensor.node)
                own(tensor)
        stands = {id(tensor): Tensor._of(fresh_leaf(tensor.node.buffer), tensor.requires_grad or None)
                  for tensor in tensors if id(tensor) not in unreplaced}
        for tensor in [x for x in tensors if id(x) in stands and is_older(x)]:      # through which gradients() raises
            stand = stands[id(tensor)].node
            stand.op, stand.sources, stand.line = "contiguous", (tensor.node,), tensor.node.line
        inputs = [stands.get(id(tensor), tensor) for tensor in tensors]
        args, kwargs, _ = _replace_tensors(call, iter(inputs))
        for tensor in [x for x in tensors if id(x) in stands]:
            stands[id(tensor)].grad = stands.get(id(tensor.grad))
        pending = [tensor.grad for tensor in Tensor._trainable.values() if tensor.grad is not None]
        if pending:                                                     # in one plan: they share their work
            Tensor.realize(*pending)
        gradients, standing, stood, nodes = [], {}, set(map(id, stands.values())), set()
        for tensor in dict.fromkeys([*Tensor._trainable.values(), *stands.values()]):
            if tensor.grad is not None and id(tensor) not in stood:
                if tensor.grad.realize().node in nodes:                 # also that of another: who grows first?
                    tensor.grad = Tensor._of(tensor.grad.node)
                    own(tensor.grad)
                nodes.add(tensor.grad.node)
                standing[id(tensor.grad)] = _GradientOf(tensor)
            gradients.append((tensor, tensor.grad))
        del nodes, pending                                              # they would count as holders
        assigned, start = [], next(_serial)

        def undo():
            """As if the call had not been."""
            global _capturing
            _capturing, Node.since = None, 0
            for tensor, node in reversed(assigned):
                tensor.node = node
            for tensor, gradient in gradients:
                tensor.grad = gradient
            for stand in stands.values():
                stand.grad, stand.requires_grad = None, False
        try:
            _capturing, Node.since, Capture.looked = assigned, start, set()
            self.result = function(*args, **kwargs)
            # An output is a node of the call: one that is older is somebody's, who has another by the time of a replay.
            anew = lambda node: node if node.number > start and node.buffer is None \
                else Node("contiguous", (node,), next(_serial))
            returned = [anew(tensor.node) for tensor in _tensors_in(self.result)]
            made = [(tensor, anew(tensor._grad.node), gradient) for tensor, gradient in gradients
                    if id(gradient) not in standing and tensor._grad is not None and tensor._grad is not gradient]
            grown = [(tensor, gradient, Tensor._of(tensor._grad.node)) for tensor, gradient in gradients
                     if id(gradient) in standing and tensor._grad is not None and tensor._grad is not gradient]
            for _, gradient, new in grown:                              # a gradient that grows is a state as well
                gradient.assign(new)
            self.grown = [tensor for tensor, *_ in grown]
            del grown
            changes = dict(reversed([(id(tensor), (tensor, node)) for tensor, node in assigned]))
            seen = {*map(id, _tensors_in(self.result)), *changes}
            unseen = [name for name, x in _named_tensors(self.result, "", frozenset())
                      if id(x) not in seen and x.node.number >= start]
            _require(not unseen, "jit: a result must be a Tensor (or lists, tuples and dicts of them), not within an "
                     "object, as {}: a replay could not make that anew", unseen[:1], kind=TypeError)
            after = {i: anew(change[0].node) for i, change in changes.items()}
            ungraded = [tensor for tensor, gradient in gradients if gradient is not None and tensor._grad is None]
            self.touched = Capture.looked
            undo()
        except BaseException:                                           # also if Ctrl-C came while it was undone
            undo()
            raise
        assigned.clear()
        # A Tensor to which nobody refers any more, except perhaps the result, was made by the call, and is no state.
        returns = Counter(map(id, _tensors_in(self.result)))
        before = {i: change for (i, change), n in zip(changes.items(), _references(changes.values()))
                  if n > UNREFERENCED + returns[i]}
        after = [(tensor, after[i]) for i, (tensor, _) in before.items()]
        made = [(tensor, node) for tensor, node, old in made if id(tensor) not in before or old is not None]
        del changes
        outputs = list(dict.fromkeys([node for _, node in after + made] + returned))
        # One that the call made from the node of a state is no owner of that node: the last one that holds it is.
        changed = sorted(before.values(), key=lambda change: id(change[0]) in self.states)
        holding = [*Tensor._trainable.values(), *self.states.values(), *(tensor for tensor, _ in changed)]
        compute_earlier(outputs, {tensor.node for tensor in holding}, start)
        # The graph shows nodes, not which Tensor they came from. So where the old node of a Tensor that is assigned may
        # also stand for others (equal constants are one node, and others may hold it), that Tensor gets a node of its
        # own, and the function is run again.
        graph = {id(node.sources): node.sources for node in topological(outputs)}
        users = Counter(id(source) for sources in graph.values() for source in sources)
        known = UNSHARED + 2                                            # the other two: `before` and the name `old`
        shared = [tensor for tensor, old in before.values()
                  if _holders(tensor) > users[id(old)] + known
                  or old.op != "buffer" and not (old.op in ("contiguous", "detach") and old.arg is not None)]
        if shared and not again:
            for tensor in shared:
                self.notice(tensor, tensor.node)
                own(tensor)
            return self.__init__(function, call, unreplaced, again=True)
        # Parameters that were never computed, and old values of what is assigned, are computed now, once.
        self.states.update((i, tensor) for i, (tensor, _) in before.items())
        held = {tensor.node: tensor for tensor in holding}
        lazy = [node for node in topological(outputs, stop=is_realized) if node in held and node.buffer is None]
        realize([node for _, node in before.values() if node.size] + [node for node in lazy if node not in outputs])
        order = topological(outputs, stop=is_realized)
        leaves = [node for node in order if node.buffer is not None]
        devices = {node.device for node in outputs}
        if len(devices) > 1:
            raise RuntimeError(f"jit: a captured function must compute on one device, not on {sorted(devices)}")
        self.device = Device[devices.pop() if devices else Device.DEFAULT]
        holders = Counter(old for _, old in before.values())
        arguments = {tensor.node: i for i, tensor in enumerate(inputs) if id(tensor) not in unreplaced}
        updates = {new: old for (_, new), (_, old) in zip(after, before.values())
                   if old in leaves and holders[old] == 1 and old not in arguments}
        self.plan = self.device.make_plan(order, leaves, outputs, updates)
        owners = {**held, **{tensor.node: tensor for tensor in inputs}, **{s.node: s for s in standing.values()},
                  **{old: standing.get(id(tensor), tensor) for tensor, old in changed},
                  **{inputs[i].node: inputs[i] for i in arguments.values()}}
        self.inputs, self.unreplaced = {i: inputs[i] for i in arguments.values()}, set(unreplaced)
        self.sources = [owners.get(leaf, SimpleNamespace(node=leaf)) for leaf in leaves]
        self.touched.update(id(getattr(source, "tensor", source)) for source in self.sources)
        index = {node: i for i, node in enumerate(outputs)}
        owner = {id(tensor): arguments.get(tensor.node, standing.get(id(tensor), tensor)) for tensor, _ in after}
        self.targets = [(owner[id(tensor)], index[new], index[new] in self.plan.in_place) for tensor, new in after]
        self.returned, self.assigned = [index[node] for node in returned], {i for _, i, _ in self.targets}
        self.gradients = [(arguments.get(tensor.node, tensor), index[node]) for tensor, node in made]
        self.ungraded = [arguments.get(tensor.node, tensor) for tensor in ungraded]
        self.outputs = [(node.dtype, node.shape, nbytes(node)) for node in outputs]
        for tensor, _, in_place in self.targets:                        # buffers that nobody else holds
            if in_place:
                own(tensor)
        self.frozen, self.stale = weakref.WeakSet(node for node in order if node not in owners), False
        self.live.add(self)
        place = Tensor._of(constant(0, float32, (), self.device.name))  # the Tensors themselves would keep the graph
        self.result = _replace_tensors(self.result, itertools.repeat(place))

    def replay(self, arguments):
        for tensor in self.grown:                           # who has the old gradient keeps that
            tensor.grad = Tensor._of(tensor.grad.node)
        for tensor, _, in_place in self.targets:
            if in_place and (_holders(tensor) > UNSHARED or tensor.node.op != "buffer"):
                own(tensor)                                 # others need the old value, or find it by its operation
        for i, stand in self.inputs.items():
            stand.node = arguments[i].node
        for source in self.sources:
            if source.node.buffer is None:
                source.realize()
        data = [source.node.buffer.data for source in self.sources]
        for stand in self.inputs.values():                              # they would count as holders
            stand.node = None
        places = [None] * len(self.outputs)
        for tensor, i, in_place in self.targets:
            if in_place:
                places[i] = tensor.node.buffer
        fresh = [buffer or Buffer.empty(self.device, *output) for buffer, output in zip(places, self.outputs)]
        with _uninterrupted():                                          # if some of it changes, then all of it
            run_plan(self.device, self.plan, data + [buffer.data for buffer in fresh])
            for tensor, i, in_place in self.targets:
                if isinstance(tensor, int):                             # the number of an argument
                    tensor = arguments[tensor]
                    self.notice(tensor, tensor.node)
                if not in_place:
                    tensor.node = fresh_leaf(fresh[i])
            Tensor._random_host.clear()                                 # a draw may have moved the states on
            gradients = [(tensor, None) for tensor in self.ungraded]
            gradients += [(tensor, Tensor._of(fresh_leaf(Buffer.copy(fresh[i])))) for tensor, i in self.gradients]
            for tensor, gradient in gradients:
                (arguments[tensor] if isinstance(tensor, int) else tensor).grad = gradient
        results = [Tensor._of(fresh_leaf(Buffer.copy(fresh[i]) if i in self.assigned else fresh[i]))
                   for i in self.returned]
        return _replace_tensors(self.result, iter(results))


def compute_earlier(outputs, held, start):
    """Compute what nodes from `start` on read of earlier ones that come from nodes in `held`: what the user made before
    a call, and did not look at, has the values of then. A replay would take those that the Tensors hold by then."""
    late, found, read = lambda node: node.number >= start, set(), set(outputs)
    order = topological(outputs, stop=lambda node: node in held or is_realized(node))
    for node in order:
        if node in held or node.buffer is None and not found.isdisjoint(node.sources):
            found.add(node)
        read.update(node.sources if late(node) else ())
    realize([node for node in order if node in found and node in read and node not in held and not late(node)])


def is_older(tensor):
    """Was it computed from parameters, so that a gradient would flow through it to these?"""
    return not tensor.requires_grad and tensor.node.op != "buffer" and depends_on_parameters(tensor.node)


def fresh_leaf(buffer):
    """A new leaf of the graph that holds the numbers of `buffer`."""
    leaf = Node("buffer", (), next(_serial), buffer.shape, buffer.dtype, buffer.device.name)
    leaf.buffer = buffer
    return leaf


def own(tensor):
    """Give a Tensor a node and memory that nothing else refers to."""
    tensor.node = fresh_leaf(Buffer.copy(tensor.realize().node.buffer))


def _count_holders():
    tensor = Tensor._of(Node("buffer", (), next(_serial), (), float32, "NUMPY"))
    return _holders(tensor)


UNSHARED = _count_holders()             # what _holders gives where only the Tensor holds its node
UNREFERENCED, = _references([(Tensor._of(constant(0, float32, (), "NUMPY")), None)])
jit = TinyJit


# ---------------------------------------------------------------------------------------------------------------------
# 10. Layers, optimizers, state
#
# A layer is a plain object: its parameters are attributes, and calling it computes. An optimizer is arithmetic on
# parameters: it writes down every new value as a lazy graph, and has all of them computed together. A model's state is
# the dictionary of its Tensors by name, which a safetensors file holds. Nothing here knows about kernels or devices.
# ---------------------------------------------------------------------------------------------------------------------
def _weight_and_bias(outputs, *inputs, bias):
    """Initial weights (outputs, *inputs) and biases (outputs), uniform within 1 / sqrt(number of inputs) of zero."""
    bound = 1 / math.sqrt(max(1, math.prod(inputs)))
    draw = functools.partial(Tensor.uniform, low=-bound, high=bound, requires_grad=True)
    return draw(outputs, *inputs), draw(outputs) if bias else None


def _scale_and_shift(shape):
    """The initial weights of a normalization, ones, and its biases, zeros."""
    return Tensor.ones(shape, requires_grad=True), Tensor.zeros(shape, requires_grad=True)


def _require_sizes(layer, x, sizes):
    """Axes of x must have the sizes of the layer's weight, to which they could also broadcast."""
    _require(sizes == layer.weight.shape, "{}: an input of shape {} does not have the axes {} that it normalizes",
             type(layer).__name__, x.shape, layer.weight.shape)


class Linear:
    """x @ weight.T + bias, from (..., in_features) to (..., out_features); `weight` is (out, in) as in PyTorch."""

    def __init__(self, in_features, out_features, bias=True):
        self.weight, self.bias = _weight_and_bias(out_features, in_features, bias=bias)

    def __call__(self, x):
        return x.linear(self.weight.transpose(), self.bias)


class Embedding:
    """Row i of `weight` (vocab_size, embed_size) for each integer i of an index of any shape."""

    def __init__(self, vocab_size, embed_size):
        self.weight = Tensor.glorot_uniform(vocab_size, embed_size, requires_grad=True)

    def __call__(self, index):
        return self.weight[index]


class LayerNorm:
    """Zero mean and unit variance over the last axes, those of `normalized_shape`; then times weight, plus bias."""

    def __init__(self, normalized_shape, eps=1e-5):
        self.eps, self.axes = eps, tuple(range(-np.size(normalized_shape), 0))
        self.weight, self.bias = _scale_and_shift(normalized_shape)

    def __call__(self, x):
        _require_sizes(self, x, x.shape[-len(self.axes):])
        return x.layernorm(self.axes, self.eps) * self.weight + self.bias


class RMSNorm:
    """Unit root mean square over the last axis, of size `dim`, then times weight (https://arxiv.org/abs/1910.07467)."""

    def __init__(self, dim, eps=1e-6):
        self.eps, self.weight = eps, Tensor.ones(dim, requires_grad=True)

    def __call__(self, x):
        _require_sizes(self, x, x.shape[-1:])
        wide = x.cast(promote(x.dtype, float32))                        # squares of 16-bit floats would overflow
        normal = wide * (wide.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return (normal.cast(x.dtype) if is_float(x.dtype) else normal) * self.weight


class Conv2d:
    """Convolution of (batch, in, height, width) with `weight` (out, in / groups, kernel height, kernel width)."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        fits, size = groups > 0 and in_channels % groups == out_channels % groups == 0, _two("Conv2d", kernel_size)
        _require(fits, "Conv2d: {} and {} channels do not divide into {} groups", in_channels, out_channels, groups)
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight, self.bias = _weight_and_bias(out_channels, in_channels // groups, *size, bias=bias)

    def __call__(self, x):
        return x.conv2d(self.weight, self.bias, self.groups, self.stride, self.dilation, self.padding)


class BatchNorm:
    """Zero mean and unit variance of each channel (axis 1) over all other axes; then times weight, plus bias.

    While Tensor.training the statistics are the batch's, and running averages of them are kept; otherwise they are the
    running averages, which the next step of an optimizer computes.
    """

    def __init__(self, sz, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = _scale_and_shift(sz)
        self.running_mean = Tensor.zeros(sz, requires_grad=False)
        self.running_var = Tensor.ones(sz, requires_grad=False)
        self.num_batches_tracked = Tensor.zeros(dtype=int64, requires_grad=False)

    def __call__(self, x):
        _require_sizes(self, x, x.shape[1:2])
        mean, variance, axes = self.running_mean, self.running_var, tuple(a for a in range(x.ndim) if a != 1)
        if Tensor.training and x.numel():
            _require(x.numel() > x.shape[1], "BatchNorm: training needs several values of each channel, got shape {}",
                     x.shape)
            wide = x.cast(promote(x.dtype, float32))
            mean, variance = wide.mean(axes), wide.var(axes, correction=0)
            for running, batch in ((self.running_mean, mean), (self.running_var, wide.var(axes))):
                running.assign((1 - self.momentum) * running + self.momentum * batch.detach())
            self.num_batches_tracked += 1
            Tensor._along.update({id(x): x for x in (self.running_mean, self.running_var, self.num_batches_tracked)})
        y = x.batchnorm(self.weight, self.bias, mean, (variance + self.eps).rsqrt())
        return y.cast(promote(x.dtype, self.weight.dtype))


class Dropout:
    """While Tensor.training, zero each element with probability `p` and multiply the others by 1 / (1 - p)."""

    def __init__(self, p=0.5):
        self.p = p

    def __call__(self, x):
        return x.dropout(self.p)


class Optimizer:
    """What optimizers share: the parameters, each with its weight decay, the learning rate, and the step.

    `params` is a list of Tensors or, where weight decay differs, of {"params": [...], "weight_decay": ...}. `lr` is a
    Tensor of shape (1,), so that `opt.lr = 3e-4` and `opt.lr.assign(...)` also reach a step that TinyJit has captured.
    Tensors with requires_grad=False, such as running averages, are not stepped but computed along with the step.
    """

    def __init__(self, params, lr, weight_decay):
        name = type(self).__name__
        groups = [group if isinstance(group, dict) else {"params": [group]} for group in params]
        fits = all("params" in group and group.keys() <= {"params", "weight_decay"} for group in groups)
        _require(fits, "{}: a group has params and weight_decay, not {}", name, [[*group] for group in groups])
        decays = [(p, group.get("weight_decay", weight_decay)) for group in groups for p in group["params"]]
        _require_tensors(f"{name}: parameter", [p for p, _ in decays])
        self.decays = dict(decays)
        _require(len({(id(p), decay) for p, decay in decays}) == len(self.decays),
                 "{}: a parameter in several groups has several values of weight_decay", name)
        self.params = [p for p in self.decays if p.requires_grad is not False]
        _require(self.params, "{}: there is no parameter to optimize", name)
        for p in [p for p in self.params if not p.requires_grad]:
            p.requires_grad = True
        self._lr = Tensor([lr], dtype=float32, device=self.params[0].device)
        Tensor.realize(*self.decays)

    def zeros(self):
        """A zero for each parameter, of its shape; float32 where 16 bits would lose what is added to it."""
        return [Tensor(np.zeros(p.shape, promote(p.dtype, float32)), device=p.device) for p in self.params]

    def _set_lr(self, rate):
        self._lr.assign(rate if isinstance(rate, Tensor) else Tensor([rate], device=self._lr.device)).realize()

    lr = property(lambda self: self._lr, _set_lr, doc="The learning rate, a Tensor of shape (1,).")

    def zero_grad(self):
        """Forget the gradients, to which the next backward() would add."""
        for p in self.params:
            p.grad = None

    @_alone
    def step(self):
        """Change all parameters by their gradients. Everything that changes is computed in one call, and so are the
        Tensors that backward() was called on: whoever reads them later would go through the forward pass again. And so
        are running averages, which would hold the graphs of all batches until somebody reads them."""
        without = [f"{i}, of shape {p.shape}" for i, p in enumerate(self.params) if p.grad is None]
        _require(not without, "step: no gradient of parameter {}", " nor of ".join(without), kind=RuntimeError)
        changes = list(self.changes())                                  # all from the old values
        along = list(Tensor._along.values())
        with _uninterrupted():
            Tensor._along.clear()
            changed = [tensor.assign(value.reshape(tensor.shape)) for tensor, value in changes]    # lr has an axis
        Tensor.realize(*self.decays, *along, *changed)


class SGD(Optimizer):
    """Stochastic gradient descent; momentum and Nesterov's form of it as PyTorch defines them."""

    def __init__(self, params, lr=0.001, momentum=0.0, weight_decay=0.0, nesterov=False):
        super().__init__(params, lr, weight_decay)
        self.momentum, self.nesterov, self.velocities = momentum, nesterov, self.zeros()

    def changes(self):
        """Each Tensor that a step changes, with its new value."""
        for p, velocity in zip(self.params, self.velocities):
            direction = p.grad + self.decays[p] * p if self.decays[p] else p.grad
            if self.momentum:
                new_velocity = self.momentum * velocity + direction
                yield velocity, new_velocity
                direction = direction + self.momentum * new_velocity if self.nesterov else new_velocity
            yield p, p - self.lr * direction


class AdamW(Optimizer):
    """Adam (https://arxiv.org/abs/1412.6980) with decoupled weight decay (https://arxiv.org/abs/1711.05101)."""

    def __init__(self, params, lr=0.001, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, weight_decay)
        self.b1, self.b2, self.eps = b1, b2, eps
        self.means, self.squares = self.zeros(), self.zeros()           # moving averages of the gradient, its square
        self.mass1, self.mass2 = [Tensor([0.0], device=self.lr.device) for _ in range(2)]       # how full they are

    def changes(self):
        """Each Tensor that a step changes, with its new value; a parameter and its averages can be one kernel."""
        # The averages start at zero, and after t steps hold only 1 - b ** t of what they average: divide by that. It is
        # what the average of a constant 1 would be, and as such more exact in float32 than the power.
        mass1, mass2 = self.b1 * self.mass1 + (1 - self.b1), self.b2 * self.mass2 + (1 - self.b2)       # (1,)
        rate, root = -self.lr / mass1, mass2.sqrt()                     # (1,)
        kept = {decay: 1 - self.lr * decay for decay in self.decays.values()}
        yield from ((self.mass1, mass1), (self.mass2, mass2))
        for p, mean, square in zip(self.params, self.means, self.squares):
            g = p.grad.cast(mean.dtype)
            new_mean = self.b1 * mean + (1 - self.b1) * g
            new_square = self.b2 * square + (1 - self.b2) * g * g
            new = p * kept[self.decays[p]] + rate * new_mean / (new_square.sqrt() / root + self.eps)
            yield from ((p, new), (mean, new_mean), (square, new_square))


def clip_grad_norm_(params, max_norm):
    """Scale all gradients alike so that, taken as one vector, their norm is at most `max_norm`; return their norm."""
    params = [p for p in params if p.grad is not None]
    _require(params, "clip_grad_norm_: no parameter has a gradient", kind=RuntimeError)
    norm = sum(p.grad.cast(promote(p.dtype, float32)).square().sum() for p in params).sqrt()
    scale = (max_norm / (norm + 1e-6)).minimum(1)
    for p in params:
        p.grad = (p.grad * scale).cast(p.grad.dtype)
    return norm


def _named_tensors(obj, prefix, around):
    """Pairs (name, Tensor) of what is within `obj`, which is itself within the objects `around`, given by id."""
    obj = obj.function if isinstance(obj, TinyJit) else obj             # what it has captured is not the model's
    if isinstance(obj, Tensor):
        yield prefix[:-1], obj
    elif id(obj) not in around:
        children = dict(enumerate(obj)) if isinstance(obj, (list, tuple)) else obj
        children = children if isinstance(children, dict) else getattr(obj, "__dict__", {})
        for key, child in children.items():
            yield from _named_tensors(child, f"{prefix}{key}.", around | {id(obj)})


def get_state_dict(obj, prefix=""):
    """All Tensors within `obj` by name, as in "layers.0.weight": it looks into attributes, lists, tuples and dicts.

    A Tensor that is there twice (tied weights) has both names. What leads back to an object that it is within, as an
    attribute `parent`, is left out. A ValueError if two Tensors have one name, as those of the keys 1 and "1".
    """
    pairs = list(_named_tensors(obj, prefix, frozenset()))
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    _require(not twice, "get_state_dict: several Tensors have the name {}", " or ".join(twice))
    return dict(pairs)


def get_parameters(obj):
    """All Tensors within `obj`, each once."""
    return list(dict.fromkeys(get_state_dict(obj).values()))


def load_state_dict(model, state, strict=True):
    """Set the Tensors within `model` to those of `state`, {name: Tensor}; without `strict`, those that both have.

    Names, shapes and dtypes are all checked before anything changes; a ValueError lists everything that does not fit.
    """
    own = get_state_dict(model)
    kind = lambda x: f"{NAME_OF[x.dtype]}{list(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
    here, there = ({name: kind(x) for name, x in tensors.items()} for tensors in (own, state))
    names = {**own, **state} if strict else [name for name in own if name in state]
    faults = [f"{name} is {here.get(name, 'not')} in the model, {there.get(name, 'not')} in the state"
              for name in names if here.get(name) != there.get(name)]
    _require(not faults, "load_state_dict: {}", "; ".join(faults))
    values = {name: state[name].to(own[name].device)._same() for name in names}         # also of Tensors in the model
    Tensor.realize(*values.values())                                    # if that fails, nothing has changed
    Tensor.realize(*(own[name].assign(value) for name, value in values.items()))


# A safetensors file (https://huggingface.co/docs/safetensors): eight bytes that give the length of the header; the
# header, JSON, {name: {"dtype": code, "shape": [...], "data_offsets": [start, stop]}}; the numbers, without a gap.
SAFETENSORS = {"F64": float64, "I64": int64, "F32": float32, "I32": int32, "U32": uint32, "F16": float16,
               "BF16": bfloat16, "I8": int8, "U8": uint8, "BOOL": bool_}


def safe_save(tensors, path, metadata=None):
    """Write {name: Tensor} and `metadata`, {str: str}, to a safetensors file.

    The file is written beside `path`, and takes its place when it is on the disk: `path` is never half a file.
    """
    codes = {dtype: code for code, dtype in SAFETENSORS.items()}
    header, stop, temporary = {"__metadata__": metadata or {}}, 0, f"{path}.{os.getpid()}.tmp"
    for name, tensor in tensors.items():
        _require(isinstance(tensor, Tensor), "safe_save: {} must be a Tensor, got {}", name, type(tensor).__name__,
                 kind=TypeError)
        start, stop = stop, stop + tensor.nbytes()
        header[name] = {"dtype": codes[tensor.dtype], "shape": tensor.shape, "data_offsets": [start, stop]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)                                     # the numbers start at a multiple of eight
    try:
        _read_header(text, stop)
    except ValueError as error:
        raise ValueError(f"safe_save: what would be in {path} could not be loaded again: {error}") from None
    try:
        with open(temporary, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for tensor in tensors.values():
                file.write(tensor._array().tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def safe_load(path):
    """The Tensors of a safetensors file, {name: Tensor}. A ValueError says what is wrong with a file that is none."""
    return _read_safetensors(path, True)


def safe_load_metadata(path):
    """The metadata of a safetensors file, {str: str}."""
    return _read_safetensors(path, False)


def _read_safetensors(path, with_numbers):
    """The Tensors or the metadata of a file that nobody vouches for: no number is read before all offsets are right."""
    try:
        is_file = os.path.isdir(path) or stat.S_ISREG(os.stat(path).st_mode)            # of a folder open() tells
        _require(is_file, "it is no regular file")
        with open(path, "rb") as file:
            length, size = int.from_bytes(file.read(8), "little"), os.fstat(file.fileno()).st_size - 8
            _require(2 <= length <= min(size, 10 ** 8), "its first 8 bytes should say how long the header is, from 2 "
                     "bytes to 100 MB, but say {:,}, and the file has {:,}", length, size + 8)
            parts, metadata = _read_header(file.read(length), size - length)
            tensors = {}
            for name, dtype, shape in parts if with_numbers else ():
                array = np.fromfile(file, uint8 if dtype == bool_ else dtype, math.prod(shape))
                _require(array.size == math.prod(shape), "the file ends within {!r:.200}", name)
                tensors[name] = Tensor((array != 0 if dtype == bool_ else array).reshape(shape))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a sound safetensors file: {error}") from None
    return tensors if with_numbers else metadata


def _read_header(text, size):
    """A list of (name, dtype, shape), in the order of their numbers, and the metadata, from a header and the `size` of
    what follows it. A ValueError says what is wrong; of words that may be long it shows 200 characters."""
    def unique(pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError(f"{Counter(name for name, _ in pairs).most_common(1)[0][0]!r:.200} is there twice")
        return found

    def whole(numbers):
        return isinstance(numbers, list) and all(type(n) is int and 0 <= n < 2 ** 63 for n in numbers)

    _require(text[:1] == b"{", "its header should begin with {!r}, not {!r}", "{", text[:1])
    header = json.loads(text.decode(), object_pairs_hook=unique)
    json.dumps(header, ensure_ascii=False).encode()                     # raises if half of a surrogate pair is there
    metadata, parts, stop = header.pop("__metadata__", {}), [], 0
    fits = isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    _require(fits, "__metadata__ should hold texts by their names, is {!r:.200}", metadata)
    for name, entry in header.items():
        fits = isinstance(entry, dict) and entry.keys() == {"dtype", "shape", "data_offsets"}
        _require(fits, "{!r:.200} should have dtype, shape and data_offsets, is {!r:.200}", name, entry)
        code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        fits = isinstance(code, str) and code in SAFETENSORS
        _require(fits, "{!r:.200} should have a dtype of {}, not {!r:.200}", name, ", ".join(SAFETENSORS), code)
        fits = whole(shape) and len(shape) <= 32 and math.prod(n or 1 for n in shape) < 2 ** 60
        _require(fits, "{!r:.200} should have a shape of at most 32 sizes, not {!r:.200}", name, shape)
        _require(whole(offsets), "{!r:.200} should have two data_offsets, not {!r:.200}", name, offsets)
        parts.append((offsets, name, SAFETENSORS[code], shape))
    parts.sort(key=lambda part: part[0])
    for offsets, name, dtype, shape in parts:                           # all numbers, in order and without gaps
        start, stop = stop, stop + math.prod(shape) * dtype.itemsize
        fits = offsets == [start, stop]
        _require(fits, "{!r:.200} should have data_offsets {}, not {!r:.200}", name, [start, stop], offsets)
        _require(stop <= size, "the file ends within {!r:.200}", name)
    _require(stop == size, "{:,} bytes belong to no tensor", size - stop)
    return [part[1:] for part in parts], metadata


def _namespace(*members, **others):
    return SimpleNamespace(**{member.__name__: member for member in members}, **others)


nn = _namespace(Linear, Embedding, LayerNorm, RMSNorm, Conv2d, BatchNorm, Dropout, BatchNorm2d=BatchNorm)
nn.optim = _namespace(SGD, AdamW, clip_grad_norm_, Adam=functools.partial(AdamW, weight_decay=0.0))
nn.state = _namespace(get_parameters, get_state_dict, load_state_dict, safe_save, safe_load, safe_load_metadata)


if __name__ == "__main__":
    for name in Device.makers:
        try:
            print(f"{name:6} works: {Device[name].description}")
        except RuntimeError as error:
            print(f"{name:6} does not: {error}")
    print(f"Tensors go to {Device.DEFAULT}; DEVICE=C, CL or NUMPY chooses another.")
