"""Writes small networks of well-known architectures: names and shapes of their tensors, and their
outputs as PyTorch computes them. The modules here have the published layers, under the names that
torchvision (0.14; MobileNet v1: marvis/pytorch-mobilenet; SqueezeNet of Caffe: its prototxt) gives
them, with few channels.

    /usr/bin/python3 make.py

Weight i of parameter number n, in the order of the file, is
((37 i + i^2 + 11 n) mod 101 - 50) / d, d = 64 unless the file says otherwise (weights of batch norms and variances: the same / 4 plus 1), pixel i of image m is
(i * 29 + m * 83 + i * i) mod 256; a pixel enters the network as p / 255.
"""

import torch
import torch.nn.functional as F
from torch import nn

IMAGES = 2


def fill(model, divisor):
    names = []
    number = 0
    state = model.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        i = torch.arange(tensor.numel(), dtype=torch.int64)
        values = ((37 * i + i * i + 11 * number) % 101 - 50).to(torch.float32) / divisor
        if name.endswith("running_var") or (name.endswith("weight") and tensor.dim() == 1):
            values = values / 4 + 1
        tensor.copy_(values.reshape(tensor.shape))
        names.append((name, list(tensor.shape)))
        number += 1
    model.eval()
    return names


def images(shape):
    i = torch.arange(shape[0] * shape[1] * shape[2], dtype=torch.int64)
    pixels = [(i * 29 + m * 83 + i * i) % 256 for m in range(IMAGES)]
    return torch.stack(pixels).to(torch.float32).reshape(IMAGES, *shape) / 255




class Residual(nn.Module):
    """torchvision's BasicBlock and Bottleneck."""

    def __init__(self, inputs, width, stride, bottleneck, groups=1):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        if bottleneck:
            self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(outputs)
        else:
            self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "conv3"):
            y = self.bn3(self.conv3(F.relu(y)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ImageNetResNet(nn.Module):
    def __init__(self, bottleneck, groups=1):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        channels = 4
        for stage in range(1, 5):
            width = 4 if stage < 3 else 8
            block = Residual(channels, width, 1 if stage == 1 else 2, bottleneck, groups)
            setattr(self, f"layer{stage}", nn.Sequential(block))
            channels = 4 * width if bottleneck else width
        self.fc = nn.Linear(channels, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Vgg(nn.Module):
    def __init__(self, norm, hidden, pixels):
        super().__init__()
        layers = []
        channels = 3
        for width in (4, "M", 5, 6, "M"):
            if width == "M":
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            layers += [nn.BatchNorm2d(width)] if norm else []
            layers.append(nn.ReLU())
            channels = width
        self.features = nn.Sequential(*layers)
        head = [nn.Linear(channels * pixels, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, 3)]
        self.classifier = nn.Sequential(*head) if hidden else nn.Linear(channels * pixels, 3)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Fire(nn.Module):
    def __init__(self, inputs, squeezed, expanded, names):
        super().__init__()
        self.names = names
        setattr(self, names[0], nn.Conv2d(inputs, squeezed, 1))
        setattr(self, names[1], nn.Conv2d(squeezed, expanded, 1))
        setattr(self, names[2], nn.Conv2d(squeezed, expanded, 3, padding=1))

    def forward(self, x):
        squeeze, points, squares = (getattr(self, name) for name in self.names)
        x = F.relu(squeeze(x))
        return torch.cat([F.relu(points(x)), F.relu(squares(x))], 1)


class SqueezeNet(nn.Module):
    """torchvision's version 1.0 or 1.1."""

    def __init__(self, version):
        super().__init__()
        names = ("squeeze", "expand1x1", "expand3x3")
        stem, pools = (7, (2, 6, 11)) if version == "1.0" else (3, (2, 5, 8))
        self.features = nn.Sequential(nn.Conv2d(3, 4, stem, 2), nn.ReLU())
        inputs = 4
        for k in range(2, 13):
            if k in pools:
                self.features.append(nn.MaxPool2d(3, 2, ceil_mode=True))
                continue
            self.features.append(Fire(inputs, 2, 3, names))
            inputs = 6
        self.classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(6, 3, 1), nn.ReLU())

    def forward(self, x):
        return self.classifier(self.features(x)).mean((2, 3))


class CaffeSqueezeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 7, 2)
        for k in range(2, 10):
            names = ("conv1x1_1", "conv1x1_2", "conv3x3_2")
            setattr(self, f"fire{k}", Fire(4 if k == 2 else 6, 2, 3, names))
        self.conv_final = nn.Conv2d(6, 3, 1, padding=1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 3, 2, ceil_mode=True)
        for k in range(2, 10):
            x = getattr(self, f"fire{k}")(x)
            if k in (4, 8):
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        return F.relu(self.conv_final(x)).mean((2, 3))


def conv_bn_relu6(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs), nn.ReLU6())


class InvertedBottleneck(nn.Module):
    def __init__(self, inputs, outputs, stride, factor):
        super().__init__()
        width = inputs * factor
        layers = [conv_bn_relu6(inputs, width, 1)] if factor > 1 else []
        layers.append(conv_bn_relu6(width, width, 3, stride, width))
        layers += [nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """Sandler et al. 2018, table 2: factor, channels, repeats, stride; channels divided by 8."""

    TABLE = ((1, 2, 1, 1), (6, 3, 2, 2), (6, 4, 3, 2), (6, 8, 4, 2), (6, 12, 3, 1), (6, 20, 3, 2),
             (6, 40, 1, 1))

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(conv_bn_relu6(3, 4, 3, 2))
        channels = 4
        for factor, outputs, repeats, stride in self.TABLE:
            for k in range(repeats):
                step = stride if k == 0 else 1
                self.features.append(InvertedBottleneck(channels, outputs, step, factor))
                channels = outputs
        self.features.append(conv_bn_relu6(channels, 16, 1))
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(16, 3))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class MobileNetV1(nn.Module):
    """Howard et al. 2017, table 1; few channels."""

    def __init__(self):
        super().__init__()
        stem = nn.Sequential(
            nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.model = nn.Sequential(stem)
        for stride in (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1):
            self.model.append(nn.Sequential(
                nn.Conv2d(12, 12, 3, stride, 1, groups=12, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
                nn.Conv2d(12, 12, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU()))
        self.fc = nn.Linear(12, 3)

    def forward(self, x):
        return self.fc(self.model(x).mean((2, 3)))


class LeNet(nn.Module):
    """PyTorch's tutorial network: 5x5 convolutions, each with a 2x2 max pool."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 5)
        self.conv2 = nn.Conv2d(4, 5, 5)
        self.fc1 = nn.Linear(5 * 5 * 5, 12)
        self.fc2 = nn.Linear(12, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Perceptron(nn.Module):
    """nn.Sequential with batch norm; more than ten layers would sort wrongly as text."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 6),
                                 nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(), nn.Identity(),
                                 nn.Identity(), nn.Identity(), nn.Linear(6, 3))

    def forward(self, x):
        return self.net(x.flatten(1))


CASES = {
    "resnet_basic": (lambda: ImageNetResNet(False), (3, 64, 64)),
    "resnet_bottleneck": (lambda: ImageNetResNet(True), (3, 64, 64)),
    "resnet_groups": (lambda: ImageNetResNet(True, 2), (3, 64, 64)),
    "vgg": (lambda: Vgg(False, 5, 4), (3, 8, 8)),
    "vgg_norm": (lambda: Vgg(True, 0, 4), (3, 8, 8)),
    "squeezenet1_0": (lambda: SqueezeNet("1.0"), (3, 64, 64)),
    "squeezenet1_1": (lambda: SqueezeNet("1.1"), (3, 64, 64)),
    "squeezenet_caffe": (CaffeSqueezeNet, (3, 64, 64)),
    "mobilenet_v1": (MobileNetV1, (3, 64, 64)),
    "mobilenet_v2": (MobileNetV2, (3, 64, 64)),
    "lenet": (LeNet, (3, 32, 32)),
    "perceptron": (Perceptron, (1, 4, 4)),
}

# Larger weights would make this one magnify float32's rounding a thousandfold.
DIVISORS = {"mobilenet_v2": 112}


def main():
    for name, (build, shape) in CASES.items():
        divisor = DIVISORS.get(name, 64)
        with torch.no_grad(), open(name + ".txt", "w", encoding="ascii") as text:
            model = build()
            names = fill(model, divisor)
            outputs = model(images(shape)).tolist()
            if divisor != 64:
                text.write(f"divisor {divisor}\n")
            text.write("image " + "x".join(map(str, shape)) + "\n")
            for tensor, extents in names:
                text.write(f"tensor {tensor} " + " ".join(map(str, extents)) + "\n")
            for row in outputs:
                text.write("output " + " ".join(f"{value:.9g}" for value in row) + "\n")
            print(name, outputs[0], outputs[1])


main()
