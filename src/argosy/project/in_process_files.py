"""The files of a run inside this process: where artifacts are, how a step is given them and what it leaves.

It knows templates and folders, not what runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from argosy.artifacts.repositories import location_key, needs_repository
from argosy.errors import InvalidFile, NotFound
from argosy.model.manifest import Artifact, Outputs, Parameter, Template


@dataclass
class Files:
    """The run's files. An artifact without a key has the number of its place as its digest."""

    folder: Path
    kept: list[Path] = field(default_factory=list[Path])
    folders: int = 0

    def new_folder(self) -> Path:
        self.folders += 1
        made = self.folder / "steps" / str(self.folders)
        made.mkdir(parents=True)
        return made

    def known(self, place: Path) -> str:
        self.kept.append(place)
        return str(len(self.kept) - 1)

    def place_of(self, artifact: Artifact) -> Path | None:
        """Where an artifact's bytes are; None when it says nothing of it. Raises InvalidFile for other locations."""
        if artifact.digest:
            place = self.kept[int(artifact.digest)]
        elif artifact.named is not None and artifact.named.kind == "path":
            if not artifact.named.ref:
                return None
            place = Path(artifact.named.ref).absolute()
        elif artifact.s3 is not None and needs_repository(artifact):
            place = self._keyed(location_key(artifact, "s3"))
        elif msgspec.to_builtins(artifact).keys() & _ELSEWHERE:
            raise InvalidFile(
                f"The artifact {artifact.name!r} is elsewhere, and nothing is fetched here.", hint="Use a stub."
            )
        else:
            return None
        return place / artifact.sub_path if artifact.sub_path else place

    def places(self, artifacts: tuple[Artifact, ...]) -> dict[str, Path]:
        found = {one.name: self.place_of(one) for one in artifacts}
        return {name: place for name, place in found.items() if place is not None}

    def _keyed(self, key: str) -> Path:
        root = self.folder / "repository"
        place = Path(os.path.normpath(root / key.strip("/")))
        if not place.is_relative_to(root):
            raise InvalidFile(f"The key {key!r} leads out of the repository.")
        return place

    def place(self, template: Template, folder: Path) -> None:
        """Puts a step's input artifacts where it sees them."""
        for artifact in template.inputs.artifacts if template.inputs is not None else ():
            target = folder / artifact.path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if artifact.raw is not None:
                target.write_text(str(artifact.raw.data), encoding="utf-8", newline="")
                continue
            source = self.place_of(artifact)
            if source is not None and source.exists():
                _copied(source, target)
            elif not artifact.optional:
                raise NotFound(f"The required artifact {artifact.name!r} was not supplied.")

    def collected(self, template: Template, folder: Path, result: str | None) -> Outputs:
        """What a step left."""
        declared = template.outputs or Outputs()
        return Outputs(
            parameters=tuple(_parameter(one, folder) for one in declared.parameters),
            artifacts=tuple(self._artifacts(declared.artifacts, folder)),
            result=result,
            exit_code="0",
        )

    def _artifacts(self, declared: tuple[Artifact, ...], folder: Path) -> Iterator[Artifact]:
        for one in declared:
            place = folder / one.path.lstrip("/")
            if not place.exists():
                if one.optional:
                    continue
                raise NotFound(f"The output artifact {one.name!r} cannot be saved: the step left nothing there.")
            if one.s3 is None:
                yield msgspec.structs.replace(one, digest=self.known(place))
                continue
            target = self._keyed(location_key(one, "s3"))
            target.parent.mkdir(parents=True, exist_ok=True)
            _copied(place, target)
            yield one


_ELSEWHERE = frozenset({"s3", "gcs", "azure", "oss", "hdfs", "http", "git", "artifactory", "plugin", "named"})


def _parameter(declared: Parameter, folder: Path) -> Parameter:
    source = declared.value_from
    if source is None or not source.path:
        return declared
    try:
        text = (folder / source.path.lstrip("/")).read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        if source.default is None:
            raise NotFound(f"The output parameter {declared.name!r} cannot be read: there is no file.") from None
        text = str(source.default)
    # As Argo does it: one newline at the end is not part of the value.
    return msgspec.structs.replace(declared, value=text.removesuffix("\n"), value_from=None)


def _copied(source: Path, target: Path) -> None:
    """A copy of its own, so that a step that writes to its input changes nothing of who gave it."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
