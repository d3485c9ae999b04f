"""What Python's neighbours do in the same situations: `python.py SYSTEM ROW` shows one.

`python.py knows SYSTEM ROW` exits with 0 if there is such a row, or with an empty row if the system is here at all.
A pool of two; eight tasks, 0 to 7, sleep 50 ms and return their number, except as said.
"""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time

NAP = 0.05
LIMIT = 1.0
LATER = 4.0


# What the tasks do. At the top, where any way of starting a worker finds them.


def once(index, what):
    """Task 3 does it, the first time."""
    marker = os.path.join(os.environ["TMPDIR"], "marker")
    if index == 3 and not os.path.exists(marker):
        open(marker, "w").close()
        what()
    time.sleep(NAP)
    return index


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def segfault():
    import ctypes

    ctypes.string_at(0)


def leave():
    os._exit(0)


def task_kill(index):
    return once(index, kill_self)


def task_segfault(index):
    return once(index, segfault)


def task_exit(index):
    return once(index, leave)


def task_endless(index):
    if index == 1:
        sum(itertools.repeat(0))  # a loop in C
    return index


class Stubborn(Exception):
    """Takes two arguments, and pickles one."""

    def __init__(self, text, number):
        super().__init__(text)


def task_undecodable(index):
    if index == 3:
        raise Stubborn("three", 3)
    return index


def task_panic(index):
    if index == 3:
        raise ValueError("no 3, thanks")
    return index


def task_sleep(seconds):
    time.sleep(seconds)
    return seconds


def failing_initializer():
    raise OSError("the model is missing")


class Pools:
    """One pool of two of a system, with the calls that the rows need."""

    def __init__(self, system, initializer=None):
        self.system = system
        if system == "multiprocessing":
            self.pool = multiprocessing.Pool(2, initializer=initializer)
        elif system == "concurrent.futures":
            import concurrent.futures

            self.pool = concurrent.futures.ProcessPoolExecutor(2, initializer=initializer)
        elif system == "loky":
            import loky

            self.pool = loky.ProcessPoolExecutor(2, initializer=initializer)
        elif system == "suitkaise":
            from suitkaise.processing import Pool

            if initializer is not None:
                raise LookupError("there is no initializer")
            self.pool = Pool(workers=2)

    def results(self, task, count, limit=None):
        """Each task's value, or its error."""
        if self.system == "multiprocessing":
            waits = [self.pool.apply_async(task, (index,)) for index in range(count)]
            return [outcome(lambda: wait.get(limit)) for wait in waits]
        if self.system in ("concurrent.futures", "loky"):
            futures = [self.pool.submit(task, index) for index in range(count)]
            return [outcome(lambda: future.result(limit)) for future in futures]
        pool = self.pool if limit is None else self.pool.timeout(limit)
        whole = outcome(lambda: pool.map(task, list(range(count))))
        return whole if isinstance(whole, list) else [whole] * count

    def close(self):
        if self.system == "multiprocessing":
            self.pool.terminate()
            self.pool.join()
        elif self.system in ("concurrent.futures", "loky"):
            self.pool.shutdown()


def outcome(call):
    try:
        return call()
    except BaseException as error:  # whatever there is to be seen
        return error


def told(results):
    good = [result for result in results if not isinstance(result, BaseException)]
    text = f"{len(good)} of {len(results)} results"
    failed = [(index, error) for index, error in enumerate(results) if isinstance(error, BaseException)]
    if failed:
        index, error = failed[0]
        who = f"task {index}" if len(failed) == 1 else f"{len(failed)} tasks"
        text += f"; {who}: {type(error).__name__} {str(error)[:70]!r}"
    return text


def of_pool(task, count=8, limit=None, initializer=None):
    def show(system):
        pools = Pools(system, initializer)
        text = told(pools.results(task, count, limit))
        begin = time.monotonic()
        pools.close()
        if time.monotonic() - begin > 2:
            text += "; slow to end"
        return text

    return show


def infinite(system):
    pulled = itertools.count()
    count = 0

    def endless():
        nonlocal count
        for number in pulled:
            count += 1
            yield number

    pools = Pools(system)
    if system == "multiprocessing":
        results = pools.pool.imap(task_nap, endless())
    elif system == "suitkaise":
        results = pools.pool.imap(task_nap, endless())
    else:
        results = pools.pool.map(task_nap, endless())
    first = list(itertools.islice(results, 5))
    time.sleep(1)
    text = f"{count} items pulled for {len(first)} results"
    print(f"\nseen:{text}", flush=True)
    os._exit(0)  # its feeding thread would go on


def task_nap(index):
    time.sleep(NAP)
    return index


def task_nested(system, index):
    pools = Pools(system)
    results = pools.results(task_nap, 2)
    pools.close()
    error = next((result for result in results if isinstance(result, BaseException)), None)
    if error is not None:
        raise error
    return index


class Nested:
    def __init__(self, system):
        self.system = system

    def __call__(self, index):
        return task_nested(self.system, index)


def nested(system):
    return of_pool(Nested(system))(system)


def victim(system):
    pools = Pools(system)
    pools.results(task_nap, 2)
    if system == "multiprocessing":
        pools.pool.map_async(task_sleep, [300] * 8)
    elif system == "suitkaise":
        import threading

        threading.Thread(target=lambda: pools.pool.map(task_sleep, [300] * 8), daemon=True).start()
    else:
        for _ in range(8):
            pools.pool.submit(task_sleep, 300)
    time.sleep(0.5)
    print("ready", flush=True)
    time.sleep(300)


def with_token():
    token = f"CONFORMANCE_TOKEN={os.environ['CONFORMANCE_TOKEN']}".encode()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if token in environment.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def ended_by(number):
    def show(system):
        program = subprocess.Popen(
            [sys.executable, __file__, system, "victim"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        program.stdout.readline()
        before = set(with_token()) - {os.getpid(), program.pid}
        if number == signal.SIGINT:
            os.killpg(program.pid, number)
        else:
            program.send_signal(number)
        time.sleep(LATER)
        program.poll()
        left = set(with_token()) & before
        for pid in left:  # nobody else would
            os.kill(pid, signal.SIGKILL)
        text = f"{len(left)} of {len(before)} left after {LATER:.0f} s"
        if program.returncode is None:
            program.kill()
            text += ", and the program itself"
        return text

    return show


def lives(system):
    if system != "suitkaise":
        raise LookupError("nothing of the kind")
    from suitkaise.processing import Skprocess

    folder = os.environ["TMPDIR"]

    class Mortal(Skprocess):
        def __init__(self):
            self.process_config.lives = 3
            self.process_config.runs = 1
            self.folder = folder

        def __run__(self):
            with open(os.path.join(self.folder, "attempts"), "a") as attempts:
                attempts.write("x")
            kill_self()

        def __result__(self):
            return "a result"

    value = outcome(lambda: Mortal().run())
    attempts = os.path.getsize(os.path.join(folder, "attempts"))
    return f"{attempts} attempt(s), then {value!r}"


def dies_later(pipe):
    time.sleep(0.5)
    kill_self()


def receive(system):
    """The parent waits on a pipe whose other end is killed."""
    if system != "multiprocessing":
        raise LookupError("nothing of the kind")
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=dies_later, args=(theirs,))
    process.start()
    # `theirs` is still open here, as in every program that does not know better.
    return f"{outcome(ours.recv)!r}"


def dies_with_lock(value):
    value.get_lock().acquire()
    value.value += 1
    kill_self()


def holder(system):
    if system != "multiprocessing":
        raise LookupError("nothing of the kind")
    value = multiprocessing.Value("i", 0)
    process = multiprocessing.Process(target=dies_with_lock, args=(value,))
    process.start()
    process.join()
    with value.get_lock():
        return f"the value is {value.value}"


def manager(system):
    if system != "multiprocessing":
        raise LookupError("nothing of the kind")
    server = multiprocessing.Manager()
    value = server.Value("i", 0)
    os.kill(server._process.pid, signal.SIGKILL)
    return f"its manager is killed: {outcome(lambda: value.set(1))!r}"


POOLS = ("multiprocessing", "concurrent.futures", "loky", "suitkaise")
ROWS = {
    "pool-kill": (POOLS, of_pool(task_kill)),
    "pool-segfault": (POOLS, of_pool(task_segfault)),
    "pool-exit": (POOLS, of_pool(task_exit)),
    "pool-endless": (POOLS, of_pool(task_endless, 6, LIMIT)),
    "pool-infinite": (POOLS, infinite),
    "pool-undecodable": (POOLS, of_pool(task_undecodable)),
    "pool-initializer": (POOLS[:3], of_pool(task_nap, initializer=failing_initializer)),
    "pool-nested": (POOLS, nested),
    "pool-panic": (POOLS, of_pool(task_panic)),
    "parent-killed": (POOLS, ended_by(signal.SIGKILL)),
    "parent-terminated": (POOLS, ended_by(signal.SIGTERM)),
    "parent-interrupted": (POOLS, ended_by(signal.SIGINT)),
    "process-lives": (("suitkaise",), lives),
    "peer-recv": (("multiprocessing",), receive),
    "share-holder": (("multiprocessing",), holder),
    "share-users": (("multiprocessing",), manager),
}


def knows(system, row):
    if row:
        return row in ROWS and system in ROWS[row][0]
    return not isinstance(outcome(lambda: __import__(system)), BaseException)


def main():
    if sys.argv[1] == "knows":
        sys.exit(0 if knows(sys.argv[2], sys.argv[3]) else 1)
    system, row = sys.argv[1], sys.argv[2]
    if row == "victim":
        return victim(system)
    seen = ROWS[row][1](system)
    for name in ("marker", "attempts"):
        path = os.path.join(os.environ["TMPDIR"], name)
        if os.path.exists(path):
            os.remove(path)
    print(f"\nseen:{seen}", flush=True)


if __name__ == "__main__":
    main()
