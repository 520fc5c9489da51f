"""Writes the ONNX models of this folder and, beside each, its outputs as PyTorch computes them.

    /usr/bin/python3 make.py

Weight i of parameter number n is ((37 i + 11 n) mod 101 - 50) / 256 (variances: the same plus 1),
pixel i of image m is (i * 29 + m * 83 + i * i) mod 256; a pixel enters the network as p / 255.
"""
import torch
import torch.nn.functional as F
from torch import nn

IMAGES = 3


def fill(model):
    """Numbers that every program can form: state dict order counts."""
    number = 0
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        i = torch.arange(tensor.numel(), dtype=torch.int64)
        values = ((37 * i + 11 * number) % 101 - 50).to(torch.float32) / 256
        if name.endswith("running_var"):
            values = values + 1
        tensor.copy_(values.reshape(tensor.shape))
        number += 1
    return model.eval()


def images(shape):
    size = shape[0] * shape[1] * shape[2]
    i = torch.arange(size, dtype=torch.int64)
    pixels = [(i * 29 + m * 83 + i * i) % 256 for m in range(IMAGES)]
    return torch.stack(pixels).to(torch.float32).reshape(IMAGES, *shape) / 255


class Activations(nn.Module):
    """Every activation, chunks, a cut of channels, concatenation, padding, upsampling; the model
    ends in a softmax, the outputs listed are those before it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.fc = nn.Linear(26, 3)

    def forward(self, x):
        x = 4 * self.conv(F.pad(x, (1, 1, 1, 1)))
        a, b = x.chunk(2, 1)
        x = torch.cat(
            [F.silu(a), F.mish(b), F.hardswish(a), F.hardsigmoid(b), x[:, 1:3], torch.sigmoid(a),
             torch.tanh(b), F.relu6(x), F.leaky_relu(x, 0.2), F.relu(a - 0.125), b / 2], 1)
        x = F.interpolate(x, scale_factor=2)
        x = self.fc(x.mean((2, 3)))
        return F.softmax(x, 1) if torch.onnx.is_in_onnx_export() else x


class Pools(nn.Module):
    """Max and average pools with padding, ceil mode and without; depthwise convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Sequential(nn.Linear(4 * 2 * 2, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3))

    def forward(self, x):
        x = self.conv(x)
        x = F.max_pool2d(x, 3, 2, padding=1)
        x = self.norm(self.depthwise(x))
        y = F.avg_pool2d(x, 3, 1, padding=1) + F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        y = F.max_pool2d(y, 2, 2, ceil_mode=True)
        y = F.avg_pool2d(y, 2, 1)
        return self.head(y.view(y.size(0), -1))


class ResidualBlock(nn.Module):
    """Shortcut without parameters: every second pixel, zero channels around."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.extra = (outputs - inputs) // 2
        self.stride = stride

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.extra, self.extra), "constant", 0)
        return F.relu(y + x)


class PaddedShortcuts(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(ResidualBlock(4, 4, 1))
        self.layer2 = nn.Sequential(ResidualBlock(4, 8, 2))
        self.linear = nn.Linear(8, 4)

    def forward(self, x):
        x = self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x)))))
        x = F.avg_pool2d(x, int(x.size()[3]))
        return self.linear(x.view(x.size(0), -1))


class Perceptron(nn.Module):
    """Flat input; matrix products without bias beside those with it."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(16, 6)
        self.fc2 = nn.Linear(6, 5, bias=False)
        self.fc3 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc3(torch.tanh(self.fc2(F.relu(self.fc1(x)))))


CASES = {
    "activations": (Activations, (2, 6, 5), 13, {}),
    "activations_opset11": (Activations, (2, 6, 5), 11, {"dynamic_axes": {"image": {0: "n"}}}),
    "pools": (Pools, (1, 17, 17), 13, {"dynamic_axes": {"image": {0: "n"}}}),
    "padded_shortcuts": (PaddedShortcuts, (3, 8, 8), 13, {}),
    "padded_shortcuts_folded": (PaddedShortcuts, (3, 8, 8), 15,
                                {"training": torch.onnx.TrainingMode.EVAL}),
    "perceptron": (Perceptron, (1, 4, 4), 9, {}),
}


def main():
    for name, (build, shape, opset, options) in CASES.items():
        with torch.no_grad():
            model = fill(build())
            x = images(shape)
            if build is Perceptron:
                x = x.flatten(1)
            y = model(x)
            settings = {"training": torch.onnx.TrainingMode.PRESERVE, **options}
            torch.onnx.export(model, x[:1], name + ".onnx", opset_version=opset,
                              input_names=["image"], output_names=["logits"], **settings)
        with open(name + ".txt", "w", encoding="ascii") as text:
            for row in y.tolist():
                text.write(" ".join(f"{value:.9g}" for value in row) + "\n")


main()
