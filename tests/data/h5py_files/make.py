"""Writes the files of this folder as docs/formats.md describes them, with h5py alone."""
import h5py
import numpy as np


def new(name, kind):
    file = h5py.File(name, "w")
    file.attrs["format"] = kind
    file.attrs["format_version"] = 1
    file.attrs["producer"] = "h5py"
    return file


def ramp(*shape, start=0.0, step=0.25):
    return (start + step * np.arange(np.prod(shape))).reshape(shape).astype("f4")


def node(file, index, name, op, inputs=(), tensors=(), **attributes):
    group = file.create_group("nodes/" + name)
    group.attrs["index"] = index
    group.attrs["op"] = op
    if inputs:
        group.attrs["inputs"] = list(inputs)
    for key, value in tensors:
        group[key] = value
    for key, value in attributes.items():
        group.attrs[key] = value


with new("network.h5", "kirchnet network") as file:
    file.attrs["name"] = "every operator"
    file.attrs["input_shape"] = [2, 5, 4]
    file["mean"] = np.array([0.5, 0.25], "f4")
    file["deviation"] = np.array([0.125, 2.0], "f4")
    file.create_group("provenance").attrs["source"] = "drawn up by hand"
    # Written out of order: `index` decides.
    node(file, 8, "fc", "linear", ["pool"], [("weight", ramp(3, 6))])
    node(file, 0, "image", "input")
    node(file, 1, "conv", "conv", ["image"],
         [("weight", ramp(4, 1, 3, 2, start=-3)), ("bias", ramp(4))],
         stride=2, padding=1, groups=2)
    node(file, 2, "bn", "batch_norm", ["conv"],
         [("weight", ramp(4, start=1)), ("bias", ramp(4, start=2)),
          ("running_mean", ramp(4, start=3)), ("running_variance", ramp(4, start=4))],
         epsilon=0.001)
    node(file, 3, "relu", "relu", ["bn"])
    node(file, 4, "narrow", "pool", ["relu"], kind="maximum", kernel=3, stride=1, padding=1)
    node(file, 5, "sum", "add", ["narrow", "relu"])
    node(file, 6, "pad", "pad_shortcut", ["sum"], stride=2, out_channels=6)
    node(file, 7, "pool", "pool", ["pad"], kind="average", kernel=0, stride=1, padding=0)

with new("crossbar.h5", "kirchnet crossbar") as file:
    file.attrs["column_pattern"] = "interleaved"
    file.attrs["end_segments"] = "no"
    intended = 1e-6 * np.arange(1, 7).reshape(2, 3)
    actual = intended.copy()
    actual[1, 2] = 0
    actual[0, 1] = 1e-4
    file["intended_conductance"] = intended
    file["conductance"] = actual
    file["fault"] = np.array([[0, 2, 0], [0, 0, 3]], "u1")
    file["word_line_segment_resistance"] = [[1.5]]
    file["bit_line_segment_resistance"] = [[1.0, 2.0], [3.0, 4.0], [5.0, np.inf]]
    file["driver_resistance"] = [[10.0], [20.0]]
    file["sense_resistance"] = [[0.0]]

with new("fault_map.h5", "kirchnet fault map") as file:
    file.attrs["origin"] = "by hand"
    file["layers"] = ["conv1", "fc"]
    file["weight_cells/cell"] = np.array([[0, 7, 3, 1, 2, 0, 1], [1, 0, 5, 0, 0, 4, 0]], "i4")
    file["weight_cells/fault"] = np.array([1, 2], "u1")
    file["padding_cells/cell"] = np.array([[1, 2, 3, 64, 5, 1]], "i4")
    file["padding_cells/fault"] = np.array([3], "u1")

with new("images.h5", "kirchnet images") as file:
    file["test/pixels"] = np.arange(48, dtype="u1").reshape(2, 3, 4, 2)
    file["test/labels"] = np.array([9, 4])  # eight bytes each, as NumPy likes it
    file["calibration/pixels"] = np.arange(100, 172, dtype="u1").reshape(3, 3, 4, 2)
    file["calibration/labels"] = np.array([1, 2, 3], "i4")
