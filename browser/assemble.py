#!/usr/bin/env python3
"""assemble.py JS ENGINE OUT: puts the extension together from the compiled JavaScript and the folder of the WebAssembly.

Writes OUT/firefox-mv2/, OUT/firefox-mv3/, and of the first OUT/tagai-VERSION.xpi, which depends on nothing but the contents.
"""

import json
import shutil
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATIC = {".html", ".css", ".svg", ".png"}
LICENCES = ["LICENSE-MIT", "LICENSE-APACHE"]
MODULE = ["tagai_wasm.js", "tagai_wasm_bg.wasm"]


def merge(base, over):
    """Objects are merged, and everything else is replaced."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = dict(base)
    for key, value in over.items():
        merged[key] = merge(base[key], value) if key in base else value
    return merged


def manifest(variant):
    folder = HERE / "manifest"
    parts = [json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("common", variant)]
    return merge(*parts)


def sources(js, engine):
    """Every file of the extension but its manifest, by its path in there."""
    files = {}
    for path in js.rglob("*.js"):
        files[path.relative_to(js).as_posix()] = path
    for path in (HERE / "src").rglob("*"):
        if path.suffix in STATIC:
            files[path.relative_to(HERE / "src").as_posix()] = path
    for folder in ("icons", "_locales"):
        for path in (HERE / folder).rglob("*"):
            if path.suffix in STATIC or path.name == "messages.json":
                files[path.relative_to(HERE).as_posix()] = path
    for name in MODULE:
        files[f"engine/{name}"] = engine / name
    for name in LICENCES:
        files[name] = HERE.parent / name
    return files


def write_folder(folder, files, described):
    if folder.exists():
        shutil.rmtree(folder)
    for name, source in sorted(files.items()):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    text = json.dumps(described, ensure_ascii=False, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, "utf-8")


def write_xpi(xpi, folder):
    """The same octets for the same files: sorted, without their times and owners."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(xpi, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (folder / name).read_bytes())


def main():
    js, engine, out = (Path(argument).resolve() for argument in sys.argv[1:])
    files = sources(js, engine)
    for variant in ("mv2", "mv3"):
        write_folder(out / f"firefox-{variant}", files, manifest(variant))
    for old in out.glob("tagai-*.xpi"):
        old.unlink()
    xpi = out / f"tagai-{manifest('mv2')['version']}.xpi"
    write_xpi(xpi, out / "firefox-mv2")
    print(xpi)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main()
