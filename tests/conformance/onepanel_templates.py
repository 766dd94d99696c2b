"""Onepanel's own templates: what becomes of each, and stand-ins for the images and the repository that they name.

The files are read in place.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
TEMPLATES = SHARED / "conformance" / "onepanel"
SEED = SHARED / "seeds" / "002_c2c6aba59abcfce2.txt"

_TRAINED = "its images, its repository of code, pip and tensorboard are stand-ins; all else is as it stands"
# file: outcome, and why.
OUTCOMES: dict[str, tuple[str, str]] = {
    "HEAD__sidecars__filesyncer__template.yaml": (
        "Succeeded",
        "a Pod, run as a workflow of one step; its server is one that ends; what Onepanel keeps for it is applied",
    ),
    "HEAD__tasks__metrics-writer__template.yaml": ("Succeeded", _TRAINED),
    "HEAD__workflows__hyperparameter-tuning__mnist__template.yaml": ("Succeeded", _TRAINED),
    "HEAD__workflows__maskrcnn-training__template.yaml": ("Succeeded", _TRAINED),
    "HEAD__workflows__tensorflow-mnist-training__template.yaml": (
        "Succeeded",
        "a package called tensorflow stands in for TensorFlow and for the data that it fetches",
    ),
    "feat-when__workflow__templates__workflows__maskrcnn-training__template.v9.yaml": ("Succeeded", _TRAINED),
    "feat-withItems__workflow__templates__workspaces__base__template.yaml": (
        "not run",
        "a sketch of what the server makes of a workspace: it is read, listed and converted, and its steps make a "
        "Service, a VirtualService and a StatefulSet, which are for a cluster",
    ),
}
REPOSITORY = "https://github.com/onepanelio/templates"
_IMAGES = (
    "onepanel/dl:v0.20.0",
    "onepanel/dl:0.17.0",
    "onepanel/python-sdk:v0.19.0",
    "onepanel/nni-web-ui:0.17.0",
    "python:3.9.1-alpine",
    "onepanel/filesyncer:v0.18.0",
)
_PROGRAMS = {
    "python": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
    "pip": '#!/bin/sh\necho "pip $*"\n',
    "tensorboard": '#!/bin/sh\necho "tensorboard $*" >> "$2/../tensorboard.log" 2>/dev/null\nexec sleep 600\n',
    "nni": "#!/bin/sh\nexec sleep 600\n",
    "filesyncer": '#!/bin/sh\necho "$@" && cat /etc/onepanel/artifactRepository && touch /mnt/data/synced\n',
}
# What the server keeps for the programs of a namespace.
_ONEPANEL = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: onepanel}
data: {artifactRepository: "s3: {bucket: here}"}
---
apiVersion: v1
kind: Secret
metadata: {name: onepanel}
stringData: {artifactRepositoryS3AccessKey: none-at-all}
"""
_ENTRYPOINTS = {"onepanel/nni-web-ui:0.17.0": "nni", "onepanel/filesyncer:v0.18.0": "filesyncer"}
_METRICS = '[{"name": "accuracy", "value": 0.75}]'
_CODE = {
    "workflows/hyperparameter-tuning/mnist/main.py": "print('a trial')\n",
    "workflows/albumentations-preprocessing/main.py": (
        "import os, shutil, sys\nprint(sys.argv[1:])\n"
        "for one in ('train_set', 'eval_set'):\n"
        "    shutil.copytree('/mnt/data/datasets', f'/mnt/output/{one}')\n"
    ),
    "workflows/maskrcnn-training/main.py": (
        "import os, sys\nprint(sys.argv[1:])\n"
        "given = dict(one.split('=', 1) for one in sys.argv[1:] if '=' in one)\n"
        "assert os.listdir(given['--dataset']) == ['annotations.json'], os.listdir(given['--dataset'])\n"
        "assert not os.path.exists('/mnt/data/models')\n"
        "open('/mnt/output/model.h5', 'w').write('a model')\n"
        f"open('/mnt/tmp/sys-metrics.json', 'w').write({_METRICS!r})\n"
    ),
}
_NNI = f"""\
import sys
text = open(sys.argv[sys.argv.index('--config') + 1]).read()
assert 'experimentName: MNIST TF v2.x' in text and text.rstrip().endswith('_value: [10]')
assert open('main.py').read() == "print('a trial')\\n"
open('/mnt/output/best', 'w').write('x')
open('/tmp/sys-metrics.json', 'w').write({_METRICS!r})
"""
# What HEAD__workflows__tensorflow-mnist-training uses of TensorFlow.
_TENSORFLOW = """\
import os
class _Any:
    def __init__(self, *positional, **named): vars(self).update(named)
    def __truediv__(self, other): return self
    def __getattr__(self, name): return _Any
    def compile(self, **named): pass
    def fit(self, epochs, callbacks, **named):
        os.makedirs(callbacks[0].log_dir)
        print('epochs', epochs)
    def evaluate(self, *data): return 0.25, 0.75
    def save(self, path): open(path, 'w').write('a model')
class _Data:
    @staticmethod
    def load_data(): return (_Any(), _Any()), (_Any(), _Any())
class keras:
    class datasets: mnist = _Data
    class models: Sequential = _Any
    class layers: Flatten = Dense = Dropout = _Any
    class callbacks: TensorBoard = _Any
"""


def files() -> list[Path]:
    """All templates."""
    return sorted(TEMPLATES.glob("*.yaml"))


def diamond() -> str:
    """The template that the documentation prints."""
    return SEED.read_text().split("```yaml\n")[1].split("```")[0]


def argosy(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, in a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARGOSY")}
    command = [sys.executable, "-m", "argosy", *arguments, "--home", str(home / ".argosy")]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, cwd=home, check=False)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def make_stand_ins(folder: Path) -> None:
    """Programs, a repository of code, annotations, and argosy.toml that says what the images are."""
    for name, text in _PROGRAMS.items():
        write(folder / "bin" / name, text, 0o755)
    for name, text in _CODE.items():
        write(folder / "code" / name, text)
    write(folder / "nni_start.py", _NNI)
    write(folder / "packages" / "tensorflow" / "__init__.py", _TENSORFLOW)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=master")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "code"), ("tag", "v0.18.0")):
        subprocess.run([*git, *words], cwd=folder / "code", check=True)
    annotations = folder / ".argosy" / "repository" / "artifacts" / "default" / "annotations"
    write(annotations / "annotations.json", "{}")
    lines = ["[artifacts]\n"]
    for image in _IMAGES:
        lines.append(f"[images.{json.dumps(image)}]")
        lines.append(f"path = [{json.dumps(str(folder / 'bin'))}]")
        lines.append(f"environment = {{ PYTHONPATH = {json.dumps(str(folder / 'packages'))} }}")
        files = {"/opt/onepanel/nni/start.py": str(folder / "nni_start.py")} if image == _IMAGES[0] else {}
        lines.append("files = { " + ", ".join(f"{json.dumps(a)} = {json.dumps(b)}" for a, b in files.items()) + " }")
        if image in _ENTRYPOINTS:
            lines.append(f"entrypoint = [{json.dumps(str(folder / 'bin' / _ENTRYPOINTS[image]))}]")
    write(folder / "argosy.toml", "\n".join(lines[1:]) + "\n")
    write(folder / "onepanel.yaml", _ONEPANEL)
    applied = argosy(folder, "apply", "-f", "onepanel.yaml")
    assert applied.returncode == 0, applied.stderr


def with_local_code(file: Path, folder: Path) -> Path:
    """A copy of a template whose repository of code is the stand-in."""
    text = file.read_text().replace(f"{REPOSITORY}.git", REPOSITORY).replace(REPOSITORY, f"file://{folder / 'code'}")
    write(folder / file.name, text)
    return folder / file.name
