"""Prints a small detector's map and what NumPy makes of it, step by step: see README.md."""
import numpy as np

rng = np.random.default_rng(5)
classes, anchors, scale = 3, [(20.0, 10.0), (8.0, 30.0)], 1.2
height, width, input_height, input_width = 3, 4, 48, 64
least, overlap_limit = 0.05, 0.45
images = 2


def line(word, values):
    print(word, " ".join("%.9g" % v for v in np.ravel(values)))


def iou(a, b):
    w = np.clip(min(a[2], b[2]) - max(a[0], b[0]), 0, None)
    h = np.clip(min(a[3], b[3]) - max(a[1], b[1]), 0, None)
    both = w * h
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def decode(t):
    """t: [anchors, 5 + classes, height, width] -> rows of class, confidence, corners."""
    rows = []
    s = 1 / (1 + np.exp(-t))
    xs, ys = np.meshgrid(np.arange(width), np.arange(height))
    for a, (aw, ah) in enumerate(anchors):
        cx = (xs + scale * s[a, 0] - 0.5 * (scale - 1)) / width
        cy = (ys + scale * s[a, 1] - 0.5 * (scale - 1)) / height
        w = aw * np.exp(t[a, 2]) / input_width
        h = ah * np.exp(t[a, 3]) / input_height
        for k in range(classes):
            p = s[a, 4] * s[a, 5 + k]
            for y, x in zip(*np.where(p > least)):
                rows.append([k, p[y, x], cx[y, x] - w[y, x] / 2, cy[y, x] - h[y, x] / 2,
                             cx[y, x] + w[y, x] / 2, cy[y, x] + h[y, x] / 2])
    return sorted(rows, key=lambda row: -row[1])


def suppress(rows):
    kept = []
    while rows:
        best, rows = rows[0], rows[1:]
        kept.append(best)
        rows = [r for r in rows if r[0] != best[0] or iou(r[2:], best[2:]) <= overlap_limit]
    return kept


def average_precision(found, truth, label):
    """found: (image, row) pairs; the envelope of precision over recall, integrated exactly."""
    objects = [(i, box) for i, per_image in enumerate(truth) for k, box in per_image if k == label]
    taken, hits = set(), []
    for image, row in sorted((f for f in found if f[1][0] == label), key=lambda f: -f[1][1]):
        best = max((n for n, (i, _) in enumerate(objects) if i == image),
                   key=lambda n: iou(objects[n][1], row[2:]), default=None)
        hit = best is not None and iou(objects[best][1], row[2:]) >= 0.5 and best not in taken
        if hit:
            taken.add(best)
        hits.append(hit)
    hits = np.array(hits, dtype=float)
    recall = np.concatenate([[0], np.cumsum(hits) / len(objects), [1]])
    precision = np.concatenate([[0], np.cumsum(hits) / np.arange(1, len(hits) + 1), [0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * precision[1:]))


maps = rng.normal(0, 1.2, (images, 2, 5 + classes, height, width)).astype(np.float32)
maps[:, :, 2:4] *= 0.5
line("map", maps.reshape(images, -1, height, width).transpose(1, 0, 2, 3))
everything, truth = [], []
for image in range(images):
    rows = decode(maps[image].astype(float))
    line("decoded", rows)
    kept = suppress(rows)
    line("kept", kept)
    everything += [(image, row) for row in kept]
    # Every third box, moved a little, is an object; so some detections are right and most not.
    objects = [(int(r[0]), np.array(r[2:]) + 0.01 * (-1) ** n) for n, r in enumerate(kept[::3])]
    truth.append([(k, list(box)) for k, box in objects])
    line("truth", [[k, *box] for k, box in truth[-1]])
present = sorted({k for per_image in truth for k, _ in per_image})
line("map50", [np.mean([average_precision(everything, truth, k) for k in present])])
