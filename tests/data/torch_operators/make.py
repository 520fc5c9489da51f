"""Prints what PyTorch makes of small feature maps, operator by operator: see README.md."""
import torch
import torch.nn.functional as F

infinity = float("inf")


def ramp(channels, height, width, step=37):
    """Whole numbers without a pattern, both signs, over 8."""
    count = channels * height * width
    values = [(i * step + 11) % 97 - 48 for i in range(count)]
    return torch.tensor(values, dtype=torch.float32).reshape(1, channels, height, width) / 8


def show(word, tensor):
    shape = " ".join(str(side) for side in tensor.shape[1:])
    values = " ".join("%.9g" % value for value in tensor.flatten().tolist())
    print(f"{word} {shape} : {values}")


def case(name, inputs, output):
    print("case", name)
    for tensor in inputs:
        show("in", tensor)
    show("out", output)


line = torch.tensor([-30, -6.5, -4, -3, -1.5, -0.5, 0, 0.25, 1, 2.9, 3, 5, 6.5, 25.0])
line = line.reshape(1, 1, 1, 14)
case("leaky_relu", [line], F.leaky_relu(line, 0.1))
case("relu6", [line], F.relu6(line))
case("sigmoid", [line], torch.sigmoid(line))
case("tanh", [line], torch.tanh(line))
case("silu", [line], F.silu(line))
case("mish", [line], F.mish(line))
case("hard_sigmoid", [line], F.hardsigmoid(line))
case("hard_swish", [line], F.hardswish(line))

parts = [ramp(2, 2, 3), ramp(1, 2, 3, 41), ramp(3, 2, 3, 29)]
case("concat", parts, torch.cat(parts, 1))
five = ramp(5, 2, 3)
case("slice", [five], five[:, 1:4])
two = ramp(2, 2, 3)
case("upsample", [two], F.interpolate(two, scale_factor=3, mode="nearest"))

tall = ramp(2, 6, 5)
case("max_ceil", [tall], F.max_pool2d(tall, 3, 2, ceil_mode=True))
case("max_same", [tall], F.max_pool2d(tall, 5, 1, 2))
case("max_even", [tall], F.max_pool2d(F.pad(tall, (0, 1, 0, 1), value=-infinity), 2, 1))
case("max_strided", [tall], F.max_pool2d(tall, 3, 2, 1))
case("average_counting", [tall], F.avg_pool2d(tall, 3, 2, 1))
case("average_not_counting", [tall], F.avg_pool2d(tall, 3, 2, 1, count_include_pad=False))
case("average_ceil", [tall], F.avg_pool2d(tall, 3, 2, ceil_mode=True, count_include_pad=False))
case("average_off_centre", [tall], F.avg_pool2d(F.pad(tall, (0, 1, 0, 1)), 2, 1))
