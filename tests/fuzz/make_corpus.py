"""Writes the seeds of the fuzz programs: small files of every kind a reader knows.

/usr/bin/python3 make_corpus.py, in this folder; files found by fuzzing (`found-...`) stay, and so do cells and
Darknet configurations, which are written by hand.
"""
import collections
import io
import json
import os
import struct

import numpy as np
import torch


def write(reader, name, data):
    os.makedirs(f"corpus/{reader}", exist_ok=True)
    with open(f"corpus/{reader}/{name}", "wb") as out:
        out.write(data)


def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


class Command:
    def __reduce__(self):
        return (os.system, ("true",))


def pth():
    legacy = {"_use_new_zipfile_serialization": False}
    one = collections.OrderedDict(w=torch.tensor([[1.0, 2.0]]))
    views = {"t": torch.ones(2, 3).t(), "h": torch.ones(2).half(), "n": torch.tensor(3)}
    views["p"] = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    checkpoint = {"state_dict": {"module.w": torch.ones(1)}, "epoch": 3, "best": np.float64(0.5)}
    checkpoint |= {"mean": (0.5, 1.5), "size": torch.Size([1, 2]), "on": torch.device("cpu")}
    cases = {"one": one, "views": views, "checkpoint": checkpoint, "command": Command()}
    cases |= {"list": [1, 2.0, None, True, b"x", 10**30], "nested": {"model": {"net": one}}}
    for name, value in cases.items():
        write("pth", name + ".pth", saved(value))
        write("pth", name + "-legacy.pth", saved(value, **legacy))
        write("pth", name + "-protocol5.pth", saved(value, pickle_protocol=5, **legacy))
    write("pth", "truncated.pth", saved(one)[:-30])


def safetensors():
    def file(header, numbers):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + b"\0" * numbers

    def entry(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    for dtype, size in {"F16": 2, "BF16": 2, "F32": 4, "F64": 8, "I64": 8, "BOOL": 1}.items():
        data = file({"w": entry(dtype, [2], 0, 2 * size)}, 2 * size)
        write("safetensors", dtype.lower() + ".safetensors", data)
    two = {"a": entry("F32", [1, 2], 0, 8), "b": entry("F32", [], 8, 12)}
    two["__metadata__"] = {"format": "pt"}
    write("safetensors", "two.safetensors", file(two, 12))
    overlap = {"a": entry("F32", [2], 0, 8), "b": entry("F32", [1], 4, 8)}
    write("safetensors", "overlap.safetensors", file(overlap, 8))


def onnx():
    for name in ("perceptron", "pools", "activations_opset11"):
        with open(f"../data/onnx/{name}.onnx", "rb") as model:
            write("onnx", name + ".onnx", model.read())


def matrices():
    for name in ("f8", "f4", "i4", "i8", "u1"):
        out = io.BytesIO()
        np.save(out, np.ones((2, 3), name))
        write("npy", name + ".npy", out.getvalue())
    out = io.BytesIO()
    np.save(out, np.asfortranarray(np.ones((2, 3))))
    write("npy", "fortran.npy", out.getvalue())
    write("csv", "plain.csv", b"1,2.5\n-3e-4,inf\n")
    write("csv", "blanks.csv", b"\xef\xbb\xbf# comment\r\n 1 , 2\r\n\r\n3,4")
    write("csv", "ragged.csv", b"1,2\n3\n")


pth()
safetensors()
onnx()
matrices()
