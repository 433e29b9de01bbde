"""The first process of a Python sandbox, and the workers that it makes by forking.

It is started shut in (jail/python_jail.cc), says Hello, and makes a worker whenever it is asked for one (wire/control.h);
behind the first one it imports what code often needs. A worker shuts itself in further, reads one request (wire/message.h), runs it, answers and
ends: no two runs share an interpreter. One worker is always made ahead, so that nobody waits for a fork.
"""

import sys

# Nothing that takes long: the first block of a server waits for it. `json` and `signal` import `re` and `enum`, which is half
# of all, and `ctypes` defines every type of C; their parts in C do what is needed here. No garbage is looked for meanwhile.
import gc

gc.disable()

import _ctypes
import _json
import _signal as signal
import _socket
import io
import keyword
import math
import mmap
import os
import resource
import struct
import types

LEVEL, FILTER, LANDLOCK_FILE, LANDLOCK_VERSION, NULL_FILE, PACKAGES = sys.argv[1:7]
AST_ONLY = 0x400  # of compile(); the module `ast` takes longer to import than everything else
CODE_FILE = "<code>"  # the name under which the user's code is compiled
MIB = 1 << 20

MOST_WORKERS = 256
MOST_FILES = 64  # open in one worker
MOST_FILE_BYTES = 16 * MIB  # of its /tmp, whole
MOST_FRAME_BYTES = 36 * MIB
MOST_NAME = 256
MOST_MESSAGE = 4096
MOST_DEPTH = 100  # of a result
MOST_INTEGER_BITS = 996  # 300 digits, which every reader of JSON takes for a number
PATIENCE_SECONDS = 20  # less than the broker's, which has nothing to say but that it ended the process
SPARE_BYTES = 4 * MIB  # with which a failure is told when memory is short

# wire/message.h
SYNTAX, THROWN, TIME, MEMORY, STACK, OUTPUT = 1, 2, 3, 4, 5, 6
NO_RESULT, INPUT = 9, 10
PYTHON = 4


class Int(_ctypes._SimpleCData):
    _type_ = "i"


class Char(_ctypes._SimpleCData):
    _type_ = "c"


class Call(_ctypes.CFuncPtr):
    """A function of C as `ctypes` has it: integers, bytes; its result is an int."""

    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = Int


libc_handle = _ctypes.dlopen(None, os.RTLD_NOW)
libc = types.SimpleNamespace(**{name: Call(_ctypes.dlsym(libc_handle, name))
                                for name in ("prctl", "unshare", "mount", "capset", "syscall")})


class Failure(Exception):
    def __init__(self, fault, message, name="", line=0, column=0):
        self.fault, self.message, self.name, self.line, self.column = fault, message, name, line, column


class TimeUp(BaseException):
    """Not an Exception, so that `except Exception` does not hold it."""


class NoJson(Exception):
    def __init__(self, what):
        self.what, self.path = what, []


# --- the wire


def read_exactly(file, size):
    data = bytearray()
    while len(data) < size:
        piece = os.read(file, min(size - len(data), MIB))
        if not piece:
            os._exit(0)  # the broker has gone
        data += piece
    return bytes(data)


def read_request(file):
    (size,) = struct.unpack("<I", read_exactly(file, 4))
    if size > MOST_FRAME_BYTES:
        os._exit(1)
    data = read_exactly(file, size)
    kind, decimals_as_text, *limits = struct.unpack_from("<BB5I", data)
    at = struct.calcsize("<BB5I")
    texts = []
    for _ in range(2):
        (length,) = struct.unpack_from("<I", data, at)
        texts.append(data[at + 4:at + 4 + length])
        at += 4 + length
    if at != len(data) or kind != PYTHON:
        os._exit(1)
    return bool(decimals_as_text), limits, texts[0], texts[1]


def text_bytes(text, most=None):
    data = text.encode("utf-8", "replace")
    if most is not None and len(data) > most:
        data = data[:most].decode("utf-8", "ignore").encode()
    return struct.pack("<I", len(data)) + data


def reply_bytes(result, failure, log=b"", left_out=0):
    """A frame; `last`, because this process serves nobody else."""
    out = struct.pack("<BB", failure.fault if failure else 0, 1)
    out += struct.pack("<I", len(result)) + result
    out += struct.pack("<I", len(log)) + log + struct.pack("<I", left_out)
    if failure:
        out += text_bytes(failure.name, MOST_NAME) + text_bytes(failure.message, MOST_MESSAGE)
        out += struct.pack("<II", failure.line, failure.column)
    return struct.pack("<I", len(out)) + out


def write_all(file, data):
    left = memoryview(data)
    while left:
        left = left[os.write(file, left):]


# --- what the code writes


class Log(io.TextIOBase):
    """stdout and stderr: what finds room is kept, the lines behind that are counted."""

    def __init__(self, most):
        super().__init__()
        self.most, self.kept = most, bytearray()
        self.is_full, self.lines, self.has_tail = False, 0, False  # of what is left out

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() takes text, not {type(text).__name__}")
        data = text.encode("utf-8", "replace")
        if not self.is_full and len(self.kept) + len(data) <= self.most:
            self.kept += data
        elif data:
            room = 0 if self.is_full else self.most - len(self.kept)
            fits = data[:room].decode("utf-8", "ignore").encode()
            self.kept += fits
            self.is_full = True
            self.lines += data.count(b"\n", len(fits))
            self.has_tail = not data.endswith(b"\n")
        return len(text)

    def left_out(self):
        return self.lines + (1 if self.has_tail else 0)


# --- the code


def compile_code(source, names):
    """The body of a function, so that it returns its result; lines and columns stay those of the user."""
    tree = compile(source, CODE_FILE, "exec", AST_ONLY, dont_inherit=True)
    module = compile(f"def code({', '.join(names)}): pass", CODE_FILE, "exec", AST_ONLY, dont_inherit=True)
    if tree.body:
        module.body[0].body = tree.body
    return compile(module, CODE_FILE, "exec", dont_inherit=True)


def no_python(error, source):
    line = error.lineno or 0
    column = error.offset or 0
    if line and column:  # in characters; the wire's are bytes
        lines = source.splitlines()
        text = lines[line - 1] if line <= len(lines) else ""
        column = len(text[:column - 1].encode("utf-8", "replace")) + 1
    return Failure(SYNTAX, str(error.msg), type(error).__name__, line, max(column, 0))


def place(trace):
    """Line and column of the innermost place in the user's code."""
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == CODE_FILE:
            found = trace
        trace = trace.tb_next
    if found is None:
        return 0, 0
    positions = getattr(found.tb_frame.f_code, "co_positions", None)  # since Python 3.11
    if positions is not None:
        for at, (line, _, column, _) in enumerate(positions()):
            if at == found.tb_lasti // 2:
                if line is not None and column is not None:
                    return line, column + 1
                break
    return found.tb_lineno or 0, 0


def why(error, limits):
    time_ms, memory_bytes = limits[0], limits[1]
    line, column = place(error.__traceback__)
    if isinstance(error, TimeUp):
        return Failure(TIME, error.args[0], "", line, column)
    if isinstance(error, MemoryError):
        return Failure(MEMORY, f"it needs more than {memory_bytes} bytes of memory", "MemoryError", line, column)
    try:
        message = str(error)
    except Exception:
        message = "an exception that has no text"
    if isinstance(error, RecursionError):
        return Failure(STACK, message + ": a recursion without end?", "RecursionError", line, column)
    if isinstance(error, SystemExit):
        message = f"it called exit({message}); return the result instead"
    return Failure(THROWN, message, type(error).__name__, line, column)


WHITE = " \t\n\r"


def no_constant(name):
    raise ValueError(f"{name} is nothing that JSON has")


def read_json(text, parse_float):
    """json.loads, without NaN and its like."""
    rules = types.SimpleNamespace(strict=True, object_hook=None, object_pairs_hook=None, parse_float=parse_float, parse_int=int,
                                  parse_constant=no_constant)
    try:
        value, end = _json.make_scanner(rules)(text, len(text) - len(text.lstrip(WHITE)))
    except StopIteration as error:
        raise ValueError(f"no value at character {error.value}") from None
    if text[end:].strip(WHITE):
        raise ValueError(f"more than one value, from character {end}")
    return value


# As json.dumps: no circles, text as it is, no blanks, no NaN.
WRITE_JSON = _json.make_encoder(None, None, _json.encode_basestring, None, ":", ",", False, False, False)


def inputs_of(text, decimals_as_text):
    try:
        inputs = read_json(text.decode(), str if decimals_as_text else float)
    except (ValueError, RecursionError) as error:
        raise Failure(INPUT, f"the inputs are no JSON that can be used: {error}") from None
    if not isinstance(inputs, dict):
        raise Failure(INPUT, "the inputs are no JSON object; its members are the names that the code sees")
    for name in inputs:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise Failure(INPUT, f"an input is called '{name[:100]}', which is no name in Python: call it something else")
    return inputs


HALF_A_PAIR = "half a surrogate pair, which no text of JSON has"


def is_text(value):
    try:
        return str.isascii(value) or str.encode(value) is not None
    except UnicodeEncodeError:  # U+FFFD in its place would be another text, and two keys could become one
        return False


def check_json(value, depth):
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if not is_text(value):
            raise NoJson("holds " + HALF_A_PAIR)
    elif isinstance(value, int):
        if value.bit_length() > MOST_INTEGER_BITS:
            raise NoJson("is an integer of more than 299 digits; return str(it)")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NoJson(f"is {'NaN' if math.isnan(value) else 'infinite'}, which JSON does not have")
    elif isinstance(value, (dict, list, tuple)):
        if depth > MOST_DEPTH:
            raise Failure(NO_RESULT, f"the result nests deeper than {MOST_DEPTH} levels, or holds itself")
        at = None
        try:
            if isinstance(value, dict):
                for key, member in value.items():
                    at = None
                    if not isinstance(key, str):
                        raise NoJson(f"has a key of type {type(key).__name__}; keys are text in JSON: use str(key)")
                    if not is_text(key):
                        raise NoJson("has a key with " + HALF_A_PAIR)
                    at = key
                    check_json(member, depth + 1)
            else:
                for at, item in enumerate(value):
                    check_json(item, depth + 1)
        except NoJson as error:
            if isinstance(at, str):
                error.path.append("." + at[:64])
            elif isinstance(value, (list, tuple)):
                error.path.append(f"[{at}]")
            raise
    else:
        hints = {"set": "return list(it)", "frozenset": "return list(it)", "Decimal": "return str(it)",
                 "bytes": "return it.decode() or base64", "datetime": "return it.isoformat()",
                 "date": "return it.isoformat()", "generator": "return list(it)"}
        kind = type(value).__name__
        hint = f": {hints[kind]}" if kind in hints else ""
        raise NoJson(f"is of type {kind[:64]}, which JSON does not have{hint}")


def result_bytes(value, most):
    try:
        check_json(value, 1)
    except NoJson as error:
        path = "".join(reversed(error.path))[:512].removeprefix(".")
        what = f"the result's {path}" if path else "the result"
        raise Failure(NO_RESULT, f"{what} {error.what}") from None
    data = "".join(WRITE_JSON(value, 0)).encode()
    if len(data) > most:
        raise Failure(OUTPUT, f"its result is longer than {most} bytes")
    return data


def run(source, inputs, limits):
    text = source.decode("utf-8", "replace")
    try:
        code = compile_code(text, list(inputs))
    except SyntaxError as error:
        raise no_python(error, text) from None
    except (ValueError, RecursionError) as error:
        raise Failure(SYNTAX, str(error), type(error).__name__) from None
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    exec(code, main.__dict__)
    return result_bytes(main.__dict__.pop("code")(*inputs.values()), limits[3])


# --- a worker


def fail_by_errno(what):
    raise OSError(_ctypes.get_errno(), what)


def call(what, function, *arguments):
    if function(*arguments) != 0:
        fail_by_errno(what)


def shut_in_worker(parent):
    """One way. Raises OSError: it may not run."""
    call("PR_SET_PDEATHSIG", libc.prctl, 1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise OSError(0, "the first process has ended")
    call("PR_SET_DUMPABLE", libc.prctl, 4, 0, 0, 0, 0)
    file_bytes = 0
    if LEVEL == "1":  # a /tmp of its own, in memory
        call("unshare", libc.unshare, 0x20000)
        options = f"size={MOST_FILE_BYTES},nr_inodes=1024,mode=0700".encode()
        call("mount", libc.mount, b"tmpfs", b"/tmp", b"tmpfs", 2 | 4 | 8, options)
        head = struct.pack("<II", 0x20080522, 0)
        call("capset", libc.capset, head, bytes(24))
        file_bytes = MOST_FILE_BYTES
    for what, most in ((resource.RLIMIT_FSIZE, file_bytes), (resource.RLIMIT_NOFILE, MOST_FILES)):
        resource.setrlimit(what, (most, most))
    if int(LANDLOCK_FILE) >= 0:
        call("the kernel's Landlock", libc.syscall, 446, int(LANDLOCK_FILE), 0)
        os.close(int(LANDLOCK_FILE))
    program = bytes.fromhex(FILTER)
    buffer = (Char * len(program)).from_buffer_copy(program)
    head = struct.pack("HxxxxxxP", len(program) // 8, _ctypes.addressof(buffer))
    call("seccomp", libc.prctl, 22, 2, head, 0, 0)


def arm(limits, file, size):
    """Processor time by a signal that becomes an exception, by one that ends a long call of C, and by the kernel's own
    count; the wall's clock for what sleeps."""
    time_ms = limits[0]
    seconds = time_ms / 1000 + size / 10_000_000
    longest = seconds * 4 + PATIENCE_SECONDS
    said = {}

    def on_time(number, _):
        words = (f"it ran longer than {time_ms} ms" if number == signal.SIGPROF else
                 f"{longest:.0f} s have passed, and it has not used its {time_ms} ms of the processor: it waits, or the "
                 "machine is very busy")
        if said:  # it held the first one
            write_all(file, reply_bytes(b"", Failure(TIME, words)))
            os._exit(0)
        said[number] = True
        raise TimeUp(words)

    signal.signal(signal.SIGPROF, on_time)
    signal.signal(signal.SIGALRM, on_time)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.02)
    signal.setitimer(signal.ITIMER_REAL, longest, 0.02)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds * 1.5 + 0.02)
    most = math.ceil(seconds * 2) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))


def serve(file, base):
    decimals_as_text, limits, source, inputs = read_request(file)
    log = Log(limits[4])
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), log, log
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, log, log
    size = len(source) + len(inputs)
    most = base + limits[1] + 2 * size
    resource.setrlimit(resource.RLIMIT_AS, (most, most + SPARE_BYTES))
    set_timer, ignore, set_limit = signal.setitimer, signal.signal, resource.setrlimit
    result, failure = b"", None
    arm(limits, file, size)
    try:
        result = run(source, inputs_of(inputs, decimals_as_text), limits)
    except Failure as error:
        failure = error
    except BaseException as error:
        set_limit(resource.RLIMIT_AS, (most + SPARE_BYTES, most + SPARE_BYTES))
        try:
            failure = why(error, limits)
        except BaseException as late:  # what the error says is code, too
            failure = why(late, limits) if isinstance(late, TimeUp) else Failure(THROWN, "an exception that has no text")
    ignore(signal.SIGPROF, signal.SIG_IGN)
    ignore(signal.SIGALRM, signal.SIG_IGN)
    set_timer(signal.ITIMER_VIRTUAL, 0)
    write_all(file, reply_bytes(result, failure, bytes(log.kept), log.left_out()))


def live(file, base, told, parent):
    """The life of a worker; it does not return."""
    try:
        keep = int(LANDLOCK_FILE)
        for number in (0, 1, 2):
            os.dup2(int(NULL_FILE), number)
        os.dup2(file, 3)
        os.dup2(told, 4)
        os.closerange(5, max(keep, 5))
        os.closerange(max(keep + 1, 5), MOST_FILES)
        try:
            shut_in_worker(parent)
        except OSError as error:
            os.write(4, f"{error.filename or error.strerror}: {os.strerror(error.errno)}".encode()[:200])
            os._exit(1)
        os.close(4)
        serve(3, base)
    finally:
        os._exit(0)


# --- the first process


def import_ahead():
    """What code often needs, so that no run waits for it."""
    for name in ("collections", "ctypes", "dataclasses", "datetime", "decimal", "functools", "hashlib", "itertools", "json", "random",
                 "re", "signal", "statistics", "string", "textwrap", "typing"):
        __import__(name)


class FirstProcess:
    def __init__(self):
        self.control = _socket.socket(fileno=0)
        self.base = 0
        self.is_warm = False
        self.workers = set()
        self.ahead = None
        self.parent = os.getpid()

    def make(self):
        """(pid, socket). Raises OSError; its text says what a worker that could not shut itself in lacks."""
        if len(self.workers) >= MOST_WORKERS:
            raise OSError(11, "too many workers")
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        hear, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            live(theirs.fileno(), self.base, told, self.parent)
        theirs.close()
        os.close(told)
        # Before the worker has heard anything.
        said = os.read(hear, 256)
        os.close(hear)
        if said:
            os.waitpid(pid, 0)
            raise OSError(1, said.decode("utf-8", "replace"))
        self.workers.add(pid)
        return pid, ours

    def make_ahead(self):
        try:
            self.ahead = self.ahead or self.make()
        except OSError as error:
            return -(error.errno or 5), error.strerror
        return 0, ""

    def give_one(self):
        error, _ = self.make_ahead()
        if error:
            self.control.send(struct.pack("<ii", error, 0))
            return
        pid, socket = self.ahead
        self.ahead = None
        file = struct.pack("i", socket.fileno())
        self.control.sendmsg([struct.pack("<ii", pid, 0)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, file)])
        socket.close()

    def end_one(self, pid, told):
        status = 0
        if pid in self.workers:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            self.workers.remove(pid)
        else:
            pid = -3
        if told:
            self.control.send(struct.pack("<ii", pid, status))

    def hello(self, why):
        text = why.encode()[:255]
        self.control.send(struct.pack("<III256s", 0x48465342, 0 if why else 1, int(LANDLOCK_VERSION), text))

    def settle(self):
        """What is there now, forks share."""
        gc.freeze()
        gc.enable()
        self.base = address_space()

    def live(self):
        self.settle()
        error, why = self.make_ahead()
        self.hello(why if error else "")
        if error:
            return
        while True:
            ask = self.control.recv(8)
            if len(ask) != 8:
                break
            what, pid = struct.unpack("<Ii", ask)
            if what == 1:
                self.give_one()
            else:
                self.end_one(pid, what == 2)
            if not self.is_warm:
                import_ahead()
                gc.collect()
                self.settle()
                self.is_warm = True
            self.make_ahead()
        for pid in self.workers:
            os.kill(pid, signal.SIGKILL)
        for pid in self.workers:
            os.waitpid(pid, 0)


def address_space():
    """What this process has of it, in bytes: the least limit under which it still gets a page."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    least, most = MIB, 4096 * MIB
    while most - least > MIB // 4:
        half = (least + most) // 2
        resource.setrlimit(resource.RLIMIT_AS, (half, hard))
        try:
            mmap.mmap(-1, mmap.PAGESIZE).close()
            most = half
        except OSError:
            least = half
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    return most


def main():
    os.environ.clear()
    if PACKAGES:
        sys.path.append(PACKAGES)
        # They would start threads, which there are none of.
        os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
    sys.argv[:] = [""]
    for number in (1, 2):
        os.dup2(int(NULL_FILE), number)
    FirstProcess().live()
    os._exit(0)


main()
