"""Writes small JPEG images and what Pillow decodes from them: see README.md."""
import numpy as np
from PIL import Image

y, x = np.mgrid[0:14, 0:21]
colour = np.stack([12 * x, 255 - 17 * y, (9 * x + 13 * y) % 256], axis=-1).astype(np.uint8)
image = Image.fromarray(colour, "RGB")
image.save("colour.jpg", quality=88)  # 4:2:0, baseline
image.save("progressive.jpg", quality=88, progressive=True)
image.convert("L").save("grey.jpg", quality=88)
image.convert("CMYK").save("cmyk.jpg", quality=88)
small = np.asarray(Image.open("colour.jpg").resize((8, 20), Image.BILINEAR))
small.transpose(2, 0, 1).tofile("resized.planes")
for name in ("colour", "progressive", "grey"):
    pixels = np.asarray(Image.open(name + ".jpg").convert("RGB"))
    pixels.transpose(2, 0, 1).tofile(name + ".planes")
