"""Writes the matrices of this folder: python3 make.py (needs numpy and h5py)."""
import h5py
import numpy as np
from numpy.lib import format as npy

# Not square, not symmetric: row r, column c holds r + c / 10 - 0.5, exact only as far as f8 goes.
matrix = np.array([[r + c / 10 - 0.5 for c in range(3)] for r in range(4)])
whole = np.array([[10 * r + c for c in range(3)] for r in range(4)])

np.save("c_order_f8.npy", matrix)
np.save("fortran_order_f8.npy", np.asfortranarray(matrix))
np.save("fortran_order_f4.npy", np.asfortranarray(matrix.astype("<f4")))
np.save("c_order_i4.npy", (whole - 7).astype("<i4"))
np.save("c_order_i8.npy", (whole - 7).astype("<i8"))
np.save("c_order_u1.npy", whole.astype("|u1"))
np.save("row.npy", matrix[1])
with open("version_2.npy", "wb") as file:
    npy.write_array(file, matrix, version=(2, 0))
np.save("three_dimensions.npy", matrix.reshape(4, 3, 1))
np.save("scalar.npy", np.float64(3))
np.save("big_endian.npy", matrix.astype(">f8"))
np.save("complex.npy", matrix.astype("<c16"))
np.save("nan.npy", np.where(whole == 21, np.nan, matrix))

with h5py.File("several.h5", "w") as file:
    file["measured/conductance"] = matrix
    file["measured/levels"] = whole.astype(">i2")
    file["row"] = matrix[1].astype("f4")
    file["words"] = ["not", "numbers"]
with h5py.File("one.h5", "w") as file:
    file.create_dataset("deep/conductance", data=matrix, compression="gzip", shuffle=True)
    file["words"] = ["not", "numbers"]
