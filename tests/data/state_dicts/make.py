"""Writes small state dicts with the parameter names of several PyTorch models."""
import h5py
import numpy as np


class Writer:
    """Every tensor is a ramp of its own, so that no two can be mixed up."""

    def __init__(self, name, prefix=""):
        self.file, self.prefix, self.count = h5py.File(name, "w"), prefix, 0

    def tensor(self, name, *shape):
        size = int(np.prod(shape))
        values = self.count + np.arange(size) / 1024
        self.file[self.prefix + name] = values.reshape(shape).astype("f4")
        self.count += 1

    def conv(self, name, outputs, inputs, kernel):
        self.tensor(name + ".weight", outputs, inputs, kernel, kernel)

    def norm(self, name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            self.tensor(name + "." + part, channels)
        self.file[self.prefix + name + ".num_batches_tracked"] = np.int64(7)

    def block(self, name, inputs, outputs, projection=None):
        self.conv(name + ".conv1", outputs, inputs, 3)
        self.norm(name + ".bn1", outputs)
        self.conv(name + ".conv2", outputs, outputs, 3)
        self.norm(name + ".bn2", outputs)
        if projection:
            self.conv(name + projection + ".0", outputs, inputs, 1)
            self.norm(name + projection + ".1", outputs)

    def stem(self, inputs, outputs):
        self.conv("conv1", outputs, inputs, 3)
        self.norm("bn1", outputs)

    def linear(self, name, outputs, inputs, bias=True):
        self.tensor(name + ".weight", outputs, inputs)
        if bias:
            self.tensor(name + ".bias", outputs)


# torchvision's names, saved from a DataParallel model; no file attributes.
w = Writer("downsample.h5", "module.")
w.stem(3, 2)
w.block("layer1.0", 2, 2)
w.block("layer1.1", 2, 2)
w.block("layer2.0", 2, 3, ".downsample")
w.linear("fc", 5, 3)

# `shortcut` as name, a projection in the first stage (the width changes at stride 1), one channel.
w = Writer("shortcut.h5")
w.file.attrs["input_shape"] = [1, 28, 20]
w.file.attrs["normalisation_mean"] = np.array([0.25])
w.file.attrs["normalisation_std"] = np.array([0.5])
w.file.attrs["bn_eps"] = 0.01
w.stem(1, 2)
w.block("layer1.0", 2, 3, ".shortcut")
w.block("layer2.0", 3, 4, ".shortcut")
w.linear("classifier.4", 3, 4, bias=False)

# Shortcuts without parameters.
w = Writer("padded.h5")
w.file.attrs["license"] = "MIT"
w.stem(3, 2)
w.block("layer1.0", 2, 2)
w.block("layer2.0", 2, 6)
w.linear("linear", 4, 6)
