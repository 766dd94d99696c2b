"""Unpacking and packing archives: `safe_extract` for what strangers send, `pack` for what steps make.

It knows tar and zip and how they are abused; not where an archive came from. All unpacking is done here.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, Literal

import msgspec

from argosy.artifacts.limits import Limits as Limits
from argosy.artifacts.metering import Metered
from argosy.artifacts.troubles import ArchiveRefused, disk_errors, store_trouble
from argosy.artifacts.unpacked import Unpacked

Form = Literal["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"]

COPY_BYTES = 1 << 18
# What a link may hold; the kernel takes no more.
LINK_BYTES = 4096
# What a reader of damaged bytes may raise.
DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error),
    *(ValueError, OverflowError, IndexError, KeyError, RuntimeError, NotImplementedError, gzip.BadGzipFile),
)


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    """What was unpacked; the warnings are sentences for the user."""

    entries: int
    size_bytes: int
    warnings: tuple[str, ...] = ()


def archive_form(path: Path) -> Form | None:
    """What kind of archive a file is by its content, or None. Raises StoreTrouble when it cannot be read."""
    if path.is_dir():
        return None
    with disk_errors("read", path), path.open("rb") as file:
        start = file.read(8)
    if start[:4] in (b"PK\3\4", b"PK\5\6"):
        return "zip"
    with contextlib.suppress(*DAMAGE), disk_errors("read", path), _decompressed(path) as (stream, form):
        block = stream.read(tarfile.BLOCKSIZE)
        if len(block) == tarfile.BLOCKSIZE and (not block.strip(b"\0") or _is_header(block)):
            return form
    return None


def safe_extract(
    archive: Path,
    target: Path,
    *,
    limits: Limits | None = None,
    unwrap: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Extracted:
    """Unpack a tar (plain, gzip, bzip2, xz) or zip to `target`, which must not exist or be an empty folder.

    Nothing is ever written outside `target`; on any error nothing stays there. Links out of the folder, devices and the
    like are refused; setuid, setgid and sticky bits and owners are dropped. unwrap: when the archive holds a single
    name at its top, `target` becomes that file or folder (Argo does so with artifacts).
    Raises ArchiveRefused, StoreTrouble.
    """
    limits = limits or Limits()
    form = archive_form(archive)
    if form is None:
        raise ArchiveRefused(
            f"{archive} is not a tar or zip archive.", hint="Set `archive: none: {}` to take it as it is."
        )
    _check_target(target)
    with disk_errors("unpack into", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.parent / f".{target.name[:100]}.{os.urandom(6).hex()}.part"
        part.mkdir(0o700)
    try:
        unpacked = Unpacked(archive, part, limits.max_entries, limits.allowance(archive.stat().st_size), cancelled)
        with _damage_named(archive, target):
            if form == "zip":
                _read_zip(archive, unpacked, limits)
            else:
                _read_tar(archive, unpacked, limits)
            top = unpacked.finish(unwrap)
            os.rename(top, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Extracted(entries=unpacked.entries, size_bytes=unpacked.size_bytes, warnings=tuple(unpacked.warnings))


def _check_target(target: Path) -> None:
    if os.path.lexists(target) and (target.is_symlink() or not target.is_dir() or any(target.iterdir())):
        raise ArchiveRefused(f"Cannot unpack into {target}: something is there already.", hint="Remove it first.")


@contextlib.contextmanager
def _damage_named(archive: Path, target: Path) -> Generator[None, None, None]:
    try:
        yield
    except DAMAGE as error:
        raise ArchiveRefused(f"The archive {archive} is damaged: {error}.", hint="Make or fetch it anew.") from error
    except OSError as error:
        if error.errno is None:
            # The decompressors raise it so for bytes that are not theirs.
            raise ArchiveRefused(f"The archive {archive} is damaged: {error}.", hint="Fetch it anew.") from error
        raise store_trouble("unpack into", target, error) from error


@contextlib.contextmanager
def _decompressed(path: Path) -> Generator[tuple[IO[bytes], Form], None, None]:
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        if start[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file, mode="rb") as stream:
                yield stream, "tar.gz"  # type: ignore[misc]  # a GzipFile reads as any binary file does
        elif start[:3] == b"BZh":
            with bz2.BZ2File(file) as stream:
                yield stream, "tar.bz2"
        elif start == b"\xfd7zXZ\0":
            with lzma.LZMAFile(file) as stream:
                yield stream, "tar.xz"
        else:
            yield file, "tar"


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


# -- tar


def _read_tar(archive: Path, unpacked: Unpacked, limits: Limits) -> None:
    with _decompressed(archive) as (stream, _):
        metered = Metered(stream, limits.max_header_bytes, unpacked.allowance)
        tar = tarfile.TarFile(fileobj=metered, mode="r", errorlevel=2)  # type: ignore[arg-type]  # reads like a file
        # The reader has looked at the first header, and goes on if it is asked again, whatever that was.
        is_over = tar.firstmember is None  # type: ignore[attr-defined]  # not in the stubs
        while not is_over and (member := tar.next()) is not None:
            # Otherwise the reader keeps every entry that it has seen.
            tar.members = []  # type: ignore[attr-defined]  # not in the stubs
            metered.reading_data()
            _take_member(tar, member, unpacked)
            metered.reading_header()
        metered.check_end()
        metered.drain()


def _take_member(tar: tarfile.TarFile, member: tarfile.TarInfo, unpacked: Unpacked) -> None:
    name, mode = member.name, member.mode & 0o777
    if member.isdir():
        unpacked.folder(name, mode)
    elif member.issym():
        unpacked.link(name, member.linkname)
    elif member.islnk():
        unpacked.hard_link(name, member.linkname)
    elif member.isreg():
        content = tar.extractfile(member)
        unpacked.file(name, mode, member.size, _pieces(content) if content else iter(()), member.mtime)
    else:
        kind = {tarfile.FIFOTYPE: "named pipe", tarfile.CHRTYPE: "device", tarfile.BLKTYPE: "device"}
        unpacked.refuse(name, f"is a {kind.get(member.type, 'entry of unknown kind')}")


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    while data := content.read(COPY_BYTES):
        yield data


# -- zip


def _read_zip(archive: Path, unpacked: Unpacked, limits: Limits) -> None:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            _take_info(file, info, unpacked)


def _take_info(file: zipfile.ZipFile, info: zipfile.ZipInfo, unpacked: Unpacked) -> None:
    # The name as it stands in the archive: `filename` is cut at a NUL.
    name = info.orig_filename
    attributes = info.external_attr >> 16
    kind = stat.S_IFMT(attributes)
    if info.flag_bits & 1:
        unpacked.refuse(name, "is encrypted")
    if info.is_dir():
        unpacked.folder(name, attributes & 0o777 or 0o755)
        return
    if kind not in (0, stat.S_IFREG, stat.S_IFLNK):
        unpacked.refuse(name, "is neither a file, a folder nor a symbolic link")
    with file.open(info) as content:
        if kind == stat.S_IFLNK:
            text = content.read(LINK_BYTES)
            unpacked.link(name, os.fsdecode(text))
        else:
            unpacked.file(name, attributes & 0o777 or 0o644, info.file_size, _pieces(content), None)


# -- packing


def pack(
    path: Path, target: Path, kind: Literal["tar.gz", "zip", "none"], *, compression_level: int | None = None
) -> None:
    """Pack a file or folder into the archive `target`: the same content gives the same bytes.

    Names are sorted; times and owners are zero. "none" copies. compression_level: 0 (none) to 9, or None for the usual.
    Raises ArchiveRefused for what no archive can hold, StoreTrouble.
    """
    level = 6 if compression_level is None or compression_level == -1 else compression_level
    if not 0 <= level <= 9:
        raise ArchiveRefused(f"There is no compression level {level}.", hint="Give one from 0 to 9, or leave it out.")
    part = target.parent / f".{target.name[:100]}.{os.urandom(6).hex()}.part"
    try:
        with disk_errors(f"pack {path} into", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if kind == "tar.gz":
                _write_tar(path, part, level)
            elif kind == "zip":
                _write_zip(path, part, level)
            elif path.is_dir():
                shutil.copytree(path, part, symlinks=True)
            else:
                shutil.copyfile(path, part)
            os.rename(part, target)
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)


def _walk(path: Path, name: str) -> Iterator[tuple[Path, str, os.stat_result]]:
    """Every file, link and folder below `path`, folders first, in one order for everyone."""
    found = path.lstat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise ArchiveRefused(
            f"Cannot pack {path}: it is neither a file, a folder nor a symbolic link.",
            hint="Let the step remove its pipes and sockets, or name a path without them.",
        )
    yield path, name, found
    if stat.S_ISDIR(found.st_mode):
        for child in sorted(path.iterdir(), key=lambda child: os.fsencode(child.name)):
            yield from _walk(child, f"{name}/{child.name}")


def _write_tar(path: Path, part: Path, level: int) -> None:
    with (
        part.open("xb") as file,
        gzip.GzipFile("", "wb", level, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for place, name, found in _walk(path, path.name):
            entry = tarfile.TarInfo(name)
            entry.mode = stat.S_IMODE(found.st_mode) & 0o777
            if stat.S_ISDIR(found.st_mode):
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
            elif stat.S_ISLNK(found.st_mode):
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, os.readlink(place), 0o777
                tar.addfile(entry)
            else:
                with place.open("rb") as content:
                    entry.size = os.fstat(content.fileno()).st_size
                    tar.addfile(entry, content)


def _write_zip(path: Path, part: Path, level: int) -> None:
    with zipfile.ZipFile(part, "x", zipfile.ZIP_DEFLATED, compresslevel=level) as packed:
        for place, name, found in _walk(path, path.name):
            folder = stat.S_ISDIR(found.st_mode)
            info = zipfile.ZipInfo(name + "/" if folder else name)
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (stat.S_IFMT(found.st_mode) | stat.S_IMODE(found.st_mode) & 0o777) << 16
            if folder:
                packed.writestr(info, b"", zipfile.ZIP_STORED)
            elif stat.S_ISLNK(found.st_mode):
                packed.writestr(info, os.fsencode(os.readlink(place)), zipfile.ZIP_STORED)
            else:
                with place.open("rb") as content, packed.open(info, "w", force_zip64=True) as entry:
                    shutil.copyfileobj(content, entry, COPY_BYTES)
