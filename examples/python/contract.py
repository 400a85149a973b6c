"""The contract's generated modules: `pb` (messages) and `service` (the service's base class).

They are made from upstream.proto when the worker first starts, so that nothing generated is kept
beside the source. A project of its own makes them once, when it is built:

    python -m grpc_tools.protoc -I . --python_out=. --grpc_python_out=. upstream.proto
"""

import importlib
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "proto" / "upstream.proto"
GENERATED = HERE / "build"
MODULES = ("upstream_pb2.py", "upstream_pb2_grpc.py")


def _generate():
    # Imported here, because only the first start needs it.
    import grpc_tools
    from grpc_tools import protoc

    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    GENERATED.mkdir(exist_ok=True)
    # Two workers may start at once: each writes files of its own and moves them into place.
    with tempfile.TemporaryDirectory(dir=GENERATED) as directory:
        status = protoc.main(
            ["protoc", f"-I{PROTO.parent}", f"-I{well_known}", f"--python_out={directory}",
             f"--grpc_python_out={directory}", PROTO.name])
        if status != 0:
            sys.exit(f"protoc failed with status {status}")
        for name in MODULES:
            os.replace(pathlib.Path(directory, name), GENERATED / name)


def _up_to_date():
    try:
        return all((GENERATED / name).stat().st_mtime >= PROTO.stat().st_mtime for name in MODULES)
    except FileNotFoundError:
        return False


if not _up_to_date():
    _generate()
sys.path.insert(0, str(GENERATED))
pb = importlib.import_module("upstream_pb2")
service = importlib.import_module("upstream_pb2_grpc")
