"""Hostile archives are refused whole, honest ones come out whole, and nothing is ever written elsewhere."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.artifacts.archives import Limits, archive_form, safe_extract
from argosy.artifacts.troubles import ArchiveRefused, StoreTrouble, TransferCancelled

REG, SYM, LNK, DIR = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
Entry = tuple[str, bytes, str, bytes]


def tar_bytes(*entries: Entry, mode: int = 0o644, pax: dict[str, str] | None = None) -> bytes:
    """A tar of (name, type, link name, content)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, link, content in entries:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size, info.mode = kind, link, len(content), mode
            info.pax_headers = pax or {}
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def file(name: str, content: bytes = b"x") -> Entry:
    return (name, REG, "", content)


def link(name: str, to: str) -> Entry:
    return (name, SYM, to, b"")


def hard(name: str, to: str) -> Entry:
    return (name, LNK, to, b"")


def folder(name: str) -> Entry:
    return (name, DIR, "", b"")


def zip_bytes(*entries: tuple[str, int, bytes], pack: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of (name, Unix mode, content)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", pack) as archive:
        for name, mode, content in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.create_system, info.compress_type = mode << 16, 3, pack
            archive.writestr(info, content)
    return out.getvalue()


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new)


def raw_header(name: bytes, size: bytes = b"00000000001", kind: bytes = b"0", link: bytes = b"") -> bytes:
    """One tar header made by hand, with a right checksum."""
    start = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size.ljust(12, b"\0") + b"00000000000\0"
    rest = kind + link.ljust(100, b"\0") + b"ustar\x0000"
    head = (start + b" " * 8 + rest).ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def endless_pax() -> bytes:
    """A header that announces a description of 60 MB."""
    size = 60_000_000
    return raw_header(b"pax", b"%011o" % size, b"x") + b"\0" * size


def sparse_bomb() -> bytes:
    """A few bytes that say they are a file of a terabyte."""
    pax = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "s",
        "GNU.sparse.realsize": str(1 << 41),
    }
    return tar_bytes(file("s", b"1\n0\n1\n".ljust(512, b"\0") + b"x"), pax=pax)


def overlapping_zip() -> bytes:
    """Many names for one packed megabyte: each counts."""
    one = zip_bytes(("a", 0o644, b"\0" * (1 << 20)), pack=zipfile.ZIP_DEFLATED)
    start = struct.unpack("<I", one[-6:-2])[0]
    central = one[start:-22]
    many = b"".join(central[:-1] + bytes([97 + i % 26]) for i in range(3000))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3000, 3000, len(many), start, 0)
    return one[:start] + many + end


def nested(depth: int) -> bytes:
    return tar_bytes(file("/".join(["d"] * depth) + "/f"))


def damaged_in_the_middle() -> bytes:
    data = bytearray(tar_bytes(file("a"), file("b"), file("c")))
    data[1024 + 150] ^= 0xFF
    return bytes(data)


S_LINK, S_FIFO, S_CHR, S_REG = stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFREG

HOSTILE: dict[str, Callable[[], bytes]] = {
    "parent": lambda: tar_bytes(file("../evil")),
    "parent later": lambda: tar_bytes(file("ok"), file("a/../../evil")),
    "parent inside": lambda: tar_bytes(file("a/b/../c")),
    "parent as folder": lambda: tar_bytes(folder("../evil")),
    "parent at the end": lambda: tar_bytes(folder("a/..")),
    "parent with backslashes": lambda: tar_bytes(file("..\\evil")),
    "absolute": lambda: tar_bytes(file("/tmp/evil")),
    "absolute with two slashes": lambda: tar_bytes(file("//tmp/evil")),
    "absolute folder": lambda: tar_bytes(folder("/tmp/evil")),
    "drive": lambda: tar_bytes(file("C:\\evil")),
    "drive with a slash": lambda: tar_bytes(file("c:/evil")),
    "link out": lambda: tar_bytes(link("l", "../evil")),
    "link to an absolute path": lambda: tar_bytes(link("l", "/etc/passwd")),
    "link out from deep": lambda: tar_bytes(folder("a/b"), link("a/b/l", "../../../evil")),
    "link out through a link": lambda: tar_bytes(folder("p/q"), link("p/q/x", "../.."), link("y", "p/q/x/../z")),
    "link out through two": lambda: tar_bytes(link("a", "b"), folder("c"), link("b", "c"), link("d", "a/../../e")),
    "link to nothing": lambda: patched(tar_bytes(link("l", "/")), b"/" + b"\0" * 99, b"\0" * 100),
    "write through a link": lambda: tar_bytes(link("l", "."), file("l/evil")),
    "write through a link out": lambda: tar_bytes(link("l", ".."), file("l/evil")),
    "write through a link to a link": lambda: tar_bytes(link("a", "b"), link("b", "."), file("a/evil")),
    "folder through a link": lambda: tar_bytes(link("l", "."), folder("l/evil")),
    "link through a link": lambda: tar_bytes(link("l", "."), link("l/m", "x")),
    "hard link through a link": lambda: tar_bytes(file("f"), link("l", "."), hard("l/m", "f")),
    "folder over a link": lambda: tar_bytes(link("l", "x"), folder("l")),
    "hard link out": lambda: tar_bytes(hard("h", "../evil")),
    "hard link to an absolute path": lambda: tar_bytes(hard("h", "/etc/passwd")),
    "hard link to nothing": lambda: tar_bytes(hard("h", "later"), file("later")),
    "hard link to a folder": lambda: tar_bytes(folder("d"), hard("h", "d")),
    "hard link to a link": lambda: tar_bytes(link("l", "/etc/passwd"), hard("h", "l")),
    "file below a file": lambda: tar_bytes(file("f"), file("f/g")),
    "file over a folder": lambda: tar_bytes(file("d/f"), file("d")),
    "file over the top": lambda: tar_bytes(file(".")),
    "character device": lambda: tar_bytes(("d", tarfile.CHRTYPE, "", b"")),
    "block device": lambda: tar_bytes(("d", tarfile.BLKTYPE, "", b"")),
    "named pipe": lambda: tar_bytes(("p", tarfile.FIFOTYPE, "", b"")),
    "name in a PAX header": lambda: tar_bytes(file("x"), pax={"path": "../../evil"}),
    "link in a PAX header": lambda: tar_bytes(link("l", "x"), pax={"linkpath": "../../evil"}),
    "absolute in a PAX header": lambda: tar_bytes(file("x"), pax={"path": "/tmp/evil"}),
    "NUL in a PAX header": lambda: tar_bytes(file("x"), pax={"path": "a\0b"}),
    "empty name in a PAX header": lambda: tar_bytes(file("x"), pax={"path": ""}),
    "a PAX header without end": endless_pax,
    "a sparse file of a terabyte": sparse_bomb,
    "negative size": lambda: tar_bytes(file("x"), pax={"size": "-1024"}),
    "more announced than there": lambda: raw_header(b"f", b"%011o" % 5000) + b"short",
    "a file of 8 exabytes": lambda: raw_header(b"f", b"\x80\0\0\0\x7f" + b"\xff" * 7) + b"x" * 512,
    "a name too long": lambda: tar_bytes(file("n" * 300)),
    "too deep": lambda: nested(300),
    "damaged in the middle": damaged_in_the_middle,
    "gzip cut short": lambda: gzip.compress(tar_bytes(file("f", os.urandom(5000))))[:-2000],
    "gzip with a wrong sum": lambda: gzip.compress(tar_bytes(file("f", b"x" * 5000)))[:-8] + b"\0" * 8,
    "gzip of no tar": lambda: gzip.compress(b"plain text" * 100),
    "no archive": lambda: b"plain text",
    "empty": lambda: b"",
    "zeros without end": lambda: gzip.compress(bytes(40 << 20), 1),
    "zip parent": lambda: zip_bytes(("../evil", 0o644, b"x")),
    "zip absolute": lambda: zip_bytes(("/tmp/evil", 0o644, b"x")),
    "zip parent with backslashes": lambda: zip_bytes(("..\\..\\evil", 0o644, b"x")),
    "zip link out": lambda: zip_bytes(("l", S_LINK | 0o777, b"../evil")),
    "zip link to an absolute path": lambda: zip_bytes(("l", S_LINK | 0o777, b"/etc/passwd")),
    "zip link too long": lambda: zip_bytes(("l", S_LINK | 0o777, b"x" * 5000)),
    "zip link with a NUL": lambda: zip_bytes(("l", S_LINK | 0o777, b"a\0b")),
    "zip write through a link": lambda: zip_bytes(("l", S_LINK | 0o777, b".."), ("l/evil", 0o644, b"x")),
    "zip named pipe": lambda: zip_bytes(("p", S_FIFO | 0o644, b"")),
    "zip device": lambda: zip_bytes(("d", S_CHR | 0o644, b"")),
    "zip NUL in a name": lambda: patched(zip_bytes(("ok1../evil", 0o644, b"x")), b"ok1../evil", b"ok\0../evil"),
    "zip encrypted": lambda: patched(zip_bytes(("f", 0o644, b"x")), b"\x14\0\0\0\0\0", b"\x14\0\1\0\0\0"),
    "zip names that differ": lambda: zip_bytes(("aaaa", 0o644, b"x")).replace(b"aaaa", b"../b", 1),
    "zip with a wrong sum": lambda: zip_bytes(("f", 0o644, b"right")).replace(b"right", b"wrong"),
    "zip without an end": lambda: zip_bytes(("f", 0o644, b"x"))[:-10],
    "zip with overlapping files": overlapping_zip,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    archive = tmp_path / "in" / "archive"
    archive.parent.mkdir()
    archive.write_bytes(HOSTILE[name]())
    place = tmp_path / "out" / "deep" / "er"
    place.mkdir(parents=True)
    with pytest.raises(ArchiveRefused) as caught:
        safe_extract(archive, place / "target", limits=Limits(max_bytes=1 << 30))
    assert caught.value.hint
    assert list((tmp_path / "out").rglob("*")) == [tmp_path / "out" / "deep", place]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]
    assert not Path("/tmp/evil").exists()


def unpack(data: bytes, tmp_path: Path, **options: object) -> Path:
    (tmp_path / "archive").write_bytes(data)
    safe_extract(tmp_path / "archive", tmp_path / "target", **options)  # type: ignore[arg-type]
    return tmp_path / "target"


def test_setuid_and_owners_are_dropped(tmp_path: Path) -> None:
    target = unpack(tar_bytes(file("f"), mode=0o6755), tmp_path)
    assert stat.S_IMODE((target / "f").stat().st_mode) == 0o755
    assert (target / "f").stat().st_uid == os.getuid()
    (tmp_path / "zip").mkdir()
    target = unpack(zip_bytes(("f", S_REG | 0o4711, b"x")), tmp_path / "zip")
    assert stat.S_IMODE((target / "f").stat().st_mode) == 0o711


def test_links_that_stay_inside_are_made(tmp_path: Path) -> None:
    target = unpack(
        tar_bytes(file("a/f", b"here"), link("a/l", "f"), link("m", "a/l"), link("n", "./a/../a")), tmp_path
    )
    assert (target / "m").read_bytes() == b"here"
    assert os.readlink(target / "n") == "./a/../a"


def test_a_ring_of_links_leads_nowhere_and_is_kept(tmp_path: Path) -> None:
    target = unpack(tar_bytes(link("a", "b"), link("b", "a")), tmp_path)
    assert os.readlink(target / "a") == "b"


def test_hard_links_inside_are_one_file_and_replacing_one_keeps_the_other(tmp_path: Path) -> None:
    target = unpack(tar_bytes(file("f", b"old"), hard("h", "f"), hard("f", "f"), file("h", b"new")), tmp_path)
    assert (target / "f").read_bytes() == b"old"
    assert (target / "h").read_bytes() == b"new"


def test_the_last_of_equal_names_counts(tmp_path: Path) -> None:
    target = unpack(tar_bytes(link("f", "nowhere"), file("f", b"1"), file("./f", b"2")), tmp_path)
    assert (target / "f").read_bytes() == b"2"


def test_folders_that_forbid_writing_can_be_filled(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("d")
        info.type, info.mode = DIR, 0o500
        tar.addfile(info)
        info = tarfile.TarInfo("d/f")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    assert (unpack(out.getvalue(), tmp_path) / "d" / "f").read_bytes() == b"x"


@pytest.mark.parametrize("alike", [("Read", "read"), ("d/\u00e9", "d/e\u0301"), ("straße", "STRASSE")])
def test_names_that_differ_in_case_are_warned_of(tmp_path: Path, alike: tuple[str, str]) -> None:
    (tmp_path / "archive").write_bytes(tar_bytes(*(file(name) for name in alike)))
    done = safe_extract(tmp_path / "archive", tmp_path / "target")
    assert len(done.warnings) == 1
    assert "differ only in case" in done.warnings[0]


@pytest.mark.parametrize("form", ["tar.gz", "tar.xz", "tar.bz2", "zip"])
def test_a_bomb_is_stopped_early(tmp_path: Path, form: str) -> None:
    archive, size = tmp_path / "bomb", 64 << 20
    if form == "zip":
        archive.write_bytes(zip_bytes(("f", 0o644, bytes(size)), pack=zipfile.ZIP_DEFLATED))
    else:
        with tarfile.open(archive, f"w:{form[4:]}") as tar:
            info = tarfile.TarInfo("f")
            info.size = size
            tar.addfile(info, io.BytesIO(bytes(size)))
    assert archive_form(archive) == form
    with pytest.raises(ArchiveRefused, match="may unpack to"):
        safe_extract(archive, tmp_path / "target", limits=Limits(free_bytes=1 << 20, max_ratio=50))
    with pytest.raises(ArchiveRefused, match="may unpack to"):
        safe_extract(archive, tmp_path / "target", limits=Limits(max_bytes=1 << 20))
    assert not (tmp_path / "target").exists()
    safe_extract(archive, tmp_path / "target")
    assert (tmp_path / "target" / "f").stat().st_size == size


def test_a_bomb_in_ten_megabytes_is_refused_with_the_usual_limits(tmp_path: Path) -> None:
    """10 GB of zeros in 10 MB: made from one packed block, repeated; it stops at the allowance for its size."""
    block = bytes(1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    with (tmp_path / "bomb").open("wb") as out:
        out.write(packer.compress(raw_header(b"f", b"%011o" % ((8 << 30) - 1))))
        out.write(packer.flush(zlib.Z_FULL_FLUSH))
        repeat = zlib.compressobj(9, zlib.DEFLATED, -15)
        zeros = repeat.compress(block * 64) + repeat.flush(zlib.Z_FULL_FLUSH)
        for _ in range(160):
            out.write(zeros)
    assert (tmp_path / "bomb").stat().st_size < 11 << 20
    with pytest.raises(ArchiveRefused, match="may unpack to"):
        safe_extract(tmp_path / "bomb", tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("form", ["tar", "zip"])
def test_entries_are_counted_folders_above_them_too(tmp_path: Path, form: str) -> None:
    names = [f"d/f{i}" for i in range(10)]
    data = tar_bytes(*map(file, names)) if form == "tar" else zip_bytes(*((n, 0o644, b"") for n in names))
    with pytest.raises(ArchiveRefused, match="10 entries that are allowed"):
        unpack(data, tmp_path, limits=Limits(max_entries=10))
    unpack(data, tmp_path, limits=Limits(max_entries=11))


def test_a_single_top_is_unwrapped_when_asked(tmp_path: Path) -> None:
    data = tar_bytes(file("top/f", b"x"), link("top/l", "f"))
    assert (unpack(data, tmp_path, unwrap=True) / "f").read_bytes() == b"x"
    (tmp_path / "two").mkdir()
    assert (unpack(tar_bytes(file("only", b"y")), tmp_path / "two", unwrap=True)).read_bytes() == b"y"
    (tmp_path / "three").mkdir()
    assert (unpack(tar_bytes(file("a"), file("b")), tmp_path / "three", unwrap=True) / "a").is_file()


@pytest.mark.parametrize("entries", [(file("top/f"), link("top/l", "../top/f")), (link("l", "x"),)])
def test_unwrapping_judges_links_by_where_they_end(tmp_path: Path, entries: tuple[Entry, ...]) -> None:
    with pytest.raises(ArchiveRefused):
        unpack(tar_bytes(*entries), tmp_path, unwrap=True)
    assert not (tmp_path / "target").exists()
    assert not (tmp_path / "x").exists()


def test_a_target_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "mine").write_text("mine")
    with pytest.raises(ArchiveRefused, match="already"):
        unpack(tar_bytes(file("f")), tmp_path)
    assert (tmp_path / "target" / "mine").read_text() == "mine"


def test_an_empty_target_is_filled(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    assert (unpack(tar_bytes(file("f")), tmp_path) / "f").is_file()


def test_an_empty_archive_is_an_empty_folder(tmp_path: Path) -> None:
    assert list(unpack(tar_bytes(), tmp_path).iterdir()) == []
    (tmp_path / "zip").mkdir()
    assert list(unpack(zip_bytes(), tmp_path / "zip").iterdir()) == []


def test_unpacking_can_be_stopped(tmp_path: Path) -> None:
    with pytest.raises(TransferCancelled):
        unpack(tar_bytes(file("f")), tmp_path, cancelled=lambda: True)
    assert not (tmp_path / "target").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "archive").write_bytes(tar_bytes(file("f")))
    with pytest.raises(StoreTrouble, match="unpack into"):
        safe_extract(tmp_path / "archive", tmp_path / "file" / "target")


def test_an_honest_sparse_file_comes_out_whole(tmp_path: Path) -> None:
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "2048"}
    target = unpack(tar_bytes(file("s", b"1\n1024\n1\n".ljust(512, b"\0") + b"x"), pax=pax), tmp_path)
    assert (target / "s").read_bytes() == bytes(1024) + b"x" + bytes(1023)


def test_big_aligned_files_are_read_once(tmp_path: Path) -> None:
    """The reader steps one byte back after each: the decompressor must not start again for it."""
    content = os.urandom(1 << 20)
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed:
        packed.write(tar_bytes(*(file(f"f{i}", content) for i in range(20))))
    target = unpack(out.getvalue(), tmp_path)
    assert all((target / f"f{i}").read_bytes() == content for i in range(20))


@pytest.mark.parametrize(("data", "form"), [(b"x", None), (b"PK\3\4", "zip"), (b"\x1f\x8b", None), (b"BZh9", None)])
def test_the_form_is_told_by_content(tmp_path: Path, data: bytes, form: str | None) -> None:
    (tmp_path / "f").write_bytes(data)
    assert archive_form(tmp_path / "f") == form
    assert archive_form(tmp_path) is None
