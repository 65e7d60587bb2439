"""Coverage-guided fuzzing of every parser at the edge, by atheris: `make fuzz`, or

    python tests/fuzz.py SECONDS [TARGET ...]

Each target runs in a process of its own for that long, from its whole examples. Exits 1 if one failed; what made it
fail is kept below `.fuzz/TARGET/` ($FUZZ_FOLDER) and printed. Not a test: the same targets run in test_edges.py on fewer bytes.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / ".types"), str(CHECKOUT / "tests")]
FOLDER = Path(os.environ.get("FUZZ_FOLDER", CHECKOUT / ".fuzz"))


def one(name: str, seconds: int) -> None:
    """Never returns: atheris ends the process."""
    import atheris

    with atheris.instrument_imports(include=["foureyes", "waitress"]):
        from support_fuzz import TARGETS
    target, folder = TARGETS[name], FOLDER / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / "corpus" / f"whole-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={folder}/",
        "-max_len=4096",
        "-timeout=10",
        "-rss_limit_mb=2048",
    ]
    atheris.Setup(
        [sys.argv[0], *options, "-print_final_stats=1", "-verbosity=0", str(folder / "corpus")],
        lambda data: target.check(data) and None,
    )
    atheris.Fuzz()


def main() -> int:
    try:
        import atheris  # noqa: F401
    except ImportError:
        sys.stdout.write(
            "skipped: atheris is not installed for this Python; `make fuzz` tries to install it\n"
        )
        return 0
    from support_fuzz import TARGETS

    seconds, names = int(sys.argv[1]), sys.argv[2:] or list(TARGETS)
    failed = []
    for name in names:
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, __file__, "--one", name, str(seconds)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        lines = (done.stdout + done.stderr).splitlines()
        runs = [line.split()[-1] for line in lines if "number_of_executed_units" in line]
        says = "holds" if done.returncode == 0 else f"FAILED ({done.returncode})"
        took = time.monotonic() - start
        sys.stdout.write(f"{name:14} {says:12} {runs[0] if runs else '?':>10} runs in {took:4.0f} s\n")
        if done.returncode:
            failed.append(name)
            told = [line for line in lines if not line.startswith(("INFO:", "WARNING:", "stat::"))]
            sys.stdout.write("".join(f"    {line}\n" for line in told[-40:]))
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]))
    sys.exit(main())
