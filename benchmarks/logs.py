"""Steps that print a lot: is memory flat, is a line lost? `python benchmarks/logs.py [--seconds N] [--rate N]`.

Two steps side by side print numbered lines for a minute. One of them was given a secret, so its log is shown through a
mask. It prints the memory of the driver and the supervisor as time goes by, and what `argosy logs` shows afterwards.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ARGOSY = str(Path(sys.executable).parent / "argosy")
MIB = 1 << 20
LIMIT_MIB = 200
FLAT_MIB = 20
SAMPLES = 12
# Every line has the secret in it; in the masked step's log none may.
SECRET = "correct-horse-battery"

WORKFLOW = """
apiVersion: v1
kind: Secret
metadata: {{name: bench-secret}}
stringData: {{word: {secret}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: bench-logs}}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {{name: plain, template: plain}}
          - {{name: masked, template: masked}}
    - name: plain
      script: &printer
        image: python:alpine3.23
        command: [python3]
        source: |
          import sys, time
          begun, number = time.monotonic(), 0
          while number < {lines}:
              due = min({lines}, int((time.monotonic() - begun) * {rate}))
              sys.stdout.write("".join(f"{{number}} {secret} and some more words to fill the line\\n"
                                       for number in range(number, due)))
              sys.stdout.flush()
              number = due
              time.sleep(0.01)
    - name: masked
      script:
        <<: *printer
        env:
          - {{name: WORD, valueFrom: {{secretKeyRef: {{name: bench-secret, key: word}}}}}}
"""


def main() -> None:
    """Run, watch, count. Exit code 1 when something is lost or memory is not flat."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=10_000, help="lines a second, for each step")
    parser.add_argument("--runtime", default="process")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=HERE))
    try:
        sys.exit(measure(folder, given.seconds, given.rate, given.runtime))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, seconds: int, rate: int, runtime: str) -> int:
    lines, home = seconds * rate, folder / "home"
    file = folder / "logs.yaml"
    file.write_text(WORKFLOW.format(lines=lines, rate=rate, secret=SECRET))
    begun = time.monotonic()
    command = [ARGOSY, "run", str(file), "--runtime", runtime, "-q", "--home", str(home)]
    driver = subprocess.Popen(command, cwd=folder)
    sizes: list[float] = []
    pause = max(0.5, seconds / SAMPLES)
    print(f"{'s':>6}  {'MiB':>6}   driver and supervisor")
    while True:
        try:
            driver.wait(pause)
            break
        except subprocess.TimeoutExpired:
            sizes.append(memory_of(driver.pid, str(folder)) / MIB)
            print(f"{time.monotonic() - begun:6.1f}  {sizes[-1]:6.1f}", flush=True)
    print(f"{seconds} s of printing took {time.monotonic() - begun:.1f} s; exit code {driver.returncode}")
    lost = sum(not whole(home, step, lines) for step in ("plain", "masked"))
    grown = max(sizes) - sizes[0] if sizes else 0.0
    most = max(sizes, default=0.0)
    print(f"most memory {most:.0f} MiB (aim: {LIMIT_MIB}), grown by {grown:.1f} MiB (aim: {FLAT_MIB})")
    return int(bool(driver.returncode or lost or most > LIMIT_MIB or grown > FLAT_MIB))


def memory_of(driver: int, folder: str) -> int:
    """Bytes of the driver and of what it started, but for the steps' own processes: proportional shares."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                lines[int(name)] = Path(f"/proc/{name}/cmdline").read_bytes().decode(errors="replace")
                parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    ours = {pid for pid, line in lines.items() if pid == driver or ("supervisor.py" in line and folder in line)}
    for _ in range(4):
        ours |= {pid for pid, parent in parents.items() if parent in ours}
    return sum(share(pid) for pid in ours if not is_step(pid, driver, lines.get(pid, "")))


def is_step(pid: int, driver: int, line: str) -> bool:
    """Whether it is a printer: Python, and neither the driver nor the supervisor."""
    return pid != driver and line.partition("\0")[0].endswith("python3") and "supervisor.py" not in line


def share(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024


def whole(home: Path, step: str, lines: int) -> bool:
    """Whether the log of a step has every line once, in order, and the secret only where nobody hid it."""
    process = subprocess.Popen(
        [ARGOSY, "logs", "bench-logs", step, "--home", str(home)], stdout=subprocess.PIPE, text=True
    )
    expected, told = 0, 0
    wrong = ""
    for line in process.stdout or ():
        number = line.partition(" ")[0]
        if number != str(expected):
            wrong = wrong or f"line {expected} is {line.rstrip()!r}"
        told += SECRET in line
        expected += 1
    process.wait()
    hidden = told == (0 if step == "masked" else lines)
    print(f"{step:7} {expected:,} of {lines:,} lines{', ' + wrong if wrong else ''}, the secret in {told:,}")
    return expected == lines and not wrong and hidden


if __name__ == "__main__":
    main()
