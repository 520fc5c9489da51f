"""Prints the uniform numbers that test_faults.cpp and the normal ones that test_variation.cpp
expects, from numpy's own Philox4x64-10.

Run: python3 philox_values.py   (numpy 1.24.2 printed the values in use)
"""
import math

import numpy as np

WORD = 2**64 - 1


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & WORD
    return value


def philox(counter, key):
    number = sum(word << (64 * i) for i, word in enumerate(counter))
    number = (number - 1) % 2**256  # numpy increments before it draws
    words = [(number >> (64 * i)) & WORD for i in range(4)]
    generator = np.random.Philox(counter=np.array(words, np.uint64), key=np.array(key, np.uint64))
    return [int(x) for x in generator.random_raw(4)]


def weight_cell(seed, trial, layer, oc, ic, ky, kx, slice_, polarity):
    counter = [trial << 32 | 1, oc << 32 | ic, ky << 48 | kx << 32 | slice_ << 8 | polarity, 0]
    return philox(counter, [seed, fnv1a(layer)])


def padding_cell(seed, trial, layer, tile_row, tile_column, word_line, bit_line, polarity):
    counter = [trial << 32 | 2, tile_row << 32 | tile_column, word_line << 32 | bit_line, polarity]
    return philox(counter, [seed, fnv1a(layer)])


def uniform(words):
    return float(words[0] >> 11) * 2.0**-53


def normals(words):
    """Box and Muller's transform as Random123 defines it: angle pi uneg11(w0), radius from u01(w1)."""
    result = []
    for angle_word, radius_word in (words[:2], words[2:]):
        signed = angle_word - 2**64 if angle_word >= 2**63 else angle_word
        angle = math.pi * (float(signed) * 2.0**-63 + 2.0**-64)
        radius = math.sqrt(-2 * math.log(float(radius_word) * 2.0**-64 + 2.0**-65))
        result += [radius * math.sin(angle), radius * math.cos(angle)]
    return result


if __name__ == "__main__":
    for arguments in [(1, 0, "conv1", 0, 0, 0, 0, 0, 0),
                      (1, 0, "conv1", 0, 0, 0, 0, 0, 1),
                      (2021, 7, "layer1.0.conv2", 63, 15, 2, 1, 0, 0),
                      (WORD, 2**32 - 1, "fc", 9, 4095, 0, 0, 3, 1)]:
        print(arguments, uniform(weight_cell(*arguments)).hex())
    for arguments in [(1, 0, "conv1", 0, 0, 0, 0, 0), (5, 2, "fc", 3, 1, 127, 64, 1)]:
        print(arguments, uniform(padding_cell(*arguments)).hex())
    for key, counter in [([1, 7], [0, 0, 0, 0]), ([2021, WORD], [5, 6, 7, 8])]:
        print(key, counter, [f"{x:.16e}" for x in normals(philox(counter, key))])
