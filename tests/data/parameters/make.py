"""Writes the files of this folder; see README.md."""
import collections
import json
import struct

import h5py
import numpy as np
import torch


def tensors():
    """Every way in which a tensor may lie in its storage, and every type of numbers."""
    ramp = torch.arange(24, dtype=torch.float32) / 8 - 1
    shared = torch.arange(6, dtype=torch.float32).reshape(2, 3) + 0.5
    state = collections.OrderedDict()
    state["plain.weight"] = ramp.reshape(2, 3, 4).clone()
    state["transposed.weight"] = ramp.reshape(4, 6).clone().t()
    state["every_second.weight"] = ramp.reshape(4, 6).clone()[1::2, ::3]
    state["expanded.weight"] = torch.tensor([[1.5], [-2.25]]).expand(2, 3)
    state["tied.weight"] = shared
    state["again.weight"] = shared
    state["row.weight"] = shared[1]
    state["scalar"] = torch.tensor(0.1)
    state["empty"] = torch.zeros(0, 3)
    state["parameter.weight"] = torch.nn.Parameter(torch.tensor([[3.0, -4.0]]))
    # The largest half, the smallest normal and subnormal ones, one third.
    state["half"] = torch.tensor([65504, -(2.0**-14), 2.0**-24, 1 / 3, 0]).half()
    state["bfloat16"] = torch.tensor([3.0e38, -1e-38, 1 / 3]).bfloat16()
    state["double"] = torch.tensor([1 / 3, 1e-300, -2.0], dtype=torch.float64)
    state["int64"] = torch.tensor([-(2**40), 7])
    state["int32"] = torch.tensor([-5, 70000], dtype=torch.int32)
    state["int16"] = torch.tensor([-300], dtype=torch.int16)
    state["int8"] = torch.tensor([-3, 3], dtype=torch.int8)
    state["uint8"] = torch.tensor([200], dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False])
    state["bn.num_batches_tracked"] = torch.tensor(99)
    return state


def list_values(state, path):
    with open(path, "w") as out:
        for name, tensor in state.items():
            if name.endswith("num_batches_tracked"):
                continue
            shape = "x".join(map(str, tensor.shape)) or "scalar"
            values = tensor.detach().float().flatten().tolist()
            print(name, shape, *map(repr, values), file=out)


def checkpoint(state):
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return {
        "epoch": 164,
        "best_acc": np.float64(91.73),
        "arch": "resnet20",
        "normalisation_mean": (0.5, 0.25, 0.125),
        "bn_eps": 1e-3,
        "device": torch.device("cpu"),
        "size": torch.Size([3, 32, 32]),
        "optimizer": optimizer.state_dict(),
        "state_dict": collections.OrderedDict(("module." + k, v) for k, v in state.items()),
    }


def write_safetensors(state, path, metadata):
    names = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}
    header, numbers = {"__metadata__": metadata}, b""
    for name, array in state.items():
        end = len(numbers) + array.nbytes
        header[name] = {
            "dtype": names[array.dtype.name],
            "shape": array.shape,
            "data_offsets": [len(numbers), end],
        }
        numbers += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + numbers)


def network():
    with h5py.File("../state_dicts/padded.h5") as file:
        return {name: np.asarray(file[name]) for name in file}, dict(file.attrs)


def main():
    state = tensors()
    list_values(state, "tensors.txt")
    torch.save(state, "tensors.pth")
    torch.save(state, "protocol4.pth", pickle_protocol=4)
    torch.save(state, "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(checkpoint(state), "checkpoint.pth")
    torch.save(torch.nn.Linear(2, 1), "whole_module.pth")
    torch.save(torch.nn.Linear(2, 1), "whole_module_legacy.pth", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 1)), "torchscript.pt")
    arrays, attributes = network()
    torch.save({k: torch.tensor(v) for k, v in arrays.items()} | attributes, "padded.pth")
    write_safetensors(arrays, "padded.safetensors", {k: str(v) for k, v in attributes.items()})
    half = {"a": np.array([[0.5, -2]], "f2"), "b": np.array([1 / 3], "f8"), "c": np.float32(7)}
    write_safetensors(half, "types.safetensors", {"format": "pt"})


main()
